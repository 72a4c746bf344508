"""Shipments: the carrier and the tracking number that a text names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.matcher import level
from mailbot.intake.entities.serials import covered
from mailbot.model import ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords

_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{2,40}(?:[ -][A-Za-z0-9]{2,40}){0,6}(?![A-Za-z0-9])")
_DIGITS = 3
_BETWEEN = re.compile(r"[\s:#=.,()\-]{0,6}(?:(?:is|no|nr|number|ist|lautet|es|est)\b[\s:#=.]{0,4}){0,2}")


class Shipment(NamedTuple):
    """A parcel, and the text around it."""

    parcel: ShipmentNotice
    rest: str
    labelled: bool


@lru_cache(maxsize=16)
def _form(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms) or r"(?!)")


def shipment(
    text: str, lexicons: Sequence[LanguageWords], *, ours: Callable[[str], bool], loose: bool = False
) -> Shipment:
    """The carrier and tracking number in one sentence.

    Args:
        text: the sentence.
        lexicons: the word lists.
        ours: whether a code is a serial or a number of ours.
        loose: any code with three digits behind a carrier is a tracking number, whatever its form.
    """
    low = level(text)
    carrier = _carrier(low, lexicons)
    label = max((end for one in lexicons for _, end in one.parcels.tracking.spans(low)), default=-1)
    found = _tracking(text, label, carrier, lexicons, ours=ours, loose=loose)
    rest = text
    for start, end in (carrier, found):
        rest = rest[:start] + " " * (end - start) + rest[end:]
    name = " ".join(text[carrier[0] : carrier[1]].split())
    number = re.sub(r"[ -]", "", text[found[0] : found[1]]).upper()
    return Shipment(ShipmentNotice(name, number), rest, label >= 0)


def _carrier(low: str, lexicons: Sequence[LanguageWords]) -> tuple[int, int]:
    """The first carrier's name, with its service behind it: "UPS Ground"."""
    spans = sorted((span for one in lexicons for span in one.parcels.carriers.spans(low)), key=lambda s: (s[0], -s[1]))
    if not spans:
        return 0, 0
    start, end = spans[0]
    for _ in range(2):
        gap = re.compile(r"[ (-]{0,2}").match(low, end)
        at = gap.end() if gap else end
        service = max((one.parcels.services.end_at(low, at) for one in lexicons), default=-1)
        if service <= end:
            break
        end = service
    return start, end


def _tracking(
    text: str,
    label: int,
    carrier: tuple[int, int],
    lexicons: Sequence[LanguageWords],
    *,
    ours: Callable[[str], bool],
    loose: bool,
) -> tuple[int, int]:
    """Where the tracking number stands: behind its label, in the form of one, or (loosely) behind the carrier."""
    forms = [_form(one.parcels.forms) for one in lexicons if one.parcels.forms]
    open_ = covered(text)
    best: list[tuple[int, int, int]] = []
    for match in _CODE.finditer(open_):
        mine = -1
        for start, end in _pieces(match):
            if start < mine:
                continue
            written = re.sub(r"[ -]", "", open_[start:end]).upper()
            digits = sum(map(str.isdigit, written))
            if ours(open_[start:end]):
                mine = end
                continue
            if digits < _DIGITS:
                continue
            whole = " " not in open_[start:end]
            formed = any(form.fullmatch(written) for form in forms)
            near = _BETWEEN.fullmatch(open_[label:start]) if 0 <= label <= start else None
            if near and (whole or formed):
                rank = 0
            elif formed and (carrier[1] or label >= 0 or written.startswith("1Z")):
                rank = 1
            elif (loose or label >= 0) and whole and len(written) > _DIGITS and start >= carrier[1]:
                rank = 2
            else:
                continue
            best.append((rank, start - end, start))
    if not best:
        return 0, 0
    _, size, start = min(best)
    return start, start - size


def _pieces(match: re.Match[str]) -> list[tuple[int, int]]:
    """A run of words: whole, each by itself, and from each word to the end of the digits behind it."""
    words = [(match.start() + m.start(), match.start() + m.end()) for m in re.finditer(r"[A-Za-z0-9]+", match[0])]
    counted = [any(map(str.isdigit, match.string[start:end])) for start, end in words]
    return [
        (words[i][0], words[j][1])
        for i in range(len(words))
        for j in range(len(words) - 1, i - 1, -1)
        if i == j or all(counted[i : j + 1])
    ]
