"""Decision -> replies: which mails go out, to whom, frozen byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import structs

from mailbot.mail.build import Draft, build
from mailbot.model import (
    Answered,
    Bounced,
    CameDue,
    Case,
    Deadline,
    Decision,
    Event,
    Ignored,
    Known,
    Ordered,
    Record,
    Reply,
    Requested,
    Role,
    Staff,
    StaffSaid,
    Wrote,
)
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy
from mailbot.reply import letters
from mailbot.reply.letter import Contact, Letter

ANSWERS_IF_FORGED = 1
"""Answers a day to an address in whose name somebody writes: our own server says that the From is not genuine (P5)."""
ANSWERS_A_DAY = 5
"""Direct answers to one address in a day; from the next on silence, and staff are told once (design §5, reliability L4)."""


class Outgoing:
    """The replies of one step, each with an id of its own: stable, because it is frozen with the reply."""

    def __init__(
        self, policy: Policy, known: Known, now: datetime, case: Case | None = None, thread: tuple[str, ...] = ()
    ) -> None:
        self.policy, self.known, self.now, self.case, self.thread = policy, known, now, case, thread
        self.replies: list[Reply] = []

    def add(
        self,
        letter: Letter,
        to: str,
        cites: tuple[str, ...],
        *,
        staff: bool = False,
        direct: bool = False,
        silent: bool = False,
    ) -> None:
        """Freeze a letter into a reply; a ``silent`` one is kept on record and never sent."""
        text, html = self.policy.letters.render(letter, self.policy.name)
        reply = Reply(
            message_id=self._next_id("staff" if staff else "customer"),
            mailbox=self.policy.desk.address,
            to=to,
            subject=letter.subject,
            raw="",
            at=self.now,
            letter=f"{letter.kind} {letter.about}".strip(),
            cites=cites,
            audience="staff" if staff else "customer",
            direct=direct,
        )
        thread = () if staff else self.thread
        raw = build(
            Draft(
                mailbox_name=letter.company,
                mailbox=reply.mailbox,
                to=to,
                subject=letter.subject,
                message_id=reply.message_id,
                date=self.now,
                in_reply_to=thread[-1] if thread else None,
                references=thread,
                text=text,
                html=html,
                auto_submitted="auto-replied" if direct else "auto-generated",
            )
        )
        state, note = ("held", "the day's answers to this address are given") if silent else ("queued", "")
        self.replies.append(structs.replace(reply, raw=raw.decode("ascii"), state=state, note=note))

    def _next_id(self, audience: Literal["customer", "staff"]) -> str:
        """Return an id that counts the mails to this audience: how many notes staff got is not for customers to see (promise 7)."""
        name = self.case.id.lower() if self.case else "note"
        before = (*(self.case.replies if self.case else ()), *self.replies)
        count = sum(1 for reply in before if reply.audience == audience) + 1
        mark = "" if audience == "customer" else "s"
        return f"{name}.{mark}{count}.{self.known.fresh[10:26]}@{self.policy.desk.address.rpartition('@')[2]}"


def compose(
    before: Case | None,
    event: Event,
    decision: Decision,
    after: Case | None,
    known: Known,
    policy: Policy,
    now: datetime,
) -> tuple[Reply, ...]:
    """Return the mails that follow from a decision. No machine is ever answered (RFC 3834)."""
    if after is None or isinstance(event, Ignored):
        return ()
    out = Outgoing(policy, known, now, after, _thread(event, after))
    match event:
        case CameDue(keys=keys):
            for deadline in _speaking(before, keys):
                _remind(out, before or after, deadline)
        case Bounced(mail=mail, bounce=bounce):
            unreached = structs.replace(mail, sender=", ".join(bounce.recipients) or after.sender)
            letter = letters.notice(policy, after, decision, unreached, known, about="undeliverable")
            _to_staff(out, letter, decision, ("desk",))
        case _ if decision.outcome == "none":
            return ()
        case StaffSaid(mail=mail):
            letter = letters.notice(policy, after, decision, mail, known, about="passed_on")
            _to_staff(out, letter, decision, decision.notify or ("desk",))
        case _:
            _answer(out, event, decision, after)
    return tuple(out.replies)


def _answer(out: Outgoing, event: Requested | Answered | Ordered, decision: Decision, case: Case) -> None:
    policy, known, mail, order = out.policy, out.known, event.mail, event.request.po_number
    most = ANSWERS_IF_FORGED if mail.forged else ANSWERS_A_DAY
    if known.answers_today > most:
        out.add(*_letter_to(policy, case, decision, mail), direct=True, silent=True)
        return
    if mail.answer_to:
        out.add(*_letter_to(policy, case, decision, mail), direct=True, silent=known.answers_today == most)
    if known.answers_today == most:  # told once: neither the customer nor staff can be bombed (L4, R5)
        why = (
            f"{mail.answer_to} has had the day's answers ({most}). This mail and the day's further ones are decided and on "
            f"record, and get no answer. {decision.why}"
        )
        silence = structs.replace(decision, why=why)
        notice = letters.notice(policy, case, silence, mail, known, about="silent", order=order)
        _to_staff(out, notice, decision, decision.notify or ("desk",))
    elif decision.notify:
        held = any(v.outcome == "staff" for v in decision.verdicts)
        about = "held" if held else "told" if decision.verdicts else "passed_on"
        notice = letters.notice(policy, case, decision, mail, known, about=about, order=order)
        _to_staff(out, notice, decision, decision.notify)


def _letter_to(policy: Policy, case: Case, decision: Decision, mail: Wrote) -> tuple[Letter, str, tuple[str, ...]]:
    letter = letters.answer(policy, case, decision, mail, first=not case.replies)
    cites = dict.fromkeys((*decision.clauses, *(said.clause for said in letter.informs)))
    return letter, mail.answer_to, tuple(cites)


def _remind(out: Outgoing, case: Case, deadline: Deadline) -> None:
    letter = letters.reminder(out.policy, case, deadline, today(out.now, out.policy.timezone))
    decision = letters.due_decision(out.policy, deadline)
    if deadline.kind == "held":
        last = next((e for e in reversed(case.history) if e.decision.notify), None)
        shown = last.decision if last else decision
        mail = None if last is None or isinstance(last.event, CameDue) else last.event.mail
        letter = letters.notice(out.policy, case, shown, mail, out.known, about="held")
        _to_staff(out, letter, shown, shown.notify or ("approver",))
    elif case.sender and not case.unreachable:
        cites = dict.fromkeys((*decision.clauses, *(said.clause for said in letter.informs)))
        out.add(letter, case.sender, tuple(cites))


def _speaking(case: Case | None, keys: tuple[str, ...]) -> Iterator[Deadline]:
    """Yield one deadline of each kind that came: its end if that came, else its latest reminder."""
    came = [d for d in case.deadlines if d.key in keys] if case else []
    for kind in dict.fromkeys(d.kind for d in came):
        yield max((d for d in came if d.kind == kind), key=lambda d: (d.ends, d.at))


def _to_staff(out: Outgoing, letter: Letter, decision: Decision, roles: tuple[Role, ...]) -> None:
    cites = dict.fromkeys((*decision.clauses, *(said.clause for said in letter.informs)))
    people = dict.fromkeys(person.address for role in roles for person in able(out.policy, role))
    for address in people:
        out.add(letter, address, tuple(cites), staff=True)


def able(policy: Policy, role: Role) -> tuple[Staff, ...]:
    """Return those who can act in a role; all staff if no one has it (design §5)."""
    staff = policy.desk.staff
    return tuple(person for person in staff if role in person.roles) or staff


def unreadable(policy: Policy, known: Known, record: Record, now: datetime) -> tuple[Reply, ...]:
    """Return the note to staff about a mail that could not be processed: what is known of it, nothing of its content."""
    out = Outgoing(policy, known, now)
    letter = Letter(
        kind="notice",
        about="unreadable",
        subject=f"[{policy.rules.policy.company}] unreadable mail",
        company=policy.rules.policy.company,
        contact=Contact(policy.rules.policy.company, policy.rules.contact.lines),
        why=record.why,
        facts=(("arrived", record.at.isoformat(timespec="seconds")), ("identity", record.identity.strip())),
        sender=record.sender,
        policy_version=f"{policy.stamp.version} ({policy.stamp.digest[:8]})",
    )
    for person in able(policy, "desk"):
        out.add(letter, person.address, (), staff=True)
    return tuple(out.replies)


def _thread(event: Event, case: Case) -> tuple[str, ...]:
    """Return the ids of the thread so far, the customer's latest mail last (RFC 5322 §3.6.4)."""
    mails = [e.event.mail for e in case.history if not isinstance(e.event, CameDue | StaffSaid | Bounced)]
    latest = mails[-1] if mails else None
    if not isinstance(event, CameDue | StaffSaid | Bounced):
        latest = event.mail
    if latest is None:
        return ()
    return tuple(dict.fromkeys((*latest.references, *((latest.message_id,) if latest.message_id else ()))))
