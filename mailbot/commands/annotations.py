"""Annotate an email for ``mailbot explain``: mark what was found in the text, and list what was rejected, and why."""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

import click

from mailbot.intake.entities.ranges import ranges
from mailbot.intake.entities.rejected import rejected_strings
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.message_content import MessageContent
from mailbot.intake.statements import exclusions
from mailbot.intake.text.sentences import sentences
from mailbot.runtime.logs import escaped

if TYPE_CHECKING:
    from rich.text import Text

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Case, Document, Message, Request, Snapshot

CHARACTERS = 40_000
"""How many characters of a text are printed."""

_STYLES = defaultdict(lambda: "bold red", serial="bold green", reason="yellow", order="bold cyan")
"""The color of each kind of annotation; all others are exclusions."""
_TEXT = "the text"
_INDENT = "    "


class Annotation(NamedTuple):
    """A part of a text and what was found there: ``serial``, ``reason``, ``order``, or the name of an exclusion.

    ``start`` and ``end`` are positions of characters; ``end`` is exclusive.
    """

    start: int
    end: int
    what: str


class FoldedText:
    """A text reduced to upper-case letters and digits, each with its position.

    A value that was found is located again even if it was written with other punctuation or spaces.
    """

    def __init__(self, text: str, language_words: Sequence[LanguageWords]) -> None:
        self.text, self.language_words = text, language_words
        characters = [
            (letter, at)
            for at, char in enumerate(text)
            for letter in unicodedata.normalize("NFKC", char).upper()
            if letter.isalnum()
        ]
        self.characters = "".join(letter for letter, _ in characters)
        self.positions = [at for _, at in characters]

    def find(self, value: str) -> list[tuple[int, int]]:
        """Return where a value is in the text, as (start, end)."""
        key = serial_key(value)
        spans = []
        at = self.characters.find(key) if key else -1
        while at >= 0:
            spans.append((self.positions[at], self.positions[at + len(key) - 1] + 1))
            at = self.characters.find(key, at + len(key))
        return spans

    def find_number(self, number: str) -> list[tuple[int, int]]:
        """Return where a number is in the text: as a whole word, else within a word, else the range that includes it."""
        spans = self.find(number)
        return [span for span in spans if not self._within_word(*span)] or spans or self._ranges.get(serial_key(number), [])

    def _within_word(self, start: int, end: int) -> bool:
        neighbors = self.text[max(0, start - 1) : start] + self.text[end : end + 1]
        return any(char.isascii() and char.isalnum() for char in neighbors)

    @cached_property
    def _ranges(self) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        for line in re.finditer(r"[^\n]{1,2000}", self.text):
            for one in ranges(line[0], self.language_words):
                for member in one.members:
                    found.setdefault(member, []).append((line.start() + one.first.start, line.start() + one.last.end))
        return found


