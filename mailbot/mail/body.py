"""The body of a message: which parts are its text and which are attachments (RFC 2046, RFC 3676)."""

from __future__ import annotations

import re

from mailbot.mail import headers, html
from mailbot.mail.charsets import decode, normalize_lines
from mailbot.mail.mime import Part, clean_name
from mailbot.model import Attachment, Table, Value

MAX_CHARACTERS = 200_000
"""The maximum number of characters of body text that are read, cut at the end of a line."""


class Segment(Value, frozen=True):
    """A section of the body as text, as HTML, or as both."""

    plain: str = ""
    html: str = ""


class Body(Value, frozen=True):
    """The body text, the tables in it, and all other parts as attachments."""

    text: str
    tables: tuple[Table, ...]
    attachments: tuple[Attachment, ...]


def read_body(root: Part) -> Body:
    """Read the body. If there is a text part, it alone counts, unless it is blank."""
    attachments: list[Attachment] = []
    texts: list[str] = []
    tables: list[Table] = []
    plain_seen = False
    for segment in _segments(root, attachments, root):
        if segment.plain.strip():
            texts.append(segment.plain)
            plain_seen = True
        elif segment.html and not plain_seen:
            page = html.read_html(segment.html)
            texts.append(page.text)
            tables.extend(page.tables)
    text = _truncate("\n\n".join(text.strip("\n") for text in texts if text.strip()))
    return Body(text, tuple(tables), tuple(attachments))


def _truncate(text: str) -> str:
    """Return at most ``MAX_CHARACTERS`` characters of a text, cut between two lines if possible."""
    return text if len(text) <= MAX_CHARACTERS else text[: max(text.rfind("\n", 0, MAX_CHARACTERS), 0) or MAX_CHARACTERS]


def _segments(part: Part, attachments: list[Attachment], root: Part) -> list[Segment]:
    if part.children and not part.kind.startswith("message/"):
        return _multipart_segments(part, attachments, root)
    has_file_name = part.name != "" and part is not root
    if has_file_name or part.disposition == "attachment" or part.kind not in {"text/plain", "text/html"}:
        attachments.append(_attachment(part))
        return []
    content, charset = part.content[: 4 * MAX_CHARACTERS], part.parameter("charset")
    if part.kind == "text/html":
        return [Segment(html=decode(content, charset)[: html.MAX_CHARACTERS])]
    text = normalize_lines(_truncate(decode(content, charset)))
    if _IS_PAGE.match(text):
        return [Segment(html=text[: html.MAX_CHARACTERS])]
    if part.parameter("format").lower() == "flowed":
        text = unflow(text, delsp=part.parameter("delsp").lower() == "yes")
    return [Segment(plain=text)]


_IS_PAGE = re.compile(r"\s{0,100}<(?:!doctype html|html|body|p|div|table)\b", re.IGNORECASE)
"""The beginning of HTML that is sent as plain text."""


def _multipart_segments(part: Part, attachments: list[Attachment], root: Part) -> list[Segment]:
    branches = [_segments(child, attachments, root) for child in part.children]
    if part.kind != "multipart/alternative":
        return [segment for branch in branches for segment in branch]
    # The richest alternative is the last one (RFC 2046 §5.1.4); several may have the same text.
    plain = next((joined for branch in branches if (joined := _join(branch, "plain")).strip()), "")
    rich = next((joined for branch in reversed(branches) if (joined := _join(branch, "html")).strip()), "")
    return [Segment(plain=plain, html=rich)]


def _join(branch: list[Segment], which: str) -> str:
    return "\n".join(getattr(segment, which) for segment in branch)


def _attachment(part: Part) -> Attachment:
    name = part.name
    if not name and part.children and part.kind.startswith("message/"):
        name = (
            clean_name(headers.decode_words(part.children[0].headers.first("subject") or "").replace("/", "_") or "mail") + ".eml"
        )
    if not name:
        name = "unnamed"
    return Attachment(name=name, media_type=part.kind, content=part.content)


def unflow(text: str, *, delsp: bool) -> str:
    """Join the soft line breaks of format=flowed; lines of different quote depths are never joined (RFC 3676 §4)."""
    out: list[str] = []
    pending: list[str] = []
    pending_depth = 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing (RFC 3676 §4.4)
        if pending and depth != pending_depth:
            out.append(_quote("".join(pending), pending_depth))
            pending = []
        pending_depth = depth
        if content.endswith(" ") and content != "-- ":
            pending.append(content[:-1] if delsp else content)
            continue
        if content == "-- " and pending:
            out.append(_quote("".join(pending), depth))
            pending = []
        out.append(_quote("".join(pending) + content, depth))
        pending = []
    if pending:
        out.append(_quote("".join(pending), pending_depth))
    return "\n".join(out)


def _quote(text: str, depth: int) -> str:
    return f"{'>' * depth} {text}" if depth else text
