"""The one path in the world: arrivals in, steps committed, replies out. No side doors (design §2).

What a mailbox needs of the world stands in a ``Room``: its policy, its registry, the store, the clock. The daemon, `run
--once`, `rehearse` and the demo all work through ``take_in``, ``sweep`` and ``send``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol

import structlog

from mailbot.case import delivery, thread
from mailbot.intake.documents import Contents, contents
from mailbot.intake.read import read
from mailbot.intake.serials import fold
from mailbot.mail.parse import Unreadable
from mailbot.model import Attachment, Case, Due, Known, Mail, Message, Record, Reply, Step, Undelivered, Unit, Value
from mailbot.policy.dates import at_hour, today
from mailbot.policy.policy import Policy
from mailbot.reply.compose import unreadable
from mailbot.shell.clock import Clock
from mailbot.shell.registry import RegistryError
from mailbot.shell.store import Conflict, StateError, Store
from mailbot.step import step

log = structlog.get_logger("mailbot")

FolderName = Literal["Done", "Ignored", "Attention"]


class LooksUp(Protocol):
    """A registry: units by folded serial."""

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units that these folded strings name."""


class Sends(Protocol):
    """An outbox: one mail, these bytes, one recipient; how it ended, as a value."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> delivery.Sent:
        """Send one mail."""


class Room:
    """One mailbox at work.

    ``chance`` gives 128 random bits in hexadecimal, for ids. ``open_attachments`` reads what is attached to a mail: a
    ``shell.opener.Opener`` where strangers write, here and now where a test does.
    """

    def __init__(
        self,
        policy: Policy,
        registry: LooksUp,
        store: Store,
        clock: Clock,
        chance: Callable[[], str] = lambda: secrets.token_hex(16),
        open_attachments: Callable[[Sequence[Attachment]], Contents] = contents,
    ) -> None:
        self.policy, self.registry, self.store, self.clock, self.chance = policy, registry, store, clock, chance
        self.open_attachments = open_attachments


class Settled(Value, frozen=True):
    """What was done with a mail: the folder it belongs in now, and the step, if it had an effect."""

    uid: int
    folder: FolderName
    step: Step | None = None


def take_in(mails: Sequence[Mail], room: Room) -> list[Settled]:
    """Take a batch of mails along the path and make it durable. Only what is returned here may leave INBOX.

    Raises:
        StateError: nothing of the batch took effect, and nothing may be sent or moved.
    """
    try:
        settled = [_take_in(mail, room) for mail in mails]
        room.store.commit()
    except BaseException:
        room.store.rollback()
        raise
    for mail, done in zip(mails, settled, strict=True):
        record = done.step.record if done.step else None
        if record:
            log.info(
                "mail decided",
                mailbox=mail.mailbox,
                sender=record.sender,
                kind=record.kind,
                outcome=record.outcome,
                case=record.case_id,
                folder=done.folder,
                why=record.why,
            )
    return settled


def _take_in(mail: Mail, room: Room) -> Settled:
    """Take one mail along the path; one that cannot be processed goes to Attention, with a note to staff (promise 4)."""
    digest = hashlib.sha256(mail.raw).hexdigest()
    identity, now = f"{mail.mailbox} raw {digest}", room.clock.now()
    try:
        message = read(mail, room.policy.desk, room.open_attachments)
        identity = message.identity
        before = room.store.recorded(identity)
        if before:
            return Settled(mail.uid, before.folder)
        _answerable(message)
        case = case_for(message, room)
        return _staged(mail, step(message, case, look_up(message, case, room), room.policy, now), room)
    except (StateError, RegistryError):
        raise
    except Unreadable as error:
        why = str(error)
    except Exception as error:  # whatever one mail does, the next one is handled
        log.exception("mail set aside", mailbox=mail.mailbox, digest=digest[:16])
        why = f"{type(error).__name__} while it was processed"
    return _staged(mail, _set_aside(mail, identity, why, room, now), room)


def _answerable(message: Message) -> None:
    """See to it that a person's mail that nobody can answer reaches staff."""
    if message.machine.sort == "human" and message.answer_to is None:
        raise Unreadable("there is nobody to answer: no usable From or Reply-To")


