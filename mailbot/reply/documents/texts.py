"""The headings and labels of the documents in one language, from ``papers.toml``; they are checked when loaded."""

from __future__ import annotations

from string import Formatter
from typing import Annotated

import msgspec

from mailbot import strict_toml
from mailbot.model import Value

Word = Annotated[str, msgspec.Meta(min_length=1)]


class TextSection(Value, frozen=True, forbid_unknown_fields=True):
    """A table of papers.toml: all keys are required, and unknown keys are errors."""


class Shared(TextSection, frozen=True):
    """Texts that several documents use. ``box`` and ``page`` have the placeholders {n} and {m}, ``more`` has {n}."""

    number: Word
    ship_to: Word
    sender: Word
    issued_on: Word
    valid_until: Word
    units: Word
    serial: Word
    model: Word
    reason: Word
    boxes: Word
    box: Word
    page: Word
    more: Word

    def __post_init__(self) -> None:
        """Reject wrong placeholders."""
        _check_placeholders(box=(self.box, {"n", "m"}), page=(self.page, {"n", "m"}), more=(self.more, {"n"}))


class Label(TextSection, frozen=True):
    """Texts of the box label."""

    title: Word
    hints: tuple[Word, ...]


class Packing(TextSection, frozen=True):
    """Texts of the packing list."""

    title: Word
    intro: Word
    how: Word
    check: Word
    checks: tuple[Word, ...]


class Invoice(TextSection, frozen=True):
    """Texts of the commercial invoice."""

    title: Word
    draft: Word
    draft_note: Word
    shipper: Word
    consignee: Word
    date: Word
    reason_for_export: Word
    reason_text: Word
    packages: Word
    weight: Word
    waybill: Word
    goods: Word
    origin: Word
    tariff: Word
    quantity: Word
    value: Word
    currency: Word
    total: Word
    statements: Word
    declaration: Word
    name: Word
    signature: Word


class Calendar(TextSection, frozen=True):
    """Texts of the calendar file. ``name`` and ``ship_by`` (the last valid day of the number) have the placeholder {number}."""

    name: Word
    ship_by: Word

    def __post_init__(self) -> None:
        """Reject wrong placeholders."""
        _check_placeholders(name=(self.name, {"number"}), ship_by=(self.ship_by, {"number"}))


class DocumentTexts(TextSection, frozen=True):
    """All texts of the documents in one language (an ISO 639-1 code, which also determines the format of dates)."""

    language: Word
    shared: Shared
    label: Label
    packing: Packing
    invoice: Invoice
    calendar: Calendar

    @classmethod
    def of(cls, text: str, file: str = "papers.toml") -> DocumentTexts:
        """Read the texts of a language from its papers.toml; ``file`` is its name, for error texts.

        Raises:
            ConfigError: a text is missing, unknown, empty, or has wrong placeholders; names file, line and key.
        """
        return strict_toml.convert(strict_toml.parse(text, file), cls, file, text)


def _check_placeholders(**words: tuple[str, set[str]]) -> None:
    """Raise ValueError if the placeholders of a text are not exactly these."""
    for name, (text, wanted) in words.items():
        expected = ", ".join(f"{{{name}}}" for name in sorted(wanted))
        try:
            found = [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(text)]
        except ValueError as error:
            raise ValueError(f"{name} = {text!r}: {error}; it needs the placeholders {expected}") from None
        plain = {field for field, spec, conversion in found if field is not None and not spec and not conversion}
        if plain != wanted or any(field is not None and field not in plain for field, _, _ in found):
            raise ValueError(f"{name} = {text!r} must have the placeholders {expected} and no other")
