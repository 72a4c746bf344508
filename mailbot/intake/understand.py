"""Message -> Request: what a mail asks for, in the vocabulary of the model."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from mailbot.intake.attachments.extraction import is_program
from mailbot.intake.commands.parsing import parse_commands
from mailbot.intake.message_content import MessageContent, NamedUnit, weight
from mailbot.intake.entities import purchase_orders, references
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.statements import attribution, case_updates, exclusions, intent, reasons, uncertainty
from mailbot.intake.statements.reasons import Reason
from mailbot.intake.statements.special_requests import special_requests
from mailbot.intake.text.normalize import plain
from mailbot.model import Request, RequestedUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Case, Exclusion, Intent, Kind, Message, Missing, Snapshot


def understand(message: Message, case: Case | None, snapshot: Snapshot, desk: Desk) -> Request:
    """Understand a mail.

    Args:
        message: the mail, read (see ``intake.read``).
        case: the case it belongs to, where one is at hand: then only what the mail newly says is returned, and what is
            missing is counted for case and mail together.
        snapshot: the registry's rows for the mail's codes.
        desk: the company's desk.
    """
    mail = MessageContent(message, case, snapshot, desk)
    if message.classification.sender_class != "human":
        return Request(kind=message.classification.sender_class, language=mail.language)
    if message.sender and message.sender.email in {person.address for person in desk.staff}:
        return msgspec.structs.replace(_of_staff(mail), notes=_notes(message))
    if _is_spam(mail):
        return Request(kind="spam", language=mail.language)
    asked = _of_customer(mail)
    return msgspec.structs.replace(asked, notes=(*asked.notes, *_notes(message)))


def _notes(message: Message) -> tuple[str, ...]:
    """What staff must know of the attachments: which were not read, and why."""
    return tuple(f"{one.name}: {one.note}" if one.name else one.note for one in message.documents if one.note)


# ------------------------------------------------------------------ who writes


def _of_staff(mail: MessageContent) -> Request:
    """A note of staff asks for nothing; a request passed on keeps its units and its intent; a decision on a credit too."""
    heard = parse_commands(
        mail.message.visible,
        mail.desk.words.everything,
        desk=mail.desk,
        known={*mail.known.units, *(serial_key(item.serial) for item in (mail.case.units if mail.case else ()))},
        answers=mail.answers,
    )
    nothing = Request(
        kind="staff",
        language=mail.language,
        claimed_numbers=_claimed(mail),
        commands=heard.commands,
        unclear=heard.unclear,
    )
    decides = any(lexicon.staff.decided.search(plain(text)) for text in mail.own for lexicon in mail.lexicons)
    passes = mail.passes_on or any(
        lexicon.staff.passed_on.search(plain(text)) for text in mail.own for lexicon in mail.lexicons
    )
    if mail.answers and not mail.passes_on:
        return nothing
    if decides and mail.units:
        swap = intent.says("exchange", mail.own, mail.lexicons)
        wanted: Intent = "exchange" if swap else "credit"
        return msgspec.structs.replace(
            nothing, intent=wanted, units=tuple(RequestedUnit(unit.serial) for unit in mail.units)
        )
    if not passes:
        return nothing
    asked = _of_customer(mail)
    if asked.intent not in {*intent.NEEDS_UNITS, "cancel"} or (asked.intent != "cancel" and not asked.units):
        return nothing
    # "Diagnosed remotely with Marguerite" is why the request is passed on; nothing has been received yet.
    said = tuple(command for command in heard.commands if command.name != "diagnosed")
    return msgspec.structs.replace(asked, kind="staff", missing=(), commands=said, unclear=heard.unclear)


_SIGNS, _SURE = 2, 3
"""Different phrases of advertisement or fraud that make a mail spam: one alone may stand in any letter; and where a repair
is spoken of."""


def _is_spam(mail: MessageContent) -> bool:
    """Whether content alone shows unsolicited sales or fraud: never where a unit of ours is named."""
    if mail.answers or mail.known.units:
        return False
    text = plain(" ".join((*mail.heard[:200], mail.title)))
    signs = len({text[start:end] for lexicon in mail.lexicons for start, end in lexicon.spam.spans(text)})
    speaks = intent.says("rma", (*mail.heard, mail.title), mail.lexicons)
    return signs >= (_SURE if speaks else _SIGNS)


# ------------------------------------------------------------------ what is asked for


def _of_customer(mail: MessageContent) -> Request:
    order = references.purchase_order(_order_places(mail), mail.known.units, mail.lexicons)
    if order is None and references.speaks_of_order((*mail.told, mail.subject.text), mail.lexicons):
        order = references.from_whole_name(_file_names(mail), mail.desk)
    units = mail.units or mail.earlier
    stated = _exclusions(mail)
    heavy = max(weight(mail), reasons.VAGUE if any(stated.values()) else reasons.NOTHING)
    if len(units) == 1 and any(uncertainty.sound(text, 1, mail.lexicons) for text in mail.heard if text):
        heavy = min(heavy, reasons.NEGATED)  # "the board itself works": then a wish beside it counts
    wanted = intent.intent(
        mail.heard,
        mail.title,
        answers=mail.answers,
        heavy=heavy,
        units=bool(mail.units),
        order=order is not None,
        claims=bool(_claimed(mail)),
        lexicons=mail.lexicons,
    )
    wavers = heavy < reasons.CONCRETE and intent.withdraws("cancel", mail.heard, mail.lexicons) is False
    if mail.answers and wanted in {"none", "question"} and not wavers and _supplies(mail):
        wanted = "repair"
    if (
        mail.case
        and mail.case.state in ("asking", "held")
        and wanted == "repair"
        and mail.case.intent in intent.NEEDS_UNITS
    ):
        wanted = mail.case.intent
    offered = mail.case is not None and mail.case.state in ("quoted", "parts_quoted")
    if (
        offered
        and wanted in {"none", "repair"}
        and heavy == reasons.NOTHING
        and not mail.units
        and case_updates.agrees(mail)
    ):
        wanted = "accept_quote"
    told = attribution.reason(mail, wanted)
    items = _items(mail, _meant(mail, units, wanted), told, stated, wanted)
    asked = wanted in intent.NEEDS_UNITS
    whole = exclusions.one_voice(frozenset().union(*stated.values()))
    request = Request(
        kind=_kind(mail, wanted),
        intent=wanted,
        units=items,
        reason=told.text if asked else "",
        exclusions=whole if asked else (),
        vague=asked and told.vague and not whole,
        missing=_missing(mail, items, told) if asked else (),
        po_number=order if wanted == "po" else None,
        language=mail.language,
        special_requests=special_requests((*mail.heard, mail.title), mail.lexicons),
        support_case=references.support_case((*mail.told, mail.title), mail.lexicons),
        claimed_numbers=_claimed(mail),
        thanks=wanted == "none" and intent.says("thanks", mail.own, mail.lexicons),
        attention=(_disguised(mail) or intent.says("holds", mail.heard, mail.lexicons))
        and wanted in {"po", "accept_quote"},
    )
    return _running(mail, _in_doubt(mail, request), order)


def _in_doubt(mail: MessageContent, asked: Request) -> Request:
    """With the doubt that sends it to a person, where a number might be issued although something was not understood."""
    open_ = [unit for unit in asked.units if not unit.exclusions and not unit.unsure]
    if asked.intent not in ("repair", "doa") or asked.missing or not open_:
        return asked
    unheard = uncertainty.doubt(mail, asked.units)
    note = f"{unheard!r}: not understood"
    return msgspec.structs.replace(asked, attention=True, notes=(note,)) if unheard else asked


def _running(mail: MessageContent, asked: Request, number: str | None) -> Request:
    """With what a mail says in a running case: its order, its parcel, more units, a corrected serial, a number to renew."""
    buys = asked.intent in {"po", "accept_quote"}
    if not (mail.answers or asked.claimed_numbers or buys):
        return asked
    order = purchase_orders.order(mail, number)
    corrects = case_updates.corrects(mail)
    return msgspec.structs.replace(
        asked,
        order=order if buys or (order and order.copy) else None,
        parcel=case_updates.parcel(mail),
        adds=case_updates.adds(mail),
        corrects=corrects,
        instead=case_updates.instead(mail) if corrects else "",
        renews=case_updates.renews(mail),
    )


def _kind(mail: MessageContent, wanted: Intent) -> Kind:
    if mail.answers:
        return "reply"
    return "request" if wanted in intent.NEEDS_UNITS or wanted in {"po", "accept_quote"} else "other"


def _claimed(mail: MessageContent) -> tuple[str, ...]:
    return references.claimed_numbers((*mail.told, mail.subject.text), mail.desk, mail.lexicons)


def _order_places(mail: MessageContent) -> tuple[tuple[str, ...], ...]:
    """Where an order number is looked for, the likeliest place first."""
    return mail.told, (mail.subject.text,), tuple(references.from_file_names(_file_names(mail)))


def _file_names(mail: MessageContent) -> list[str]:
    return [attachment.name for attachment in mail.message.attachments]


def _disguised(mail: MessageContent) -> bool:
    """Whether a program hides behind the name of a document."""
    return any(map(is_program, mail.message.attachments))


def _supplies(mail: MessageContent) -> bool:
    """Whether an answer brings what we had asked for, however it is worded."""
    asked = mail.asked("reason") or mail.asked("serial")
    if mail.units or attribution.answer(mail) is not None:
        return True
    return asked and bool(attribution.leftover(mail)) and not intent.says("thanks", mail.own, mail.lexicons)


def _meant(mail: MessageContent, units: Sequence[NamedUnit], wanted: Intent) -> Sequence[NamedUnit]:
    """The units a mail is about: the new text's, else the thread's but those that have their number already."""
    if wanted == "none":
        return ()
    if mail.units or mail.case is not None or wanted == "question":
        return mail.units
    return [unit for unit in units if wanted not in intent.NEEDS_UNITS or unit.key not in mail.handled]


# ------------------------------------------------------------------ units


def _items(
    mail: MessageContent,
    units: Sequence[NamedUnit],
    told: Reason,
    stated: dict[str, frozenset[Exclusion]],
    wanted: Intent,
) -> tuple[RequestedUnit, ...]:
    asked = wanted in intent.NEEDS_UNITS
    several = len(units) > 1
    items = []
    owned = frozenset().union(*(names for key, names in stated.items() if key))
    shared = attribution.shared(mail, told, wanted) if several else told
    for unit in units:
        own = attribution.own(mail, unit) if several else Reason()
        reason = own if own.text else shared
        excluded = (stated[""] - owned) | stated.get(unit.key, frozenset())
        if not several:
            excluded = frozenset().union(*stated.values())
        items.append(
            RequestedUnit(
                unit.serial,
                reason=reason.text if asked else "",
                exclusions=exclusions.one_voice(excluded) if asked else (),
                vague=asked and reason.vague and not excluded,
                symptom=reasons.symptom(reason.text, mail.lexicons) if asked else None,
                revision=_revision(mail, unit),
                suggestion=mail.reader.suggestion(unit.serial),
                unsure=unit.unsure,
            )
        )
    return tuple(items)


def _revision(mail: MessageContent, unit: NamedUnit) -> str | None:
    return references.revision(unit.told or mail.told, mail.lexicons)


def _exclusions(mail: MessageContent) -> dict[str, frozenset[Exclusion]]:
    """What is stated of each unit by its key, and under an empty key of the whole mail."""
    found: dict[str, frozenset[Exclusion]] = {"": exclusions.answered(mail.message.text, mail.lexicons)}
    mine: set[str] = set()
    for unit in mail.units:
        pairs = pairwise((*unit.told, ""))
        found[unit.key] = frozenset().union(*(exclusions.stated(text, after, mail.lexicons) for text, after in pairs))
        answers = (unit.listed, *(reasons.field(text, mail.lexicons) or "" for text in unit.told))
        found[unit.key] |= frozenset().union(*(exclusions.whole(text, mail.lexicons) for text in answers))
        mine.update(unit.told)
    texts = (*mail.told, mail.title)[:600]
    for text, after in zip(texts, (*texts[1:], ""), strict=True):
        if text and text not in mine and text not in mail.of_others and not attribution.within(text, mine):
            found[""] |= exclusions.stated(text, after, mail.lexicons)
    return found


def _known_reason(mail: MessageContent) -> bool:
    """Whether an answer belongs to a question of ours that asked for the serial alone."""
    return mail.case is None and mail.answers and mail.asked("serial") and not mail.asked("reason")


def _missing(mail: MessageContent, items: Sequence[RequestedUnit], told: Reason) -> tuple[Missing, ...]:
    """What must be asked for, case and mail together (AP-27, AP-28)."""
    earlier = mail.case.units if mail.case else ()
    missing: list[Missing] = []
    if not items and not earlier:
        missing.append("serial")
    unexplained = [unit.serial for unit in items if not unit.reason] + [
        unit.serial for unit in earlier if not unit.reason
    ]
    if (unexplained and items) or (
        not told.text and (unexplained or not (items or earlier)) and not _known_reason(mail)
    ):
        missing.append("reason")
    return tuple(missing)
