"""The pure part of the pipeline, the same for every trigger: interpret, decide, apply, compose."""

from __future__ import annotations

from mailbot.case.apply import apply, with_replies
from mailbot.case.interpret import interpret
from mailbot.decide.triggers import decide, decide_unreadable
from mailbot.model import Case, Decision, DueDate, FailedDelivery, Ignored, MailEvent, MailRecord, Message, Step
from mailbot.policy.context import Context
from mailbot.reply.compose import compose


def handle(trigger: Message | DueDate | FailedDelivery, case: Case | None, context: Context) -> Step:
    """Return the step that results from one trigger. No I/O, no clock, no random numbers.

    ``case``: the case that the trigger refers to by its thread, its address, or a number; None if there is none.

    Raises:
        ImpossibleTransitionError: the state of a unit does not allow the event; store nothing.
    """
    event, case = interpret(trigger, case, context)
    decision = decide(case, event, context)
    after = apply(case, event, decision, context.now)
    replies = compose(decision, after, context)
    if after is not None:
        after = with_replies(after, replies)
    record = _record(event, decision, after, context) if isinstance(trigger, Message) and isinstance(event, MailEvent) else None
    return Step(event, decision, after, replies, record)


def set_aside(record: MailRecord, context: Context) -> Step:
    """Return the step for an email that could not be processed: it only notifies staff (promise 4)."""
    decision = decide_unreadable(record, context)
    return Step(event=None, decision=decision, after=None, replies=compose(decision, None, context), record=record)


def _record(event: MailEvent, decision: Decision, after: Case | None, context: Context) -> MailRecord:
    return MailRecord(
        identity=event.mail.identity,
        at=context.now,
        mailbox=context.policy.desk.address,
        folder="Ignored" if isinstance(event, Ignored) else "Done",
        kind=event.request.kind,
        sender=event.mail.sender,
        subject=event.mail.subject,
        message_id=event.mail.message_id,
        case_id=after.id if after else None,
        outcome=decision.outcome,
        why=decision.why,
    )
