"""The configuration that intake needs about the company that received a message."""

from __future__ import annotations

from typing import Literal

from mailbot.intake.statements.word_lists import WordLists
from mailbot.mail.authentication import Profile
from mailbot.model import Message, StaffMember, Value

Authority = Literal["confirm", "insecure-from"]
"""What happens to staff commands without proof: the listed address is asked to confirm, or From is trusted."""


class Desk(Value, frozen=True):
    """One mailbox of one company: its addresses, its staff, its number formats, and its word lists.

    The forms are regular expressions from the rules file: ``serial_forms`` match serial keys (``serial_key``), ``model_forms``
    model names as written, and ``number_form`` the company's own RMA numbers. ``trusted_authserv_id`` is that of our mail
    server (RFC 8601 §2.5). ``currency`` is that of fees and quotes (ISO 4217). ``certainty``: from which probability on, 0.5 to
    0.99, the class of a sentence is certain.
    """

    address: str
    words: WordLists
    staff: tuple[StaffMember, ...] = ()
    aliases: tuple[str, ...] = ()
    serial_forms: tuple[str, ...] = ()
    model_forms: tuple[str, ...] = ()
    number_form: str = r"RMA-\d[\dA-Z-]*"
    trusted_authserv_id: str | None = None
    authentication_results: Profile = "standard"
    authority: Authority = "confirm"
    currency: str = "USD"
    certainty: float = 0.83


def staff_member(message: Message, desk: Desk) -> StaffMember | None:
    """Return the member of staff whose address is in the From header, or None (promise 5).

    Addresses must be equal, except for ASCII case: a look-alike, a plus-address or a trailing dot is somebody else. A From
    header with no address or several addresses is nobody. Automatic emails never count, for example an out-of-office reply or
    a bounce that quotes "approve". Reply-To, Sender and the display name do not identify anybody.
    """
    if message.sender is None or message.classification.sender_class != "human":
        return None
    return next((each for each in desk.staff if each.address == message.sender.email), None)
