"""The words of the papers in one language: headings and labels, from ``papers.toml``, checked when they are loaded."""

from __future__ import annotations

from string import Formatter
from typing import Annotated

import msgspec

from mailbot import strict_toml
from mailbot.model import Value

Word = Annotated[str, msgspec.Meta(min_length=1)]


class TextSection(Value, frozen=True, forbid_unknown_fields=True):
    """A table of papers.toml: every word must be there, and no other."""


class Shared(TextSection, frozen=True):
    """Words that more than one paper says. ``box`` and ``page`` have the places {n} and {m}, ``more`` has {n}."""

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
        """Refuse a wrong place."""
        _places(box=(self.box, {"n", "m"}), page=(self.page, {"n", "m"}), more=(self.more, {"n"}))


class Label(TextSection, frozen=True):
    """Words of the box label."""

    title: Word
    hints: tuple[Word, ...]


class Packing(TextSection, frozen=True):
    """Words of the packing sheet."""

    title: Word
    intro: Word
    how: Word
    check: Word
    checks: tuple[Word, ...]


class Invoice(TextSection, frozen=True):
    """Words of the commercial invoice."""

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
    """Words of the calendar file. ``name`` has the place {number}; so has ``ship_by``, the event of the number's last day."""

    name: Word
    ship_by: Word

    def __post_init__(self) -> None:
        """Refuse a wrong place."""
        _places(name=(self.name, {"number"}), ship_by=(self.ship_by, {"number"}))


class DocumentTexts(TextSection, frozen=True):
    """All words of the papers in one language (an ISO 639-1 code, which also decides how dates are written)."""

    language: Word
    shared: Shared
    label: Label
    packing: Packing
    invoice: Invoice
    calendar: Calendar

    @classmethod
    def of(cls, text: str, file: str = "papers.toml") -> DocumentTexts:
        """Read the words of a language from the text of its papers.toml.

        Raises:
            ConfigError: naming file, line and key of a word that is missing, not known, empty or has a wrong place.
        """
        return strict_toml.convert(strict_toml.parse(text, file), cls, file, text)


def _places(**words: tuple[str, set[str]]) -> None:
    """Refuse a word whose {places} are not exactly these."""
    for name, (text, wanted) in words.items():
        meant = ", ".join(f"{{{place}}}" for place in sorted(wanted))
        try:
            found = [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(text)]
        except ValueError as error:
            raise ValueError(f"{name} = {text!r}: {error}; it needs the places {meant}") from None
        plain = {field for field, spec, conversion in found if field is not None and not spec and not conversion}
        if plain != wanted or any(field is not None and field not in plain for field, _, _ in found):
            raise ValueError(f"{name} = {text!r} must have the places {meant} and no other")
