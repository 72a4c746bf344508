"""Which strings are serials of this request.

A string is a serial because the registry knows it, because a label says so, or because it has the form of the
company's serials. What another label claims (order, phone, MAC …) is none. Nothing is ever corrected: a letter O typed
for a zero stays an unknown serial.
"""

from __future__ import annotations

import re
from copy import copy
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.ranges import ranges
from mailbot.intake.entities.serials import (
    SerialSpan,
    covered,
    formed,
    is_model,
    lookalikes,
    nearly_formed,
    numbered,
    parts,
    places,
    serial_key,
)
from mailbot.intake.statements.phrases import Phrases, either
from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Unit

MOST = 600
"""Serials of one text that are read."""

_DIGITS = 3
_BEHIND = 16


class Mention(NamedTuple):
    """A serial that a text names: the sentence it stands in, and the place there."""

    serial: str
    key: str
    sentence: int
    start: int
    end: int
    aside: bool = False
    handled: bool = False
    open: bool = False


_TAIL = 64
_KINDS = ("serial", "device", "reason", "model", "order", "purchase_order", "rma", "support_case", "revision", "other")


def label(before: str, lexicons: Sequence[LanguageWords], *, loose: bool = False) -> str:
    """The kind of label that a text ends with, such as ``serial``; empty where it ends with none.

    ``loose`` lets other words follow the label: "Serial numbers of the two dead boards:".
    """
    return _label(before[-_TAIL:], lexicons, loose=loose)


@lru_cache(maxsize=4096)
def _label(before: str, lexicons: Sequence[LanguageWords], *, loose: bool) -> str:
    tail = plain(before)
    last = (-1, 0, "")
    for lexicon in lexicons:
        for kind in _KINDS if _labels(lexicon).search(tail) else ():
            for start, end in getattr(lexicon.labels, kind).spans(tail):
                last = max(last, (end, end - start, kind))
    end, _, kind = last
    if end < 0 or not (loose or _nothing(tail[end:], lexicons, device=kind == "serial")):
        return ""
    return kind


@cache
def _labels(lexicon: LanguageWords) -> Phrases:
    return either(*(getattr(lexicon.labels, kind) for kind in _KINDS))


def _nothing(gap: str, lexicons: Sequence[LanguageWords], *, device: bool = False) -> bool:
    """Whether only filling words and marks stand between a label and its value."""
    if re.search(r"[;!?]|\. ", gap):
        return False
    for lexicon in lexicons:
        gap = lexicon.labels.between.without(gap)
        if device:
            gap = lexicon.labels.device.without(lexicon.labels.serial.without(gap))
    return not re.search(r"\w", gap)


_CONNECTS = re.compile(
    r"[\s,;/&+()\[\]|-]*+(?:(?:and|und|et|y|e|en|i|ve|or|with|plus|sowie|como|oraz|와|과|및|と|及び|和|与|與|及|、)[\s,;/&+()\[\]|-]*+)?"
)
_BULLET = re.compile(r"[\s\-*•·‣▪\d.)]{0,6}")


