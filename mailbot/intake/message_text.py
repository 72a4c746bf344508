"""The texts of a message: what is new, forwarded, and quoted, sentence by sentence."""

from __future__ import annotations

import re
from copy import copy
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.serial_reader import Mention, Reader
from mailbot.intake.entities.serials import MAX_SERIAL, mask_non_serials, serial_key, tokens
from mailbot.intake.entities.tables import extract_tables, title_kind
from mailbot.intake.statements.message_sentences import is_noise, message_sentences
from mailbot.intake.text import email_parts
from mailbot.intake.text.language import language, languages
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import MAX_TEXT, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Guess, Message, Missing, Unit


class AnsweredQuestion(NamedTuple):
    """A line that answers one of our questions, and the question."""

    question: str
    text: str


_MAX_ANNOUNCEMENT = 300
"""The number of characters at the beginning of a message that may announce inline answers."""

_INITIALS = re.compile(r"(?:\[?[A-Z]{2,3}\]?\s?[:>]|[A-Z][\w ]{1,30}:|>>|-->|=>|(?<!\*)\*++|A:)\s+")
_FORM_FIELD = re.compile(r"(?P<title>[^:]{2,60}):\s+(?P<value>\S.*)")
_ADDRESS = re.compile(r"https?://\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,253}")


