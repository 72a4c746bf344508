"""Message to Request: what a message asks for, in the vocabulary of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mailbot.intake import requested_units
from mailbot.intake.attachments.extraction import is_program
from mailbot.intake.commands.parsing import parse_commands
from mailbot.intake.desk import staff_member
from mailbot.intake.entities import purchase_orders, references
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.message_content import MessageContent, NamedUnit, weight
from mailbot.intake.statements import attribution, case_updates, conclusions, exclusions, intent, reasons, senders
from mailbot.intake.statements.special_requests import special_requests
from mailbot.intake.statements.working_units import says_unit_works
from mailbot.intake.text.normalize import normalize
from mailbot.model import Request, RequestedUnit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Intent, Kind, Message, Snapshot


def understand(
    message: Message, case: Case | None, snapshot: Snapshot, desk: Desk, owned: Collection[str] | None = None
) -> Request:
    """Understand a message.

    Args:
        message: the message (see ``intake.reading``).
        case: the case it belongs to, if known. Then the request has only what is new in the message, and ``missing`` is
            determined for case and message together.
        snapshot: the registry rows for the message's lookup keys.
        desk: the company's desk.
        owned: the keys of the units that are the sender's own (default: all). The others count as unknown, except in
            ``foreign`` (promise 7).
    """
    content = MessageContent(message, case, snapshot.units, desk, snapshot.classes)
    if owned is None or len(owned) == len(snapshot.units):
        return _request(content)
    request = _request(content.with_known({key: unit for key, unit in snapshot.units.items() if key in owned}))
    if request.kind in {"spam", "staff"} or message.classification.sender_class != "human":
        return request
    keyed = ((serial_key(unit.serial), unit) for unit in _customer_request(content).units)
    return msgspec.structs.replace(
        request, foreign=tuple(unit for key, unit in keyed if key in snapshot.units and key not in owned)
    )


def _request(content: MessageContent) -> Request:
    message, desk = content.message, content.desk
    if message.classification.sender_class != "human":
        return Request(kind=message.classification.sender_class, language=content.language)
    if staff_member(message, desk):
        return msgspec.structs.replace(_staff_request(content), notes=_notes(message))
    writer = senders.writer(content.statements)
    is_advertising = _is_spam(content) or (writer == "advertiser" and not content.known)
    if writer == "machine" or (is_advertising and content.case is None):
        kind: Kind = "auto" if writer == "machine" else "spam"
        return Request(kind=kind, language=content.language, statements=tuple(map(conclusions.unquestioned, content.statements)))
    request = _customer_request(content)
    return msgspec.structs.replace(
        request, notes=(*request.notes, *_notes(message)), may_be_machine=writer == "unclear" or is_advertising
    )


def _notes(message: Message) -> tuple[str, ...]:
    """Return what staff must know about the attachments: which were not read, and why."""
    return tuple(f"{one.name}: {one.note}" if one.name else one.note for one in message.documents if one.note)


# ------------------------------------------------------------------ senders


def _staff_request(content: MessageContent) -> Request:
    """Return the request in a message from staff.

    A note requests nothing. A forwarded request keeps its units and its intent, as does a decision on a credit.
    """
    parsed = parse_commands(
        content.message.visible,
        content.desk.words.everything,
        desk=content.desk,
        known={*content.known, *(serial_key(item.serial) for item in (content.case.units if content.case else ()))},
        is_reply=content.is_reply,
    )
    note = Request(
        kind="staff",
        language=content.language,
        claimed_numbers=_claimed_numbers(content),
        commands=parsed.commands,
        unclear=parsed.unclear,
    )
    is_decision = any(
        lexicon.staff.decided.search(normalize(text)) for text in content.own_sentences for lexicon in content.lexicons
    )
    is_forward = content.is_forward or any(
        lexicon.staff.passed_on.search(normalize(text)) for text in content.own_sentences for lexicon in content.lexicons
    )
    if content.is_reply and not content.is_forward:
        return note
    if is_decision and content.units:
        wants_exchange = intent.expresses("exchange", content.own_sentences, content.lexicons)
        intent_: Intent = "exchange" if wants_exchange else "credit"
        return msgspec.structs.replace(note, intent=intent_, units=tuple(RequestedUnit(unit.serial) for unit in content.units))
    if not is_forward:
        return note
    request = _customer_request(content)
    if request.intent not in {*intent.NEEDS_UNITS, "cancel"} or (request.intent != "cancel" and not request.units):
        return note
    # "Diagnosed remotely with Marguerite" explains why the request is forwarded; nothing has been received yet.
    commands = tuple(command for command in parsed.commands if command.name != "diagnosed")
    return msgspec.structs.replace(request, kind="staff", missing=(), commands=commands, unclear=parsed.unclear)


_SPAM_PHRASES, _SPAM_PHRASES_WITH_REPAIR = 2, 3
"""The number of different spam phrases that make a message spam, and the number if it mentions a repair.

