"""The commands of staff, read sentence by sentence from the new text (design: "What staff write")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mailbot.intake.commands import arguments, prices
from mailbot.intake.commands.actions import ActionSentences
from mailbot.intake.commands.arguments import SpokenSentence
from mailbot.intake.commands.command_words import MARK, QUESTION, skip
from mailbot.intake.commands.matcher import CommandMatcher, level
from mailbot.intake.commands.staff_sentences import StaffSentence, sayings
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.text import email_parts
from mailbot.model import Command

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.entities.amounts import Point
    from mailbot.intake.statements.word_lists import LanguageWords


class CommandsRead(NamedTuple):
    """The commands of a text, and the sentences that sound like a decision and are none."""

    commands: tuple[Command, ...] = ()
    unclear: tuple[str, ...] = ()


def parse_commands(
    text: str,
    lexicons: Sequence[LanguageWords],
    *,
    desk: Desk,
    known: Collection[str] = (),
    point: Point = ".",
    answers: bool = True,
) -> CommandsRead:
    """Hear the commands of staff.

    Args:
        text: what the sender wrote now: no quotes, no attachments.
        lexicons: the word lists to listen with; commands are few, so that all languages may be heard at once.
        desk: the company's desk: its currency, the forms of its serials and numbers.
        known: keys of units (see ``serials.fold``) that may be named.
        point: the company's decimal sign.
        answers: the mail answers one of ours, or a mail in a case: "please issue the number" then approves; at the head of a
            request that is passed on it is the request.
    """
    return _CommandReading(ActionSentences(CommandMatcher(tuple(lexicons)), desk, known, point, answers=answers)).take(
        text
    )


_NAME = re.compile(r"\b[A-Z\u00c0-\u00de][^\W\d_]+")


class _CommandReading:
    """One text being heard."""

    def __init__(self, read: ActionSentences) -> None:
        self.read, self.ears = read, read.ears
        self.commands: list[Command] = []
        self.unclear: list[str] = []
        self.against = False
        self.ahead = ""

    def take(self, text: str) -> CommandsRead:
        said = sayings(text, self.ears, self._is_command)
        if (whole := self._yes(said)) is not None:
            return CommandsRead((whole,))
        if len(said) == 1 and not re.search(r"\w", self.ears.without("negations", level(said[0].text))):
            return CommandsRead(unclear=(said[0].text,))
        quoted = -1
        last: StaffSentence | None = None
        for one in said:
            if last is not None and last.text.rstrip().endswith(":") and self.ears.has("reported", level(last.text)):
                quoted = one.paragraph
            if one.paragraph == quoted:
                if self._sounds(one.text):
                    self.unclear.append(one.text)
            else:
                self._hear(one, fresh=last is None or last.paragraph != one.paragraph)
            last = one
        return self._agreed()

    def _is_command(self, line: str) -> bool:
        """Whether a line is a command as it stands, in capitals or with nothing but its arguments."""
        said = self.read.opened(line)
        name, end = self.read.head(said)
        if not name or name in {"help", "note"}:
            return bool(name and said.text[said.start : end].isupper())
        capitals = said.text[said.start : end].isupper()
        return capitals or (bool(MARK.match(said.low, end)) and name != "confirm")

    def _yes(self, said: Sequence[StaffSentence]) -> Command | None:
        """Whether the whole new text confirms: "OK", or "yes, please"."""
        texts = [one.text for one in said if not self._greets(one.text)]
        if len(texts) != 1:
            return None
        low = level(texts[0])
        end = self.ears.at("yes", low)
        if end >= 0 and not re.search(r"\w", self.ears.without("polite", low[end:])) and not QUESTION.search(low):
            return Command("confirm", texts[0])
        return None

    def _greets(self, text: str) -> bool:
        low = level(text)
        greeted = email_parts.without_greeting(f"{text},", self.ears.lexicons) in {"", ","}
        return greeted or (not self.ears.has("yes", low) and not re.search(r"\w", self.ears.without("polite", low)))

    def _sounds(self, text: str) -> bool:
        return self.ears.has("speaks", level(text)) or bool(self.read.head(self.read.opened(text))[0])

    def _hear(self, one: StaffSentence, *, fresh: bool) -> None:
        """Put a sentence where it belongs: a command, a part of the one before, unclear, or nothing."""
        text = email_parts.without_greeting(one.text, self.ears.lexicons)
        self.read.addressed |= _NAME.search(self._unsaid(one.text, text)) is not None
        if self._takes_back(text):
            self._void_last(one.text)
            return
        if self._follows(text, fresh=fresh):
            return
        result = self.read.sentence(StaffSentence(text, one.paragraph, one.lines))
        if result.command is not None and not self._repeats(result.command):
            self.commands.append(result.command)
            if result.command.name == "approve" and self.ahead and not result.command.prices:
                self._add_money(self.ahead)
            self.ahead = ""
        self.commands.extend(result.also)
        if result.unclear:
            self.unclear.append(one.text)
            self.against |= result.voids
        elif result.command is None and not result.also:
            self.ahead = text if self._money(text) else self.ahead
            self._explains(text, fresh=fresh)

    def _repeats(self, command: Command) -> bool:
        """Whether an approval only says again what was approved, as in "Approved. Please issue the number"."""
        return command.name == "approve" and any(
            one.name == "approve" and command.serials in {(), one.serials} and command.prices in {(), one.prices}
            for one in self.commands
            if not command.flaw
        )

    def _unsaid(self, text: str, rest: str) -> str:
        """The greeting that opens a sentence, without its words of greeting: a name, if anything."""
        greeting = text[: len(text) - len(rest)] if rest != text else text if self._greets(text) else ""
        low = level(greeting)
        low = self.ears.without("polite", self.ears.without("greetings", low))
        return "".join(char if kept.strip() else " " for char, kept in zip(greeting, low, strict=True))

    def _takes_back(self, text: str) -> bool:
        """Whether a sentence behind a decision takes it back or makes it depend: "Once the PO is here"."""
        if not self.commands or self.commands[-1].name not in {"approve", "reject"}:
            return False
        low = self.ears.without("innocent", level(text))
        start = skip(low, 0)
        heads = ("takes_back", "conditions", "contrast")
        begins = any(self.ears.at(name, low, start) >= 0 for name in heads)
        return begins and not self.read.head(self.read.opened(text))[0]

    def _void_last(self, text: str) -> None:
        taken = self.commands.pop()
        if taken.said not in self.unclear:
            self.unclear.append(taken.said)
        self.unclear.append(text)

    def _follows(self, text: str, *, fresh: bool) -> bool:
        """Whether a sentence goes with the command before: why it is forced, its fee, another line of a quote."""
        if not self.commands:
            return False
        last = self.commands[-1]
        low = level(text)
        if self.ears.at("force", low, skip(low, 0)) >= 0:
            self.commands[-1] = msgspec.structs.replace(
                last, force=SpokenSentence(text, low).forced(self.ears)[0] or last.force
            )
            return True
        if self.read.head(self.read.opened(text))[0]:
            return False
        pending = not prices.numbered(last.said)
        if last.name == "quote" and (pending or not fresh) and self._line_of_quote(text, pending=pending):
            whole = f"{last.said}, {text}"
            said = self.read.opened(whole)
            said.begin(self.read.head(said)[1])
            self.commands[-1] = msgspec.structs.replace(self.read.quote(said.rest, whole), force=last.force)
            return True
        if last.name == "approve" and not last.prices and self._money(text):
            self._add_money(text)
            return True
        return False

    def _line_of_quote(self, text: str, *, pending: bool) -> bool:
        """Whether a line goes on with a quote: it ends with a number, or names an amount with its currency."""
        return (
            prices.priced(text, self.read.desk.currency)
            or bool(re.search(r"\d\W*$", text))
            or (pending and prices.numbered(text))
        )

    def _money(self, text: str) -> bool:
        low = level(text)
        return (self.ears.has("fee", low) or self.ears.has("money", low)) and prices.priced(
            text, self.read.desk.currency
        )

    def _add_money(self, text: str) -> None:
        said = SpokenSentence(text, level(text))
        money = prices.granted(said, self.ears, self.read.desk.currency, self.read.point)
        unsure = self.read.unsure(said.low) or QUESTION.search(said.low)
        self.commands[-1] = msgspec.structs.replace(
            self.commands[-1],
            prices=() if unsure else money.prices,
            fee=money.fee,
            flaw="amount" if unsure else money.flaw,
            said=f"{self.commands[-1].said} {text}",
        )

    def _explains(self, text: str, *, fresh: bool) -> None:
        """A sentence behind a finding or a refusal, in its paragraph, goes on with it."""
        if fresh or not self.commands or self.commands[-1].name not in {"diagnosed", "reject"}:
            return
        if self._greets(text):
            return
        last = self.commands[-1]
        more = f"{last.text}. {text}".strip(". ") if last.text else text
        self.commands[-1] = msgspec.structs.replace(
            last,
            text=more,
            flaw="" if last.flaw == "reason" else last.flaw,
            findings=arguments.found(more, last.findings, self.ears.lexicons),
        )

    def _agreed(self) -> CommandsRead:
        """Without what contradicts itself: approved and rejected, repaired and not repairable."""
        out: set[int] = set()
        for pair in (("approve", "reject"), ("repaired", "not_repairable"), ("approve", "hold")):
            left, right = ([at for at, one in enumerate(self.commands) if one.name == name] for name in pair)
            mine, theirs = (_units([self.commands[at] for at in some]) for some in (left, right))
            if left and right and (not mine or not theirs or mine & theirs):
                out |= {*left, *right}
        if self.against:
            out |= {at for at, one in enumerate(self.commands) if one.name in {"approve", "reject"}}
        unclear = (*(one.said for at, one in enumerate(self.commands) if at in out), *self.unclear)
        kept = tuple(one for at, one in enumerate(self.commands) if at not in out)
        return CommandsRead(kept, tuple(dict.fromkeys(unclear)))


def _units(commands: Sequence[Command]) -> set[str]:
    """The keys of the units that commands name; none where one of them concerns all."""
    named = [{serial_key(serial) for serial in command.serials} for command in commands]
    return set().union(*named) if all(named) else set()
