"""The MIME tree of a mail (RFC 2045, RFC 2046), cut out of the raw bytes within fixed bounds.

Boundaries are searched, lines are not walked: a 40 MB mail costs as much as its parts, not as its lines. Nothing is
copied before a part's content is asked for.
"""

from __future__ import annotations

import quopri
import re
from email.message import Message as StdMessage
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.mail import headers
from mailbot.mail.charsets import codec, one_line
from mailbot.mail.headers import Headers, base64_bytes
from mailbot.model import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPTH = 20
PARTS = 1000
HEADER = 1_000_000
"""Bounds: nesting, parts of a mail, bytes of one header (M1, M2)."""

PARAMETERS = 64
"""Parameters read of a Content-Type or Content-Disposition (M4), in as many characters as a field may have."""

_BLANK = re.compile(rb"(?:\A|\n)\r?\n")
_BEHIND = re.compile(rb"(--)?[ \t]*\r?(?=\n|\Z)")
"""What may follow a boundary on its line; a pattern for each boundary would have to be compiled for each mail."""

_EXTENSION = 10
_NAME_JUNK = re.compile(r'[/\\<>|?*"]')


class UnreadableError(Exception):
    """The mail cannot be processed and goes to a person. ``reason`` says why, without its content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Part(Value, frozen=True):
    """One part: header, body still encoded, parts within. ``kind`` is type/subtype in lower case."""

    headers: Headers
    kind: str
    body: bytes
    children: tuple[Part, ...] = ()
    charset: str | None = None
    name: str = ""
    disposition: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The body decoded from its transfer encoding (RFC 2045 §6)."""
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
        """Yield this part and those within, not entering attached mails."""
        yield self
        if not self.kind.startswith("message/"):
            for child in self.children:
                yield from child.walk()


def cut(raw: bytes) -> Part:
    """Cut a mail into its parts.

    Raises:
        Unreadable: more than ``DEPTH`` levels, ``PARTS`` parts or ``HEADER`` bytes of header.
    """
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # M8: line ends of CR alone
    return _Cutter().part(raw, "text/plain", 1)


class _Cutter:
    def __init__(self) -> None:
        self.parts = 0

    def part(self, raw: bytes, default: str, depth: int) -> Part:
        self.parts += 1
        if self.parts > PARTS:
            raise UnreadableError(f"more than {PARTS} parts")
        if depth > DEPTH:
            raise UnreadableError(f"parts nested deeper than {DEPTH}")
        block, body = split_header(raw)
        head = headers.read(block)
        about = _about(head.first("content-type") or default, head.first("content-disposition") or "")
        named = dict(about.parameters)
        if not block.isascii():
            head = headers.read(block, named.get("charset"))
        kind = about.kind if head.has("content-type") else default
        children: tuple[Part, ...] = ()
        boundary = about.boundary
        if kind.startswith("multipart/"):
            within = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            children = tuple(self.part(piece, within, depth + 1) for piece in self.pieces(body, boundary))
            if not children:
                kind = "text/plain"  # RFC 2046 §5.1 broken: what stands there is all there is
        elif kind in {"message/rfc822", "message/global"} and not _encoded(head):
            children = (self.part(body, "text/plain", depth + 1),)
        return Part(
            headers=head,
            kind=kind,
            body=body,
            children=children,
            charset=named.get("charset") or None,
            name=about.name,
            disposition=about.disposition,
            parameters=about.parameters,
        )

    def pieces(self, body: bytes, boundary: str) -> Iterator[bytes]:
        if not boundary:
            return
        line = b"\n--" + boundary.encode("utf-8", "replace")
        text = b"\n" + body
        start: int | None = None
        at = text.find(line)
        while at >= 0:
            found = _BEHIND.match(text, at + len(line))
            if found is not None:
                if start is not None:
                    yield body[start : max(start, at - 1)].removesuffix(b"\r")
                start = found.end()
                if found[1]:
                    return
            at = text.find(line, found.end() if found is not None else at + 1)
        if start is not None:
            yield body[start:]


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    """Split a mail or part at its first blank line.

    Raises:
        Unreadable: a header of more than ``HEADER`` bytes.
    """
    found = _BLANK.search(raw, 0, HEADER)
    if found is not None:
        return raw[: found.start()], raw[found.end() :]
    if len(raw) > HEADER:
        raise UnreadableError(f"a header of more than {HEADER} bytes")
    return raw, b""


class _About(Value, frozen=True):
    """What the two fields say of a part."""

    kind: str
    boundary: str
    name: str
    disposition: str
    parameters: tuple[tuple[str, str], ...]


def _about(content_type: str, content_disposition: str) -> _About:
    """Read the two fields; what is short is remembered, for most parts say the same."""
    known = len(content_type) + len(content_disposition) <= _REMEMBERED
    return _remembered(content_type, content_disposition) if known else _said(content_type, content_disposition)


_REMEMBERED = 200


def _said(content_type: str, content_disposition: str) -> _About:
    """Let the standard library read the parameters (RFC 2231) of the two fields, cut to a harmless length."""
    about = StdMessage()
    for name, value in (("content-type", content_type), ("content-disposition", content_disposition)):
        about[name] = ";".join(value.split(";")[: PARAMETERS + 1])
    return _About(
        kind=about.get_content_type(),
        boundary=_text(about.get_boundary("")),
        name=_file_name(about),
        disposition=(about.get_content_disposition() or "").lower(),
        parameters=tuple(_parameters(about).items()),
    )


_remembered = lru_cache(maxsize=256)(_said)


def _parameters(about: StdMessage) -> dict[str, str]:
    """The parameters of the Content-Type; of several with one name the first."""
    found: dict[str, str] = {}
    pairs: Iterable[tuple[str, object]] = about.get_params([])
    for name, value in pairs:
        found.setdefault(name.lower(), _text(value[2] if isinstance(value, tuple) else value).strip())
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _encoded(head: Headers) -> bool:
    return (head.first("content-transfer-encoding") or "").strip().lower() in {"base64", "quoted-printable"}


def _file_name(about: StdMessage) -> str:
    for field, key in (("content-disposition", "filename"), ("content-type", "name")):
        value = about.get_param(key, "", field)
        if isinstance(value, tuple):
            value = value[2].encode("latin-1", "replace").decode(codec(value[0]) or "utf-8", "replace")
        if value:
            return clean_name(headers.words(str(value)))
    return ""


def clean_name(name: str, limit: int = 120) -> str:
    """Return the last component of a file name, harmless, at most ``limit`` characters (T1, U3)."""
    last = _NAME_JUNK.sub("_", re.split(r"[/\\]", one_line(name))[-1]).strip(". ")
    stem, dot, end = last.rpartition(".")
    if not dot or len(end) > _EXTENSION:
        return last[:limit]
    return f"{stem[: limit - len(end) - 1]}.{end}"
