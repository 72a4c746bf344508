"""Numbers other than serial numbers: purchase orders, RMA numbers, and support cases."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.intake.entities.serial_reader import label_kind
from mailbot.intake.entities.serials import has_digit, has_serial_form, serial_key
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import tidy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords

_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{1,24}(?:[-/._][A-Za-z0-9]{1,24}){0,5}(?![A-Za-z0-9])")


_MIN_DIGITS = 2
"""The minimum number of digits in a number of any kind."""


@lru_cache(maxsize=4096)
def _possible_numbers(sentence: str) -> tuple[tuple[str, int], ...]:
    """Return possible numbers in a sentence, and where each begins."""
    if not has_digit(sentence):
        return ()
    found = ((match[0].strip("-/._"), match.start()) for match in _NUMBER.finditer(sentence[:2_000]))
    return tuple((text, start) for text, start in found if has_digit(text) and sum(map(str.isdigit, text)) >= _MIN_DIGITS)


def _numbers(sentence: str, kind: str, lexicons: Sequence[LanguageWords]) -> list[str]:
    """Return the numbers of a sentence that follow a label of this kind."""
    return [text for text, start in _possible_numbers(sentence) if label_kind(sentence[:start], lexicons) == kind]


def purchase_order(texts: Sequence[Sequence[str]], known: Collection[str], lexicons: Sequence[LanguageWords]) -> str | None:
    """Return the customer's purchase order number: from the first of these texts that has one."""
    titled = [text for sentences in texts for text in _with_title(sentences[:400], lexicons) if has_digit(text)]
    found = (number for kind in ("purchase_order", "order") for sentence in titled for number in _numbers(sentence, kind, lexicons))
    return next((number for number in found if serial_key(number) not in known and not number.upper().startswith("RMA")), None)


def _is_title(sentence: str, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a line is only the title of an order number: "Order Number", as in text from a PDF."""
    normalized = normalize(sentence)
    return any(one.labels.purchase_order.is_all(normalized) or one.labels.order.is_all(normalized) for one in lexicons)


def _with_title(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """Yield the sentences, each after a title on the line above it: "P.O. number:" and the number below."""
    title = ""
    for sentence in sentences:
        if sentence:
            yield f"{title} {sentence}" if title else sentence
            is_title = len(sentence) <= _MAX_TITLE and (sentence.endswith(":") or _is_title(sentence, lexicons))
            title = sentence if is_title else ""


_MAX_TITLE = 60


def file_names_as_text(names: Sequence[str]) -> list[str]:
    """Return file names as text, without their extensions: "PO_4500123.pdf" becomes "PO 4500123"."""
    stems = (tidy(name).rpartition(".")[0] or name for name in names)
    return [re.sub(r"_+|(?<=PO)-?(?=\d)", " ", stem, flags=re.IGNORECASE) for stem in stems]


def mentions_order(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a message, or one of its documents, mentions a purchase order."""
    return any(one.labels.purchase_order.search(normalize(text)) for text in sentences[:400] if text for one in lexicons)


def order_number_from_file_name(names: Sequence[str], desk: Desk) -> str | None:
    """Return the order number that is the whole name of a document: "BC-2026-0817.pdf"."""
    stems = (tidy(name).rpartition(".")[0] for name in names)
    return next((stem for stem in stems if _NUMBER.fullmatch(stem) and _is_order_number(stem, desk)), None)


def _is_order_number(text: str, desk: Desk) -> bool:
    digits = sum(map(str.isdigit, text))
    return digits > 2 * _MIN_DIGITS and not has_serial_form(text, desk) and not re.fullmatch(desk.number_form, text, re.IGNORECASE)


def support_case(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> str | None:
    """Return the reference of an earlier remote diagnosis (ST-3)."""
    found = (number for sentence in sentences[:400] for number in _numbers(sentence, "support_case", lexicons))
    return next(found, None)


def claimed_numbers(sentences: Sequence[str], desk: Desk, lexicons: Sequence[LanguageWords]) -> tuple[str, ...]:
    """Return the RMA numbers in a message: of our form, or labeled as one (AP-25)."""
    form = re.compile(rf"(?<![A-Za-z0-9])(?:{desk.number_form})(?![A-Za-z0-9])", re.IGNORECASE)
    found: dict[str, None] = {}
    for sentence in sentences[:400]:
        found.update(dict.fromkeys(match[0].upper() for match in form.finditer(sentence[:2_000])))
        found.update(dict.fromkeys(number.upper() for number in _numbers(sentence, "rma", lexicons)))
    hyphenated_parts = {serial_key(number) for number in found}
    return tuple(
        number
        for number in found
        if not any(serial_key(number) != whole and whole.endswith(serial_key(number)) for whole in hyphenated_parts)
    )


def revision(sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> str | None:
    """Return the hardware revision in a text, such as A1 (AP-47)."""
    for sentence in sentences[:200]:
        for match in re.finditer(r"(?<![A-Za-z0-9.])[A-Z]?\.?\d{1,2}(?:\.\d{1,2})?(?![A-Za-z0-9])", sentence[:2_000]):
            if label_kind(sentence[: match.start()], lexicons) == "revision":
                return match[0]
    return None
