"""The registry keys to look up for a message: serial numbers, parts of words, members of ranges, and look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailbot.intake.entities.ranges import ranges
from mailbot.intake.entities.serials import (
    MAX_JOINED,
    MAX_SERIAL,
    MIN_SERIAL,
    has_digit,
    has_serial_form,
    hyphenated_parts,
    lookalikes,
    mask_non_serials,
    serial_key,
    tokens,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.desk import Desk

MAX_KEYS = 2_000
"""The maximum number of keys of one message that are looked up in the registry."""

MAX_WORDS = 15_000
"""The maximum number of words, in lines with a digit, that are combined into keys."""

MAX_LOOKALIKES = 400
"""The maximum number of look-alikes among them: spellings that the writer may have meant."""

_MAX_WITH_LOOKALIKES = 200
"""The maximum number of strings of one message for which look-alikes are computed."""

_MAX_LINE = 2_000
"""The maximum length in characters of a line that is searched for ranges and look-alikes."""


def lookup_keys(texts: Iterable[str], desk: Desk) -> tuple[str, ...]:
    """Return all keys in these texts that should be looked up in the registry, within the limits."""
    found: dict[str, None] = {}
    lookalike_keys: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    remaining = MAX_WORDS
    for text in texts:
        if len(found) >= MAX_KEYS or not remaining:
            break
        if text in seen or not has_digit(text):
            continue
        seen.add(text)
        masked = mask_non_serials(text)
        words = tokens(masked)[:remaining]
        remaining -= len(words)
        for key in _keys(masked, words, desk, lookalike_keys):
            found.setdefault(key)
            if len(found) >= MAX_KEYS:
                break
        if len(masked) <= _MAX_LINE:
            members = (one.members for one in ranges(masked, desk.words.everything) if has_serial_form(one.members[0], desk))
            found.update((key, None) for keys in members for key in keys)
    flat_lookalikes = tuple(dict.fromkeys(key for group in lookalike_keys.values() for key in group))[:MAX_LOOKALIKES]
    return tuple(dict.fromkeys((*tuple(found)[: MAX_KEYS - len(flat_lookalikes)], *flat_lookalikes)))


def _keys(text: str, words: Sequence[re.Match[str]], desk: Desk, lookalike_keys: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield the keys of a text: words, adjacent words combined, and parts of words. Add their look-alikes."""
    for index, word in enumerate(words):
        if not has_digit(text[word.start() : words[min(index + MAX_JOINED, len(words)) - 1].end()]):
            yield from hyphenated_parts(word[0])
            continue
        for count in range(1, MAX_JOINED + 1):
            group = words[index : index + count]
            written = text[word.start() : group[-1].end()]
            if len(group) < count or len(written) < MIN_SERIAL or not has_digit(written):
                continue
            if len(key := serial_key(written)) < MIN_SERIAL:
                continue
            if len(key) > MAX_SERIAL:
                break
            yield key
            if (
                count < MAX_JOINED
                and len(lookalike_keys) < _MAX_WITH_LOOKALIKES
                and len(text) <= _MAX_LINE
                and key not in lookalike_keys
            ):
                lookalike_keys[key] = lookalikes(written, desk)
        yield from hyphenated_parts(word[0])
