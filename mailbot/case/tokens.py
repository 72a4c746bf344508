"""One-time tokens: they authenticate a reply to an email that only one member of staff received (promise 5).

A token is in the Reply-To and in the Message-ID of a notice; email clients send at least one of them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from mailbot.model import Case, Command, Message, StaffMember, Token

LIFETIME = timedelta(days=7)
"""How long a token can be used."""

LOCAL_PART = 64
"""Octets of the longest local part of an address (RFC 5321 §4.5.3.1.1)."""

_SECRET = re.compile(r"[0-9a-f]{32}")
_ADDRESS_DETAIL = re.compile(r"c-[a-z]{10}\.([0-9a-f]{32})")
_MESSAGE_ID = re.compile(r"c-[a-z]{10}\.s?\d{1,9}\.([0-9a-f]{32})@(.+)")


def mint(secret: str, count: int, person: StaffMember, until: datetime, version: int, commands: Sequence[Command] = ()) -> Token:
    """Make the token of one notice (see ``Token``).

    ``secret``: the 128 random bits of this step, in hexadecimal. ``count``: the position of the token in the step.

    Raises:
        ValueError: ``secret`` does not have 128 bits, so that the token could be guessed.
    """
    if not _SECRET.fullmatch(secret):
        raise ValueError("a token needs 128 bits of entropy")
    derived = sha256(f"token {count} {secret}".encode()).hexdigest()[:32]
    return Token(derived, person.address, until, version, tuple(commands))


def address(mailbox: str, case_id: str, token: Token) -> str:
    """Return the Reply-To of a notice: our address with a detail part (RFC 5233) that has the case id and the token.

    If that would be longer than RFC 5321 allows, it is the address of the mailbox: the Message-ID has the token, too.
    """
    local, _, domain = mailbox.lower().rpartition("@")
    detailed = f"{local}+{case_id.lower()}.{token.secret}"
    return f"{detailed if len(detailed) <= LOCAL_PART else local}@{domain}"


def details(message: Message) -> Iterator[str]:
    """Yield the detail parts (after the plus sign, RFC 5233) of our addresses that an email was sent to."""
    local, _, domain = message.mailbox.lower().rpartition("@")
    for email in (*(box.email for box in (*message.to, *message.cc)), *message.delivered_to):
        name, _, host = email.rpartition("@")
        if host == domain and name.startswith(f"{local}+"):
            yield name.removeprefix(f"{local}+")


def presented(message: Message) -> tuple[str, ...]:
    """Return the secrets in an email, each once: those of its addresses, then those of its thread, the nearest first.

    Only headers that an email client fills in count; the text of the email does not.
    """
    domain = message.mailbox.lower().rpartition("@")[2]
    found = [match[1] for detail in details(message) if (match := _ADDRESS_DETAIL.fullmatch(detail))]
    found += [match[1] for each in message.thread if (match := _MESSAGE_ID.fullmatch(each)) and match[2].lower() == domain]
    return tuple(dict.fromkeys(found))


def find(case: Case, message: Message, person: StaffMember, now: datetime) -> Token | None:
    """Return the valid token of this case in an email, or None: it must be this person's, not expired, and of the current version.

    A change of the case invalidates its tokens, because they are of an earlier version. All secrets are compared in constant
    time, so that the time of the check reveals nothing about them.
    """
    valid: Token | None = None
    for secret in presented(message):
        for token in case.tokens:
            same = compare_digest(secret, token.secret)
            usable = token.person == person.address and now <= token.until and token.version == case.version
            valid = token if same and usable and valid is None else valid
    return valid
