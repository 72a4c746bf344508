"""The header fields of a mail or a part: found, unfolded, decoded, each within a bound.

The standard library's header parser is super-linear on hostile input and raises on some of it; this one reads every
byte once and never raises. RFC 5322 §2.2, RFC 2047.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from mailbot.mail.charsets import decode, one_line
from mailbot.model import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = 2000
"""Fields read of one header; more than ten times what real mail carries."""

VALUE = 16_384
"""Characters read of one field; a longer one is cut (M3, M4)."""

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?\r\n]*)\?=")
_ID = re.compile(r"<([^<>\s]{1,990})>")
_Q_BYTE = re.compile(rb"=([0-9A-Fa-f]{2})")


class Headers(Value, frozen=True):
    """Header fields in their order: names in lower case, values unfolded but not yet decoded."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of every field called ``name`` (lower case)."""
        return tuple(value for field, value in self.fields if field == name)

    def first(self, name: str) -> str | None:
        """Return the value of the first field called ``name``, or None."""
        return next((value for field, value in self.fields if field == name), None)

    def has(self, name: str) -> bool:
        """Say whether there is a field called ``name``."""
        return self.first(name) is not None


def read(block: bytes, charset: str | None = None) -> Headers:
    """Read a header block; raw 8-bit values are taken as UTF-8, else as ``charset``, else as windows-1252."""
    fields: list[tuple[str, list[bytes]]] = []
    for line in block.split(b"\n"):
        bare = line.rstrip(b"\r")
        if bare[:1] in {b" ", b"\t"}:
            if fields:
                fields[-1][1].append(bare)
        elif (found := _FIELD.fullmatch(bare)) is not None:
            if len(fields) == FIELDS:
                break
            fields.append((found[1].decode("ascii").lower(), [found[2]]))
    return Headers(tuple((name, decode(_join(parts), charset).strip()) for name, parts in fields))


def _join(parts: list[bytes]) -> bytes:
    return b"".join(parts)[:VALUE]


def words(value: str) -> str:
    """Decode the encoded words of a value (RFC 2047) and return one clean line."""
    return one_line("".join(_decoded(value[:VALUE])))


def _decoded(value: str) -> Iterator[str]:
    """Yield the decoded pieces; neighbours in one charset are joined first: many programs split characters."""
    held, held_charset, at = b"", "", 0
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        charset = match[1].partition("*")[0].lower()
        if held and (between.strip() or charset != held_charset):
            yield decode(held, held_charset)
            held = b""
        if between.strip() or at == 0:
            yield between
        held += _word_bytes(match[2], match[3])
        held_charset, at = charset, match.end()
    if held:
        yield decode(held, held_charset)
    yield value[at:]


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return _Q_BYTE.sub(lambda hexed: bytes.fromhex(hexed[1].decode()), raw.replace(b"_", b" "))
    return base64_bytes(raw)


def base64_bytes(raw: bytes) -> bytes:
    """Decode Base64 that may lack its padding or hold foreign characters; what cannot be decoded is left out."""
    try:
        return binascii.a2b_base64(raw + b"==")
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        return binascii.a2b_base64(kept[: len(kept) - len(kept) % 4] + b"")


def ids(value: str | None, limit: int = 100) -> tuple[str, ...]:
    """Return the message ids of a value without brackets; beyond ``limit`` the first and the last ones."""
    if not value:
        return ()
    found = _ID.findall(value) or [token for token in value.replace("<", " ").replace(">", " ").split() if "@" in token]
    clean = [one_line(each, 990) for each in found]
    return tuple(clean if len(clean) <= limit else [clean[0], *clean[1 - limit :]])


def own_id(value: str | None) -> str | None:
    """Return the mail's own Message-ID without brackets, or None; a malformed one is kept as it stands (M8)."""
    if not value:
        return None
    found = _ID.search(value)
    return one_line(found[1] if found else value.strip("<> \t"), 990).replace(" ", "") or None


def moment(value: str | None) -> datetime | None:
    """Return the time of a Date field in UTC, or None where it cannot be read."""
    try:
        read_time = parsedate_to_datetime((value or "")[:100])
        return (read_time if read_time.tzinfo else read_time.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
