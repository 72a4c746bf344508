"""Running text: wrapped lines joined again, and cut into sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import DASHES, INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST, SENTENCE, SENTENCES = 24_000, 1_000, 400
"""Characters of one text, characters of one sentence, and sentences that are looked at: no request is longer."""

_ODD = str.maketrans(dict.fromkeys(DASHES, "-")) | dict.fromkeys((*INVISIBLE, 0xAD))
_GLUED = re.compile(r"\b(S/?N)(?=[A-Z]{0,3}\d[A-Z0-9-]{4,30})", re.IGNORECASE)


_COUNTED = re.compile("[\u2460-\u24ff\u2776-\u2793]")
"""Figures in circles and in parentheses, which count what follows and are no part of it."""


def tidy(text: str) -> str:
    """The text without full-width forms and invisible characters, and with a blank behind a glued "S/N"."""
    text = text[:LONGEST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _COUNTED.sub(" ", text)).translate(_ODD)
    return _GLUED.sub(r"\1 ", text)


_BULLET = re.compile(r"\s*(?:[-*•·‣▪]\s|\(?\d{1,2}[.)]\s|[a-h]\)\s)")
_FIELD = re.compile(r"\s*[^\W\d_][^:\n]{0,38}:\s*(?!//)\S?")
_END = re.compile(r"[.!?]{1,8}[\"')\]]{0,4}(?=\s)|[!?]{1,8}(?=[⺀-\uffff])|。{1,8}[」』)]{0,4}|\s;\s")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(/.])(?:[^\W\d_]|no|nr|num|nos|sn|ser|z\.b|e\.g|i\.e|ca|approx|st|dr|mr|mrs|ms|inc|ltd|tel|art|ext|ref|fa|bzw|"
    r"evtl|inkl|vs|pos|qty|ing|sig|mod|seri|env|p\.ex|p\. ex|ej|nro|tlf|pn|ver|rev|fig|max|min|jan|feb|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)
_ABBREVIATED = 5
_NARROW = 50


@lru_cache(maxsize=32)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text. A bullet, a form field and a short line are sentences of their own.

    An empty sentence stands between two paragraphs.
    """
    found = (sentence[:SENTENCE] for line in _lines(tidy(text)) for sentence in (_split(line) if line else ("",)))
    return tuple(islice(found, SENTENCES))


def _lines(text: str) -> Iterator[str]:
    """Lines as they were before the mail program wrapped them."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in paragraph.split("\n") if line.strip()]
        width = max(map(_columns, lines), default=0)
        joined = last = ""
        for line in lines:
            if joined and (
                _BULLET.match(line) or (_FIELD.match(line) and _FIELD.match(last)) or _was_whole(last, line, width)
            ):
                yield joined
                joined = ""
            blank = "" if not joined or (_wide(joined[-1]) and _wide(line.lstrip()[0])) else " "
            joined = f"{joined}{blank}{line.strip()}"
            last = line
        if joined:
            yield joined
            yield ""


def _was_whole(line: str, following: str, width: int) -> bool:
    """Whether the writer ended the line: the next word would have had room, or the lines are too narrow for prose."""
    word = following.lstrip().split(" ", 1)[0]
    first = next((at for at, char in enumerate(word) if _wide(char)), len(word)) or 1
    return _columns(word[:first]) + 1 < max(width, _NARROW) - _columns(line)


def _wide(char: str) -> bool:
    """Whether a character takes two columns, and needs no blank beside it: Chinese, Japanese, Korean."""
    return char >= "⺀"


def _columns(line: str) -> int:
    return len(line) if line.isascii() else len(line) + sum(map(_wide, line))


def _split(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - 8) : end.end()]
        if end[0] == "." and (
            _ABBREVIATION.search(before)
            or (line[end.end() :].lstrip()[:1].isdigit() and len(before.split()[-1]) <= _ABBREVIATED)
        ):
            continue
        if sentence := line[start : end.end()].strip():
            yield sentence
        start = end.end()
    if sentence := line[start:].strip():
        yield sentence
