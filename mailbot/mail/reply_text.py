"""What the sender wrote now, apart from what is quoted, passed on, or added by the program below it.

A body is walked once, line by line. A ``>`` line is quoted where it stands, so that answers between quoted lines stay
the sender's own; a dividing line ("-----Original Message-----", a header block, "Kim wrote:" above text without ``>``)
ends the new text for good.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from mailbot.mail import reply_markers
from mailbot.model import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

LINES = 3_000
"""Lines that are looked at; nobody types more, what follows counts as quoted (R4)."""

LONGEST = 300
"""Characters of the longest line that may be a mark of a mail program."""

_BLOCK = 12
"""Lines within which a header block shows its labels."""

_SHORT = 100
"""Characters of the longest line that a phone adds."""

_CLAUSE = 180
"""Characters from "wrote" to the colon that ends an attribution, and the word itself."""

_DEVICE_WORDS = 4
"""Words of such a line within which the device is named."""

_SIGNATURE = 15
"""Lines of the longest signature below a bare ``--``."""


class SplitText(Value, frozen=True):
    """The new text, the quoted rest, and whether the mail passes another one on."""

    visible: str
    quoted: str = ""
    forwarded: bool = False


def _any(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


_TITLE = re.compile(
    rf"(?P<dashes>[{reply_markers.DASHES}\s]{{0,60}}+)(?:(?P<original>{_any(reply_markers.ORIGINAL)})|(?P<forwarded>{_any(reply_markers.FORWARDED)}))"
    r"(?P<tail>[^\n]{0,80})",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"[*_\s]{{0,3}}(?:(?P<sender>{_any(reply_markers.FROM)})|(?P<sent>{_any(reply_markers.SENT)})|(?P<to>{_any(reply_markers.TO)})"
    rf"|(?P<subject>{_any(reply_markers.SUBJECT)}))[*_]{{0,2}}\s?[{reply_markers.COLONS}]",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"\s*[*_]?(?:sent|gesendet|envoyé|enviad[oa]|inviato|verzonden|wysłan[oe]|skickat|sendt|lähetetty|odesláno|odoslané"
    r"|küldve|trimis|gönderildi|στάλθηκε|отправлено|надіслано|送信日時|发送时间|傳送時間|寄件日期|보낸 날짜|đã gửi)",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b\d{1,2}[:.]\d{2}\b")
_WROTE = re.compile(
    rf"(?:{_any(reply_markers.WROTE)})(?P<who>[^\n]{{0,120}})[{reply_markers.COLONS}]\s*$", re.IGNORECASE
)
_BEGINS = re.compile(rf"(?:{_any(reply_markers.BEGINS)}|\d|[\"“<*\[])", re.IGNORECASE)
_DATED = re.compile(r"@|\b\d{1,2}[:.h]\d{2}\b|(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_ADDRESS = r"<\s?[^<>\s]{1,200}@[^<>\s]{1,200}>"
_ADDRESS_ENDS = re.compile(rf"{_ADDRESS}\s*(?:sent)?[{reply_markers.COLONS}]$")
_DATE_AND_ADDRESS = re.compile(rf"\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}}\b[^\n]{{1,200}}{_ADDRESS}$")  # Gmail, long ago
_BETWEEN_ARROWS = re.compile(r">>> [^\n]{0,250}\d[:.]\d\d[^\n]{0,20}>>>$")  # GroupWise
_NAME_AND_DATE = re.compile(r"[^\n]{2,150} on \d{1,2}[/.-]\d{1,2}[/.-]\d{2,4} \d{1,2}[:.]\d\d[^\n]{0,20}$")  # Notes
_ON = re.compile(r"\bOn (?:\d|Mon|Tue|Wed|Thu|Fri|Sat|Sun|[A-Z][a-z]{2,8} \d)[^\n]*:$")
_RULE = re.compile(r"[_\-=*—]{10,}")
_LIST_FOOTER = re.compile(r"[^\n]{0,80}\bmailing list\b", re.IGNORECASE)
_DISCLAIMER = re.compile(rf"[\W_]{{0,20}}+(?:{_any(reply_markers.DISCLAIMERS)})", re.IGNORECASE)
_SENT_FROM = re.compile(_any(reply_markers.SENT_FROM), re.IGNORECASE)
_DEVICE = re.compile(_any(reply_markers.DEVICES), re.IGNORECASE)
_FORWARD_SUBJECT = re.compile(
    rf"\s*\[?(?:{_any(reply_markers.FORWARD_PREFIXES)})\s?[{reply_markers.COLONS}]", re.IGNORECASE
)

_Mark = Literal["original", "forwarded", "block", "attribution", "above"]


def split(text: str, subject: str = "") -> SplitText:
    """Split a body into what is new and what is quoted; a short one is split once, however often it is asked for.

    Args:
        text: the body, line ends LF.
        subject: the mail's subject; ``FW:`` before it makes an original message one that is passed on.
    """
    return _once(text, subject) if len(text) <= _SHORT else _split(text, subject)


_SHORT = 20_000


def _split(text: str, subject: str) -> SplitText:
    lines = text.split("\n")
    own: list[str] = []
    quoted: list[str] = []
    forwarded = said = False
    at = 0
    while at < min(len(lines), LINES):
        line = lines[at]
        bare = line.strip()
        if bare.startswith(reply_markers.QUOTES) and not _BETWEEN_ARROWS.match(bare):
            quoted.append(_bare(line) if forwarded else line)
            own.append("")
        elif bare and len(bare) <= LONGEST and (found := _mark(lines, at, bare)) is not None:
            mark, length = found
            continues = _next(lines, at + length)[:1] == ">"
            if mark == "above" and not said:
                pass  # a ticket system's own mail begins with its line
            elif continues and mark in {"attribution", "forwarded"}:  # below the quoted lines the sender may write on
                forwarded = forwarded or mark == "forwarded"
                quoted.extend(lines[at : at + length])
                own.append(_before(bare))
            else:
                own.append(_before(bare) if mark == "attribution" else "")
                own, ends = _cut(own, mark)
                forwarded = forwarded or ends
                quoted.extend(_bare(line) if mark == "forwarded" else line for line in lines[at:])
                break
            at += length - 1
        else:
            own.append(line)
            said = said or bare != ""
        at += 1
    else:
        quoted.extend(lines[LINES:])
    rest = "\n".join(quoted).strip("\n")
    passed_on = bool(rest) and _FORWARD_SUBJECT.match(subject) is not None
    return SplitText(_content(_unsigned(own)), rest, forwarded or passed_on)


_once = lru_cache(maxsize=8)(_split)


def _cut(own: list[str], mark: _Mark) -> tuple[list[str], bool]:
    """End the new text here; a mark with nothing of the sender's own above it passes a mail on."""
    own = own.copy()
    while own and (not own[-1].strip() or _RULE.fullmatch(own[-1].strip())):
        own.pop()
    alone = not _content(_unsigned(own))
    return own, mark == "forwarded" or (mark in {"original", "block"} and alone)


