"""The one path, for every arrival: understand, decide, advance, compose. Pure: no I/O, no clock, no chance."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import structs

from mailbot.case.apply import apply
from mailbot.case.interpret import interpret
from mailbot.case.merge import UNIT_INTENTS
from mailbot.decide import active_case
from mailbot.decide import staff_commands as commands_of_staff
from mailbot.decide.coverage import answered, decide_units
from mailbot.decide.permissions import HARMLESS
from mailbot.model import (
    Answered,
    Bounced,
    Case,
    Command,
    DeadlinesReached,
    Decision,
    DueDate,
    Event,
    FailedDelivery,
    HistoryEntry,
    Ignored,
    MailRecord,
    MailReference,
    Message,
    Ordered,
    Requested,
    Snapshot,
    StaffMessage,
    Step,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy
from mailbot.reply.compose import compose


def handle(
    arrival: Message | DueDate | FailedDelivery, case: Case | None, snapshot: Snapshot, policy: Policy, now: datetime
) -> Step:
    """Return what follows from one arrival.

    Args:
        arrival: a mail, read; deadlines of a case that have come; or a mail of ours that could not be sent.
        case: the case it belongs to, if its thread or its number names one.
        snapshot: what the core needs to know of the world.
        policy: the company's rules at this desk.
        now: aware, UTC: when it arrives. Dates in the mail are hearsay.
    """
    event, case = interpret(arrival, case, snapshot, policy, now)
    decision = decide(policy, case, event, snapshot, now)
    after = apply(case, event, decision, snapshot, policy, now)
    replies, tokens = compose(case, event, decision, after, snapshot, policy, now)
    if after is not None:
        entry = HistoryEntry(now, event, decision, tuple(reply.message_id for reply in replies))
        after = structs.replace(
            after,
            history=(*after.history, entry),
            replies=(*after.replies, *replies),
            tokens=(*after.tokens, *tokens),
            participants=_who(after, event),
        )
    record = _record(event, decision, after, policy, now) if isinstance(arrival, Message) else None
    return Step(event, decision, after, replies, record)


def decide(policy: Policy, case: Case | None, event: Event, snapshot: Snapshot, now: datetime) -> Decision:
    """Return outcome, clauses and facts for what happened."""
    day = today(now, policy.timezone)
    match event:
        case DeadlinesReached():
            return Decision("none", (), "a deadline came", policy.stamp)
        case Ignored(reason=because):
            return Decision("none", (), because, policy.stamp)
        case Bounced():
            return Decision("none", (), "a mail of ours could not be delivered", policy.stamp)
        case StaffMessage():
            return _of_staff(policy, case, event, snapshot, day)
    return _of_customer(policy, case, event, snapshot, day)


def _of_customer(
    policy: Policy, case: Case | None, event: Requested | Answered | Ordered, snapshot: Snapshot, day: date
) -> Decision:
    """Decide on a customer's mail: as the case it is about demands, else by the rules of coverage, else by a person."""
    mail, request, answers = event.mail, event.request, policy.rules.answers
    if request.thanks and not (request.units or request.special_requests or request.parcel):
        return Decision("none", (), "thanks", policy.stamp)
    if case is not None and (decision := active_case.decide(case, event, snapshot, policy, day)):
        return decision
    if request.attention:
        return answered(policy, answers.other, mail, request, case)
    if isinstance(event, Ordered):
        return answered(policy, answers.order, mail, request, case)
    if request.intent == "accept_quote":
        return answered(policy, answers.accept, mail, request, case)
    units = request.intent in UNIT_INTENTS
    if units and request.units:
        return _told_again(decide_units(policy, mail, request, case, snapshot), case)
    plain = answered(policy, answers.other, mail, request, case)
    if units and request.foreign:  # answered as if it named no unit; what it names, staff see beside it (promise 7)
        hidden = decide_units(policy, mail, request, case, snapshot)
        roles = tuple(dict.fromkeys((*hidden.notify, *plain.notify)))
        return structs.replace(plain, verdicts=hidden.verdicts, notify=roles)
    return plain


