"""Amounts of money as people write them: "USD 1,250.00", "$250", "1.250,00 EUR", "150.-"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "円": "JPY", "元": "CNY", "₩": "KRW", "₹": "INR", "₽": "RUB", "₺": "TRY"}
_DOLLARS = {
    "US": "USD", "USD": "USD", "C": "CAD", "CA": "CAD", "CAN": "CAD", "CDN": "CAD", "CAD": "CAD", "A": "AUD", "AU": "AUD",
    "AUD": "AUD", "NZ": "NZD", "NZD": "NZD", "HK": "HKD", "HKD": "HKD", "S": "SGD", "SG": "SGD", "SGD": "SGD",
    "NT": "TWD", "NTD": "TWD", "TWD": "TWD", "R": "BRL", "BRL": "BRL", "MX": "MXN", "MEX": "MXN", "MXN": "MXN",
}  # fmt: skip
"""The text before "$" and the ISO 4217 code of the dollar, real, or peso that it means."""

_CURRENCY_NAMES = {"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pounds": "GBP", "yen": "JPY", "rmb": "CNY"}
# Common ISO 4217 codes; "ALL 250" and "TRY 250" are more often words than lek and lira.
_CODES = (
    "USD|EUR|GBP|CAD|AUD|NZD|CHF|JPY|CNY|TWD|NTD|HKD|SGD|KRW|INR|MXN|BRL|PLN|CZK|HUF|RON|SEK|NOK|DKK|ILS|ZAR|THB|MYR|PHP|AED"
    "|(?-i:TRY)"
)
_LETTER = r"(?-i:[^\W\d_⺀-\U0003ffff])"
# Case makes no difference for these letters, and compiling so large a class case-insensitively is slow.
_CURRENCY = (
    rf"{_LETTER}{{1,20}}\$|(?:{'|'.join(name for name in _DOLLARS if len(name) > 1)})\x20\$"
    rf"|[$€£¥円元₩₹₽₺]|(?:{_CODES}|{'|'.join(_CURRENCY_NAMES)})(?![A-Za-z])"
)
_TOKEN = re.compile(
    rf"(?:(?<!(?-i:[^\W⺀-\U0003ffff]))(?P<before>{_CURRENCY})\s{{0,2}}|(?<![\w.,']))(?P<sign>[-+]?)"
    r"(?P<digits>\d(?:[\d.,'\u00a0\u202f]|\x20(?=\d{3}(?!\d))){0,30}+)(?P<odd>[eE][-+]?\d{1,9})?"
    rf"(?P<end>-)?(?:\s{{0,2}}(?P<after>{_CURRENCY})(?!(?<=[$€£¥₩₹₽₺])\d))?(?!{_LETTER})",
    re.IGNORECASE,
)
_MAX_DIGITS = 9
"""The maximum number of digits before the decimals: no return costs a billion."""


class Amount(NamedTuple):
    """A number in a text: None if ambiguous, with its currency (ISO 4217 code, or empty), and whether that is ``named``."""

    start: int
    end: int
    value: Decimal | None
    currency: str
    named: bool
    written: str


def amounts(text: str, *, point_only: bool = False, home: str = "") -> Iterator[Amount]:
    """Yield the numbers of a sentence that may be amounts.

    ``point_only``: only a point separates decimals. ``home``: the currency of "$" (ISO 4217), if that is a dollar.
    """
    for found in _TOKEN.finditer(text):
        before, after = found["before"] or "", found["after"] or ""
        if before == "$" and after.upper() in _DOLLARS:  # "$150.00 CAD"
            before = ""
        name = before or after
        has_conflict = before and after and currency_code(before, home) != currency_code(after, home)
        digits = found["digits"].rstrip(".,' \u00a0\u202f")
        end = found.end() if found["after"] or found["odd"] or found["end"] else found.start("digits") + len(digits)
        value = None if found["sign"] == "-" or found["odd"] or has_conflict else parse_number(digits, point_only=point_only)
        yield Amount(found.start(), end, value, currency_code(name, home), bool(name), digits)


def currency_code(name: str, home: str = "") -> str:
    """Return the ISO 4217 code of a currency's sign, name, or code; an unknown "$" sign is returned as written."""
    upper = "".join(name.upper().split())
    if upper == "$":
        return home if home.endswith("D") else "USD"
    if upper.endswith("$"):
        return _DOLLARS.get(upper[:-1], upper)
    return _CURRENCY_SIGNS.get(upper) or _CURRENCY_NAMES.get(name.casefold()) or {"NTD": "TWD"}.get(upper, upper)


_NUMBER_STYLES = {
    ".": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?", re.ASCII),
    ",": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d{1,2})?", re.ASCII),
}
_SPACES = re.compile(r"(?<=\d)[' \u00a0\u202f](?=\d{3}(?!\d))")


def parse_number(digits: str, *, point_only: bool = False) -> Decimal | None:
    """Return the value of a number as written, or None: "1.000,00" is invalid if only a point separates decimals."""
    bare = digits if point_only else _SPACES.sub("", digits)
    signs = (sign for sign in ("." if point_only else ".,") if _NUMBER_STYLES[sign].fullmatch(bare))
    sign = next(signs, "")
    return _value(bare, sign) if sign else None


def _value(digits: str, point: str) -> Decimal | None:
    whole, _, cents = digits.partition(point)
    whole = whole.replace("," if point == "." else ".", "")
    return Decimal(f"{whole}.{cents}" if cents else whole) if len(whole) <= _MAX_DIGITS else None