def _next(lines: list[str], at: int) -> str:
    """Return the next line with anything on it, within three."""
    return next((line.strip() for line in lines[at : at + 3] if line.strip()), "")


def _before(bare: str) -> str:
    """Return the sender's own words that share a line with an attribution, as flattened HTML leaves them."""
    shared = _ON.search(bare)
    return bare[: shared.start()].rstrip("- ") if shared is not None else ""


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
        if (dashed and (not tail.strip(f"{reply_markers.DASHES}: ") or title["forwarded"])) or (
            tail in set(reply_markers.COLONS) and title["forwarded"]
        ):
            return ("forwarded" if title["forwarded"] else "original"), 1
    lower = bare.lower()
    if any(words in lower for words in reply_markers.ABOVE_THIS_LINE):
        return "above", 1
    if _opens_block(lines, at, bare):
        return "block", 1
    if _between_dashes(bare) or _BETWEEN_ARROWS.match(bare):
        return "attribution", 1
    length = _attribution(lines, at, bare)
    return ("attribution", length) if length else None


def _between_dashes(bare: str) -> bool:
    """Say whether a line is an attribution as Zoho writes it: ``---- On Monday, Kim wrote ----``."""
    return bare.startswith("--") and bare.endswith("--") and bare.strip("- ").lower().endswith(reply_markers.WROTE)


