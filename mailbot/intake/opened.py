"""A mail opened: what is new in it, what it passes on, what it quotes, sentence by sentence, and the units it names."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake import exclusions, frame, reasons
from mailbot.intake.language import language
from mailbot.intake.plain import plain
from mailbot.intake.prose import LONGEST, sentences
from mailbot.intake.reader import Mention, Reader
from mailbot.intake.sheets import wanted
from mailbot.intake.tables import rows, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Known, Message, Missing


class Named(NamedTuple):
    """A unit that a mail names, and the sentences that are about it alone."""

    serial: str
    key: str
    told: tuple[str, ...] = ()
    listed: str = ""
    aside: bool = False


_TOLD = 40
"""Sentences, or cells of a row, that are about one unit."""

_PHONE = re.compile(r"\+\d|\(\d{2,4}\)|\d{2,4}[- ./]\d{2,4}[- ./]\d")
_ADDRESS = re.compile(r"https?://\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,253}")


class Opened:
    """A mail taken apart.

    ``own`` is the new text, ``told`` all sentences that count: the new text up to the signature, what is passed on,
    and the text of the documents. ``title`` is the subject where it is the sender's own.
    """

    def __init__(self, message: Message, case: Case | None, known: Known, desk: Desk) -> None:
        self.message, self.case, self.known, self.desk = message, case, known, desk
        self.subject = frame.Subject(message.subject)
        self.passes_on = message.forwarded or self.subject.passes_on
        self.language = language(self._spoken(), desk.words)
        passed = language((message.quoted,), desk.words) if self.passes_on and message.quoted else self.language
        self.lexicons = desk.words.of(self.language, passed)
        self.reader = Reader(known.units, desk, self.lexicons, expected=self.asked("serial"))
        self.typed, text = typed(_without_cells(message), self.lexicons)
        self.own = sentences(text)
        self.title = "" if self.answers else self.subject.text

    @cached_property
    def theirs(self) -> tuple[str, ...]:
        """The lines of the quoted text that are not our own mail: what the customer wrote before."""
        return frame.earlier(self.message.quoted[:LONGEST], (self.desk.address, *self.desk.aliases))

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
        return any(getattr(lexicon.labels, what).search(ours) for lexicon in self.desk.words.everything)

    @cached_property
    def told(self) -> tuple[str, ...]:
        """All sentences that count, paragraphs apart."""
        own = self.own[: frame.end(self.own, self.lexicons)]
        passed = sentences(self.message.quoted) if self.passes_on else ()
        documents = (sentence for document in self.message.documents for sentence in (*sentences(document.text), ""))
        return (*(frame.without_greeting(sentence, self.lexicons) for sentence in own), "", *passed, "", *documents)

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """The same without addresses: ``rma@`` asks for nothing."""
        return tuple(_ADDRESS.sub(" ", sentence) for sentence in self.told)

    # ------------------------------------------------------------------ units

    @cached_property
    def units(self) -> tuple[Named, ...]:
        """The units that the mail newly names, each once; those set aside only where there are no others."""
        found = (*self._rows(), *self._mentioned(self.told), *self._mentioned((self.title,)))
        if not found:
            found = tuple(self._mentioned(self.own)) or self._bare()
        found = self._meant(found)
        return _each_once(tuple(unit for unit in found if not unit.aside) or found)

    def _bare(self) -> tuple[Named, ...]:
        """Digits in the form of a serial, without a label, in a sentence that tells of a failure: "3412600 won't start"."""
        texts = tuple(
            text if reasons.weight(text, self.lexicons) and not _PHONE.search(text) else "" for text in self.told
        )
        return tuple(self._mentioned(texts, self.reader.expecting()))

    def _meant(self, found: Sequence[Named]) -> tuple[Named, ...]:
        """Without the units that are only listed, where the mail says that "only" another one fails."""
        only = [
            text
            for text in self.told
            if text and any(lexicon.serials.only.search(plain(text)) for lexicon in self.lexicons)
        ]
        named = {mention.key for mention in self.reader.mentions(only)} if only else set()
        failing = {unit.key for unit in found if any(reasons.weight(text, self.lexicons) for text in unit.told)}
        if not named & failing:
            return tuple(found)
        return tuple(unit for unit in found if unit.key in named or unit.listed)

    @cached_property
    def earlier(self) -> tuple[Named, ...]:
        """The units of the thread: in the subject of an answer, else in the quoted text."""
        if not self.answers:
            return ()
        subject = tuple(self._mentioned((self.subject.text,)))
        return _each_once(subject or tuple(self._mentioned(sentences(_unquoted(self.message.quoted)))))

    def _rows(self) -> Iterator[Named]:
        documents = wanted(self.message.documents, self.own, self.lexicons)
        for table in (*self.message.tables, *self.typed, *documents):
            for row in rows(table, self.reader):
                told = tuple(text for text in (row.reason, *row.rest.split("\n")) if text)
                yield Named(row.serial, row.key, told[:_TOLD], row.reason)

    def _mentioned(self, texts: Sequence[str], reader: Reader | None = None) -> Iterator[Named]:
        beside: defaultdict[int, list[Mention]] = defaultdict(list)
        for mention in (reader or self.reader).mentions(texts):
            beside[mention.sentence].append(mention)
        following = dict(pairwise((*beside, len(texts))))
        for mention in (mention for some in beside.values() for mention in some):
            told = _about(mention, beside[mention.sentence], texts[mention.sentence : following[mention.sentence]])
            listed = _listed(mention, texts)
            if reasons.silent(listed, self.lexicons) or (" " not in listed and not self._says_much(listed)):
                listed = ""
            yield Named(mention.serial, mention.key, told, listed, mention.aside)

    def _says_much(self, word: str) -> bool:
        """Whether a single word behind a serial tells of a failure: "dropped", "不开机"."""
        wide = re.search(r"[⺀-\U0003ffff]{3}", word)
        return bool(wide or reasons.weight(word, self.lexicons) or exclusions.whole(word, self.lexicons))

    @cached_property
    def handled(self) -> frozenset[str]:
        """The keys of the units that have their number already, as the thread shows."""
        texts = (self.subject.text, *sentences(_unquoted(self.message.quoted)))
        return frozenset(mention.key for mention in self.reader.mentions(texts) if mention.handled)


def _each_once(units: Sequence[Named]) -> tuple[Named, ...]:
    """Units by their key, in order of appearance; what is told of one in several places is put together."""
    found: dict[str, Named] = {}
    for unit in units:
        first = found.get(unit.key)
        found[unit.key] = (
            unit
            if first is None
            else first._replace(told=(*first.told, *unit.told), listed=first.listed or unit.listed)
        )
    return tuple(found.values())


def _about(mention: Mention, beside: Sequence[Mention], texts: Sequence[str]) -> tuple[str, ...]:
    """The sentences from a serial to the next one, within its paragraph.

    ``beside`` are the serials of its sentence; ``texts`` begin with it and end before the next sentence with one.
    """
    sentence = texts[0]
    if len(beside) > 1:
        others = [other.start for other in beside if other.start > mention.end]
        piece = sentence[mention.end : min(others, default=len(sentence))]
        if len(piece.split()) > 1 and (others or mention.start):
            sentence = piece if _several_told(beside, sentence) else sentence
    following = []
    for text in texts[1:_TOLD]:
        if not text:
            break
        following.append(text)
    return (sentence, *following)


def _several_told(beside: Sequence[Mention], sentence: str) -> bool:
    """Whether a sentence with several serials says something of its own behind each but the last."""
    ends = {other.start: other.end for other in beside}
    same = sorted(ends)
    pieces = [sentence[ends[start] : following] for start, following in pairwise(same)]
    return all(
        len(re.findall(r"[^\W\d_]{2,}", piece)) > 1 or re.search(r"[⺀-\U0003ffff]{3}", piece) for piece in pieces
    )


_BEFORE = re.compile(r"[\s\-*•·‣▪—\d.)(#:]{0,8}(?:[^\W\d_]{0,8}[\s/.#:]{0,3}){0,3}")
_EDGE = " \t:;,.-—|/=>()[]→"


def _listed(mention: Mention, texts: Sequence[str]) -> str:
    """What a line of a list says behind its serial: "AH2F104432 - no video"."""
    sentence = texts[mention.sentence]
    if not _BEFORE.fullmatch(sentence[: mention.start]) or not re.match(r"\s*[:;,—|=>(→-]", sentence[mention.end :]):
        return ""
    text = sentence[mention.end :].strip(_EDGE)
    return text if re.search(r"[^\W\d_]{2,}", text) else ""


def _unquoted(text: str) -> str:
    return re.sub(r"(?m)^[> ]{1,40}", "", text[:LONGEST])


def _without_cells(message: Message) -> str:
    """The new text without the lines that are rows of its own tables."""
    lines = {"".join(row) for table in message.tables for row in table.rows}
    return "\n".join(
        line
        for line in message.visible[:LONGEST].split("\n")
        if line.replace("\t", "") not in lines or not line.strip()
    )


def weight(mail: Opened) -> int:
    """How much the new text says of a failure."""
    texts = (*mail.told[:400], mail.title, *(text for unit in mail.units for text in unit.told[:4]))
    return max((reasons.weight(text, mail.lexicons) for text in texts if text), default=reasons.NOTHING)
