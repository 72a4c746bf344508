"""The pipeline at work: triggers in, steps committed. ``sending`` sends the replies.

A ``MailboxContext`` holds what a mailbox needs: its policy, its registry, the store, the clock. The daemon, ``run --once``,
``rehearse`` and the demo all use ``process_batch`` and ``process_due``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog

from mailbot.case import matching
from mailbot.core import handle, set_aside
from mailbot.intake.attachments.extraction import AttachmentContents, contents
from mailbot.intake.desk import staff_member
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.message_content import MessageContent
from mailbot.intake.reading import read_message
from mailbot.intake.statements.conclusions import open_sentences
from mailbot.intake.statements.example_sentences import Example
from mailbot.mail.parse import UnreadableError
from mailbot.model import Attachment, Case, DueDate, FolderName, Guess, Mail, MailRecord, Message, Snapshot, Step, Unit, Value
from mailbot.policy.context import Context
from mailbot.policy.dates import at_hour, today
from mailbot.policy.policy import Policy
from mailbot.runtime import taught
from mailbot.runtime.clock import Clock
from mailbot.runtime.registry.registry import RegistryError
from mailbot.runtime.store import DuplicateError, StaleError, StateError, Store, UnavailableError

log = structlog.get_logger("mailbot")

_Result = TypeVar("_Result")

STAGING_TRIES = 5
"""How many times a batch is staged if other processes keep changing its cases, and an email if its RMA number is taken."""


class UnitLookup(Protocol):
    """A registry: units by serial key."""

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units with these serial keys."""


class SentenceClassifier(Protocol):
    """What sentences say. See ``runtime.classifier``."""

    def classify(self, sentences: Sequence[str], own: Sequence[Example] = ()) -> dict[str, tuple[Guess, ...]]:
        """Return the guesses about each masked sentence that could be classified; it never raises an error."""


class Unclassified:
    """No classifier: whatever phrases leave open is unsure."""

    def classify(self, sentences: Sequence[str], own: Sequence[Example] = ()) -> dict[str, tuple[Guess, ...]]:
        """Return nothing."""
        del sentences, own
        return {}


class MailboxContext:
    """What processing the emails of one mailbox needs.

    ``entropy`` returns 128 random bits in hexadecimal, for ids and tokens. ``open_attachments`` extracts the text of attachments:
    an ``AttachmentProcess`` for emails from unknown senders, in this process in tests.
    """

    def __init__(
        self,
        policy: Policy,
        registry: UnitLookup,
        store: Store,
        clock: Clock,
        entropy: Callable[[], str] = lambda: secrets.token_hex(16),
        open_attachments: Callable[[Sequence[Attachment]], AttachmentContents] = contents,
        classifier: SentenceClassifier | None = None,
        own_examples: Sequence[Example] = (),
    ) -> None:
        self.policy, self.registry, self.store, self.clock, self.entropy = policy, registry, store, clock, entropy
        self.open_attachments = open_attachments
        self.classifier: SentenceClassifier = classifier or Unclassified()
        self.own_examples = tuple(own_examples)

    def examples(self) -> tuple[Example, ...]:
        """Return the company's own examples, and those that staff taught at this mailbox."""
        return (*self.own_examples, *taught.examples(self.store, self.policy.desk.address))

    def core_context(self, snapshot: Snapshot) -> Context:
        """Return what the core needs for one step."""
        return Context(self.policy, snapshot, self.clock.now())


class Disposition(Value, frozen=True):
    """What was done with an email: the folder where it belongs now, and the step, if it had an effect."""

    uid: int
    folder: FolderName
    step: Step | None = None


# ---------------------------------------------------------------- emails


def process_batch(batch: Sequence[Mail], mailbox_context: MailboxContext) -> list[Disposition]:
    """Process a batch of emails and make it durable. Only what is returned here may leave INBOX.

    Raises StateError: nothing of the batch took effect, and nothing may be sent or moved.
    """
    done = stage_and_commit(mailbox_context.store, lambda: [_process_mail(mail, mailbox_context) for mail in batch])
    for mail, disposition in zip(batch, done, strict=True):
        record = disposition.step.record if disposition.step else None
        if record:
            log.info(
                "email processed",
                mailbox=mail.mailbox,
                sender=record.sender,
                kind=record.kind,
                outcome=record.outcome,
                case=record.case_id,
                folder=disposition.folder,
                why=record.why,
            )
    return done


