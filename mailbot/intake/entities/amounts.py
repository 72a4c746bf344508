"""Amounts of money as people write them: "USD 1,250.00", "$250", "1.250,00 EUR", "150.-"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Point = Literal[".", ",", ""]
"""The sign before the decimals: a company's own, or none where the writer's habit is not known."""

_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY", "元": "CNY", "₩": "KRW", "₹": "INR", "₽": "RUB", "₺": "TRY"}
_DOLLARS = {
    "US": "USD", "USD": "USD", "C": "CAD", "CA": "CAD", "CAN": "CAD", "CDN": "CAD", "CAD": "CAD", "A": "AUD", "AU": "AUD",
    "AUD": "AUD", "NZ": "NZD", "NZD": "NZD", "HK": "HKD", "HKD": "HKD", "S": "SGD", "SG": "SGD", "SGD": "SGD",
    "NT": "TWD", "NTD": "TWD", "TWD": "TWD", "R": "BRL", "BRL": "BRL", "MX": "MXN", "MEX": "MXN", "MXN": "MXN",
}  # fmt: skip
"""What stands before "$": whose dollar, real or peso it is."""

_NAMED = {"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pounds": "GBP", "yen": "JPY", "rmb": "CNY"}
# ISO 4217, as far as they are heard of in an office; "ALL 250" and "TRY 250" are words more often than lek and lira.
_CODES = (
    "USD|EUR|GBP|CAD|AUD|NZD|CHF|JPY|CNY|TWD|NTD|HKD|SGD|KRW|INR|MXN|BRL|PLN|CZK|HUF|RON|SEK|NOK|DKK|ILS|ZAR|THB|MYR|PHP|AED"
    "|(?-i:TRY)"
)
_LETTER = r"(?-i:[^\W\d_⺀-\U0003ffff])"
# Case makes no difference there, and so large a class takes long to compile where it is to make none.
_CURRENCY = (
    rf"{_LETTER}{{1,20}}\$|(?:{'|'.join(name for name in _DOLLARS if len(name) > 1)})\x20\$"
    rf"|[$€£¥円元₩₹₽₺]|(?:{_CODES}|{'|'.join(_NAMED)})(?![A-Za-z])"
)
_TOKEN = re.compile(
    rf"(?:(?<!(?-i:[^\W⺀-\U0003ffff]))(?P<before>{_CURRENCY})\s{{0,2}}|(?<![\w.,']))(?P<sign>[-+]?)"
    r"(?P<digits>\d(?:[\d.,'\u00a0\u202f]|\x20(?=\d{3}(?!\d))){0,30}+)(?P<odd>[eE][-+]?\d{1,9})?"
    rf"(?P<end>-)?(?:\s{{0,2}}(?P<after>{_CURRENCY})(?!(?<=[$€£¥₩₹₽₺])\d))?(?!{_LETTER})",
    re.IGNORECASE,
)
_LONGEST = 9
"""Digits before the decimals: no return costs a billion."""


class Amount(NamedTuple):
    """A number in a text: its value (None where it cannot be read with certainty) and the currency beside it, if any."""

    start: int
    end: int
    value: Decimal | None
    currency: str
    named: bool
    written: str


def amounts(text: str, *, point: Point = "", home: str = "") -> Iterator[Amount]:
    """The numbers of a text that may be amounts.

    Args:
        text: one sentence or line.
        point: the decimal sign that counts; empty: as each number shows it.
        home: the currency of "$" (ISO 4217) where that is a dollar.
    """
    for found in _TOKEN.finditer(text):
        before, after = found["before"] or "", found["after"] or ""
        if before == "$" and after.upper() in _DOLLARS:  # "$150.00 CAD"
            before = ""
        name = before or after
        both = before and after and code(before, home) != code(after, home)
        digits = found["digits"].rstrip(".,' \u00a0\u202f")
        end = found.end() if found["after"] or found["odd"] or found["end"] else found.start("digits") + len(digits)
        value = None if found["sign"] == "-" or found["odd"] or both else number(digits, point)
        yield Amount(found.start(), end, value, code(name, home), bool(name), digits)


def code(name: str, home: str = "") -> str:
    """The ISO 4217 code of a currency's sign, name or code; empty for none, and a "$" that nobody knows as written."""
    upper = "".join(name.upper().split())
    if upper == "$":
        return home if home.endswith("D") else "USD"
    if upper.endswith("$"):
        return _DOLLARS.get(upper[:-1], upper)
    return _SIGNS.get(upper) or _NAMED.get(name.casefold()) or {"NTD": "TWD"}.get(upper, upper)


_STYLES = {
    ".": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?", re.ASCII),
    ",": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d{1,2})?", re.ASCII),
}
_SPACES = re.compile(r"(?<=\d)[' \u00a0\u202f](?=\d{3}(?!\d))")


def number(digits: str, point: Point = "") -> Decimal | None:
    """The value of a number as written, or None: "1.000,00" is none where the decimal sign is a point."""
    if point:
        return _value(digits, point) if _STYLES[point].fullmatch(digits) else None
    bare = _SPACES.sub("", digits)
    for sign in (".", ","):
        if _STYLES[sign].fullmatch(bare):
            return _value(bare, sign)
    return None


def _value(digits: str, point: str) -> Decimal | None:
    whole, _, cents = digits.partition(point)
    whole = whole.replace("," if point == "." else ".", "")
    return Decimal(f"{whole}.{cents}" if cents else whole) if len(whole) <= _LONGEST else None
