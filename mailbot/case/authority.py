"""Which member of staff sent an email, and how the sender was authenticated (promise 5)."""

from __future__ import annotations

from datetime import datetime

from mailbot.case import tokens
from mailbot.intake.desk import Desk
from mailbot.model import Case, Message, Proof, StaffMember, Token


def staff_member(message: Message, desk: Desk) -> StaffMember | None:
    """Return the member of staff whose address is in the From header, or None.

    Addresses must be equal, except for ASCII case: a look-alike (U1), a plus-address or a trailing dot is somebody else. A
    From header with no address or several addresses is nobody (A4). Automatic emails never count, for example an
    out-of-office reply or a bounce that quotes "approve" (L5, B4). Reply-To, Sender and the display name do not identify
    anybody (A5, A6).
    """
    if message.sender is None or message.classification.sender_class != "human":
        return None
    return next((each for each in desk.staff if each.address == message.sender.email), None)


def proof(message: Message, case: Case | None, desk: Desk, now: datetime) -> tuple[Proof, Token | None]:
    """Return how the sender was authenticated as a member of staff, and the valid token that the email presents.

    If our server reports that the From header is not genuine, nothing else counts, not even a token: it may have been stolen.
    Otherwise a valid token is returned with any other proof, because it may contain commands that wait for a confirmation.
    ``now``: when the email arrives, aware, UTC.
    """
    writer = staff_member(message, desk)
    if writer is None:
        return "none", None
    if message.auth.result == "fail":
        return "forged", None
    token = tokens.find(case, message, writer, now) if case else None
    if message.auth.result == "pass":
        return "server", token
    if token is not None:
        return ("confirmation" if token.commands else "token"), token
    return ("trust" if desk.authority == "insecure-from" else "none"), None
