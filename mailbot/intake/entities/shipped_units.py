"""Which of the units in a sentence have shipped according to it, and which have not.

The sentence is reduced to a row of signs: one for each unit, shipment, delay, "and" or comma, and run of other words.
Patterns in that row cover the few ways to write this: "shipped A and B; C and D will follow", "A was shipped, B goes
out next month".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import normalize_in_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.entities.serials import SerialSpan
    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords

_UNIT, _SENT, _LATER, _NOT = "ustn"
_SIGNS = re.compile(r"(?P<stop>[;；。])|(?P<comma>[,，、])|(?P<word>\w)")  # noqa: RUF001 - Chinese punctuation is intended
_LIST = r"u(?:[,&]{1,2}w?u){0,400}+"
_STATEMENT = re.compile(
    # "shipped A, B and C": up to the units that the following words are about; the first one has certainly shipped
    rf"sw?(?P<object>u(?![tn])(?:(?:[,&]{{1,2}}w?u)*+(?!(?:[,&]{{0,2}}w?u)*+w?[tn]))?)"
    rf"|(?P<later>t{{1,400}}+w?{_LIST}|{_LIST}w?t)"
    rf"|{_LIST}w?n|nw?{_LIST}"
    rf"|(?P<subject>{_LIST})w?s"
)


class ShipmentStatus(NamedTuple):
    """The units that shipped, those that will follow, and whether the sentence mentions any that have not shipped."""

    sent: tuple[SerialSpan, ...] = ()
    later: tuple[SerialSpan, ...] = ()
    mixed: bool = False


def shipment_status(text: str, units: Sequence[SerialSpan], lexicons: Sequence[LanguageWords]) -> ShipmentStatus:
    """Return the shipment status of the units in a sentence; units of unclear status are in neither list."""
    if not units:
        return ShipmentStatus()
    signs = _signs(normalize_in_place(text), units, lexicons)
    sign_row = "".join(sign for _, sign in signs)
    positions = (position for position, sign in enumerate(sign_row) if sign == _UNIT)
    unit_at = dict(zip(positions, sorted(units, key=lambda unit: unit.start), strict=True))
    if _LATER not in sign_row and _NOT not in sign_row:
        return ShipmentStatus(tuple(unit_at.values()) if _SENT in sign_row else ())
    sent: list[SerialSpan] = []
    later: list[SerialSpan] = []
    for match in _STATEMENT.finditer(sign_row):
        for group, group_units in (("object", sent), ("subject", sent), ("later", later)):
            group_units.extend(unit_at[position] for position in range(*match.span(group)) if position in unit_at)
    return ShipmentStatus(tuple(sent), tuple(unit for unit in later if unit not in sent), mixed=True)


def _signs(normalized: str, units: Sequence[SerialSpan], lexicons: Sequence[LanguageWords]) -> list[tuple[int, str]]:
    """Return the signs of a sentence in normalized form, with their positions."""
    spans = [(unit.start, unit.end, _UNIT) for unit in units]
    without_units, positions = _without_units(normalized, units)
    for lexicon in lexicons:
        shipped, kind = lexicon.parcels, lexicon.labels
        phrase_lists: tuple[tuple[Phrases, str], ...] = (
            (shipped.future, _LATER), (shipped.stays, _LATER), (lexicon.reasons.negations, _NOT), (shipped.sent, _SENT),
            (lexicon.commands["joins"], "&"), (kind.serial, ""), (kind.device, ""),
        )  # fmt: skip
        spans += ((start, end, sign) for phrases, sign in phrase_lists for start, end in phrases.spans(normalized))
        spans += ((positions[start], positions[end - 1] + 1, _SENT) for start, end in shipped.sent.spans(without_units))
    order = (_UNIT, _LATER, _NOT, _SENT, "&", "")
    is_free = [True] * len(normalized)
    found: list[tuple[int, str]] = []
    for start, end, sign in sorted(spans, key=lambda span: (order.index(span[2]), span[0] - span[1])):
        sign_start = max((unit.end for unit in units if sign == _SENT and start <= unit.start < end), default=start)
        if sign_start < end and all(is_free[sign_start:end]):
            is_free[sign_start:end] = [False] * (end - sign_start)
            found.append((sign_start, sign))
    marks = (match for match in _SIGNS.finditer(normalized) if is_free[match.start()])
    found += ((mark.start(), {"stop": ";", "comma": ","}.get(mark.lastgroup or "", "w")) for mark in marks)
    sign_row = [entry for entry in sorted(found) if entry[1]]
    return [entry for index, entry in enumerate(sign_row) if entry[1] != "w" or not index or sign_row[index - 1][1] != "w"]


def _without_units(normalized: str, units: Sequence[SerialSpan]) -> tuple[str, list[int]]:
    """Return the sentence without its units, and the original position of each character.

    For example, "shipped A today" becomes "shipped today".
    """
    unit_positions = {position for unit in units for position in range(unit.start, unit.end)}
    positions = [position for position in range(len(normalized)) if position not in unit_positions]
    positions = [
        position
        for before, position in zip((-1, *positions), positions, strict=False)
        if normalized[position] != " " or normalized[before] != " "
    ]
    return "".join(normalized[position] for position in positions), positions
