"""The commands of staff, read sentence by sentence from the new text (design: "What staff write")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from mailbot.intake import arguments, frame
from mailbot.intake.arguments import Said
from mailbot.intake.ears import Ears, level
from mailbot.intake.sayings import Saying, sayings
from mailbot.intake.serials import fold, formed, places
from mailbot.model import Command

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.intake.money import Point
    from mailbot.intake.words import Lexicon
    from mailbot.model import CommandName


class Heard(NamedTuple):
    """The commands of a text, and the sentences that sound like a decision and are none."""

    commands: tuple[Command, ...] = ()
    unclear: tuple[str, ...] = ()


def hear(
    text: str,
    lexicons: Sequence[Lexicon],
    *,
    desk: Desk,
    known: Collection[str] = (),
    point: Point = ".",
    answers: bool = True,
) -> Heard:
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
    hearing = _Hearing(Ears([one for one in lexicons if one.commands is not None]), desk, known, point, answers=answers)
    return hearing.take(text)


_HEADS = (
    "approve", "go_ahead", "issue", "reject", "quote", "received", "diagnosed", "finding", "repaired", "not_repairable",
    "shipped", "ship_to", "extend", "hold", "close", "note", "help", "confirm",
)  # fmt: skip
_DECIDES = ("approve", "go_ahead", "issue")
_FRAME = re.compile(r"[\s,:!.\-–—*_•·\"'(]*")
_OPENING = re.compile(r"[\s*_•·#-]*(?:\(?\d{1,2}[.)]\s+)?[\s*_]*")
_QUESTION = re.compile(r"\?|？|(?:吗|嗎|呢|か|かな|でしょうか)[。.!\s]*$")
_MARK = re.compile(r"\s*(?:[:.,;!()*_。，：！、）（]|[-–—]+(?=\s)|$)")
_CLAUSES = re.compile(r"[,;:(),.。，；：、]|\s[-–—]+\s")
_CODED = re.compile(r"[A-Za-z]{0,6}-?\d")
_POLITE = 6
_NAME = re.compile(r"\b[A-Z\u00c0-\u00de][^\W\d_]+")
_VOCATIVE = re.compile(r"(?:@?[A-Z\u00c0-\u00de][^\W\d_]+\s?){1,2}[,:]\s*")
_TAKES = ("negations", "conditions", "contrast", "later", "doubts")


class _Sentence(NamedTuple):
    """A sentence on its way: the command found, or why it is none."""

    command: Command | None = None
    unclear: bool = False
    voids: bool = False
    also: tuple[Command, ...] = ()


_NOTHING = _Sentence()
_UNCLEAR = _Sentence(unclear=True)
_AGAINST = _Sentence(unclear=True, voids=True)


class _Hearing:
    """One text being heard."""

    def __init__(self, ears: Ears, desk: Desk, known: Collection[str], point: Point, *, answers: bool) -> None:
        self.ears, self.desk, self.known, self.point, self.answers = ears, desk, known, point, answers
        self.commands: list[Command] = []
        self.unclear: list[str] = []
        self.against = False
        self.ahead = ""
        self.addressed = False

    def take(self, text: str) -> Heard:
        said = sayings(text, self.ears, self._is_command)
        if (whole := self._yes(said)) is not None:
            return Heard((whole,))
        if len(said) == 1 and not re.search(r"\w", self.ears.without("negations", level(said[0].text))):
            return Heard(unclear=(said[0].text,))
        quoted = -1
        last: Saying | None = None
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
        said = self._opened(line)
        name, end = self._head(said)
        if not name or name in {"help", "note"}:
            return bool(name and said.text[said.start : end].isupper())
        capitals = said.text[said.start : end].isupper()
        return capitals or (bool(_MARK.match(said.low, end)) and name != "confirm")

    def _yes(self, said: Sequence[Saying]) -> Command | None:
        """ "OK" or "yes, please" as the whole new text confirms."""
        texts = [one.text for one in said if not self._greets(one.text)]
        if len(texts) != 1:
            return None
        low = level(texts[0])
        end = self.ears.at("yes", low)
        if end >= 0 and not re.search(r"\w", self.ears.without("polite", low[end:])) and not _QUESTION.search(low):
            return Command("confirm", texts[0])
        return None

    def _greets(self, text: str) -> bool:
        low = level(text)
        greeted = frame.without_greeting(f"{text},", self.ears.lexicons) in {"", ","}
        return greeted or (not self.ears.has("yes", low) and not re.search(r"\w", self.ears.without("polite", low)))

    def _sounds(self, text: str) -> bool:
        return self.ears.has("speaks", level(text)) or bool(self._head(self._opened(text))[0])

    # -------------------------------------------------------------- one sentence

    def _hear(self, one: Saying, *, fresh: bool) -> None:
        """Put a sentence where it belongs: a command, a part of the one before, unclear, or nothing."""
        text = frame.without_greeting(one.text, self.ears.lexicons)
        self.addressed |= _NAME.search(self._unsaid(one.text, text)) is not None
        if self._takes_back(text):
            self._void_last(one.text)
            return
        if self._follows(text, fresh=fresh):
            return
        result = self._sentence(Saying(text, one.paragraph, one.lines))
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
        """Whether an approval only says again what was approved: "Approved. Please issue the number." """
        return command.name == "approve" and any(
            one.name == "approve" and command.serials in {(), one.serials} and command.prices in {(), one.prices}
            for one in self.commands
            if not command.flaw
        )

    def _unsaid(self, text: str, rest: str) -> str:
        """The greeting that opens a sentence, without its words of greeting: a name, if anything."""
        greeting = text[: len(text) - len(rest)] if rest != text else text if self._greets(text) else ""
        low = level(greeting)
        for one in self.ears.lexicons:
            low = (
                one.letter.greetings.pattern.sub(lambda match: " " * len(match[0]), low)
                if one.letter.greetings
                else low
            )
        low = self.ears.without("polite", low)
        return "".join(char if kept.strip() else " " for char, kept in zip(greeting, low, strict=True))

    def _takes_back(self, text: str) -> bool:
        """Whether a sentence behind a decision takes it back or makes it depend: "Once the PO is here." """
        if not self.commands or self.commands[-1].name not in {"approve", "reject"}:
            return False
        low = self.ears.without("innocent", level(text))
        start = _skip(low, 0)
        heads = ("takes_back", "conditions", "contrast")
        begins = any(self.ears.at(name, low, start) >= 0 for name in heads)
        return begins and not self._head(self._opened(text))[0]

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
        if self.ears.at("force", low, _skip(low, 0)) >= 0:
            self.commands[-1] = msgspec.structs.replace(last, force=Said(text, low).forced(self.ears)[0] or last.force)
            return True
        if self._head(self._opened(text))[0]:
            return False
        pending = not arguments.numbered(last.said)
        if last.name == "quote" and (pending or not fresh) and self._line_of_quote(text, pending=pending):
            whole = f"{last.said}, {text}"
            said = self._opened(whole)
            said.begin(self._head(said)[1])
            self.commands[-1] = msgspec.structs.replace(self._quote(said.rest, whole), force=last.force)
            return True
        if last.name == "approve" and not last.prices and self._money(text):
            self._add_money(text)
            return True
        return False

    def _line_of_quote(self, text: str, *, pending: bool) -> bool:
        """Whether a line goes on with a quote: it ends with a number, or names an amount with its currency."""
        return (
            arguments.priced(text, self.desk.currency)
            or bool(re.search(r"\d\W*$", text))
            or (pending and arguments.numbered(text))
        )

    def _money(self, text: str) -> bool:
        low = level(text)
        return (self.ears.has("fee", low) or self.ears.has("money", low)) and arguments.priced(text, self.desk.currency)

    def _add_money(self, text: str) -> None:
        said = Said(text, level(text))
        money = arguments.granted(said, self.ears, self.desk.currency, self.point)
        unsure = self._unsure(said.low) or _QUESTION.search(said.low)
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

    # -------------------------------------------------------------- its head

    def _opened(self, text: str) -> Said:
        """A sentence without its bullet; a unit may stand before its command: "AH2F104432: repaired"."""
        opening = _OPENING.match(text)
        start = opening.end() if opening else 0
        if _CODED.match(text, start):
            first = next(places(text, self.desk, self.known), None)
            if first and first.start == start and (first.key in self.known or formed(first.text, self.desk)):
                start = _skip(text, first.end)
        return Said(text, level(text), start)

    def _head(self, said: Said) -> tuple[str, int]:
        """The command that a sentence begins with, after polite words, and where its name ends; moves ``said.start``."""
        for _ in range(_POLITE):
            best = max(
                ((self.ears.at(name, said.low, said.start), -index) for index, name in enumerate(_HEADS)),
                default=(-1, 0),
            )
            polite = self.ears.at("polite", said.low, said.start)
            if self.ears.at("nothing", said.low, said.start) > max(best[0], polite):
                break
            if best[0] >= 0 and best[0] >= polite:
                return _HEADS[-best[1]], best[0]
            if polite < 0:
                break
            said.start = _skip(said.low, polite)
        return "", -1

    def _sentence(self, one: Saying) -> _Sentence:
        said = self._opened(one.text)
        name, end = self._head(said)
        if not name:
            return self._within(said)
        said.begin(end)
        if name == "note":
            return _Sentence(Command("note", one.text, text=" ".join((said.rest.strip(" :-"), *one.lines)).strip()))
        if name == "ship_to":
            return self._ship_to(said, one)
        if name == "help":
            return _Sentence(Command("help", one.text)) if not self._left(said.rest_low) else self._other(said)
        if _QUESTION.search(said.low) or self._asked_before(said):
            return _UNCLEAR
        if name in _DECIDES:
            return self._approve(said, name)
        if name in {"reject", "diagnosed", "finding", "quote", "shipped", "extend"}:
            handler = {
                "reject": self._reject, "diagnosed": self._diagnosed, "finding": self._finding,
                "quote": self._quoted, "shipped": self._shipped, "extend": self._extend,
            }[name]  # fmt: skip
            return handler(said)
        return self._plain(said, name)

    def _other(self, said: Said) -> _Sentence:
        """A sentence that begins like a command and is none."""
        if not self.ears.has("speaks", said.low):
            return _UNCLEAR if said.capitals else _NOTHING
        return self._talk(said.low)

    def _talk(self, low: str) -> _Sentence:
        if _QUESTION.search(low) or self.ears.has("reported", low):
            return _UNCLEAR
        bare = self.ears.without("innocent", low)
        against = any(self.ears.has(name, bare) for name in ("negations", "conditions", "later"))
        return _AGAINST if against else _UNCLEAR

    def _asked_before(self, said: Said) -> bool:
        return self.ears.has("doubts", said.low[: said.start])

    # -------------------------------------------------------------- approvals

    def _approve(self, said: Said, name: str) -> _Sentence:
        if name == "issue" and not self.answers:
            return _NOTHING
        if self._bids_another(said):
            return _UNCLEAR
        head = self.ears.without("innocent", said.low[said.start : said.end])
        if any(self.ears.has(kind, head) for kind in (*_TAKES, "past")) or not self._approves(said, name):
            return self._talk(said.low)
        named = said.serials(self.desk, self.known, self.ears.lexicons)
        forced, said = said.forced(self.ears)
        money = arguments.granted(said.without(named), self.ears, self.desk.currency, self.point)
        return _Sentence(
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

    def _bids_another(self, said: Said) -> bool:
        """Whether a person is asked to approve, and not this desk: "Tom, please approve"."""
        if self.ears.at("bids", said.low, said.start) < said.end:
            return False
        vocative = _VOCATIVE.match(said.text)
        named = vocative and re.search(r"\w", self.ears.without("polite", said.low[: vocative.end()]))
        return self.addressed or bool(named and vocative and vocative.end() <= said.start)

    def _approves(self, said: Said, name: str) -> bool:
        """Whether what stands behind an approval leaves it one."""
        named = said.serials(self.desk, self.known, self.ears.lexicons)
        rest = self.ears.without("innocent", said.without(named).hidden(self.desk).rest_low)
        if named:
            for one in self.ears.lexicons:
                rest = (
                    one.serials.only.pattern.sub(lambda match: " " * len(match[0]), rest) if one.serials.only else rest
                )
        if self._unsure(rest) or self.ears.has("reject", rest) or '"' in said.low[: said.start]:
            return False
        if named and self.ears.has("denied", rest):
            return False
        first = _CLAUSES.split(rest, maxsplit=1)[0] if not _MARK.match(rest) else ""
        told = self._before_reason(first)
        if any(self.ears.has(kind, told) for kind in ("negations", "later", "past", "reported")):
            return False
        if any(self.ears.has("later", clause) for clause in _CLAUSES.split(rest)):
            return False
        if not first.strip():
            return True
        if name == "go_ahead":
            return self.ears.has("goes_on", told) or bool(named and not self._left(told)) or not self._left(told)
        return self.ears.at("follow", first, _skip(first, 0)) >= 0 or not self._left(first)

    def _before_reason(self, clause: str) -> str:
        found = [m.start() for one in self.ears.lexicons for m in one.commands.because.pattern.finditer(clause)]
        return clause[: min(found, default=len(clause))]

    def _unsure(self, low: str) -> bool:
        bare = self.ears.without("innocent", low)
        return any(self.ears.has(name, bare) for name in ("conditions", "contrast", "doubts"))

    def _left(self, low: str) -> bool:
        """Whether words are left that say something."""
        return bool(re.search(r"\w", self.ears.without("polite", self.ears.without("filler", low))))

    def _within(self, said: Said) -> _Sentence:
        """A decision in a later part of a sentence: "all fine, please go ahead"."""
        for start, joined in self._parts(said.low):
            part = Said(said.text, said.low, start)
            name, end = self._head(part)
            if name not in {*_DECIDES, "reject"}:
                continue
            joined = joined and all(self.ears.at("own", said.low, start) < 0 for start in (said.start, part.start))
            if not self._leads_up(said.low[: part.start], name, joined=joined):
                return self._talk(said.low)
            if _QUESTION.search(said.low):
                return _UNCLEAR
            part.begin(end)
            return self._reject(part) if name == "reject" else self._approve(part, name)
        return self._talk(said.low) if self.ears.has("speaks", said.low) else _NOTHING

    def _parts(self, low: str) -> list[tuple[int, bool]]:
        """Where parts of a sentence begin, and whether only a word such as "and" stands before them."""
        marks = [(match.end(), False) for match in _CLAUSES.finditer(low)]
        words = [(end, True) for one in self.ears.lexicons for _, end in one.commands.joins.spans(low)]
        return sorted((_skip(low, end), joined) for end, joined in (*marks, *words))[:40]

    def _leads_up(self, before: str, name: str, *, joined: bool) -> bool:
        """Whether what stands before a decision in its sentence lets it be the writer's own, and without condition."""
        bare = self.ears.without("innocent", before)
        if self._unsure(bare) or '"' in before or not re.search(r"\w", before):
            return False
        if not re.search(r"\w", self.ears.without("negations", self.ears.without("polite", bare))):
            return False
        if name in {"approve", "reject"} and (joined or self.ears.has("others", bare)):
            return False
        if self.ears.has("speaks", bare) and (self.ears.has("negations", bare) or not self.ears.has("approve", bare)):
            return False
        return not any(self.ears.has(kind, bare) for kind in ("reported", "later"))

    # -------------------------------------------------------------- refusals and findings

    def _reject(self, said: Said) -> _Sentence:
        named = said.serials(self.desk, self.known, self.ears.lexicons, free=True)
        forced, said = said.forced(self.ears)
        rest = said.without(named).hidden(self.desk)
        bare = self.ears.without("innocent", rest.rest_low)
        start = _skip(bare, 0)
        first = _CLAUSES.split(bare[start:], maxsplit=1)[0]
        waits = any(self.ears.at(kind, bare, start) >= 0 for kind in ("conditions", "contrast", "past", "later"))
        if waits or self.ears.has("strict", bare) or (not _MARK.match(bare) and self.ears.has("later", first)):
            return _AGAINST
        if any(self.ears.has(kind, bare) for kind in ("approve", "go_ahead")):
            return _AGAINST
        text = rest.reason(self.ears)
        return _Sentence(
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

    def _diagnosed(self, said: Said) -> _Sentence:
        if (
            not (_MARK.match(said.low, said.end) or said.capitals)
            and not self.ears.at("diagnosed_follow", said.rest_low.lstrip()) >= 0
        ):
            return self._within(said)
        named = said.serials(self.desk, self.known, self.ears.lexicons, free=True)
        forced, said = said.forced(self.ears)
        rest = said.without(named)
        text = rest.reason(self.ears)
        if self.ears.at("later", level(text)) >= 0:
            return _UNCLEAR
        command = Command(
            "diagnosed",
            said.text,
            serials=tuple(place.text for place in named),
            findings=arguments.found(text, (), self.ears.lexicons),
            text=text,
            force=forced,
            flaw="" if text else "reason",
        )
        return _Sentence(command, also=self._closing_approval(said))

    def _closing_approval(self, said: Said) -> tuple[Command, ...]:
        """An approval that is the last part of the sentence: "could not be solved, approved"."""
        parts = [match.end() for match in _CLAUSES.finditer(said.low) if re.search(r"\w", said.low[match.end() :])]
        if not parts or parts[-1] < said.end:
            return ()
        part = Said(said.text, said.low, _skip(said.low, parts[-1]))
        name, end = self._head(part)
        if name not in _DECIDES or self._left(said.low[end:]) or self._unsure(said.low):
            return ()
        return (Command("approve", said.text),)

    def _finding(self, said: Said) -> _Sentence:
        """A finding that is a command by itself: "NPF", "ABUSE: burnt by 48 V"."""
        if not (said.capitals or _MARK.match(said.low, said.end) or not self._left(said.rest_low)):
            named = said.serials(self.desk, self.known, self.ears.lexicons)
            if not named or self._left(said.without(named).rest_low):
                return _NOTHING
        named = said.serials(self.desk, self.known, self.ears.lexicons, free=True)
        forced, said = said.forced(self.ears)
        text = said.without(named).whole()
        found = arguments.found(text, (), self.ears.lexicons)
        bare = self.ears.without("innocent", said.without(named).rest_low)
        if not found or any(self.ears.at(kind, bare, _skip(bare, 0)) >= 0 for kind in ("conditions", "later")):
            return _UNCLEAR
        return _Sentence(
            Command(
                "diagnosed",
                said.text,
                serials=tuple(place.text for place in named),
                findings=found,
                text=text,
                force=forced,
            )
        )

    # -------------------------------------------------------------- money, shipping, time

    def _quoted(self, said: Said) -> _Sentence:
        if (
            self._unsure(self.ears.without("roughly", said.rest_low))
            or self.ears.at("later", said.rest_low.lstrip()) >= 0
        ):
            return _UNCLEAR
        clear = said.capitals or _MARK.match(said.low, said.end) or arguments.priced(said.rest, self.desk.currency)
        if not clear and not arguments.numbered(said.rest):
            return self._other(said)
        forced, said = said.forced(self.ears)
        command = self._quote(said.rest, said.text)
        return _Sentence(msgspec.structs.replace(command, force=forced))

    def _quote(self, rest: str, whole: str) -> Command:
        return arguments.quoted(rest, whole, self.ears, self.desk, self.known, self.point)

    def _shipped(self, said: Said) -> _Sentence:
        forced, said = said.forced(self.ears)
        bare = self.ears.without("innocent", said.rest_low)
        start = _skip(bare, 0)
        if any(self.ears.has(kind, bare) for kind in ("later",)) or self.ears.at("conditions", bare, start) >= 0:
            return _UNCLEAR
        parcel, named, left = arguments.sent(said, self.ears, self.desk, self.known)
        if named and self.ears.has("denied", left):
            return _UNCLEAR
        plain_ = _MARK.match(said.low, said.end) or said.capitals or not self._left(said.rest_low)
        if not parcel.tracking and not parcel.carrier and not plain_:
            return self._other(said)
        return _Sentence(
            Command(
                "shipped",
                said.text,
                serials=tuple(place.text for place in named),
                parcel=parcel,
                force=forced,
                flaw="" if parcel.carrier or parcel.tracking or forced else "carrier",
            )
        )

    def _ship_to(self, said: Said, one: Saying) -> _Sentence:
        first = said.rest.strip(" :.-*")
        marked = said.capitals or bool(re.match(r"\s*(?::|$)", said.rest))
        if not marked and not re.search(r"\d", " ".join((first, *one.lines))):
            return _NOTHING
        if _QUESTION.search(said.low):
            return _UNCLEAR
        lines = [line for line in (first, *one.lines) if line]
        real = sum(len(line.split()) for line in lines) > 1
        return _Sentence(
            Command("ship_to", one.text, text="\n".join(lines) if real else "", flaw="" if real else "address")
        )

    def _extend(self, said: Said) -> _Sentence:
        bare = self.ears.without("innocent", said.rest_low)
        if self._unsure(bare) or self.ears.at("later", bare, _skip(bare, 0)) >= 0:
            return self._other(said)
        named = said.serials(self.desk, self.known, self.ears.lexicons)
        forced, said = said.forced(self.ears)
        days = arguments.days(said.without(named).hidden(self.desk).rest_low, self.ears)
        if days is None:
            clear = said.capitals or _MARK.match(said.low, said.end)
            if not clear and not arguments.numbered(said.rest):
                return self._other(said)
        return _Sentence(
            Command(
                "extend",
                said.text,
                serials=tuple(place.text for place in named),
                days=days or 0,
                force=forced,
                flaw="" if days else "days",
            )
        )

    def _plain(self, said: Said, name: str) -> _Sentence:
        """RECEIVED, REPAIRED, NOT REPAIRABLE, HOLD, CLOSE, CONFIRM: hardly any arguments, perhaps a remark."""
        forced, said = said.forced(self.ears)
        named = said.serials(self.desk, self.known, self.ears.lexicons)
        bare = said.without(named).hidden(self.desk)
        count = arguments.counted(bare.rest_low, self.ears) if name == "received" else None
        if count:
            bare = bare.blank(count[1])
        low = self.ears.without("innocent", bare.rest_low)
        start = _skip(low, 0)
        waits = ("later",) if name == "hold" else ("later", "conditions")
        first = _CLAUSES.split(low[start:], maxsplit=1)[0]
        if self.ears.has("later", first) or any(self.ears.at(kind, low, start) >= 0 for kind in waits):
            return _UNCLEAR if name != "hold" else self._other(said)
        remark = (
            said.capitals
            or _MARK.match(bare.low, bare.end) is not None
            or name == "hold"
            and self.ears.at("conditions", low, start) >= 0
        )
        if named or count:
            remark = True
        if self._left(first) and (not remark or name == "confirm"):
            return self._other(said)
        if name == "received" and not count and re.search(r"\d", first) and not self.ears.has("all", first):
            return _UNCLEAR
        partly = name in {"received", "repaired", "not_repairable"} and self.ears.has("denied", low)
        if partly and not count and (named or name == "received") and not arguments.found(low, (), self.ears.lexicons):
            return _UNCLEAR
        text = bare.reason(self.ears) if self._left(low) else ""
        return _Sentence(
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

    # -------------------------------------------------------------- all together

    def _agreed(self) -> Heard:
        """Without what contradicts itself: approved and rejected, repaired and not repairable."""
        out: set[int] = set()
        for left, right in (("approve", "reject"), ("repaired", "not_repairable"), ("approve", "hold")):
            for at, one in enumerate(self.commands):
                for to, other in enumerate(self.commands):
                    if (one.name, other.name) == (left, right) and _overlap(one, other):
                        out |= {at, to}
        if self.against:
            out |= {at for at, one in enumerate(self.commands) if one.name in {"approve", "reject"}}
        unclear = (*(one.said for at, one in enumerate(self.commands) if at in out), *self.unclear)
        kept = tuple(one for at, one in enumerate(self.commands) if at not in out)
        return Heard(kept, tuple(dict.fromkeys(unclear)))


def _skip(low: str, start: int) -> int:
    found = _FRAME.match(low, start)
    return found.end() if found else start


def _overlap(one: Command, other: Command) -> bool:
    """Whether two commands concern a unit both."""
    mine, theirs = ({fold(serial) for serial in command.serials} for command in (one, other))
    return not mine or not theirs or bool(mine & theirs)
