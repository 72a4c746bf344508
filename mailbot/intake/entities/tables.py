"""Tables as requests: a column of serial numbers, and a description of the problem next to each."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.formats import MAX_ROWS, parse_separated
from mailbot.intake.entities.serial_reader import Reader, label_kind
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import tidy
from mailbot.model import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords


class RequestRow(NamedTuple):
    """One unit in a table: serial number, key, reason, and the other cells with their headings."""

    serial: str
    key: str
    reason: str
    rest: str


_MAX_HEADING = 40
_MIN_WIDE_TEXT = 3
_MAX_ROWS_ABOVE_HEADING = 8
"""The maximum number of rows that are searched for the heading."""


def rows(table: Table, reader: Reader) -> Iterator[RequestRow]:
    """Yield the units of a table; without a heading for serial numbers, those of cells that are one by themselves."""
    table = _transposed(table, reader.lexicons)
    heading_index = next(
        (number for number, row in enumerate(table.rows[:_MAX_ROWS_ABOVE_HEADING]) if "serial" in _kinds(row, reader.lexicons)),
        None,
    )
    if heading_index is None:
        for row in table.rows:
            yield from _row_without_heading(row, reader)
        return
    titles = table.rows[heading_index]
    kinds = _kinds(titles, reader.lexicons)
    column = kinds.index("serial")
    good_rows = _good_rows(table.rows[heading_index + 1 :], kinds, reader.lexicons)
    for row in table.rows[heading_index + 1 :]:
        if row in good_rows:
            continue
        cells = (*row, *("" for _ in range(len(titles) - len(row))))
        serials = reader.all_accepted(tidy(cells[column]), "serial")
        if not serials:
            continue
        reasons = [cell for cell, kind in zip(cells, kinds, strict=False) if kind == "reason" and cell]
        if "reason" not in kinds:
            reasons = _description(cells, kinds)
        rest = "\n".join(f"{title}: {cell}" for title, cell, kind in zip(titles, cells, kinds, strict=False) if cell and not kind)
        if not _says_fine(titles, cells, reader.lexicons):
            yield from (RequestRow(serial, serial_key(serial), "; ".join(reasons), rest) for serial in serials)


def _transposed(table: Table, lexicons: Sequence[LanguageWords]) -> Table:
    """Transpose a form with its titles in the first column into a table with a heading."""
    first = [title_kind(row[0], lexicons) if row else "" for row in table.rows[:MAX_ROWS]]
    across = [kind for row in table.rows[:1] for kind in _kinds(row, lexicons) if kind]
    if "serial" not in first or len([kind for kind in first if kind]) <= max(1, len(across)):
        return table
    return Table(tuple(zip_longest(*table.rows, fillvalue="")), source=table.source)


def _says_fine(titles: Sequence[str], cells: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Return whether a row says that its unit is fine: "tested OK: yes"."""
    return any(_cell_says_fine(title, cell, lexicon) for title, cell in zip(titles, cells, strict=False) for lexicon in lexicons)


@lru_cache(maxsize=4096)
def _cell_says_fine(title: str, cell: str, lexicon: LanguageWords) -> bool:
    normalized = normalize(cell)
    is_yes = lexicon.exclusions.yes.is_all(normalized) and lexicon.sheets.aside.search(normalize(title))
    return bool(is_yes or lexicon.serials.fine.search(normalized))


def _good_rows(rows: Sequence[Sequence[str]], kinds: Sequence[str], lexicons: Sequence[LanguageWords]) -> list[Sequence[str]]:
    """Return the rows that call their unit good and say nothing else about it, unless all rows do."""

    def good(cell: str) -> bool:
        return any(lexicon.serials.good.is_all(normalize(cell).strip(" .!")) for lexicon in lexicons)

    good_rows = [
        row
        for row in rows
        if any(good(cell) for cell, kind in zip(row, kinds, strict=False) if kind != "serial")
        and not any(
            cell and not good(cell) and (kind == "reason" or (not kind and (_is_wide_text(cell) or " " in cell)))
            for cell, kind in zip(row, kinds, strict=False)
        )
    ]
    return good_rows if len(good_rows) < len([row for row in rows if any(row)]) else []


