"""The MIME tree of a message (RFC 2045, RFC 2046), parsed from the raw bytes within fixed limits.

The parser searches for boundaries and does not iterate over lines: the cost of a 40 MB message depends on the number of
its parts, not of its lines. Nothing is copied until a part's content is requested.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from email.message import Message as StdMessage
from functools import lru_cache

from mailbot.mail import headers
from mailbot.mail.charsets import codec, one_line
from mailbot.mail.headers import Headers, base64_bytes
from mailbot.model import Value

MAX_DEPTH = 20
MAX_PARTS = 1000
MAX_HEADER = 1_000_000
"""Limits: nesting depth, parts of one message, and bytes of one header."""

MAX_PARAMETERS = 64
"""The maximum number of parameters read from one Content-Type or Content-Disposition."""

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_BOUNDARY_REST = re.compile(rb"(--)?[ \t]*\r?(?=\n|\Z)")
"""The rest of a boundary line. One pattern per boundary would have to be compiled for each message."""

_MAX_EXTENSION = 10
_UNSAFE_CHARACTERS = re.compile(r'[/\\<>|?*"]')


class UnreadableError(Exception):
    """The message cannot be processed and needs a person. ``reason`` says why, without quoting the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Part(Value, frozen=True):
    """One part: its header, its encoded body, and its child parts. ``kind`` is type/subtype in lowercase."""

    headers: Headers
    kind: str
    body: bytes
    children: tuple[Part, ...] = ()
    name: str = ""
    disposition: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The body, decoded from its transfer encoding (RFC 2045 §6)."""
        encoding = (self.headers.first("content-transfer-encoding") or "").partition(";")[0].strip().lower()
        if encoding == "base64":
            return base64_bytes(self.body)
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        return self.body

    def parameter(self, name: str) -> str:
        """Return a parameter of the Content-Type, or an empty string."""
        return next((value for key, value in self.parameters if key == name), "")

    def walk(self) -> Iterator[Part]:
        """Yield this part and all parts within it, without entering attached messages."""
        yield self
        if not self.kind.startswith("message/"):
            for child in self.children:
                yield from child.walk()


def parse_parts(raw: bytes) -> Part:
    """Parse a message into its parts.

    Raises:
        UnreadableError: more than ``MAX_DEPTH`` levels, ``MAX_PARTS`` parts, or ``MAX_HEADER`` bytes of header.
    """
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # line endings of CR only
    return _PartParser().part(raw, "text/plain", 1)


class _PartParser:
    def __init__(self) -> None:
        self.parts = 0

    def part(self, raw: bytes, default: str, depth: int) -> Part:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise UnreadableError(f"more than {MAX_PARTS} parts")
        if depth > MAX_DEPTH:
            raise UnreadableError(f"parts nested deeper than {MAX_DEPTH}")
        block, body = split_header(raw)
        header = headers.parse_headers(block)
        fields = _parse_content_fields(header.first("content-type") or default, header.first("content-disposition") or "")
        if not block.isascii():
            header = headers.parse_headers(block, dict(fields.parameters).get("charset"))
        kind = fields.kind if header.has("content-type") else default
        children: tuple[Part, ...] = ()
        if kind.startswith("multipart/"):
            default_kind = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            children = tuple(self.part(part, default_kind, depth + 1) for part in self.split_body(body, fields.boundary))
            if not children:
                kind = "text/plain"  # violates RFC 2046 §5.1: the body is the only content
        elif kind in {"message/rfc822", "message/global"} and not _is_encoded(header):
            children = (self.part(body, "text/plain", depth + 1),)
        return Part(
            headers=header,
            kind=kind,
            body=body,
            children=children,
            name=fields.name,
            disposition=fields.disposition,
            parameters=fields.parameters,
        )

    def split_body(self, body: bytes, boundary: str) -> Iterator[bytes]:
        if not boundary:
            return
        delimiter = b"\n--" + boundary.encode("utf-8", "replace")
        text = b"\n" + body
        start: int | None = None
        at = text.find(delimiter)
        while at >= 0:
            found = _BOUNDARY_REST.match(text, at + len(delimiter))
            if found is not None:
                if start is not None:
                    yield body[start : max(start, at - 1)].removesuffix(b"\r")
                start = found.end()
                if found[1]:
                    return
            at = text.find(delimiter, found.end() if found is not None else at + 1)
        if start is not None:
            yield body[start:]


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    """Split a message or part at its first blank line.

    Raises:
        UnreadableError: the header has more than ``MAX_HEADER`` bytes.
    """
    found = _BLANK_LINE.search(raw, 0, MAX_HEADER)
    if found is not None:
        return raw[: found.start()], raw[found.end() :]
    if len(raw) > MAX_HEADER:
        raise UnreadableError(f"a header of more than {MAX_HEADER} bytes")
    return raw, b""


class _ContentFields(Value, frozen=True):
    """The content of the Content-Type and Content-Disposition fields of a part."""

    kind: str
    boundary: str
    name: str
    disposition: str
    parameters: tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)  # most parts have the same fields
def _parse_content_fields(content_type: str, content_disposition: str) -> _ContentFields:
    """Parse the parameters of the two fields (RFC 2231) with the standard library, limited to a safe length."""
    fields = StdMessage()
    for name, value in (("content-type", content_type), ("content-disposition", content_disposition)):
        fields[name] = ";".join(value.split(";")[: MAX_PARAMETERS + 1])
    return _ContentFields(
        kind=fields.get_content_type(),
        boundary=_as_text(fields.get_boundary("")),
        name=_file_name(fields),
        disposition=(fields.get_content_disposition() or "").lower(),
        parameters=tuple(_parameters(fields).items()),
    )


def _parameters(fields: StdMessage) -> dict[str, str]:
    """Return the parameters of the Content-Type; of several with one name, the first."""
    found: dict[str, str] = {}
    pairs: Iterable[tuple[str, object]] = fields.get_params([])
    for name, value in pairs:
        found.setdefault(name.lower(), _as_text(value[2] if isinstance(value, tuple) else value).strip())
    return found


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_encoded(header: Headers) -> bool:
    return (header.first("content-transfer-encoding") or "").strip().lower() in {"base64", "quoted-printable"}


def _file_name(fields: StdMessage) -> str:
    for field, key in (("content-disposition", "filename"), ("content-type", "name")):
        value = fields.get_param(key, "", field)
        if isinstance(value, tuple):
            value = value[2].encode("latin-1", "replace").decode(codec(value[0]) or "utf-8", "replace")
        if value:
            return clean_name(headers.decode_words(str(value)))
    return ""


def clean_name(name: str, limit: int = 120) -> str:
    """Return the last component of a file name, safe to display, with at most ``limit`` characters."""
    last = _UNSAFE_CHARACTERS.sub("_", re.split(r"[/\\]", one_line(name))[-1]).strip(". ")
    stem, dot, extension = last.rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION:
        return last[:limit]
    return f"{stem[: limit - len(extension) - 1]}.{extension}"
