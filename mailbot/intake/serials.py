"""Serial numbers: their key in the registry, and which strings of a text are one.

A string is a serial because the registry knows it, because a label says so, or because it has the form of the
company's serials. What another label claims (order, phone, MAC …) is none. Nothing is ever corrected: a letter O typed
for a zero stays an unknown serial (U2).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.plain import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.words import Lexicon
    from mailbot.model import Unit

_SEPARATORS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """The key of registry look-ups: NFKC, capitals, letters and digits only."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


MOST = 2_000
"""Strings of one mail that are looked up in the registry."""

_HIDDEN = re.compile(
    r"https?://\S{1,500}|www\.\S{1,300}"  # addresses of pages
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"  # of people
    r"|(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"  # of network cards
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"  # of hosts
    r"|(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w.])\d{1,2}[./]\d{1,2}[./]\d{2,4}(?![\w.])"  # dates
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{1,40}(?:-[A-Za-z0-9]{1,40}){0,5}(?![A-Za-z0-9])")
_GAP = re.compile(r"[ .\u00a0-]{1,3}")
_JOINED = 3
_DIGITS = 3
_BEHIND = 16
_SHORTEST, _LONGEST = 5, 24


class Place(NamedTuple):
    """A string that may be a serial, and where it stands in its sentence."""

    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """The string as a key of the registry."""
        return fold(self.text)


def places(sentence: str, desk: Desk, known: Collection[str] = ()) -> Iterator[Place]:
    """The strings of a sentence that may be serials; words apart are one where together they have a serial's form."""
    covered = _HIDDEN.sub(lambda match: " " * len(match[0]), sentence)
    tokens = list(_TOKEN.finditer(covered))
    index = 0
    while index < len(tokens):
        for count in range(min(_JOINED, len(tokens) - index), 0, -1):
            group = tokens[index : index + count]
            place = Place(covered[group[0].start() : group[-1].end()], group[0].start(), group[-1].end())
            if count == 1 or _is_one(group, place, desk, known):
                break
        index += count
        if any(map(str.isdigit, place.text)) and _SHORTEST <= len(place.key) <= _LONGEST:
            yield place


def _is_one(group: Sequence[re.Match[str]], place: Place, desk: Desk, known: Collection[str]) -> bool:
    """Whether words that stand apart are one serial: never where one of them is a serial by itself."""
    source = place.text
    if any(not _GAP.fullmatch(source[a.end() - place.start : b.start() - place.start]) for a, b in pairwise(group)):
        return False
    if any(fold(token[0]) in known for token in group):
        return False
    if place.key.isdigit():
        return (formed(source, desk) or place.key in known) and not any(formed(token[0], desk) for token in group)
    return formed(source, desk)


@lru_cache(maxsize=64)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms) or r"(?!)", re.IGNORECASE)


def formed(text: str, desk: Desk) -> bool:
    """Whether the string has the form of one of the company's serials."""
    return bool(_pattern(desk.serial_forms).fullmatch(fold(text)))


_LIKE_DIGITS = str.maketrans("OQDILSBZ", "00011582")


def nearly_formed(text: str, desk: Desk) -> bool:
    """Whether it would have a serial's form but for a slip: letters typed for digits, a character too many or too few."""
    key = fold(text)
    pattern = _pattern(desk.serial_forms)
    if key.isdigit() or not _SHORTEST + 2 <= len(key) <= _LONGEST:
        return False
    swapped = (key[:at] + key[at:].translate(_LIKE_DIGITS) for at in range(1, 6))
    shorter = (key[:at] + key[at + 1 :] for at in range(len(key)))
    longer = (f"{key[:at]}0{key[at:]}" for at in range(len(key) + 1))
    return any(pattern.fullmatch(guess) and not guess.isdigit() for guess in (*swapped, *shorter, *longer))


def codes(texts: Iterable[str]) -> tuple[str, ...]:
    """All keys in these sentences that the registry should be asked about: with joined neighbours and parts of words."""
    found: dict[str, None] = {}
    for text in texts:
        covered = _HIDDEN.sub(lambda match: " " * len(match[0]), text)
        tokens = list(_TOKEN.finditer(covered))
        for index, token in enumerate(tokens):
            if len(found) >= MOST:
                return tuple(found)
            for count in range(1, _JOINED + 1):
                group = tokens[index : index + count]
                key = fold(covered[token.start() : group[-1].end()])
                if len(group) == count and _SHORTEST <= len(key) <= _LONGEST and any(map(str.isdigit, key)):
                    found.setdefault(key)
            found.update(dict.fromkeys(_parts(token[0])))
    return tuple(found)


def _parts(token: str) -> Iterator[str]:
    """Leading and trailing parts of a hyphened word that hold letters and digits ("SN-AH2F104432")."""
    pieces = token.split("-")
    for at in range(1, len(pieces)):
        for part in ("".join(pieces[at:]), "".join(pieces[:at])):
            if _SHORTEST <= len(part) <= _LONGEST and not part.isdigit() and not part.isalpha():
                yield part.upper()


# ------------------------------------------------------------------ which are serials of this request


class Mention(NamedTuple):
    """A serial that a text names: the sentence it stands in, and the place there."""

    serial: str
    key: str
    sentence: int
    start: int
    end: int
    aside: bool = False
    handled: bool = False


_TAIL = 64
_KINDS = ("serial", "device", "reason", "model", "order", "purchase_order", "rma", "support_case", "revision", "other")


