"""The frame of a letter: where it ends and the signature begins, and the subject without its prefixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import tidy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_LINE = 80
_SHORT = 4
"""Words that may follow a closing in its line: "Regards from Hamburg"."""


def end(sentences: Sequence[str], lexicons: Sequence[LanguageWords], names: Collection[str] = ()) -> int:
    """The index of the sentence that closes the letter; the number of sentences where none does.

    ``names`` are the writer's: a line with nothing but them signs the letter.
    """
    said = False
    for index, sentence in enumerate(sentences):
        if sentence.startswith("--") and not re.search(r"\w", sentence[:4]):
            return index
        if index and (_closes(plain(sentence), lexicons) or (said and _signs(sentence, names))):
            return index
        said = said or len(sentence.split()) > _GREETED or any(map(_wide, sentence))
    return len(sentences)


def _wide(char: str) -> bool:
    return char >= "⺀"


def _signs(sentence: str, names: Collection[str]) -> bool:
    words = re.findall(r"[^\W\d_]+", plain(sentence))
    return bool(words) and not re.search(r"[\d@]", sentence) and all(word in names for word in words)


def names(display: str, email: str) -> frozenset[str]:
    """The words by which a writer may sign: those of the name shown, else of the address."""
    shown = re.findall(r"[^\W\d_]+", plain(display)) or re.findall(r"[^\W\d_]+", email.partition("@")[0].lower())
    return frozenset((*shown, *(word[0] for word in shown if not _wide(word[0])), plain(display).replace(" ", "")))


_POSTSCRIPT = re.compile(r"\W{0,3}(?:P\.?\s?P?\.?S\b|P\.?D\b\s?[.:]|N\.?B\b|追伸|追记|追記|추신|又及)", re.IGNORECASE)


def postscript(sentences: Sequence[str]) -> Sequence[str]:
    """The sentences of a postscript below the signature, up to the end of its paragraph."""
    start = next((index for index, sentence in enumerate(sentences) if _POSTSCRIPT.match(sentence)), len(sentences))
    stop = next((index for index in range(start, len(sentences)) if not sentences[index]), len(sentences))
    return sentences[start:stop]


def _closes(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    return any(
        match is not None
        and match.start() == 0
        and len(text[match.end() :].split()) <= _room(text)
        and len(text) <= _LINE
        for lexicon in lexicons
        for match in [lexicon.letter.closings.search(text)]
    )


def _room(text: str) -> int:
    """How many words may follow: "Thanks for this one." is a sentence, "Thanks and regards from Kiel" closes a letter."""
    return 1 if text.endswith((".", "!", "?")) else _SHORT


_GREETED = 5
"""Words that a greeting may take: "Dear Mr and Mrs Smith,"."""


def without_greeting(sentence: str, lexicons: Sequence[LanguageWords]) -> str:
    """A sentence without the greeting that opens it: "Hi Tom, the board is dead"."""
    opening = re.match(r"[^,!:、\n]{1,40}[,!:、]\s*", sentence)
    if not opening or len(opening[0].split()) > _GREETED or re.search(r"\d", opening[0]):
        return sentence
    text = plain(opening[0])
    greets = any(
        match and match.start() == 0 for lexicon in lexicons for match in [lexicon.letter.greetings.search(text)]
    )
    return sentence[opening.end() :] if greets else sentence


_HEADER = re.compile(r"\s*+(?:[*>]{1,4}\s*+)?[^\W\d_][^:\n]{0,24}\s?[::]\*{0,2}\s?\S.{0,400}")
_HEADERS = 3
"""Lines like "From: …", "Sent: …", "To: …" that open a quoted mail."""


def earlier(quoted: str, ours: Collection[str]) -> tuple[str, ...]:
    """The lines of quoted mails that none of our addresses sent: below their headers, or quoted twice over."""
    lines = quoted.split("\n")[:2_000]
    found: list[str] = []
    mine, run, before = True, 0, 0
    for at, line in enumerate(lines):
        if not _HEADER.fullmatch(line):
            run = 0
        elif (run := run + 1) == 1:
            before = len(found)
        if run == _HEADERS:
            mine = any(address in lines[at - run + 1].lower() for address in ours)
            del found[before:]
        elif run > _HEADERS:
            continue
        elif not mine or line.replace(" ", "").startswith(">>"):
            found.append(line.lstrip("> "))
    return tuple(found)


def without_headers(text: str) -> str:
    """A mail passed on without the lines that say who wrote it, when, to whom and about what."""
    lines = text.split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        run = at
        while run < len(lines) and _HEADER.fullmatch(lines[run]):
            run += 1
        if run - at < _HEADERS:
            kept.extend(lines[at : run + 1])
            at = run + 1
            continue
        kept.append("")
        at = run
    return "\n".join(kept)


_ANSWER = r"re|aw|antw?|antwoord|sv|vs|odp|res|rif|r|ynt|yan|回复|答复|回覆|答覆|返信|회신|답장"
_PASSED = r"fwd?|wg|tr|rv|i|enc|doorst|pd|ilt|ynl|转发|轉寄|轉發|転送|전달"
_PREFIX = re.compile(rf"\s*(?:(?P<answer>{_ANSWER})|(?P<passed>{_PASSED}))\s*+(?:\[\d+\]\s*+)?:\s*", re.IGNORECASE)


class SubjectLine:
    """A subject: its text without prefixes, and what the prefixes say."""

    def __init__(self, subject: str) -> None:
        text = tidy(subject)
        first = _PREFIX.match(text)
        self.answers = bool(first and first["answer"])
        self.passes_on = bool(first and first["passed"])
        while prefix := _PREFIX.match(text):
            text = text[prefix.end() :]
        self.text = text.strip()
