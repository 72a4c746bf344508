"""Match emails and units to cases: which case an email belongs to, and in which case a unit is active.

An email refers to its case by the Message-IDs of its thread, by our address that it is sent to, or by a number in its subject.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date

from msgspec import structs

from mailbot.case.lifecycle import FINAL_STATES, NUMBERED
from mailbot.case.merge import UNIT_INTENTS, open_to_answer
from mailbot.case.numbers import valid_number
from mailbot.case.tokens import details
from mailbot.intake.desk import Desk, staff_member
from mailbot.intake.entities.serials import serial_key
from mailbot.mail.reply_markers import REPLY_PREFIXES
from mailbot.model import Case, Message, Request, Snapshot
from mailbot.policy.context import Context
from mailbot.policy.facts import owns

_CASE_ID = re.compile(r"\bC-[BCDFGHJKMNPQRSTV]{10}\b", re.IGNORECASE)
_LETTERS = str.maketrans("0123456789abcdef", "BCDFGHJKMNPQRSTV")


def case_id(entropy: str) -> str:
    """Return the id of a new case: "C-" and ten consonants, 40 random bits. Without digits it does not look like a serial number.

    ``entropy``: at least ten hexadecimal digits of random bits.
    """
    return f"C-{entropy[:10].translate(_LETTERS)}"


def thread_ids(message: Message) -> tuple[str, ...]:
    """Return the Message-IDs of the thread of an email; for a bounce, the Message-ID of the email that bounced."""
    if message.classification.sender_class == "bounce":
        original = message.bounce.original_id if message.bounce else None
        return (original,) if original else ()
    return message.thread


def case_references(message: Message, desk: Desk) -> tuple[str, ...]:
    """Return the case ids in our addresses that an email was sent to, then the RMA numbers and case ids in its subject.

    Some email clients, and all mailto links (RFC 6068), omit the Message-IDs of the thread, but keep the address.
    """
    if message.classification.sender_class == "bounce":
        return ()
    found = [case.upper() for detail in details(message) for case in _CASE_ID.findall(detail)]
    found += [*re.findall(desk.number_form, message.subject, re.IGNORECASE), *_CASE_ID.findall(message.subject)]
    return tuple(dict.fromkeys(found))


_REPLY_PREFIX = re.compile(
    rf"(?:(?:{'|'.join(REPLY_PREFIXES)})(?:\[\d{{1,3}}\])?\s{{0,3}}[:\uff1a]\s{{0,9}}){{1,20}}", re.IGNORECASE
)


def base_subject(subject: str) -> str:
    """Return the subject without reply prefixes such as "Re:" (RFC 5322 §3.6.5) and without case ids."""
    text = subject[found.end() :] if (found := _REPLY_PREFIX.match(subject)) else subject
    return _CASE_ID.sub("", text).replace("[]", "").strip()


def may_join(case: Case, message: Message, desk: Desk) -> bool:
    """Return whether the sender may write in this case.

    Allowed are participants, staff, and anyone who writes from the owner's domain once a unit of the case has been matched to it. A
    guessed id or another customer's number gives no access. A bounce of an outgoing email belongs to its case. For staff, the
    From header is enough here: whether their commands are executed depends on authentication (``case.authority``).
    """
    if case.mailbox != desk.address:
        return False
    if message.classification.sender_class == "bounce":
        return True
    if message.sender is None or message.auth.result == "fail":
        return False
    writers = {message.sender.email, message.answer_to.email if message.answer_to else message.sender.email}
    if staff_member(message, desk) is not None:
        return True
    owners = {unit.owner for unit in case.units if unit.owner}
    return all(w in case.participants or _within(w.rpartition("@")[2], owners) for w in writers)


def case_of_email(cases: Iterable[Case], message: Message, desk: Desk) -> Case | None:
    """Return the first of the cases that an email refers to in which its sender may write."""
    return next((case for case in cases if may_join(case, message, desk)), None)


def case_of_staff_email(case: Case | None, request: Request, open_cases: tuple[Case, ...]) -> Case | None:
    """Return the case of a staff email; commands outside any thread belong to the only open case of the units that they name."""
    if case is None and (request.commands or request.unclear) and len(open_cases) == 1:
        return open_cases[0]
    return case


def _within(domain: str, owners: set[str]) -> bool:
    return any(domain == owner or domain.endswith("." + owner) for owner in owners)


# ---------------------------------------------------------------- units


def active_units(cases: Iterable[Case]) -> dict[str, Case]:
    """Return the case in which each unit is active, by serial key: a unit is never decided on in two cases (ST-4).

    Closed units, units that are answered as unknown and units that have been shipped back are not active.
    """
    found: dict[str, Case] = {}
    for case in cases:
        for unit in case.units:
            if unit.known and unit.state not in FINAL_STATES and not (unit.answered_as_unknown or unit.shipped_on):
                found.setdefault(serial_key(unit.serial), case)
    return found


def case_of_request(case: Case | None, request: Request, message: Message, domains: set[str], context: Context) -> Case | None:
    """Return the case that a customer's request belongs to; None: it opens a new case.

    An email in a thread opens a new case if it asks for other units than the case of the thread, unless it adds units to that case
    or corrects a serial number. It also opens one if it asks again for units that have been shipped back, or that are closed while
    the RMA of the others has expired. An email outside any thread belongs to the customer's case with the most of its active units.

    ``case``: the case that the email refers to, if any. ``domains``: the domains of its sender.
    """
    snapshot, keys = context.snapshot, {serial_key(unit.serial) for unit in request.units}
    asks = request.intent in UNIT_INTENTS
    if case is not None:
        others = active_units(other for other in snapshot.open_cases if other.id != case.id)
        holders = {others[key].id: others[key] for key in keys if key in others}
        if asks and len(holders) == 1 and keys <= others.keys():
            elsewhere = next(iter(holders.values()))
            if may_join(elsewhere, message, context.policy.desk):
                return elsewhere
        waiting = any(open_to_answer(unit) for unit in case.units)
        new = keys - {serial_key(unit.serial) for unit in case.units}
        joined = waiting or ((request.adds_units or request.corrects_serial) and case.state not in FINAL_STATES)
        again = _shipped_back(case, keys) or _left_behind(case, keys, context.day)
        return None if asks and case.units and ((new and not joined) or again) else case
    if not keys or not all(key in snapshot.units and owns(domains, snapshot.units[key]) for key in keys):
        return None
    active = active_units(snapshot.open_cases)
    counted = Counter(active[key].id for key in keys if key in active)
    most = max(snapshot.open_cases, key=lambda each: counted[each.id], default=None)
    return most if most and counted[most.id] else None


def without_units_elsewhere(case: Case | None, request: Request, snapshot: Snapshot) -> Request:
    """Remove the units that are active in another case (ST-4); if no unit remains, the request becomes a question to staff."""
    others = active_units(each for each in snapshot.open_cases if case is not None and each.id != case.id)
    units = tuple(unit for unit in request.units if serial_key(unit.serial) not in others)
    if request.units and not units:
        return structs.replace(request, units=(), intent="question")
    return structs.replace(request, units=units)


def _shipped_back(case: Case, keys: set[str]) -> bool:
    """Return whether all requested units have been shipped back in this case: then it is a new return."""
    requested = [unit for unit in case.units if not keys or serial_key(unit.serial) in keys]
    return bool(requested) and all(unit.shipped_on for unit in requested)


def _left_behind(case: Case, keys: set[str], day: date) -> bool:
    """Return whether all requested units are closed while others are still under way under the expired RMA of the case."""
    closed = {serial_key(unit.serial) for unit in case.units if unit.state in FINAL_STATES}
    under_way = any(unit.state in NUMBERED for unit in case.units)
    return bool(keys) and keys <= closed and under_way and valid_number(case, day) is None
