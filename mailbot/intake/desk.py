"""What intake must know of the company at whose desk a mail arrives."""

from __future__ import annotations

from typing import Literal

from mailbot.intake.statements.word_lists import WordLists
from mailbot.mail.authentication import Profile
from mailbot.model import StaffMember, Value

Authority = Literal["confirm", "insecure-from"]
"""What becomes of staff's commands that nothing proves: a question goes to the listed address, or From is believed."""


class Desk(Value, frozen=True):
    """One mailbox of one company: its address, its staff, the forms of its serials, the words it listens for.

    ``serial_forms`` and ``model_forms`` are regular expressions from the rules file, matched against folded text (see
    ``intake.serials.fold``) and against model names as written. ``number_form`` matches the company's own RMA numbers.
    ``aliases`` are further addresses of ours. ``trusted_authserv_id`` is our mail server's id (RFC 8601 §2.5), or None;
    ``authentication_results`` is how that server writes, ``authority`` what From alone is worth.
    ``currency`` (ISO 4217) is the one that its fees and quotes are in. ``aliases`` are further addresses of ours.
    ``trusted_authserv_id`` is our mail server's id (RFC 8601 §2.5), or None.
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
