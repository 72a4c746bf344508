"""The units in a message, with what it says about each."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.worksheets import requested_tables
from mailbot.intake.entities.tables import rows
from mailbot.intake.message_text import MessageText
from mailbot.intake.statements import conclusions, exclusions, reasons
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import MAX_TEXT, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.entities.serial_reader import Mention, Reader
    from mailbot.model import Statement


class NamedUnit(NamedTuple):
    """A unit in a message.

    Attributes:
        serial: its serial number as the registry or the message has it.
        key: its registry key.
        sentences: the sentences that are about it alone.
        list_text: what a line of a list says after its serial number, or the reason in its table row.
        excluded: whether the message says that the unit is fine, or not part of the request.
        unsure: whether the message does not say clearly which units it is about.
    """

    serial: str
    key: str
    sentences: tuple[str, ...] = ()
    list_text: str = ""
    excluded: bool = False
    unsure: bool = False


_MIN_SEVERAL, _MAX_FEW_WORDS = 2, 4
_MAX_SENTENCES = 24
"""The maximum number of sentences, or of table cells, about one unit."""

_PHONE = re.compile(r"\+\d|\(\d{2,4}\)|\d{2,4}[- ./]\d{2,4}[- ./]\d")


class MessageContent(MessageText):
    """The content of a message: its texts and the units in it."""

    @cached_property
    def units(self) -> tuple[NamedUnit, ...]:
        """The units that the new text names, without duplicates; excluded units only if there are no others."""
        found = (*self._rows(), *self._mentioned(self.sentences), *self._mentioned((self.own_subject,)))
        if not found:
            found = tuple(self._mentioned(self.own_sentences)) or self._unlabeled()
        found = self._requested(tuple(unit for unit in found if not self._is_in_progress(unit)) or found)
        return _merged(tuple(unit for unit in found if not unit.excluded) or found)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """What its sentences say, one by one."""
        return conclusions.statements(self, self.classes)

    @cached_property
    def told_failures(self) -> tuple[str, ...]:
        """The sentences that describe a failure according to the classifier."""
        return conclusions.failure_texts(self.statements)

    @cached_property
    def sentences_about_others(self) -> frozenset[str]:
        """The sentences that name only units that the message is not about; what happened to those is irrelevant."""
        own_keys = {unit.key for unit in self.units}
        own_indexes = {mention.sentence for mention in self.mentions if mention.key in own_keys}
        return frozenset(self.sentences[mention.sentence] for mention in self.mentions if mention.sentence not in own_indexes)

    def _unlabeled(self) -> tuple[NamedUnit, ...]:
        """Return units given as digits without a label.

        The digits have the form of a serial number, and the sentence describes a failure: "3412600 won't start".
        """
        texts = tuple(text if reasons.weight(text, self.lexicons) and not _PHONE.search(text) else "" for text in self.sentences)
        return tuple(self._mentioned(texts, self.reader.expecting()))

    def _requested(self, found: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
        """Return the units without those that are only listed, if the message says which ones it is about."""
        ranked = self._with_ranked_statements(found)
        exclusive = {mention.key for text in self.sentences if text for mention in self._exclusive_mentions(text)}
        if exclusive:
            return tuple(unit for unit in ranked if unit.key in exclusive or unit.list_text)
        if ranked == tuple(found) and self._is_selection_unclear(found):
            return tuple(unit._replace(unsure=True) for unit in ranked)
        return ranked

    def _is_in_progress(self, unit: NamedUnit) -> bool:
        """Return whether a unit has its RMA number and the message says nothing new about it.

        Then the message mentions its shipment along with another unit.
        """
        return unit.key in self.keys_with_rma and not any(reasons.weight(text, self.lexicons) for text in unit.sentences)

    @cached_property
    def keys_with_rma(self) -> frozenset[str]:
        """The keys of the units that the subject of a reply names along with one of our RMA numbers."""
        subject = self.subject.text
        if not self.is_reply or not re.search(self.desk.number_form, subject, re.IGNORECASE):
            return frozenset()
        return frozenset(mention.key for mention in self.reader.mentions((subject,)))

    def _exclusive_mentions(self, text: str) -> Iterator[Mention]:
        """Yield the units that a sentence is exclusively about: "only AH2F104432 fails"."""
        if not any(lexicon.serials.only.search(normalize(text)) for lexicon in self.lexicons):
            return
        for mention in self.reader.mentions((text,)):
            if self.reader.alone(text, mention):
                yield mention

    def _is_selection_unclear(self, found: Sequence[NamedUnit]) -> bool:
        """Return whether the message is about some of its units and does not say which.

        For example: "only those marked in red".
        """
        if len({unit.key for unit in found if not unit.excluded}) < _MIN_SEVERAL or not any(
            lexicon.serials.chosen.search(normalize(text)) for text in self.sentences for lexicon in self.lexicons
        ):
            return False
        statements = {text for unit in found for text in (unit.list_text, *unit.sentences)}
        return not any(
            reasons.weight(text, self.lexicons)
            for text in statements
            if not any(lexicon.serials.chosen.search(normalize(text)) for lexicon in self.lexicons)
        )

    def _with_ranked_statements(self, found: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
        """Return the units with the statements that refer to them by rank.

        For example: "the first one is fine, only the last needs a repair".
        """
        keys = list(dict.fromkeys(unit.key for unit in found))
        statements: dict[str, tuple[str, ...]] = {}
        fine_keys: set[str] = set()
        only_keys: set[str] = set()
        mentioned = {mention.sentence for mention in self.mentions} if len(keys) > 1 else set()
        for text in (text for i, text in enumerate(self.sentences) if mentioned and i > min(mentioned) and i not in mentioned):
            for clause in re.split(r"[,;、，；]\s*", text):  # noqa: RUF001
                normalized = normalize(clause)
                if statements and self._says_fine(clause) and any(one.sheets.rest.search(normalized) for one in self.lexicons):
                    fine_keys.update(key for key in keys if key not in statements)  # "the other two are fine and stay here"
                    continue
                for rank in self._ranks(normalized, len(keys)):
                    statements[keys[rank]] = (*statements.get(keys[rank], ()), clause)
                    if self._says_fine(clause):
                        fine_keys.add(keys[rank])
                    elif any(lexicon.serials.only.search(normalized) for lexicon in self.lexicons):
                        only_keys.add(keys[rank])
        return tuple(
            unit._replace(
                sentences=(*unit.sentences, *statements.get(unit.key, ())), excluded=unit.excluded or unit.key in fine_keys
            )
            for unit in found
            if not only_keys or unit.key in only_keys
        )

    def _says_fine(self, clause: str) -> bool:
        """Return whether a clause says that its unit is fine."""
        normalized = normalize(clause)
        return any(
            lexicon.serials.fine.search(normalized)
            or (lexicon.serials.good.search(normalized) and not reasons.weight(clause, self.lexicons))
            for lexicon in self.lexicons
        )

    def _ranks(self, normalized: str, count: int) -> Iterator[int]:
        for rank, name in enumerate(("first", "second", "third")[:count]):
            if any(getattr(lexicon.serials, name).search(normalized) for lexicon in self.lexicons):
                yield rank
        if count == len(("first", "second", "third")) and any(one.serials.middle.search(normalized) for one in self.lexicons):
            yield 1
        if any(lexicon.serials.last.search(normalized) for lexicon in self.lexicons):
            yield count - 1

    @cached_property
    def earlier_units(self) -> tuple[NamedUnit, ...]:
        """The units of the thread: in the subject of a reply, else in the quoted text."""
        if not self.is_reply:
            return ()
        subject = tuple(self._mentioned((self.subject.text,)))
        return _merged(subject or tuple(self._mentioned(sentences(_unquoted(self.message.quoted)))))

    def _rows(self) -> Iterator[NamedUnit]:
        documents = requested_tables(self.message.documents, self.own_sentences, self.lexicons)
        for table in (*self.message.tables, *self.typed_tables, *documents):
            for row in rows(table, self.reader):
                statements = tuple(text for text in (row.reason, *row.rest.split("\n")) if text)
                yield NamedUnit(row.serial, row.key, statements[:_MAX_SENTENCES], row.reason)

    def _mentioned(self, texts: Sequence[str], reader: Reader | None = None) -> Iterator[NamedUnit]:
        mentions_by_sentence: defaultdict[int, list[Mention]] = defaultdict(list)
        is_own_text = texts is self.sentences and reader is None
        for mention in self.mentions if is_own_text else (reader or self.reader).mentions(texts):
            mentions_by_sentence[mention.sentence].append(mention)
        following = dict(pairwise((*mentions_by_sentence, len(texts))))
        list_text = ""
        for mention in (mention for group in mentions_by_sentence.values() for mention in group):
            before = list_text
            about = _sentences_about(
                mention, mentions_by_sentence[mention.sentence], texts[mention.sentence : following[mention.sentence]]
            )
            row = list_text = _list_text(mention, texts)
            if before and self._is_same_fault(list_text):
                list_text = before
            elif self._describes_no_failure(list_text, mention.serial) or (
                " " not in list_text and not self._describes_failure(list_text)
            ):
                list_text = ""
            is_good = any(lexicon.serials.good.is_all(normalize(row).strip(" .!")) for lexicon in self.lexicons)
            yield NamedUnit(mention.serial, mention.key, about, list_text, mention.excluded or is_good, mention.open)

    def _is_same_fault(self, list_text: str) -> bool:
        """Return whether a few words say that this unit has the same fault as the one before."""
        is_short = 0 < len(list_text.split()) <= _MAX_FEW_WORDS
        return is_short and any(lexicon.serials.same.search(normalize(list_text)) for lexicon in self.lexicons)

    def _describes_no_failure(self, list_text: str, serial: str) -> bool:
        """Return whether the text after a serial number describes no failure.

        It may be a courtesy, an address, or the date of purchase.
        """
        states_exclusion = exclusions.stated_exclusions(list_text, "", self.lexicons) or exclusions.short_answer(
            list_text, self.lexicons
        )
        if states_exclusion or reasons.weight(list_text, self.lexicons):
            return False
        return not reasons.describes_problem(list_text, serial, self.lexicons, self.desk.words.everything)

    def _describes_failure(self, word: str) -> bool:
        """Return whether a single word after a serial number describes a failure: "dropped", "不开机"."""
        wide = re.search(r"[⺀-\U0003ffff]{3}", word)
        return bool(wide or reasons.weight(word, self.lexicons) or exclusions.short_answer(word, self.lexicons))

    @cached_property
    def keys_handled_in_thread(self) -> frozenset[str]:
        """The keys of the units that already have an RMA number according to the thread."""
        texts = (self.subject.text, *sentences(_unquoted(self.message.quoted)))
        return frozenset(mention.key for mention in self.reader.mentions(texts) if mention.handled)


def _merged(units: Sequence[NamedUnit]) -> tuple[NamedUnit, ...]:
    """Merge units with the same key, in order of appearance, with the statements about each."""
    found: dict[str, NamedUnit] = {}
    for unit in units:
        first = found.get(unit.key)
        found[unit.key] = (
            unit
            if first is None
            else first._replace(sentences=(*first.sentences, *unit.sentences), list_text=first.list_text or unit.list_text)
        )
    return tuple(found.values())


def _sentences_about(mention: Mention, adjacent: Sequence[Mention], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the sentences from a serial number to the next one, within its paragraph.

    ``adjacent`` are the serial numbers of its sentence. ``texts`` begins with that sentence and ends before the next
    sentence with a serial number.
    """
    sentence = texts[0]
    if len(adjacent) > 1:
        others = [other.start for other in adjacent if other.start > mention.end]
        piece = sentence[mention.end : min(others, default=len(sentence))]
        if len(piece.split()) > 1 and (others or mention.start):
            sentence = piece if _has_separate_statements(adjacent, sentence) else sentence
    following = []
    for text in texts[1:_MAX_SENTENCES]:
        if not text:
            break
        following.append(text)
    return (sentence, *following)


