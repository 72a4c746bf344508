"""Tables as requests: a column of serials, and beside it what is wrong with each unit."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.extraction import ROWS, separated
from mailbot.intake.entities.serial_reader import Reader, label
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import tidy
from mailbot.model import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailbot.intake.statements.word_lists import LanguageWords


class RequestRow(NamedTuple):
    """One unit in a table: its serial, what the row says is wrong, and the row's other cells with their headings."""

    serial: str
    key: str
    reason: str
    rest: str


_HEADING = 40
_SHORT = 3
_LOOKED_AT = 8
"""Rows in which a table's heading is looked for."""


def rows(table: Table, reader: Reader) -> Iterator[RequestRow]:
    """The units of a table with a heading over its serials; of one without, the cells that are serials by themselves."""
    table = _upright(table, reader.lexicons)
    head = next(
        (number for number, row in enumerate(table.rows[:_LOOKED_AT]) if "serial" in _kinds(row, reader.lexicons)), None
    )
    if head is None:
        for row in table.rows:
            yield from _bare(row, reader)
        return
    titles = table.rows[head]
    kinds = _kinds(titles, reader.lexicons)
    column = kinds.index("serial")
    sound = _sound(table.rows[head + 1 :], kinds, reader.lexicons)
    for row in table.rows[head + 1 :]:
        if row in sound:
            continue
        cells = (*row, *("" for _ in range(len(titles) - len(row))))
        serials = reader.all_accepted(tidy(cells[column]), "serial")
        if not serials:
            continue
        told = [cell for cell, kind in zip(cells, kinds, strict=False) if kind == "reason" and cell]
        if "reason" not in kinds:
            told = _telling(cells, kinds)
        rest = "\n".join(
            f"{title}: {cell}" for title, cell, kind in zip(titles, cells, kinds, strict=False) if cell and not kind
        )
        if not _good(titles, cells, reader.lexicons):
            yield from (RequestRow(serial, serial_key(serial), "; ".join(told), rest) for serial in serials)


def _upright(table: Table, lexicons: Sequence[LanguageWords]) -> Table:
    """A form with its titles in the first column, turned into a table with a heading."""
    first = [title_kind(row[0], lexicons) if row else "" for row in table.rows[:ROWS]]
    across = [kind for row in table.rows[:1] for kind in _kinds(row, lexicons) if kind]
    if "serial" not in first or len([kind for kind in first if kind]) <= max(1, len(across)):
        return table
    return Table(tuple(zip_longest(*table.rows, fillvalue="")), source=table.source)


def _good(titles: Sequence[str], cells: Sequence[str], lexicons: Sequence[LanguageWords]) -> bool:
    """Whether a row says that its unit is in order: "tested OK: yes"."""
    return any(_fine(title, cell, lexicon) for title, cell in zip(titles, cells, strict=False) for lexicon in lexicons)


@lru_cache(maxsize=4096)
def _fine(title: str, cell: str, lexicon: LanguageWords) -> bool:
    said = lexicon.serials.fine.search(plain(cell))
    return bool(said or (_answers(lexicon, cell) and lexicon.sheets.aside.search(plain(title))))


def _sound(
    rows: Sequence[Sequence[str]], kinds: Sequence[str], lexicons: Sequence[LanguageWords]
) -> list[Sequence[str]]:
    """The rows that call their unit good and tell nothing else of it, where other rows do not."""

    def good(cell: str) -> bool:
        return any(lexicon.serials.good.is_all(plain(cell).strip(" .!")) for lexicon in lexicons)

    sound = [
        row
        for row in rows
        if any(good(cell) for cell, kind in zip(row, kinds, strict=False) if kind != "serial")
        and not any(
            cell and not good(cell) and (kind == "reason" or (not kind and (_wordy(cell) or " " in cell)))
            for cell, kind in zip(row, kinds, strict=False)
        )
    ]
    return sound if len(sound) < len([row for row in rows if any(row)]) else []


def _answers(lexicon: LanguageWords, cell: str) -> bool:
    said = plain(cell)
    return any(span == (0, len(said)) for span in lexicon.exclusions.yes.spans(said))


def _bare(row: Sequence[str], reader: Reader) -> Iterator[RequestRow]:
    for number, cell in enumerate(row):
        if serial := reader.accepted(tidy(cell), ""):
            others = [other for at, other in enumerate(row) if at != number]
            yield RequestRow(serial, serial_key(serial), "; ".join(_telling(others, [""] * len(others))), "")
            return


def _telling(cells: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """The cell that most looks like a description: words, under no heading that says otherwise."""
    free = [
        cell for cell, kind in zip(cells, kinds, strict=False) if not kind and (len(cell.split()) > 1 or _wordy(cell))
    ]
    return sorted(free, key=len)[-1:]


def _wordy(cell: str) -> bool:
    return len(cell) > _SHORT and any(char >= "⺀" for char in cell)


def _kinds(row: Sequence[str], lexicons: Sequence[LanguageWords]) -> list[str]:
    return [title_kind(cell, lexicons) for cell in row]


@lru_cache(maxsize=4096)
def title_kind(cell: str, lexicons: Sequence[LanguageWords]) -> str:
    """What a column holds, by its heading: the kind of its label, or nothing."""
    title = plain(cell.replace("_", " "))
    if not title or len(title) > _HEADING or re.search(r"\d{3}", title):
        return ""
    return label(title, lexicons, loose=True)


# ------------------------------------------------------------------ tables typed into the text

_SPLIT, _BARS = re.compile(r"\t+| {2,}"), re.compile(r"(?:(?<! ) ++)?\| *")
_CELLS = 2
"""Cells that a row of a table has at least."""

_RULE = re.compile(r"[\s|+=_-]*")


def typed(text: str, lexicons: Sequence[LanguageWords]) -> tuple[tuple[Table, ...], str]:
    """The tables that somebody typed or pasted into a text, and the text without them."""
    tables: list[Table] = []
    rest: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        rows, taken = _body(lines, at, lexicons)
        if rows:
            tables.append(Table(tuple(map(tuple, rows)), source="text"))
        elif not (lines[at].strip() and _RULE.fullmatch(lines[at]) and "+" in lines[at]):
            rest.append(lines[at])
        at += taken
    return tuple(tables), "\n".join(rest)


def _body(lines: Sequence[str], at: int, lexicons: Sequence[LanguageWords]) -> tuple[list[list[str]], int]:
    """The rows of a table whose heading is this line, and the lines it takes; no rows where it is no heading."""
    head = lines[at]
    for split in (_columns, _values):
        titles = split([head])[0] if len(head) <= 4 * _HEADING else []
        if len(titles) < _CELLS or any(map(_no_title, titles)) or "serial" not in _kinds(titles, lexicons):
            continue
        rows, taken = [titles], 1
        for line in lines[at + 1 : at + ROWS]:
            if _RULE.fullmatch(line) and line.strip():
                taken += 1
                continue
            cells = split([line])[0]
            if len(cells) < _CELLS or (split is _values and len(cells) != len(titles)):
                break
            rows.append(cells)
            taken += 1
        if len(rows) > 1:
            return rows, taken
    return [], 1


def _no_title(cell: str) -> bool:
    return len(cell) > _HEADING or cell.endswith(":") or bool(re.search(r"\d{3}", cell))


def _columns(lines: Iterable[str]) -> list[list[str]]:
    return [
        [cell.strip() for cell in (_BARS if "|" in line else _SPLIT).split(line.strip().strip("|"))] for line in lines
    ]


def _values(lines: Sequence[str]) -> list[list[str]]:
    return separated(list(lines)) if re.search(r"[;,]", lines[0]) else [[]]