def _staged(mail: Mail, result: Step, room: Room) -> Settled:
    """Put a step in line for the commit; one that the store has had before takes no effect again (promise 2)."""
    try:
        room.store.stage(result)
    except Conflict:
        return Settled(mail.uid, "Done")
    return Settled(mail.uid, result.record.folder if result.record else "Done", result)


def _set_aside(mail: Mail, identity: str, why: str, room: Room, now: datetime) -> Step:
    before = room.store.recorded(identity)
    record = before or Record(
        identity=identity, at=now, mailbox=mail.mailbox, folder="Attention", kind="unreadable", why=why
    )
    replies = () if before else unreadable(room.policy, Known(fresh=room.chance()), record, now)
    return Step(event=None, decision=None, after=None, replies=replies, record=record)


def case_for(message: Message, room: Room) -> Case | None:
    """Return the case a mail belongs to: by our thread, References, a number in the subject; else none yet."""
    found = room.store.find(thread.ids(message), thread.names(message, room.policy.desk))
    return next((case for case in found if thread.joins(case, message, room.policy.desk)), None)


def look_up(message: Message, case: Case | None, room: Room) -> Known:
    """Ask the world what the step needs to know, as values."""
    keys = dict.fromkeys((*message.codes, *(fold(item.serial) for item in (case.items if case else ()) if item.serial)))
    units = room.registry.look_up(keys)
    answer_to = message.answer_to.email if message.answer_to else ""
    midnight = at_hour(today(room.clock.now(), room.policy.timezone), 0, room.policy.timezone)
    return Known(
        units=units,
        open_cases=room.store.open_cases(room.policy.desk.address, units),
        past_cases=room.store.past_cases(room.policy.desk.address, units),
        answers_today=room.store.answers_since(answer_to, midnight) if answer_to else 0,
        fresh=room.chance(),
        secret=room.chance(),
        sequence=room.store.next_sequence(),
    )


def sweep(rooms: Mapping[str, Room], store: Store, clock: Clock) -> list[Step]:
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
                result = step(Due(case.id, now), case, _known_for(case, room), room.policy, now)
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


def _known_for(case: Case, room: Room) -> Known:
    units = room.registry.look_up([fold(item.serial) for item in case.items if item.serial])
    return Known(units=units, fresh=room.chance(), secret=room.chance(), sequence=room.store.next_sequence())


async def send(
    rooms: Mapping[str, Room],
    outboxes: Mapping[str, Sends],
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
        begun = delivery.begin(reply, clock.now())
        store.mark(begun)
        result = await outbox.send(begun.raw, begun.mailbox, begun.to)
        ended = delivery.after(begun, result, clock.now())
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


def _report(reply: Reply, rooms: Mapping[str, Room], store: Store, clock: Clock) -> None:
    """Take a mail that will not arrive along the path, once; a note to staff that fails is only logged (B5)."""
    found = store.find([reply.message_id])
    room = rooms.get(reply.mailbox)
    if reply.audience == "staff" or not found or room is None:
        log.error("a mail will not arrive", to=reply.to, subject=reply.subject, note=reply.note)
        return
    arrival = Undelivered(found[0].id, reply.message_id, reply.note)
    store.stage(step(arrival, found[0], _known_for(found[0], room), room.policy, clock.now()))
    store.commit()


def mail(mailbox: str, raw: bytes, now: datetime, uid: int = 0) -> Mail:
    """Return a mail as it arrives at a mailbox, at ``now`` (our own time; dates in the mail are hearsay)."""
    return Mail(mailbox=mailbox, raw=raw, arrived_at=now.astimezone(UTC), uid=uid)


def too_large(uid: int, size: int, validity: int, room: Room) -> Settled:
    """Set a mail aside that was never fetched (R3), and make that durable.

    Raises:
        StateError: nothing took effect.
    """
    now = room.clock.now()
    unfetched = Mail(mailbox=room.policy.desk.address, raw=b"", arrived_at=now, uid=uid)
    why = f"it could not be fetched, or is too large ({size} bytes)"
    result = _set_aside(unfetched, f"uid {room.policy.desk.address} {validity} {uid}", why, room, now)
    try:
        room.store.stage(result)
        room.store.commit()
    except Conflict:
        room.store.rollback()
    return Settled(uid, "Attention", result)