def _row_without_heading(row: Sequence[str], reader: Reader) -> Iterator[RequestRow]:
    for number, cell in enumerate(row):
        if serial := reader.accepted(tidy(cell), ""):
            others = [other for index, other in enumerate(row) if index != number]
            yield RequestRow(serial, serial_key(serial), "; ".join(_description(others, [""] * len(others))), "")
            return


def _description(cells: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return the cell that looks most like a description: words, and no heading of another kind."""
    free = [cell for cell, kind in zip(cells, kinds, strict=False) if not kind and (len(cell.split()) > 1 or _is_wide_text(cell))]
    return sorted(free, key=len)[-1:]


def _is_wide_text(cell: str) -> bool:
    return len(cell) > _MIN_WIDE_TEXT and any(char >= "⺀" for char in cell)


def _kinds(row: Sequence[str], lexicons: Sequence[LanguageWords]) -> list[str]:
    kinds = [title_kind(cell, lexicons) for cell in row]
    if kinds.count("serial") == 1:
        return kinds
    # The same word may name a serial number or the number of a row: beside another serial number, it is the row's.
    numbers = [any(one.labels.row.is_all(normalize(cell).strip(" .:")) for one in lexicons) for cell in row]
    return ["other" if is_number else kind for kind, is_number in zip(kinds, numbers, strict=True)]


@lru_cache(maxsize=4096)
def title_kind(cell: str, lexicons: Sequence[LanguageWords]) -> str:
    """Return the kind of data in a column by its heading, or an empty string."""
    title = normalize(cell.replace("_", " "))
    if not title or len(title) > _MAX_HEADING or re.search(r"\d{3}", title):
        return ""
    return label_kind(title, lexicons, loose=True)


# ------------------------------------------------------------------ tables in the text

_SPLIT, _BARS = re.compile(r"\t+| {2,}"), re.compile(r"(?:(?<! ) ++)?\| *")
_MIN_CELLS = 2
"""The minimum number of cells in a row of a table."""

_RULE = re.compile(r"[\s|+=_-]*")


def extract_tables(text: str, lexicons: Sequence[LanguageWords]) -> tuple[tuple[Table, ...], str]:
    """Return the tables that are typed or pasted into a text, and the text without them."""
    tables: list[Table] = []
    rest: list[str] = []
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        rows, line_count = _table_at(lines, index, lexicons)
        if rows:
            tables.append(Table(tuple(map(tuple, rows)), source="text"))
        elif not (lines[index].strip() and _RULE.fullmatch(lines[index]) and "+" in lines[index]):
            rest.append(lines[index])
        index += line_count
    return tuple(tables), "\n".join(rest)


def _table_at(lines: Sequence[str], index: int, lexicons: Sequence[LanguageWords]) -> tuple[list[list[str]], int]:
    """Return the rows of a table whose heading is this line, and its number of lines; no rows if it is no heading."""
    heading = lines[index]
    normalized = normalize(heading.replace("_", " ")) if len(heading) <= 4 * _MAX_HEADING else ""
    if not any(lexicon.labels.serial.search(normalized) for lexicon in lexicons):
        return [], 1
    for split in (_split_columns, _split_values):
        titles = split([heading])[0]
        if len(titles) < _MIN_CELLS or any(map(_is_no_heading, titles)) or "serial" not in _kinds(titles, lexicons):
            continue
        rows, line_count = [titles], 1
        for line in lines[index + 1 : index + MAX_ROWS]:
            if _RULE.fullmatch(line) and line.strip():
                line_count += 1
                continue
            cells = split([line])[0]
            if len(cells) < _MIN_CELLS or (split is _split_values and len(cells) != len(titles)):
                break
            rows.append(cells)
            line_count += 1
        if len(rows) > 1:
            return rows, line_count
    return [], 1


def _is_no_heading(cell: str) -> bool:
    return len(cell) > _MAX_HEADING or cell.endswith(":") or bool(re.search(r"\d{3}", cell))


def _split_columns(lines: Iterable[str]) -> list[list[str]]:
    return [[cell.strip() for cell in (_BARS if "|" in line else _SPLIT).split(line.strip().strip("|"))] for line in lines]


def _split_values(lines: Sequence[str]) -> list[list[str]]:
    return parse_separated(list(lines)) if re.search(r"[;,]", lines[0]) else [[]]
