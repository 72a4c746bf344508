"""What goes with a command of staff: units, days, a parcel, a reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.commands.matcher import level
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.serial_reader import label
from mailbot.intake.entities.serials import SerialSpan, covered, formed, is_model, places, serial_key
from mailbot.intake.entities.shipments import shipment
from mailbot.intake.statements.findings import findings
from mailbot.model import Finding, ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords

EDGES = " \t:;,.-\u2013\u2014|/=>()[]*_\"'"
_OURS = r"(?<![A-Za-z0-9])(?:{number}|Q-[A-Z0-9]{{6,14}}-\d{{1,4}})(?![A-Za-z0-9])"
_DIGITS, _BARE = 3, 6
"""Digits that a serial has at least: beside letters, and alone."""


class SpokenSentence:
    """A sentence of staff, and where in it the name of the command begins and ends."""

    def __init__(self, text: str, low: str, start: int = 0, end: int = 0) -> None:
        self.text, self.low, self.start, self.end = text, low, start, end

    def begin(self, end: int) -> None:
        """Its command's name ends here."""
        self.end = end

    @property
    def rest(self) -> str:
        """What stands behind the command's name, as written."""
        return self.text[self.end :]

    @property
    def rest_low(self) -> str:
        """The same as words are compared."""
        return self.low[self.end :]

    @property
    def capitals(self) -> bool:
        """Whether the command's name is written in capitals."""
        return self.text[self.start : self.end].isupper()

    def serials(
        self, desk: Desk, known: Collection[str], lexicons: Sequence[LanguageWords], *, free: bool = False
    ) -> tuple[SerialSpan, ...]:
        """The units named with the command, before or behind it.

        ``free``: what follows is running text: only what is surely a serial counts. Elsewhere any code without another
        label does: a mistyped serial must not let a command concern all units.
        """
        money = [span for span in amounts(self.text, home=desk.currency) if span.named]
        found = []
        for place in places(self.text, desk, known):
            if any(span.start < place.end and place.start < span.end for span in money):
                continue
            kind = label(self.text[: place.start], lexicons)
            sure = place.key in known or (formed(place.text, desk) and not place.key.isdigit())
            if (
                sure
                or (formed(place.text, desk) and kind in {"", "serial", "device"})
                or (
                    not free
                    and place.start >= self.end
                    and kind in {"", "serial", "device"}
                    and self._may_be_serial(place, desk)
                )
            ):
                found.append(place)
        return tuple(found)

    def _may_be_serial(self, place: SerialSpan, desk: Desk) -> bool:
        if re.search(r"[.;(]\s|\s-\s", self.text[self.end : place.start]) or is_model(place.text, desk):
            return False
        if re.fullmatch(_OURS.format(number=desk.number_form), place.text, re.IGNORECASE) or place.key.startswith(
            "RMA"
        ):
            return False
        digits = sum(map(str.isdigit, place.key))
        return digits >= (_BARE if place.key.isdigit() else _DIGITS) and (
            place.key.isdigit() or digits > len(place.key) // 4
        )

    def without(self, named: Sequence[SerialSpan]) -> SpokenSentence:
        """The sentence with the units blanked."""
        return self._blanked([(place.start, place.end) for place in named])

    def hidden(self, desk: Desk) -> SpokenSentence:
        """The sentence without numbers of ours, dates, and addresses of pages and people."""
        ours = re.compile(_OURS.format(number=desk.number_form), re.IGNORECASE)
        shown = self._blanked([found.span() for found in ours.finditer(self.text)])
        text = covered(shown.text)
        return SpokenSentence(
            text, "".join(" " if a == " " else b for a, b in zip(text, shown.low, strict=True)), self.start, self.end
        )

    def blank(self, span: tuple[int, int]) -> SpokenSentence:
        """The sentence with a part of what stands behind the command's name blanked."""
        return self._blanked([(self.end + span[0], self.end + span[1])])

    def _blanked(self, spans: Sequence[tuple[int, int]]) -> SpokenSentence:
        text, low = self.text, self.low
        for start, end in spans:
            blank = " " * (end - start)
            text, low = text[:start] + blank + text[end:], low[:start] + blank + low[end:]
        return SpokenSentence(text, low, self.start, self.end)

    def forced(self, ears: CommandMatcher) -> tuple[str, SpokenSentence]:
        """The reason behind FORCE, if it stands there, and the sentence up to it."""
        for one in ears.lexicons:
            for start, end in one.commands.force.spans(self.low):
                marked = re.match(r"\s*(?::|$)", self.low[end:]) or self.text[start:end].isupper()
                if marked and (start >= self.end or not self.end):
                    return self.text[end:].strip(EDGES), SpokenSentence(
                        self.text[:start], self.low[:start], self.start, self.end
                    )
        return "", self

    def reason(self, ears: CommandMatcher) -> str:
        """What stands behind the command's name, without marks around it and "because"."""
        text = " ".join(self.rest.split()).strip(EDGES)
        return text[max(ears.at("because", level(text)), 0) :].strip(EDGES)

    def whole(self) -> str:
        """The sentence from the command's name on."""
        return " ".join(self.text[self.start :].split()).strip(EDGES)


