"""Address fields: the mailboxes they name, resistant to spoofing by display names (RFC 5322 §3.4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from mailbot.mail.charsets import one_line
from mailbot.mail.headers import decode_words, split_field
from mailbot.model import Address, Value

MAX_MAILBOXES = 200
"""The maximum number of mailboxes read from one field, and from all fields of one name."""

_COMMON_ADDRESS = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?!.*--)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?!(?i:arpa|onion|localhost|local|test|invalid)\Z)[A-Za-z]{2,63}"
)
"""The form of nearly every address. email-validator accepts all of these, so it is not loaded for them."""

_ASCII_LOWERCASE = str.maketrans(ascii_uppercase, ascii_lowercase)
_ENCODED_WORD = re.compile(r"=\?[^?\s<>\"]{1,80}\?[qQ]\?[^?\s<>\"]*\?=")
_SPECIAL_CHARACTER = re.compile(r"[(),:;@\\]")
_ADDR_SPEC = re.compile(r"[^\s<>@,;:\\]{1,128}@[^\s<>@,;:\\]{1,255}")
_LAST_LABEL = re.compile(r"(?<=[@.\u3002\uff0e\uff61])[^\s<>@.\u3002\uff0e\uff61]{1,63}(?=>?\s*\Z)")

PRIVATE_DOMAINS = {"local": "lokal", "invalid": "invahid"}
"""The top-level domains of private networks and test setups, with a placeholder label each.

email-validator always refuses these domains; it has an option for ``test`` only. An address in one of them is checked
with the placeholder, which has the same length, in place of the label. Whether a domain can be reached is up to the
mail server.
"""


class Mailboxes(Value, frozen=True):
    """The mailboxes of a field. ``is_plain_list`` is False for a group, leftover text, or unbalanced brackets."""

    found: tuple[Address, ...] = ()
    is_plain_list: bool = True


class _Entry:
    """The text between two commas: words, the contents of each pair of angle brackets, and the comment."""

    def __init__(self) -> None:
        self.words = self.comment = ""
        self.angles: list[str] = []
        self.closed = True


@lru_cache(maxsize=256)
def parse_mailboxes(value: str) -> Mailboxes:
    """Parse an address field that is still encoded.

    Encoded words (RFC 2047) are decoded last, so their content is never taken for an address.
    """
    found: list[Address] = []
    entries, is_plain_list = _split_entries(_ENCODED_WORD.sub(_escape_specials, value))
    pending_words: list[str] = []
    for entry in entries:
        text = " ".join(entry.words.split())
        if text and not entry.angles and "@" not in text:  # Doe, John <john@x.example>
            pending_words.append(text)
            continue
        spec = entry.angles[-1].rpartition(":")[2].strip() if entry.angles else text  # without a source route (RFC 5322 §4.4)
        name = ", ".join((*pending_words, text)) if entry.angles else entry.comment
        is_plain_list = is_plain_list and len(entry.angles) <= 1 and entry.closed
        pending_words = []
        if _ADDR_SPEC.fullmatch(spec) and spec.isprintable() and len(found) < MAX_MAILBOXES:
            found.append(Address(name=decode_words(name)[:200], email=_ascii_lower(spec)))
        elif spec:
            is_plain_list = False
    return Mailboxes(tuple(found), is_plain_list and not pending_words)


def _ascii_lower(spec: str) -> str:
    """Lowercase the ASCII letters of an address only (RFC 5321 §2.4): a Kelvin sign must not become a k."""
    return spec.translate(_ASCII_LOWERCASE)


def _escape_specials(word: re.Match[str]) -> str:
    """Escape the special characters inside an encoded word (RFC 2047 §5(3)): they belong to the display name."""
    return _SPECIAL_CHARACTER.sub(lambda special: f"={ord(special[0]):02X}", word[0])


def _split_entries(value: str) -> tuple[list[_Entry], bool]:
    """Split a field at its top-level commas; the second value is False if the field uses group syntax."""
    entries = [_Entry()]
    has_group = False
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
            has_group = has_group or char != ","
            entries.append(_Entry())
        else:
            entry.words += char
    return entries, not has_group


def single_mailbox(values: Collection[str]) -> Address | None:
    """Return the only mailbox in the From fields, or None if there is none or it is ambiguous."""
    if len(values) != 1:
        return None
    field = parse_mailboxes(next(iter(values)))
    return field.found[0] if field.is_plain_list and len(field.found) == 1 else None


def all_mailboxes(values: Iterable[str]) -> tuple[Address, ...]:
    """Return the first ``MAX_MAILBOXES`` mailboxes of the fields in order, without duplicates."""
    found: dict[str, Address] = {}
    for value in values:
        for mailbox in parse_mailboxes(value).found:
            found.setdefault(mailbox.email, mailbox)
        if len(found) >= MAX_MAILBOXES:
            break
    return tuple(found.values())[:MAX_MAILBOXES]


def valid(address: str) -> str:
    """Return an address in ASCII and lowercase. Only the syntax is checked: no DNS lookup.

    Raises:
        email_validator.EmailNotValidError: the address cannot receive email; a ``ValueError`` that explains why.
    """
    return address.lower() if _COMMON_ADDRESS.fullmatch(address) else _validate_with_library(address)


def _validate_with_library(address: str) -> str:
    """Return the address as email-validator normalizes it; private domains are checked under a placeholder label."""
    from email_validator import validate_email  # slow to import

    last = _LAST_LABEL.search(address)
    label = unicodedata.normalize("NFKC", last[0]).casefold() if last else ""
    placeholder = PRIVATE_DOMAINS.get(label, "")
    if last and placeholder:
        address = f"{address[: last.start()]}{placeholder}{address[last.end() :]}"
    checked = validate_email(
        address, check_deliverability=False, globally_deliverable=False, test_environment=True, allow_smtputf8=False
    )
    found = (checked.ascii_email or checked.normalized).lower()
    return f"{found.removesuffix(placeholder)}{label}" if placeholder else found


@lru_cache(maxsize=1024)
def deliverable(address: str) -> str | None:
    """Return the address as ``valid`` does, or None if it cannot receive email."""
    try:
        return valid(address)
    except ValueError:
        return None


def is_ours(address: str, ours: Iterable[str]) -> bool:
    """Return whether ``address`` is one of our addresses or a plus-address of one."""
    local, _, domain = one_line(address).lower().rpartition("@")
    return not {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"}.isdisjoint(own.lower() for own in ours)