class MessageText:
    """The texts of a message, split into sentences.

    ``own_sentences`` is the new text. ``sentences`` are all sentences that count: the new text up to the signature, the
    forwarded text, and the text of the documents. ``own_subject`` is the subject if the sender wrote it. ``known`` are the
    registry rows by key. ``classes``: see ``Snapshot``.
    """

    def __init__(
        self,
        message: Message,
        case: Case | None,
        known: Mapping[str, Unit],
        desk: Desk,
        classes: Mapping[str, tuple[Guess, ...]] = MappingProxyType({}),
    ) -> None:
        self.message, self.case, self.desk, self.classes = message, case, desk, classes
        self.subject = email_parts.SubjectLine(message.subject)
        self.is_forward = message.forwarded or self.subject.is_forward
        self.language, *possible = languages(self._language_samples(), desk.words)
        forwarded_language = language((message.quoted,), desk.words) if self.is_forward and message.quoted else self.language
        self.lexicons = desk.words.of(self.language, forwarded_language, possible=possible)
        self.typed_tables, text = extract_tables(_without_cells(message), self.lexicons)
        self.own_sentences = sentences(text)
        self.own_subject = "" if self.is_reply else self.subject.text
        self.known, self.reader = known, Reader(known, desk, self.lexicons, expected=self.asked_for("serial"))

    def with_known(self, known: Mapping[str, Unit]) -> Self:
        """Return the same texts with other registry rows: what depends on the known units is determined again."""
        other = copy(self)
        for name in list(vars(self)):
            if isinstance(getattr(type(self), name, None), cached_property):
                delattr(other, name)
        other.known, other.reader = known, self.reader.knowing(known)
        return other

    @cached_property
    def earlier_lines(self) -> tuple[str, ...]:
        """The lines of the quoted text that are not from us: what the customer wrote earlier."""
        return email_parts.earlier_lines(self.message.quoted[:MAX_TEXT], (self.desk.address, *self.desk.aliases))

    def _language_samples(self) -> Iterator[str]:
        """Yield the texts that may show the language of the message, the sender's own first."""
        yield self.message.visible if self.subject.is_reply else f"{self.message.visible}\n{self.subject.text}"
        yield self.subject.text
        yield from (document.text for document in self.message.documents)
        yield "\n".join(self.earlier_lines)
        yield self.message.quoted

    @property
    def is_reply(self) -> bool:
        """Whether the message replies to one of our messages."""
        if self.case is not None:
            return True
        return not self.is_forward and (bool(self.message.thread) or (self.subject.is_reply and bool(self.message.quoted.strip())))

    def asked_for(self, what: Missing) -> bool:
        """Whether we had asked for a serial number or a reason, according to the case or the quoted text."""
        if self.case is not None:
            return self.case.state == "asking" and (what in self.case.asked or not self.case.asked)
        if not self.is_reply:
            return False
        our_text = normalize(f"{self.message.subject} {self.message.quoted[:MAX_TEXT]}")
        return any(getattr(lexicon.labels, what).search(our_text) for lexicon in self.lexicons)

    @cached_property
    def closing_index(self) -> int:
        """The index of the sentence of the new text that closes the message."""
        sender = self.message.sender
        named_closing = email_parts.closing_index(
            self.own_sentences, self.lexicons, email_parts.writer_names(sender.name, sender.email) if sender else ()
        )
        has_serials_below = any(
            serial_key(word[0]) in self.known
            for text in self.own_sentences[named_closing:]
            for word in tokens(mask_non_serials(text))
        )
        return email_parts.closing_index(self.own_sentences, self.lexicons) if has_serials_below else named_closing

    @cached_property
    def noise(self) -> frozenset[str]:
        """The sentences that certainly say nothing about a request: banners of gateways, disclaimers, courtesies, advertising."""
        if self.asked_for("reason"):
            return frozenset()
        return frozenset(each.text for each in message_sentences(self) if is_noise(each, self))

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """All sentences that count, with an empty one between paragraphs and for noise."""
        own = (*self.own_sentences[: self.closing_index], "", *email_parts.postscript(self.own_sentences[self.closing_index :]))
        forwarded = sentences(email_parts.without_headers(self.message.quoted)) if self.is_forward else ()
        documents = (sentence for document in self.message.documents for sentence in (*sentences(document.text), ""))
        new_sentences = set(self.own_sentences)
        inline = [text for reply in self.inline_answers for text in sentences(reply.text) if text and text not in new_sentences]
        found = (
            *(email_parts.without_greeting(sentence, self.lexicons) for sentence in own),
            *("", *inline, "", *forwarded, "", *documents),
        )
        return tuple("" if sentence in self.noise else sentence for sentence in found) if self.noise else found

    @cached_property
    def masked_sentences(self) -> tuple[str, ...]:
        """``sentences`` with serial numbers replaced by a word for the unit, and without addresses.

        An address such as rma@ is not a request.
        """
        unit = next((lexicon.labels.device.phrases[0] for lexicon in self.lexicons if lexicon.labels.device), "")
        masked = list(self.sentences)
        for mention in sorted(self.mentions, key=lambda mention: -mention.start):
            text = masked[mention.sentence]
            if mention.end - mention.start <= MAX_SERIAL:
                masked[mention.sentence] = f"{text[: mention.start]} {unit} {text[mention.end :]}"
        return tuple(_ADDRESS.sub(" ", sentence) for sentence in masked)

    @cached_property
    def inline_answers(self) -> tuple[AnsweredQuestion, ...]:
        """The answers between our lines: below our questions, in our form, or where the sender announces them."""
        return tuple(self._inline_answers()) if self.is_reply else ()

    def _inline_answers(self) -> Iterator[AnsweredQuestion]:
        is_announced = any(
            lexicon.letter.inline.search(normalize(self.message.visible[:_MAX_ANNOUNCEMENT])) for lexicon in self.lexicons
        )
        question, signed = "", set(self.own_sentences[self.closing_index :])
        lines = self.message.text.split("\n")[:2_000]
        has_form = any(lexicon.letter.form.search(normalize(self.message.quoted[:MAX_TEXT])) for lexicon in self.lexicons)
        for line in lines:
            text = line.lstrip("> ").strip()
            if has_form and line.startswith(">") and (field := _FORM_FIELD.fullmatch(text)):
                kind = title_kind(field["title"], self.lexicons)
                if kind in {"serial", "reason"} and not self._is_ours(field["value"]):
                    yield AnsweredQuestion(f"{field['title']}:", text if kind == "serial" else field["value"])
                    continue
            is_ours = line.startswith(">") or (is_announced and text.endswith("?"))
            if is_ours:
                question = text if text.endswith(("?", ":")) or '"' in text else ""
            elif text and question and text not in signed:
                yield AnsweredQuestion(question, _INITIALS.sub("", text))

    def _is_ours(self, value: str) -> bool:
        """Return whether a quoted field repeats what the case holds: then we wrote it, not the customer."""
        case_texts = (
            normalize(text) for unit in (self.case.units if self.case else ()) for text in (unit.serial, unit.reason) if text
        )
        normalized = normalize(value)
        return any(text in normalized or normalized in text for text in case_texts)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The serial numbers in ``sentences``."""
        return self.reader.mentions(self.sentences)


def _without_cells(message: Message) -> str:
    """Return the new text without the lines that are rows of its own tables."""
    lines = {"".join(row) for table in message.tables for row in table.rows}
    return "\n".join(
        line for line in message.visible[:MAX_TEXT].split("\n") if line.replace("\t", "") not in lines or not line.strip()
    )