def stage_and_commit(store: Store, stage: Callable[[], _Result]) -> _Result:
    """Stage steps and commit them; if another process changed a case meanwhile, stage them again on its new state.

    Raises StateError: nothing that was staged took effect.
    """
    for _ in range(STAGING_TRIES):
        try:
            result = stage()
            store.commit()
        except StaleError as error:
            store.rollback()
            log.info("another process changed a case; the batch is processed again", error=str(error))
        except BaseException:
            store.rollback()
            raise
        else:
            return result
    raise UnavailableError(f"other processes changed the same cases {STAGING_TRIES} times in a row; nothing was changed")


def _process_mail(mail: Mail, mailbox_context: MailboxContext) -> Disposition:
    """Process one email; one that cannot be processed goes to Attention, with a note to staff (promise 4)."""
    digest = hashlib.sha256(mail.raw).hexdigest()
    identity = f"{mail.mailbox} raw {digest}"
    try:
        message = read_message(mail, mailbox_context.policy.desk, mailbox_context.open_attachments)
        identity = message.identity
        if earlier := mailbox_context.store.recorded(identity):
            return Disposition(mail.uid, earlier.folder)
        return _stage_message(mail.uid, message, mailbox_context)
    except (StateError, StaleError, RegistryError):
        raise
    except UnreadableError as error:
        why = str(error)
    except Exception as error:  # one email never keeps the next from being processed
        log.exception("email set aside", mailbox=mail.mailbox, digest=digest[:16])
        why = f"{type(error).__name__} while it was processed"
    step = _set_aside(mail.mailbox, identity, why, mailbox_context)
    return _staged(mail.uid, step, mailbox_context) or Disposition(mail.uid, "Attention")


def step_of(message: Message, mailbox_context: MailboxContext) -> tuple[Step, Case | None, Snapshot]:
    """Return the step of an email, and the case and the snapshot that it is based on. Nothing is staged.

    Raises UnreadableError: a person's email has no usable From or Reply-To; staff must see it.
    """
    if message.classification.sender_class == "human" and message.answer_to is None:
        raise UnreadableError("there is nobody to answer: no usable From or Reply-To")
    case = find_case(message, mailbox_context)
    snapshot = look_up(message, case, mailbox_context)
    return handle(message, case, mailbox_context.core_context(snapshot)), case, snapshot


def _stage_message(uid: int, message: Message, mailbox_context: MailboxContext) -> Disposition:
    """Stage the step of an email; if its RMA number belongs to another case, the next sequence number is tried."""
    for _ in range(STAGING_TRIES):
        step, _, _ = step_of(message, mailbox_context)
        if disposition := _staged(uid, step, mailbox_context):
            return disposition
    raise StateError(
        f"{STAGING_TRIES} RMA numbers in a row belong to other cases: the state is older than its numbers. Restore a newer backup"
    )


def _staged(uid: int, step: Step, mailbox_context: MailboxContext) -> Disposition | None:
    """Stage a step. An email that took effect before has no second effect (promise 2). None: the RMA number is taken."""
    try:
        mailbox_context.store.stage(step)
        taught.remember(mailbox_context.store, mailbox_context.policy.desk.address, step)
    except DuplicateError as error:
        if error.what == "number":
            return None
        if error.what != "mail":
            raise
        return Disposition(uid, "Done")
    return Disposition(uid, step.record.folder if step.record else "Done", step)


def _set_aside(mailbox: str, identity: str, why: str, mailbox_context: MailboxContext) -> Step:
    if earlier := mailbox_context.store.recorded(identity):
        return Step(event=None, decision=None, after=None, record=earlier)
    now = mailbox_context.clock.now()
    record = MailRecord(identity=identity, at=now, mailbox=mailbox, folder="Attention", kind="unreadable", why=why)
    return set_aside(record, mailbox_context.core_context(Snapshot(id_entropy=mailbox_context.entropy())))


def too_large(uid: int, size: int, uid_validity: int, mailbox_context: MailboxContext) -> Disposition:
    """Set an email aside that was not fetched because of its size, and make that durable.

    Raises StateError: nothing took effect.
    """
    mailbox = mailbox_context.policy.desk.address
    why = f"it could not be fetched, or is too large ({size} bytes)"

    def stage() -> Disposition:
        step = _set_aside(mailbox, f"uid {mailbox} {uid_validity} {uid}", why, mailbox_context)
        staged = _staged(uid, step, mailbox_context)
        return Disposition(uid, "Attention", staged.step if staged else None)

    return stage_and_commit(mailbox_context.store, stage)


