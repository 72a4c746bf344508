"""The one path in the world: arrivals in, steps committed, replies out. No side doors (design §2).

What a mailbox needs of the world stands in a ``MailboxContext``: its policy, its registry, the store, the clock. The daemon, `run
--once`, `rehearse` and the demo all work through ``process_batch``, ``sweep`` and ``send``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol

import structlog

from mailbot.case import delivery, matching
from mailbot.core import handle, set_aside
from mailbot.intake.attachments.extraction import AttachmentContents, contents
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.reading import read_message
from mailbot.mail.parse import UnreadableError
from mailbot.model import (
    Attachment,
    Case,
    DueDate,
    FailedDelivery,
    Mail,
    MailRecord,
    Message,
    Reply,
    Snapshot,
    Step,
    Unit,
    Value,
)
from mailbot.policy.context import Context
from mailbot.policy.dates import at_hour, today
from mailbot.policy.policy import Policy
from mailbot.runtime.clock import Clock
from mailbot.runtime.registry.registry import RegistryError
from mailbot.runtime.store_protocol import DuplicateError, StateError, Store

log = structlog.get_logger("mailbot")

FolderName = Literal["Done", "Ignored", "Attention"]


class UnitLookup(Protocol):
    """A registry: units by folded serial."""

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units that these folded strings name."""


class MailSender(Protocol):
    """An outbox: one mail, these bytes, one recipient; how it ended, as a value."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> delivery.DeliveryResult:
        """Send one mail."""


class MailboxContext:
    """One mailbox at work.

    ``chance`` gives 128 random bits in hexadecimal, for ids. ``open_attachments`` reads what is attached to a mail: a
    ``shell.opener.Opener`` where strangers write, here and now where a test does.
    """

    def __init__(
        self,
        policy: Policy,
        registry: UnitLookup,
        store: Store,
        clock: Clock,
        chance: Callable[[], str] = lambda: secrets.token_hex(16),
        open_attachments: Callable[[Sequence[Attachment]], AttachmentContents] = contents,
    ) -> None:
        self.policy, self.registry, self.store, self.clock, self.chance = policy, registry, store, clock, chance
        self.open_attachments = open_attachments


class Disposition(Value, frozen=True):
    """What was done with a mail: the folder it belongs in now, and the step, if it had an effect."""

    uid: int
    folder: FolderName
    step: Step | None = None


def process_batch(mails: Sequence[Mail], context: MailboxContext) -> list[Disposition]:
    """Take a batch of mails along the path and make it durable. Only what is returned here may leave INBOX.

    Raises:
        StateError: nothing of the batch took effect, and nothing may be sent or moved.
    """
    try:
        settled = [_process(incoming_mail, context) for incoming_mail in mails]
        context.store.commit()
    except BaseException:
        context.store.rollback()
        raise
    for incoming_mail, done in zip(mails, settled, strict=True):
        record = done.step.record if done.step else None
        if record:
            log.info(
                "mail decided",
                mailbox=incoming_mail.mailbox,
                sender=record.sender,
                kind=record.kind,
                outcome=record.outcome,
                case=record.case_id,
                folder=done.folder,
                why=record.why,
            )
    return settled


def _process(incoming_mail: Mail, context: MailboxContext) -> Disposition:
    """Take one mail along the path; one that cannot be processed goes to Attention, with a note to staff (promise 4)."""
    digest = hashlib.sha256(incoming_mail.raw).hexdigest()
    identity, now = f"{incoming_mail.mailbox} raw {digest}", context.clock.now()
    try:
        message = read_message(incoming_mail, context.policy.desk, context.open_attachments)
        identity = message.identity
        before = context.store.recorded(identity)
        if before:
            return Disposition(incoming_mail.uid, before.folder)
        _answerable(message)
        case = find_case(message, context)
        return _staged(
            incoming_mail, handle(message, case, Context(context.policy, look_up(message, case, context), now)), context
        )
    except (StateError, RegistryError):
        raise
    except UnreadableError as error:
        why = str(error)
    except Exception as error:  # whatever one mail does, the next one is handled
        log.exception("mail set aside", mailbox=incoming_mail.mailbox, digest=digest[:16])
        why = f"{type(error).__name__} while it was processed"
    return _staged(incoming_mail, _set_aside(incoming_mail, identity, why, context, now), context)


def _answerable(message: Message) -> None:
    """See to it that a person's mail that nobody can answer reaches staff."""
    if message.classification.sender_class == "human" and message.answer_to is None:
        raise UnreadableError("there is nobody to answer: no usable From or Reply-To")


def _staged(incoming_mail: Mail, result: Step, context: MailboxContext) -> Disposition:
    """Put a step in line for the commit; one that the store has had before takes no effect again (promise 2)."""
    try:
        context.store.stage(result)
    except DuplicateError:
        return Disposition(incoming_mail.uid, "Done")
    return Disposition(incoming_mail.uid, result.record.folder if result.record else "Done", result)


def _set_aside(incoming_mail: Mail, identity: str, why: str, context: MailboxContext, now: datetime) -> Step:
    before = context.store.recorded(identity)
    record = before or MailRecord(
        identity=identity, at=now, mailbox=incoming_mail.mailbox, folder="Attention", kind="unreadable", why=why
    )
    if before:
        return Step(event=None, decision=None, after=None, record=before)
    return set_aside(record, Context(context.policy, Snapshot(id_entropy=context.chance()), now))


