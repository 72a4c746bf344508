"""The body of a mail: which parts are text, which are attachments (RFC 2046, RFC 3676)."""

from __future__ import annotations

from mailbot.mail import headers, html
from mailbot.mail.charsets import decode, lines
from mailbot.mail.mime import Part, clean_name
from mailbot.model import Attachment, Table, Value

MOST = 200_000
"""Characters of body text that are read, up to the end of a line; what lies beyond is no letter any more (R4)."""


class Segment(Value, frozen=True):
    """A stretch of the body, as text, as HTML, or as both."""

    plain: str = ""
    html: str = ""


class Body(Value, frozen=True):
    """The body's text, the tables that stand in it, and everything else as attachments."""

    text: str
    tables: tuple[Table, ...]
    attachments: tuple[Attachment, ...]


def read(root: Part) -> Body:
    """Read the body. Where a text part stands it alone counts, unless it is blank (M6)."""
    attachments: list[Attachment] = []
    texts: list[str] = []
    tables: list[Table] = []
    plain_seen = False
    for segment in _segments(root, attachments, root):
        if segment.plain.strip():
            texts.append(segment.plain)
            plain_seen = True
        elif segment.html and not plain_seen:
            page = html.read(segment.html)
            texts.append(page.text)
            tables.extend(page.tables)
    text = _beginning("\n\n".join(text.strip("\n") for text in texts if text.strip()))
    return Body(text, tuple(tables), tuple(attachments))


def _beginning(text: str) -> str:
    """A text of at most ``MOST`` characters, cut between two lines where it has any."""
    return text if len(text) <= MOST else text[: max(text.rfind("\n", 0, MOST), 0) or MOST]


def _segments(part: Part, attachments: list[Attachment], root: Part) -> list[Segment]:
    if part.children and not part.kind.startswith("message/"):
        return _within(part, attachments, root)
    named = part.name != "" and part is not root
    if named or part.disposition == "attachment" or part.kind not in {"text/plain", "text/html"}:
        attachments.append(_attachment(part))
        return []
    content = part.content[: 4 * MOST]
    if part.kind == "text/html":
        return [Segment(html=decode(content, part.charset)[: html.MOST])]
    text = lines(_beginning(decode(content, part.charset)))
    return [Segment(plain=unflow(text, delsp=part.parameter("delsp").lower() == "yes") if _flows(part) else text)]


def _within(part: Part, attachments: list[Attachment], root: Part) -> list[Segment]:
    branches = [_segments(child, attachments, root) for child in part.children]
    if part.kind != "multipart/alternative":
        return [segment for branch in branches for segment in branch]
    # The richest alternative comes last (RFC 2046 §5.1.4); several may carry the same text.
    plain = next((joined for branch in branches if (joined := _join(branch, "plain")).strip()), "")
    rich = next((joined for branch in reversed(branches) if (joined := _join(branch, "html")).strip()), "")
    return [Segment(plain=plain, html=rich)]


def _join(branch: list[Segment], which: str) -> str:
    return "\n".join(getattr(segment, which) for segment in branch)


def _flows(part: Part) -> bool:
    return part.parameter("format").lower() == "flowed"


def _attachment(part: Part) -> Attachment:
    name = part.name
    if not name and part.children and part.kind.startswith("message/"):
        name = (
            clean_name(headers.words(part.children[0].headers.first("subject") or "").replace("/", "_") or "mail")
            + ".eml"
        )
    if not name:
        name = "unnamed"
    return Attachment(name=name, media_type=part.kind, content=part.content)


def unflow(text: str, *, delsp: bool) -> str:
    """Join the soft line breaks of format=flowed; quotation depths never mix (RFC 3676 §4)."""
    out: list[str] = []
    held: list[str] = []
    held_depth = 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing
        if held and depth != held_depth:
            out.append(_quoted("".join(held), held_depth))
            held = []
        held_depth = depth
        if content.endswith(" ") and content != "-- ":
            held.append(content[:-1] if delsp else content)
            continue
        if content == "-- " and held:
            out.append(_quoted("".join(held), depth))
            held = []
        out.append(_quoted("".join(held) + content, depth))
        held = []
    if held:
        out.append(_quoted("".join(held), held_depth))
    return "\n".join(out)


def _quoted(text: str, depth: int) -> str:
    return f"{'>' * depth} {text}" if depth else text
