"""The strings of a mail that look like a serial and were not taken for one, each with why not. For people: it decides nothing."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.worksheets import wanted
from mailbot.intake.message_content import MessageContent
from mailbot.intake.entities.references import from_file_names
from mailbot.intake.entities.serial_reader import Mention, label
from mailbot.intake.entities.serials import formed, is_model, places, serial_key, tokens
from mailbot.intake.entities.tables import title_kind
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import sentences, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Message, Request, Snapshot, Table

MOST = 100
"""Decoys of one mail that are told."""


class RejectedString(NamedTuple):
    """A string that looks like a serial, where it stands (empty: in the new text), and why it was not taken."""

    text: str
    where: str
    why: str


def rejected_strings(
    message: Message, request: Request, case: Case | None, snapshot: Snapshot, desk: Desk
) -> tuple[RejectedString, ...]:
    """Return what was not taken, each string once, in the order of text, subject, attachments, quoted text.

    Args:
        message: the mail, read.
        request: what was understood; its units are no decoys.
        case: the case it belongs to, as it was before.
        snapshot: the registry's rows for the mail's codes.
        desk: the company's desk.
    """
    search = _RejectionSearch(MessageContent(message, case, snapshot, desk), request)
    return tuple(islice(search.rejected_strings(), MOST))


_ADDRESS = re.compile(r"(?P<web>https?://\S{1,500}|www\.\S{1,300})|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_NETWORK_CARD = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_HOST = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)")
_DATE = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w.])\d{1,2}[./]\d{1,2}[./]\d{4}(?!\.?\w)")
_PHONE = re.compile(
    r"(?<![\w+-])(?:\+\d[\d ()./-]{6,20}\d|\(\d{2,5}\)[ -]?\d[\d -]{3,12}\d|0\d{1,4}[ /-]\d[\d -]{4,12}\d"
    r"|\d{3}-\d{4}|(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4})(?![\w-])"
)
_CARD = "a network card's address"
_SHAPES = (
    (_NETWORK_CARD, _CARD),
    (_HOST, "an IP address"),
    (_DATE, "a date"),
    (_PHONE, "a phone number"),
)
_CARD_BARE = re.compile(r"(?=.*[A-F])(?=.*\d)[0-9A-F]{12}")
_MONEY = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d{2}")

_CALLED = {
    "model": "a model",
    "order": "an order number",
    "purchase_order": "a purchase order number",
    "rma": "an RMA number",
    "support_case": "the number of a support case",
    "revision": "a revision",
}
_ORDERS = {"order", "purchase_order"}
_TAIL = 64
_BEHIND = re.compile(r"\s*\(([^()]{1,40})\)|\s+([^,;.()]{1,40})")
_JOINS = re.compile(r"[\s,;/&+]*")
_LETTERED, _DIGITS = 4, 6
"""Digits that make a string look like a serial: beside letters, and alone."""

_QUOTED = "stands in quoted text"
_TAKEN_BACK = "the writer takes it back, or gives it only as an example"
_SIGNED = "stands below the end of the letter"


class _RejectionSource(NamedTuple):
    """A text of the mail: its sentences, where they stand, and why nothing is taken from it at all, if so."""

    sentences: Sequence[str]
    where: str = ""
    why: str = ""


class _RejectionSearch:
    """Goes through a mail once more, with what was taken at hand."""

    def __init__(self, mail: MessageContent, request: Request) -> None:
        self.mail, self.desk, self.lexicons, self.known = mail, mail.desk, mail.lexicons, mail.known.units
        self.request = request
        self.taken = {serial_key(unit.serial) for unit in (*request.units, *request.foreign) if unit.serial}

    def rejected_strings(self) -> Iterator[RejectedString]:
        """Yield each decoy once."""
        seen: set[str] = set()
        for decoy in self._all():
            if (key := serial_key(decoy.text)) not in seen:
                seen.add(key)
                yield decoy

    def _all(self) -> Iterator[RejectedString]:
        mail, message = self.mail, self.mail.message
        end = mail.end
        yield from self._in(_RejectionSource(mail.own[:end]))
        yield from self._in(_RejectionSource((mail.subject.text,), "the subject"))
        for table in (*message.tables, *mail.typed):
            yield from self._in_table(table, "")
        for document in message.documents:
            yield from self._in(_RejectionSource(sentences(document.text), document.name))
            used = tuple(wanted((document,), mail.own, self.lexicons))
            for table in document.tables:
                yield from self._in_table(table, document.name, "" if table in used else "that sheet is set aside")
        yield from self._in(
            _RejectionSource(from_file_names([each.name for each in message.attachments]), "a file's name")
        )
        yield from self._in(_RejectionSource(mail.own[end:], why=_SIGNED))
        quoted = sentences(re.sub(r"(?m)^[> ]{1,40}", "", message.quoted))
        yield from self._in(
            _RejectionSource(quoted, "the mail passed on") if mail.passes_on else _RejectionSource(quoted, why=_QUOTED)
        )

    # ------------------------------------------------------------------ one text

    def _in(self, source: _RejectionSource) -> Iterator[RejectedString]:
        mentions = self.mail.reader.mentions(source.sentences)
        for index, sentence in enumerate(source.sentences):
            here = [mention for mention in mentions if mention.sentence == index]
            for text, why in self._of(sentence, here, source.why):
                yield RejectedString(text, source.where, why)

    def _of(self, sentence: str, mentions: Sequence[Mention], rule: str, called: str = "") -> Iterator[tuple[str, str]]:
        """The decoys of a sentence in which these serials are named.

        ``rule`` says why none of it counts, ``called`` what a heading says that it holds.
        """
        last = 0
        for start, end, shape in self._candidates(sentence):
            text = sentence[start:end]
            named = next((mention for mention in mentions if mention.start < end and start < mention.end), None)
            if serial_key(text) in self.taken or (named and named.key in self.taken):
                last, called = end, ""
                continue
            joined = called if _JOINS.fullmatch(sentence[last:start]) else ""
            called = self._called(text, sentence[:start], sentence[end:]) or joined
            last = end
            if (rule == _QUOTED or self._silent) and not self._serial(text) and not named:
                continue
            if why := self._why(text, called, shape, rule) or self._unwanted(text, sentence[:start], named):
                yield text, why

    def _candidates(self, sentence: str) -> list[tuple[int, int, str]]:
        """What looks like a serial in a sentence, with what it is where its shape alone tells that."""
        found: list[tuple[int, int, str]] = []
        for match in _ADDRESS.finditer(sentence):
            shape = "part of a web address" if match["web"] else "part of a mail address"
            inner = [(match.start() + one.start(), match.start() + one.end()) for one in tokens(match[0])]
            found += [(start, end, shape) for start, end in inner if self._serial(sentence[start:end])]
            sentence = _blank(sentence, *match.span())
        for pattern, shape in _SHAPES:
            for match in pattern.finditer(sentence):
                if serial_key(match[0]) not in self.known:
                    found.append((*match.span(), shape))
                    sentence = _blank(sentence, *match.span())
        found += [(place.start, place.end, "") for place in places(sentence, self.desk, self.known)]
        return sorted(found)

    def _called(self, text: str, before: str, after: str) -> str:
        """What a label says that a string is; empty where none does, or where it says serial."""
        behind = _BEHIND.match(after)
        kinds = [label(before, self.lexicons)]
        if before.rstrip().endswith(":"):  # "Last year's order, paid long ago: …"
            loose = label(before, self.lexicons, loose=True)
            kinds.append(loose if loose in _ORDERS else "")
        if behind and (behind[1] or self._links(behind[2])):
            kinds.append(label(behind[1] or behind[2], self.lexicons))
        kind = next(filter(None, kinds), "")
        if kind == "other":
            return f'the mail calls it "{self._word(before) or (behind and plain(behind[0]).strip("( )")) or "something else"}"'
        plainly = self._serial(text) and not serial_key(text).isdigit()
        return "" if plainly and kind not in _ORDERS else _CALLED.get(kind, "")

    def _links(self, text: str) -> bool:
        """Whether a text behind a string goes on about it: "… is our order number"."""
        found = [lexicon.labels.between.search(plain(text)) for lexicon in self.lexicons]
        return any(match and match.start() == 0 for match in found)

    def _word(self, before: str) -> str:
        """The label itself, as the mail says it."""
        tail = plain(before[-_TAIL:])
        spans = [span for lexicon in self.lexicons for span in lexicon.labels.other.spans(tail)]
        return tail[slice(*max(spans, key=lambda span: (span[1], span[1] - span[0])))] if spans else ""

    # ------------------------------------------------------------------ why not

    @property
    def _silent(self) -> bool:
        return self.request.kind in {"bounce", "auto", "list", "spam"}

    def _serial(self, text: str) -> bool:
        return formed(text, self.desk) or serial_key(text) in self.known

    def _why(self, text: str, called: str, shape: str, rule: str) -> str:
        """What a string is by its form or its label; else the rule that nothing of its text counts, if there is one."""
        if re.fullmatch(self.desk.number_form, text, re.IGNORECASE):
            return _CALLED["rma"]
        if is_model(text, self.desk):
            return _CALLED["model"]
        if _CARD_BARE.fullmatch(serial_key(text)):
            return _CARD
        if shape and called not in _CALLED.values():
            return shape
        return called or (rule if self._looks(text) else "")

    def _looks(self, text: str) -> bool:
        """Whether somebody might take a string for a serial."""
        key = serial_key(text)
        digits = sum(map(str.isdigit, key))
        enough = digits >= (_DIGITS if key.isdigit() else _LETTERED) and not _MONEY.fullmatch(text)
        return enough or self._serial(text)

    def _unwanted(self, text: str, before: str, named: Mention | None) -> str:
        """Why a string that nothing else is called is not the request's; empty where nobody would take it for a serial."""
        if named is None and not self._looks(text):
            return ""
        if self._silent:
            return f"nothing is asked in mail of the kind {self.request.kind}"
        if named is None and not self._serial(text):
            return "nothing says that it is a serial: no label, no form of one, no unit in the registry"
        if named is None:
            digits = serial_key(text).isdigit() and not self._denied(before)
            return "digits alone, and nothing says that they are a serial" if digits else _TAKEN_BACK
        if named.aside:
            return "the writer sets it aside: that unit is fine, or not to be repaired"
        if named.handled:
            return "that unit has its RMA number already"
        return "the mail asks for nothing to be done with that unit"

    def _denied(self, before: str) -> bool:
        """Whether a text ends with a word that takes the next one back: "…, not"."""
        tail = plain(before[-_TAIL:])
        ends = (end for lexicon in self.lexicons for _, end in lexicon.serials.not_this.spans(tail))
        return any(not re.search(r"\w", tail[end:]) for end in ends)

    # ------------------------------------------------------------------ tables

    def _in_table(self, table: Table, where: str, rule: str = "") -> Iterator[RejectedString]:
        """The decoys of a table: a heading says what its column holds."""
        kinds: list[str] = []
        titles: Sequence[str] = ()
        for row in table.rows:
            here = [title_kind(cell, self.lexicons) for cell in row] if "serial" not in kinds else []
            if "serial" in here:
                kinds, titles = here, row
                continue
            for column, cell in enumerate(map(tidy, row)):
                kind, title = (kinds[column], titles[column]) if column < len(kinds) else ("", "")
                called = _CALLED.get(kind) or (f'stands under "{title}"' if title and kind != "serial" else "")
                for text, why in self._of(cell, self.mail.reader.mentions((cell,)), rule, called):
                    yield RejectedString(text, where, rule or why)


def _blank(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"
