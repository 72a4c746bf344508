"""The parts of an email around its content: closing, signature, greeting, headers, and subject prefixes."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import tidy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_MAX_CLOSING_LINE = 80
_MAX_AFTER_CLOSING = 4
"""The maximum number of words after a closing on the same line: "Regards from Hamburg"."""


def closing_index(sentences: Sequence[str], lexicons: Sequence[LanguageWords], writer_names: Collection[str] = ()) -> int:
    """Return the index of the sentence that closes the email, or the number of sentences if none does.

    A line with nothing but ``writer_names``, in normalized form, is a signature.
    """
    has_content = False
    for index, sentence in enumerate(sentences):
        if sentence.startswith("--") and not re.search(r"\w", sentence[:4]):
            return index
        if index and (_is_closing(normalize(sentence), lexicons) or (has_content and _is_signature(sentence, writer_names))):
            return index
        has_content = has_content or len(sentence.split()) > _MAX_GREETING or any(map(_is_wide, sentence))
    return len(sentences)


def _is_wide(char: str) -> bool:
    return char >= "⺀"


def _is_signature(sentence: str, writer_names: Collection[str]) -> bool:
    words = re.findall(r"[^\W\d_]+", normalize(sentence))
    return bool(words) and not re.search(r"[\d@]", sentence) and all(word in writer_names for word in words)


def writer_names(display: str, email: str) -> frozenset[str]:
    """Return the words that may sign an email: those of the display name, else of the address."""
    name_words = re.findall(r"[^\W\d_]+", normalize(display)) or re.findall(r"[^\W\d_]+", email.partition("@")[0].lower())
    return frozenset((*name_words, *(word[0] for word in name_words if not _is_wide(word[0])), normalize(display).replace(" ", "")))


_POSTSCRIPT = re.compile(r"\W{0,3}(?:P\.?\s?P?\.?S\b|P\.?D\b\s?[.:]|N\.?B\b|追伸|追记|追記|추신|又及)", re.IGNORECASE)


def postscript(sentences: Sequence[str]) -> Sequence[str]:
    """Return the sentences of a postscript below the signature, up to the end of its paragraph."""
    start = next((index for index, sentence in enumerate(sentences) if _POSTSCRIPT.match(sentence)), len(sentences))
    stop = next((index for index in range(start, len(sentences)) if not sentences[index]), len(sentences))
    return sentences[start:stop]


def _is_closing(text: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a line closes the email: "Thanks for this one." is a sentence, "Thanks and regards from Kiel" a closing."""
    if len(text) > _MAX_CLOSING_LINE:
        return False
    most = 1 if text.endswith((".", "!", "?")) else _MAX_AFTER_CLOSING
    found = (lexicon.letter.closings.search(text) for lexicon in lexicons)
    return any(match and match.start() == 0 and len(text[match.end() :].split()) <= most for match in found)


_MAX_GREETING = 5
"""The maximum number of words in a greeting: "Dear Mr and Mrs Smith,"."""


def without_greeting(sentence: str, lexicons: Sequence[LanguageWords]) -> str:
    """Return a sentence without its opening greeting: "Hi Tom, the board is dead"."""
    opening = re.match(r"[^,!:、\n]{1,40}[,!:、]\s*", sentence)
    if not opening or len(opening[0].split()) > _MAX_GREETING or re.search(r"\d", opening[0]):
        return sentence
    text = normalize(opening[0])
    is_greeting = any(match and match.start() == 0 for lexicon in lexicons for match in [lexicon.letter.greetings.search(text)])
    return sentence[opening.end() :] if is_greeting else sentence


_HEADER_LINE = re.compile(r"\s*+(?:[*>]{1,4}\s*+)?[^\W\d_][^:\n]{0,24}\s?[::]\*{0,2}\s{0,3}\S.{0,400}")
_MIN_HEADERS = 3
"""The number of consecutive lines like "From: …", "Sent: …", "To: …" that open a quoted message."""


def earlier_lines(quoted: str, own_addresses: Collection[str]) -> tuple[str, ...]:
    """Return the quoted lines that are not from our addresses: below headers of another sender, or quoted at least twice."""
    lines = quoted.split("\n")[:2_000]
    found: list[str] = []
    is_ours, run, found_before = True, 0, 0
    for index, line in enumerate(lines):
        if not _HEADER_LINE.fullmatch(line):
            run = 0
        elif (run := run + 1) == 1:
            found_before = len(found)
        if run == _MIN_HEADERS:
            is_ours = any(address in lines[index - run + 1].lower() for address in own_addresses)
            del found[found_before:]
        elif run > _MIN_HEADERS:
            continue
        elif not is_ours or line.replace(" ", "").startswith(">>"):
            found.append(line.lstrip("> "))
    return tuple(found)


def without_headers(text: str) -> str:
    """Return a forwarded message without its header lines (sender, date, recipient, and subject)."""
    kept: list[str] = []
    for is_header, group in groupby(text.split("\n"), lambda line: _HEADER_LINE.fullmatch(line) is not None):
        lines = list(group)
        kept += lines if not is_header or len(lines) < _MIN_HEADERS else [""]
    return "\n".join(kept)


_REPLY_PREFIX = r"re|aw|antw?|antwoord|sv|vs|odp|res|rif|r|ynt|yan|回复|答复|回覆|答覆|返信|회신|답장"
_FORWARD_PREFIX = r"fwd?|wg|tr|rv|i|enc|doorst|pd|ilt|ynl|转发|轉寄|轉發|転送|전달"
_PREFIX = re.compile(rf"\s*(?:(?P<reply>{_REPLY_PREFIX})|(?P<forward>{_FORWARD_PREFIX}))\s*+(?:\[\d+\]\s*+)?:\s*", re.IGNORECASE)


class SubjectLine:
    """A subject: its text without prefixes, and whether the first prefix marks a reply or a forward."""

    def __init__(self, subject: str) -> None:
        text = tidy(subject)
        first_prefix = _PREFIX.match(text)
        self.is_reply = bool(first_prefix and first_prefix["reply"])
        self.is_forward = bool(first_prefix and first_prefix["forward"])
        while prefix := _PREFIX.match(text):
            text = text[prefix.end() :]
        self.text = text.strip()
