"""Separate what the sender wrote now from quoted text, forwarded text, and text that programs append.

The body is read once, line by line. A ``>`` line is quoted wherever it is, so replies between quoted lines remain new
text. A divider ("-----Original Message-----", a header block, "Kim wrote:" above text without ``>``) ends the new text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from mailbot.mail import reply_markers
from mailbot.mail.reply_markers import COLONS, FORWARD_SUBJECT, alternatives
from mailbot.model import Value

MAX_LINES = 3_000
"""The maximum number of lines that are read; any further lines count as quoted."""

MAX_DIVIDER = 300
"""The maximum number of characters of a line that may be a divider."""

_BLOCK_LINES = 12
"""The number of lines in which a header block must show its labels."""

_MAX_DEVICE_LINE = 100
"""The maximum number of characters of a line that a phone adds."""

_MAX_WROTE = 180
"""The maximum number of characters from "wrote" to the colon that ends an attribution, including the word."""

_DEVICE_WORDS = 4
"""The device must be named within this many words of such a line."""

_MAX_SIGNATURE = 15
"""The maximum number of lines of a signature below a bare ``--``."""


class SplitText(Value, frozen=True):
    """The new text, the quoted text, and whether the message forwards another one."""

    visible: str
    quoted: str = ""
    forwarded: bool = False


_TITLE = re.compile(
    rf"(?P<dashes>[{reply_markers.DASHES}\s]{{0,60}}+)(?:(?P<original>{alternatives(reply_markers.ORIGINAL)})|(?P<forwarded>{alternatives(reply_markers.FORWARDED)}))"
    r"(?P<tail>[^\n]{0,80})",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"[*_\s]{{0,3}}(?:(?P<sender>{alternatives(reply_markers.FROM)})|(?P<sent>{alternatives(reply_markers.SENT)})|(?P<to>{alternatives(reply_markers.TO)})"
    rf"|(?P<subject>{alternatives(reply_markers.SUBJECT)}))[*_]{{0,2}}\s?[{COLONS}]",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"\s*[*_]?(?:sent|gesendet|envoyé|enviad[oa]|inviato|verzonden|wysłan[oe]|skickat|sendt|lähetetty|odesláno|odoslané"
    r"|küldve|trimis|gönderildi|στάλθηκε|отправлено|надіслано|送信日時|发送时间|傳送時間|寄件日期|보낸 날짜|đã gửi)",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b\d{1,2}[:.]\d{2}\b")
_WROTE = re.compile(rf"(?:{alternatives(reply_markers.WROTE)})(?P<who>[^\n]{{0,120}})[{COLONS}]\s*$", re.IGNORECASE)
_BEGINS = re.compile(rf"(?:{alternatives(reply_markers.BEGINS)}|\d|[\"“<*\[])", re.IGNORECASE)
_DATED = re.compile(r"@|\b\d{1,2}[:.h]\d{2}\b|(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_ADDRESS = r"<\s?[^<>\s]{1,200}@[^<>\s]{1,200}>"
_ADDRESS_ENDS = re.compile(rf"{_ADDRESS}\s*(?:sent)?[{COLONS}]$")
_DATE_AND_ADDRESS = re.compile(rf"\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}}\b[^\n]{{1,200}}{_ADDRESS}$")  # Gmail in the past
_BETWEEN_ARROWS = re.compile(r">>> [^\n]{0,250}\d[:.]\d\d[^\n]{0,20}>>>$")  # GroupWise
_NAME_AND_DATE = re.compile(r"[^\n]{2,150} on \d{1,2}[/.-]\d{1,2}[/.-]\d{2,4} \d{1,2}[:.]\d\d[^\n]{0,20}$")  # Notes
_ON_DATE = re.compile(r"\bOn (?:\d|Mon|Tue|Wed|Thu|Fri|Sat|Sun|[A-Z][a-z]{2,8} \d)[^\n]*:$")
_SEPARATOR = re.compile(r"[_\-=*—]{10,}")
_LIST_FOOTER = re.compile(r"[^\n]{0,80}\bmailing list\b", re.IGNORECASE)
_DISCLAIMER = re.compile(rf"[\W_]{{0,20}}+(?:{alternatives(reply_markers.DISCLAIMERS)})", re.IGNORECASE)
_SENT_FROM = re.compile(alternatives(reply_markers.SENT_FROM), re.IGNORECASE)
_DEVICE = re.compile(alternatives(reply_markers.DEVICES), re.IGNORECASE)

_Divider = Literal["original", "forwarded", "block", "attribution", "above"]


@lru_cache(maxsize=8)
def split(text: str, subject: str = "") -> SplitText:
    """Split a body, with LF line endings, into new and quoted text; if the subject begins with ``FW:``, the latter is forwarded."""
    lines = text.split("\n")
    new_lines: list[str] = []
    quoted: list[str] = []
    forwarded = has_new_text = False
    index = 0
    while index < min(len(lines), MAX_LINES):
        line = lines[index]
        stripped = line.strip()
        if stripped.startswith(reply_markers.QUOTES) and not _BETWEEN_ARROWS.match(stripped):
            quoted.append(_unquote(line) if forwarded else line)
            new_lines.append("")
        elif stripped and len(stripped) <= MAX_DIVIDER and (found := _divider(lines, index, stripped)) is not None:
            divider, length = found
            continues = _next_line(lines, index + length)[:1] == ">"
            if divider == "above" and not has_new_text:
                pass  # a message from the ticket system itself begins with this line
            elif continues and divider in {"attribution", "forwarded"}:  # there may be more new text below the quoted lines
                forwarded = forwarded or divider == "forwarded"
                quoted.extend(lines[index : index + length])
                new_lines.append(_text_before_attribution(stripped))
            else:
                new_lines.append(_text_before_attribution(stripped) if divider == "attribution" else "")
                new_lines, is_forward = _end_new_text(new_lines, divider)
                forwarded = forwarded or is_forward
                quoted.extend(_unquote(line) if divider == "forwarded" else line for line in lines[index:])
                break
            index += length - 1
        else:
            new_lines.append(line)
            has_new_text = has_new_text or stripped != ""
        index += 1
    else:
        quoted.extend(lines[MAX_LINES:])
    quoted_text = "\n".join(quoted).strip("\n")
    has_forward_subject = bool(quoted_text) and FORWARD_SUBJECT.match(subject) is not None
    return SplitText(_join_lines(_without_signature(new_lines)), quoted_text, forwarded or has_forward_subject)


def _end_new_text(new_lines: list[str], divider: _Divider) -> tuple[list[str], bool]:
    """End the new text here; if there is no text of the sender's above the divider, the message is a forward."""
    new_lines = new_lines.copy()
    while new_lines and (not new_lines[-1].strip() or _SEPARATOR.fullmatch(new_lines[-1].strip())):
        new_lines.pop()
    is_empty = not _join_lines(_without_signature(new_lines))
    return new_lines, divider == "forwarded" or (divider in {"original", "block"} and is_empty)


