"""The header fields of a message or a part: located, unfolded, decoded, and split into their layers, within fixed limits.

The standard library's header parser takes super-linear time on hostile input and raises on some of it; this one reads
each byte once and never raises. See RFC 5322 §2.2 and RFC 2047.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from mailbot.mail.charsets import decode, one_line
from mailbot.model import Value

Layer = Literal["plain", "quoted", "comment"]

MAX_FIELDS = 2000
"""The maximum number of fields read from one header: more than ten times what real email has."""

MAX_VALUE = 16_384
"""The maximum number of characters read from one field; longer values are cut."""

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?\r\n]*)\?=")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,990})>")
_QUOTED_BYTE = re.compile(rb"=([0-9A-Fa-f]{2})")


class Headers(Value, frozen=True):
    """Header fields in order: names in lowercase, values unfolded but not yet decoded."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of all fields called ``name`` (lowercase)."""
        return tuple(value for field, value in self.fields if field == name)

    def first(self, name: str) -> str | None:
        """Return the value of the first field called ``name`` (lowercase), or None."""
        return next((value for field, value in self.fields if field == name), None)

    def has(self, name: str) -> bool:
        """Return whether there is a field called ``name`` (lowercase)."""
        return self.first(name) is not None


def parse_headers(block: bytes, charset: str | None = None) -> Headers:
    """Parse a header block; raw 8-bit values are read as UTF-8, else as ``charset``, else as windows-1252."""
    fields: list[tuple[str, list[bytes]]] = []
    for line in block.split(b"\n"):
        bare = line.rstrip(b"\r")
        if bare[:1] in {b" ", b"\t"}:
            if fields:
                fields[-1][1].append(bare)
        elif (found := _FIELD.fullmatch(bare)) is not None:
            if len(fields) == MAX_FIELDS:
                break
            fields.append((found[1].decode("ascii").lower(), [found[2]]))
    return Headers(tuple((name, decode(b"".join(parts)[:MAX_VALUE], charset).strip()) for name, parts in fields))


def split_field(value: str) -> Iterator[tuple[str, Layer]]:
    """Yield each character of a structured field with its layer (RFC 5322 §3.2).

    Quotes, backslashes, and outer parentheses are omitted. Comments may be nested to any depth.
    """
    quoted = escaped = False
    depth = 0
    for char in value:
        layer: Layer = "comment" if depth else "quoted" if quoted else "plain"
        if escaped:
            escaped = False
            yield char, layer
        elif char == "\\" and layer != "plain":
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char in "()" and not quoted:
            depth = depth + 1 if char == "(" else max(0, depth - 1)
        else:
            yield char, layer


def without_comments(value: str) -> str:
    """Return a field without its comments."""
    return "".join(char for char, layer in split_field(value) if layer != "comment")


def decode_words(value: str) -> str:
    """Decode the encoded words of a value (RFC 2047) and return one clean line."""
    return one_line("".join(_decoded_pieces(value[:MAX_VALUE])))


def _decoded_pieces(value: str) -> Iterator[str]:
    """Yield the decoded pieces. Adjacent words in one charset are joined first: many programs split characters."""
    pending, pending_charset, at = b"", "", 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[at : match.start()]
        charset = match[1].partition("*")[0].lower()
        if pending and (between.strip() or charset != pending_charset):
            yield decode(pending, pending_charset)
            pending = b""
        if between.strip() or at == 0:
            yield between
        pending += _word_bytes(match[2], match[3])
        pending_charset, at = charset, match.end()
    if pending:
        yield decode(pending, pending_charset)
    yield value[at:]


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return _QUOTED_BYTE.sub(lambda digits: bytes.fromhex(digits[1].decode()), raw.replace(b"_", b" "))
    return base64_bytes(raw)


def base64_bytes(raw: bytes) -> bytes:
    """Decode Base64 that may lack padding or contain invalid characters; anything undecodable is dropped."""
    try:
        return binascii.a2b_base64(raw + b"==")
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        return binascii.a2b_base64(kept[: len(kept) - len(kept) % 4])


def message_ids(value: str | None, limit: int = 100) -> tuple[str, ...]:
    """Return the message ids of a value without brackets; beyond ``limit``, the first and the last ones."""
    if not value:
        return ()
    found = _MESSAGE_ID.findall(value) or [token for token in value.replace("<", " ").replace(">", " ").split() if "@" in token]
    clean = [one_line(each, 990) for each in found]
    return tuple(clean if len(clean) <= limit else [clean[0], *clean[1 - limit :]])


def message_id(value: str | None) -> str | None:
    """Return the Message-ID of the message without brackets, or None; a malformed one is kept as it is."""
    if not value:
        return None
    found = _MESSAGE_ID.search(value)
    return one_line(found[1] if found else value.strip("<> \t"), 990).replace(" ", "") or None


def parse_date(value: str | None) -> datetime | None:
    """Return the date of a Date field in UTC, or None if it cannot be parsed."""
    try:
        date = parsedate_to_datetime((value or "")[:100])
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