def label(before: str, lexicons: Sequence[Lexicon], *, loose: bool = False) -> str:
    """The kind of label that a text ends with, such as ``serial``; empty where it ends with none.

    ``loose`` lets other words follow the label: "Serial numbers of the two dead boards:".
    """
    tail = plain(before[-_TAIL:])
    last = (-1, 0, "")
    for lexicon in lexicons:
        for kind in _KINDS:
            for start, end in getattr(lexicon.labels, kind).spans(tail):
                last = max(last, (end, end - start, kind))
    end, _, kind = last
    if end < 0 or not (loose or _nothing(tail[end:], lexicons, device=kind == "serial")):
        return ""
    return kind


def _nothing(gap: str, lexicons: Sequence[Lexicon], *, device: bool = False) -> bool:
    """Whether only filling words and marks stand between a label and its value."""
    if re.search(r"[;!?]|\. ", gap):
        return False
    for lexicon in lexicons:
        gap = lexicon.labels.between.without(gap)
        if device:
            gap = lexicon.labels.device.without(lexicon.labels.serial.without(gap))
    return not re.search(r"\w", gap)


_CONNECTS = re.compile(
    r"[\s,;/&+()\[\]|-]*(?:and|und|et|y|e|en|i|ve|or|with|plus|sowie|como|oraz|와|과|및|と|及び|和|与|與|及|、)?[\s,;/&+()\[\]|-]*"
)
_BULLET = re.compile(r"[\s\-*•·‣▪\d.)]{0,6}")


class Reader:
    """Reads the serials of one text, sentence by sentence: a heading's label holds for the lines below it.

    ``known`` are the registry's rows by key; ``expected`` says that we had asked for a serial: digits alone may be one.
    """

    def __init__(
        self, known: Mapping[str, Unit], desk: Desk, lexicons: Sequence[Lexicon], *, expected: bool = False
    ) -> None:
        self.known, self.desk, self.lexicons, self.expected = known, desk, lexicons, expected

    def mentions(self, sentences: Sequence[str]) -> tuple[Mention, ...]:
        """The serials of a text. Those said to be wrong or only an example are left out."""
        return tuple(self._read(sentences))

    def _read(self, sentences: Sequence[str]) -> Iterator[Mention]:
        heading, aside, count = "", False, 0
        for index, sentence in enumerate(sentences):
            if not sentence:
                continue
            found = list(places(sentence, self.desk, self.known))[:MOST]
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
            elif not found and _nothing(plain(sentence), self.lexicons, device=True):
                heading = label(sentence, self.lexicons)

    def accepted(self, cell: str, kind: str) -> str:
        """The serial that a table's cell holds under a heading of this kind, or an empty string."""
        found = list(places(cell, self.desk, self.known))
        return next((serial for place in found if (serial := self._accepted(place, kind, cell, alone=True))), "")

    def _of(self, sentence: str, index: int, found: Sequence[Place], heading: str, *, aside: bool) -> Iterator[Mention]:
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
            clause = plain(_clause(sentence, place, self.lexicons))
            yield Mention(
                serial,
                fold(serial),
                index,
                place.start,
                place.end,
                aside=aside or self._says("fine", clause),
                handled=self._says("handled", plain(sentence)),
            )

    def _accepted(self, place: Place, kind: str, sentence: str, *, alone: bool) -> str:
        """The serial that a string is, as far as its label and its form say, or an empty string."""
        text, key = place.text.upper(), place.key
        for part in (key, *_parts(place.text)):
            if part in self.known and not (part.isdigit() and kind not in {"", "serial", "device", "reason", "rma"}):
                return self.known[part].serial
        decoy = kind not in {"", "serial", "device", "reason"}
        model = bool(_pattern(self.desk.model_forms).fullmatch(text)) or bool(re.fullmatch(self.desk.number_form, text))
        if model or decoy:
            return ""
        if kind == "serial":
            return text if sum(map(str.isdigit, key)) >= _DIGITS and not re.fullmatch(r"[0-9A-F]{12}", key) else ""
        if not key.isdigit():
            part = next((part for part in (key, *_parts(place.text)) if formed(part, self.desk)), "")
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

    def _retracted(self, sentence: str, place: Place) -> bool:
        """Whether the writer takes the serial back, or gives it as an example."""
        before = plain(sentence[: place.start][-_TAIL:])
        after = plain(sentence[place.end :][:_TAIL])
        for lexicon in self.lexicons:
            if any(
                _nothing(before[end:], self.lexicons, device=True) for _, end in lexicon.serials.not_this.spans(before)
            ):
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

    def _says(self, what: str, text: str) -> bool:
        return any(getattr(lexicon.serials, what).search(text) for lexicon in self.lexicons)


def _clause(sentence: str, place: Place, lexicons: Sequence[Lexicon]) -> str:
    """The part of a sentence around a place: up to the nearest comma or word of contrast on both sides."""
    before, after = sentence[: place.start], sentence[place.end :]
    left = max((match.end() for match in re.finditer(r"[,;:、]", before)), default=0)
    right = next((match.start() for match in re.finditer(r"[,;、]", after)), len(after))
    for lexicon in lexicons:
        lower = plain(after[:right])
        if (contrast := lexicon.exclusions.breaks.search(lower)) and len(lower) == len(after[:right].strip()):
            right = min(right, contrast.start())
    return before[left:] + place.text + after[:right]
