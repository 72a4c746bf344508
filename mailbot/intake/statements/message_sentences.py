"""The sentences of a message with their origin, in the form in which they are classified."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.serials import candidate_spans, has_digit, has_serial_form, is_model, mask_non_serials
from mailbot.intake.text import email_parts
from mailbot.intake.text.sentences import sentences
from mailbot.model.statement import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.intake.desk import Desk
    from mailbot.intake.message_content import MessageContent

MAX_CLASSIFIED = 120
"""The maximum number of sentences of a message that are classified."""


class MessageSentence(NamedTuple):
    """A sentence as the sender wrote it, where it is from, and ``masked``: with the types of its numbers for the numbers."""

    text: str
    masked: str
    origin: Origin


def message_sentences(content: MessageContent) -> tuple[MessageSentence, ...]:
    """Return the sentences of a message that can decide something, each once. Quoted text and signatures are not among them."""
    known = frozenset(content.known)
    found: dict[str, MessageSentence] = {}
    for text, origin in _texts(content):
        masked_text = masked(text, content.desk, known)
        if re.search(r"[^\W\d_]", re.sub("<[A-Z]+>", "", masked_text)):
            found.setdefault(masked_text, MessageSentence(text, masked_text, origin))
    return tuple(found.values())[:MAX_CLASSIFIED]


def _texts(content: MessageContent) -> Iterator[tuple[str, Origin]]:
    if content.own_subject:
        yield content.own_subject, "subject"
    own = content.own_sentences
    for text in (*own[: content.closing_index], *email_parts.postscript(own[content.closing_index :])):
        yield email_parts.without_greeting(text, content.lexicons), "own"
    for answer in content.inline_answers:
        yield from ((text, "own") for text in sentences(answer.text))
    tables = (*content.message.tables, *content.typed_tables)
    yield from ((" ".join(cell.split()), "row") for table in tables for row in table.rows for cell in row)
    if content.is_forward:
        yield from ((text, "passed_on") for text in sentences(email_parts.without_headers(content.message.quoted)))
    for document in content.message.documents:
        yield from ((text, "attachment") for text in sentences(document.text))
        yield from ((" ".join(cell.split()), "row") for table in document.tables for row in table.rows for cell in row)


_WORD = re.compile(r"(?=[^\s<>]*\d)[\w#/.-]*\w")
_MIN_MIXED, _MIN_DIGITS = 5, 4
_ADDRESS = re.compile(r"https?://\S{1,500}|www\.\S{1,300}|[\w.+-]{1,64}@[\w.-]{1,253}")


def masked(text: str, desk: Desk, known: frozenset[str] = frozenset()) -> str:
    """Return a sentence with <SERIAL>, <MODEL> or <NUMBER> for what is one. Short numbers stay: "48 V at the 12 V input"."""
    text = " ".join(_ADDRESS.sub(" ", text).split())
    if not has_digit(text):
        return text
    for span in sorted(candidate_spans(text, desk, known), key=lambda one: -one.start):
        if span.key in known or has_serial_form(span.text, desk):
            text = f"{text[: span.start]}<SERIAL>{text[span.end :]}"
    return _WORD.sub(lambda match: _type(match[0], desk), text)


def _type(word: str, desk: Desk) -> str:
    if is_model(word, desk):
        return "<MODEL>"
    digits = sum(char.isdigit() for char in word)
    letters = sum(char.isalpha() for char in word)
    if digits >= _MIN_DIGITS or (letters and digits > 1 and digits + letters >= _MIN_MIXED + 1 and mask_non_serials(word).strip()):
        return "<NUMBER>"
    return word