A single one may occur in any message.
"""


def _is_spam(content: MessageContent) -> bool:
    """Return whether the content is unsolicited sales or fraud: never if it names one of our units."""
    if content.is_reply or content.known:
        return False
    text = normalize(" ".join((*content.masked_sentences[:200], content.own_subject)))
    phrase_count = len({text[start:end] for lexicon in content.lexicons for start, end in lexicon.spam.spans(text)})
    mentions_repair = intent.expresses("rma", (*content.masked_sentences, content.own_subject), content.lexicons)
    return phrase_count >= (_SPAM_PHRASES_WITH_REPAIR if mentions_repair else _SPAM_PHRASES)


# ------------------------------------------------------------------ customer requests


def _customer_request(content: MessageContent) -> Request:
    order_number = references.purchase_order(_order_texts(content), content.known, content.lexicons)
    if order_number is None and references.mentions_order((*content.sentences, content.subject.text), content.lexicons):
        order_number = references.order_number_from_file_name(_file_names(content), content.desk)
    units = content.units or content.earlier_units
    exclusions_by_unit = requested_units.stated_by_unit(content)
    reason_weight = max(weight(content), reasons.VAGUE if any(exclusions_by_unit.values()) else reasons.NOTHING)
    if content.told_failures and (not content.is_reply or content.asked_for("reason")):
        reason_weight = max(reason_weight, reasons.CONCRETE)
    if len(units) == 1 and any(says_unit_works(text, 1, content.lexicons) for text in content.masked_sentences if text):
        reason_weight = min(reason_weight, reasons.NEGATED)  # "the board itself works": then another request counts
    facts = intent.IntentFacts(
        is_reply=content.is_reply,
        reason_weight=reason_weight,
        has_units=bool(content.units),
        has_order=order_number is not None,
        has_rma=bool(_claimed_numbers(content)),
        wants_return=conclusions.wants_return(content.statements, content.desk.certainty),
    )
    intent_ = intent.intent(content.masked_sentences, content.own_subject, facts, content.lexicons)
    is_undecided = (
        reason_weight < reasons.CONCRETE and intent.withdraws("cancel", content.masked_sentences, content.lexicons) is False
    )
    if content.is_reply and intent_ in {"none", "question"} and not is_undecided and _has_requested_information(content):
        intent_ = "repair"
    if (
        content.case
        and content.case.state in ("asking", "held")
        and intent_ == "repair"
        and content.case.intent in intent.NEEDS_UNITS
    ):
        intent_ = content.case.intent
    is_quoted = content.case is not None and content.case.state in ("quoted", "parts_quoted")
    certain = conclusions.certain_labels(content.statements, content.desk.certainty)
    if is_quoted and "decline_quote" in certain and intent_ in {"none", "question", "repair"} and not content.units:
        intent_ = "cancel"
    if (
        is_quoted
        and intent_ in {"none", "repair"}
        and reason_weight == reasons.NOTHING
        and not content.units
        and case_updates.agrees(content)
    ):
        intent_ = "accept_quote"
    reason = attribution.reason(content, intent_)
    understood_units = requested_units.with_reasons(
        content, _relevant_units(content, units, intent_), reason, exclusions_by_unit, intent_
    )
    needs_units = intent_ in intent.NEEDS_UNITS
    all_exclusions = exclusions.ordered(frozenset().union(*exclusions_by_unit.values()))
    request = Request(
        kind=_kind(content, intent_),
        intent=intent_,
        units=understood_units,
        reason=reason.text if needs_units else "",
        exclusions=all_exclusions if needs_units else (),
        vague=needs_units and reason.is_vague and not all_exclusions,
        missing=requested_units.missing_information(content, understood_units, reason) if needs_units else (),
        po_number=order_number if intent_ == "po" else None,
        language=content.language,
        special_requests=special_requests((*content.masked_sentences, *content.noise, content.own_subject), content.lexicons),
        support_case=references.support_case((*content.sentences, content.own_subject), content.lexicons),
        claimed_numbers=_claimed_numbers(content),
        thanks=intent_ == "none" and intent.expresses("thanks", content.own_sentences, content.lexicons),
        attention=(_has_disguised_program(content) or intent.expresses("holds", content.masked_sentences, content.lexicons))
        and intent_ in {"po", "accept_quote"},
    )
    return _with_case_updates(content, _with_statements(content, request), order_number)


def _with_statements(content: MessageContent, request: Request) -> Request:
    """Return a request with what its sentences say, and what follows from that."""
    if request.intent not in intent.NEEDS_UNITS:
        return msgspec.structs.replace(request, statements=tuple(map(conclusions.unquestioned, content.statements)))
    keys = {unit.serial: serial_key(unit.serial) for unit in request.units}
    return conclusions.concluded(msgspec.structs.replace(request, statements=content.statements), keys, content.desk.certainty)


def _with_case_updates(content: MessageContent, request: Request, number: str | None) -> Request:
    """Add what a message says in an open case: PO, shipment, more units, a corrected serial number, a renewal."""
    is_order = request.intent in {"po", "accept_quote"}
    if not (content.is_reply or request.claimed_numbers or is_order):
        return request
    order = purchase_orders.order(content, number)
    corrects = case_updates.corrects(content)
    return msgspec.structs.replace(
        request,
        order=order if is_order or (order and order.copy) else None,
        shipment=case_updates.parcel(content),
        adds_units=case_updates.adds(content),
        corrects_serial=corrects,
        corrected_serial=case_updates.instead(content) if corrects else "",
        renews_number=case_updates.renews(content),
    )


def _kind(content: MessageContent, intent_: Intent) -> Kind:
    if content.is_reply:
        return "reply"
    return "request" if intent_ in intent.NEEDS_UNITS or intent_ in {"po", "accept_quote"} else "other"


def _claimed_numbers(content: MessageContent) -> tuple[str, ...]:
    return references.claimed_numbers((*content.sentences, content.subject.text), content.desk, content.lexicons)


def _order_texts(content: MessageContent) -> tuple[tuple[str, ...], ...]:
    """Return the texts to search for an order number, the most likely first."""
    return content.sentences, (content.subject.text,), tuple(references.file_names_as_text(_file_names(content)))


def _file_names(content: MessageContent) -> list[str]:
    return [attachment.name for attachment in content.message.attachments]


def _has_disguised_program(content: MessageContent) -> bool:
    """Return whether a program has the name of a document."""
    return any(map(is_program, content.message.attachments))


def _has_requested_information(content: MessageContent) -> bool:
    """Return whether a reply has what we asked for, however it is worded."""
    we_asked = content.asked_for("reason") or content.asked_for("serial")
    if content.units or attribution.answered_reason(content) is not None:
        return True
    return (
        we_asked
        and bool(attribution.remaining_text(content))
        and not intent.expresses("thanks", content.own_sentences, content.lexicons)
    )


def _relevant_units(content: MessageContent, units: Sequence[NamedUnit], intent_: Intent) -> Sequence[NamedUnit]:
    """Return the units a message is about: those in the new text, else those in the thread without an RMA number."""
    if intent_ == "none":
        return ()
    if content.units or content.case is not None or intent_ == "question":
        return content.units
    return [unit for unit in units if intent_ not in intent.NEEDS_UNITS or unit.key not in content.keys_handled_in_thread]
