"""Every kind of trigger, each taken once by a desk at work: what went in, and what came of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from support.memory_desk import KIM, PORTWELL, SERVERTECH, Desk, library, unit
from support.random_cases import Outbox, finished, mail, report

from mailbot.case.delivery import Refused
from mailbot.core import handle, set_aside
from mailbot.model import StaffMember
from mailbot.runtime import pipeline, sending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.model import Case, MailRecord, Reply, Step
    from mailbot.policy.context import Context
    from mailbot.policy.policy import Policy

JOE = "joe@elsewhere.example"
DOMAIN = {PORTWELL: "portwell.example", SERVERTECH: "servertech.example"}
SERIALS = {PORTWELL: "AH2F1044", SERVERTECH: "STV7001-00003"}
FAMILY = {PORTWELL: "ipc", SERVERTECH: "pdu"}
PARCEL = "1Z999AA10123456784"


@cache
def policy(company: str) -> Policy:
    """The shipped policy with HTML and documents, four members of staff, and an email server that says who is genuine."""
    domain = DOMAIN[company]
    staff = (
        StaffMember(f"boss@{domain}", ("approver", "desk"), Decimal(500)),
        StaffMember(f"chief@{domain}", ("approver",), Decimal(5000)),
        StaffMember(f"bench@{domain}", ("desk",)),
        StaffMember(f"sales@{domain}", ("sales",), Decimal(100)),
    )
    return library().policy(company, staff=staff, trusted_authserv_id=f"mx.{domain}")


class Taken(NamedTuple):
    """One step: what the trigger was, what the core was given, and what came of it."""

    name: str
    trigger: Any
    case: Case | None
    context: Context
    step: Step


class Walk(Desk):
    """A desk that keeps what every step was given."""

    def __init__(self, company: str) -> None:
        base, family = SERIALS[company], FAMILY[company]
        abroad = {"country": "DE", "origin": "TW"}
        rows = [
            *(unit(f"{base}{n}", family, date(2026, 3, 1), **abroad) for n in range(10, 30)),
            *(unit(f"{base}{n}", family, date(2012, 3, 1)) for n in range(30, 50)),
            *(unit(f"{base}{n}", family, date(2026, 11, 10)) for n in range(50, 60)),
        ]
        super().__init__(policy(company), rows)
        self.company, self.server, self.count = company, f"mx.{DOMAIN[company]}", 0
        self.name, self.taken = "", list[Taken]()

    def serial(self, number: int) -> str:
        """10 to 29 are under warranty and abroad, 30 to 49 out of warranty, 50 to 59 just delivered."""
        return f"{SERIALS[self.company]}{number}"

    # ------------------------------------------------------------ what happens

    def arrives(self, name: str, body: str, sender: str = KIM, *, about: Case | None = None, **more: Any) -> Step:
        """Let an email arrive; ``about`` is the case that it answers the latest customer's email of."""
        self.name, self.count = name, self.count + 1
        ours = [reply for reply in about.replies if reply.audience == "customer"] if about else []
        answers = more.pop("answers", ours[-1].message_id if ours else "")
        raw = mail(
            sender,
            more.pop("to", self.policy.desk.address),
            more.pop("subject", "Re: A board" if about else "A board"),
            body,
            ident=f"m{self.count}",
            answers=answers,
            server=self.server,
            **more,
        )
        return self.take(raw)

    def customer(self, name: str, body: str, **more: Any) -> Case:
        """Let a customer's email arrive, and return its case as stored."""
        step = self.arrives(name, body, **more)
        assert step.after, name
        return self.now(step.after)

    def order(self, name: str, case: Case, *, total: str = "") -> Case:
        """Let a purchase order for the latest quote arrive."""
        quote = case.quotes[-1]
        text = f"PURCHASE ORDER 4711\nYour quotation: {quote.number}\nTotal: USD {total or quote.total}\n"
        files = [("PO-4711.txt", text)]
        return self.customer(name, "Please proceed, our purchase order PO 4711 is attached.", about=case, files=files)

    def staff(self, name: str, who: str, words: str, case: Case | None, **more: Any) -> Step:
        """Let a member of staff write about a case."""
        more.setdefault("subject", f"Re: [{case.id}]" if case else "A board")
        return self.arrives(name, words, f"{who}@{DOMAIN[self.company]}", **more)

    def comes_due(self, name: str, *, days: float) -> None:
        """Let days pass one by one, with a sweep after each."""
        self.name = name
        for _ in range(int(days)):
            self.later(days=1)

    def not_sent(self, name: str) -> None:
        """Let the email server refuse everything that is to be sent."""
        self.name, address = name, self.policy.desk.address
        outbox = Outbox([Refused(550, "no such user")])
        finished(sending.Sender({address: self.context}, {address: outbox}, self.store, self.clock).send())

    def bounces(self, name: str, about: Reply, *, final: bool = True) -> Step:
        """Let a delivery report about one of our emails arrive."""
        self.name, self.count = name, self.count + 1
        [about] = [each for taken in self.taken for each in taken.step.replies if each.message_id == about.message_id]
        return self.take(report(about, self.server, f"r{self.count}", final=final))

    def now(self, case: Case) -> Case:
        """Return the case as it is stored now."""
        found = self.store.case(case.id)
        assert found
        return found

    def notice(self, case: Case, who: str) -> Reply:
        """Return the latest email about the case to a member of staff."""
        address = f"{who}@{DOMAIN[self.company]}"
        return [reply for reply in self.now(case).replies if reply.to == address][-1]

    # ------------------------------------------------------------ what is kept

    def handled(self, trigger: Any, case: Case | None, context: Context) -> Step:
        """Take a step and keep what it was given."""
        step = handle(trigger, case, context)
        self.taken.append(Taken(self.name, trigger, case, context, step))
        return step

    def unreadable(self, record: MailRecord, context: Context) -> Step:
        """Set an email aside and keep what that step was given."""
        step = set_aside(record, context)
        self.taken.append(Taken(self.name, record, None, context, step))
        return step


