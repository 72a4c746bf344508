"""A mail as ``mailbot explain`` shows it: what was taken from where, marked in the text, and what was not taken, and why."""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
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
"""Characters of a text that are shown."""

_STYLES = {"serial": "bold green", "reason": "yellow", "order": "bold cyan"}
_EXCLUSION = "bold red"
_TEXT = "the text"
_INDENT = "    "


class Annotation(NamedTuple):
    """A stretch of a text that something was taken from: a serial, the reason, an exclusion by its name, an order number."""

    start: int
    end: int
    what: str


class FoldedText:
    """A text as its letters and digits alone, each with its place: what was taken is found again however it was written."""

    def __init__(self, text: str, lexicons: Sequence[LanguageWords]) -> None:
        self.text, self.lexicons = text, lexicons
        letters = [
            (letter, at)
            for at, char in enumerate(text)
            for letter in unicodedata.normalize("NFKC", char).upper()
            if letter.isalnum()
        ]
        self.letters = "".join(letter for letter, _ in letters)
        self.places = [at for _, at in letters]

    def find(self, piece: str) -> list[tuple[int, int]]:
        """Where a piece stands."""
        key = serial_key(piece)
        spans = []
        at = self.letters.find(key) if key else -1
        while at >= 0:
            spans.append((self.places[at], self.places[at + len(key) - 1] + 1))
            at = self.letters.find(key, at + len(key))
        return spans

    def find_number(self, number: str) -> list[tuple[int, int]]:
        """Where a number stands by itself, else as a part of a word, else the range that it is a member of."""
        spans = self.find(number)
        return [span for span in spans if not self._touched(*span)] or spans or self._ranges.get(serial_key(number), [])

    def _touched(self, start: int, end: int) -> bool:
        around = self.text[max(0, start - 1) : start] + self.text[end : end + 1]
        return any(char.isascii() and char.isalnum() for char in around)

    @cached_property
    def _ranges(self) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        for line in re.finditer(r"[^\n]{1,2000}", self.text):
            for one in ranges(line[0], self.lexicons):
                for member in one.members:
                    found.setdefault(member, []).append((line.start() + one.first.start, line.start() + one.last.end))
        return found


class AnnotatedMessage:
    """A mail with what was understood of it.

    Args:
        message: the mail, read.
        request: what was understood.
        case: the case it belongs to, as it was before.
        snapshot: the registry's rows for the mail's codes.
        desk: the company's desk.
    """

    def __init__(self, message: Message, request: Request, case: Case | None, snapshot: Snapshot, desk: Desk) -> None:
        self.message, self.request = message, request
        self.mail = MessageContent(message, case, snapshot, desk)
        self.decoys = rejected_strings(message, request, case, snapshot, desk)
        self.subject = self._folded(message.subject)
        self.texts = [self._folded(_start(message.visible))]
        if self.mail.is_forward:
            self.texts.append(self._folded(_start(message.quoted)))

    def _folded(self, text: str) -> FoldedText:
        return FoldedText(text, self.mail.lexicons)

    def marks(self, text: FoldedText) -> list[Annotation]:
        """What was taken from a text, in order; of two that begin together the longer one first."""
        serials = [unit.serial for unit in (*self.request.units, *self.request.foreign) if unit.serial]
        found = {Annotation(*span, "serial") for serial in serials for span in text.find_number(serial)}
        for name, pieces in (("reason", self._reasons), *self._admitted.items()):
            found |= {Annotation(*span, name) for piece in pieces for span in text.find(piece)}
        found |= {Annotation(*span, "order") for span in text.find_number(self.request.po_number or "")}
        return sorted(found, key=lambda mark: (mark.start, -mark.end, mark.what))

    def whence(self, number: str) -> str:
        """Where a number was taken from: "the subject, list.csv"; empty where it stands in the text alone."""
        named = [name for name, text in self._places if text.find_number(number)]
        if set(named) == {_TEXT}:
            return ""
        if not named:
            named = ["the quoted text" if self._folded(self.message.quoted).find_number(number) else "the case"]
        return ", ".join(dict.fromkeys(named))

    @cached_property
    def _places(self) -> list[tuple[str, FoldedText]]:
        """All texts that a number may be taken from, by name."""
        documents = [(document.name, self._folded(_said(document))) for document in self.message.documents]
        names = [(f"the name of {each.name}", self._folded(each.name)) for each in self.message.attachments]
        return [("the subject", self.subject), *((_TEXT, text) for text in self.texts), *documents, *names]

    @cached_property
    def _reasons(self) -> list[str]:
        """The reasons as they may stand in a text: whole, else sentence by sentence."""
        told = dict.fromkeys(unit.reason for unit in self.request.units if unit.reason) or {self.request.reason: None}
        seen = (*self.texts, self.subject)
        return [
            piece
            for reason in told
            for piece in ([reason] if any(text.find(reason) for text in seen) else sentences(reason))
        ]

    @cached_property
    def _admitted(self) -> dict[str, list[str]]:
        """The exclusions of the request, each with the sentences that state it."""
        names = dict.fromkeys((*self.request.exclusions, *(x for i in self.request.units for x in i.exclusions)))
        if not names:
            return {}
        told = (*self.mail.sentences, self.mail.own_subject)
        pairs = [
            (text, exclusions.stated_exclusions(text, after, self.mail.lexicons))
            for text, after in pairwise((*told, ""))
        ]
        return {name: [text for text, stated in pairs if name in stated] for name in names}

    def show(self, file: str) -> None:
        """Show subject and text with what was taken marked: in colours on a terminal, else in brackets."""
        title = (self.subject.text, self.marks(self.subject))
        texts = [(text.text, self.marks(text)) for text in self.texts if text.text.strip()]
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
        console.print(Text.assemble((f"{escaped(file)}: ", "bold"), coloured(*title)), end="\n\n")
        for text in texts:
            console.print(Padding(coloured(*text), (0, 0, 1, len(_INDENT)), expand=False))
        for note in self.request.notes:
            console.print(Text.assemble(("  note      ", "dim"), escaped(note)))
        names = dict.fromkeys(mark.what for _, marks in (title, *texts) for mark in marks)
        if names:
            legend = Text(", ").join(Text(name, _style(name)) for name in names)
            console.print(Text.assemble(("  marked    ", "dim"), legend))


