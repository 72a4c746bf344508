"""Read registry.csv row by row, strictly. Every error names the file, line, column and the fix."""

from __future__ import annotations

import csv
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Unit
from mailbot.strict_toml import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_REQUIRED = ("serial", "model", "family", "delivered_on", "customer", "customer_domain")
_DATES = ("delivered_on", "extended_until", "repair_shipped_on", "purchased_on")
_KNOWN = (*Unit.__struct_fields__, "policy")
_ALIKE = 0.8  # from this similarity on, an unknown column counts as a misspelled known one
_COUNTRY = 2  # letters of an ISO 3166-1 alpha-2 code


class RegistryError(ConfigError):
    """The registry cannot be used. The text names the file, line, column and the fix."""


def rows(path: Path, policy: str) -> Iterator[tuple[int, Unit]]:
    """Yield the units of a policy in a registry.csv, each with its line number.

    The file is UTF-8, with or without a byte order mark. Columns are separated by commas, semicolons or tabs, whichever the
    first line uses. Columns may be in any order; unknown ones are ignored. Dates are ISO 8601 (2022-03-01).

    Raises:
        RegistryError: The file cannot be used.
        OSError: It cannot be read.
    """
    with path.open(newline="", encoding="utf-8-sig") as text:
        try:
            head = text.readline()
            separator = max(",;\t", key=head.count)
            columns = _columns(next(csv.reader([head], delimiter=separator), []), path)
            reader = csv.reader(text, delimiter=separator)
            for cells in reader:
                if any(map(str.strip, cells)):
                    line = reader.line_num + 1
                    unit = _unit(_row(cells, columns, path, line), path, line, policy)
                    if unit:
                        yield line, unit
        except UnicodeDecodeError:
            raise RegistryError(f"{path} line {_undecodable(path)}: not valid UTF-8; save the file as CSV UTF-8") from None
        except csv.Error as error:
            raise RegistryError(f"{path} line {reader.line_num + 1}: {error}; check for an unmatched quotation mark") from None


def _columns(header: Sequence[str], path: Path) -> list[str]:
    columns = [name.strip().lower() for name in header]
    missing = [name for name in _KNOWN if name not in columns]
    for name in columns:
        if columns.count(name) > 1 and name:
            raise RegistryError(f"{path} line 1: column {name!r} appears twice; keep one")
    unknown = [name for name in columns if name and name not in _KNOWN]
    for name in missing:
        near = get_close_matches(name, unknown, n=1, cutoff=_ALIKE)
        if near:
            raise RegistryError(f"{path} line 1: column {near[0]!r} is unknown; did you mean {name!r}?")
        if name in _REQUIRED:
            raise RegistryError(f"{path} line 1: column {name!r} is missing{nearest(name, columns)}")
    return columns


def _row(cells: Sequence[str], columns: Sequence[str], path: Path, line: int) -> dict[str, str]:
    if len(cells) < len(columns) or any(map(str.strip, cells[len(columns) :])):
        raise RegistryError(
            f"{path} line {line}: {len(cells)} cells, but the first line names {len(columns)} columns; "
            'check for a missing or extra separator (put values with separators in quotes: "Acme, Inc.")'
        )
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}


def _unit(row: dict[str, str], path: Path, line: int, policy: str) -> Unit | None:
    """Return the unit of a row; None if it belongs to another policy."""

    def wrong(column: str, what: str) -> RegistryError:
        return RegistryError(f"{path} line {line}, column {column}: {what}")

    if "policy" in row and row["policy"] != policy:
        if not row["policy"]:
            raise wrong("policy", "the cell is empty; enter the name of the unit's policy")
        return None
    if not serial_key(row["serial"]):
        raise wrong("serial", f"{row['serial']!r} is not a serial number; fill it in or delete the line")
    days: dict[str, date] = {}
    for column in _DATES:
        if text := row.get(column):
            try:
                days[column] = date.fromisoformat(text)
            except ValueError:
                raise wrong(column, f"{text!r} is not a valid date; use YYYY-MM-DD, e.g. 2022-03-01") from None
    if "delivered_on" not in days:
        raise wrong("delivered_on", "the cell is empty; enter the date of delivery as YYYY-MM-DD, e.g. 2022-03-01")
    country = row.get("country", "")
    if country and not (len(country) == _COUNTRY and country.isascii() and country.isalpha()):
        raise wrong("country", f"{country!r} is not a country code; use two letters (ISO 3166), e.g. US")
    return Unit(
        serial=row["serial"],
        model=row["model"],
        family=row["family"],
        delivered_on=days["delivered_on"],
        customer=row["customer"],
        customer_domain=row["customer_domain"].lower().removeprefix("@"),
        extended_until=days.get("extended_until"),
        revision=row.get("revision") or None,
        repair_shipped_on=days.get("repair_shipped_on"),
        repair_failure=row.get("repair_failure") or None,
        purchased_on=days.get("purchased_on"),
        origin=row.get("origin") or None,
        country=country.upper() or None,
    )


def _undecodable(path: Path) -> int:
    """Return the number of the first line that is not UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0