def find_case(message: Message, context: MailboxContext) -> Case | None:
    """Return the case a mail belongs to: by our thread, References, a number in the subject; else none yet."""
    found = context.store.find(matching.thread_ids(message), matching.case_references(message, context.policy.desk))
    return next((case for case in found if matching.may_join(case, message, context.policy.desk)), None)


def look_up(message: Message, case: Case | None, context: MailboxContext) -> Snapshot:
    """Ask the world what the step needs to know, as values."""
    keys = dict.fromkeys(
        (*message.codes, *(serial_key(unit.serial) for unit in (case.units if case else ()) if unit.serial))
    )
    units = context.registry.look_up(keys)
    answer_to = message.answer_to.email if message.answer_to else ""
    midnight = at_hour(today(context.clock.now(), context.policy.timezone), 0, context.policy.timezone)
    return Snapshot(
        units=units,
        open_cases=context.store.open_cases(context.policy.desk.address, units),
        past_cases=context.store.past_cases(context.policy.desk.address, units),
        answers_today=context.store.answers_since(answer_to, midnight) if answer_to else 0,
        id_entropy=context.chance(),
        token_entropy=context.chance(),
        sequence=context.store.next_sequence(),
    )


def process_due(rooms: Mapping[str, MailboxContext], store: Store, clock: Clock) -> list[Step]:
    """Take what has come due along the path: one arrival a case, so that a long pause brings one mail and not thirty.

    Raises:
        StateError: nothing took effect.
    """
    now = clock.now()
    steps: list[Step] = []
    try:
        for due in store.due(now):
            case = store.case(due.case_id)
            room = rooms.get(case.mailbox) if case else None
            if case is None or room is None:
                continue
            try:
                result = handle(DueDate(case.id, now), case, Context(room.policy, _snapshot_for(case, room), now))
            except Exception:  # one case that cannot be worked on does not hold up the others
                log.exception("deadline not worked on", case=case.id)
                continue
            store.stage(result)
            steps.append(result)
        store.commit()
    except BaseException:
        store.rollback()
        raise
    for result in steps:
        log.info("deadline came", case=result.after.id if result.after else None, mails=len(result.replies))
    return steps


def _snapshot_for(case: Case, context: MailboxContext) -> Snapshot:
    units = context.registry.look_up([serial_key(unit.serial) for unit in case.units if unit.serial])
    return Snapshot(
        units=units, id_entropy=context.chance(), token_entropy=context.chance(), sequence=context.store.next_sequence()
    )


async def deliver(
    rooms: Mapping[str, MailboxContext],
    outboxes: Mapping[str, MailSender],
    store: Store,
    clock: Clock,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Reply]:
    """Send what may go out now, one after another, and put each end on record before the next begins (promise 3).

    What a server out of reach cannot take waits for another round; the others' mail goes out.
    """
    sent: list[Reply] = []
    out_of_reach: set[str] = set()
    for reply in store.unsent(clock.now()):
        outbox = outboxes.get(reply.mailbox)
        if outbox is None or reply.mailbox in out_of_reach:
            continue
        if stopping():
            break
        begun = delivery.begin_attempt(reply, clock.now())
        store.mark(begun)
        result = await outbox.send(begun.raw, begun.mailbox, begun.to)
        ended = delivery.after_attempt(begun, result, clock.now())
        store.mark(ended)
        if ended.state == "sent":
            log.info("mail sent", to=ended.to, subject=ended.subject)
        else:
            log.warning("mail not sent", to=ended.to, subject=ended.subject, state=ended.state, note=ended.note)
        sent.append(ended)
        if ended.state in ("failed", "held"):
            _report(ended, rooms, store, clock)
        if isinstance(result, delivery.Deferred) and result.server:
            out_of_reach.add(reply.mailbox)
    return sent


def _report(reply: Reply, rooms: Mapping[str, MailboxContext], store: Store, clock: Clock) -> None:
    """Take a mail that will not arrive along the path, once; a note to staff that fails is only logged (B5)."""
    found = store.find([reply.message_id])
    room = rooms.get(reply.mailbox)
    if reply.audience == "staff" or not found or room is None:
        log.error("a mail will not arrive", to=reply.to, subject=reply.subject, note=reply.note)
        return
    arrival = FailedDelivery(found[0].id, reply.message_id, reply.note)
    context = Context(room.policy, _snapshot_for(found[0], room), clock.now())
    store.stage(handle(arrival, found[0], context))
    store.commit()


def incoming_mail(mailbox: str, raw: bytes, now: datetime, uid: int = 0) -> Mail:
    """Return a mail as it arrives at a mailbox, at ``now`` (our own time; dates in the mail are hearsay)."""
    return Mail(mailbox=mailbox, raw=raw, arrived_at=now.astimezone(UTC), uid=uid)


def too_large(uid: int, size: int, validity: int, context: MailboxContext) -> Disposition:
    """Set a mail aside that was never fetched (R3), and make that durable.

    Raises:
        StateError: nothing took effect.
    """
    now = context.clock.now()
    unfetched = Mail(mailbox=context.policy.desk.address, raw=b"", arrived_at=now, uid=uid)
    why = f"it could not be fetched, or is too large ({size} bytes)"
    result = _set_aside(unfetched, f"uid {context.policy.desk.address} {validity} {uid}", why, context, now)
    try:
        context.store.stage(result)
        context.store.commit()
    except DuplicateError:
        context.store.rollback()
    return Disposition(uid, "Attention", result)
