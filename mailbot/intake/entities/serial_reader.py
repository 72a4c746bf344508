"""Which strings are serial numbers of this request.

A string is a serial number if it is in the registry, if a label says so, or if it has the form of the company's serial
numbers. A value with another label (order, phone, MAC address …) is not one. Nothing is ever corrected: a letter O
typed for a zero remains an unknown serial number.
"""

from __future__ import annotations

import re
from copy import copy
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.ranges import ranges
from mailbot.intake.entities.serials import (
    SerialSpan,
    candidate_spans,
    has_digit,
    has_serial_form,
    hyphenated_parts,
    is_model,
    lookalikes,
    mask_non_serials,
    nearly_has_serial_form,
    serial_key,
)
from mailbot.intake.statements.word_sections import PhraseLists
from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Unit

MAX_SERIALS = 600
"""The maximum number of serial numbers that are read from one text."""

_MIN_DIGITS = 3
_MAX_BEFORE_LABEL = 16


class Mention(NamedTuple):
    """A serial number in a text, with the index of its sentence and its position there.

    ``excluded`` and ``handled``: the sentence says that the unit is fine, or that it has an RMA number. ``open``: see
    ``SerialSpan``.
    """

    serial: str
    key: str
    sentence: int
    start: int
    end: int
    excluded: bool = False
    handled: bool = False
    open: bool = False


_MAX_LABEL_TEXT = 64
_KINDS = ("serial", "device", "reason", "model", "order", "purchase_order", "rma", "support_case", "revision", "other")


def label_kind(before: str, lexicons: Sequence[LanguageWords], *, loose: bool = False) -> str:
    """Return the kind of label that a text ends with, or an empty string; ``loose`` allows other words after the label."""
    return _label_kind(before[-_MAX_LABEL_TEXT:], lexicons, loose=loose)


@lru_cache(maxsize=4096)
def _label_kind(before: str, lexicons: Sequence[LanguageWords], *, loose: bool) -> str:
    tail = normalize(before)
    found = ((end, end - start, kind) for lexicon in lexicons for kind, start, end in _labels(lexicon).spans(tail))
    end, _, kind = max(found, default=(-1, 0, ""))
    if end < 0 or not (loose or _is_filler(tail[end:], lexicons, device=kind == "serial")):
        return ""
    return kind


@cache
def _labels(lexicon: LanguageWords) -> PhraseLists[str]:
    return PhraseLists({kind: getattr(lexicon.labels, kind) for kind in _KINDS})


def _is_filler(gap: str, lexicons: Sequence[LanguageWords], *, device: bool = False) -> bool:
    """Return whether there are only filler words and punctuation between a label and its value."""
    if re.search(r"[;!?]|\. ", gap):
        return False
    for lexicon in lexicons:
        gap = lexicon.labels.between.without(gap)
        if device:
            gap = lexicon.labels.device.without(lexicon.labels.serial.without(gap))
    return not re.search(r"\w", gap)


_CONNECTOR = re.compile(
    r"[\s,;/&+()\[\]|-]*+(?:(?:and|und|et|y|e|en|i|ve|or|with|plus|sowie|como|oraz|와|과|및|と|及び|和|与|與|及|、)[\s,;/&+()\[\]|-]*+)?"
)
_BULLET = re.compile(r"[\s\-*•·‣▪\d.)]{0,6}")


