"""Which sheets of a workbook are the request: a mail may say that one of them is only an inventory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Document, Table

_ORDINALS = ("first", "second", "third")


def wanted(
    documents: Sequence[Document], sentences: Sequence[str], lexicons: Sequence[LanguageWords]
) -> Iterator[Table]:
    """The tables of the documents but those that the mail, or their own name, sets aside."""
    talk = [
        plain(clause)
        for sentence in sentences
        if any(lexicon.sheets.word.search(plain(sentence)) for lexicon in lexicons)
        for clause in re.split(r"[,;:、]\s|\s-\s", sentence)
    ]
    for document in documents:
        aside = {number for number, table in enumerate(document.tables) if _aside(number, table, talk, lexicons)}
        only = {number for number, table in enumerate(document.tables) if _only(number, table, talk, lexicons)}
        if only:
            aside = set(range(len(document.tables))) - only
        if len(aside) == len(document.tables):
            aside = set()
        yield from (table for number, table in enumerate(document.tables) if number not in aside)


def _aside(number: int, table: Table, talk: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    about = [sentence for sentence in talk if _names(sentence, number, table, lexicons)]
    if about:
        return any(lexicon.sheets.aside.search(sentence) for sentence in about for lexicon in lexicons)
    return any(lexicon.sheets.aside.search(plain(table.source)) for lexicon in lexicons)


def _only(number: int, table: Table, talk: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether the mail is about this sheet and no other."""
    return any(
        _names(clause, number, table, lexicons)
        and any(lexicon.serials.only.search(clause) for lexicon in lexicons)
        and not any(lexicon.sheets.aside.search(clause.replace(plain(table.source), " ")) for lexicon in lexicons)
        for clause in talk
    )


def _names(sentence: str, number: int, table: Table, lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a sentence speaks of this sheet: by its name, its ordinal, or as one of the others."""
    name = plain(table.source)
    if name and (f'"{name}"' in sentence or f"'{name}'" in sentence):
        return True
    ordinals = [getattr(lexicon.sheets, ordinal).search(sentence) for ordinal in _ORDINALS for lexicon in lexicons]
    mine = _ORDINALS[number] if number < len(_ORDINALS) else "rest"
    if any(getattr(lexicon.sheets, mine).search(sentence) for lexicon in lexicons):
        return True
    return number > 0 and not any(ordinals) and any(lexicon.sheets.rest.search(sentence) for lexicon in lexicons)