def _has_separate_statements(adjacent: Sequence[Mention], sentence: str) -> bool:
    """Return whether a sentence with several serial numbers has a statement after each except the last."""
    ends = {other.start: other.end for other in adjacent}
    starts = sorted(ends)
    pieces = [sentence[ends[start] : following] for start, following in pairwise(starts)]
    return all(len(re.findall(r"[^\W\d_]{2,}", piece)) > 1 or re.search(r"[⺀-\U0003ffff]{3}", piece) for piece in pieces)


_BEFORE = re.compile(r"[\s\-*•·‣▪—\d.)(#:]{0,8}(?:[^\W\d_]{0,8}[\s/.#:]{0,3}){0,3}")
_EDGE = " \t:;,.-—|/=>()[]→"


def _list_text(mention: Mention, texts: Sequence[str]) -> str:
    """Return what a line of a list says after its serial number: "AH2F104432 - no video"."""
    sentence = texts[mention.sentence]
    if not _BEFORE.fullmatch(sentence[: mention.start]) or not re.match(r"\s*[:;,—|=>(→-]", sentence[mention.end :]):
        return ""
    text = sentence[mention.end :].strip(_EDGE)
    return text if re.search(r"[^\W\d_]{2,}", text) else ""


def _unquoted(text: str) -> str:
    return re.sub(r"(?m)^[> ]{1,40}", "", text[:MAX_TEXT])


def weight(content: MessageContent) -> int:
    """Return how specifically the new text describes a failure (a weight of ``statements.reasons``)."""
    texts = (*content.sentences[:400], content.own_subject, *(text for unit in content.units for text in unit.sentences[:4]))
    return max((reasons.weight(text, content.lexicons) for text in texts if text), default=reasons.NOTHING)
