"""What a store can be asked about a case: the keys, due dates and deliveries that follow from it. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, Reply, ReplyState, Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

FINAL: frozenset[ReplyState] = frozenset({"sent", "failed", "held"})
"""States of a reply in which the outbox has nothing more to do with it."""


def name_key(name: str) -> str:
    """How case ids and RMA numbers are compared."""
    return name.strip().casefold()


def message_ids(case: Case) -> set[str]:
    """Every Message-ID that a thread of this case may refer to: ours, and those of the mails in its history."""
    ours = {reply.message_id for reply in case.replies}
    theirs = {mail.message_id for entry in case.history if (mail := getattr(entry.event, "mail", None))}
    return {message_id for message_id in ours | theirs if message_id}


def serials(case: Case) -> set[str]:
    """The folded serials of its units."""
    return {key for unit in case.units if (key := serial_key(unit.serial))}


def due_at(case: Case) -> datetime | None:
    """Its earliest deadline."""
    return min((deadline.at for deadline in case.deadlines), default=None)


def may_go(reply: Reply, now: datetime) -> bool:
    """Whether the outbox may begin with this reply now."""
    if reply.state == "sending":  # a process died between "sending" and its outcome
        return True
    return reply.state not in FINAL and (reply.due_at is None or reply.due_at <= now)


def delivered(reply: Reply, mark: Reply) -> Reply:
    """The reply with the progress of its delivery taken over from ``mark``; the mail stays as it was frozen."""
    return msgspec.structs.replace(mark, raw=reply.raw)


def with_delivery(case: Case, marked: Reply) -> Case:
    """The case with the delivery of one of its replies taken over."""
    replies = tuple(
        delivered(reply, marked) if reply.message_id == marked.message_id else reply for reply in case.replies
    )
    return msgspec.structs.replace(case, replies=replies)


def keep_deliveries(case: Case, held: Iterable[Reply]) -> Case:
    """The case with the deliveries the store holds, save where the case says that a delivery is over."""
    by_id = {reply.message_id: reply for reply in held}
    replies = tuple(
        delivered(reply, by_id[reply.message_id]) if reply.state not in FINAL and reply.message_id in by_id else reply
        for reply in case.replies
    )
    return msgspec.structs.replace(case, replies=replies)


def caseless(step: Step) -> tuple[Reply, ...]:
    """The step's replies that are in no case."""
    in_case = {reply.message_id for reply in step.after.replies} if step.after else set()
    return tuple(reply for reply in step.replies if reply.message_id not in in_case)


def note_id(replies: Iterable[Reply]) -> str:
    """The id under which caseless replies are kept: the same for the same mails."""
    text = "\n".join(reply.message_id for reply in replies)
    return f"note-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
