"""A mail opened: what is new in it, what it passes on, what it quotes, sentence by sentence, and the units it names."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.worksheets import wanted
from mailbot.intake.entities.serial_reader import Mention, Reader
from mailbot.intake.entities.serials import LONGEST as LONGEST_SERIAL
from mailbot.intake.entities.serials import covered, serial_key, tokens
from mailbot.intake.entities.tables import rows, title_kind, typed
from mailbot.intake.statements import exclusions, reasons
from mailbot.intake.text import email_parts
from mailbot.intake.text.language import language, languages
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import LONGEST, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Message, Missing, Snapshot


class AnsweredQuestion(NamedTuple):
    """A line that answers a question of ours, and the question."""

    question: str
    text: str


_SEVERAL, _FEW = 2, 4
_NOTE = 300
"""Characters of a mail that only announces its answers."""

_INITIALS = re.compile(r"(?:\[?[A-Z]{2,3}\]?\s?[:>]|[A-Z][\w ]{1,30}:|>>|-->|=>|(?<!\*)\*++|A:)\s+")
_FIELD = re.compile(r"(?P<title>[^:]{2,60}):\s+(?P<value>\S.*)")
_TOLD = 24
"""Sentences, or cells of a row, that are about one unit."""

_PHONE = re.compile(r"\+\d|\(\d{2,4}\)|\d{2,4}[- ./]\d{2,4}[- ./]\d")
_ADDRESS = re.compile(r"https?://\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,253}")


class MessageText:
    """A mail taken apart.

    ``own`` is the new text, ``told`` all sentences that count: the new text up to the signature, what is passed on,
    and the text of the documents. ``title`` is the subject where it is the sender's own.
    """

    def __init__(self, message: Message, case: Case | None, snapshot: Snapshot, desk: Desk) -> None:
        self.message, self.case, self.known, self.desk = message, case, snapshot, desk
        self.subject = email_parts.SubjectLine(message.subject)
        self.passes_on = message.forwarded or self.subject.passes_on
        self.language, *perhaps = languages(self._spoken(), desk.words)
        passed = language((message.quoted,), desk.words) if self.passes_on and message.quoted else self.language
        self.lexicons = desk.words.of(self.language, passed, perhaps=perhaps)
        self.reader = Reader(snapshot.units, desk, self.lexicons, expected=self.asked("serial"))
        self.typed, text = typed(_without_cells(message), self.lexicons)
        self.own = sentences(text)
        self.title = "" if self.answers else self.subject.text

    @cached_property
    def theirs(self) -> tuple[str, ...]:
        """The lines of the quoted text that are not our own mail: what the customer wrote before."""
        return email_parts.earlier(self.message.quoted[:LONGEST], (self.desk.address, *self.desk.aliases))

    def _spoken(self) -> Iterator[str]:
        """The texts that may show the mail's language, the sender's own first."""
        yield self.message.visible if self.subject.answers else f"{self.message.visible}\n{self.subject.text}"
        yield self.subject.text
        yield from (document.text for document in self.message.documents)
        yield "\n".join(self.theirs)
        yield self.message.quoted

    @property
    def answers(self) -> bool:
        """Whether the mail answers one of ours."""
        if self.case is not None:
            return True
        return not self.passes_on and (
            bool(self.message.thread) or (self.subject.answers and bool(self.message.quoted.strip()))
        )

    def asked(self, what: Missing) -> bool:
        """Whether we had asked for a serial or a reason, as far as the case or the quoted text shows."""
        if self.case is not None:
            return self.case.state == "asking" and (what in self.case.asked or not self.case.asked)
        if not self.answers:
            return False
        ours = plain(f"{self.message.subject} {self.message.quoted[:LONGEST]}")
        return any(getattr(lexicon.labels, what).search(ours) for lexicon in self.lexicons)

    @cached_property
    def end(self) -> int:
        """The index of the sentence of the new text that closes the letter."""
        sender = self.message.sender
        named = email_parts.end(self.own, self.lexicons, email_parts.names(sender.name, sender.email) if sender else ())
        spoken = any(
            serial_key(word[0]) in self.known.units for text in self.own[named:] for word in tokens(covered(text))
        )
        return email_parts.end(self.own, self.lexicons) if spoken else named

    @cached_property
    def told(self) -> tuple[str, ...]:
        """All sentences that count, paragraphs apart."""
        own = (*self.own[: self.end], "", *email_parts.postscript(self.own[self.end :]))
        passed = sentences(email_parts.without_headers(self.message.quoted)) if self.passes_on else ()
        documents = (sentence for document in self.message.documents for sentence in (*sentences(document.text), ""))
        spoken = set(self.own)
        inline = [text for reply in self.replies for text in sentences(reply.text) if text and text not in spoken]
        return (
            *(email_parts.without_greeting(sentence, self.lexicons) for sentence in own),
            *("", *inline, "", *passed, "", *documents),
        )

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """The same without addresses (``rma@`` asks for nothing), and with a word for the unit where its serial stands."""
        unit = next((lexicon.labels.device.phrases[0] for lexicon in self.lexicons if lexicon.labels.device), "")
        heard = list(self.told)
        for mention in sorted(self.in_told, key=lambda mention: -mention.start):
            text = heard[mention.sentence]
            if mention.end - mention.start <= LONGEST_SERIAL:
                heard[mention.sentence] = f"{text[: mention.start]} {unit} {text[mention.end :]}"
        return tuple(_ADDRESS.sub(" ", sentence) for sentence in heard)

    @cached_property
    def replies(self) -> tuple[AnsweredQuestion, ...]:
        """The answers between the lines of our own mail: below its questions, in its form, or where the mail says so."""
        return tuple(self._replies()) if self.answers else ()

    def _replies(self) -> Iterator[AnsweredQuestion]:
        announced = any(lexicon.letter.inline.search(plain(self.message.visible[:_NOTE])) for lexicon in self.lexicons)
        question, signed = "", set(self.own[self.end :])
        lines = self.message.text.split("\n")[:2_000]
        form = any(lexicon.letter.form.search(plain(self.message.quoted[:LONGEST])) for lexicon in self.lexicons)
        for line in lines:
            text = line.lstrip("> ").strip()
            if form and line.startswith(">") and (field := _FIELD.fullmatch(text)):
                kind = title_kind(field["title"], self.lexicons)
                if kind in {"serial", "reason"} and not self._ours(field["value"]):
                    yield AnsweredQuestion(f"{field['title']}:", text if kind == "serial" else field["value"])
                    continue
            ours = line.startswith(">") or (announced and text.endswith("?"))
            if ours:
                question = text if text.endswith(("?", ":")) or '"' in text else ""
            elif text and question and text not in signed:
                yield AnsweredQuestion(question, _INITIALS.sub("", text))

    def _ours(self, value: str) -> bool:
        """Whether a quoted field repeats what the case holds: we wrote it, not the customer."""
        held = (
            plain(text)
            for unit in (self.case.units if self.case else ())
            for text in (unit.serial, unit.reason)
            if text
        )
        said = plain(value)
        return any(text in said or said in text for text in held)

    @cached_property
    def in_told(self) -> tuple[Mention, ...]:
        """The serials of the sentences that count."""
        return self.reader.mentions(self.told)


def _without_cells(message: Message) -> str:
    """The new text without the lines that are rows of its own tables."""
    lines = {"".join(row) for table in message.tables for row in table.rows}
    return "\n".join(
        line
        for line in message.visible[:LONGEST].split("\n")
        if line.replace("\t", "") not in lines or not line.strip()
    )
