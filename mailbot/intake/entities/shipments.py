"""Shipments: the carrier and the tracking number in a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.intake.entities.serials import mask_non_serials
from mailbot.model import ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{2,40}(?:[ -][A-Za-z0-9]{2,40}){0,6}(?![A-Za-z0-9])")
_MIN_DIGITS = 3
_BETWEEN = re.compile(r"[\s:#=.,()\-]{0,6}(?:(?:is|no|nr|number|ist|lautet|es|est)\b[\s:#=.]{0,4}){0,2}")


class Shipment(NamedTuple):
    """A shipment, the rest of the text, and whether a tracking number label was found."""

    parcel: ShipmentNotice
    rest: str
    has_label: bool


@lru_cache(maxsize=16)
def _tracking_pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms) or r"(?!)")


def find_shipment(text: str, lexicons: Sequence[LanguageWords], *, ours: Callable[[str], bool], loose: bool = False) -> Shipment:
    """Return the carrier and tracking number in one sentence.

    ``ours`` returns whether a code is one of our serial or RMA numbers. ``loose`` accepts any code with three digits after
    a carrier as a tracking number.
    """
    normalized = normalize_in_place(text)
    carrier = _carrier(normalized, lexicons)
    label_kind = max((end for one in lexicons for _, end in one.parcels.tracking.spans(normalized)), default=-1)
    found = _tracking(text, label_kind, carrier, lexicons, ours=ours, loose=loose)
    rest = text
    for start, end in (carrier, found):
        rest = rest[:start] + " " * (end - start) + rest[end:]
    name = " ".join(text[carrier[0] : carrier[1]].split())
    number = re.sub(r"[ -]", "", text[found[0] : found[1]]).upper()
    return Shipment(ShipmentNotice(name, number), rest, label_kind >= 0)


def _carrier(normalized: str, lexicons: Sequence[LanguageWords]) -> tuple[int, int]:
    """Return the start and end of the first carrier's name with its service: "UPS Ground"."""
    spans = sorted((span for one in lexicons for span in one.parcels.carriers.spans(normalized)), key=lambda s: (s[0], -s[1]))
    if not spans:
        return 0, 0
    start, end = spans[0]
    for _ in range(2):
        gap = re.compile(r"[ (-]{0,2}").match(normalized, end)
        at = gap.end() if gap else end
        service = max((one.parcels.services.end_at(normalized, at) for one in lexicons), default=-1)
        if service <= end:
            break
        end = service
    return start, end


def _tracking(
    text: str,
    label_kind: int,
    carrier: tuple[int, int],
    lexicons: Sequence[LanguageWords],
    *,
    ours: Callable[[str], bool],
    loose: bool,
) -> tuple[int, int]:
    """Return the span of the tracking number: it follows its label, has the form of one, or follows the carrier (``loose``)."""
    forms = [_tracking_pattern(one.parcels.forms) for one in lexicons if one.parcels.forms]
    masked = mask_non_serials(text)
    candidates: list[tuple[int, int, int]] = []
    for match in _CODE.finditer(masked):
        own_end = -1
        for start, end in _candidate_spans(match):
            if start < own_end:
                continue
            written = re.sub(r"[ -]", "", masked[start:end]).upper()
            digits = sum(map(str.isdigit, written))
            if ours(masked[start:end]):
                own_end = end
                continue
            if digits < _MIN_DIGITS:
                continue
            is_one_word = " " not in masked[start:end]
            has_tracking_form = any(form.fullmatch(written) for form in forms)
            follows_label = _BETWEEN.fullmatch(masked[label_kind:start]) if 0 <= label_kind <= start else None
            if follows_label and (is_one_word or has_tracking_form):
                rank = 0
            elif has_tracking_form and (carrier[1] or label_kind >= 0 or written.startswith("1Z")):
                rank = 1
            elif (loose or label_kind >= 0) and is_one_word and len(written) > _MIN_DIGITS and start >= carrier[1]:
                rank = 2
            else:
                continue
            candidates.append((rank, start - end, start))
    if not candidates:
        return 0, 0
    _, size, start = min(candidates)
    return start, start - size


def _candidate_spans(match: re.Match[str]) -> list[tuple[int, int]]:
    """Return possible spans of a tracking number: each word of a run, and the runs from it of words with a digit."""
    words = [(match.start() + m.start(), match.start() + m.end()) for m in re.finditer(r"[A-Za-z0-9]+", match[0])]
    with_digit = [any(map(str.isdigit, match.string[start:end])) for start, end in words]
    return [
        (words[i][0], words[j][1])
        for i in range(len(words))
        for j in range(len(words) - 1, i - 1, -1)
        if i == j or all(with_digit[i : j + 1])
    ]
