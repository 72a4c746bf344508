"""Matching of staff phrases in place, so that the text around a phrase is available as written."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.intake.statements.word_sections import CommandList

    ListName = CommandList | Literal["greetings", "only"]


@lru_cache(maxsize=4096)
def _normalize_character(char: str) -> str:
    normalized = normalize(char) or " "
    return normalized if len(normalized) == 1 else char.lower()[:1]


def normalize_in_place(text: str) -> str:
    """Return the normalized text (see ``normalize``) with the same length, so that positions are kept."""
    return "".join(map(_normalize_character, text))


class CommandMatcher:
    """The phrases of ``[commands]`` in several languages together; ``greetings`` and ``only`` are from their own sections."""

    def __init__(self, lexicons: Sequence[LanguageWords]) -> None:
        self.lexicons = lexicons

    def _phrase_lists(self, name: ListName) -> Iterator[Phrases]:
        for lexicon in self.lexicons:
            if name == "greetings":
                yield lexicon.letter.greetings
            elif name == "only":
                yield lexicon.serials.only
            elif name in lexicon.commands.lists:
                yield lexicon.commands[name]

    def end_at(self, name: ListName, normalized: str, start: int = 0) -> int:
        """Return the end of the phrase of this list that begins at ``start``; -1 if there is none."""
        return max((phrase_list.end_at(normalized, start) for phrase_list in self._phrase_lists(name)), default=-1)

    def begins(self, names: Sequence[ListName], normalized: str, start: int = 0) -> bool:
        """Return whether a phrase of one of these lists begins at ``start``."""
        return any(self.end_at(name, normalized, start) >= 0 for name in names)

    def contains(self, name: ListName, normalized: str) -> bool:
        """Return whether the text has a phrase of this list anywhere."""
        return any(phrase_list.search(normalized) for phrase_list in self._phrase_lists(name))

    def contains_any(self, names: Sequence[ListName], normalized: str) -> bool:
        """Return whether the text has a phrase of one of these lists anywhere."""
        return any(self.contains(name, normalized) for name in names)

    def longest_match(self, name: ListName, text: str, normalized: str) -> str:
        """Return the longest phrase of this list in a text, as written; empty if there is none."""
        spans = [span for phrase_list in self._phrase_lists(name) for span in phrase_list.spans(normalized)]
        start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
        return text[start:end]

    def ends_with(self, name: ListName, normalized: str) -> bool:
        """Return whether the text ends with a phrase of this list."""
        tail = normalized[-60:]
        return any(end == len(tail) for phrase_list in self._phrase_lists(name) for _, end in phrase_list.spans(tail))

    def without(self, name: ListName, normalized: str) -> str:
        """Return the text with the phrases of this list replaced by spaces, with the same length."""
        for phrase_list in self._phrase_lists(name):
            normalized = phrase_list.blanked(normalized)
        return normalized
