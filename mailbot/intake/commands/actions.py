"""What staff do with a unit and a case: received, diagnosed, quoted, repaired, shipped, extended, noted, and so on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import msgspec

from mailbot.intake.commands import arguments, prices
from mailbot.intake.commands.approvals import ApprovalSentences
from mailbot.intake.commands.arguments import SpokenSentence
from mailbot.intake.commands.command_words import CLAUSES, DECIDES, MARK, NOTHING, QUESTION, UNCLEAR, HeadReading, skip
from mailbot.intake.commands.matcher import level
from mailbot.model import Command

if TYPE_CHECKING:
    from mailbot.intake.commands.staff_sentences import StaffSentence
    from mailbot.model import CommandName


class ActionSentences(ApprovalSentences):
    """Reads one sentence of staff."""

    def sentence(self, one: StaffSentence) -> HeadReading:
        """What a sentence commands, if anything."""
        said = self.opened(one.text)
        name, end = self.head(said)
        if not name:
            return self.within(said)
        said.begin(end)
        if name == "note":
            return HeadReading(Command("note", one.text, text=" ".join((said.rest.strip(" :-"), *one.lines)).strip()))
        if name == "ship_to":
            return self._ship_to(said, one)
        if name == "help":
            return HeadReading(Command("help", one.text)) if not self.left(said.rest_low) else self.other(said)
        if QUESTION.search(said.low) or self.ears.has("doubts", said.low[: said.start]):
            return UNCLEAR
        if name in DECIDES:
            return self.approve(said, name)
        if name in {"reject", "diagnosed", "finding", "quote", "shipped", "extend"}:
            handler = {
                "reject": self.reject, "diagnosed": self._diagnosed, "finding": self._finding,
                "quote": self._quoted, "shipped": self._shipped, "extend": self._extend,
            }[name]  # fmt: skip
            return handler(said)
        return self._plain(said, name)

    def _diagnosed(self, said: SpokenSentence) -> HeadReading:
        if (
            not (MARK.match(said.low, said.end) or said.capitals)
            and not self.ears.at("diagnosed_follow", said.rest_low.lstrip()) >= 0
        ):
            return self.within(said)
        named = self.named(said, free=True)
        forced, said = said.forced(self.ears)
        rest = said.without(named)
        text = rest.reason(self.ears)
        if self.ears.at("later", level(text)) >= 0:
            return UNCLEAR
        command = Command(
            "diagnosed",
            said.text,
            serials=tuple(place.text for place in named),
            findings=arguments.found(text, (), self.ears.lexicons),
            text=text,
            force=forced,
            flaw="" if text else "reason",
        )
        return HeadReading(command, also=self._closing_approval(said))

    def _closing_approval(self, said: SpokenSentence) -> tuple[Command, ...]:
        """An approval that is the last part of the sentence: "could not be solved, approved"."""
        parts = [match.end() for match in CLAUSES.finditer(said.low) if re.search(r"\w", said.low[match.end() :])]
        if not parts or parts[-1] < said.end:
            return ()
        part = SpokenSentence(said.text, said.low, skip(said.low, parts[-1]))
        name, end = self.head(part)
        if name not in DECIDES or self.left(said.low[end:]) or self.unsure(said.low):
            return ()
        return (Command("approve", said.text),)

    def _finding(self, said: SpokenSentence) -> HeadReading:
        """A finding that is a command by itself: "NPF", "ABUSE: burnt by 48 V"."""
        if not (said.capitals or MARK.match(said.low, said.end) or not self.left(said.rest_low)):
            named = self.named(said)
            if not named or self.left(said.without(named).rest_low):
                return NOTHING
        named = self.named(said, free=True)
        forced, said = said.forced(self.ears)
        text = said.without(named).whole()
        found = arguments.found(text, (), self.ears.lexicons)
        bare = self.ears.without("innocent", said.without(named).rest_low)
        if not found or any(self.ears.at(kind, bare, skip(bare, 0)) >= 0 for kind in ("conditions", "later")):
            return UNCLEAR
        return HeadReading(
            Command(
                "diagnosed",
                said.text,
                serials=tuple(place.text for place in named),
                findings=found,
                text=text,
                force=forced,
            )
        )

    def _quoted(self, said: SpokenSentence) -> HeadReading:
        if (
            self.unsure(self.ears.without("roughly", said.rest_low))
            or self.ears.at("later", said.rest_low.lstrip()) >= 0
        ):
            return UNCLEAR
        clear = said.capitals or MARK.match(said.low, said.end) or prices.priced(said.rest, self.desk.currency)
        if not clear and not prices.numbered(said.rest):
            return self.other(said)
        forced, said = said.forced(self.ears)
        command = self.quote(said.rest, said.text)
        return HeadReading(msgspec.structs.replace(command, force=forced))

    def quote(self, rest: str, whole: str) -> Command:
        """A quote from what stands behind QUOTE."""
        return prices.quoted(rest, whole, self.ears, self.desk, self.known, self.point)

    def _shipped(self, said: SpokenSentence) -> HeadReading:
        forced, said = said.forced(self.ears)
        bare = self.ears.without("innocent", said.rest_low)
        start = skip(bare, 0)
        if any(self.ears.has(kind, bare) for kind in ("later",)) or self.ears.at("conditions", bare, start) >= 0:
            return UNCLEAR
        parcel, named, left = arguments.sent(said, self.ears, self.desk, self.known)
        if named and self.ears.has("denied", left):
            return UNCLEAR
        plain_ = MARK.match(said.low, said.end) or said.capitals or not self.left(said.rest_low)
        if not parcel.tracking and not parcel.carrier and not plain_:
            return self.other(said)
        return HeadReading(
            Command(
                "shipped",
                said.text,
                serials=tuple(place.text for place in named),
                shipment=parcel,
                force=forced,
                flaw="" if parcel.carrier or parcel.tracking or forced else "carrier",
            )
        )

    def _ship_to(self, said: SpokenSentence, one: StaffSentence) -> HeadReading:
        first = said.rest.strip(" :.-*")
        marked = said.capitals or bool(re.match(r"\s*(?::|$)", said.rest))
        if not marked and not re.search(r"\d", " ".join((first, *one.lines))):
            return NOTHING
        if QUESTION.search(said.low):
            return UNCLEAR
        lines = [line for line in (first, *one.lines) if line]
        real = sum(len(line.split()) for line in lines) > 1
        return HeadReading(
            Command("ship_to", one.text, text="\n".join(lines) if real else "", flaw="" if real else "address")
        )

    def _extend(self, said: SpokenSentence) -> HeadReading:
        bare = self.ears.without("innocent", said.rest_low)
        if self.unsure(bare) or self.ears.at("later", bare, skip(bare, 0)) >= 0:
            return self.other(said)
        named = self.named(said)
        forced, said = said.forced(self.ears)
        days = arguments.days(said.without(named).hidden(self.desk).rest_low, self.ears)
        if days is None:
            clear = said.capitals or MARK.match(said.low, said.end)
            if not clear and not prices.numbered(said.rest):
                return self.other(said)
        return HeadReading(
            Command(
                "extend",
                said.text,
                serials=tuple(place.text for place in named),
                days=days or 0,
                force=forced,
                flaw="" if days else "days",
            )
        )

    def _plain(self, said: SpokenSentence, name: str) -> HeadReading:
        """RECEIVED, REPAIRED, NOT REPAIRABLE, HOLD, CLOSE, CONFIRM: hardly any arguments, perhaps a remark."""
        forced, said = said.forced(self.ears)
        named = self.named(said)
        bare = said.without(named).hidden(self.desk)
        count = arguments.counted(bare.rest_low, self.ears) if name == "received" else None
        if count:
            bare = bare.blank(count[1])
        low = self.ears.without("innocent", bare.rest_low)
        start = skip(low, 0)
        waits = ("later",) if name == "hold" else ("later", "conditions")
        first = CLAUSES.split(low[start:], maxsplit=1)[0]
        if self.ears.has("later", first) or any(self.ears.at(kind, low, start) >= 0 for kind in waits):
            return UNCLEAR if name != "hold" else self.other(said)
        waits_for = name == "hold" and self.ears.at("conditions", low, start) >= 0
        clear = said.capitals or waits_for or MARK.match(bare.low, bare.end) is not None
        remark = clear or bool(arguments.found(first, (), self.ears.lexicons) and (named or count))
        if self.left(first) and (not remark or name == "confirm"):
            return self.other(said)
        if name == "received" and not count and re.search(r"\d", first) and not self.ears.has("all", first):
            return UNCLEAR
        partly = name in {"received", "repaired", "not_repairable"} and self.ears.has("denied", low)
        if partly and not count and (named or name == "received") and not arguments.found(low, (), self.ears.lexicons):
            return UNCLEAR
        text = bare.reason(self.ears) if self.left(low) else ""
        return HeadReading(
            Command(
                cast("CommandName", name),
                said.text,
                serials=tuple(place.text for place in named),
                count=count[0] if count else None,
                findings=arguments.found(low, (), self.ears.lexicons) if name == "received" else (),
                text=text,
                force=forced,
            )
        )
