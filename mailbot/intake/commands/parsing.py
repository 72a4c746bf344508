"""The commands of staff, parsed sentence by sentence from the new text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mailbot.intake.commands import prices
from mailbot.intake.commands.actions import ActionSentences
from mailbot.intake.commands.arguments import CommandSentence
from mailbot.intake.commands.command_words import PUNCTUATION, QUESTION, next_word
from mailbot.intake.commands.matcher import CommandMatcher, normalize_in_place
from mailbot.intake.commands.staff_sentences import StaffSentence, split_staff_text
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.text import email_parts
from mailbot.model import Command

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.statements.word_lists import LanguageWords


class CommandsRead(NamedTuple):
    """The commands in a text, and the sentences that sound like a decision and are not one."""

    commands: tuple[Command, ...] = ()
    unclear: tuple[str, ...] = ()


def parse_commands(
    text: str, lexicons: Sequence[LanguageWords], *, desk: Desk, known: Collection[str] = (), is_reply: bool = True
) -> CommandsRead:
    """Parse the commands of staff in new text, without quotes and attachments. All languages can be used at once.

    ``known`` are keys of units that may be named. ``is_reply``: the message replies to one of our messages, or belongs to a
    case. Then "please issue the number" approves; in a forwarded request it is the request.
    """
    return _CommandParser(ActionSentences(CommandMatcher(tuple(lexicons)), desk, known, is_reply=is_reply)).parse(text)


_CAPITALIZED = re.compile(r"\b[A-Z\u00c0-\u00de][^\W\d_]+")


class _CommandParser:
    """Parses one text."""

    def __init__(self, sentence_parser: ActionSentences) -> None:
        self.sentence_parser, self.matcher = sentence_parser, sentence_parser.matcher
        self.commands: list[Command] = []
        self.unclear: list[str] = []
        self.has_voiding = False
        self.amount_before = ""

    def parse(self, text: str) -> CommandsRead:
        sentences = split_staff_text(text, self.matcher, self._is_command)
        if (confirmation := self._confirmation(sentences)) is not None:
            return CommandsRead((confirmation,))
        if len(sentences) == 1 and not re.search(r"\w", self.matcher.without("negations", normalize_in_place(sentences[0].text))):
            return CommandsRead(unclear=(sentences[0].text,))
        quoted_paragraph = -1
        previous: StaffSentence | None = None
        for one in sentences:
            before = previous.text.rstrip() if previous else ""
            if before.endswith(":") and self.matcher.contains("reported", normalize_in_place(before)):
                quoted_paragraph = one.paragraph
            if one.paragraph == quoted_paragraph:
                if self.matcher.contains("speaks", normalize_in_place(one.text)) or self._leading_command(one.text):
                    self.unclear.append(one.text)
            else:
                self._process(one, new_paragraph=previous is None or previous.paragraph != one.paragraph)
            previous = one
        return self._without_contradictions()

    def _is_command(self, line: str) -> bool:
        """Return whether a line is a command by itself, in uppercase or with nothing but its arguments."""
        sentence = self.sentence_parser.without_bullet(line)
        name, end = self.sentence_parser.leading_command(sentence)
        if not name or sentence.text[sentence.start : end].isupper():
            return bool(name)
        return name not in {"help", "note", "confirm"} and bool(PUNCTUATION.match(sentence.normalized, end))

    def _leading_command(self, text: str) -> str:
        return self.sentence_parser.leading_command(self.sentence_parser.without_bullet(text))[0]

    def _confirmation(self, sentences: Sequence[StaffSentence]) -> Command | None:
        """Return a confirmation if that is the whole new text: "OK", or "yes, please"."""
        texts = [one.text for one in sentences if not self._is_greeting(one.text)]
        if len(texts) != 1:
            return None
        normalized = normalize_in_place(texts[0])
        end = self.matcher.end_at("yes", normalized)
        if end >= 0 and not re.search(r"\w", self.matcher.without("polite", normalized[end:])) and not QUESTION.search(normalized):
            return Command("confirm", texts[0])
        return None

    def _is_greeting(self, text: str) -> bool:
        normalized = normalize_in_place(text)
        is_greeting = email_parts.without_greeting(f"{text},", self.matcher.lexicons) in {"", ","}
        return is_greeting or (
            not self.matcher.contains("yes", normalized) and not re.search(r"\w", self.matcher.without("polite", normalized))
        )

    def _process(self, one: StaffSentence, *, new_paragraph: bool) -> None:
        """Process a sentence: a command, part of the one before, unclear, or irrelevant."""
        text = email_parts.without_greeting(one.text, self.matcher.lexicons)
        self.sentence_parser.addressed |= _CAPITALIZED.search(self._greeted_name(one.text, text)) is not None
        if self._is_revocation(text):
            self._revoke_last(one.text)
            return
        if self._continues_command(text, new_paragraph=new_paragraph):
            return
        result = self.sentence_parser.parse_sentence(StaffSentence(text, one.paragraph, one.lines))
        if result.command is not None and not self._is_repetition(result.command):
            self.commands.append(result.command)
            if result.command.name == "approve" and self.amount_before and not result.command.prices:
                self._add_amount(self.amount_before)
            self.amount_before = ""
        self.commands.extend(result.also)
        if result.unclear:
            self.unclear.append(one.text)
            self.has_voiding |= result.voids
        elif result.command is None and not result.also:
            self.amount_before = text if self._has_amount(text) else self.amount_before
            self._add_explanation(text, new_paragraph=new_paragraph)

    def _is_repetition(self, command: Command) -> bool:
        """Return whether an approval repeats an earlier one: "Approved. Please issue the number"."""
        return command.name == "approve" and any(
            one.name == "approve" and command.serials in {(), one.serials} and command.prices in {(), one.prices}
            for one in self.commands
            if not command.flaw
        )

    def _greeted_name(self, text: str, rest: str) -> str:
        """Return the greeting that opens a sentence, without greeting words: a name, if anything."""
        greeting = text[: len(text) - len(rest)] if rest != text else text if self._is_greeting(text) else ""
        normalized = normalize_in_place(greeting)
        normalized = self.matcher.without("polite", self.matcher.without("greetings", normalized))
        return "".join(char if kept.strip() else " " for char, kept in zip(greeting, normalized, strict=True))

    def _is_revocation(self, text: str) -> bool:
        """Return whether a sentence after a decision revokes or limits it: "Once the PO is here"."""
        if not self.commands or self.commands[-1].name not in {"approve", "reject"}:
            return False
        normalized = self.matcher.without("innocent", normalize_in_place(text))
        start = next_word(normalized, 0)
        is_revoking = self.matcher.begins(("takes_back", "conditions", "contrast"), normalized, start)
        return is_revoking and not self._leading_command(text)

    def _revoke_last(self, text: str) -> None:
        revoked = self.commands.pop()
        if revoked.said not in self.unclear:
            self.unclear.append(revoked.said)
        self.unclear.append(text)

    def _continues_command(self, text: str, *, new_paragraph: bool) -> bool:
        """Return whether a sentence belongs to the command before: its FORCE reason, its fee, a line of a quote."""
        if not self.commands:
            return False
        previous = self.commands[-1]
        normalized = normalize_in_place(text)
        if self.matcher.end_at("force", normalized, next_word(normalized, 0)) >= 0:
            self.commands[-1] = msgspec.structs.replace(
                previous, force=CommandSentence(text, normalized).split_force(self.matcher)[0] or previous.force
            )
            return True
        if self._leading_command(text):
            return False
        pending = not prices.has_digit(previous.said)
        if previous.name == "quote" and (pending or not new_paragraph) and self._is_quote_line(text, pending=pending):
            full_text = f"{previous.said}, {text}"
            sentence = self.sentence_parser.without_bullet(full_text)
            sentence.end = self.sentence_parser.leading_command(sentence)[1]
            self.commands[-1] = msgspec.structs.replace(self.sentence_parser.quote(sentence.rest, full_text), force=previous.force)
            return True
        if previous.name == "approve" and not previous.prices and self._has_amount(text):
            self._add_amount(text)
            return True
        return False

    def _is_quote_line(self, text: str, *, pending: bool) -> bool:
        """Return whether a line continues a quote: it ends with a number, or has an amount with a currency."""
        return (
            prices.has_amount(text, self.sentence_parser.desk.currency)
            or bool(re.search(r"\d\W*$", text))
            or (pending and prices.has_digit(text))
        )

    def _has_amount(self, text: str) -> bool:
        normalized = normalize_in_place(text)
        is_money = self.matcher.contains_any(("fee", "money"), normalized)
        return is_money and prices.has_amount(text, self.sentence_parser.desk.currency)

    def _add_amount(self, text: str) -> None:
        sentence = CommandSentence(text, normalize_in_place(text))
        amounts = prices.approved_amounts(sentence, self.matcher, self.sentence_parser.desk.currency)
        is_uncertain = self.sentence_parser.is_uncertain(sentence.normalized) or QUESTION.search(sentence.normalized)
        self.commands[-1] = msgspec.structs.replace(
            self.commands[-1],
            prices=() if is_uncertain else amounts.prices,
            fee=amounts.fee,
            flaw="amount" if is_uncertain else amounts.flaw,
            said=f"{self.commands[-1].said} {text}",
        )

    def _add_explanation(self, text: str, *, new_paragraph: bool) -> None:
        """Add a sentence after a finding or a refusal in the same paragraph to its text."""
        if new_paragraph or not self.commands or self.commands[-1].name not in {"diagnosed", "reject"} or self._is_greeting(text):
            return
        previous = self.commands[-1]
        extended_text = f"{previous.text}. {text}".strip(". ") if previous.text else text
        self.commands[-1] = msgspec.structs.replace(
            previous,
            text=extended_text,
            flaw="" if previous.flaw == "reason" else previous.flaw,
            findings=tuple(dict.fromkeys((*previous.findings, *self.sentence_parser.findings(extended_text)))),
        )

    def _without_contradictions(self) -> CommandsRead:
        """Return the result without contradictions: approved and rejected, repaired and not repairable."""
        contradicting: set[int] = set()
        for pair in (("approve", "reject"), ("repaired", "not_repairable"), ("approve", "hold")):
            left, right = ([index for index, one in enumerate(self.commands) if one.name == name] for name in pair)
            left_units, right_units = (_unit_keys([self.commands[index] for index in indexes]) for indexes in (left, right))
            if left and right and (not left_units or not right_units or left_units & right_units):
                contradicting |= {*left, *right}
        if self.has_voiding:
            contradicting |= {index for index, one in enumerate(self.commands) if one.name in {"approve", "reject"}}
        unclear = (*(one.said for index, one in enumerate(self.commands) if index in contradicting), *self.unclear)
        kept = tuple(one for index, one in enumerate(self.commands) if index not in contradicting)
        return CommandsRead(kept, tuple(dict.fromkeys(unclear)))


def _unit_keys(commands: Sequence[Command]) -> set[str]:
    """Return the keys of the units in the commands; empty if one of them applies to all."""
    named = [{serial_key(serial) for serial in command.serials} for command in commands]
    return set().union(*named) if all(named) else set()
