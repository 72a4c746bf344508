"""Address fields: who is named in them, without being talked into somebody else (RFC 5322 §3.4; A4, A5)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from mailbot.mail.charsets import one_line
from mailbot.mail.field_syntax import split_field
from mailbot.mail.headers import words
from mailbot.model import Address, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST = 200
"""Mailboxes read of one field, and of all fields of one name."""

_COMMON = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?!.*--)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?!(?i:arpa|onion|localhost|local|test|invalid)\Z)[A-Za-z]{2,63}"
)
"""The form of nearly every address. The library accepts all of these, so it need not be loaded for them."""

_CAPITALS = str.maketrans(ascii_uppercase, ascii_lowercase)
_WORD = re.compile(r"=\?[^?\s<>\"]{1,80}\?[qQ]\?[^?\s<>\"]*\?=")
_SPECIAL = re.compile(r"[(),:;@\\]")
_SPEC = re.compile(r"[^\s<>@,;:\\]{1,128}@[^\s<>@,;:\\]{1,255}")
_LAST_LABEL = re.compile(r"(?<=[@.\u3002\uff0e\uff61])[^\s<>@.\u3002\uff0e\uff61]{1,63}(?=>?\s*\Z)")

PRIVATE = {"local": "lokal", "invalid": "invahid"}
"""Top-level domains of private networks and trial runs, which email-validator always refuses, and a label for each.

email-validator has an option for ``test`` only. An address in one of these domains is checked with the other label of the
same length in its place. Whether a domain can be reached is up to the mail server.
"""


class Mailboxes(Value, frozen=True):
    """The mailboxes of a field. ``plain`` is False where it is no simple list: a group, leftovers, broken brackets."""

    found: tuple[Address, ...] = ()
    plain: bool = True


class _Entry:
    """What stands between two commas: the words, the contents of each pair of angle brackets, the comment."""

    def __init__(self) -> None:
        self.words = self.comment = ""
        self.angles: list[str] = []
        self.closed = True


@lru_cache(maxsize=256)
def read(value: str) -> Mailboxes:
    """Read an address field, still encoded. Encoded words are decoded last: what they say is never an address."""
    found: list[Address] = []
    entries, plain = _entries(_WORD.sub(_shielded, value))
    carried: list[str] = []
    for entry in entries:
        text = " ".join(entry.words.split())
        if text and not entry.angles and "@" not in text:  # Doe, John <john@x.example>
            carried.append(text)
            continue
        spec = entry.angles[-1].rpartition(":")[2].strip() if entry.angles else text  # RFC 5322 §4.4: no source routes
        name = ", ".join((*carried, text)) if entry.angles else entry.comment
        plain = plain and len(entry.angles) <= 1 and entry.closed
        carried = []
        if _SPEC.fullmatch(spec) and spec.isprintable() and len(found) < MOST:
            found.append(Address(name=words(name)[:200], email=_lower(spec)))
        elif spec:
            plain = False
    return Mailboxes(tuple(found), plain and not carried)


def _lower(spec: str) -> str:
    """Return an address in lower case as RFC 5321 §2.4 has it, ASCII alone: a Kelvin sign does not become a k (U1)."""
    return spec.translate(_CAPITALS)


def _shielded(word: re.Match[str]) -> str:
    """Write the specials within an encoded word in hexadecimal, as RFC 2047 §5(3) asks: they are a name's letters."""
    return _SPECIAL.sub(lambda special: f"={ord(special[0]):02X}", word[0])


def _entries(value: str) -> tuple[list[_Entry], bool]:
    """Cut a field at its top-level commas; the second value is False where it uses group syntax."""
    entries = [_Entry()]
    grouped = False
    for char, layer in split_field(value):
        entry = entries[-1]
        if layer == "comment":
            entry.comment += char
        elif layer == "plain" and char == "<" and entry.closed:
            entry.closed = False
            entry.angles.append("")
        elif layer == "plain" and char == ">" and not entry.closed:
            entry.closed = True
        elif not entry.closed:
            entry.angles[-1] += char
        elif layer == "plain" and char in ",;:":
            grouped = grouped or char != ","
            entries.append(_Entry())
        else:
            entry.words += char
    return entries, not grouped


def single(values: Collection[str]) -> Address | None:
    """Return the one mailbox that the From fields name, or None where there is none or a doubt (A4)."""
    if len(values) != 1:
        return None
    boxes = read(next(iter(values)))
    return boxes.found[0] if boxes.plain and len(boxes.found) == 1 else None


def every(values: Iterable[str]) -> tuple[Address, ...]:
    """Return the first mailboxes of the fields in their order, each address once."""
    found: dict[str, Address] = {}
    for value in values:
        for box in read(value).found:
            found.setdefault(box.email, box)
        if len(found) >= MOST:
            break
    return tuple(found.values())[:MOST]


def valid(address: str) -> str:
    """Return an address in ASCII and lower case, judged by its syntax alone: nothing is looked up.

    Raises:
        email_validator.EmailNotValidError: no mail can be sent to it (H4); a ``ValueError`` that says why.
    """
    return address.lower() if _COMMON.fullmatch(address) else _checked(address)


def _checked(address: str) -> str:
    """Return the address as the library normalizes it; private domains are checked under a stand-in label."""
    from email_validator import validate_email  # slow to load

    last = _LAST_LABEL.search(address)
    label = unicodedata.normalize("NFKC", last[0]).casefold() if last else ""
    stand_in = PRIVATE.get(label, "")
    if last and stand_in:
        address = f"{address[: last.start()]}{stand_in}{address[last.end() :]}"
    checked = validate_email(
        address,
        check_deliverability=False,
        globally_deliverable=False,
        test_environment=True,
        allow_smtputf8=False,
    )
    found = (checked.ascii_email or checked.normalized).lower()
    return f"{found.removesuffix(stand_in)}{label}" if stand_in else found


@lru_cache(maxsize=1024)
def deliverable(address: str) -> str | None:
    """Return the address as ``valid`` does, or None where no mail can be sent to it."""
    try:
        return valid(address)
    except ValueError:
        return None


def is_ours(address: str, ours: Iterable[str]) -> bool:
    """Say whether ``address`` is one of ours or a plus-address of one (L3)."""
    local, _, domain = one_line(address).lower().rpartition("@")
    return not {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"}.isdisjoint(each.lower() for each in ours)
