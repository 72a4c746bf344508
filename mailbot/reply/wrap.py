"""Wrapping of plain text: lines of at most 76 columns, single blank lines, no trailing spaces.

RFC 5322 §2.1.1 recommends lines of at most 78 characters; two columns are left for the quote prefix of a reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

COLUMNS = 76

# Chinese and Japanese are written without spaces: a line may end after any character, but closing punctuation stays with the
# character before it, and an opening bracket with the one after it.
_IDEOGRAPH = r"\u2e80-\u2fff\u3003-\u3007\u3012-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_OPENING = r"\u3008\u300a\u300c\u300e\u3010\uff08\u201c"
_CLOSING = r"\u3001\u3002\u3009\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\u201d"
_CHUNK = re.compile(rf"[{_OPENING}]*[{_IDEOGRAPH}][{_CLOSING}]*|[{_OPENING}]+|[^{_IDEOGRAPH}{_OPENING}]+")
_MARGIN = re.compile(r"( *(?:\| ?)?)(- )?")


def wrap(text: str) -> str:
    """Return the text with each line wrapped separately, with its margin (indent, "| " or "- "), and one newline at the end.

    Words longer than a line are cut, except URLs. Several blank lines become one.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip():
            lines.extend(_wrap(line.rstrip()))
        elif lines and lines[-1]:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _wrap(line: str) -> Iterator[str]:
    margin = _MARGIN.match(line)
    indent, bullet = (margin[1], margin[2] or "") if margin else ("", "")
    if line.isascii() and len(line) <= COLUMNS:  # it fits without measuring
        yield (indent + bullet + " ".join(line[len(indent) + len(bullet) :].split())).rstrip()
        return
    room = COLUMNS - len(indent) - len(bullet)
    start, current, used = indent + bullet, "", 0
    for space, chunk in _chunks(line[len(start) :], room):
        width = _columns(chunk)
        if current and used + len(space) + width > room:
            yield (start + current).rstrip()
            start, current, used = indent + " " * len(bullet), "", 0
        glue = space if current else ""
        current, used = current + glue + chunk, used + len(glue) + width
    yield (start + current).rstrip()


def _chunks(line: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield the pieces that a line may be broken between, each with the space before it."""
    for word in line.split():
        glue = " "
        if len(word) <= room and word.isascii():
            yield glue, word
            continue
        for chunk in _CHUNK.findall(word):
            step = len(chunk) if "://" in chunk or chunk.startswith("mailto:") else room
            for start in range(0, len(chunk), step):
                yield glue, chunk[start : start + step]
                glue = ""


def _columns(text: str) -> int:
    """Return the columns in a fixed-width font: two for a wide character, none for a combining mark (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(char) in "WF" else 0 if combining(char) else 1 for char in text)