def incoming_mail(mailbox: str, raw: bytes, now: datetime, uid: int = 0) -> Mail:
    """Return an email as it arrives at a mailbox at ``now``; the dates in it are not trusted."""
    return Mail(mailbox=mailbox, raw=raw, arrived_at=now.astimezone(UTC), uid=uid)


# ---------------------------------------------------------------- what the core is given


def find_case(message: Message, mailbox_context: MailboxContext) -> Case | None:
    """Return the case that an email names by its thread, its address or a number, if its sender may take part; else None."""
    desk = mailbox_context.policy.desk
    found = mailbox_context.store.find(matching.thread_ids(message), matching.case_references(message, desk))
    return matching.case_of_email(found, message, desk)


def look_up(message: Message, case: Case | None, mailbox_context: MailboxContext) -> Snapshot:
    """Return what the core needs to know of the world for an email."""
    policy, store = mailbox_context.policy, mailbox_context.store
    units = mailbox_context.registry.look_up(dict.fromkeys((*message.codes, *_unit_keys(case))))
    answer_to = message.answer_to.email if message.answer_to else ""
    classes = _classes(message, case, units, mailbox_context)
    midnight = at_hour(today(mailbox_context.clock.now(), policy.timezone), 0, policy.timezone)
    return Snapshot(
        units=units,
        open_cases=store.open_cases(policy.desk.address, units),
        past_cases=store.past_cases(policy.desk.address, units),
        answers_today=store.answers_since(answer_to, midnight) if answer_to else 0,
        id_entropy=mailbox_context.entropy(),
        token_entropy=mailbox_context.entropy(),
        sequence=store.next_sequence(),
        classes=classes,
    )


def _classes(
    message: Message, case: Case | None, units: dict[str, Unit], mailbox_context: MailboxContext
) -> dict[str, tuple[Guess, ...]]:
    """Return what the classifier says about the sentences of a person that phrases leave open."""
    desk = mailbox_context.policy.desk
    if message.classification.sender_class != "human" or staff_member(message, desk):
        return {}
    sentences = open_sentences(MessageContent(message, case, units, desk))
    return mailbox_context.classifier.classify(sentences, mailbox_context.examples()) if sentences else {}


def snapshot_for(case: Case, mailbox_context: MailboxContext) -> Snapshot:
    """Return what the core needs to know of the world for a due date or a failed delivery of a case."""
    return Snapshot(
        units=mailbox_context.registry.look_up(_unit_keys(case)),
        id_entropy=mailbox_context.entropy(),
        token_entropy=mailbox_context.entropy(),
        sequence=mailbox_context.store.next_sequence(),
    )


def _unit_keys(case: Case | None) -> list[str]:
    return [serial_key(unit.serial) for unit in case.units if unit.serial] if case else []


# ---------------------------------------------------------------- due dates


def process_due(contexts: Mapping[str, MailboxContext], store: Store, clock: Clock) -> list[Step]:
    """Process the due dates that have been reached: one trigger for each case, so that a long pause brings one reminder.

    Raises StateError: what was not committed before took no effect.
    """
    now = clock.now()
    steps: dict[str, Step] = {}
    last: DueDate | None = None
    try:
        while due_dates := store.claim_due(now, contexts, last):
            for due in due_dates:
                if due.case_id not in steps and (step := _stage_due(due, contexts, store, now)):
                    steps[due.case_id] = step
            store.commit()
            last = due_dates[-1]
    except StaleError as error:
        log.info("another process changed a case; its due date is processed again", error=str(error))
    finally:
        store.rollback()
    for case_id, step in steps.items():
        log.info("due date processed", case=case_id, replies=len(step.replies))
    return list(steps.values())


def _stage_due(due: DueDate, contexts: Mapping[str, MailboxContext], store: Store, now: datetime) -> Step | None:
    case = store.case(due.case_id)
    if case is None:
        return None
    mailbox_context = contexts[case.mailbox]
    try:
        step = handle(DueDate(case.id, now), case, Context(mailbox_context.policy, snapshot_for(case, mailbox_context), now))
        store.stage(step)
    except (StateError, StaleError):
        raise
    except Exception:  # one case never keeps the others from being processed
        log.exception("due date not processed", case=case.id)
        return None
    return step
