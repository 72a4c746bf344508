"""Approvals and refusals by staff, in natural language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.commands import prices
from mailbot.intake.commands.arguments import CommandSentence
from mailbot.intake.commands.command_words import (
    APPROVAL_LISTS,
    CLAUSES,
    NOTHING,
    PUNCTUATION,
    QUESTION,
    UNCLEAR,
    VOIDING,
    CommandFinder,
    SentenceResult,
    next_word,
)

if TYPE_CHECKING:
    from mailbot.intake.statements.word_sections import CommandList

_VOCATIVE = re.compile(r"(?:@?[A-Z\u00c0-\u00de][^\W\d_]++\s?){1,2}[,:]\s*")
_LIMITS: tuple[CommandList, ...] = ("negations", "conditions", "contrast", "later", "past", "doubts")


class ApprovalSentences(CommandFinder):
    """Parses sentences that approve or refuse. If uncertain, a sentence does neither."""

    def approve(self, sentence: CommandSentence, name: str) -> SentenceResult:
        """Return an approval, unless the rest of the sentence limits it."""
        force_reason, sentence = sentence.split_force(self.matcher)
        if name == "issue" and not self.is_reply:
            return NOTHING
        if self._asks_someone_else(sentence):
            return UNCLEAR
        command_name = self.matcher.without("innocent", sentence.normalized[sentence.start : sentence.end])
        if self.matcher.contains_any(_LIMITS, command_name) or not self._is_unconditional(sentence, name):
            return self.decision_talk(sentence.normalized)
        named_units = self.named_units(sentence)
        approved = prices.approved_amounts(sentence.without_units(named_units), self.matcher, self.desk.currency)
        return self.result(
            "approve", sentence, named_units, prices=approved.prices, fee=approved.fee, force=force_reason, flaw=approved.flaw
        )

    def _asks_someone_else(self, sentence: CommandSentence) -> bool:
        """Return whether someone else is asked to approve, not this desk: "Tom, please approve"."""
        if self.matcher.end_at("bids", sentence.normalized, sentence.start) < sentence.end:
            return False
        addressee = _VOCATIVE.match(sentence.text)
        named_units = addressee and re.search(r"\w", self.matcher.without("polite", sentence.normalized[: addressee.end()]))
        return self.addressed or bool(named_units and addressee and addressee.end() <= sentence.start)

    def _is_unconditional(self, sentence: CommandSentence, name: str) -> bool:
        """Return whether the text after an approval leaves it unconditional."""
        named_units = self.named_units(sentence)
        rest = self.matcher.without("innocent", sentence.without_units(named_units).masked(self.desk).normalized_rest)
        if named_units:
            rest = self.matcher.without("only", rest)
        if self.is_uncertain(rest) or self.matcher.contains("reject", rest) or '"' in sentence.normalized[: sentence.start]:
            return False
        if named_units and self.matcher.contains("denied", rest):
            return False
        first = CLAUSES.split(rest, maxsplit=1)[0] if not PUNCTUATION.match(rest) else ""
        before_reason = self._before_reason(first)
        if self.matcher.contains_any(("negations", "later", "past", "reported"), before_reason):
            return False
        if any(self.matcher.contains("later", clause) for clause in CLAUSES.split(rest)):
            return False
        if not first.strip():
            return True
        if name == "go_ahead":
            return self.matcher.contains("goes_on", before_reason) or not self.has_content(before_reason)
        return self.matcher.end_at("follow", first, next_word(first, 0)) >= 0 or not self.has_content(first)

    def _before_reason(self, clause: str) -> str:
        """Return a clause up to its reason: "because it was dead" refers to another time."""
        found = [start for one in self.matcher.lexicons for start, _ in one.commands["because"].spans(clause)]
        return clause[: min(found, default=len(clause))]

    def later_decision(self, sentence: CommandSentence) -> SentenceResult:
        """Return a decision in a later part of a sentence: "all fine, please go ahead"."""
        for start, after_conjunction in self.parts(sentence.normalized):
            part = CommandSentence(sentence.text, sentence.normalized, start)
            name, end = self.leading_command(part)
            if name not in {*APPROVAL_LISTS, "reject"}:
                continue
            is_own = any(self.matcher.end_at("own", sentence.normalized, at) >= 0 for at in (sentence.start, part.start))
            before = sentence.normalized[: part.start]
            if not self._allows_decision(before, name, after_conjunction=after_conjunction and not is_own):
                return self.decision_talk(sentence.normalized)
            if QUESTION.search(sentence.normalized):
                return UNCLEAR
            part.end = end
            return self.reject(part) if name == "reject" else self.approve(part, name)
        return self.decision_talk(sentence.normalized) if self.matcher.contains("speaks", sentence.normalized) else NOTHING

    def parts(self, normalized: str) -> list[tuple[int, bool]]:
        """Return where the parts of a sentence begin, and whether only a word such as "and" precedes each."""
        marks = [(match.end(), False) for match in CLAUSES.finditer(normalized)]
        words = [(end, True) for one in self.matcher.lexicons for _, end in one.commands["joins"].spans(normalized)]
        return sorted((next_word(normalized, end), after_conjunction) for end, after_conjunction in (*marks, *words))[:40]

    def _allows_decision(self, before: str, name: str, *, after_conjunction: bool) -> bool:
        """Return whether the text before a decision allows it to be the writer's own and unconditional."""
        without_harmless = self.matcher.without("innocent", before)
        if self.is_uncertain(without_harmless) or '"' in before or not re.search(r"\w", before):
            return False
        if not re.search(r"\w", self.matcher.without("negations", self.matcher.without("polite", without_harmless))):
            return False
        if name in {"approve", "reject"} and (after_conjunction or self.matcher.contains("others", without_harmless)):
            return False
        if self.matcher.contains("speaks", without_harmless) and (
            self.matcher.contains("negations", without_harmless) or not self.matcher.contains("approve", without_harmless)
        ):
            return False
        return not self.matcher.contains_any(("reported", "later"), without_harmless)

    def reject(self, sentence: CommandSentence) -> SentenceResult:
        """Return a refusal and its reason."""
        named_units = self.named_units(sentence, running_text=True)
        force_reason, sentence = sentence.split_force(self.matcher)
        rest = sentence.without_units(named_units).masked(self.desk)
        without_harmless = self.matcher.without("innocent", rest.normalized_rest)
        start = next_word(without_harmless, 0)
        first = CLAUSES.split(without_harmless[start:], maxsplit=1)[0]
        if (
            self.matcher.begins(("conditions", "contrast", "past", "later"), without_harmless, start)
            or self.matcher.contains_any(("strict", "approve", "go_ahead"), without_harmless)
            or (not PUNCTUATION.match(without_harmless) and self.matcher.contains("later", first))
        ):
            return VOIDING
        text = rest.reason(self.matcher)
        flaw = "" if text else "reason"
        return self.result("reject", sentence, named_units, findings=self.findings(text), text=text, force=force_reason, flaw=flaw)
