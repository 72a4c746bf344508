"""What customers write in a running case: a parcel on its way, one more unit, a corrected serial, a number to renew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.commands.parsing import parse_commands
from mailbot.intake.entities.serials import formed, places, serial_key
from mailbot.intake.entities.shipments import shipment
from mailbot.intake.entities.shipped_units import news
from mailbot.intake.text.normalize import plain
from mailbot.model import ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.statements.phrases import Phrases
    from mailbot.intake.statements.word_lists import LanguageWords

_QUESTION = re.compile(r"[?\uff1f]")
_SENTENCES = 200
_BEFORE = 30
"""Characters before a serial in which a "not" takes it back."""


def parcel(mail: MessageContent) -> ShipmentNotice | None:
    """The shipment to us that the mail tells of; one that is only planned, asked about or another's is none.

    Its units are those that the same sentences name; where they name none and others are to follow, the rest of the case.
    """

    def ours(code: str) -> bool:
        key = serial_key(code)
        return (
            key in mail.known.units
            or key in _held(mail)
            or bool(re.fullmatch(mail.desk.number_form, code, re.IGNORECASE))
        )

    known = {*mail.known.units, *_held(mail)}
    carrier = tracking = ""
    sent = False
    aboard: dict[str, str] = {}
    follow: set[str] = set()
    for text in _said(mail):
        low = plain(text)
        if _QUESTION.search(text) or _any(mail, "parcels", "theirs", low):
            continue
        named = [place for place in places(text, mail.desk, known) if place.key in known]
        told_of = news(text, named, mail.lexicons)
        follow |= {unit.key for unit in told_of.later}
        if _any(mail, "parcels", "future", low) and not told_of.sent:
            continue
        found = shipment(text, mail.lexicons, ours=ours)
        told = _any(mail, "parcels", "sent", low) and not any(
            one.reasons.negations.search(low) for one in mail.lexicons
        )
        if told or told_of.sent or found.parcel.tracking or (sent and (found.labelled or found.parcel.carrier)):
            sent = True
            carrier, tracking = carrier or found.parcel.carrier, tracking or found.parcel.tracking
            aboard |= {unit.key: unit.text for unit in (told_of.sent if told_of.mixed else named)}
    if sent and follow and not aboard:
        aboard = {key: key for key in _held(mail) - follow}
        sent = bool(aboard)
    return ShipmentNotice(carrier, tracking, tuple(aboard.values())) if sent else None


def adds(mail: MessageContent) -> bool:
    """Whether the units are to go with those of the case."""
    return bool(mail.units) and any(_any(mail, "later", "adds", plain(text)) for text in _said(mail))


def agrees(mail: MessageContent) -> bool:
    """Whether the whole of a mail is a yes, in words that colleagues would use to approve."""
    heard = parse_commands(mail.message.visible, mail.desk.words.everything, desk=mail.desk, known=mail.known.units)
    return bool(heard.commands) and all(command.name in ("approve", "confirm") for command in heard.commands)


def renews(mail: MessageContent) -> bool:
    """Whether an expired number is to be given again."""
    return any(_any(mail, "later", "renews", plain(text)) for text in _said(mail))


def corrects(mail: MessageContent) -> bool:
    """Whether a serial is corrected that was written wrongly before."""
    said = any(_any(mail, "later", "corrects", plain(text)) for text in _said(mail))
    return bool(mail.units) and (said or bool(_taken_back(mail)))


def instead(mail: MessageContent) -> str:
    """The serial that a correction takes back, as written; empty where it is not named."""
    held = _held(mail)
    found = _taken_back(mail) or _others(mail)
    if not found and len(mail.units) > 1:
        found = tuple(unit.serial for unit in mail.units if unit.key in held)
    return next(iter(sorted(found, key=lambda serial: serial_key(serial) not in held)), "")


def _taken_back(mail: MessageContent) -> tuple[str, ...]:
    """The serials behind a "not", in a sentence that names another: "it is X, not Y"."""
    found = []
    meant = {unit.key for unit in mail.units}
    for text in _said(mail):
        named = list(places(text, mail.desk, {*mail.known.units, *_held(mail)}))
        if not any(place.key in meant for place in named):
            continue
        for place in named:
            before = plain(text[max(0, place.start - _BEFORE) : place.start])
            denied = any(
                end >= len(before) - 2 for one in mail.lexicons for _, end in one.serials.not_this.spans(before)
            )
            if place.key not in meant and denied:
                found.append(place.text)
    return tuple(found)


def _others(mail: MessageContent) -> tuple[str, ...]:
    """The serials that the mail names and is not about."""
    held = _held(mail)
    meant = {unit.key for unit in mail.units}
    named = (place for text in _said(mail) for place in places(text, mail.desk, {*mail.known.units, *held}))
    return tuple(
        place.text for place in named if place.key not in meant and (place.key in held or formed(place.text, mail.desk))
    )


def _held(mail: MessageContent) -> set[str]:
    """The keys of the units that the case holds."""
    return {serial_key(unit.serial) for unit in mail.case.units} if mail.case else set()


def _said(mail: MessageContent) -> Iterator[str]:
    """The writer's own sentences, and the subject where it is new."""
    return (text for text in (*mail.own[:_SENTENCES], mail.title) if text)


def _any(mail: MessageContent, section: str, name: str, low: str) -> bool:
    return any(_list(one, section, name).search(low) for one in mail.lexicons)


def _list(lexicon: LanguageWords, section: str, name: str) -> Phrases:
    phrases: Phrases = getattr(getattr(lexicon, section), name)
    return phrases