class Reader:
    """Reads the serial numbers of one text, sentence by sentence: the label of a heading applies to the lines below it.

    ``expected`` accepts digits without a label: we asked for a serial number, or nothing else in the message can be one.
    """

    def __init__(self, known: Mapping[str, Unit], desk: Desk, lexicons: Sequence[LanguageWords], *, expected: bool = False) -> None:
        self.known, self.desk, self.lexicons, self.expected = known, desk, lexicons, expected
        self._seen: dict[str, list[SerialSpan]] = {}

    def expecting(self) -> Reader:
        """Return a copy of this reader that accepts digits without a label."""
        other = copy(self)
        other.expected = True
        return other

    def knowing(self, known: Mapping[str, Unit]) -> Reader:
        """Return a reader of the same text with other registry rows."""
        return Reader(known, self.desk, self.lexicons, expected=self.expected)

    def mentions(self, sentences: Sequence[str]) -> tuple[Mention, ...]:
        """Return the serial numbers of a text, except those that the writer calls wrong or an example."""
        return tuple(self._read(sentences))

    def _read(self, sentences: Sequence[str]) -> Iterator[Mention]:
        heading, excluded, count = "", False, 0
        for index, sentence in enumerate(sentences):
            if not sentence:
                continue
            found = self._spans(sentence)[:MAX_SERIALS]
            count += len(found)
            if count > MAX_SERIALS:
                return
            listed = bool(found) and bool(_BULLET.fullmatch(sentence[: found[0].start]))
            if not listed:
                heading, excluded = "", False
            yield from self._mentions_in_sentence(sentence, index, found, heading if listed else "", excluded=excluded)
            if not found and sentence.endswith(":"):
                heading = label_kind(sentence, self.lexicons, loose=True)
                excluded = self._matches("fine", normalize(sentence))
            elif not found and (kind := label_kind(sentence, self.lexicons)):
                heading = kind if _is_filler(normalize(sentence), self.lexicons, device=True) else heading

    def _spans(self, sentence: str) -> list[SerialSpan]:
        if sentence not in self._seen:
            self._seen[sentence] = self._find_spans(sentence) if has_digit(sentence) else []
        return self._seen[sentence]

    def _find_spans(self, sentence: str) -> list[SerialSpan]:
        """Return possible serial numbers in a sentence.

        A range whose members are all in the registry gives all of them. Which units another range means is unclear: it
        gives its two ends, and the customer is asked about them.
        """
        found: list[SerialSpan] = []
        masked = mask_non_serials(sentence)
        for first, last, members in ranges(masked, self.lexicons):
            glued = last.start - first.end <= 1 and has_serial_form(members[0], self.desk)
            if all(member in self.known for member in members):
                found += [SerialSpan(member, first.start, last.end) for member in members]
            elif glued or first.key in self.known or members[-1] in self.known:
                found += [first._replace(open=True), SerialSpan(members[-1], last.start, last.end, open=True)]
            else:
                continue
            masked = f"{masked[: first.start]}{' ' * (last.end - first.start)}{masked[last.end :]}"
        return sorted((*found, *candidate_spans(masked, self.desk, self.known)), key=lambda span: span.start)

    def suggestion(self, serial: str) -> str:
        """Return the serial number of the only known unit that the writer may have meant, or an empty string."""
        if serial_key(serial) in self.known:
            return ""
        meant = {self.known[key].serial for key in lookalikes(serial, self.desk) if key in self.known}
        return meant.pop() if len(meant) == 1 else ""

    def accepted(self, cell: str, kind: str) -> str:
        """Return the serial number in a table cell under a heading of this kind, or an empty string."""
        return next(iter(self.all_accepted(cell, kind)), "")

    def all_accepted(self, cell: str, kind: str) -> list[str]:
        """Return all serial numbers in a table cell under a heading of this kind."""
        found = (self._accepted(span, kind, cell, alone=True) for span in self._spans(cell))
        return [serial for serial in found if serial]

    def _mentions_in_sentence(
        self, sentence: str, index: int, found: Sequence[SerialSpan], heading: str, *, excluded: bool
    ) -> Iterator[Mention]:
        kind, last = heading, 0
        for number, span in enumerate(found):
            between = sentence[last : span.start]
            if not (number and _CONNECTOR.fullmatch(normalize(between))):
                own = label_kind(sentence[: span.start], self.lexicons)
                kind = own or (heading if number == 0 else "") or self._label_after(sentence[span.end :])
            alone = bool(_BULLET.fullmatch(sentence[: span.start]))
            last = span.end
            if not (serial := self._accepted(span, kind, sentence, alone=alone)):
                continue
            if self._retracted(sentence, span):
                continue
            enumeration = self._enumeration(sentence, found, number)
            alone = len(found) == 1 and not self._mentions_failure(normalize(sentence))
            clause = normalize(sentence if alone else _clause(sentence, enumeration, self.lexicons))
            yield Mention(
                serial,
                serial_key(serial),
                index,
                span.start,
                span.end,
                excluded=excluded or self._matches("fine", clause),
                handled=self._matches("handled", normalize(sentence)),
                open=span.open,
            )

    def _enumeration(self, sentence: str, found: Sequence[SerialSpan], number: int) -> SerialSpan:
        """Return the whole enumeration around a serial number: "A, B and C run fine" is about all three."""
        first = last = number
        while first and _CONNECTOR.fullmatch(normalize(sentence[found[first - 1].end : found[first].start])):
            first -= 1
        while last + 1 < len(found) and _CONNECTOR.fullmatch(normalize(sentence[found[last].end : found[last + 1].start])):
            last += 1
        start, end = found[first].start, found[last].end
        return SerialSpan(sentence[start:end], start, end)

    def _accepted(self, span: SerialSpan, kind: str, sentence: str, *, alone: bool) -> str:
        """Return the serial number that a string is, judged by its label and its form, or an empty string."""
        text, key = span.text.upper(), span.key
        for part in (key, *hyphenated_parts(span.text)):
            if part in self.known and not (part.isdigit() and kind not in {"", "serial", "device", "reason", "rma"}):
                return self.known[part].serial
        if kind in {"rma", "support_case", "model", "revision"} and not key.isdigit() and has_serial_form(text, self.desk):
            return text  # "RMA AH2F104432": the form is unambiguous, and the label says what is requested
        if kind == "other" and not key.isdigit() and any(candidate in self.known for candidate in lookalikes(text, self.desk)):
            return text  # copied "from the fax": a typo in a known serial number
        has_other_label = kind not in {"", "serial", "device", "reason"}
        if span.open and not has_other_label:
            return text
        if has_other_label or is_model(text, self.desk) or re.fullmatch(self.desk.number_form, text):
            return ""
        if kind != "serial" and any(candidate in self.known for candidate in lookalikes(text, self.desk)):
            return text
        if kind == "serial":
            return text if sum(map(str.isdigit, key)) >= _MIN_DIGITS and not re.fullmatch(r"[0-9A-F]{12}", key) else ""
        if not key.isdigit():
            part = next((part for part in (key, *hyphenated_parts(span.text)) if has_serial_form(part, self.desk)), "")
            return (text if part == key else part) or (text if nearly_has_serial_form(text, self.desk) else "")
        behind = sentence[span.end :].lstrip()[:1]
        is_stated = self.expected or kind == "device" or (alone and behind in {":", "-", "|"}) or (alone and kind == "reason")
        return text if is_stated and has_serial_form(text, self.desk) else ""

    def _label_after(self, after: str) -> str:
        """Return the kind of label after a string: "4500118273 (our PO)", "2733306 is the serial"."""
        tail = normalize(after[:40])
        for lexicon in self.lexicons:
            for kind in ("serial", "order", "purchase_order", "rma", "support_case", "other"):
                for start, _ in getattr(lexicon.labels, kind).spans(tail):
                    if start <= _MAX_BEFORE_LABEL and re.match(r"\W*(?:\(|\w)", tail) and _is_filler(tail[:start], self.lexicons):
                        opens_parenthesis = tail.lstrip()[:1] == "("
                        is_linked = any(lexicon.labels.between.search(tail[:start]) for lexicon in self.lexicons)
                        if opens_parenthesis or is_linked:
                            return kind
        return ""

    def _retracted(self, sentence: str, span: SerialSpan) -> bool:
        """Return whether the writer takes the serial number back, or gives it as an example."""
        before, after = _around(sentence, span)
        return any(
            any(self._denies_across(before[end:]) for _, end in lexicon.serials.not_this.spans(before))
            or self._ends_with(lexicon.serials.example, before)
            or self._begins_with(lexicon.serials.wrong, after)
            for lexicon in self.lexicons
        )

    def alone(self, sentence: str, mention: Mention) -> bool:
        """Return whether a sentence is about this serial number only: "only X", "X only"."""
        before, after = _around(sentence, mention)
        phrase_lists = [lexicon.serials.only for lexicon in self.lexicons]
        return any(self._ends_with(only, before) or self._begins_with(only, after) for only in phrase_lists)

    def _ends_with(self, phrases: Phrases, before: str) -> bool:
        return any(_is_filler(before[end:], self.lexicons, device=True) for _, end in phrases.spans(before))

    def _begins_with(self, phrases: Phrases, after: str) -> bool:
        return any(_is_filler(after[:start], self.lexicons, device=True) for start, _ in phrases.spans(after))

    def _denies_across(self, gap: str) -> bool:
        """Return whether a denial applies across this gap: "I misread it, the serial is …" starts over."""
        labels = [end for lexicon in self.lexicons for _, end in lexicon.labels.serial.spans(gap)]
        starts_over = "," in gap or bool(labels and re.search(r"\w", gap[max(labels) :]))
        return not starts_over and _is_filler(gap, self.lexicons, device=True)

    def _mentions_failure(self, text: str) -> bool:
        return any(lex.reasons.failing.search(text) or lex.reasons.vague.search(text) for lex in self.lexicons)

    def _matches(self, what: str, text: str) -> bool:
        return any(getattr(lexicon.serials, what).search(text) for lexicon in self.lexicons)


def _around(sentence: str, span: SerialSpan | Mention) -> tuple[str, str]:
    """Return the normalized text close before and after a serial number."""
    return normalize(sentence[: span.start][-_MAX_LABEL_TEXT:]), normalize(sentence[span.end :][:_MAX_LABEL_TEXT])


def _clause(sentence: str, span: SerialSpan, lexicons: Sequence[LanguageWords]) -> str:
    """Return the clause around a position: up to the nearest comma or word of contrast on both sides."""
    before, after = sentence[: span.start], sentence[span.end :]
    left = max((match.end() for match in re.finditer(r"[,;:、]", before)), default=0)
    commas = [match.start() for match in re.finditer(r"[,;、]", after)]
    if left and not before[left:].strip() and commas[:1] == [0]:  # "the one below it, X, works fine"
        commas = commas[1:]
    right = commas[0] if commas else len(after)
    for lexicon in lexicons:
        normalized = normalize(after[:right])
        if (contrast := lexicon.exclusions.breaks.search(normalized)) and len(normalized) == len(after[:right].strip()):
            right = min(right, contrast.start())
    return before[left:] + span.text + after[:right]
