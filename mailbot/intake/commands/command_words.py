"""The command at the beginning of a sentence from staff."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mailbot.intake.commands.arguments import CommandSentence
from mailbot.intake.commands.matcher import normalize_in_place
from mailbot.intake.entities.serials import candidate_spans, has_serial_form
from mailbot.intake.statements.findings import findings
from mailbot.model import Command

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.entities.serials import SerialSpan
    from mailbot.intake.statements.word_sections import CommandList
    from mailbot.model import CommandName, Finding

APPROVAL_LISTS: tuple[CommandList, ...] = ("approve", "go_ahead", "issue")
"""The phrase lists that approve."""

COMMANDS: tuple[CommandList, ...] = (
    *APPROVAL_LISTS, "reject", "quote", "received", "diagnosed", "finding", "repaired", "not_repairable", "shipped", "ship_to",
    "extend", "hold", "close", "means", "note", "help", "confirm",
)  # fmt: skip
QUESTION = re.compile(r"[?\uff1f]|(?:吗|嗎|呢|か|かな|でしょうか)[。.!\s]*$")
PUNCTUATION = re.compile(r"\s*(?:[:.,;!()*_。、\uff0c\uff1a\uff01\uff08\uff09]|[-\u2013\u2014]+(?=\s)|$)")
"""Punctuation between a command and a remark."""

CLAUSES = re.compile(r"[,;:(),.。、\uff0c\uff1b\uff1a]|\s[-\u2013\u2014]+\s")
_FRAME = re.compile(r"[\s,:!.*_•·\"'(\u2013\u2014-]*")
_OPENING = re.compile(r"[\s*_•·#-]*(?:\(?\d{1,2}[.)]\s+)?[\s*_]*")
_CODED = re.compile(r"[A-Za-z]{0,6}-?\d")
_MAX_POLITE = 6
"""The maximum number of polite words before a command."""


class SentenceResult(NamedTuple):
    """The result for a sentence: its commands, if any.

    ``unclear``: it sounds like a decision. ``voids``: it speaks against one, so no decision in the message counts.
    """

    command: Command | None = None
    unclear: bool = False
    voids: bool = False
    also: tuple[Command, ...] = ()


NOTHING = SentenceResult()
UNCLEAR = SentenceResult(unclear=True)
VOIDING = SentenceResult(unclear=True, voids=True)


def next_word(normalized: str, start: int) -> int:
    """Return the position where the next word begins."""
    found = _FRAME.match(normalized, start)
    return found.end() if found else start


class CommandFinder:
    """Finds the command at the beginning of a sentence. For the arguments see ``parsing.parse_commands``."""

    def __init__(self, matcher: CommandMatcher, desk: Desk, known: Collection[str], *, is_reply: bool) -> None:
        self.matcher, self.desk, self.known, self.is_reply = matcher, desk, known, is_reply
        self.addressed = False

    def result(
        self, name: CommandName, sentence: CommandSentence, units: Sequence[SerialSpan] = (), **fields: Any
    ) -> SentenceResult:
        """Return a command on these units as the result for a sentence; ``fields`` are its further fields."""
        return SentenceResult(Command(name, sentence.text, serials=tuple(unit.text for unit in units), **fields))

    def is_marked(self, sentence: CommandSentence) -> bool:
        """Return whether the command's name is in uppercase, or followed by punctuation."""
        return sentence.capitals or PUNCTUATION.match(sentence.normalized, sentence.end) is not None

    def findings(self, text: str) -> tuple[Finding, ...]:
        """Return the findings that a text states."""
        return findings(text, self.matcher.lexicons)

    def named_units(self, sentence: CommandSentence, *, running_text: bool = False) -> tuple[SerialSpan, ...]:
        """Return the units in a sentence."""
        return sentence.serials(self.desk, self.known, self.matcher.lexicons, running_text=running_text)

    def without_bullet(self, text: str) -> CommandSentence:
        """Return a sentence without its bullet; a unit may precede its command: "AH2F104432: repaired"."""
        opening = _OPENING.match(text)
        start = opening.end() if opening else 0
        if _CODED.match(text, start):
            first = next(candidate_spans(text, self.desk, self.known), None)
            if first and first.start == start and (first.key in self.known or has_serial_form(first.text, self.desk)):
                start = next_word(text, first.end)
        return CommandSentence(text, normalize_in_place(text), start)

    def leading_command(self, sentence: CommandSentence) -> tuple[str, int]:
        """Return the command at the beginning of a sentence, and the position where its name ends.

        Polite words before it are skipped; ``sentence.start`` is moved past them.
        """
        for _ in range(_MAX_POLITE):
            best = max(
                ((self.matcher.end_at(name, sentence.normalized, sentence.start), -index) for index, name in enumerate(COMMANDS)),
                default=(-1, 0),
            )
            polite = self.matcher.end_at("polite", sentence.normalized, sentence.start)
            if self.matcher.end_at("nothing", sentence.normalized, sentence.start) > max(best[0], polite):
                break
            if best[0] >= 0 and best[0] >= polite:
                return COMMANDS[-best[1]], best[0]
            if polite < 0:
                break
            sentence.start = next_word(sentence.normalized, polite)
        return "", -1

    def has_content(self, normalized: str) -> bool:
        """Return whether there are meaningful words."""
        return bool(re.search(r"\w", self.matcher.without("polite", self.matcher.without("filler", normalized))))

    def is_uncertain(self, normalized: str) -> bool:
        """Return whether a text makes something conditional or expresses doubt."""
        without_harmless = self.matcher.without("innocent", normalized)
        return self.matcher.contains_any(("conditions", "contrast", "doubts"), without_harmless)

    def non_command(self, sentence: CommandSentence) -> SentenceResult:
        """Return the result for a sentence that begins like a command and is not one."""
        if not self.matcher.contains("speaks", sentence.normalized):
            return UNCLEAR if sentence.capitals else NOTHING
        return self.decision_talk(sentence.normalized)

    def decision_talk(self, normalized: str) -> SentenceResult:
        """Return the result for a sentence about a decision; one against it voids other decisions of the message."""
        if QUESTION.search(normalized) or self.matcher.contains("reported", normalized):
            return UNCLEAR
        without_harmless = self.matcher.without("innocent", normalized)
        return VOIDING if self.matcher.contains_any(("negations", "conditions", "later"), without_harmless) else UNCLEAR
