"""Decision -> replies: which mails go out, to whom, frozen byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import structs

from mailbot.decide import active_case, permissions
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Answered,
    Attachment,
    Bounced,
    Case,
    Deadline,
    DeadlinesReached,
    Decision,
    Event,
    Ignored,
    MailRecord,
    Ordered,
    Reply,
    Requested,
    Role,
    Snapshot,
    StaffMessage,
    Token,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy
from mailbot.reply import customer_emails, progress_emails, staff_emails
from mailbot.reply.content import EmailContent
from mailbot.reply.document_set import documents_for
from mailbot.reply.freeze import ReplyBuilder, staff_for

ANSWERS_IF_FORGED = 1
"""Answers a day to an address in whose name somebody writes: our own server says that the From is not genuine (P5)."""
ANSWERS_A_DAY = 5
"""Direct answers to one address in a day; from the next on silence, and staff are told once (design §5, reliability L4)."""


def compose(
    before: Case | None,
    event: Event,
    decision: Decision,
    after: Case | None,
    snapshot: Snapshot,
    policy: Policy,
    now: datetime,
) -> tuple[tuple[Reply, ...], tuple[Token, ...]]:
    """Return the mails that follow from a decision, and the tokens in them. No machine is ever answered (RFC 3834)."""
    if isinstance(event, Ignored) or (after is None and not isinstance(event, StaffMessage)):
        return (), ()
    out = ReplyBuilder(policy, snapshot, now, after, _thread(event, after))
    _write(out, before, event, decision, after)
    return tuple(out.replies), tuple(out.tokens)


def _write(out: ReplyBuilder, before: Case | None, event: Event, decision: Decision, after: Case | None) -> None:
    policy, snapshot = out.policy, out.snapshot
    match event:
        case StaffMessage(mail=mail) if decision.rulings or decision.told:
            _to_colleague(out, event, decision, before, after)
        case _ if after is None:
            return
        case DeadlinesReached(keys=keys):
            for deadline in _speaking(before, keys):
                _remind(out, before or after, after, deadline)
        case Bounced(mail=mail, bounce=bounce):
            unreached = structs.replace(mail, sender=", ".join(bounce.recipients) or after.sender)
            letter = staff_emails.notice(policy, after, decision, unreached, snapshot, about="undeliverable")
            _to_staff(out, letter, decision, ("desk",))
        case Requested() | Answered() | Ordered() if decision.told:
            _tell(out, event, decision, after)
        case _ if decision.outcome == "none":
            return
        case StaffMessage(mail=mail):
            letter = staff_emails.notice(policy, after, decision, mail, snapshot, about="passed_on")
            _to_staff(out, letter, decision, decision.notify or ("desk",))
        case Requested() | Answered() | Ordered():
            _answer(out, event, decision, after)


def _to_colleague(
    out: ReplyBuilder, event: StaffMessage, decision: Decision, before: Case | None, after: Case | None
) -> None:
    """Answer a colleague with a transcript; tell the customer and a second approver what concerns them."""
    policy, known, mail = out.policy, out.snapshot, event.mail
    person = next(each for each in policy.desk.staff if each.address == mail.sender)
    if decision.told == "forged":
        if known.answers_today < ANSWERS_IF_FORGED:  # reported once, whatever else comes in that name
            out.to_staff(staff_emails.forged(policy, decision, mail), person, direct=True)
        return
    if before and after:
        for letter, cites in _of_commands(out, decision, before, after):
            if after.sender and not after.unreachable:
                out.add(letter, after.sender, cites, attachments=_papers(out, letter, after))
        if decision.notify:
            _to_staff(
                out, staff_emails.notice(policy, after, decision, None, known, about="held"), decision, decision.notify
            )
        _second_opinion(out, event, decision, after)
    if decision.told == "answered" or (decision.told == "confirm" and known.answers_today >= ANSWERS_A_DAY):
        return
    about = decision.told or "done"
    confirms = tuple(ruling.command for ruling in decision.rulings if ruling.result == "asked")
    out.to_staff(
        staff_emails.transcript(policy, after, decision, mail, about=about),
        person,
        decision.clauses,
        confirms=confirms,
        direct=bool(confirms),
    )


def _second_opinion(out: ReplyBuilder, event: StaffMessage, decision: Decision, after: Case) -> None:
    """Ask those who can approve what is above a colleague's limit (A12)."""
    if any(ruling.result == "second" for ruling in decision.rulings):
        notice = staff_emails.second(out.policy, after, decision, event.mail, out.snapshot)
        amount, people = permissions.pending_amount(after), out.policy.desk.staff
        for approver in permissions.second_approvers(people, event.mail.sender, amount, after):
            out.to_staff(notice, approver, decision.clauses)