def _opens_block(lines: list[str], at: int, bare: str) -> bool:
    """Say whether a header block begins here: From and two of Sent, To, Subject, with an address or a time.

    Where another label comes first, the lines must follow each other and tell the time; a form that people fill in
    looks much the same. Notes writes name and date on a line of their own above To and Subject.
    """
    first = _LABEL.match(bare)
    below = lines[at + 1 : at + _BLOCK]
    if first is None:
        return _NAME_AND_DATE.fullmatch(bare) is not None and _labels(below)[0] >= {"to", "subject"}
    if first["sender"] is not None:
        seen, address, time = _labels([bare, *below])
        return len(seen) > 2 and (address or time)  # noqa: PLR2004  (From and two more)
    seen, _, time = _labels(itertools.takewhile(str.strip, [bare, *below]))
    return "sender" in seen and len(seen) > 2 and time  # noqa: PLR2004


def _labels(lines: Iterable[str]) -> tuple[set[str], bool, bool]:
    """Return the labels that lines begin with, and whether an address and a time of sending stand among them."""
    seen: set[str] = set()
    address = time = False
    for label, addressed, timed in map(_labelled, lines):
        if label:
            seen.add(label)
            address, time = address or addressed, time or timed
    return seen, address, time


@lru_cache(maxsize=256)  # each line is looked at as often as a block has lines
def _labelled(line: str) -> tuple[str, bool, bool]:
    label = _LABEL.match(line[:LONGEST])
    if label is None or label.lastgroup is None:
        return "", False, False
    timed = _SENT.match(line) is not None or (label["sent"] is not None and _TIME.search(line) is not None)
    return label.lastgroup, "@" in line, timed


def _attribution(lines: list[str], at: int, bare: str) -> int:
    """Return how many lines an attribution takes that begins here; 0 where none does."""
    joined = bare
    begins = _BEGINS.match(bare) is not None
    for length in range(1, 4 if begins else 2):
        if length > 1:
            more = lines[at + length - 1].strip() if at + length - 1 < len(lines) else ""
            if not more or more[0] == ">":
                return 0
            joined = f"{joined} {more}"
        if len(joined) > LONGEST:
            return 0
        continues = _next(lines, at + length)[:1] == ">"
        if joined[-1] in reply_markers.COLONS:
            if _DATED.search(joined) is None:
                return 0
            wrote = _WROTE.search(joined, max(0, len(joined) - _CLAUSE)) is not None
            dated = _ADDRESS_ENDS.search(joined) is not None and re.search(r"\d", joined.partition("<")[0]) is not None
            return length if wrote or dated or (begins and continues and "@" in joined) else 0
        if continues and _DATE_AND_ADDRESS.match(joined):
            return length
    return 0


def _unsigned(own: list[str]) -> list[str]:
    """Drop signatures, the lines that phones add, footers of lists and disclaimers."""
    kept: list[str] = []
    dropping = disclaiming = False
    for at, line in enumerate(own):
        bare = line.strip()
        if bare == "--":
            exact = line.startswith("-- ")
            dropping = dropping or exact or len(own) - at <= _SIGNATURE
        elif bare.startswith("____") and _RULE.fullmatch(bare) and _LIST_FOOTER.match(_next(own, at + 1)):
            dropping = True
        # a disclaimer ends with its paragraph: below it the sender may go on writing, as below a quotation
        disclaiming = bool(bare) and (disclaiming or _DISCLAIMER.match(bare[:LONGEST]) is not None)
        if not (dropping or disclaiming or _by_a_phone(bare)):
            kept.append(line)
    return kept


def _by_a_phone(bare: str) -> bool:
    """Say whether a phone or an app added this line; it names itself at once ("Sent from my desk, not my phone")."""
    begins = _SENT_FROM.match(bare) if len(bare) < _SHORT else None
    if begins is None:
        return False
    named = " ".join(bare[begins.end() :].split()[:_DEVICE_WORDS])
    return _DEVICE.search(f"{begins[0]}{named}") is not None