def _of_staff(policy: Policy, case: Case | None, event: StaffMessage, snapshot: Snapshot, day: date) -> Decision:
    """Decide on a mail of staff: carry out its commands, ask for a confirmation, or leave it alone (A1, design §5)."""
    mail, request = event.mail, event.request
    if event.proof == "forged":
        return Decision("none", (), "our mail server says that the sender is not genuine", policy.stamp, told="forged")
    person = next(each for each in policy.desk.staff if each.address == mail.sender)
    commands = _meant(case, event)
    passed_on = case is None and bool(
        request.units
    )  # a request that a colleague passes on; "diagnosed" is part of its story
    if commands and not passed_on:
        decision = commands_of_staff.decide(case, commands, person, snapshot, policy, day)
        bound = event.proof == "confirmation" and commands != _asked_for(
            case, event
        )  # it confirms its own commands only
        proved = event.proof != "none" and not bound
        free = proved or all(command.name in HARMLESS for command in commands)
        if free or not any(ruling.result in ("done", "second") for ruling in decision.rulings):
            return decision
        if case and any(t.person == person.address and t.commands == commands for t in case.tokens):
            return Decision("none", (), "a confirmation has been asked for already", policy.stamp)
        asked = tuple(structs.replace(r, result="asked") if r.result != "refused" else r for r in decision.rulings)
        return Decision("none", (), "nothing shows that this is genuine", policy.stamp, rulings=asked, told="confirm")
    if request.unclear:
        return Decision("none", (), "a mail of staff that decides nothing clearly", policy.stamp, told="unclear")
    if request.units or request.intent != "none":
        return answered(policy, policy.rules.answers.other, mail, request, case)
    if case is not None and event.proof != "none" and {case.sender, *case.participants} & set(mail.others):
        return Decision("none", (), "a colleague has written to the customer", policy.stamp, told="answered")
    told = "nothing" if case is not None and not mail.others and _answers_us(case, mail) else ""
    return Decision("none", (), "a note by staff", policy.stamp, told=told)


def _answers_us(case: Case, mail: MailReference) -> bool:
    """Say whether a colleague answers a letter of ours to staff: whoever does believes that the words go somewhere."""
    ours = {reply.message_id for reply in case.replies if reply.audience == "staff"}
    return not ours.isdisjoint(mail.references)


def _meant(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return what is to be done: the commands of the mail, or those that it confirms; none where it is unclear."""
    said, waiting = event.request.commands, _asked_for(case, event)
    asked = {structs.replace(command, said="") for command in waiting}
    plain = {Command("confirm", ""), Command("approve", "")}
    if waiting and said and {structs.replace(command, said="") for command in said} <= asked | plain:
        return waiting
    return tuple(command for command in said if command.name != "confirm")


def _asked_for(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return the commands that the token of the mail confirms; none where it is no such token."""
    tokens = case.tokens if case and event.token else ()
    return next((token.commands for token in tokens if token.secret == event.token), ())


def _told_again(decision: Decision, case: Case | None) -> Decision:
    """Have a person look when a serial could not be matched a second time, whoever asks (promise 7)."""
    again = case is not None and "known_serial" in case.asked and "known_serial" in decision.asks
    return structs.replace(decision, notify=decision.notify or ("approver",)) if again else decision


def _who(case: Case, event: Event) -> tuple[str, ...]:
    """Return the participants: those who wrote in this case; being on Cc makes nobody one (P4)."""
    if isinstance(event, DeadlinesReached | StaffMessage | Bounced | Ignored):
        return case.participants
    addresses = (event.mail.sender, event.mail.answer_to)
    return tuple(dict.fromkeys((*case.participants, *(address for address in addresses if address))))


def _record(event: Event, decision: Decision, after: Case | None, policy: Policy, now: datetime) -> MailRecord | None:
    if isinstance(event, DeadlinesReached):
        return None
    return MailRecord(
        identity=event.mail.identity,
        at=now,
        mailbox=policy.desk.address,
        folder="Ignored" if isinstance(event, Ignored) else "Done",
        kind=event.request.kind,
        sender=event.mail.sender,
        subject=event.mail.subject,
        message_id=event.mail.message_id,
        case_id=after.id if after else None,
        outcome=decision.outcome,
        why=decision.why,
    )