def _next_line(lines: list[str], index: int) -> str:
    """Return the next nonblank line, within three lines."""
    return next((line.strip() for line in lines[index : index + 3] if line.strip()), "")


def _text_before_attribution(stripped: str) -> str:
    """Return the sender's text that shares a line with an attribution, as in flattened HTML."""
    shared = _ON_DATE.search(stripped)
    return stripped[: shared.start()].rstrip("- ") if shared is not None else ""


def _unquote(line: str) -> str:
    return line.removeprefix("> ").removeprefix(">") if line.startswith(">") else line


def _join_lines(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n").strip()


def _divider(lines: list[str], index: int, stripped: str) -> tuple[_Divider, int] | None:
    """Return the kind of divider that begins at this line, and the number of lines it takes."""
    title = _TITLE.match(stripped)
    if title is not None:
        tail = title["tail"].strip()
        dashed = len(title["dashes"].strip()) > 1
        if (dashed and (not tail.strip(f"{reply_markers.DASHES}: ") or title["forwarded"])) or (
            tail in set(COLONS) and title["forwarded"]
        ):
            return ("forwarded" if title["forwarded"] else "original"), 1
    lower = stripped.lower()
    if any(words in lower for words in reply_markers.ABOVE_THIS_LINE):
        return "above", 1
    if _opens_header_block(lines, index, stripped):
        return "block", 1
    if _is_dashed_attribution(stripped) or _BETWEEN_ARROWS.match(stripped):
        return "attribution", 1
    length = _attribution(lines, index, stripped)
    return ("attribution", length) if length else None


def _is_dashed_attribution(stripped: str) -> bool:
    """Return whether a line is an attribution in Zoho's format: ``---- On Monday, Kim wrote ----``."""
    return stripped.startswith("--") and stripped.endswith("--") and stripped.strip("- ").lower().endswith(reply_markers.WROTE)


def _opens_header_block(lines: list[str], index: int, stripped: str) -> bool:
    """Return whether a header block begins here.

    A header block has From and two of Sent, To, and Subject, with an address or a time. If another label comes first,
    the lines must be consecutive and include the time, because a form that people fill in looks similar. Notes writes
    name and date on a separate line above To and Subject.
    """
    first = _LABEL.match(stripped)
    below = lines[index + 1 : index + _BLOCK_LINES]
    if first is None:
        return _NAME_AND_DATE.fullmatch(stripped) is not None and _labels(below)[0] >= {"to", "subject"}
    if first["sender"] is not None:
        labels, address, time = _labels([stripped, *below])
        return len(labels) > 2 and (address or time)  # noqa: PLR2004  (From and two more)
    labels, _, time = _labels(itertools.takewhile(str.strip, [stripped, *below]))
    return "sender" in labels and len(labels) > 2 and time  # noqa: PLR2004


def _labels(lines: Iterable[str]) -> tuple[set[str], bool, bool]:
    """Return the labels at the beginning of lines, and whether they include an address and the time of sending."""
    labels: set[str] = set()
    address = time = False
    for label, has_address, has_time in map(_parse_label, lines):
        if label:
            labels.add(label)
            address, time = address or has_address, time or has_time
    return labels, address, time


@lru_cache(maxsize=256)  # each line is parsed once per possible beginning of a block
def _parse_label(line: str) -> tuple[str, bool, bool]:
    label = _LABEL.match(line[:MAX_DIVIDER])
    if label is None or label.lastgroup is None:
        return "", False, False
    has_time = _SENT.match(line) is not None or (label["sent"] is not None and _TIME.search(line) is not None)
    return label.lastgroup, "@" in line, has_time


def _attribution(lines: list[str], index: int, stripped: str) -> int:
    """Return the number of lines of the attribution that begins here; 0 if there is none."""
    joined = stripped
    begins = _BEGINS.match(stripped) is not None
    for length in range(1, 4 if begins else 2):
        if length > 1:
            next_line = lines[index + length - 1].strip() if index + length - 1 < len(lines) else ""
            if not next_line or next_line[0] == ">":
                return 0
            joined = f"{joined} {next_line}"
        if len(joined) > MAX_DIVIDER:
            return 0
        continues = _next_line(lines, index + length)[:1] == ">"
        if joined[-1] in COLONS:
            if _DATED.search(joined) is None:
                return 0
            wrote = _WROTE.search(joined, max(0, len(joined) - _MAX_WROTE)) is not None
            dated = _ADDRESS_ENDS.search(joined) is not None and re.search(r"\d", joined.partition("<")[0]) is not None
            return length if wrote or dated or (begins and continues and "@" in joined) else 0
        if continues and _DATE_AND_ADDRESS.match(joined):
            return length
    return 0


def _without_signature(new_lines: list[str]) -> list[str]:
    """Drop signatures, lines that phones add, mailing list footers, and disclaimers."""
    kept: list[str] = []
    dropping = disclaiming = False
    for index, line in enumerate(new_lines):
        stripped = line.strip()
        if stripped == "--":
            exact = line.startswith("-- ")
            dropping = dropping or exact or len(new_lines) - index <= _MAX_SIGNATURE
        elif (
            stripped.startswith("____") and _SEPARATOR.fullmatch(stripped) and _LIST_FOOTER.match(_next_line(new_lines, index + 1))
        ):
            dropping = True
        # A disclaimer ends with its paragraph: there may be more new text below it.
        disclaiming = bool(stripped) and (disclaiming or _DISCLAIMER.match(stripped[:MAX_DIVIDER]) is not None)
        if not (dropping or disclaiming or _is_device_line(stripped)):
            kept.append(line)
    return kept


def _is_device_line(stripped: str) -> bool:
    """Return whether a phone or an app added this line.

    Such a line names the device right away, unlike "Sent from my desk, not my phone".
    """
    begins = _SENT_FROM.match(stripped) if len(stripped) < _MAX_DEVICE_LINE else None
    if begins is None:
        return False
    next_words = " ".join(stripped[begins.end() :].split()[:_DEVICE_WORDS])
    return _DEVICE.search(f"{begins[0]}{next_words}") is not None
