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
from mailbot.model.statement import LABELS, SUB_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        sentence.end = end
        if name == "note":
            return self.result("note", sentence, text=" ".join((sentence.rest.strip(" :-"), *staff_sentence.lines)).strip())
        if name == "means":
            return self._parse_means(sentence)
        if name == "ship_to":
            return self._parse_ship_to(sentence, staff_sentence)
        if name == "help":
            has_content = self.has_content(sentence.normalized_rest)
            return self.non_command(sentence) if has_content else self.result("help", sentence)
        if QUESTION.search(sentence.normalized) or self.matcher.contains("doubts", sentence.normalized[: sentence.start]):
            return UNCLEAR
        if name in APPROVAL_LISTS:
            return self.approve(sentence, name)
        handler = {
            "reject": self.reject, "diagnosed": self._parse_diagnosed, "finding": self._parse_finding,
            "quote": self._parse_quote, "shipped": self._parse_shipped, "extend": self._parse_extend,
        }.get(name)  # fmt: skip
        if name == "repaired" and (shipped := self._shipped_after(sentence)):
            return shipped
        return handler(sentence) if handler else self._parse_plain(sentence, name)

    def _shipped_after(self, sentence: CommandSentence) -> SentenceResult | None:
        """Return two commands if a shipment follows in the sentence: "Repaired, shipped with UPS 1Z…"."""
        for start, _ in self.parts(sentence.normalized):
            part = CommandSentence(sentence.text, sentence.normalized, start)
            name, part.end = self.leading_command(part)
            if start < sentence.end or name != "shipped":
                continue
            before = CommandSentence(sentence.text[:start], sentence.normalized[:start], sentence.start, sentence.end)
            repaired, shipped = self._parse_plain(before, "repaired"), self._parse_shipped(part)
            if repaired.command and shipped.command:
                return repaired._replace(also=(shipped.command,))
            return UNCLEAR
        return None

    def _parse_diagnosed(self, sentence: CommandSentence) -> SentenceResult:
        if not self.is_marked(sentence) and not self.matcher.begins(("diagnosed_follow",), sentence.normalized_rest.lstrip()):
            return self.later_decision(sentence)
        named_units = self.named_units(sentence, running_text=True)
        force_reason, sentence = sentence.split_force(self.matcher)
        text = sentence.without_units(named_units).reason(self.matcher)
        if self.matcher.begins(("later",), normalize_in_place(text)):
            return UNCLEAR
        flaw = "" if text else "reason"
        diagnosed = self.result(
            "diagnosed", sentence, named_units, findings=self.findings(text), text=text, force=force_reason, flaw=flaw
        )
        return diagnosed._replace(also=self._closing_approval(sentence))

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
        if not self.is_marked(sentence) and self.has_content(sentence.normalized_rest):
            named_units = self.named_units(sentence)
            if not named_units or self.has_content(sentence.without_units(named_units).normalized_rest):
                return NOTHING
        named_units = self.named_units(sentence, running_text=True)
        force_reason, sentence = sentence.split_force(self.matcher)
        rest = sentence.without_units(named_units)
        text = " ".join(rest.text[rest.start :].split()).strip(arguments.EDGES)
        findings = self.findings(text)
        without_harmless = self.matcher.without("innocent", rest.normalized_rest)
        if not findings or self.matcher.begins(("conditions", "later"), without_harmless, next_word(without_harmless, 0)):
            return UNCLEAR
        return self.result("diagnosed", sentence, named_units, findings=findings, text=text, force=force_reason)

    def _parse_quote(self, sentence: CommandSentence) -> SentenceResult:
        is_uncertain = self.is_uncertain(self.matcher.without("roughly", sentence.normalized_rest))
        if is_uncertain or self.matcher.begins(("later",), sentence.normalized_rest.lstrip()):
            return UNCLEAR
        if not self.is_marked(sentence) and not prices.has_digit(sentence.rest):
            return self.non_command(sentence)
        force_reason, sentence = sentence.split_force(self.matcher)
        return SentenceResult(msgspec.structs.replace(self.quote(sentence.rest, sentence.text), force=force_reason))

    def quote(self, rest: str, full_text: str) -> Command:
        """Return a quote from the text after QUOTE."""
        return prices.parse_quote(rest, full_text, self.matcher, self.desk, self.known)

    def _parse_shipped(self, sentence: CommandSentence) -> SentenceResult:
        force_reason, sentence = sentence.split_force(self.matcher)
        without_harmless = self.matcher.without("innocent", sentence.normalized_rest)
        has_condition = self.matcher.begins(("conditions",), without_harmless, next_word(without_harmless, 0))
        if has_condition or self.matcher.contains("later", without_harmless):
            return UNCLEAR
        parcel, named_units, remaining = arguments.parse_shipment(sentence, self.matcher, self.desk, self.known)
        if named_units and self.matcher.contains("denied", remaining):
            return UNCLEAR
        is_explicit = self.is_marked(sentence) or not self.has_content(sentence.normalized_rest)
        if not parcel.tracking and not parcel.carrier and not is_explicit:
            return self.non_command(sentence)
        flaw = "" if parcel.carrier or parcel.tracking or force_reason else "carrier"
        return self.result("shipped", sentence, named_units, shipment=parcel, force=force_reason, flaw=flaw)

    def _parse_ship_to(self, sentence: CommandSentence, staff_sentence: StaffSentence) -> SentenceResult:
        first = sentence.rest.strip(" :.-*")
        is_explicit = sentence.capitals or bool(re.match(r"\s*(?::|$)", sentence.rest))
        if not is_explicit and not re.search(r"\d", " ".join((first, *staff_sentence.lines))):
            return NOTHING
        if QUESTION.search(sentence.normalized):
            return UNCLEAR
        lines = [line for line in (first, *staff_sentence.lines) if line]
        if sum(len(line.split()) for line in lines) <= 1:
            return self.result("ship_to", sentence, flaw="address")
        return self.result("ship_to", sentence, text="\n".join(lines))

    def _parse_means(self, sentence: CommandSentence) -> SentenceResult:
        """Parse MEANS and a class, such as "MEANS damage liquid" or "MEANS fine"; the sub-class alone is enough."""
        words = re.findall(r"[a-z]+", sentence.normalized_rest)
        known = [label for label in LABELS if label not in SUB_CLASSES]
        fitting = [label for label in known if _is_named(label, words)]
        if not sentence.capitals and not fitting:
            return NOTHING
        label = max(fitting, key=len, default="")
        return self.result("means", sentence, text=label, flaw="" if label else "meaning")

    def _parse_extend(self, sentence: CommandSentence) -> SentenceResult:
        without_harmless = self.matcher.without("innocent", sentence.normalized_rest)
        is_later = self.matcher.begins(("later",), without_harmless, next_word(without_harmless, 0))
        if is_later or self.is_uncertain(without_harmless):
            return self.non_command(sentence)
        named_units = self.named_units(sentence)
        force_reason, sentence = sentence.split_force(self.matcher)
        days = arguments.parse_days(sentence.without_units(named_units).masked(self.desk).normalized_rest, self.matcher)
        if days is None and not self.is_marked(sentence) and not prices.has_digit(sentence.rest):
            return self.non_command(sentence)
        return self.result("extend", sentence, named_units, days=days or 0, force=force_reason, flaw="" if days else "days")

    def _parse_plain(self, sentence: CommandSentence, name: str) -> SentenceResult:
        """Parse RECEIVED, REPAIRED, NOT REPAIRABLE, HOLD, CLOSE, or CONFIRM: few arguments, perhaps a remark."""
        force_reason, sentence = sentence.split_force(self.matcher)
        named_units = self.named_units(sentence)
        rest = sentence.without_units(named_units).masked(self.desk)
        count = arguments.parse_count(rest.normalized_rest, self.matcher) if name == "received" else None
        count = count or (arguments.parse_plain_count(rest.normalized_rest, self.matcher) if name == "received" else None)
        if count:
            rest = rest.blanked([(rest.end + count[1][0], rest.end + count[1][1])])
        normalized = self.matcher.without("innocent", rest.normalized_rest)
        start = next_word(normalized, 0)
        first = CLAUSES.split(normalized[start:], maxsplit=1)[0]
        has_condition = self.matcher.begins(("conditions",), normalized, start)
        is_limited = self.matcher.contains("later", first) or self.matcher.begins(("later",), normalized, start)
        if name == "hold" and is_limited:
            return self.non_command(sentence)
        if name != "hold" and (is_limited or has_condition):
            return UNCLEAR
        if name in {"repaired", "not_repairable"} and self.matcher.contains_any(("contrast", "later"), normalized):
            return UNCLEAR
        is_explicit = has_condition or sentence.capitals or PUNCTUATION.match(rest.normalized, rest.end) is not None
        allows_remark = is_explicit or bool((named_units or count) and self.findings(first))
        if self.has_content(first) and (not allows_remark or name == "confirm"):
            return self.non_command(sentence)
        if name == "received" and not count and re.search(r"\d", first) and not self.matcher.contains("all", first):
            return UNCLEAR
        is_partial = name in {"received", "repaired", "not_repairable"} and self.matcher.contains("denied", normalized)
        findings = self.findings(normalized)
        if is_partial and not count and (named_units or name == "received") and not findings:
            return UNCLEAR
        return self.result(
            cast("CommandName", name),
            sentence,
            named_units,
            count=count[0] if count else None,
            findings=findings if name == "received" else (),
            text=rest.reason(self.matcher) if self.has_content(normalized) else "",
            force=force_reason,
        )


def _is_named(label: str, words: Sequence[str]) -> bool:
    """Return whether the first words name a class: in full, or a sub-class by its own name."""
    name, _, sub_class = label.partition(" ")
    spellings = [[name, *sub_class.split("_")], sub_class.split("_")] if sub_class else [name.split("_")]
    return any(spelling and list(words[: len(spelling)]) == spelling for spelling in spellings if spelling != [""])
