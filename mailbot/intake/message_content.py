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


class NamedUnit(NamedTuple):
    """A unit that a mail names, and the sentences that are about it alone."""

    serial: str
    key: str
    told: tuple[str, ...] = ()
    listed: str = ""
    aside: bool = False
    unsure: bool = False


_SEVERAL, _FEW = 2, 4
_NOTE = 300
"""Characters of a mail that only announces its answers."""

_INITIALS = re.compile(r"(?:\[?[A-Z]{2,3}\]?\s?[:>]|[A-Z][\w ]{1,30}:|>>|-->|=>|(?<!\*)\*++|A:)\s+")
_FIELD = re.compile(r"(?P<title>[^:]{2,60}):\s+(?P<value>\S.*)")
_TOLD = 24
"""Sentences, or cells of a row, that are about one unit."""

_PHONE = re.compile(r"\+\d|\(\d{2,4}\)|\d{2,4}[- ./]\d{2,4}[- ./]\d")
_ADDRESS = re.compile(r"https?://\S{1,500}|[\w.+-]{1,64}@[\w.-]{1,253}")


class MessageContent(MessageText):
    """X."""

    # ------------------------------------------------------------------ units

    @cached_property
    def units(self) -> tuple[NamedUnit, ...]:
        """The units that the mail newly names, each once; those set aside only where there are no others."""
        found = (*self._rows(), *self._mentioned(self.told), *self._mentioned((self.title,)))
        if not found:
            found = tuple(self._mentioned(self.own)) or self._bare()
        found = self._meant(tuple(unit for unit in found if not self._under_way(unit)) or found)
        return _each_once(tuple(unit for unit in found if not unit.aside) or found)

    @cached_property
    def of_others(self) -> frozenset[str]:
        """The sentences that name only units which the mail is not about: what happened to those concerns nobody here."""
        mine = {unit.key for unit in self.units}
        ours = {mention.sentence for mention in self.in_told if mention.key in mine}
        return frozenset(self.told[mention.sentence] for mention in self.in_told if mention.sentence not in ours)

    def _bare(self) -> tuple[NamedUnit, ...]:
        """Digits in the form of a serial, without a label, in a sentence that tells of a failure: "3412600 won't start"."""
        texts = tuple(
            text if reasons.weight(text, self.lexicons) and not _PHONE.search(text) else "" for text in self.told
        )
        return tuple(self._mentioned(texts, self.reader.expecting()))

    def _meant(self, found: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
        """Without the units that are only listed, where the mail says which of them it is about."""
        ranked = self._by_rank(found)
        named = {mention.key for text in self.told if text for mention in self._only(text)}
        if named:
            return tuple(unit for unit in ranked if unit.key in named or unit.listed)
        if ranked == tuple(found) and self._chooses(found):
            return tuple(unit._replace(unsure=True) for unit in ranked)
        return ranked

    def _under_way(self, unit: NamedUnit) -> bool:
        """Whether a unit has its number, and nothing is told of it: the mail tells of its shipment beside another unit."""
        return unit.key in self.numbered and not any(reasons.weight(text, self.lexicons) for text in unit.told)

    @cached_property
    def numbered(self) -> frozenset[str]:
        """The keys of the units that the subject of an answer names beside an RMA number of ours."""
        subject = self.subject.text
        if not self.answers or not re.search(self.desk.number_form, subject, re.IGNORECASE):
            return frozenset()
        return frozenset(mention.key for mention in self.reader.mentions((subject,)))

    def _only(self, text: str) -> Iterator[Mention]:
        """The units of which a sentence says that it is about no others: "only AH2F104432 fails"."""
        if not any(lexicon.serials.only.search(plain(text)) for lexicon in self.lexicons):
            return
        for mention in self.reader.mentions((text,)):
            if self.reader.alone(text, mention):
                yield mention

    def _chooses(self, found: Sequence[NamedUnit]) -> bool:
        """Whether the mail is about some of its units and does not say about which: "only those marked in red"."""
        if len({unit.key for unit in found if not unit.aside}) < _SEVERAL or not any(
            lexicon.serials.chosen.search(plain(text)) for text in self.told for lexicon in self.lexicons
        ):
            return False
        told = {text for unit in found for text in (unit.listed, *unit.told)}
        return not any(
            reasons.weight(text, self.lexicons)
            for text in told
            if not any(lexicon.serials.chosen.search(plain(text)) for lexicon in self.lexicons)
        )

    def _by_rank(self, found: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
        """The units with what is said of them by their rank: "the first one is fine, only the last needs a repair"."""
        keys = list(dict.fromkeys(unit.key for unit in found))
        told: dict[str, tuple[str, ...]] = {}
        fine: set[str] = set()
        only: set[str] = set()
        spoken = {mention.sentence for mention in self.in_told} if len(keys) > 1 else set()
        for text in (text for at, text in enumerate(self.told) if spoken and at > min(spoken) and at not in spoken):
            for clause in re.split(r"[,;、，；]\s*", text):  # noqa: RUF001
                said = plain(clause)
                if told and self._sound(clause) and any(one.sheets.rest.search(said) for one in self.lexicons):
                    fine.update(key for key in keys if key not in told)  # "the other two are fine and stay here"
                    continue
                for rank in self._ranks(said, len(keys)):
                    told[keys[rank]] = (*told.get(keys[rank], ()), clause)
                    if self._sound(clause):
                        fine.add(keys[rank])
                    elif any(lexicon.serials.only.search(said) for lexicon in self.lexicons):
                        only.add(keys[rank])
        return tuple(
            unit._replace(told=(*unit.told, *told.get(unit.key, ())), aside=unit.aside or unit.key in fine)
            for unit in found
            if not only or unit.key in only
        )

    def _sound(self, clause: str) -> bool:
        """Whether a clause says of its unit that it is in order."""
        said = plain(clause)
        return any(
            lexicon.serials.fine.search(said)
            or (lexicon.serials.good.search(said) and not reasons.weight(clause, self.lexicons))
            for lexicon in self.lexicons
        )

    def _ranks(self, said: str, count: int) -> Iterator[int]:
        for rank, name in enumerate(("first", "second", "third")[:count]):
            if any(getattr(lexicon.serials, name).search(said) for lexicon in self.lexicons):
                yield rank
        if count == len(("first", "second", "third")) and any(one.serials.middle.search(said) for one in self.lexicons):
            yield 1
        if any(lexicon.serials.last.search(said) for lexicon in self.lexicons):
            yield count - 1

    @cached_property
    def earlier(self) -> tuple[NamedUnit, ...]:
        """The units of the thread: in the subject of an answer, else in the quoted text."""
        if not self.answers:
            return ()
        subject = tuple(self._mentioned((self.subject.text,)))
        return _each_once(subject or tuple(self._mentioned(sentences(_unquoted(self.message.quoted)))))

    def _rows(self) -> Iterator[NamedUnit]:
        documents = wanted(self.message.documents, self.own, self.lexicons)
        for table in (*self.message.tables, *self.typed, *documents):
            for row in rows(table, self.reader):
                told = tuple(text for text in (row.reason, *row.rest.split("\n")) if text)
                yield NamedUnit(row.serial, row.key, told[:_TOLD], row.reason)

    def _mentioned(self, texts: Sequence[str], reader: Reader | None = None) -> Iterator[NamedUnit]:
        beside: defaultdict[int, list[Mention]] = defaultdict(list)
        known = texts is self.told and reader is None
        for mention in self.in_told if known else (reader or self.reader).mentions(texts):
            beside[mention.sentence].append(mention)
        following = dict(pairwise((*beside, len(texts))))
        listed = ""
        for mention in (mention for some in beside.values() for mention in some):
            before = listed
            told = _about(mention, beside[mention.sentence], texts[mention.sentence : following[mention.sentence]])
            row = listed = _listed(mention, texts)
            if before and self._same(listed):
                listed = before
            elif self._mere(listed, mention.serial) or (" " not in listed and not self._says_much(listed)):
                listed = ""
            good = any(lexicon.serials.good.is_all(plain(row).strip(" .!")) for lexicon in self.lexicons)
            yield NamedUnit(mention.serial, mention.key, told, listed, mention.aside or good, mention.open)

    def _same(self, listed: str) -> bool:
        """Whether a few words say that it is with this unit as with the one before."""
        few = 0 < len(listed.split()) <= _FEW
        return few and any(lexicon.serials.same.search(plain(listed)) for lexicon in self.lexicons)

    def _mere(self, listed: str, serial: str) -> bool:
        """Whether what stands behind a serial tells of no failure: a courtesy, an address, when it was bought."""
        done = exclusions.stated(listed, "", self.lexicons) or exclusions.whole(listed, self.lexicons)
        if done or reasons.weight(listed, self.lexicons):
            return False
        return not reasons.tells(listed, serial, self.lexicons, self.desk.words.everything)

    def _says_much(self, word: str) -> bool:
        """Whether a single word behind a serial tells of a failure: "dropped", "不开机"."""
        wide = re.search(r"[⺀-\U0003ffff]{3}", word)
        return bool(wide or reasons.weight(word, self.lexicons) or exclusions.whole(word, self.lexicons))

    @cached_property
    def handled(self) -> frozenset[str]:
        """The keys of the units that have their number already, as the thread shows."""
        texts = (self.subject.text, *sentences(_unquoted(self.message.quoted)))
        return frozenset(mention.key for mention in self.reader.mentions(texts) if mention.handled)


def _each_once(units: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
    """Units by their key, in order of appearance; what is told of one in several places is put together."""
    found: dict[str, NamedUnit] = {}
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


def weight(mail: MessageContent) -> int:
    """How much the new text says of a failure."""
    texts = (*mail.told[:400], mail.title, *(text for unit in mail.units for text in unit.told[:4]))
    return max((reasons.weight(text, mail.lexicons) for text in texts if text), default=reasons.NOTHING)
