"""Which command of staff a sentence begins with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.commands.arguments import SpokenSentence
from mailbot.intake.commands.matcher import level
from mailbot.intake.entities.serials import formed, places

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailbot.intake.commands.matcher import CommandMatcher
    from mailbot.intake.desk import Desk
    from mailbot.intake.entities.amounts import Point
    from mailbot.intake.entities.serials import SerialSpan
    from mailbot.model import Command

DECIDES = ("approve", "go_ahead", "issue")
"""The lists of words that approve."""

HEADS = (
    *DECIDES, "reject", "quote", "received", "diagnosed", "finding", "repaired", "not_repairable", "shipped", "ship_to",
    "extend", "hold", "close", "note", "help", "confirm",
)  # fmt: skip
QUESTION = re.compile(r"[?\uff1f]|(?:吗|嗎|呢|か|かな|でしょうか)[。.!\s]*$")
MARK = re.compile(r"\s*(?:[:.,;!()*_。、\uff0c\uff1a\uff01\uff08\uff09]|[-\u2013\u2014]+(?=\s)|$)")
"""What stands between a command and a remark."""

CLAUSES = re.compile(r"[,;:(),.。、\uff0c\uff1b\uff1a]|\s[-\u2013\u2014]+\s")
_FRAME = re.compile(r"[\s,:!.*_•·\"'(\u2013\u2014-]*")
_OPENING = re.compile(r"[\s*_•·#-]*(?:\(?\d{1,2}[.)]\s+)?[\s*_]*")
_CODED = re.compile(r"[A-Za-z]{0,6}-?\d")
_POLITE = 6
"""Polite words that may stand before a command."""


class HeadReading(NamedTuple):
    """A sentence read: the commands in it, or that it sounds like one (``unclear``) and even speaks against it (``voids``)."""

    command: Command | None = None
    unclear: bool = False
    voids: bool = False
    also: tuple[Command, ...] = ()


NOTHING = HeadReading()
UNCLEAR = HeadReading(unclear=True)
AGAINST = HeadReading(unclear=True, voids=True)


def skip(low: str, start: int) -> int:
    """Where the next word begins."""
    found = _FRAME.match(low, start)
    return found.end() if found else start


class CommandHeads:
    """Finds the command that a sentence begins with.

    Args:
        ears: the word lists.
        desk: the company's desk.
        snapshot: keys of units that may be named.
        point: the company's decimal sign.
        answers: the mail answers one of ours.
    """

    def __init__(
        self, ears: CommandMatcher, desk: Desk, known: Collection[str], point: Point, *, answers: bool
    ) -> None:
        self.ears, self.desk, self.known, self.point, self.answers = ears, desk, known, point, answers
        self.addressed = False

    def named(self, said: SpokenSentence, *, free: bool = False) -> tuple[SerialSpan, ...]:
        """The units that a sentence names."""
        return said.serials(self.desk, self.known, self.ears.lexicons, free=free)

    def opened(self, text: str) -> SpokenSentence:
        """A sentence without its bullet; a unit may stand before its command: "AH2F104432: repaired"."""
        opening = _OPENING.match(text)
        start = opening.end() if opening else 0
        if _CODED.match(text, start):
            first = next(places(text, self.desk, self.known), None)
            if first and first.start == start and (first.key in self.known or formed(first.text, self.desk)):
                start = skip(text, first.end)
        return SpokenSentence(text, level(text), start)

    def head(self, said: SpokenSentence) -> tuple[str, int]:
        """The command that a sentence begins with, after polite words, and where its name ends; moves ``said.start``."""
        for _ in range(_POLITE):
            best = max(
                ((self.ears.at(name, said.low, said.start), -index) for index, name in enumerate(HEADS)),
                default=(-1, 0),
            )
            polite = self.ears.at("polite", said.low, said.start)
            if self.ears.at("nothing", said.low, said.start) > max(best[0], polite):
                break
            if best[0] >= 0 and best[0] >= polite:
                return HEADS[-best[1]], best[0]
            if polite < 0:
                break
            said.start = skip(said.low, polite)
        return "", -1

    def left(self, low: str) -> bool:
        """Whether words are left that say something."""
        return bool(re.search(r"\w", self.ears.without("polite", self.ears.without("filler", low))))

    def unsure(self, low: str) -> bool:
        """Whether a text makes something depend, or doubts it."""
        bare = self.ears.without("innocent", low)
        return any(self.ears.has(name, bare) for name in ("conditions", "contrast", "doubts"))

    def other(self, said: SpokenSentence) -> HeadReading:
        """A sentence that begins like a command and is none."""
        if not self.ears.has("speaks", said.low):
            return UNCLEAR if said.capitals else NOTHING
        return self.talk(said.low)

    def talk(self, low: str) -> HeadReading:
        """A sentence that speaks of a decision: one against it takes other decisions of the mail back."""
        if QUESTION.search(low) or self.ears.has("reported", low):
            return UNCLEAR
        bare = self.ears.without("innocent", low)
        return AGAINST if any(self.ears.has(name, bare) for name in ("negations", "conditions", "later")) else UNCLEAR
