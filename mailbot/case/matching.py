"""Which case a mail belongs to, and only for those whose case it is.

A mail names its case by the ids of its thread, by the address of ours it is sent to, or by a number in its subject.
"""

from __future__ import annotations

import re

from mailbot.case.authority import person
from mailbot.case.tokens import details
from mailbot.intake.desk import Desk
from mailbot.mail.reply_markers import REPLY_PREFIXES
from mailbot.model import Case, Message

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
