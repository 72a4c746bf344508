"""The arguments of a staff command: units, days, a shipment, a reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.serial_reader import label_kind
from mailbot.intake.entities.serials import SerialSpan, candidate_spans, has_serial_form, is_model, mask_non_serials, serial_key
from mailbot.intake.entities.shipments import find_shipment
from mailbot.model import ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords

EDGES = " \t:;,.-\u2013\u2014|/=>()[]*_\"'"
_OURS = r"(?<![A-Za-z0-9])(?:{number}|Q-[A-Z0-9]{{6,14}}-\d{{1,4}})(?![A-Za-z0-9])"
_MIN_DIGITS, _MIN_DIGITS_ALONE = 3, 6
"""The minimum number of digits of a serial number: with letters, and without."""


class CommandSentence:
    """A sentence from staff, and the position of the command's name in it.

    ``text`` is as written, ``normalized`` the same as words are compared, with the same length.
    """

    def __init__(self, text: str, normalized: str, start: int = 0, end: int = 0) -> None:
        self.text, self.normalized, self.start, self.end = text, normalized, start, end

    @property
    def rest(self) -> str:
        """The text after the command's name, as written."""
        return self.text[self.end :]

    @property
    def normalized_rest(self) -> str:
        """The same, normalized."""
        return self.normalized[self.end :]

    @property
    def capitals(self) -> bool:
        """Whether the command's name is written in uppercase."""
        return self.text[self.start : self.end].isupper()

    def serials(
        self, desk: Desk, known: Collection[str], lexicons: Sequence[LanguageWords], *, running_text: bool = False
    ) -> tuple[SerialSpan, ...]:
        """Return the units named before or after the command.

        ``running_text``: what follows is prose, so only certain serial numbers count. Otherwise any code without
        another label counts: a mistyped serial number must not make a command apply to all units.
        """
        amount_spans = [amount for amount in amounts(self.text, home=desk.currency) if amount.named]
        serials = []
        for span in candidate_spans(self.text, desk, known):
            if any(amount.start < span.end and span.start < amount.end for amount in amount_spans):
                continue
            has_form = has_serial_form(span.text, desk)
            is_certain = span.key in known or (has_form and not span.key.isdigit())
            is_possible = has_form or (not running_text and span.start >= self.end and self._may_be_serial(span, desk))
            is_labeled = label_kind(self.text[: span.start], lexicons) in {"", "serial", "device"}
            if is_certain or (is_possible and is_labeled):
                serials.append(span)
        return tuple(serials)

    def _may_be_serial(self, span: SerialSpan, desk: Desk) -> bool:
        if re.search(r"[.;(]\s|\s-\s", self.text[self.end : span.start]) or is_model(span.text, desk):
            return False
        if re.fullmatch(_OURS.format(number=desk.number_form), span.text, re.IGNORECASE) or span.key.startswith("RMA"):
            return False
        digits = sum(map(str.isdigit, span.key))
        return digits >= _MIN_DIGITS_ALONE if span.key.isdigit() else digits >= _MIN_DIGITS and digits > len(span.key) // 4

    def without_units(self, named: Sequence[SerialSpan]) -> CommandSentence:
        """Return the sentence with the units replaced by spaces."""
        return self.blanked([(span.start, span.end) for span in named])

    def masked(self, desk: Desk) -> CommandSentence:
        """Return the sentence without our own numbers, dates, and web and email addresses."""
        ours = re.compile(_OURS.format(number=desk.number_form), re.IGNORECASE)
        blanked = self.blanked([match.span() for match in ours.finditer(self.text)])
        text = mask_non_serials(blanked.text)
        return CommandSentence(
            text, "".join(" " if a == " " else b for a, b in zip(text, blanked.normalized, strict=True)), self.start, self.end
        )

    def blanked(self, spans: Sequence[tuple[int, int]]) -> CommandSentence:
        """Return the sentence with these spans replaced by spaces."""
        text, normalized = self.text, self.normalized
        for start, end in spans:
            blank = " " * (end - start)
            text, normalized = text[:start] + blank + text[end:], normalized[:start] + blank + normalized[end:]
        return CommandSentence(text, normalized, self.start, self.end)

    def split_force(self, matcher: CommandMatcher) -> tuple[str, CommandSentence]:
        """Return the reason after FORCE, if any, and the sentence up to FORCE."""
        for one in matcher.lexicons:
            for start, end in one.commands["force"].spans(self.normalized):
                is_marked = re.match(r"\s*(?::|$)", self.normalized[end:]) or self.text[start:end].isupper()
                if is_marked and (start >= self.end or not self.end):
                    return self.text[end:].strip(EDGES), CommandSentence(
                        self.text[:start], self.normalized[:start], self.start, self.end
                    )
        return "", self

    def reason(self, matcher: CommandMatcher) -> str:
        """Return the text after the command's name, without "because" and surrounding punctuation."""
        text = " ".join(self.rest.split()).strip(EDGES)
        return text[max(matcher.end_at("because", normalize_in_place(text)), 0) :].strip(EDGES)


