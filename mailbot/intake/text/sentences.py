"""Running text: wrapped lines are joined, and the result is split into sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import DASHES, INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT, MAX_SENTENCE, MAX_SENTENCES = 24_000, 1_000, 400
"""The maximum number of characters of one text, of characters of one sentence, and of sentences that are read."""

_SUBSTITUTIONS = str.maketrans(dict.fromkeys(DASHES, "-")) | dict.fromkeys((*INVISIBLE, 0xAD))
_GLUED_LABEL = re.compile(r"\b(S/?N)(?=[A-Z]{0,3}\d[A-Z0-9-]{4,30})", re.IGNORECASE)


_ENUMERATION = re.compile("[\u2460-\u24ff\u2776-\u2793]")
"""Enumeration characters, such as digits in circles: they number what follows and are not part of it."""


def tidy(text: str) -> str:
    """Return the text without full-width and invisible characters, and with a space after a glued "S/N"."""
    text = text[:MAX_TEXT]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _ENUMERATION.sub(" ", text)).translate(_SUBSTITUTIONS)
    return _GLUED_LABEL.sub(r"\1 ", text)


_BULLET = re.compile(r"\s*(?:[-*•·‣▪]\s|\(?\d{1,2}[.)]\s|[a-h]\)\s)")
_FIELD = re.compile(r"\s*[^\W\d_][^:\n]{0,38}:\s*(?!//)\S?")
_END = re.compile(r"[.!?]{1,8}[\"')\]]{0,4}(?=\s)|[!?]{1,8}(?=[⺀-\uffff])|。{1,8}[」』)]{0,4}|\s;\s")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(/.])(?:[^\W\d_]|no|nr|num|nos|sn|ser|z\.b|e\.g|i\.e|ca|approx|st|dr|mr|mrs|ms|inc|ltd|tel|art|ext|ref|fa|bzw|"
    r"evtl|inkl|vs|pos|qty|ing|sig|mod|seri|env|p\.ex|p\. ex|ej|nro|tlf|pn|ver|rev|fig|max|min|jan|feb|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)
_MAX_ABBREVIATION = 5
_MIN_WIDTH = 50


@lru_cache(maxsize=32)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text. A bullet, a form field, and a short line are sentences of their own.

    There is an empty sentence between two paragraphs.
    """
    found = (sentence[:MAX_SENTENCE] for line in _unwrapped_lines(tidy(text)) for sentence in (_split(line) if line else ("",)))
    return tuple(islice(found, MAX_SENTENCES))


def _unwrapped_lines(text: str) -> Iterator[str]:
    """Yield the lines as they were before the mail program wrapped them."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in paragraph.split("\n") if line.strip()]
        width = max(map(_columns, lines), default=0)
        joined = previous = ""
        for line in lines:
            if joined and (
                _BULLET.match(line) or (_FIELD.match(line) and _FIELD.match(previous)) or _is_complete(previous, line, width)
            ):
                yield joined
                joined = ""
            space = "" if not joined or (_is_wide(joined[-1]) and _is_wide(line.lstrip()[0])) else " "
            joined = f"{joined}{space}{line.strip()}"
            previous = line
        if joined:
            yield joined
            yield ""


def _is_complete(line: str, following: str, width: int) -> bool:
    """Return whether the writer ended the line: the next word would have fit, or the lines are too narrow for prose."""
    word = following.lstrip().split(" ", 1)[0]
    first = next((at for at, char in enumerate(word) if _is_wide(char)), len(word)) or 1
    return _columns(word[:first]) + 1 < max(width, _MIN_WIDTH) - _columns(line)


def _is_wide(char: str) -> bool:
    """Return whether a character takes two columns and needs no adjacent space: Chinese, Japanese, Korean."""
    return char >= "⺀"


def _columns(line: str) -> int:
    return len(line) if line.isascii() else len(line) + sum(map(_is_wide, line))


def _split(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - 8) : end.end()]
        if end[0] == "." and (
            _ABBREVIATION.search(before)
            or (line[end.end() :].lstrip()[:1].isdigit() and len(before.split()[-1]) <= _MAX_ABBREVIATION)
        ):
            continue
        if sentence := line[start : end.end()].strip():
            yield sentence
        start = end.end()
    if sentence := line[start:].strip():
        yield sentence
