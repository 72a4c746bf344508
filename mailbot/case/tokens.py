"""One-time tokens: what lets a person decide by answering a mail that only that person got (promise 5; A7, A8).

A token stands in the Reply-To and in the Message-ID of a notice; mail programs send the one or the other back.
"""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from mailbot.model import Token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mailbot.model import Case, Command, Message, StaffMember

LIFE = timedelta(days=7)
"""How long a token can be used."""

LOCAL_PART = 64
"""Octets of the longest local part of an address (RFC 5321 §4.5.3.1.1)."""

_CHANCE = re.compile(r"[0-9a-f]{32}")
_DETAIL = re.compile(r"c-[a-z]{10}\.([0-9a-f]{32})")
_ID = re.compile(r"c-[a-z]{10}\.s?\d{1,9}\.([0-9a-f]{32})@(.+)")


def mint(
    secret: str, count: int, person: StaffMember, until: datetime, version: int, commands: Sequence[Command] = ()
) -> Token:
    """Make the token of one notice.

    Args:
        secret: the 128 bits of chance of this step, in hexadecimal (``Known.secret``).
        count: which token of the step it is: each notice has its own.
        person: to whom the notice goes.
        until: aware; the last moment at which it can be used.
        version: the case's version, as it stands when the notice goes out.
        commands: what it confirms, if it answers for commands that nothing proved.

    Raises:
        ValueError: there is no chance in ``secret``: a token that can be guessed is none.
    """
    if not _CHANCE.fullmatch(secret):
        raise ValueError("a token needs 128 bits of chance")
    derived = sha256(f"token {count} {secret}".encode()).hexdigest()[:32]
    return Token(derived, person.address, until, version, tuple(commands))


def address(mailbox: str, case_id: str, token: Token) -> str:
    """Return the Reply-To of a notice: a plus-address of ours (RFC 5233) that names the case and carries the token.

    Where the mailbox's own name leaves no room for it, the mailbox itself: the Message-ID carries the token too.
    """
    local, _, domain = mailbox.lower().rpartition("@")
    detailed = f"{local}+{case_id.lower()}.{token.secret}"
    return f"{detailed if len(detailed) <= LOCAL_PART else local}@{domain}"


def mark(token: Token) -> str:
    """Return the piece by which a notice's Message-ID carries its token: ``<case id>.s<count>.<mark>@<our domain>``."""
    return token.secret


def details(message: Message) -> Iterator[str]:
    """Yield what stands behind the plus in those addresses of ours that a mail was sent to (RFC 5233)."""
    local, _, domain = message.mailbox.lower().rpartition("@")
    for email in (*(box.email for box in (*message.to, *message.cc)), *message.delivered_to):
        name, _, host = email.rpartition("@")
        if host == domain and name.startswith(f"{local}+"):
            yield name.removeprefix(f"{local}+")


def presented(message: Message) -> tuple[str, ...]:
    """Return every secret that a mail presents, each once: those of its addresses, then of its thread, the nearest first.

    Only where a mail program puts them; what somebody wrote or quoted in the text presents nothing.
    """
    domain = message.mailbox.lower().rpartition("@")[2]
    found = [match[1] for detail in details(message) if (match := _DETAIL.fullmatch(detail))]
    found += [match[1] for each in message.thread if (match := _ID.fullmatch(each)) and match[2].lower() == domain]
    return tuple(dict.fromkeys(found))


def find(case: Case, message: Message, person: StaffMember, now: datetime) -> Token | None:
    """Return the token of this case that the mail presents, if it is this person's and neither expired nor spent.

    A token is spent by the next decision of staff in its case: it is of an earlier version. All are compared in constant
    time, so that the time an answer takes tells nothing of a secret.
    """
    held: Token | None = None
    for secret in presented(message):
        for token in case.tokens:
            same = compare_digest(secret, token.secret)
            usable = token.person == person.address and now <= token.until and token.version == case.version
            held = token if same and usable and held is None else held
    return held