def _start(text: str) -> str:
    """As much of a text as is shown."""
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}\n({len(text) - CHARACTERS} more characters)"


def _said(document: Document) -> str:
    return "\n".join((document.text, *(" ".join(row) for table in document.tables for row in table.rows)))


# ---------------------------------------------------------------- marks in a text


def bracketed(text: str, marks: Sequence[Annotation]) -> str:
    """A text with its marks as words: ``the board [serial: AH2F104432] is dead``. Marks of one stretch share a bracket."""
    pieces: list[str] = []
    ends: list[int] = []
    at = 0
    for (start, end), names in _stretches(marks):
        while ends and ends[-1] <= start:
            pieces += [_clean(text[at : ends[-1]]), "]"]
            at = ends.pop()
        pieces += [_clean(text[at:start]), f"[{', '.join(names)}: "]
        at = start
        ends.append(min(end, *ends) if ends else end)
    for end in reversed(ends):
        pieces += [_clean(text[at:end]), "]"]
        at = end
    return "".join((*pieces, _clean(text[at:])))


def _stretches(marks: Iterable[Annotation]) -> list[tuple[tuple[int, int], list[str]]]:
    found: dict[tuple[int, int], list[str]] = {}
    for mark in marks:
        found.setdefault((mark.start, mark.end), []).append(mark.what)
    return list(found.items())


def coloured(text: str, marks: Sequence[Annotation]) -> Text:
    """A text with its marks in colours, for a terminal; of several the one that began last shows, a serial always."""
    from rich.text import Text

    whole = Text()
    edges = sorted({0, len(text), *(edge for mark in marks for edge in (mark.start, mark.end))})
    for start, end in pairwise(edges):
        here = [mark.what for mark in marks if mark.start <= start and end <= mark.end]
        shown = "serial" if "serial" in here else here[-1] if here else ""
        whole.append(_clean(text[start:end]), _style(shown) if shown else "")
    return whole


def _style(what: str) -> str:
    return _STYLES.get(what, _EXCLUSION)


def _clean(text: str) -> str:
    """A stranger's text without signs that move a cursor; line ends stay (H6)."""
    return "\n".join(escaped(line.replace("\t", "  ")) for line in text.split("\n"))
