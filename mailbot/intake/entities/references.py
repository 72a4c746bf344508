"""Numbers other than serials: purchase orders, RMA numbers, cases of a remote diagnosis."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.entities.serial_reader import label
from mailbot.intake.entities.serials import formed, numbered, serial_key
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import tidy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords

_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{1,24}(?:[-/._][A-Za-z0-9]{1,24}){0,5}(?![A-Za-z0-9])")


_DIGITS = 2
"""Digits that a number of any kind has at least."""


@lru_cache(maxsize=4096)
def _written(sentence: str) -> tuple[tuple[str, int], ...]:
    """What may be a number in a sentence, and where it begins."""
    if not numbered(sentence):
        return ()
    found = ((match[0].strip("-/._"), match.start()) for match in _NUMBER.finditer(sentence[:2_000]))
    return tuple((text, at) for text, at in found if sum(map(str.isdigit, text)) >= _DIGITS)


def _numbers(sentence: str, kinds: Collection[str], lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """The numbers of a sentence that stand behind a label of these kinds."""
    for text, at in _written(sentence):
        if label(sentence[:at], lexicons) in kinds:
            yield text


def purchase_order(
    places: Sequence[Sequence[str]], known: Collection[str], lexicons: Sequence[LanguageWords]
) -> str | None:
    """The customer's purchase order number: from the first of these texts that names one."""
    for kinds in ({"purchase_order"}, {"order"}):
        for sentences in places:
            for sentence in _below(sentences[:400], lexicons):
                for number in _numbers(sentence, kinds, lexicons):
                    if serial_key(number) not in known and not number.upper().startswith("RMA"):
                        return number
    return None


def _is_title(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a line is the title of an order number and no more: "Order Number", as a PDF shows it."""
    said = plain(sentence)
    return any(one.labels.purchase_order.is_all(said) or one.labels.order.is_all(said) for one in lexicons)


def _below(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """The sentences, each behind the title that stands alone above it: "P.O. number:" and below it the number."""
    title = ""
    for sentence in sentences:
        if sentence:
            yield f"{title} {sentence}" if title else sentence
            alone = len(sentence) <= _TITLE and (sentence.endswith(":") or _is_title(sentence, lexicons))
            title = sentence if alone else ""


_TITLE = 60


def from_file_names(names: Sequence[str]) -> list[str]:
    """File names as sentences, without their endings: "PO_4500123.pdf" says "PO 4500123"."""
    stems = (tidy(name).rpartition(".")[0] or name for name in names)
    return [re.sub(r"_+|(?<=PO)-?(?=\d)", " ", stem, flags=re.IGNORECASE) for stem in stems]


def speaks_of_order(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a mail, or a document of it, speaks of a purchase order at all."""
    return any(one.labels.purchase_order.search(plain(text)) for text in sentences[:400] if text for one in lexicons)


def from_whole_name(names: Sequence[str], desk: Desk) -> str | None:
    """The order number that is a document's whole name: "BC-2026-0817.pdf"."""
    stems = (tidy(name).rpartition(".")[0] for name in names)
    return next((stem for stem in stems if _NUMBER.fullmatch(stem) and _is_order(stem, desk)), None)


def _is_order(text: str, desk: Desk) -> bool:
    digits = sum(map(str.isdigit, text))
    return digits > 2 * _DIGITS and not formed(text, desk) and not re.fullmatch(desk.number_form, text, re.IGNORECASE)


def support_case(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> str | None:
    """The reference of a remote diagnosis that went before (ST-3)."""
    found = (number for sentence in sentences[:400] for number in _numbers(sentence, {"support_case"}, lexicons))
    return next(found, None)


def claimed_numbers(sentences: Sequence[str], desk: Desk, lexicons: Sequence[LanguageWords]) -> tuple[str, ...]:
    """The RMA numbers that a mail names: of our form, or labelled as one (AP-25)."""
    form = re.compile(rf"(?<![A-Za-z0-9])(?:{desk.number_form})(?![A-Za-z0-9])", re.IGNORECASE)
    found: dict[str, None] = {}
    for sentence in sentences[:400]:
        found.update(dict.fromkeys(match[0].upper() for match in form.finditer(sentence[:2_000])))
        found.update(dict.fromkeys(number.upper() for number in _numbers(sentence, {"rma"}, lexicons)))
    parts = {serial_key(number) for number in found}
    return tuple(
        number
        for number in found
        if not any(serial_key(number) != whole and whole.endswith(serial_key(number)) for whole in parts)
    )


def revision(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> str | None:
    """The hardware revision that a text names, such as A1 (AP-47)."""
    for sentence in sentences[:200]:
        for match in re.finditer(r"(?<![A-Za-z0-9.])[A-Z]?\.?\d{1,2}(?:\.\d{1,2})?(?![A-Za-z0-9])", sentence[:2_000]):
            if label(sentence[: match.start()], lexicons) == "revision":
                return match[0]
    return None
