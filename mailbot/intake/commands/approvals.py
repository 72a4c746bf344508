"""Approvals and refusals of staff, in natural words."""

from __future__ import annotations

import re

from mailbot.intake.commands import arguments, prices
from mailbot.intake.commands.arguments import SpokenSentence
from mailbot.intake.commands.command_words import (
    AGAINST,
    CLAUSES,
    DECIDES,
    MARK,
    NOTHING,
    QUESTION,
    UNCLEAR,
    CommandHeads,
    HeadReading,
    skip,
)
from mailbot.model import Command

_VOCATIVE = re.compile(r"(?:@?[A-Z\u00c0-\u00de][^\W\d_]++\s?){1,2}[,:]\s*")
_TAKES = ("negations", "conditions", "contrast", "later", "past", "doubts")


class ApprovalSentences(CommandHeads):
    """Reads what approves or refuses. In doubt it is neither."""

    def approve(self, said: SpokenSentence, name: str) -> HeadReading:
        """An approval, where what stands around it leaves it one."""
        forced, said = said.forced(self.ears)
        if name == "issue" and not self.answers:
            return NOTHING
        if self._bids_another(said):
            return UNCLEAR
        head = self.ears.without("innocent", said.low[said.start : said.end])
        if any(self.ears.has(kind, head) for kind in _TAKES) or not self._approves(said, name):
            return self.talk(said.low)
        named = self.named(said)
        money = prices.granted(said.without(named), self.ears, self.desk.currency, self.point)
        return HeadReading(
            Command(
                "approve",
                said.text,
                serials=tuple(place.text for place in named),
                prices=money.prices,
                fee=money.fee,
                force=forced,
                flaw=money.flaw,
            )
        )

    def _bids_another(self, said: SpokenSentence) -> bool:
        """Whether a person is asked to approve, and not this desk: "Tom, please approve"."""
        if self.ears.at("bids", said.low, said.start) < said.end:
            return False
        vocative = _VOCATIVE.match(said.text)
        named = vocative and re.search(r"\w", self.ears.without("polite", said.low[: vocative.end()]))
        return self.addressed or bool(named and vocative and vocative.end() <= said.start)

    def _approves(self, said: SpokenSentence, name: str) -> bool:
        """Whether what stands behind an approval leaves it one."""
        named = self.named(said)
        rest = self.ears.without("innocent", said.without(named).hidden(self.desk).rest_low)
        if named:
            rest = self.ears.without("only", rest)
        if self.unsure(rest) or self.ears.has("reject", rest) or '"' in said.low[: said.start]:
            return False
        if named and self.ears.has("denied", rest):
            return False
        first = CLAUSES.split(rest, maxsplit=1)[0] if not MARK.match(rest) else ""
        told = self._before_reason(first)
        if any(self.ears.has(kind, told) for kind in ("negations", "later", "past", "reported")):
            return False
        if any(self.ears.has("later", clause) for clause in CLAUSES.split(rest)):
            return False
        if not first.strip():
            return True
        if name == "go_ahead":
            return self.ears.has("goes_on", told) or bool(named and not self.left(told)) or not self.left(told)
        return self.ears.at("follow", first, skip(first, 0)) >= 0 or not self.left(first)

    def _before_reason(self, clause: str) -> str:
        """A clause up to its reason: "because it was dead" tells of another time than now."""
        found = [start for one in self.ears.lexicons for start, _ in one.commands.because.spans(clause)]
        return clause[: min(found, default=len(clause))]

    def within(self, said: SpokenSentence) -> HeadReading:
        """A decision in a later part of a sentence: "all fine, please go ahead"."""
        for start, joined in self._parts(said.low):
            part = SpokenSentence(said.text, said.low, start)
            name, end = self.head(part)
            if name not in {*DECIDES, "reject"}:
                continue
            own = any(self.ears.at("own", said.low, at) >= 0 for at in (said.start, part.start))
            if not self._leads_up(said.low[: part.start], name, joined=joined and not own):
                return self.talk(said.low)
            if QUESTION.search(said.low):
                return UNCLEAR
            part.begin(end)
            return self.reject(part) if name == "reject" else self.approve(part, name)
        return self.talk(said.low) if self.ears.has("speaks", said.low) else NOTHING

    def _parts(self, low: str) -> list[tuple[int, bool]]:
        """Where parts of a sentence begin, and whether only a word such as "and" stands before them."""
        marks = [(match.end(), False) for match in CLAUSES.finditer(low)]
        words = [(end, True) for one in self.ears.lexicons for _, end in one.commands.joins.spans(low)]
        return sorted((skip(low, end), joined) for end, joined in (*marks, *words))[:40]

    def _leads_up(self, before: str, name: str, *, joined: bool) -> bool:
        """Whether what stands before a decision in its sentence lets it be the writer's own, and without condition."""
        bare = self.ears.without("innocent", before)
        if self.unsure(bare) or '"' in before or not re.search(r"\w", before):
            return False
        if not re.search(r"\w", self.ears.without("negations", self.ears.without("polite", bare))):
            return False
        if name in {"approve", "reject"} and (joined or self.ears.has("others", bare)):
            return False
        if self.ears.has("speaks", bare) and (self.ears.has("negations", bare) or not self.ears.has("approve", bare)):
            return False
        return not any(self.ears.has(kind, bare) for kind in ("reported", "later"))

    def reject(self, said: SpokenSentence) -> HeadReading:
        """A refusal and its reason."""
        named = self.named(said, free=True)
        forced, said = said.forced(self.ears)
        rest = said.without(named).hidden(self.desk)
        bare = self.ears.without("innocent", rest.rest_low)
        start = skip(bare, 0)
        first = CLAUSES.split(bare[start:], maxsplit=1)[0]
        waits = any(self.ears.at(kind, bare, start) >= 0 for kind in ("conditions", "contrast", "past", "later"))
        if waits or self.ears.has("strict", bare) or (not MARK.match(bare) and self.ears.has("later", first)):
            return AGAINST
        if any(self.ears.has(kind, bare) for kind in ("approve", "go_ahead")):
            return AGAINST
        text = rest.reason(self.ears)
        return HeadReading(
            Command(
                "reject",
                said.text,
                serials=tuple(place.text for place in named),
                findings=arguments.found(text, (), self.ears.lexicons),
                text=text,
                force=forced,
                flaw="" if text else "reason",
            )
        )
