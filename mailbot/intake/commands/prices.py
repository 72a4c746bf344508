"""The amounts of a staff command: the lines of a quote, a credit, a fee. An uncertain amount is never used."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.arguments import EDGES, CommandSentence
from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.serial_reader import label_kind
from mailbot.model import Command, Price

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.entities.amounts import Amount


class ApprovedAmounts(NamedTuple):
    """The amounts of an approval."""

    prices: tuple[Price, ...] = ()
    fee: bool = False
    flaw: str = ""


def has_amount(text: str, home: str) -> bool:
    """Return whether a text has an amount with a currency, or a number with two decimals."""
    return any(amount.named or re.search(r"[.,]\d\d$", amount.written) for amount in amounts(text, home=home))


def has_digit(text: str) -> bool:
    """Return whether a text has a digit."""
    return bool(re.search(r"\d", text))


def currency_flaw(prices: Sequence[Price]) -> str:
    """Return the flaw "currency" if the prices are in several currencies, or an empty string."""
    return "currency" if len({price.currency for price in prices}) > 1 else ""


_SEPARATOR = re.compile(r"(?:[,;](?!\d)|\s(?:and|plus|und|et|y|e)\s|\s[+&]\s|[.](?=\s))")


def approved_amounts(sentence: CommandSentence, matcher: CommandMatcher, home: str) -> ApprovedAmounts:
    """Return the credit of an approval and its fee: at most one of each, the credit first."""
    credit: list[Price] = []
    fee: list[Price] = []
    full = CommandSentence(sentence.text, sentence.normalized, end=sentence.start)
    for start, end in _item_spans(full.rest):
        text, normalized = full.rest[start:end], full.normalized_rest[start:end]
        for amount in amounts(text, point_only=True, home=home):
            is_fee = matcher.contains("fee", normalized)
            is_money = amount.named or is_fee or matcher.contains("money", normalized)
            if not is_money and label_kind(text[: amount.start], matcher.lexicons):
                continue
            if not amount.named and re.search(r"\d[-/]$", text[: amount.start][-2:]):
                continue
            if not is_money or amount.value is None or _is_uncertain(text, normalized, amount, matcher):
                return ApprovedAmounts(fee=is_fee, flaw="amount")
            name = matcher.longest_match("fee" if is_fee else "money", text, normalized)
            (fee if is_fee else credit).append(Price(amount.value, amount.currency or home, name))
    prices = (*credit, *fee)
    if len(credit) > 1 or len(fee) > 1:
        return ApprovedAmounts(fee=bool(fee), flaw="amount")
    return ApprovedAmounts(() if currency_flaw(prices) else prices, bool(fee), currency_flaw(prices))


def _item_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of the items of a list of prices; separators in parentheses do not count."""
    spans, start, depth = [], 0, 0
    for at in range(len(text)):
        depth = max(0, depth + (text[at] == "(") - (text[at] == ")"))
        if not depth and at >= start and (mark := _SEPARATOR.match(text, at)):
            spans.append((start, at))
            start = mark.end()
    spans.append((start, len(text)))
    return spans


_WORD = re.compile(r"\S+")


def _is_uncertain(text: str, normalized: str, amount: Amount, matcher: CommandMatcher) -> bool:
    """Return whether an amount is uncertain: "about 250 USD", "90 USD each", "12 %"."""
    words = [
        found
        for found in _WORD.finditer(normalized, max(0, amount.start - 40), amount.end + 40)
        if not amount.start <= found.start() < amount.end
    ]
    nearby = " ".join(found[0] for found in words if amount.start - 16 <= found.start() < amount.end + 12)
    adjacent = text[max(0, amount.start - 2) : amount.start] + text[amount.end : amount.end + 2]
    return matcher.contains("roughly", nearby) or bool(re.search(r"[~%<>≈±*/^\u00d7x]|\d", adjacent))


def parse_quote(rest: str, sentence_text: str, matcher: CommandMatcher, desk: Desk, known: Collection[str]) -> Command:
    """Return a quote: its lines, each with one certain amount; a line "total" must be the sum of the others."""
    sentence = CommandSentence(rest, normalize_in_place(rest))
    named = sentence.serials(desk, known, matcher.lexicons, running_text=True)
    text = sentence.without_units(named).masked(desk).text
    serials = tuple(place.text for place in named)
    lines: list[Price] = []
    total: Decimal | None = None
    heading = ""
    for start, end in _item_spans(text):
        item = text[start:end]
        if not item.strip(EDGES):
            continue
        line_prices = _priced_line(item, matcher, desk.currency)
        if line_prices is None:
            return Command("quote", sentence_text, serials=serials, flaw="amount")
        if not line_prices:
            if lines:
                last = lines[-1]
                lines[-1] = Price(last.amount, last.currency, f"{last.label}, {item.strip(EDGES)}".strip(", "))
            else:
                heading = f"{heading} {item.strip(EDGES)}".strip()
            continue
        price = line_prices[0]
        if matcher.end_at("total", normalize_in_place(price.label)) >= 0 and lines:
            total = price.amount
            continue
        lines.append(Price(price.amount, price.currency, f"{heading} {price.label}".strip()))
        heading = ""
    summed = sum((price.amount for price in lines), Decimal(0))
    if not summed or (total is not None and total != summed):
        return Command("quote", sentence_text, serials=serials, flaw="amount")
    flaw = currency_flaw(lines)
    return Command("quote", sentence_text, serials=serials, prices=() if flaw else tuple(lines), flaw=flaw)


def _priced_line(item: str, matcher: CommandMatcher, home: str) -> tuple[Price, ...] | None:
    """Return the price of one line; empty if there is none, None if it is uncertain."""
    normalized = normalize_in_place(item)
    if re.search(r"[^\x00-\x7f]", "".join(char for char in item if char.isdigit())):
        return None
    numbers = list(amounts(item, point_only=True, home=home))
    with_currency = [amount for amount in numbers if amount.named] or numbers[:1]
    if not numbers:
        return None if re.search(r"\d\w{0,40}[eE][-+]?\d|%", item) else ()
    amount = with_currency[0]
    if not amount.named and amount.value is not None and (gap := re.match(r"\s*(?=[^\W\d_])", item[amount.end :])):
        return () if matcher.begins(("periods",), normalized, amount.end + gap.end()) else None
    other_amounts = [other for other in numbers if other is not amount]
    others_follow = all(
        other.start > amount.end and re.search(r"[^\W\d]|\(", item[amount.end : other.start]) for other in other_amounts
    )
    if len(with_currency) > 1 or not others_follow or any(re.search(r"[.,]", other.written) for other in other_amounts):
        return None
    if amount.value is None or _is_uncertain(item, normalized, amount, matcher):
        return None
    return (Price(amount.value, amount.currency or home, _item_label(item, amount)),)


def _item_label(text: str, amount: Amount) -> str:
    """Return what an amount is for: the words around it."""
    before, after = text[: amount.start].strip(EDGES), text[amount.end :].strip(" \t:;,.-\u2013\u2014|/=>*_")
    after = re.sub(r"(?i)^(?:for|für|pour|por|per)(?:\s+the)?(?:\s+|$)", "", after)
    return " ".join(f"{before} {after}".split())
