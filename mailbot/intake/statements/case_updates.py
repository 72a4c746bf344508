"""What customers write in an open case: a shipment, additional units, a corrected serial number, a renewal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.intake.commands.parsing import parse_commands
from mailbot.intake.entities.serials import candidate_spans, has_serial_form, serial_key
from mailbot.intake.entities.shipments import find_shipment
from mailbot.intake.entities.shipped_units import shipment_status
from mailbot.intake.text.normalize import normalize
from mailbot.model import ShipmentNotice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.intake.message_content import MessageContent

_QUESTION = re.compile(r"[?\uff1f]")
_MAX_SENTENCES = 200
_MAX_BEFORE = 30
"""The number of characters before a serial number in which a "not" denies it."""


def parcel(content: MessageContent) -> ShipmentNotice | None:
    """Return the shipment to us that the message reports, or None.

    A shipment that is only planned, asked about, or not to us does not count. Its units are those in the same
    sentences; if they have none and others will follow, the other units of the case.
    """
    known = _known_keys(content)

    def ours(code: str) -> bool:
        return serial_key(code) in known or bool(re.fullmatch(content.desk.number_form, code, re.IGNORECASE))

    carrier = tracking = ""
    is_shipped = False
    shipped_units: dict[str, str] = {}
    later_keys: set[str] = set()
    for text in _statements(content):
        normalized = normalize(text)
        if _QUESTION.search(text) or any(one.parcels.theirs.search(normalized) for one in content.lexicons):
            continue
        named_spans = [span for span in candidate_spans(text, content.desk, known) if span.key in known]
        status = shipment_status(text, named_spans, content.lexicons)
        later_keys |= {unit.key for unit in status.later}
        if not status.sent and any(one.parcels.future.search(normalized) for one in content.lexicons):
            continue
        found = find_shipment(text, content.lexicons, ours=ours)
        states_shipment = any(one.parcels.sent.search(normalized) for one in content.lexicons) and not any(
            one.reasons.negations.search(normalized) for one in content.lexicons
        )
        if states_shipment or status.sent or found.parcel.tracking or (is_shipped and (found.has_label or found.parcel.carrier)):
            is_shipped = True
            carrier, tracking = carrier or found.parcel.carrier, tracking or found.parcel.tracking
            shipped_units |= {unit.key: unit.text for unit in (status.sent if status.mixed else named_spans)}
    if is_shipped and later_keys and not shipped_units:
        shipped_units = {key: key for key in _case_keys(content) - later_keys}
        is_shipped = bool(shipped_units)
    return ShipmentNotice(carrier, tracking, tuple(shipped_units.values())) if is_shipped else None


def adds(content: MessageContent) -> bool:
    """Return whether the units are to be added to those of the case."""
    return bool(content.units) and _states(content, "adds")


def agrees(content: MessageContent) -> bool:
    """Return whether the whole message is a yes, in words that staff would use to approve."""
    parsed = parse_commands(content.message.visible, content.desk.words.everything, desk=content.desk, known=content.known)
    return bool(parsed.commands) and all(command.name in ("approve", "confirm") for command in parsed.commands)


def renews(content: MessageContent) -> bool:
    """Return whether the customer asks to renew an expired RMA number."""
    return _states(content, "renews")


def corrects(content: MessageContent) -> bool:
    """Return whether the message corrects a serial number given earlier."""
    return bool(content.units) and (_states(content, "corrects") or bool(_denied_serials(content)))


def instead(content: MessageContent) -> str:
    """Return the serial number that a correction replaces, as written; empty if it is not named."""
    case_keys = _case_keys(content)
    found = _denied_serials(content) or _other_serials(content)
    if not found and len(content.units) > 1:
        found = tuple(unit.serial for unit in content.units if unit.key in case_keys)
    return next(iter(sorted(found, key=lambda serial: serial_key(serial) not in case_keys)), "")


def _denied_serials(content: MessageContent) -> tuple[str, ...]:
    """Return the serial numbers after a "not" in a sentence that names another: "it is X, not Y"."""
    found = []
    own_keys = {unit.key for unit in content.units}
    for text in _statements(content):
        named_spans = list(candidate_spans(text, content.desk, _known_keys(content)))
        if not any(span.key in own_keys for span in named_spans):
            continue
        for span in named_spans:
            before = normalize(text[max(0, span.start - _MAX_BEFORE) : span.start])
            is_denied = any(end >= len(before) - 2 for one in content.lexicons for _, end in one.serials.not_this.spans(before))
            if span.key not in own_keys and is_denied:
                found.append(span.text)
    return tuple(found)


def _other_serials(content: MessageContent) -> tuple[str, ...]:
    """Return the serial numbers in the message that it is not about."""
    case_keys = _case_keys(content)
    own_keys = {unit.key for unit in content.units}
    known = _known_keys(content)
    named_spans = (span for text in _statements(content) for span in candidate_spans(text, content.desk, known))
    return tuple(
        span.text
        for span in named_spans
        if span.key not in own_keys and (span.key in case_keys or has_serial_form(span.text, content.desk))
    )


def _case_keys(content: MessageContent) -> set[str]:
    """Return the keys of the units in the case."""
    return {serial_key(unit.serial) for unit in content.case.units} if content.case else set()


def _known_keys(content: MessageContent) -> set[str]:
    return {*content.known, *_case_keys(content)}


def _statements(content: MessageContent) -> Iterator[str]:
    """Yield the sender's own sentences, and the subject if it is new."""
    return (text for text in (*content.own_sentences[:_MAX_SENTENCES], content.own_subject) if text)


def _states(content: MessageContent, name: str) -> bool:
    """Return whether one of these sentences has a phrase of a list of ``CaseUpdateWords``."""
    return any(getattr(one.later, name).search(normalize(text)) for text in _statements(content) for one in content.lexicons)
