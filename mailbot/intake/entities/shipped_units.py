"""Which of the units that a sentence names it says are shipped, and which it says are not yet.

The sentence becomes a row of signs, one for each unit, shipment, delay, "and" or comma and run of other words, in which the few
ways to tell such news are found: "shipped A and B; C and D will follow", "A was shipped, B goes out next month".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.entities.serials import SerialSpan
    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords

_UNIT, _SENT, _LATER, _NOT = "ustn"
_SIGNS = re.compile(r"(?P<stop>[;；。])|(?P<comma>[,，、])|(?P<word>\w)")  # noqa: RUF001 - Chinese punctuation is meant
_LIST = r"u(?:[,&]{1,2}w?u){0,400}+"
_NEWS = re.compile(
    # "shipped A, B and C": as far as what follows the list is not the news of its last units; the first is surely sent
    rf"sw?(?P<object>u(?![tn])(?:(?:[,&]{{1,2}}w?u)*+(?!(?:[,&]{{0,2}}w?u)*+w?[tn]))?)"
    rf"|(?P<later>t{{1,400}}+w?{_LIST}|{_LIST}w?t)"
    rf"|{_LIST}w?n|nw?{_LIST}"
    rf"|(?P<subject>{_LIST})w?s"
)


class ShipmentStatus(NamedTuple):
    """The units that are sent, those that are to follow, and whether the sentence speaks of any that are not sent."""

    sent: tuple[SerialSpan, ...] = ()
    later: tuple[SerialSpan, ...] = ()
    mixed: bool = False


def news(text: str, units: Sequence[SerialSpan], lexicons: Sequence[LanguageWords]) -> ShipmentStatus:
    """What a sentence says of the shipment of the units it names; those of which it is not clear stand nowhere."""
    if not units:
        return ShipmentStatus()
    signs = _signs(level(text), units, lexicons)
    row = "".join(sign for _, sign in signs)
    at = dict(zip(_positions(row), sorted(units, key=lambda unit: unit.start), strict=True))
    if _LATER not in row and _NOT not in row:
        return ShipmentStatus(tuple(at.values()) if _SENT in row else ())
    sent: list[SerialSpan] = []
    later: list[SerialSpan] = []
    for match in _NEWS.finditer(row):
        for group, those in (("object", sent), ("subject", sent), ("later", later)):
            those.extend(at[position] for position in range(*match.span(group)) if position in at)
    return ShipmentStatus(tuple(sent), tuple(unit for unit in later if unit not in sent), mixed=True)


def _positions(row: str) -> Iterator[int]:
    return (position for position, sign in enumerate(row) if sign == _UNIT)


def _signs(low: str, units: Sequence[SerialSpan], lexicons: Sequence[LanguageWords]) -> list[tuple[int, str]]:
    """The signs of a sentence, as words are compared, by where they stand."""
    taken = [(unit.start, unit.end, _UNIT) for unit in units]
    bare, places = _without(low, units)
    for one in lexicons:
        shipped, kind = one.parcels, one.labels
        lists: tuple[tuple[Phrases, str], ...] = (
            (shipped.future, _LATER), (shipped.stays, _LATER), (one.reasons.negations, _NOT), (shipped.sent, _SENT),
            (one.commands.joins, "&"), (kind.serial, ""), (kind.device, ""),
        )  # fmt: skip
        taken += ((start, end, sign) for phrases, sign in lists for start, end in phrases.spans(low))
        taken += ((places[start], places[end - 1] + 1, _SENT) for start, end in shipped.sent.spans(bare))
    order = (_UNIT, _LATER, _NOT, _SENT, "&", "")
    free = [True] * len(low)
    found: list[tuple[int, str]] = []
    for start, end, sign in sorted(taken, key=lambda span: (order.index(span[2]), span[0] - span[1])):
        begin = max((unit.end for unit in units if sign == _SENT and start <= unit.start < end), default=start)
        if begin < end and all(free[begin:end]):
            free[begin:end] = [False] * (end - begin)
            found.append((begin, sign))
    marks = (match for match in _SIGNS.finditer(low) if free[match.start()])
    found += ((mark.start(), {"stop": ";", "comma": ","}.get(mark.lastgroup or "", "w")) for mark in marks)
    row = [one for one in sorted(found) if one[1]]
    return [one for at, one in enumerate(row) if one[1] != "w" or not at or row[at - 1][1] != "w"]


def _without(low: str, units: Sequence[SerialSpan]) -> tuple[str, list[int]]:
    """The sentence without its units ("shipped A today": "shipped today"), and where each of its characters stands."""
    named = {at for unit in units for at in range(unit.start, unit.end)}
    places = [at for at in range(len(low)) if at not in named]
    places = [at for before, at in zip((-1, *places), places, strict=False) if low[at] != " " or low[before] != " "]
    return "".join(low[at] for at in places), places