@cache
def walked(company: str) -> tuple[Taken, ...]:
    """Take every kind of trigger at a desk of this company."""
    taken: list[Taken] = []
    for walk in (_customers, _staff, _due_dates, _machines):
        desk = Walk(company)
        with (
            patch.object(pipeline, "handle", desk.handled),
            patch.object(sending, "handle", desk.handled),
            patch.object(pipeline, "set_aside", desk.unreadable),
        ):
            walk(desk)
        taken += desk.taken
    return tuple(taken)


def _next_day(desk: Walk) -> None:
    desk.comes_due("a new day", days=1)


def _customers(desk: Walk) -> None:
    s = desk.serial
    covered = desk.customer("request: covered", f"Serial number {s(10)} shows no video.")
    desk.customer("request: covered already", f"RMA number for {s(10)} please, it shows no video.")
    desk.customer("status", "What is the status of our return?", about=covered)
    desk.customer("shipment", f"We shipped it today with UPS, tracking number {PARCEL}.", about=covered)
    desk.customer("thanks", "Thank you very much!", about=covered)
    _next_day(desk)
    quoted = desk.customer("request: out of warranty", f"Serial number {s(30)} shows no video.")
    differs = desk.customer("request: out of warranty", f"Serial number {s(31)} shows no video.")
    desk.order("order: differs", differs, total="1.00")
    desk.order("order: matches", quoted)
    _next_day(desk)
    asked = desk.customer("request: incomplete", "Our board shows no video.")
    desk.customer("answer", f"It is {s(11)}.", about=asked)
    canceled = desk.customer("request: covered", f"Serial number {s(12)} shows no video.")
    desk.customer("cancellation", "Please cancel the RMA.", about=canceled)
    _next_day(desk)
    desk.customer("request: for a person", f"We want to return serial number {s(50)} for credit, ordered by mistake.")
    desk.customer("request: two outcomes", f"Both {s(13)} and {s(32)} show no video. Please ship overnight, a rush.")
    desk.customer("question", "Do you also sell rack rails?")
    desk.customer("request: stranger", f"Serial number {s(14)} shows no video.", sender=JOE)
    desk.customer("request: stranger", f"Both {s(14)} and XX9Z999999 show no video.", sender=JOE)
    _next_day(desk)
    for count in range(3):
        desk.customer("forged customer", f"Serial number {s(15)} shows no video, take {count}.", auth="fail")
    _next_day(desk)
    for count in range(8):
        desk.customer(f"request {count + 1} of a day", f"Serial number {s(16)} shows no video, take {count}.")
    _next_day(desk)