_OF = re.compile(
    r"(?<![\w.,/-])(?P<some>\d{1,3})\s{0,2}(?P<of>/|[^\W\d]{1,4}(?: [^\W\d]{1,4}){0,2})\s{0,2}(?P<all>\d{1,3})(?![\w/]|[.,-]\d)"
)


def parse_count(normalized: str, matcher: CommandMatcher) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the numbers in a phrase such as "2 of 3" and its span, or None."""
    for match in _OF.finditer(normalized):
        some, total = int(match["some"]), int(match["all"])
        if matcher.end_at("out_of", match["of"]) == len(match["of"]) and 0 < some <= total:
            return (some, total), match.span()
    return None


_PLAIN_COUNT = re.compile(r"\s{0,3}(?P<count>\d{1,2})\s{1,3}(?P<word>[^\W\d_]{2,12})")


def parse_plain_count(normalized: str, matcher: CommandMatcher) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the number in a phrase such as "1 unit", which must be all of them, and its span, or None."""
    found = _PLAIN_COUNT.match(normalized)
    if not found or not any(one.labels.device.is_all(found["word"]) for one in matcher.lexicons):
        return None
    count = int(found["count"])
    return ((count, count), found.span()) if count else None


_NUMBER = re.compile(r"(?<![\w.,+-])(\d{1,4})(?![.,]?\d)\s{0,2}-?\s{0,2}")
_MAX_DAYS = 365


def parse_days(normalized: str, matcher: CommandMatcher) -> int | None:
    """Return the number of days: "14 days", "two weeks", "14"; None if it is uncertain."""
    numbers = list(_NUMBER.finditer(normalized))
    spelled = [
        (match.end(), index + 1)
        for one in matcher.lexicons
        for index, word in enumerate(one.commands["counts"].phrases)
        for match in re.finditer(rf"(?<!\w){re.escape(normalize_in_place(word))}(?!\w)\s{{0,2}}", normalized)
    ]
    if len(numbers) + len(spelled) != 1 or len(re.findall(r"\d+", normalized)) != len(numbers):
        return None
    end, value = (numbers[0].end(), int(numbers[0][1])) if numbers else spelled[0]
    if matcher.end_at("weeks", normalized, end) >= 0:
        value *= 7
    elif matcher.end_at("days", normalized, end) < 0 and re.match(r"[^\W\d]", normalized[end : end + 1]):
        return None
    return value if 0 < value <= _MAX_DAYS else None


def parse_shipment(
    sentence: CommandSentence, matcher: CommandMatcher, desk: Desk, known: Collection[str]
) -> tuple[ShipmentNotice, tuple[SerialSpan, ...], str]:
    """Return the shipment of SHIPPED, the units in it, and the remaining normalized text."""

    def ours(code: str) -> bool:
        unit = serial_key(code) in known or (has_serial_form(code, desk) and not serial_key(code).isdigit())
        return unit or bool(re.fullmatch(desk.number_form, code, re.IGNORECASE))

    shipment = find_shipment(sentence.rest, matcher.lexicons, ours=ours, loose=True)
    rest = sentence.text[: sentence.end] + shipment.rest
    remaining = CommandSentence(rest, normalize_in_place(rest), sentence.start, sentence.end)
    named = remaining.serials(desk, known, matcher.lexicons, running_text=True)
    parcel = shipment.parcel
    if parcel.tracking and not parcel.carrier:
        parcel = ShipmentNotice(_unlisted_carrier(sentence.rest, parcel.tracking, matcher), parcel.tracking)
    return parcel, named, remaining.without_units(named).normalized_rest


_MAX_NAME = 2
"""The maximum number of words in the name of an unknown carrier."""


def _unlisted_carrier(rest: str, tracking: str, matcher: CommandMatcher) -> str:
    """Return the name of an unlisted carrier: the one or two words between SHIPPED and the number."""
    before = rest[: max(rest.find(tracking[:4]), 0)]
    normalized = matcher.without("polite", matcher.without("filler", normalize_in_place(before)))
    for one in matcher.lexicons:
        normalized = one.parcels.tracking.without(normalized)
    if len(normalized) != len(before):
        return ""
    words = [before[match.start() : match.end()] for match in re.finditer(r"[^\W\d_][\w&.-]*", normalized)]
    return " ".join(words) if len(words) <= _MAX_NAME else ""
