"""How the member of staff who sent an email was authenticated (promise 5)."""

from __future__ import annotations

from datetime import datetime

from mailbot.case import tokens
from mailbot.intake.desk import Desk, staff_member
from mailbot.model import Case, Message, Proof, Token


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
