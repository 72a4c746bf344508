"""The new text of staff, split into sentences that may be commands: line by line, without quotes and signature."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.intake.text import email_parts
from mailbot.intake.text.sentences import MAX_SENTENCES, sentences, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.statements.word_sections import CommandList


class StaffSentence(NamedTuple):
    """A sentence, the number of its paragraph, and the lines that follow it if it begins an address or a note."""

    text: str
    paragraph: int
    lines: tuple[str, ...] = ()


_COMMENT = re.compile(r"<!(?=--).*?(?:-->|\Z)", re.DOTALL)
"""An HTML comment, which readers do not see."""

_MIN_WIDTH = 50
_LIST_ITEM = re.compile(r"\s*(?:[-*•·‣▪>]\s|\(?\d{1,2}[.)]\s)")
_LINE_END = re.compile(r"[.!?:;。…\uff01\uff1f\uff1a]['\")\]*_]{0,4}\s*$")


def split_staff_text(text: str, matcher: CommandMatcher, is_command: Callable[[str], bool]) -> tuple[StaffSentence, ...]:
    """Split the new text of a message. A line that ``is_command`` by itself is never joined to the line before."""
    lines = _before_closing(_lines(tidy(_COMMENT.sub("", text))), matcher)
    return tuple(islice(_split_lines(lines, matcher, is_command), MAX_SENTENCES))


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n") if not line.lstrip().startswith((">", "|"))]


def _before_closing(lines: Sequence[str], matcher: CommandMatcher) -> list[str]:
    """Return the lines above the signature; "Thanks!" and "Thanks, go ahead" are not closings."""
    kept = tuple(
        "" if line.endswith((".", "!")) or matcher.contains("speaks", normalize_in_place(line)) else line for line in lines
    )
    return list(lines[: email_parts.closing_index(kept, matcher.lexicons)])


def _split_lines(lines: Sequence[str], matcher: CommandMatcher, is_command: Callable[[str], bool]) -> Iterator[StaffSentence]:
    for paragraph, block in enumerate(_paragraphs(lines)):
        width = max(map(len, block))
        index = 0
        while index < len(block):
            joined = block[index]
            index += 1
            while index < len(block) and _is_wrapped(block[index - 1], block[index], width, matcher, is_command):
                joined = f"{joined} {block[index]}"
                index += 1
            parts = [sentence for sentence in sentences(joined) if sentence]
            for number, sentence in enumerate(parts):
                if begins_with(sentence, "ship_to", matcher):
                    following_lines = [*parts[number + 1 :]]
                    while index < len(block) and not is_command(block[index]):
                        following_lines.append(block[index])
                        index += 1
                    yield StaffSentence(sentence, paragraph, tuple(following_lines))
                    break
                if begins_with(sentence, "note", matcher):
                    yield StaffSentence(sentence, paragraph, (*parts[number + 1 :], *block[index:]))
                    index = len(block)
                    break
                yield StaffSentence(sentence, paragraph)


_FRAME = re.compile(r"[\s,:!.*_•·\u2013\u2014-]*")


def begins_with(sentence: str, name: CommandList, matcher: CommandMatcher) -> bool:
    """Return whether a sentence begins with this command, after up to two polite words."""
    normalized = normalize_in_place(sentence)
    start = _skip(normalized, 0)
    for _ in range(3):
        if matcher.begins((name,), normalized, start):
            return True
        if (polite := matcher.end_at("polite", normalized, start)) < 0:
            return False
        start = _skip(normalized, polite)
    return False


def _skip(normalized: str, start: int) -> int:
    found = _FRAME.match(normalized, start)
    return found.end() if found else start


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in (*lines, ""):
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def _is_wrapped(line: str, following: str, width: int, matcher: CommandMatcher, is_command: Callable[[str], bool]) -> bool:
    """Return whether a line is the first part of a wrapped line."""
    if _LINE_END.search(line) or _LIST_ITEM.match(following):
        return False
    if matcher.ends_with("dangling", normalize_in_place(line.rstrip(" ,"))):
        return True
    word = following.split(" ", 1)[0]
    return len(line) + 1 + len(word) > max(width, _MIN_WIDTH) and not is_command(following)
