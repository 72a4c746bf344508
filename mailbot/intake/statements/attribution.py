"""The reason of a request, and of each of its units, from anywhere in the message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.entities.serial_reader import label_kind
from mailbot.intake.statements import exclusions, reasons
from mailbot.intake.statements.reasons import Reason
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.message_content import MessageContent, NamedUnit
    from mailbot.model import Intent


def reason(content: MessageContent, intent: Intent) -> Reason:
    """Return the reason of the message: from its text, subject, and tables, and in a thread from earlier messages."""
    rows = tuple(dict.fromkeys(unit.list_text for unit in content.units if unit.list_text))
    if intent in {"credit", "exchange", "rework"}:
        return _motive(content)
    inline_texts = {reply.text for reply in content.inline_answers}
    candidates = [
        text for text in content.sentences if text not in inline_texts or reasons.weight(text, content.lexicons) >= reasons.CONCRETE
    ]
    body = answered_reason(content) or reasons.reason(candidates, content.lexicons)
    subject_reason = reasons.reason((content.own_subject,), content.lexicons)
    if rows and body.weight < reasons.NAMED:
        weight = max(reasons.weight(row, content.lexicons) for row in rows)
        if weight > reasons.NOTHING or body.weight < reasons.CONCRETE:
            further = [row for row in rows if row.strip(" .").casefold() not in body.text.casefold()]
            text = reasons.join_sentences((*further, body.text) if body.weight >= reasons.CONCRETE else rows)
            body = Reason(text, weight if weight == reasons.VAGUE else max(body.weight, reasons.CONCRETE))
    if subject_reason.weight > body.weight:
        return Reason(
            reasons.join_sentences((subject_reason.text, body.text)) if body.text else subject_reason.text, subject_reason.weight
        )
    if body.text:
        return body
    return _fallback_reason(content)


def _motive(content: MessageContent) -> Reason:
    motive = reasons.motive((*content.sentences, content.own_subject), content.lexicons)
    if motive.text:
        return motive
    text = remaining_text(content, most=3)
    return Reason(text, reasons.CONCRETE) if text else reasons.reason(content.sentences, content.lexicons)


def _fallback_reason(content: MessageContent) -> Reason:
    """Return the reason of a message in whose new text no word list finds one."""
    if content.told_failures:
        return Reason(reasons.join_sentences(content.told_failures), reasons.CONCRETE)
    earlier = reasons.reason(_earlier_sentences(content), content.lexicons)
    if earlier.weight >= reasons.NEGATED:
        return earlier
    if descriptions := _descriptions(content, (*content.sentences, content.own_subject)):
        return reasons.from_descriptions(descriptions, content.lexicons)
    if not content.asked_for("reason") and (descriptions := _descriptions(content, _earlier_sentences(content))):
        return reasons.from_descriptions(descriptions, content.lexicons)
    admitted = [text for text in content.sentences if text and exclusions.stated_exclusions(text, "", content.lexicons)]
    if admitted:
        return Reason(reasons.join_sentences(admitted), reasons.CONCRETE)
    if content.asked_for("reason") and (text := remaining_text(content)):
        return Reason(text, reasons.CONCRETE)
    return earlier


def answered_reason(content: MessageContent) -> Reason | None:
    """Return the reason given in reply to our question, or by confirming our words: "You wrote: no boot" "yes"."""
    texts = [reply.text for reply in content.inline_answers if label_kind(reply.question, content.lexicons, loose=True) == "reason"]
    texts = texts or [
        match[1]
        for reply in content.inline_answers
        if (match := re.search(r"[\"“„«「](.{4,200})[\"”“»」]", reply.question))
        and any(span[0] == 0 for one in content.lexicons for span in one.exclusions.yes.spans(normalize(reply.text)))
    ]
    weight = max((reasons.weight(text, content.lexicons) for text in texts), default=reasons.NOTHING)
    text = reasons.join_sentences([text for text in texts if not reasons.says_nothing(text, content.lexicons)] or texts)
    return Reason(text, reasons.VAGUE if weight == reasons.VAGUE else reasons.CONCRETE) if text else None


def _descriptions(content: MessageContent, texts: Sequence[str]) -> list[str]:
    """Return the sentences that describe the problem of a unit (see ``reasons.describes_problem``)."""
    inline_texts = {reply.text for reply in content.inline_answers}
    serials = [unit.serial for unit in content.units]
    return [
        text
        for text in texts[:60]
        if text
        and text not in inline_texts
        and _describes_problem(content, text, next((one for one in serials if normalize(one) in normalize(text)), ""))
    ]


def _describes_problem(content: MessageContent, text: str, serial: str) -> bool:
    return reasons.describes_problem(text, serial, content.lexicons, content.desk.words.everything)


def _earlier_sentences(content: MessageContent) -> tuple[str, ...]:
    """Return what the customer wrote earlier, below our quoted message, if no case is known."""
    return () if content.case is not None or not content.is_reply else sentences("\n".join(content.earlier_lines))


def remaining_text(content: MessageContent, most: int = 2) -> str:
    """Return at most ``most`` sentences of the text that are neither a courtesy nor a serial number."""
    remaining = []
    inline_texts = {reply.text for reply in content.inline_answers}
    for text in content.sentences:
        if text in inline_texts:
            continue
        words = [lexicon.reasons for lexicon in content.lexicons]
        normalized = normalize(text)
        if any(one.asking.search(normalized) or one.telling.search(normalized) for one in words):
            continue
        rest = normalized
        for lexicon in content.lexicons:
            rest = lexicon.labels.between.without(lexicon.labels.serial.without(lexicon.labels.device.without(rest)))
        for unit in content.units:
            rest = rest.replace(normalize(unit.serial), " ")
        names_part = any(one.parts.search(normalized) for one in words)
        if names_part or len(rest.split()) > 1 or any(char >= "⺀" for char in rest):
            remaining.append(text)
    return reasons.join_sentences(remaining[:most])


def shared_reason(content: MessageContent, message_reason: Reason, intent: Intent) -> Reason:
    """Return the reason for units without a statement of their own; reasons of other units are left out."""
    if intent in {"credit", "exchange", "rework"} or not content.units:
        return message_reason
    sentence_sets = [frozenset(unit.sentences) for unit in content.units]
    unit_sentences = frozenset().union(*sentence_sets) - frozenset.intersection(*sentence_sets)
    unclaimed = [
        text
        for text in (*content.sentences, content.own_subject)
        if (text not in unit_sentences and not is_part_of(text, unit_sentences))
        or any(lexicon.serials.all.search(normalize(text)) for lexicon in content.lexicons)
    ]
    if not any(reasons.weight(text, content.lexicons) for text in unit_sentences):
        return message_reason
    return reasons.reason(unclaimed, content.lexicons)


def unit_reason(content: MessageContent, unit: NamedUnit) -> Reason:
    """Return the reason of this unit alone, from its row of a list or from the sentences about it."""
    if unit.list_text:
        weight = reasons.weight(unit.list_text, content.lexicons)
        return Reason(reasons.join_sentences((unit.list_text,)), weight if weight == reasons.VAGUE else reasons.CONCRETE)
    stated_reason = reasons.reason(unit.sentences, content.lexicons)
    if not stated_reason.text and (
        descriptions := [text for text in unit.sentences if _describes_problem(content, text, unit.serial)]
    ):
        return reasons.from_descriptions(descriptions, content.lexicons)
    return stated_reason


def is_part_of_any(text: str, sentences: Collection[str]) -> bool:
    """Return whether a text is a part of one of these sentences."""
    return bool(text) and any(text in sentence for sentence in sentences)


def is_part_of(text: str, pieces: Collection[str]) -> bool:
    """Return whether one of these pieces is part of the sentence."""
    return any(piece and piece in text for piece in pieces)