def _staff(desk: Walk) -> None:
    s = desk.serial
    held = desk.customer("request: for a person", f"We want to return serial number {s(51)} for credit, by mistake.")
    desk.staff("command: unproven", "boss", "APPROVE", held, auth="none")
    asked = desk.notice(held, "boss")
    desk.staff("command: unproven again", "boss", "APPROVE", held, auth="none")
    desk.staff("confirmation", "boss", "CONFIRM", held, answers=asked.message_id, auth="none")
    desk.staff("command: approved already", "boss", "APPROVE", held)
    second = desk.customer("request: for a person", f"We want to return serial number {s(52)} for credit, by mistake.")
    desk.staff("command: above the limit", "boss", "APPROVE credit USD 900", second)
    notice = desk.notice(second, "chief")
    desk.staff("second approval", "chief", "APPROVE", second, answers=notice.message_id, auth="none")
    _next_day(desk)
    rejected = desk.customer("request: for a person", f"We want to return serial number {s(53)} for credit, by mistake.")
    desk.staff("command: reject", "boss", "REJECT outside of what we can do", rejected)
    covered = desk.customer("request: covered", f"Serial number {s(17)} shows no video.")
    for name, who, words in (
        ("command: help", "bench", "HELP"),
        ("command: note", "bench", "NOTE called the customer"),
        ("command: extend", "bench", "EXTEND 14 days"),
        ("command: address", "bench", "SHIP TO: Dock 7, 1 Harbor Road, Oakland CA 94607"),
        ("command: hold", "bench", "HOLD"),
        ("command: release", "boss", "APPROVE"),
        ("command: refused", "bench", f"SHIPPED UPS {PARCEL}"),
        ("command: wrong role", "sales", "RECEIVED"),
        ("command: received", "bench", "RECEIVED"),
        ("command: no problem found", "bench", "NPF"),
        ("command: several", "bench", f"DIAGNOSED: burnt capacitor\nREPAIRED\nSHIPPED UPS {PARCEL}"),
    ):
        desk.staff(name, who, words, covered)
    _next_day(desk)
    parts = desk.customer("request: covered", f"Serial number {s(18)} shows no video.")
    desk.staff("command: received", "bench", "RECEIVED", parts)
    desk.staff("command: parts quote", "boss", "QUOTE 250 USD for parts", parts)
    desk.order("order: parts", desk.now(parts))
    desk.staff("command: not repairable", "bench", "NOT REPAIRABLE", parts)
    declined = desk.customer("request: covered", f"Serial number {s(19)} shows no video.")
    desk.staff("command: received", "bench", "RECEIVED", declined)
    desk.staff("command: parts quote", "boss", "QUOTE 250 USD for parts", declined)
    desk.customer("cancellation: parts", "We do not want the repair, please cancel the return.", about=desk.now(declined))
    _next_day(desk)
    question = desk.customer("question", "Do you also sell fans?")
    notice = desk.notice(question, "boss")
    desk.staff("unclear", "boss", "Should we approve this?", question)
    desk.staff("note by staff", "boss", "They will call again on Monday.", question)
    desk.staff("reply without a command", "boss", "Thanks, I called them.", question, answers=notice.message_id)
    desk.staff("answered by staff", "boss", "Yes, we do.", question, to=KIM, cc=desk.policy.desk.address)
    desk.staff("passed on", "boss", f"Please open an RMA. Serial number {s(20)} shows no video.", None)
    desk.staff("command: no case", "boss", "RECEIVED", None)
    for _ in range(2):
        desk.staff("forged staff", "boss", "APPROVE", question, auth="fail")
    closed = desk.customer("request: covered", f"Serial number {s(21)} shows no video.")
    desk.staff("command: close", "boss", "CLOSE", closed)
    _next_day(desk)


def _due_dates(desk: Walk) -> None:
    s = desk.serial
    desk.customer("request: incomplete", "Our other board shows no video.")
    desk.customer("request: out of warranty", f"Serial number {s(33)} shows no video.")
    desk.customer("request: covered", f"Serial number {s(22)} shows no video.")
    lapsing = desk.customer("request: covered", f"Serial number {s(23)} shows no video.")
    desk.staff("command: received", "bench", "RECEIVED", lapsing)
    desk.staff("command: parts quote", "boss", "QUOTE 250 USD for parts", lapsing)
    late = desk.customer("request: covered", f"Serial number {s(24)} shows no video.")
    desk.staff("command: received", "bench", "RECEIVED", late)
    _next_day(desk)
    desk.customer("request: for a person", f"We want to return serial number {s(55)} for credit, ordered by mistake.")
    desk.comes_due("due dates", days=45)


def _machines(desk: Walk) -> None:
    s = desk.serial
    case = desk.customer("request: covered", f"Serial number {s(25)} shows no video.")
    held = desk.customer("request: for a person", f"We want to return serial number {s(54)} for credit, by mistake.")
    desk.not_sent("failed delivery")
    desk.customer("status", "What is the status of our return?", about=desk.now(case))
    ours = [reply for reply in desk.now(case).replies if reply.audience == "customer"]
    desk.bounces("bounce: temporary", ours[-1], final=False)
    desk.bounces("bounce: to staff", desk.notice(held, "boss"))
    desk.staff("command: close, customer unreachable", "boss", "CLOSE", held)
    desk.bounces("bounce", ours[-1])
    desk.arrives("machine", "I am away.", subject="Automatic reply", fields=("Auto-Submitted: auto-replied",))
    desk.arrives("unreadable", f"Serial number {s(27)} shows no video.", "not an address")
    desk.comes_due("due dates of an unreachable customer", days=32)


def named(company: str, *names: str) -> Sequence[Taken]:
    """Return the steps of these kinds."""
    found = [taken for taken in walked(company) if taken.name in names]
    assert {taken.name for taken in found} == set(names), "the walk takes every kind of trigger"
    return found
