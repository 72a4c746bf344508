"""The strings of a message that look like a serial number and were not accepted as one, each with the reason.

This is an explanation for people: it decides nothing.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.attachments.worksheets import requested_tables
from mailbot.intake.entities.references import file_names_as_text
from mailbot.intake.entities.serial_reader import Mention, label_kind
from mailbot.intake.entities.serials import candidate_spans, has_serial_form, is_model, serial_key, tokens
from mailbot.intake.entities.tables import title_kind
from mailbot.intake.message_content import MessageContent
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import sentences, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Message, Request, Snapshot, Table

MAX_STRINGS = 100
"""The maximum number of rejected strings of one message that are returned."""


class RejectedString(NamedTuple):
    """A string that looks like a serial number, where it is (empty: in the new text), and why it was rejected."""

    text: str
    where: str
    why: str


def rejected_strings(
    message: Message, request: Request, case: Case | None, snapshot: Snapshot, desk: Desk
) -> tuple[RejectedString, ...]:
    """Return the rejected strings of a message as it was understood, given its case before the message.

    They have no duplicates. Their order is text, subject, attachments, quoted text.
    """
    search = _RejectionSearch(MessageContent(message, case, snapshot.units, desk), request)
    return tuple(islice(search.rejected_strings(), MAX_STRINGS))


_ADDRESS = re.compile(r"(?P<web>https?://\S{1,500}|www\.\S{1,300})|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_MAC_PATTERN = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_IP_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)")
_DATE = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w.])\d{1,2}[./]\d{1,2}[./]\d{4}(?!\.?\w)")
_PHONE = re.compile(
    r"(?<![\w+-])(?:\+\d[\d ()./-]{6,20}\d|\(\d{2,5}\)[ -]?\d[\d -]{3,12}\d|0\d{1,4}[ /-]\d[\d -]{4,12}\d"
    r"|\d{3}-\d{4}|(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4})(?![\w-])"
)
_MAC_ADDRESS = "a MAC address"
_FORMS = ((_MAC_PATTERN, _MAC_ADDRESS), (_IP_ADDRESS, "an IP address"), (_DATE, "a date"), (_PHONE, "a phone number"))
_BARE_MAC = re.compile(r"(?=.*[A-F])(?=.*\d)[0-9A-F]{12}")
_MONEY = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d{2}")

_DESCRIPTIONS = {
    "model": "a model",
    "order": "an order number",
    "purchase_order": "a purchase order number",
    "rma": "an RMA number",
    "support_case": "the number of a support case",
    "revision": "a revision",
}
_ORDER_KINDS = {"order", "purchase_order"}
_MAX_TAIL = 64
_TEXT_AFTER = re.compile(r"\s*\(([^()]{1,40})\)|\s+([^,;.()]{1,40})")
_JOINING = re.compile(r"[\s,;/&+]*")
_MIN_DIGITS_WITH_LETTERS, _MIN_DIGITS_ALONE = 4, 6
"""The minimum number of digits of a string that looks like a serial number: with letters, and without."""

_QUOTED = "in quoted text"
_TAKEN_BACK = "the writer retracts it, or gives it only as an example"
_SIGNED = "below the end of the message"


class _RejectionSearch:
    """Searches a message again, knowing what was accepted."""

    def __init__(self, content: MessageContent, request: Request) -> None:
        self.content, self.desk, self.lexicons, self.known = (content, content.desk, content.lexicons, content.known)
        self.request = request
        self.taken = {serial_key(unit.serial) for unit in (*request.units, *request.foreign) if unit.serial}

    def rejected_strings(self) -> Iterator[RejectedString]:
        """Yield each rejected string once."""
        seen: set[str] = set()
        for rejected in self._search():
            if (key := serial_key(rejected.text)) not in seen:
                seen.add(key)
                yield rejected

    def _search(self) -> Iterator[RejectedString]:
        content, message = self.content, self.content.message
        closing = content.closing_index
        yield from self._in_text(content.own_sentences[:closing])
        yield from self._in_text((content.subject.text,), "the subject")
        for table in (*message.tables, *content.typed_tables):
            yield from self._in_table(table, "")
        for document in message.documents:
            yield from self._in_text(sentences(document.text), document.name)
            used = tuple(requested_tables((document,), content.own_sentences, self.lexicons))
            for table in document.tables:
                yield from self._in_table(table, document.name, "" if table in used else "that sheet is excluded")
        yield from self._in_text(file_names_as_text([each.name for each in message.attachments]), "a file's name")
        yield from self._in_text(content.own_sentences[closing:], rule=_SIGNED)
        quoted = sentences(re.sub(r"(?m)^[> ]{1,40}", "", message.quoted))
        is_forward = content.is_forward
        yield from self._in_text(quoted, "the forwarded message" if is_forward else "", rule="" if is_forward else _QUOTED)

    def _in_text(self, texts: Sequence[str], where: str = "", rule: str = "") -> Iterator[RejectedString]:
        """Yield the rejected strings of these sentences; ``rule`` says why nothing in them counts, if so."""
        mentions = self.content.reader.mentions(texts)
        for index, sentence in enumerate(texts):
            here = [mention for mention in mentions if mention.sentence == index]
            for text, why in self._in_sentence(sentence, here, rule):
                yield RejectedString(text, where, why)

    def _in_sentence(
        self, sentence: str, mentions: Sequence[Mention], rule: str, description: str = ""
    ) -> Iterator[tuple[str, str]]:
        """Yield the rejected strings of a sentence with these mentions, and why.

        ``rule`` says why nothing in it counts, ``description`` what a heading says it holds.
        """
        last = 0
        for start, end, form in self._candidates(sentence):
            text = sentence[start:end]
            mention = next((mention for mention in mentions if mention.start < end and start < mention.end), None)
            if serial_key(text) in self.taken or (mention and mention.key in self.taken):
                last, description = end, ""
                continue
            joined = description if _JOINING.fullmatch(sentence[last:start]) else ""
            description = self._description(text, sentence[:start], sentence[end:]) or joined
            last = end
            if (rule == _QUOTED or self._is_ignored) and not self._is_serial(text) and not mention:
                continue
            if why := self._why(text, description, form, rule) or self._why_not_requested(text, sentence[:start], mention):
                yield text, why

    def _candidates(self, sentence: str) -> list[tuple[int, int, str]]:
        """Return strings that look like a serial number, with what they are if their form alone shows it."""
        found: list[tuple[int, int, str]] = []
        for match in _ADDRESS.finditer(sentence):
            form = "part of a web address" if match["web"] else "part of an email address"
            inner_spans = [(match.start() + token.start(), match.start() + token.end()) for token in tokens(match[0])]
            found += [(start, end, form) for start, end in inner_spans if self._is_serial(sentence[start:end])]
            sentence = _blanked(sentence, *match.span())
        for pattern, form in _FORMS:
            for match in pattern.finditer(sentence):
                if serial_key(match[0]) not in self.known:
                    found.append((*match.span(), form))
                    sentence = _blanked(sentence, *match.span())
        found += [(span.start, span.end, "") for span in candidate_spans(sentence, self.desk, self.known)]
        return sorted(found)

    def _description(self, text: str, before: str, after: str) -> str:
        """Return what a label says a string is; empty if there is no label, or if it says serial number."""
        after_match = _TEXT_AFTER.match(after)
        kinds = [label_kind(before, self.lexicons)]
        if before.rstrip().endswith(":"):  # "Last year's order, paid long ago: …"
            loose_kind = label_kind(before, self.lexicons, loose=True)
            kinds.append(loose_kind if loose_kind in _ORDER_KINDS else "")
        if after_match and (after_match[1] or self._refers_back(after_match[2])):
            kinds.append(label_kind(after_match[1] or after_match[2], self.lexicons))
        kind = next(filter(None, kinds), "")
        if kind == "other":
            name = self._label_text(before) or (after_match and normalize(after_match[0]).strip("( )"))
            return f'the message calls it "{name or "something else"}"'
        is_serial = self._is_serial(text) and not serial_key(text).isdigit()
        return "" if is_serial and kind not in _ORDER_KINDS else _DESCRIPTIONS.get(kind, "")

    def _refers_back(self, text: str) -> bool:
        """Return whether the text after a string is about it: "… is our order number"."""
        found = [lexicon.labels.between.search(normalize(text)) for lexicon in self.lexicons]
        return any(match and match.start() == 0 for match in found)

    def _label_text(self, before: str) -> str:
        """Return the label itself, as written in the message."""
        tail = normalize(before[-_MAX_TAIL:])
        spans = [span for lexicon in self.lexicons for span in lexicon.labels.other.spans(tail)]
        return tail[slice(*max(spans, key=lambda span: (span[1], span[1] - span[0])))] if spans else ""

    @property
    def _is_ignored(self) -> bool:
        return self.request.kind in {"bounce", "auto", "list", "spam"}

    def _is_serial(self, text: str) -> bool:
        return has_serial_form(text, self.desk) or serial_key(text) in self.known

    def _why(self, text: str, description: str, form: str, rule: str) -> str:
        """Return what a string is by its form or label; else the rule that nothing in its text counts, if any."""
        if re.fullmatch(self.desk.number_form, text, re.IGNORECASE):
            return _DESCRIPTIONS["rma"]
        if is_model(text, self.desk):
            return _DESCRIPTIONS["model"]
        if _BARE_MAC.fullmatch(serial_key(text)):
            return _MAC_ADDRESS
        if form and description not in _DESCRIPTIONS.values():
            return form
        return description or (rule if self._looks_like_serial(text) else "")

    def _looks_like_serial(self, text: str) -> bool:
        """Return whether someone might take a string for a serial number."""
        key = serial_key(text)
        digits = sum(map(str.isdigit, key))
        enough = digits >= (_MIN_DIGITS_ALONE if key.isdigit() else _MIN_DIGITS_WITH_LETTERS) and not _MONEY.fullmatch(text)
        return enough or self._is_serial(text)

    def _why_not_requested(self, text: str, before: str, mention: Mention | None) -> str:
        """Return why an unlabeled string is not part of the request; empty if no one would take it for a serial number."""
        if mention is None and not self._looks_like_serial(text):
            return ""
        if self._is_ignored:
            return f"nothing is requested in a message of the kind {self.request.kind}"
        if mention is None and not self._is_serial(text):
            return "nothing indicates that it is a serial number: no label, no matching form, no unit in the registry"
        if mention is None:
            digits = serial_key(text).isdigit() and not self._is_denied(before)
            return "only digits, and nothing indicates that they are a serial number" if digits else _TAKEN_BACK
        if mention.excluded:
            return "the writer excludes it: that unit is fine, or is not to be repaired"
        if mention.handled:
            return "that unit already has its RMA number"
        return "the message requests nothing for that unit"

    def _is_denied(self, before: str) -> bool:
        """Return whether a text ends with a word that denies the next one: "…, not"."""
        tail = normalize(before[-_MAX_TAIL:])
        ends = (end for lexicon in self.lexicons for _, end in lexicon.serials.not_this.spans(tail))
        return any(not re.search(r"\w", tail[end:]) for end in ends)

    def _in_table(self, table: Table, where: str, rule: str = "") -> Iterator[RejectedString]:
        """Yield the rejected strings of a table: a heading says what its column holds."""
        kinds: list[str] = []
        titles: Sequence[str] = ()
        for row in table.rows:
            here = [title_kind(cell, self.lexicons) for cell in row] if "serial" not in kinds else []
            if "serial" in here:
                kinds, titles = here, row
                continue
            for column, cell in enumerate(map(tidy, row)):
                kind, title = (kinds[column], titles[column]) if column < len(kinds) else ("", "")
                description = _DESCRIPTIONS.get(kind) or (f'under "{title}"' if title and kind != "serial" else "")
                for text, why in self._in_sentence(cell, self.content.reader.mentions((cell,)), rule, description):
                    yield RejectedString(text, where, rule or why)


def _blanked(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"