class Reader:
    """Reads the serials of one text, sentence by sentence: a heading's label holds for the lines below it.

    ``known`` are the registry's rows by key; ``expected`` says that digits alone may be a serial: we had asked for one, or
    nothing else in the mail can be one.
    """

    def __init__(
        self, known: Mapping[str, Unit], desk: Desk, lexicons: Sequence[LanguageWords], *, expected: bool = False
    ) -> None:
        self.known, self.desk, self.lexicons, self.expected = known, desk, lexicons, expected
        self._seen: dict[str, list[SerialSpan]] = {}

    def expecting(self) -> Reader:
        """This reader, as if digits alone had been asked for."""
        other = copy(self)
        other.expected = True
        return other

    def mentions(self, sentences: Sequence[str]) -> tuple[Mention, ...]:
        """The serials of a text. Those said to be wrong or only an example are left out."""
        return tuple(self._read(sentences))

    def _read(self, sentences: Sequence[str]) -> Iterator[Mention]:
        heading, aside, count = "", False, 0
        for index, sentence in enumerate(sentences):
            if not sentence:
                continue
            found = self._places(sentence)[:MOST]
            count += len(found)
            if count > MOST:
                return
            listed = bool(found) and bool(_BULLET.fullmatch(sentence[: found[0].start]))
            if not listed:
                heading, aside = "", False
            yield from self._of(sentence, index, found, heading if listed else "", aside=aside)
            if not found and sentence.endswith(":"):
                heading = label(sentence, self.lexicons, loose=True)
                aside = self._says("fine", plain(sentence))
            elif not found and (kind := label(sentence, self.lexicons)):
                heading = kind if _nothing(plain(sentence), self.lexicons, device=True) else heading

    def _places(self, sentence: str) -> list[SerialSpan]:
        """What may be serials in a sentence: each member of a range that the registry knows whole, else its two ends.

        Which units such a range means is open: its ends are asked about.
        """
        if sentence not in self._seen:
            self._seen[sentence] = self._sought(sentence) if numbered(sentence) else []
        return self._seen[sentence]

    def _sought(self, sentence: str) -> list[SerialSpan]:
        found: list[SerialSpan] = []
        open_ = covered(sentence)
        for one in ranges(open_, self.lexicons):
            first, last, members = one
            glued = last.start - first.end <= 1 and formed(members[0], self.desk)
            if all(member in self.known for member in members):
                found += [SerialSpan(member, first.start, last.end) for member in members]
            elif glued or first.key in self.known or members[-1] in self.known:
                found += [first._replace(open=True), SerialSpan(members[-1], last.start, last.end, open=True)]
            else:
                continue
            open_ = f"{open_[: first.start]}{' ' * (last.end - first.start)}{open_[last.end :]}"
        return sorted((*found, *places(open_, self.desk, self.known)), key=lambda place: place.start)

    def suggestion(self, serial: str) -> str:
        """The one unit known here whose serial the writer may have meant, or an empty string."""
        if serial_key(serial) in self.known:
            return ""
        meant = {self.known[key].serial for key in lookalikes(serial, self.desk) if key in self.known}
        return meant.pop() if len(meant) == 1 else ""

    def accepted(self, cell: str, kind: str) -> str:
        """The serial that a table's cell holds under a heading of this kind, or an empty string."""
        return next(iter(self.all_accepted(cell, kind)), "")

    def all_accepted(self, cell: str, kind: str) -> list[str]:
        """All serials that a table's cell holds under a heading of this kind."""
        found = (self._accepted(place, kind, cell, alone=True) for place in self._places(cell))
        return [serial for serial in found if serial]

    def _of(
        self, sentence: str, index: int, found: Sequence[SerialSpan], heading: str, *, aside: bool
    ) -> Iterator[Mention]:
        kind, last = heading, 0
        for number, place in enumerate(found):
            between = sentence[last : place.start]
            if not (number and _CONNECTS.fullmatch(plain(between))):
                own = label(sentence[: place.start], self.lexicons)
                kind = own or (heading if number == 0 else "") or self._behind(sentence[place.end :])
            alone = bool(_BULLET.fullmatch(sentence[: place.start]))
            last = place.end
            if not (serial := self._accepted(place, kind, sentence, alone=alone)):
                continue
            if self._retracted(sentence, place):
                continue
            whole = self._enumeration(sentence, found, number)
            alone = len(found) == 1 and not self._fails(plain(sentence))
            clause = plain(sentence if alone else _clause(sentence, whole, self.lexicons))
            yield Mention(
                serial,
                serial_key(serial),
                index,
                place.start,
                place.end,
                aside=aside or self._says("fine", clause),
                handled=self._says("handled", plain(sentence)),
                open=place.open,
            )

    def _enumeration(self, sentence: str, found: Sequence[SerialSpan], number: int) -> SerialSpan:
        """The whole enumeration that a serial stands in: "A, B and C run fine" says so of all three."""
        first = last = number
        while first and _CONNECTS.fullmatch(plain(sentence[found[first - 1].end : found[first].start])):
            first -= 1
        while last + 1 < len(found) and _CONNECTS.fullmatch(plain(sentence[found[last].end : found[last + 1].start])):
            last += 1
        start, end = found[first].start, found[last].end
        return SerialSpan(sentence[start:end], start, end)

    def _accepted(self, place: SerialSpan, kind: str, sentence: str, *, alone: bool) -> str:
        """The serial that a string is, as far as its label and its form say, or an empty string."""
        text, key = place.text.upper(), place.key
        for part in (key, *parts(place.text)):
            if part in self.known and not (part.isdigit() and kind not in {"", "serial", "device", "reason", "rma"}):
                return self.known[part].serial
        if kind in {"rma", "support_case", "model", "revision"} and not key.isdigit() and formed(text, self.desk):
            return text  # "RMA AH2F104432": the form is plain, and the label tells what is asked for
        if kind == "other" and not key.isdigit() and any(guess in self.known for guess in lookalikes(text, self.desk)):
            return text  # copied "from the fax": a slip of the pen in a serial that we know
        decoy = kind not in {"", "serial", "device", "reason"}
        if place.open and not decoy:
            return text
        if decoy or is_model(text, self.desk) or re.fullmatch(self.desk.number_form, text):
            return ""
        if kind != "serial" and any(guess in self.known for guess in lookalikes(text, self.desk)):
            return text
        if kind == "serial":
            return text if sum(map(str.isdigit, key)) >= _DIGITS and not re.fullmatch(r"[0-9A-F]{12}", key) else ""
        if not key.isdigit():
            part = next((part for part in (key, *parts(place.text)) if formed(part, self.desk)), "")
            return (text if part == key else part) or (text if nearly_formed(text, self.desk) else "")
        behind = sentence[place.end :].lstrip()[:1]
        stated = (
            self.expected or kind == "device" or (alone and behind in {":", "-", "|"}) or (alone and kind == "reason")
        )
        return text if stated and formed(text, self.desk) else ""

    def _behind(self, after: str) -> str:
        """The label that follows a string: "4500118273 (our PO)", "2733306 is the serial"."""
        tail = plain(after[:40])
        for lexicon in self.lexicons:
            for kind in ("serial", "order", "purchase_order", "rma", "support_case", "other"):
                for start, _ in getattr(lexicon.labels, kind).spans(tail):
                    if start <= _BEHIND and re.match(r"\W*(?:\(|\w)", tail) and _nothing(tail[:start], self.lexicons):
                        opens = tail.lstrip()[:1] == "("
                        linked = any(lexicon.labels.between.search(tail[:start]) for lexicon in self.lexicons)
                        if opens or linked:
                            return kind
        return ""

    def _retracted(self, sentence: str, place: SerialSpan) -> bool:
        """Whether the writer takes the serial back, or gives it as an example."""
        before = plain(sentence[: place.start][-_TAIL:])
        after = plain(sentence[place.end :][:_TAIL])
        for lexicon in self.lexicons:
            if any(self._still_denied(before[end:]) for _, end in lexicon.serials.not_this.spans(before)):
                return True
            if any(
                _nothing(before[end:], self.lexicons, device=True) for _, end in lexicon.serials.example.spans(before)
            ):
                return True
            if any(
                _nothing(after[:start], self.lexicons, device=True) for start, _ in lexicon.serials.wrong.spans(after)
            ):
                return True
        return False

    def alone(self, sentence: str, mention: Mention) -> bool:
        """Whether a sentence says of this serial that it is about no other: "only X", "X only"."""
        before, after = plain(sentence[: mention.start][-_TAIL:]), plain(sentence[mention.end :][:_TAIL])
        for lexicon in self.lexicons:
            if any(_nothing(before[end:], self.lexicons, device=True) for _, end in lexicon.serials.only.spans(before)):
                return True
            if any(
                _nothing(after[:start], self.lexicons, device=True) for start, _ in lexicon.serials.only.spans(after)
            ):
                return True
        return False

    def _still_denied(self, gap: str) -> bool:
        """Whether a denial still holds behind this gap: "I misread it, the serial is …" begins anew."""
        labels = [end for lexicon in self.lexicons for _, end in lexicon.labels.serial.spans(gap)]
        anew = "," in gap or bool(labels and re.search(r"\w", gap[max(labels) :]))
        return not anew and _nothing(gap, self.lexicons, device=True)

    def _fails(self, text: str) -> bool:
        return any(one.reasons.failing.search(text) or one.reasons.vague.search(text) for one in self.lexicons)

    def _says(self, what: str, text: str) -> bool:
        return any(getattr(lexicon.serials, what).search(text) for lexicon in self.lexicons)


def _clause(sentence: str, place: SerialSpan, lexicons: Sequence[LanguageWords]) -> str:
    """The part of a sentence around a place: up to the nearest comma or word of contrast on both sides."""
    before, after = sentence[: place.start], sentence[place.end :]
    left = max((match.end() for match in re.finditer(r"[,;:、]", before)), default=0)
    commas = [match.start() for match in re.finditer(r"[,;、]", after)]
    if left and not before[left:].strip() and commas[:1] == [0]:  # "the one below it, X, works fine"
        commas = commas[1:]
    right = commas[0] if commas else len(after)
    for lexicon in lexicons:
        lower = plain(after[:right])
        if (contrast := lexicon.exclusions.breaks.search(lower)) and len(lower) == len(after[:right].strip()):
            right = min(right, contrast.start())
    return before[left:] + place.text + after[:right]
