"""The sentences of a message with their origin, in the form in which they are classified."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailbot.intake.entities.serials import candidate_spans, has_digit, has_serial_form, is_model, mask_non_serials
from mailbot.intake.statements import exclusions
from mailbot.intake.statements.phrases import WIDE
from mailbot.intake.statements.settled import open_part
from mailbot.intake.text import email_parts
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import sentences
from mailbot.model.statement import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.intake.desk import Desk
    from mailbot.intake.message_text import MessageText

MAX_CLASSIFIED = 120
"""The maximum number of sentences of a message that are classified."""


class MessageSentence(NamedTuple):
    """A sentence as the sender wrote it, where it is from, and ``masked``: with the types of its numbers for the numbers.

    ``open``: the part of it that phrases leave open, masked; empty if they settle it.
    """

    text: str
    masked: str
    origin: Origin
    open: str


def message_sentences(content: MessageText) -> tuple[MessageSentence, ...]:
    """Return the sentences of a message that can decide something, each once. Quoted text and signatures are not among them."""
    known = frozenset(content.known)
    found: dict[str, MessageSentence] = {}
    subject = f"{normalize(content.message.subject)} {normalize(content.case.subject if content.case else '')}"
    for text, origin in _texts(content):
        if origin == "own" and content.is_reply and _repeats(text, subject):
            continue
        masked_text = masked(text, content.desk, known)
        if re.search(r"[^\W\d_]", re.sub("<[A-Z]+>", "", masked_text)):
            found.setdefault(masked_text, MessageSentence(text, masked_text, origin, open_part(masked_text, content.lexicons)))
    return tuple(found.values())[:MAX_CLASSIFIED]


_TAG = re.compile(r"\[[^\]]{1,40}\]")
_MIN_PROSE, _MIN_WIDE = 5, 10


def _is_prose(text: str) -> bool:
    """Return whether a text below the signature is a whole sentence: an afterthought, or a disclaimer."""
    if not re.search(r"[.!?。！？]\W*$", text):  # noqa: RUF001
        return False
    return len(text.split()) >= _MIN_PROSE or sum(char >= WIDE for char in text) >= _MIN_WIDE


_MIN_WORDS = 2
"""The minimum number of words of a line that repeats the subject, such as "Subject: board dead"."""


def _repeats(text: str, subject: str) -> bool:
    normalized = normalize(_TAG.sub("", text.partition(":")[2] or text))
    return len(normalized.split()) >= _MIN_WORDS and normalized in subject


def _texts(content: MessageText) -> Iterator[tuple[str, Origin]]:
    if content.own_subject:
        yield content.own_subject, "subject"
    own = content.own_sentences
    for text in (*own[: content.closing_index], *email_parts.postscript(own[content.closing_index :])):
        yield email_parts.without_greeting(text, content.lexicons), "own"
    yield from ((text, "own") for text in own[content.closing_index :] if _is_prose(text))
    for answer in content.inline_answers:
        yield from ((text, "own") for text in sentences(answer.text))
    tables = (*content.message.tables, *content.typed_tables)
    yield from ((" ".join(cell.split()), "row") for table in tables for row in table.rows for cell in row)
    if content.is_forward:
        yield from ((text, "passed_on") for text in sentences(email_parts.without_headers(content.message.quoted)))
    for document in content.message.documents:
        yield from ((text, "attachment") for text in sentences(document.text))
        yield from ((" ".join(cell.split()), "row") for table in document.tables for row in table.rows for cell in row)


_NOISE = ("courtesy", "machine")
_MIN_NOISE = 12
"""The minimum number of characters of noise: a shorter text may answer a question."""

_ABOUT_UNIT = ("failure", "damage", "again", "doa", "fine", "stop", "tried", "thirdparty")
_SURELY_NOISE, _CERTAINLY_NOISE, _HARDLY = 0.9, 0.7, 0.15
"""A sentence is noise from the second probability on, or if noise is most likely and it is hardly about a unit.

One with a phrase about damage is noise from the first on: a disclaimer, for example.
"""


def is_noise(sentence: MessageSentence, content: MessageText) -> bool:
    """Return whether the classifier says that a sentence without numbers says nothing about the request."""
    guesses = content.classes.get(sentence.masked, ())
    if not guesses or has_digit(sentence.text) or len(sentence.text) < _MIN_NOISE or _tells_units_apart(sentence.text, content):
        return False
    failure = sum(guess.probability for guess in guesses if guess.label in _ABOUT_UNIT)
    noise = sum(guess.probability for guess in guesses if guess.label in _NOISE)
    if exclusions.stated_exclusions(sentence.text, "", content.lexicons):
        return noise >= _SURELY_NOISE
    return noise >= _CERTAINLY_NOISE or (guesses[0].label in _NOISE and failure < _HARDLY)


def _tells_units_apart(text: str, content: MessageText) -> bool:
    """Return whether a sentence says of some of the units that they work, or which ones it is about."""
    normalized = normalize(text)
    return any(
        phrases.search(normalized)
        for one in content.lexicons
        for phrases in (one.serials.fine, one.serials.good, one.serials.only, one.serials.middle, one.sheets.rest)
    )


_WORD = re.compile(r"(?<![\w#/.-])[\w#/.-]{1,60}")
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
    return _WORD.sub(lambda match: _type(match[0], desk) if has_digit(match[0]) else match[0], text)


def _type(word: str, desk: Desk) -> str:
    word, end = word.rstrip("#/.-"), word[len(word.rstrip("#/.-")) :]
    return f"{_type_of(word, desk)}{end}"


def _type_of(word: str, desk: Desk) -> str:
    if is_model(word, desk):
        return "<MODEL>"
    digits = sum(char.isdigit() for char in word)
    letters = sum(char.isalpha() for char in word)
    if digits >= _MIN_DIGITS or (letters and digits > 1 and digits + letters >= _MIN_MIXED + 1 and mask_non_serials(word).strip()):
        return "<NUMBER>"
    return word
