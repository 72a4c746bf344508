"""How staff's words are listened to: in place, so that what stands beside a phrase is known as written."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords


@lru_cache(maxsize=4096)
def _level(char: str) -> str:
    folded = plain(char) or " "
    return folded if len(folded) == 1 else char.lower()[:1]


def level(text: str) -> str:
    """The text as words are compared (see ``plain``), each character in its place."""
    return "".join(map(_level, text))


class CommandMatcher:
    """The phrases of ``[commands]`` in all these languages together; ``greetings`` and ``only`` are those of their own sections."""

    def __init__(self, lexicons: Sequence[LanguageWords]) -> None:
        self.lexicons = lexicons

    def _lists(self, name: str) -> Iterator[Phrases]:
        for lexicon in self.lexicons:
            section = lexicon.commands
            if name == "greetings":
                phrases = lexicon.letter.greetings
            else:
                phrases = lexicon.serials.only if name == "only" else getattr(section, name)
            if phrases:
                yield phrases

    def at(self, name: str, low: str, start: int = 0) -> int:
        """Where the phrase of this list ends that begins here; -1 where none does."""
        return max((one.end_at(low, start) for one in self._lists(name)), default=-1)

    def has(self, name: str, low: str) -> bool:
        """Whether a phrase of this list stands anywhere in the text."""
        return any(one.search(low) for one in self._lists(name))

    def named(self, name: str, text: str, low: str) -> str:
        """The longest phrase of this list in a text, as written; empty where none is."""
        spans = [span for one in self._lists(name) for span in one.spans(low)]
        start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
        return text[start:end]

    def ends(self, name: str, low: str) -> bool:
        """Whether the text ends with a phrase of this list."""
        tail = low[-60:]
        return any(end == len(tail) for one in self._lists(name) for _, end in one.spans(tail))

    def without(self, name: str, low: str) -> str:
        """The text with the phrases of this list blanked, of the same length."""
        for one in self._lists(name):
            low = one.blanked(low)
        return low
