"""Who of staff wrote a mail, and by what that is known (promise 5; "Staff authority by mail")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.case import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Message, Proof, StaffMember, Token


def person(message: Message, desk: Desk) -> StaffMember | None:
    """Return the member of staff whose address a mail bears, or None.

    The address is compared as it stands, ASCII capitals aside: a look-alike (U1), a plus-address, a trailing dot is somebody
    else. So is a From that names nobody or more than one (A4), and nothing that a machine wrote is anybody's word, an
    absence note or a delivery report that quotes "approve" above all (L5, B4). What a mail says beside its From (Reply-To,
    Sender, a display name) is no identity (A5, A6).
    """
    if message.sender is None or message.classification.sender_class != "human":
        return None
    return next((each for each in desk.staff if each.address == message.sender.email), None)


def proof(message: Message, case: Case | None, desk: Desk, now: datetime) -> tuple[Proof, Token | None]:
    """Say by what the writer of a mail is known as the member of staff whose address it bears.

    Our server's word that the From is not genuine wins over everything, over a token too: who writes under a false name
    may have got hold of one. The token, where a valid one is presented, is returned with every other proof: commands that
    wait for a confirmation stand in it.

    Args:
        message: the mail.
        case: the case it belongs to, which holds the tokens; None: there are none.
        desk: the desk, its staff and what it believes.
        now: aware; when the mail arrives.
    """
    writer = person(message, desk)
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
