"""Which sheets of a workbook are the request: a message may say that one of them is only an inventory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.text.normalize import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Document, Table

_ORDINALS = ("first", "second", "third")


def requested_tables(documents: Sequence[Document], sentences: Sequence[str], lexicons: Sequence[LanguageWords]) -> Iterator[Table]:
    """Yield the tables of the documents except those that the message, or their own name, excludes."""
    with_tables = [document for document in documents if document.tables]
    clauses = [
        normalize(clause)
        for sentence in (sentences if with_tables else ())
        if any(lexicon.sheets.word.search(normalize(sentence)) for lexicon in lexicons)
        for clause in re.split(r"[,;:、]\s|\s-\s", sentence)
    ]
    for document in with_tables:
        excluded = {index for index, table in enumerate(document.tables) if _is_excluded(index, table, clauses, lexicons)}
        only = {index for index, table in enumerate(document.tables) if _is_only_one(index, table, clauses, lexicons)}
        if only:
            excluded = set(range(len(document.tables))) - only
        if len(excluded) == len(document.tables):
            excluded = set()
        yield from (table for index, table in enumerate(document.tables) if index not in excluded)


def _is_excluded(index: int, table: Table, clauses: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    about = [sentence for sentence in clauses if _is_about(sentence, index, table, lexicons)]
    if about:
        return any(lexicon.sheets.aside.search(sentence) for sentence in about for lexicon in lexicons)
    return any(lexicon.sheets.aside.search(normalize(table.source)) for lexicon in lexicons)


def _is_only_one(index: int, table: Table, clauses: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether the message is about this sheet and no other."""
    return any(
        _is_about(clause, index, table, lexicons)
        and any(lexicon.serials.only.search(clause) for lexicon in lexicons)
        and not any(lexicon.sheets.aside.search(clause.replace(normalize(table.source), " ")) for lexicon in lexicons)
        for clause in clauses
    )


def _is_about(sentence: str, index: int, table: Table, lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a sentence is about this sheet: by its name, its ordinal, or as one of the others."""
    name = normalize(table.source)
    if name and (f'"{name}"' in sentence or f"'{name}'" in sentence):
        return True
    ordinals = [getattr(lexicon.sheets, ordinal).search(sentence) for ordinal in _ORDINALS for lexicon in lexicons]
    own_ordinal = _ORDINALS[index] if index < len(_ORDINALS) else "rest"
    if any(getattr(lexicon.sheets, own_ordinal).search(sentence) for lexicon in lexicons):
        return True
    return index > 0 and not any(ordinals) and any(lexicon.sheets.rest.search(sentence) for lexicon in lexicons)
