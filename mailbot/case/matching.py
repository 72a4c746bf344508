"""Which case is this, and which case has this unit in hand? Both questions are answered here only.

An email names its case by the ids of its thread, by the address of ours that it is sent to, or by a number in its subject.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date

from msgspec import structs

from mailbot.case.authority import person
from mailbot.case.lifecycle import CLOSED_STATES, NUMBERED
from mailbot.case.merge import UNIT_INTENTS, open_to_answer
from mailbot.case.numbers import valid_number
from mailbot.case.tokens import details
from mailbot.intake.desk import Desk
from mailbot.intake.entities.serials import serial_key
from mailbot.mail.reply_markers import REPLY_PREFIXES
from mailbot.model import Case, Message, Request, Snapshot
from mailbot.policy.context import Context
from mailbot.policy.facts import owns

_CASE_ID = re.compile(r"\bC-[BCDFGHJKMNPQRSTV]{10}\b", re.IGNORECASE)
_LETTERS = str.maketrans("0123456789abcdef", "BCDFGHJKMNPQRSTV")


def case_id(fresh: str) -> str:
    """Return the id of a new case: ten consonants, 40 bits of chance; no digits, so that it is never taken for a serial."""
    return f"C-{fresh[:10].translate(_LETTERS)}"


def ids(message: Message) -> tuple[str, ...]:
    """Return the Message-IDs by which a mail names its thread; for a delivery report that of the mail it is about."""
    if message.classification.sender_class == "bounce":
        original = message.bounce.original_id if message.bounce else None
        return (original,) if original else ()
    return message.thread


def names(message: Message, desk: Desk) -> tuple[str, ...]:
    """Return the case ids in the addresses of ours that a mail was sent to, then the RMA numbers and case ids in its subject.

    Some mail programs, and every link to write a mail, leave out the ids of the thread; the address remains.
    """
    if message.classification.sender_class == "bounce":
        return ()
    found = [case.upper() for detail in details(message) for case in _CASE_ID.findall(detail)]
    found += [*re.findall(desk.number_form, message.subject, re.IGNORECASE), *_CASE_ID.findall(message.subject)]
    return tuple(dict.fromkeys(found))


_ANSWER = re.compile(
    rf"(?:(?:{'|'.join(REPLY_PREFIXES)})(?:\[\d{{1,3}}\])?\s{{0,3}}[:\uff1a]\s{{0,9}}){{1,20}}", re.IGNORECASE
)


def base_subject(subject: str) -> str:
    """Return what the subject says without the marks of an answer (RFC 5322 §3.6.5) and the tag of a case."""
    said = subject[found.end() :] if (found := _ANSWER.match(subject)) else subject
    return _CASE_ID.sub("", said).replace("[]", "").strip()


def joins(case: Case, message: Message, desk: Desk) -> bool:
    """Say whether this sender may take part in this case.

    A participant may, staff, and whoever writes from the owner's domain once a unit of the case has been matched to it.
    A guessed id or somebody else's number opens nothing (A10); a report about a mail of ours belongs to its case.
    For staff the From alone is enough here: what their commands may do is a question of proof (``case.authority``).
    """
    if case.mailbox != desk.address:
        return False
    if message.classification.sender_class == "bounce":
        return True
    if message.sender is None or message.auth.result == "fail":
        return False
    writers = {message.sender.email, message.answer_to.email if message.answer_to else message.sender.email}
    if person(message, desk) is not None:
        return True
    owners = {unit.owner for unit in case.units if unit.owner}
    return all(w in case.participants or _within(w.rpartition("@")[2], owners) for w in writers)


def _within(domain: str, owners: set[str]) -> bool:
    return any(domain == owner or domain.endswith("." + owner) for owner in owners)


# ---------------------------------------------------------------- units


def units_in_hand(cases: Iterable[Case]) -> dict[str, Case]:
    """Return which case has which unit in hand, by serial key: a unit is never decided on in two cases (ST-4).

    Closed units, units that are answered as unknown and units that have been shipped back are in no one's hand.
    """
    found: dict[str, Case] = {}
    for case in cases:
        for unit in case.units:
            if unit.known and unit.state not in CLOSED_STATES and not (unit.answered_as_unknown or unit.shipped_on):
                found.setdefault(serial_key(unit.serial), case)
    return found


def case_of_request(
    case: Case | None, request: Request, message: Message, domains: set[str], context: Context
) -> Case | None:
    """Return the case that a customer's request belongs to; None: it opens a case of its own.

    An email in a thread that asks for other units than the thread's case opens a case of its own, unless it adds them to that
    case or corrects a serial number of it. So does one that asks again for units that have been shipped back or left behind. An
    email outside any thread belongs to the case of the same customer that has most of its units in hand.

    Args:
        case: the case that the email names, if any.
        request: what it asks for.
        message: the email.
        domains: what its sender speaks for.
        context: the registry rows and open cases, the desk, today.
    """
    snapshot, keys = context.snapshot, {serial_key(unit.serial) for unit in request.units}
    asks = request.intent in UNIT_INTENTS
    if case is not None:
        others = units_in_hand(other for other in snapshot.open_cases if other.id != case.id)
        holders = {others[key].id: others[key] for key in keys if key in others}
        if asks and len(holders) == 1 and keys <= others.keys():
            elsewhere = next(iter(holders.values()))
            if joins(elsewhere, message, context.policy.desk):
                return elsewhere
        waiting = any(open_to_answer(unit) for unit in case.units)
        new = keys - {serial_key(unit.serial) for unit in case.units}
        joined = waiting or ((request.adds_units or request.corrects_serial) and case.state not in CLOSED_STATES)
        again = _shipped_back(case, keys) or _left_behind(case, keys, context.day)
        return None if asks and case.units and ((new and not joined) or again) else case
    if not keys or not all(key in snapshot.units and owns(domains, snapshot.units[key]) for key in keys):
        return None
    in_hand = units_in_hand(snapshot.open_cases)
    counted = Counter(in_hand[key].id for key in keys if key in in_hand)
    most = max(snapshot.open_cases, key=lambda each: counted[each.id], default=None)
    return most if most and counted[most.id] else None


def without_units_elsewhere(case: Case | None, request: Request, snapshot: Snapshot) -> Request:
    """Leave out the units that another case has in hand (ST-4); if that is all of them, a person must say what is meant."""
    others = units_in_hand(each for each in snapshot.open_cases if case is not None and each.id != case.id)
    units = tuple(unit for unit in request.units if serial_key(unit.serial) not in others)
    if request.units and not units:
        return structs.replace(request, units=(), intent="question")
    return structs.replace(request, units=units)


def _shipped_back(case: Case, keys: set[str]) -> bool:
    """Say whether what is asked for has been shipped back in this case: then it is a new return."""
    meant = [unit for unit in case.units if not keys or serial_key(unit.serial) in keys]
    return bool(meant) and all(unit.shipped_on for unit in meant)


def _left_behind(case: Case, keys: set[str], day: date) -> bool:
    """Say whether what is asked for again is closed while others still travel under the case's number, which has expired."""
    closed = {serial_key(unit.serial) for unit in case.units if unit.state in CLOSED_STATES}
    travels = any(unit.state in NUMBERED for unit in case.units)
    return bool(keys) and keys <= closed and travels and valid_number(case, day) is None