def _of_commands(
    out: ReplyBuilder, decision: Decision, before: Case, after: Case
) -> Iterator[tuple[EmailContent, tuple[str, ...]]]:
    """Yield the customer's letters: one for what was decided, then one for each step that a unit took."""
    customer = active_case.latest_mail(after)
    if customer and any(verdict.outcome != "staff" for verdict in decision.verdicts):
        letter = customer_emails.answer(out.policy, after, decision, customer, first=False)
        clauses = tuple(dict.fromkeys(clause for verdict in decision.verdicts for clause in verdict.clauses))
        yield letter, _cites(clauses, letter)
    for ruling in decision.rulings:
        if ruling.result == "done":
            found = progress_emails.after_command(out.policy, ruling, before, after, out.snapshot, decision)
            if found:
                yield found


def _tell(out: ReplyBuilder, event: Requested | Answered | Ordered, decision: Decision, case: Case) -> None:
    """Answer a customer about a return that is under way."""
    items = tuple(i for v in decision.verdicts for i in case.units if serial_key(i.serial) == serial_key(v.serial))
    wishes = event.request.special_requests
    found = progress_emails.letter(
        out.policy, decision.told, case, items, out.snapshot, decision, special_requests=wishes
    )
    _direct(out, event, decision, case, found)


def _direct(
    out: ReplyBuilder,
    event: Requested | Answered | Ordered,
    decision: Decision,
    case: Case,
    found: tuple[EmailContent, tuple[str, ...]],
) -> None:
    """Send one answer to one mail, as far as the day's answers to this address go, and tell staff what is theirs."""
    policy, known, mail, request = out.policy, out.snapshot, event.mail, event.request
    letter, cites = found
    most = ANSWERS_IF_FORGED if mail.forged else ANSWERS_A_DAY
    over = known.answers_today >= most
    if mail.answer_to or known.answers_today > most:
        papers = () if over else _papers(out, letter, case)
        out.add(letter, mail.answer_to, cites, direct=True, silent=over, attachments=papers)
    if known.answers_today > most:
        return
    if over:  # told once: neither the customer nor staff can be bombed (L4, R5)
        why = (
            f"{mail.answer_to} has had the day's answers ({most}). This mail and the day's further ones are decided and on "
            f"record, and get no answer."
        )
        silence = structs.replace(decision, why=why)
        notice = staff_emails.notice(policy, case, silence, mail, known, about="silent", request=request)
        _to_staff(out, notice, decision, decision.notify or ("desk",))
    elif decision.notify:
        held = any(v.outcome == "staff" for v in decision.verdicts) or any(
            i.charged and i.state == "held" for i in case.units
        )
        about = "held" if held else "told" if decision.verdicts else "passed_on"
        notice = staff_emails.notice(policy, case, decision, mail, known, about=about, request=request)
        _to_staff(out, notice, decision, decision.notify)


def _answer(out: ReplyBuilder, event: Requested | Answered | Ordered, decision: Decision, case: Case) -> None:
    letter = customer_emails.answer(out.policy, case, decision, event.mail, first=not case.replies)
    _direct(out, event, decision, case, (letter, _cites(decision.clauses, letter)))


def _cites(clauses: tuple[str, ...], letter: EmailContent) -> tuple[str, ...]:
    """Return the clauses on record for a letter: what decided, and what it says besides."""
    return tuple(dict.fromkeys((*clauses, *(said.clause for said in letter.informs))))


def _papers(out: ReplyBuilder, letter: EmailContent, case: Case) -> tuple[Attachment, ...]:
    """Return what is attached to a letter that gives out a number, or says where the box goes now (AP-31, AP-42, ST-11)."""
    fresh = (
        letter.kind == "answer" and letter.number and any(u.outcome == "issue" and not u.existing for u in letter.units)
    )
    moved = letter.kind == "progress" and letter.about in ("address", "extended") and letter.number
    day = today(out.now, out.policy.timezone)
    return documents_for(out.policy, case, out.snapshot, day) if fresh or moved else ()