def found(text: str, before: Sequence[Finding], lexicons: Sequence[LanguageWords]) -> tuple[Finding, ...]:
    """The findings of a text, with those found before."""
    return tuple(dict.fromkeys((*before, *findings(text, lexicons))))


_OF = re.compile(
    r"(?<![\w.,/-])(?P<some>\d{1,3})\s{0,2}(?P<of>/|[^\W\d]{1,4}(?: [^\W\d]{1,4}){0,2})\s{0,2}(?P<all>\d{1,3})(?![\w/]|[.,-]\d)"
)


def counted(low: str, ears: CommandMatcher) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """How many of how many, as in "2 of 3", and where it stands; None where it does not."""
    for match in _OF.finditer(low):
        some, whole = int(match["some"]), int(match["all"])
        if ears.at("out_of", match["of"]) == len(match["of"]) and 0 < some <= whole:
            return (some, whole), match.span()
    return None


_NUMBER = re.compile(r"(?<![\w.,+-])(\d{1,4})(?![.,]?\d)\s{0,2}-?\s{0,2}")
_MOST = 365


def days(low: str, ears: CommandMatcher) -> int | None:
    """How many days are given: "14 days", "two weeks", "14"; None where that is not certain."""
    numbers = list(_NUMBER.finditer(low))
    spelled = [
        (match.end(), index + 1)
        for one in ears.lexicons
        for index, word in enumerate(one.commands.counts.phrases)
        for match in re.finditer(rf"(?<!\w){re.escape(level(word))}(?!\w)\s{{0,2}}", low)
    ]
    if len(numbers) + len(spelled) != 1 or len(re.findall(r"\d+", low)) != len(numbers):
        return None
    end, value = (numbers[0].end(), int(numbers[0][1])) if numbers else spelled[0]
    if ears.at("weeks", low, end) >= 0:
        value *= 7
    elif ears.at("days", low, end) < 0 and re.match(r"[^\W\d]", low[end : end + 1]):
        return None
    return value if 0 < value <= _MOST else None


def sent(
    said: SpokenSentence, ears: CommandMatcher, desk: Desk, known: Collection[str]
) -> tuple[ShipmentNotice, tuple[SerialSpan, ...], str]:
    """The parcel of SHIPPED, the units in it, and what else is said."""

    def ours(code: str) -> bool:
        unit = serial_key(code) in known or (formed(code, desk) and not serial_key(code).isdigit())
        return unit or bool(re.fullmatch(desk.number_form, code, re.IGNORECASE))

    found_ = shipment(said.rest, ears.lexicons, ours=ours, loose=True)
    rest = said.text[: said.end] + found_.rest
    open_ = SpokenSentence(rest, level(rest), said.start, said.end)
    named = open_.serials(desk, known, ears.lexicons, free=True)
    parcel = found_.parcel
    if parcel.tracking and not parcel.carrier:
        parcel = ShipmentNotice(_unlisted(said.rest, parcel.tracking, ears), parcel.tracking)
    return parcel, named, open_.without(named).rest_low


_NAME = 2
"""Words that the name of an unknown carrier has at most."""


def _unlisted(rest: str, tracking: str, ears: CommandMatcher) -> str:
    """A carrier that no list knows: the one or two words right behind SHIPPED, before the number."""
    before = rest[: max(rest.find(tracking[:4]), 0)]
    low = ears.without("polite", ears.without("filler", level(before)))
    for one in ears.lexicons:
        low = one.parcels.tracking.without(low) if one.parcels.tracking else low
    words = (
        [before[match.start() : match.end()] for match in re.finditer(r"[^\W\d_][\w&.-]*", low)]
        if len(low) == len(before)
        else []
    )
    return " ".join(words) if len(words) <= _NAME else ""
