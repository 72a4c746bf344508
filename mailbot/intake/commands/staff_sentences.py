"""The new text of staff, cut into sentences as they may be commands: line by line, without quotes and signature."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import level
from mailbot.intake.text import email_parts
from mailbot.intake.text.sentences import SENTENCES, sentences, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher


class StaffSentence(NamedTuple):
    """A sentence, the number of its paragraph, and, where an address or a note follows it, the lines of that."""

    text: str
    paragraph: int
    lines: tuple[str, ...] = ()


_NARROW = 50
_NEW = re.compile(r"\s*(?:[-*•·‣▪>]\s|\(?\d{1,2}[.)]\s)")
_ENDED = re.compile(r"[.!?:;。…\uff01\uff1f\uff1a]['\")\]*_]{0,4}\s*$")


def sayings(text: str, ears: CommandMatcher, commands: Callable[[str], bool]) -> tuple[StaffSentence, ...]:
    """Cut the new text of a mail.

    Args:
        text: what the sender wrote now.
        ears: the word lists.
        commands: whether a line is a command as it stands; it is one even where the line before has run to its end.
    """
    lines = _before_closing(_lines(tidy(_uncommented(text))), ears)
    return tuple(islice(_cut(lines, ears, commands), SENTENCES))


def _uncommented(text: str) -> str:
    """Without HTML comments: nobody sees them."""
    shown = []
    at = 0
    while (begin := text.find("<!--", at)) >= 0:
        shown.append(text[at:begin])
        end = text.find("-->", begin)
        if end < 0:
            return "".join(shown)
        at = end + 3
    return "".join((*shown, text[at:]))


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if not line.lstrip().startswith((">", "|"))]


def _before_closing(lines: Sequence[str], ears: CommandMatcher) -> list[str]:
    """The lines down to the signature; "Thanks!" and "Thanks, go ahead" close nothing."""
    shown = tuple("" if line.endswith((".", "!")) or ears.has("speaks", level(line)) else line for line in lines)
    return list(lines[: email_parts.end(shown, ears.lexicons)])


def _cut(lines: Sequence[str], ears: CommandMatcher, commands: Callable[[str], bool]) -> Iterator[StaffSentence]:
    for paragraph, block in enumerate(_paragraphs(lines)):
        width = max(map(len, block))
        at = 0
        while at < len(block):
            joined = block[at]
            at += 1
            while at < len(block) and _goes_on(block[at - 1], block[at], width, ears, commands):
                joined = f"{joined} {block[at]}"
                at += 1
            said = [sentence for sentence in sentences(joined) if sentence]
            for index, sentence in enumerate(said):
                if opens(sentence, "ship_to", ears):
                    rest = [*said[index + 1 :]]
                    while at < len(block) and not commands(block[at]):
                        rest.append(block[at])
                        at += 1
                    yield StaffSentence(sentence, paragraph, tuple(rest))
                    break
                if opens(sentence, "note", ears):
                    yield StaffSentence(sentence, paragraph, (*said[index + 1 :], *block[at:]))
                    at = len(block)
                    break
                yield StaffSentence(sentence, paragraph)


_FRAME = re.compile(r"[\s,:!.*_•·\u2013\u2014-]*")


def opens(sentence: str, name: str, ears: CommandMatcher) -> bool:
    """Whether a sentence begins with this command, after a polite word or two."""
    low = level(sentence)
    start = _skip(low, 0)
    for _ in range(3):
        if ears.at(name, low, start) >= 0:
            return True
        if (polite := ears.at("polite", low, start)) < 0:
            return False
        start = _skip(low, polite)
    return False


def _skip(low: str, start: int) -> int:
    found = _FRAME.match(low, start)
    return found.end() if found else start


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in (*lines, ""):
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def _goes_on(line: str, following: str, width: int, ears: CommandMatcher, commands: Callable[[str], bool]) -> bool:
    """Whether a line is the first part of a wrapped one."""
    if _ENDED.search(line) or _NEW.match(following):
        return False
    if ears.ends("dangling", level(line.rstrip(" ,"))):
        return True
    word = following.split(" ", 1)[0]
    return len(line) + 1 + len(word) > max(width, _NARROW) and not commands(following)
