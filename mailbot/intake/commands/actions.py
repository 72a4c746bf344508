"""Commands on units and cases: received, diagnosed, quoted, repaired, shipped, extended, noted, and so on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import msgspec

from mailbot.intake.commands import arguments, prices
from mailbot.intake.commands.approvals import ApprovalSentences
from mailbot.intake.commands.arguments import CommandSentence
from mailbot.intake.commands.command_words import (
    APPROVAL_LISTS,
    CLAUSES,
    NOTHING,
    PUNCTUATION,
    QUESTION,
    UNCLEAR,
    SentenceResult,
    next_word,
)
from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.model import Command

if TYPE_CHECKING:
    from mailbot.intake.commands.staff_sentences import StaffSentence
    from mailbot.model import CommandName


class ActionSentences(ApprovalSentences):
    """Parses one sentence from staff."""

    def parse_sentence(self, staff_sentence: StaffSentence) -> SentenceResult:
        """Return the commands in a sentence, if any."""
        sentence = self.without_bullet(staff_sentence.text)
        name, end = self.leading_command(sentence)
        if not name:
            return self.later_decision(sentence)
        sentence.set_name_end(end)
        if name == "note":
            return SentenceResult(
                Command("note", staff_sentence.text, text=" ".join((sentence.rest.strip(" :-"), *staff_sentence.lines)).strip())
            )
        if name == "ship_to":
            return self._parse_ship_to(sentence, staff_sentence)
        if name == "help":
            return (
                SentenceResult(Command("help", staff_sentence.text))
                if not self.has_content(sentence.normalized_rest)
                else self.non_command(sentence)
            )
        if QUESTION.search(sentence.normalized) or self.matcher.contains("doubts", sentence.normalized[: sentence.start]):
            return UNCLEAR
        if name in APPROVAL_LISTS:
            return self.approve(sentence, name)
        if name in {"reject", "diagnosed", "finding", "quote", "shipped", "extend"}:
            handler = {
                "reject": self.reject, "diagnosed": self._parse_diagnosed, "finding": self._parse_finding,
                "quote": self._parse_quote, "shipped": self._parse_shipped, "extend": self._parse_extend,
            }[name]  # fmt: skip
            return handler(sentence)
        return self._parse_plain(sentence, name)

    def _parse_diagnosed(self, sentence: CommandSentence) -> SentenceResult:
        if (
            not (PUNCTUATION.match(sentence.normalized, sentence.end) or sentence.capitals)
            and not self.matcher.end_at("diagnosed_follow", sentence.normalized_rest.lstrip()) >= 0
        ):
            return self.later_decision(sentence)
        named_units = self.named_units(sentence, running_text=True)
        force_reason, sentence = sentence.split_force(self.matcher)
        rest = sentence.without_units(named_units)
        text = rest.reason(self.matcher)
        if self.matcher.end_at("later", normalize_in_place(text)) >= 0:
            return UNCLEAR
        command = Command(
            "diagnosed",
            sentence.text,
            serials=tuple(place.text for place in named_units),
            findings=arguments.findings_in(text, (), self.matcher.lexicons),
            text=text,
            force=force_reason,
            flaw="" if text else "reason",
        )
        return SentenceResult(command, also=self._closing_approval(sentence))

    def _closing_approval(self, sentence: CommandSentence) -> tuple[Command, ...]:
        """Return an approval in the last part of the sentence: "could not be solved, approved"."""
        part_starts = [
            match.end() for match in CLAUSES.finditer(sentence.normalized) if re.search(r"\w", sentence.normalized[match.end() :])
        ]
        if not part_starts or part_starts[-1] < sentence.end:
            return ()
        part = CommandSentence(sentence.text, sentence.normalized, next_word(sentence.normalized, part_starts[-1]))
        name, end = self.leading_command(part)
        if name not in APPROVAL_LISTS or self.has_content(sentence.normalized[end:]) or self.is_uncertain(sentence.normalized):
            return ()
        return (Command("approve", sentence.text),)

    def _parse_finding(self, sentence: CommandSentence) -> SentenceResult:
        """Parse a finding that is a command by itself: "NPF", "ABUSE: burnt by 48 V"."""
        if not (
            sentence.capitals
            or PUNCTUATION.match(sentence.normalized, sentence.end)
            or not self.has_content(sentence.normalized_rest)
        ):
            named_units = self.named_units(sentence)
            if not named_units or self.has_content(sentence.without_units(named_units).normalized_rest):
                return NOTHING
        named_units = self.named_units(sentence, running_text=True)
        force_reason, sentence = sentence.split_force(self.matcher)
        text = sentence.without_units(named_units).full_text()
        findings = arguments.findings_in(text, (), self.matcher.lexicons)
        without_harmless = self.matcher.without("innocent", sentence.without_units(named_units).normalized_rest)
        if not findings or self.matcher.begins(("conditions", "later"), without_harmless, next_word(without_harmless, 0)):
            return UNCLEAR
        return SentenceResult(
            Command(
                "diagnosed",
                sentence.text,
                serials=tuple(place.text for place in named_units),
                findings=findings,
                text=text,
                force=force_reason,
            )
        )

    def _parse_quote(self, sentence: CommandSentence) -> SentenceResult:
        is_uncertain = self.is_uncertain(self.matcher.without("roughly", sentence.normalized_rest))
        if is_uncertain or self.matcher.begins(("later",), sentence.normalized_rest.lstrip()):
            return UNCLEAR
        is_explicit = (
            sentence.capitals
            or PUNCTUATION.match(sentence.normalized, sentence.end)
            or prices.has_amount(sentence.rest, self.desk.currency)
        )
        if not is_explicit and not prices.has_digit(sentence.rest):
            return self.non_command(sentence)
        force_reason, sentence = sentence.split_force(self.matcher)
        command = self.quote(sentence.rest, sentence.text)
        return SentenceResult(msgspec.structs.replace(command, force=force_reason))

    def quote(self, rest: str, full_text: str) -> Command:
        """Return a quote from the text after QUOTE."""
        return prices.parse_quote(rest, full_text, self.matcher, self.desk, self.known, self.point)

    def _parse_shipped(self, sentence: CommandSentence) -> SentenceResult:
        force_reason, sentence = sentence.split_force(self.matcher)
        without_harmless = self.matcher.without("innocent", sentence.normalized_rest)
        starts_with_condition = self.matcher.begins(("conditions",), without_harmless, next_word(without_harmless, 0))
        if starts_with_condition or self.matcher.contains("later", without_harmless):
            return UNCLEAR
        parcel, named_units, remaining = arguments.parse_shipment(sentence, self.matcher, self.desk, self.known)
        if named_units and self.matcher.contains("denied", remaining):
            return UNCLEAR
        is_explicit = (
            PUNCTUATION.match(sentence.normalized, sentence.end)
            or sentence.capitals
            or not self.has_content(sentence.normalized_rest)
        )
        if not parcel.tracking and not parcel.carrier and not is_explicit:
            return self.non_command(sentence)
        return SentenceResult(
            Command(
                "shipped",
                sentence.text,
                serials=tuple(place.text for place in named_units),
                shipment=parcel,
                force=force_reason,
                flaw="" if parcel.carrier or parcel.tracking or force_reason else "carrier",
            )
        )

    def _parse_ship_to(self, sentence: CommandSentence, staff_sentence: StaffSentence) -> SentenceResult:
        first = sentence.rest.strip(" :.-*")
        is_marked = sentence.capitals or bool(re.match(r"\s*(?::|$)", sentence.rest))
        if not is_marked and not re.search(r"\d", " ".join((first, *staff_sentence.lines))):
            return NOTHING
        if QUESTION.search(sentence.normalized):
            return UNCLEAR
        lines = [line for line in (first, *staff_sentence.lines) if line]
        is_address = sum(len(line.split()) for line in lines) > 1
        return SentenceResult(
            Command(
                "ship_to", staff_sentence.text, text="\n".join(lines) if is_address else "", flaw="" if is_address else "address"
            )
        )

    def _parse_extend(self, sentence: CommandSentence) -> SentenceResult:
        without_harmless = self.matcher.without("innocent", sentence.normalized_rest)
        is_later = self.matcher.begins(("later",), without_harmless, next_word(without_harmless, 0))
        if is_later or self.is_uncertain(without_harmless):
            return self.non_command(sentence)
        named_units = self.named_units(sentence)
        force_reason, sentence = sentence.split_force(self.matcher)
        days = arguments.parse_days(sentence.without_units(named_units).masked(self.desk).normalized_rest, self.matcher)
        if days is None:
            is_explicit = sentence.capitals or PUNCTUATION.match(sentence.normalized, sentence.end)
            if not is_explicit and not prices.has_digit(sentence.rest):
                return self.non_command(sentence)
        return SentenceResult(
            Command(
                "extend",
                sentence.text,
                serials=tuple(place.text for place in named_units),
                days=days or 0,
                force=force_reason,
                flaw="" if days else "days",
            )
        )

    def _parse_plain(self, sentence: CommandSentence, name: str) -> SentenceResult:
        """Parse RECEIVED, REPAIRED, NOT REPAIRABLE, HOLD, CLOSE, or CONFIRM: few arguments, perhaps a remark."""
        force_reason, sentence = sentence.split_force(self.matcher)
        named_units = self.named_units(sentence)
        without_harmless = sentence.without_units(named_units).masked(self.desk)
        count = arguments.parse_count(without_harmless.normalized_rest, self.matcher) if name == "received" else None
        if count:
            without_harmless = without_harmless.blank(count[1])
        normalized = self.matcher.without("innocent", without_harmless.normalized_rest)
        start = next_word(normalized, 0)
        first = CLAUSES.split(normalized[start:], maxsplit=1)[0]
        has_condition = self.matcher.begins(("conditions",), normalized, start)
        is_limited = self.matcher.contains("later", first) or self.matcher.begins(("later",), normalized, start)
        if name == "hold" and is_limited:
            return self.non_command(sentence)
        if name != "hold" and (is_limited or has_condition):
            return UNCLEAR
        is_explicit = (
            sentence.capitals or has_condition or PUNCTUATION.match(without_harmless.normalized, without_harmless.end) is not None
        )
        allows_remark = is_explicit or bool(arguments.findings_in(first, (), self.matcher.lexicons) and (named_units or count))
        if self.has_content(first) and (not allows_remark or name == "confirm"):
            return self.non_command(sentence)
        if name == "received" and not count and re.search(r"\d", first) and not self.matcher.contains("all", first):
            return UNCLEAR
        is_partial = name in {"received", "repaired", "not_repairable"} and self.matcher.contains("denied", normalized)
        if (
            is_partial
            and not count
            and (named_units or name == "received")
            and not arguments.findings_in(normalized, (), self.matcher.lexicons)
        ):
            return UNCLEAR
        text = without_harmless.reason(self.matcher) if self.has_content(normalized) else ""
        return SentenceResult(
            Command(
                cast("CommandName", name),
                sentence.text,
                serials=tuple(place.text for place in named_units),
                count=count[0] if count else None,
                findings=arguments.findings_in(normalized, (), self.matcher.lexicons) if name == "received" else (),
                text=text,
                force=force_reason,
            )
        )
