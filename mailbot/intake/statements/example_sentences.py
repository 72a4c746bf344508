"""Example sentences of customers, each with the class of what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mailbot.model.statement import STATEMENT_CLASSES, SUB_CLASSES, StatementClass
from mailbot.strict_toml import ConfigError, nearest

_LANGUAGE = re.compile("[a-z]{2}")
_MAX_LENGTH = 600
"""The maximum number of characters of an example: longer text is more than a sentence."""


class Example(NamedTuple):
    """A sentence and what it says.

    ``sub_class`` is empty where the class has none (``model.statement.SUB_CLASSES``). ``language``: ISO 639-1 code. Serial
    numbers, models and other numbers in ``text`` are masked as <SERIAL>, <MODEL> and <NUMBER>.
    """

    statement_class: StatementClass
    sub_class: str
    language: str
    text: str

    @property
    def label(self) -> str:
        """The name in ``model.statement.LABELS``."""
        return f"{self.statement_class} {self.sub_class}".strip()

    @property
    def row(self) -> str:
        """The example as a line: class, sub-class, language and sentence, separated by tabs."""
        return "\t".join(self)


def packaged_examples(files: Mapping[str, str]) -> tuple[Example, ...]:
    """Return the examples of files named by their class, with sub-class, language and sentence in each line.

    Raises ConfigError: the text names the file, the line and the fix.
    """
    return _unique((f"{name}.tsv:{number}", f"{name}\t{line}") for name, text in files.items() for number, line in _lines(text))


def own_examples(text: str, file: str) -> tuple[Example, ...]:
    """Return the examples of one file with class, sub-class, language and sentence in each line.

    Raises ConfigError: the text names the file, the line and the fix.
    """
    return _unique((f"{file}:{number}", line) for number, line in _lines(text))


def digest(examples: Iterable[Example]) -> str:
    """Return a digest of examples, whatever their order."""
    return hashlib.sha256("\n".join(sorted(example.row for example in examples)).encode()).hexdigest()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, without empty ones and comments."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.rstrip("\r")


def _unique(rows: Iterable[tuple[str, str]]) -> tuple[Example, ...]:
    """Return the examples of rows, each given with its place. The same sentence must not be in two rows."""
    places: dict[str, str] = {}
    found = []
    for place, row in rows:
        example = _example(place, row)
        first = places.setdefault(example.text.casefold(), place)
        if first != place:
            raise ConfigError(f"{place}: {example.text!r} is also in {first}. Delete one of them.")
        found.append(example)
    return tuple(found)


def _example(place: str, row: str) -> Example:
    fields = [field.strip() for field in row.split("\t")]
    if len(fields) != len(Example._fields):
        raise ConfigError(f"{place}: {len(fields)} fields instead of {len(Example._fields)}: class, sub-class, language, sentence.")
    name, sub_class, language, text = fields
    statement_class = next((one for one in STATEMENT_CLASSES if one == name), None)
    if statement_class is None:
        raise ConfigError(f"{place}: there is no class {name!r}{nearest(name, STATEMENT_CLASSES)}.")
    sub_classes = SUB_CLASSES.get(statement_class, ("",))
    if sub_class not in sub_classes:
        expected = "no sub-class" if sub_classes == ("",) else f"one of {', '.join(sub_classes)}"
        raise ConfigError(f"{place}: the sub-class {sub_class!r} is not right for {name}: it takes {expected}.")
    if not _LANGUAGE.fullmatch(language):
        raise ConfigError(f"{place}: {language!r} is not a language code of two letters, such as en.")
    if not text or len(text) > _MAX_LENGTH:
        raise ConfigError(f"{place}: the sentence has {len(text)} characters; 1 to {_MAX_LENGTH} are allowed.")
    return Example(statement_class, sub_class, language, text)
