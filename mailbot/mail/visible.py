"""What the sender wrote now, apart from what is quoted, passed on, or added by the program below it.

A body is walked once, line by line. A ``>`` line is quoted where it stands, so that answers between quoted lines stay
the sender's own; a dividing line ("-----Original Message-----", a header block, "Kim wrote:" above text without ``>``)
ends the new text for good.
"""

from __future__ import annotations

import re
from typing import Literal

from mailbot.mail import phrases
from mailbot.model import Value

LINES = 10_000
"""Lines that are looked at; nobody types more, what follows counts as quoted."""

LONGEST = 300
"""Characters of the longest line that may be a mark of a mail program."""

_BLOCK = 12
"""Lines within which a header block shows its labels."""

_SHORT = 100
"""Characters of the longest line that a phone adds."""

_SIGNATURE = 15
"""Lines of the longest signature below a bare ``--``."""


class Visible(Value, frozen=True):
    """The new text, the quoted rest, and whether the mail passes another one on."""

    visible: str
    quoted: str = ""
    forwarded: bool = False


def _any(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


_TITLE = re.compile(
    rf"(?P<dashes>[{phrases.DASHES}\s]{{0,60}}+)(?:(?P<original>{_any(phrases.ORIGINAL)})|(?P<forwarded>{_any(phrases.FORWARDED)}))"
    r"(?P<tail>[^\n]{0,80})",
    re.IGNORECASE,
)
_ABOVE = re.compile(_any(phrases.ABOVE_THIS_LINE), re.IGNORECASE)
_LABEL = re.compile(
    rf"[*_\s]{{0,3}}(?:(?P<sender>{_any(phrases.FROM)})|(?P<sent>{_any(phrases.SENT)})|(?P<to>{_any(phrases.TO)})"
    rf"|(?P<subject>{_any(phrases.SUBJECT)}))[*_]{{0,2}}\s?[{phrases.COLONS}]",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"\s*[*_]?(?:sent|gesendet|envoyé|enviad[oa]|inviato|verzonden|wysłano|送信日時|发送时间|보낸 날짜)", re.IGNORECASE
)
_WROTE = re.compile(rf"(?:{_any(phrases.WROTE)})(?P<who>[^\n]{{0,120}})[{phrases.COLONS}]\s*$", re.IGNORECASE)
_BEGINS = re.compile(rf"(?:{_any(phrases.BEGINS)}|\d|[\"“<*\[])", re.IGNORECASE)
_DATED = re.compile(r"@|\b\d{1,2}[:.h]\d{2}\b|(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_ADDRESS_ENDS = re.compile(rf"<[^<>\s]{{1,200}}@[^<>\s]{{1,200}}>\s*[{phrases.COLONS}]$")
_RULE = re.compile(r"[_\-=*—]{10,}")
_SENT_FROM = re.compile(_any(phrases.SENT_FROM), re.IGNORECASE)
_DEVICE = re.compile(_any(phrases.DEVICES), re.IGNORECASE)
_FORWARD_SUBJECT = re.compile(rf"\s*\[?(?:{_any(phrases.FORWARD_PREFIXES)})\s?[{phrases.COLONS}]", re.IGNORECASE)

_Mark = Literal["original", "forwarded", "block", "attribution", "above"]


def split(text: str, subject: str = "") -> Visible:
    """Split a body into what is new and what is quoted.

    Args:
        text: the body, line ends LF.
        subject: the mail's subject; ``FW:`` before it makes an original message one that is passed on.
    """
    lines = text.split("\n")
    own: list[str] = []
    quoted: list[str] = []
    forwarded = False
    at = 0
    while at < min(len(lines), LINES):
        line = lines[at]
        bare = line.strip()
        if bare.startswith(phrases.QUOTES):
            quoted.append(line)
            own.append("")
        elif bare and len(bare) <= LONGEST and (found := _mark(lines, at, bare)) is not None:
            mark, length = found
            follows = next((each.strip() for each in lines[at + length : at + length + 3] if each.strip()), "")
            if mark == "above" and not _content(own):
                pass  # a ticket system's own mail begins with its line
            elif mark == "attribution" and follows[:1] == ">":
                quoted.extend(lines[at : at + length])
                own.append("")
            else:
                own, forwarded = _cut(own, mark)
                quoted.extend(_bare(line) if mark == "forwarded" else line for line in lines[at:])
                break
            at += length - 1
        else:
            own.append(line)
        at += 1
    else:
        quoted.extend(lines[LINES:])
    rest = "\n".join(quoted).strip("\n")
    passed_on = bool(rest) and _FORWARD_SUBJECT.match(subject) is not None
    return Visible(_content(_unsigned(own)), rest, forwarded or passed_on)


def _cut(own: list[str], mark: _Mark) -> tuple[list[str], bool]:
    """End the new text here; a mark with nothing of the sender's own above it passes a mail on."""
    own = own.copy()
    while own and (not own[-1].strip() or _RULE.fullmatch(own[-1].strip())):
        own.pop()
    alone = not _content(_unsigned(own))
    return own, mark == "forwarded" or (mark in {"original", "block"} and alone)


def _bare(line: str) -> str:
    return line.removeprefix("> ").removeprefix(">") if line.startswith(">") else line


def _content(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n").strip()


def _mark(lines: list[str], at: int, bare: str) -> tuple[_Mark, int] | None:
    """Name the mark that begins at this line, and how many lines it takes."""
    title = _TITLE.match(bare)
    if title is not None:
        tail = title["tail"].strip()
        dashed = len(title["dashes"].strip()) > 1
        if (dashed and (not tail.strip(f"{phrases.DASHES}: ") or title["forwarded"])) or (
            tail in set(phrases.COLONS) and title["forwarded"]
        ):
            return ("forwarded" if title["forwarded"] else "original"), 1
    if _ABOVE.search(bare):
        return "above", 1
    if _opens_block(lines, at, bare):
        return "block", 1
    length = _attribution(lines, at, bare)
    return ("attribution", length) if length else None


def _opens_block(lines: list[str], at: int, bare: str) -> bool:
    """Say whether a header block begins here: From, then two of Sent, To, Subject, and an address or a Sent."""
    first = _LABEL.match(bare)
    if first is None or first["sender"] is None:
        return False
    seen: set[str] = set()
    proven = "@" in bare
    for line in lines[at + 1 : at + _BLOCK]:
        label = _LABEL.match(line[:LONGEST])
        if label is not None and label.lastgroup is not None:
            seen.add(label.lastgroup)
            proven = proven or "@" in line or _SENT.match(line) is not None
    return proven and len(seen - {"sender"}) > 1


def _attribution(lines: list[str], at: int, bare: str) -> int:
    """Return how many lines an attribution takes that begins here; 0 where none does."""
    joined = bare
    most = 3 if _BEGINS.match(bare) else 1
    for length in range(1, most + 1):
        if length > 1:
            more = lines[at + length - 1].strip() if at + length - 1 < len(lines) else ""
            if not more or more[0] == ">":
                return 0
            joined = f"{joined} {more}"
        if len(joined) > LONGEST:
            return 0
        if joined[-1] in phrases.COLONS:
            if _DATED.search(joined) is None:
                return 0
            wrote = _WROTE.search(joined) is not None
            dated = _ADDRESS_ENDS.search(joined) is not None and re.search(r"\d", joined.partition("<")[0]) is not None
            return length if wrote or dated else 0
    return 0


def _unsigned(own: list[str]) -> list[str]:
    """Drop signatures and the lines that phones add."""
    kept: list[str] = []
    dropping = False
    for at, line in enumerate(own):
        bare = line.strip()
        if bare == "--":
            exact = line.startswith("-- ")
            dropping = dropping or exact or len(own) - at <= _SIGNATURE
        # "" stands where a quotation stood: below it the sender may go on writing
        if not (dropping or (len(bare) < _SHORT and _SENT_FROM.match(bare) and _DEVICE.search(bare))):
            kept.append(line)
    return kept
