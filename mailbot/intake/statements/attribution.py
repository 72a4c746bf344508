"""Why a mail asks: the reason of the whole, and of each unit, from wherever it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.entities.serial_reader import label
from mailbot.intake.statements import exclusions, reasons
from mailbot.intake.statements.reasons import Reason
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.message_content import MessageContent, NamedUnit
    from mailbot.model import Intent


def reason(mail: MessageContent, wanted: Intent) -> Reason:
    """The mail's reason: from its text, its subject, its tables; in a thread from what was written earlier."""
    rows = tuple(dict.fromkeys(unit.listed for unit in mail.units if unit.listed))
    if wanted in {"credit", "exchange", "rework"}:
        return _motive(mail)
    others = {reply.text for reply in mail.replies}
    said = [text for text in mail.told if text not in others or reasons.weight(text, mail.lexicons) >= reasons.CONCRETE]
    body = answer(mail) or reasons.reason(said, mail.lexicons)
    title = reasons.reason((mail.title,), mail.lexicons)
    if rows and body.weight < reasons.NAMED:
        heavy = max(reasons.weight(row, mail.lexicons) for row in rows)
        if heavy > reasons.NOTHING or body.weight < reasons.CONCRETE:
            text = reasons.join((*rows, body.text) if body.weight >= reasons.CONCRETE else rows)
            body = Reason(text, heavy if heavy == reasons.VAGUE else max(body.weight, reasons.CONCRETE))
    if title.weight > body.weight:
        return Reason(reasons.join((title.text, body.text)) if body.text else title.text, title.weight)
    if body.text:
        return body
    return _between_the_lines(mail)


def _motive(mail: MessageContent) -> Reason:
    moved = reasons.motive((*mail.told, mail.title), mail.lexicons)
    if moved.text:
        return moved
    text = leftover(mail, most=3)
    return Reason(text, reasons.CONCRETE) if text else reasons.reason(mail.told, mail.lexicons)


def _between_the_lines(mail: MessageContent) -> Reason:
    """The reason of a mail in which no word list hears one: plainly told, told earlier, admitted, or what is left over."""
    earlier = reasons.reason(_quoted(mail), mail.lexicons)
    if earlier.weight >= reasons.NEGATED:
        return earlier
    if plainly := _plainly(mail, (*mail.told, mail.title)):
        return reasons.plainly(plainly, mail.lexicons)
    if not mail.asked("reason") and (plainly := _plainly(mail, _quoted(mail))):
        return reasons.plainly(plainly, mail.lexicons)
    admitted = [text for text in mail.told if text and exclusions.stated(text, "", mail.lexicons)]
    if admitted:
        return Reason(reasons.join(admitted), reasons.CONCRETE)
    if mail.asked("reason") and (text := leftover(mail)):
        return Reason(text, reasons.CONCRETE)
    return earlier


def answer(mail: MessageContent) -> Reason | None:
    """The reason as the answer to our question for it, or to our own words for it: "You wrote: no boot" "yes"."""
    told = [reply.text for reply in mail.replies if label(reply.question, mail.lexicons, loose=True) == "reason"]
    told = told or [
        said[1]
        for reply in mail.replies
        if (said := re.search(r"[\"“„«「](.{4,200})[\"”“»」]", reply.question))
        and any(span[0] == 0 for one in mail.lexicons for span in one.exclusions.yes.spans(plain(reply.text)))
    ]
    heavy = max((reasons.weight(text, mail.lexicons) for text in told), default=reasons.NOTHING)
    text = reasons.join([text for text in told if not reasons.silent(text, mail.lexicons)] or told)
    return Reason(text, reasons.VAGUE if heavy == reasons.VAGUE else reasons.CONCRETE) if text else None


def _plainly(mail: MessageContent, texts: Sequence[str]) -> list[str]:
    """The sentences that say of a unit what is neither a wish nor where it is (see ``reasons.tells``)."""
    said = []
    others = {reply.text for reply in mail.replies}
    for text in texts[:60]:
        if not text or text in others:
            continue
        named = next((unit for unit in mail.units if plain(unit.serial) in plain(text)), None)
        if _tells(mail, text, named):
            said.append(text)
    return said


def _tells(mail: MessageContent, text: str, unit: NamedUnit | None) -> bool:
    return reasons.tells(text, unit.serial if unit else "", mail.lexicons, mail.desk.words.everything)


def _quoted(mail: MessageContent) -> tuple[str, ...]:
    """What the customer wrote earlier, below our own quoted mail (only where no case is known)."""
    return () if mail.case is not None or not mail.answers else sentences("\n".join(mail.theirs))


def leftover(mail: MessageContent, most: int = 2) -> str:
    """Sentences of the new text that are neither courtesy nor a serial."""
    left = []
    others = {reply.text for reply in mail.replies}
    for text in mail.told:
        if text in others:
            continue
        words = [lexicon.reasons for lexicon in mail.lexicons]
        said = plain(text)
        if any(one.asking.search(said) or one.telling.search(said) for one in words):
            continue
        spare = said
        for lexicon in mail.lexicons:
            spare = lexicon.labels.between.without(lexicon.labels.serial.without(lexicon.labels.device.without(spare)))
        for unit in mail.units:
            spare = spare.replace(plain(unit.serial), " ")
        named = any(one.parts.search(said) for one in words)
        if named or len(spare.split()) > 1 or any(char >= "⺀" for char in spare):
            left.append(text)
    return reasons.join(left[:most])


def shared(mail: MessageContent, told: Reason, wanted: Intent) -> Reason:
    """The reason that holds for units of which nothing is told: not what was told of another one of them."""
    if wanted in {"credit", "exchange", "rework"} or not mail.units:
        return told
    each = [frozenset(unit.told) for unit in mail.units]
    claimed = frozenset().union(*each) - frozenset.intersection(*each)
    free = [
        text
        for text in (*mail.told, mail.title)
        if (text not in claimed and not within(text, claimed))
        or any(lexicon.serials.all.search(plain(text)) for lexicon in mail.lexicons)
    ]
    if not any(reasons.weight(text, mail.lexicons) for text in claimed):
        return told
    return reasons.reason(free, mail.lexicons)


def own(mail: MessageContent, unit: NamedUnit) -> Reason:
    """The reason that is told of this unit alone, in its row of a list or in the sentences about it."""
    if unit.listed:
        heavy = reasons.weight(unit.listed, mail.lexicons)
        return Reason(reasons.join((unit.listed,)), heavy if heavy == reasons.VAGUE else reasons.CONCRETE)
    told = reasons.reason(unit.told, mail.lexicons)
    if not told.text and (plainly := [text for text in unit.told if _tells(mail, text, unit)]):
        return reasons.plainly(plainly, mail.lexicons)
    return told


def within(text: str, pieces: Collection[str]) -> bool:
    """Whether a sentence was told of its units piece by piece."""
    return any(piece and piece in text for piece in pieces)