def _remind(out: ReplyBuilder, case: Case, after: Case, deadline: Deadline) -> None:
    decision = customer_emails.due_decision(out.policy, deadline)
    if deadline.kind == "close":
        return
    if deadline.kind == "repair":
        notice = staff_emails.repair(out.policy, case, decision, out.snapshot, about=_repair(deadline))
        _to_staff(out, notice, decision, ("desk",))
        return
    lapsed = tuple(unit for unit in case.units if unit.state == "parts_quoted")
    if deadline.kind == "quote" and deadline.ends and lapsed:
        now = tuple(i for i in after.units if serial_key(i.serial) in {serial_key(unit.serial) for unit in lapsed})
        letter, cites = progress_emails.letter(out.policy, "parts_lapsed", after, now, out.snapshot, decision)
        if case.sender and not case.unreachable:
            out.add(letter, case.sender, cites)
        notice = staff_emails.lapsed(out.policy, after, decision, out.snapshot, now)
        _to_staff(out, notice, decision, ("desk",))
        return
    letter = customer_emails.reminder(out.policy, case, deadline, today(out.now, out.policy.timezone))
    if deadline.kind == "held":
        last = next((e for e in reversed(case.history) if e.decision.notify), None)
        shown = last.decision if last else decision
        mail = None if last is None or isinstance(last.event, DeadlinesReached) else last.event.mail
        letter = staff_emails.notice(out.policy, case, shown, mail, out.snapshot, about="held")
        _to_staff(out, letter, shown, shown.notify or ("approver",))
    elif case.sender and not case.unreachable:
        out.add(letter, case.sender, _cites(decision.clauses, letter))


def _speaking(case: Case | None, keys: tuple[str, ...]) -> Iterator[Deadline]:
    """Yield one deadline of each kind that came: its end if that came, else its latest reminder."""
    came = [d for d in case.deadlines if d.key in keys] if case else []
    for kind in dict.fromkeys(d.kind for d in came):
        yield max((d for d in came if d.kind == kind), key=lambda d: (d.ends, d.at))


def _repair(deadline: Deadline) -> str:
    return "repair_due" if "-before:" in deadline.key else "repair_overdue"


def _to_staff(out: ReplyBuilder, letter: EmailContent, decision: Decision, roles: tuple[Role, ...]) -> None:
    people = dict.fromkeys(person for role in roles for person in staff_for(out.policy, role))
    for person in people:
        out.to_staff(letter, person, _cites(decision.clauses, letter))


def unreadable(policy: Policy, snapshot: Snapshot, record: MailRecord, now: datetime) -> tuple[Reply, ...]:
    """Return the note to staff about a mail that could not be processed: what is known of it, nothing of its content."""
    out = ReplyBuilder(policy, snapshot, now)
    letter = EmailContent(
        kind="notice",
        about="unreadable",
        subject=f"[{policy.rules.policy.company}] unreadable mail",
        company=policy.rules.policy.company,
        contact=customer_emails.contact_of(policy),
        why=record.why,
        facts=(("arrived", record.at.isoformat(timespec="seconds")), ("identity", record.identity.strip())),
        sender=record.sender,
        policy_version=f"{policy.stamp.version} ({policy.stamp.digest[:8]})",
    )
    for person in staff_for(policy, "desk"):
        out.to_staff(letter, person)
    return tuple(out.replies)


def _thread(event: Event, case: Case | None) -> tuple[str, ...]:
    """Return the ids of the thread so far, the customer's latest mail last (RFC 5322 §3.6.4)."""
    if case is None:
        return ()
    mails = [e.event.mail for e in case.history if not isinstance(e.event, DeadlinesReached | StaffMessage | Bounced)]
    latest = mails[-1] if mails else None
    if not isinstance(event, DeadlinesReached | StaffMessage | Bounced):
        latest = event.mail
    if latest is None:
        return ()
    return tuple(dict.fromkeys((*latest.references, *((latest.message_id,) if latest.message_id else ()))))
