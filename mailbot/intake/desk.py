"""The configuration that intake needs about the company that received a message."""

from __future__ import annotations

from typing import Literal

from mailbot.intake.statements.word_lists import WordLists
from mailbot.mail.authentication import Profile
from mailbot.model import StaffMember, Value

Authority = Literal["confirm", "insecure-from"]
"""What happens to staff commands without proof: the listed address is asked to confirm, or From is trusted."""


class Desk(Value, frozen=True):
    """One mailbox of one company: its address, its staff, its number formats, and its word lists.

    Attributes:
        address: the address of the mailbox.
        words: the word lists of the rules.
        staff: the members of staff who may write commands.
        aliases: our other addresses.
        serial_forms: regular expressions from the rules file, matched against serial keys (see
            ``entities.serials.serial_key``).
        model_forms: regular expressions from the rules file, matched against model names as written.
        number_form: a regular expression that matches the company's own RMA numbers.
        trusted_authserv_id: the authserv-id of our mail server (RFC 8601 §2.5), or None.
        authentication_results: how our mail server writes Authentication-Results.
        authority: what happens to staff commands without proof.
        currency: the currency of fees and quotes (ISO 4217).
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
