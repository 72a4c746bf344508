"""Promise 5, all the way: a held return for credit, a great many forged approvals, and every genuine one (A1 to A10, L5, B4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from support.approval_cases import Notice, Situation, answer, approvals
from support.forgeries import forged
from support.memory_desk import KIM, PORTWELL, Desk, library, unit, words

from mailbot.model import StaffMember
from mailbot.runtime import pipeline

if TYPE_CHECKING:
    from mailbot.model import Case, Step
    from mailbot.policy.policy import Policy

BOSS, KAY, SERVER = "boss@portwell.example", "kay@portwell.example", "mx.portwell.example"
SERIAL, OTHER = "AH2F104432", "AH2F104440"


@cache
def at_work() -> Policy:
    """The shipped policy, two approvers, an email server that says whom it vouches for."""
    staff = (StaffMember(BOSS, ("approver", "desk"), Decimal(5000)), StaffMember(KAY, ("approver",), Decimal(5000)))
    return library().policy(PORTWELL, staff=staff, trusted_authserv_id=SERVER)


def held() -> tuple[Desk, Situation, Case]:
    """A return for credit that has waited for eight days, another that waits too, and the notices about both.

    Randomness is the same at every such desk: the same notices go out, with the same tokens.
    """
    delivered = date(2026, 11, 10)
    desk = Desk(at_work(), [unit(SERIAL, "ipc", delivered), unit(OTHER, "ipc", delivered)])
    first, second = (
        desk.write(f"We ordered one too many. Please take serial number {serial} back for credit.", subject="Credit")
        for serial in (SERIAL, OTHER)
    )
    assert first.after
    assert second.after
    desk.later(days=8)
    case = found(desk, first.after)
    assert case.state == "held"
    situation = Situation(
        mailbox=desk.policy.desk.address,
        server=SERVER,
        person=BOSS,
        colleague=KAY,
        customer=KIM,
        notice=noticed(desk, case, BOSS)[-1],
        staff=noticed(desk, case, KAY)[-1],
        others=noticed(desk, second.after, BOSS)[-1],
        expired=noticed(desk, case, BOSS)[0],
    )
    return desk, situation, case


def found(desk: Desk, case: Case) -> Case:
    now = desk.store.case(case.id)
    assert now is not None
    return now


def noticed(desk: Desk, case: Case, person: str) -> list[bytes]:
    """What was sent to a person about a case, the earliest first."""
    steps = [step for step in desk.steps if step.after and step.after.id == case.id]
    return [reply.raw.encode() for step in steps for reply in step.replies if reply.to == person]


def standing(desk: Desk) -> dict[str, object]:
    """What a decision would change, case by case."""
    return {case.id: (case.state, case.number, case.quotes, case.units, case.credit, case.fee) for case in desk.store.cases()}


def gave_way(desk: Desk, before: dict[str, object], step: Step) -> list[str]:
    """What a forgery achieved: nothing, if the list is empty."""
    after = standing(desk)
    found = [f"changed {case}" for case in before if after[case] != before[case]]
    found += [f"a number for {case.id}" for case in desk.store.cases() if case.number]
    for reply in step.replies:
        if reply.audience == "customer":
            found += ["a mail to the customer"] if reply.to == KIM else []
            found += ["a stranger learns the serial"] if SERIAL in words(reply) else []
        elif reply.to not in (BOSS, KAY):
            found.append(f"a notice to {reply.to}")
    return found


def test_A1_to_A10_no_forged_approval_moves_anything() -> None:
    """None changes a case or sends the customer an email, one after the other at one desk; then the genuine one still counts."""
    desk, situation, case = held()
    before = standing(desk)
    achieved = [(kind, what) for kind, raw in forged(situation) for what in gave_way(desk, before, desk.take(raw))]
    assert achieved == []
    desk.take(answer(situation).raw())
    assert found(desk, case).state == "authorized"


def test_every_genuine_approval_carries_the_decision() -> None:
    """However it is sent: the case continues, it has a number, and the customer is notified."""
    _, situation, _ = held()
    stuck = []
    for kind, raw in approvals(situation):
        desk, _, case = held()
        step = desk.take(raw)
        after = found(desk, case)
        told = [reply for reply in step.replies if reply.to == KIM]
        if after.state != "authorized" or not after.number or len(told) != 1:
            stuck.append((kind, after.state))
    assert stuck == []


def test_A7_an_approval_counts_once() -> None:
    """The same mail again, the same token in another mail, the colleague's token: the decision has been taken."""
    desk, situation, case = held()
    raw = answer(situation).raw()
    desk.take(raw)
    done = standing(desk)
    [again] = pipeline.process_batch([pipeline.incoming_mail(situation.mailbox, raw, desk.clock.now())], desk.context)
    assert again.step is None
    for later in (
        answer(situation, body="Approved.\r\n"),
        answer(situation, body="REJECT too late\r\n"),
        answer(situation, body="EXTEND 14 days\r\n"),
        answer(situation, body="CLOSE\r\n"),
        answer(situation, Notice.of(situation.staff), sender=KAY),
    ):
        step = desk.take(later.raw())
        assert standing(desk) == done
        assert [reply for reply in step.replies if reply.to == KIM] == []
    assert found(desk, case).state == "authorized"
