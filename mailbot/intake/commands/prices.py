"""The money that goes with a command of staff: a quote's lines, a credit, a fee. No amount that is not certain."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.arguments import EDGES, SpokenSentence
from mailbot.intake.commands.matcher import level
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.serial_reader import label
from mailbot.model import Command, Price

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.entities.amounts import Amount, Point


class ApprovedAmounts(NamedTuple):
    """The money that goes with an approval."""

    prices: tuple[Price, ...] = ()
    fee: bool = False
    flaw: str = ""


def priced(text: str, home: str) -> bool:
    """Whether a text names an amount with its currency, or a number that is written like one."""
    return any(one.named or re.search(r"[.,]\d\d$", one.written) for one in amounts(text, home=home))


def numbered(text: str) -> bool:
    """Whether a number stands in a text."""
    return bool(re.search(r"\d", text))


def mixed(prices: Sequence[Price]) -> str:
    """The flaw "currency" where the prices are in several currencies."""
    return "currency" if len({price.currency for price in prices}) > 1 else ""


_PART = re.compile(r"(?:[,;](?!\d)|\s(?:and|plus|und|et|y|e)\s|\s[+&]\s|[.](?=\s))")


def granted(said: SpokenSentence, ears: CommandMatcher, home: str, point: Point) -> ApprovedAmounts:
    """The credit of an approval, and the fee that goes with it: at most one of each, the credit first."""
    credit: list[Price] = []
    fee: list[Price] = []
    whole = SpokenSentence(said.text, said.low, end=said.start)
    for start, end in _pieces(whole.rest):
        text, low = whole.rest[start:end], whole.rest_low[start:end]
        for one in amounts(text, point=point, home=home):
            is_fee = ears.has("fee", low)
            if not one.named and not is_fee and not ears.has("money", low) and label(text[: one.start], ears.lexicons):
                continue
            if not one.named and re.search(r"\d[-/]$", text[: one.start][-2:]):
                continue
            if one.value is None or _rough(text, low, one, ears):
                return ApprovedAmounts(fee=is_fee, flaw="amount")
            if not one.named and not is_fee and not ears.has("money", low):
                return ApprovedAmounts(flaw="amount")
            name = ears.named("fee" if is_fee else "money", text, low)
            (fee if is_fee else credit).append(Price(one.value, one.currency or home, name))
    prices = (*credit, *fee)
    if len(credit) > 1 or len(fee) > 1:
        return ApprovedAmounts(fee=bool(fee), flaw="amount")
    return ApprovedAmounts(() if mixed(prices) else prices, bool(fee), mixed(prices))


def _pieces(text: str) -> list[tuple[int, int]]:
    """The parts of a list of prices, but for marks in parentheses."""
    spans, start, depth = [], 0, 0
    for at in range(len(text)):
        depth = max(0, depth + (text[at] == "(") - (text[at] == ")"))
        if not depth and at >= start and (mark := _PART.match(text, at)):
            spans.append((start, at))
            start = mark.end()
    spans.append((start, len(text)))
    return spans


_WORD = re.compile(r"\S+")


def _rough(text: str, low: str, one: Amount, ears: CommandMatcher) -> bool:
    """Whether an amount is no certain one: "about 250 USD", "90 USD each", "12 %"."""
    words = [
        found
        for found in _WORD.finditer(low, max(0, one.start - 40), one.end + 40)
        if not one.start <= found.start() < one.end
    ]
    near = " ".join(found[0] for found in words if one.start - 16 <= found.start() < one.end + 12)
    marks = text[max(0, one.start - 2) : one.start] + text[one.end : one.end + 2]
    return ears.has("roughly", near) or bool(re.search(r"[~%<>≈±*/^\u00d7x]|\d", marks))


def quoted(rest: str, whole: str, ears: CommandMatcher, desk: Desk, known: Collection[str], point: Point) -> Command:
    """A quote: its lines, each with one certain amount; a line "total" must be the sum of the others."""
    opened = SpokenSentence(rest, level(rest))
    named = opened.serials(desk, known, ears.lexicons, free=True)
    text = opened.without(named).hidden(desk).text
    serials = tuple(place.text for place in named)
    lines: list[Price] = []
    total: Decimal | None = None
    lead = ""
    for start, end in _pieces(text):
        piece = text[start:end]
        if not piece.strip(EDGES):
            continue
        read = _priced_line(piece, ears, desk.currency, point)
        if read is None:
            return Command("quote", whole, serials=serials, flaw="amount")
        if not read:
            if lines:
                last = lines[-1]
                lines[-1] = Price(last.amount, last.currency, f"{last.label}, {piece.strip(EDGES)}".strip(", "))
            else:
                lead = f"{lead} {piece.strip(EDGES)}".strip()
            continue
        price = read[0]
        if ears.at("total", level(price.label)) >= 0 and lines:
            total = price.amount
            continue
        lines.append(Price(price.amount, price.currency, f"{lead} {price.label}".strip()))
        lead = ""
    summed = sum((price.amount for price in lines), Decimal(0))
    if not summed or (total is not None and total != summed):
        return Command("quote", whole, serials=serials, flaw="amount")
    flaw = mixed(lines)
    return Command("quote", whole, serials=serials, prices=() if flaw else tuple(lines), flaw=flaw)


def _priced_line(piece: str, ears: CommandMatcher, home: str, point: Point) -> tuple[Price, ...] | None:
    """The price of one line; empty where it names none, None where it is not certain."""
    low = level(piece)
    if re.search(r"[^\x00-\x7f]", "".join(char for char in piece if char.isdigit())):
        return None
    numbers = list(amounts(piece, point=point, home=home))
    sums = [one for one in numbers if one.named] or numbers[:1]
    if not numbers:
        return None if re.search(r"\d\w{0,40}[eE][-+]?\d|%", piece) else ()
    one = sums[0]
    if not one.named and one.value is not None and re.match(r"\s*[^\W\d_]", piece[one.end :]):
        return (
            ()
            if ears.at("periods", low, one.end + len(piece[one.end :]) - len(piece[one.end :].lstrip())) >= 0
            else None
        )
    others = [other for other in numbers if other is not one]
    behind = all(other.start > one.end and re.search(r"[^\W\d]|\(", piece[one.end : other.start]) for other in others)
    if len(sums) > 1 or not behind or any(re.search(r"[.,]", other.written) for other in others):
        return None
    if one.value is None or _rough(piece, low, one, ears):
        return None
    return (Price(one.value, one.currency or home, _label(piece, one)),)


def _label(text: str, one: Amount) -> str:
    """What an amount is for: the words around it."""
    before, after = text[: one.start].strip(EDGES), text[one.end :].strip(" \t:;,.-\u2013\u2014|/=>*_")
    after = re.sub(r"(?i)^(?:for|für|pour|por|per)(?:\s+the)?(?:\s+|$)", "", after)
    return " ".join(f"{before} {after}".split())