class AnnotatedMessage:
    """An email with what was found in it. ``case`` is the one that it belongs to, as it was before this email."""

    def __init__(self, message: Message, request: Request, case: Case | None, snapshot: Snapshot, desk: Desk) -> None:
        self.message, self.request = message, request
        self.content = MessageContent(message, case, snapshot.units, desk)
        self.rejected = rejected_strings(message, request, case, snapshot, desk)
        self.subject = self._fold(message.subject)
        self.texts = [self._fold(_truncated(message.visible))]
        if self.content.is_forward:
            self.texts.append(self._fold(_truncated(message.quoted)))

    def _fold(self, text: str) -> FoldedText:
        return FoldedText(text, self.content.lexicons)

    def annotations(self, text: FoldedText) -> list[Annotation]:
        """Return what was found in a text, sorted by start; if two start together, the longer one comes first."""
        serials = [unit.serial for unit in (*self.request.units, *self.request.foreign) if unit.serial]
        found = {Annotation(*span, "serial") for serial in serials for span in text.find_number(serial)}
        for name, values in (("reason", self._reasons), *self._exclusions.items()):
            found |= {Annotation(*span, name) for value in values for span in text.find(value)}
        found |= {Annotation(*span, "order") for span in text.find_number(self.request.po_number or "")}
        return sorted(found, key=lambda each: (each.start, -each.end, each.what))

    def sources(self, number: str) -> str:
        """Return where a number was found: "the subject, list.csv"; empty if it is in the text only."""
        sources = [name for name, text in self._searched if text.find_number(number)]
        if set(sources) == {_TEXT}:
            return ""
        if not sources:
            sources = ["the quoted text" if self._fold(self.message.quoted).find_number(number) else "the case"]
        return ", ".join(dict.fromkeys(sources))

    @cached_property
    def _searched(self) -> list[tuple[str, FoldedText]]:
        """All texts that a number may be found in, by name."""
        documents = [(document.name, self._fold(_document_text(document))) for document in self.message.documents]
        names = [(f"the name of {each.name}", self._fold(each.name)) for each in self.message.attachments]
        return [("the subject", self.subject), *((_TEXT, text) for text in self.texts), *documents, *names]

    @cached_property
    def _reasons(self) -> list[str]:
        """The reasons as they can be found in a text: whole, else sentence by sentence."""
        reasons = dict.fromkeys(unit.reason for unit in self.request.units if unit.reason) or {self.request.reason: None}
        texts = (*self.texts, self.subject)
        return [
            part for reason in reasons for part in ([reason] if any(text.find(reason) for text in texts) else sentences(reason))
        ]

    @cached_property
    def _exclusions(self) -> dict[str, list[str]]:
        """The names of the request's exclusions, each with the sentences that state it."""
        names = dict.fromkeys((*self.request.exclusions, *(x for i in self.request.units for x in i.exclusions)))
        if not names:
            return {}
        stated_in = (*self.content.sentences, self.content.own_subject)
        pairs = pairwise((*stated_in, ""))
        stated = [(text, exclusions.stated_exclusions(text, after, self.content.lexicons)) for text, after in pairs]
        return {name: [text for text, found in stated if name in found] for name in names}

    def print(self, file: str) -> None:
        """Print subject and text, annotated: in colors on a terminal, else in brackets."""
        title = (self.subject.text, self.annotations(self.subject))
        texts = [(text.text, self.annotations(text)) for text in self.texts if text.text.strip()]
        if not sys.stdout.isatty():
            click.echo(f"{escaped(file)}: {bracketed(*title)}\n")
            for text in texts:
                click.echo(textwrap.indent(bracketed(*text), _INDENT) + "\n")
            for note in self.request.notes:
                click.echo(f"{_INDENT}note: {escaped(note)}")
            return
        from rich.console import Console
        from rich.padding import Padding
        from rich.text import Text

        console = Console(highlight=False)
        console.print(Text.assemble((f"{escaped(file)}: ", "bold"), colored(*title)), end="\n\n")
        for text in texts:
            console.print(Padding(colored(*text), (0, 0, 1, len(_INDENT)), expand=False))
        for note in self.request.notes:
            console.print(Text.assemble(("  note      ", "dim"), escaped(note)))
        names = dict.fromkeys(each.what for _, annotations in (title, *texts) for each in annotations)
        if names:
            legend = Text(", ").join(Text(name, _STYLES[name]) for name in names)
            console.print(Text.assemble(("  marked    ", "dim"), legend))


def _truncated(text: str) -> str:
    """Return the part of a text that is printed."""
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}\n({len(text) - CHARACTERS} more characters)"


def _document_text(document: Document) -> str:
    return "\n".join((document.text, *(" ".join(row) for table in document.tables for row in table.rows)))


# ---------------------------------------------------------------- annotations in a text


def bracketed(text: str, annotations: Sequence[Annotation]) -> str:
    """Return a text with its annotations in brackets: ``the board [serial: AH2F104432] is dead``.

    Annotations of the same part share one bracket.
    """
    pieces: list[str] = []
    ends: list[int] = []
    at = 0
    for (start, end), group in groupby(annotations, key=lambda each: each[:2]):
        while ends and ends[-1] <= start:
            pieces += [_clean(text[at : ends[-1]]), "]"]
            at = ends.pop()
        pieces += [_clean(text[at:start]), f"[{', '.join(each.what for each in group)}: "]
        at = start
        ends.append(min(end, *ends) if ends else end)
    for end in reversed(ends):
        pieces += [_clean(text[at:end]), "]"]
        at = end
    return "".join((*pieces, _clean(text[at:])))


def colored(text: str, annotations: Sequence[Annotation]) -> Text:
    """Return a text with its annotations in colors, for a terminal.

    Where annotations overlap, ``serial`` has priority, then the one that starts last.
    """
    from rich.text import Text

    styled = Text()
    edges = sorted({0, len(text), *(edge for each in annotations for edge in (each.start, each.end))})
    for start, end in pairwise(edges):
        here = [each.what for each in annotations if each.start <= start and end <= each.end]
        what = "serial" if "serial" in here else here[-1] if here else ""
        styled.append(_clean(text[start:end]), _STYLES[what] if what else "")
    return styled


def _clean(text: str) -> str:
    """Escape control characters in an untrusted text, so that it cannot move the cursor; line ends stay."""
    return "\n".join(escaped(line.replace("\t", "  ")) for line in text.split("\n"))
