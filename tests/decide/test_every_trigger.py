"""Every kind of trigger: the decision says everything, and compose only writes it out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace
from support.every_trigger import Taken, named, walked
from support.memory_desk import COMPANIES, part, words

from mailbot.core import handle
from mailbot.decide.triggers import decide
from mailbot.model import (
    Answered,
    Bounced,
    DeadlinesReached,
    Decision,
    Ignored,
    Notice,
    Ordered,
    Recipient,
    Requested,
    Snapshot,
    StaffMessage,
)
from mailbot.policy.rules import AnswerRule, AnswerRules
from mailbot.reply.compose import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.model import Reply
    from mailbot.policy.policy import Policy

POISON = "XX-99"
"""A clause that no policy has."""

CUSTOMER = [("answer", "")]
"""The notices of an email that is answered and concerns nobody else."""
HELD = [("answer", ""), ("notice", "held")]
DONE = [("transcript", "done")]

EXPECTED: dict[str, tuple[type | None, list[tuple[str, str]]]] = {
    "request: covered": (Requested, CUSTOMER),
    "request: covered already": (Requested, CUSTOMER),
    "request: out of warranty": (Requested, CUSTOMER),
    "request: incomplete": (Requested, CUSTOMER),
    "request: for a person": (Requested, HELD),
    "request: two outcomes": (Requested, CUSTOMER),
    "request: stranger": (Requested, HELD),
    "question": (Requested, [("answer", ""), ("notice", "passed_on")]),
    "answer": (Answered, CUSTOMER),
    "status": (Requested, [("progress", "status")]),
    "shipment": (Requested, [("progress", "under_way")]),
    "thanks": (Requested, []),
    "order: matches": (Ordered, CUSTOMER),
    "order: differs": (Ordered, HELD),
    "order: parts": (Ordered, [("progress", "parts_ordered"), ("notice", "told")]),
    "cancellation": (Requested, [("progress", "withdrawn"), ("notice", "told")]),
    "cancellation: parts": (Requested, [("progress", "parts_declined"), ("notice", "told")]),
    "command: unproven": (StaffMessage, [("transcript", "confirm")]),
    "command: unproven again": (StaffMessage, []),
    "confirmation": (StaffMessage, [*CUSTOMER, *DONE]),
    "command: approved already": (StaffMessage, DONE),
    "command: above the limit": (StaffMessage, [("notice", "second"), *DONE]),
    "second approval": (StaffMessage, [*CUSTOMER, *DONE]),
    "command: reject": (StaffMessage, [*CUSTOMER, *DONE]),
    "command: help": (StaffMessage, DONE),
    "command: note": (StaffMessage, DONE),
    "command: extend": (StaffMessage, [("progress", "extended"), *DONE]),
    "command: address": (StaffMessage, [("progress", "address"), *DONE]),
    "command: hold": (StaffMessage, DONE),
    "command: release": (StaffMessage, DONE),
    "command: refused": (StaffMessage, DONE),
    "command: wrong role": (StaffMessage, DONE),
    "command: received": (StaffMessage, [("progress", "received"), *DONE]),
    "command: several": (StaffMessage, [("progress", "shipped"), *DONE]),
    "command: parts quote": (StaffMessage, [("answer", "parts"), *DONE]),
    "command: not repairable": (StaffMessage, [("progress", "unrepairable"), *DONE]),
    "command: close": (StaffMessage, [("progress", "ended"), *DONE]),
    "command: close, customer unreachable": (StaffMessage, DONE),
    "command: no case": (StaffMessage, DONE),
    "unclear": (StaffMessage, [("transcript", "unclear")]),
    "note by staff": (StaffMessage, []),
    "reply without a command": (StaffMessage, [("transcript", "nothing")]),
    "answered by staff": (StaffMessage, []),
    "passed on": (StaffMessage, [("notice", "passed_on")]),
    "failed delivery": (Bounced, [("notice", "undeliverable")]),
    "bounce": (Bounced, [("notice", "undeliverable")]),
    "bounce: temporary": (Ignored, []),
    "bounce: to staff": (Ignored, []),
    "machine": (Ignored, []),
    "unreadable": (None, [("notice", "unreadable")]),
    "due dates of an unreachable customer": (DeadlinesReached, []),
}
"""What each kind of trigger is understood as, and which notices it brings, in order."""

DUE = {
    ("reminder", "asking"),
    ("closed", "asking"),
    ("reminder", "quote"),
    ("closed", "quote"),
    ("progress", "parts_lapsed"),
    ("notice", "told"),
    ("reminder", "number"),
    ("expired", "number"),
    ("notice", "held"),
    ("notice", "repair_due"),
    ("notice", "repair_overdue"),
}
"""The notices that due dates bring."""


def kinds(decision: Decision) -> list[tuple[str, str]]:
    return [(notice.kind, notice.about) for notice in decision.full_notices]


def planned(decision: Decision) -> list[tuple[Notice, Recipient]]:
    """Every email that a decision asks for."""
    return [(notice, recipient) for notice in decision.full_notices for recipient in notice.recipients]


def written(taken: Taken, decision: Decision, policy: Policy | None = None) -> tuple[Reply, ...]:
    """Write the emails of a decision again, with nothing from the world but the time."""
    context = replace(taken.context, snapshot=Snapshot(), policy=policy or taken.context.policy)
    case = taken.step.after
    earlier = case.replies[: len(case.replies) - len(taken.step.replies)] if case else ()
    return compose(decision, replace(case, replies=earlier) if case else None, context)


def stored(decision: Decision) -> Decision:
    """The decision as it comes back from a store."""
    return msgspec.json.decode(msgspec.json.encode(decision), type=Decision)


@pytest.fixture(params=COMPANIES)
def company(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ------------------------------------------------------------------ every kind of trigger is taken


@pytest.mark.parametrize("name", EXPECTED)
def test_each_trigger_brings_the_notices_of_the_table(company: str, name: str) -> None:
    """Each kind of trigger is understood as the table says, and its decision has the notices of the table."""
    event, notices = EXPECTED[name]
    for taken in named(company, name):
        assert type(taken.step.event) is (event or type(None))
        assert kinds(taken.step.decision) == notices


def test_due_dates_of_every_kind_are_taken(company: str) -> None:
    """Reminders, expirations, closings, lapsed parts quotes and repairs that are due or overdue all come up."""
    found = {kind for taken in named(company, "due dates") for kind in kinds(taken.step.decision)}
    assert found == DUE


def test_the_table_leaves_out_no_step(company: str) -> None:
    """Every step of the walk is in the table above, or is tested below for its limits."""
    limits = {"a new day", "due dates", "forged customer", "forged staff", "command: no problem found"}
    limits |= {f"request {count} of a day" for count in range(1, 9)}
    assert {taken.name for taken in walked(company)} == {*EXPECTED, *limits}


# ------------------------------------------------------------------ compose only writes out what was decided


def test_every_email_is_one_recipient_of_one_notice(company: str) -> None:
    """Each email has the address, Message-ID, clauses and kind of exactly one recipient of one notice; none is added."""
    count = 0
    for taken in walked(company):
        emails = planned(taken.step.decision)
        assert len(emails) == len(taken.step.replies)
        for (notice, recipient), reply in zip(emails, taken.step.replies, strict=True):
            assert (reply.to, reply.message_id) == (recipient.address, recipient.message_id)
            assert reply.cites == notice.clauses
            assert (reply.audience, reply.direct) == (notice.audience, notice.direct)
            assert (reply.note, reply.state) == (notice.withheld, "held" if notice.withheld else "queued")
            assert reply.template == f"{notice.kind} {notice.about}".strip()
            count += 1
    assert count > 200


def test_the_history_keeps_what_was_decided_and_sent(company: str) -> None:
    """The case's history has the decision with its notices, and the Message-ID of every email that went out."""
    for taken in walked(company):
        if taken.step.after is None:
            continue
        entry = taken.step.after.history[-1]
        assert entry.decision == taken.step.decision
        assert entry.sent == tuple(reply.message_id for reply in taken.step.replies)
        tokens = [recipient.token for _, recipient in planned(taken.step.decision) if recipient.token]
        assert set(tokens) <= set(taken.step.after.tokens)
        assert len({token.secret for token in tokens}) == len(tokens)


CLAUSE = re.compile(r"\b(?:AP|ST)-\d+\b")


def clauses(notice: Notice) -> set[str]:
    """Every clause that a notice names."""
    verdicts = {clause for verdict in notice.verdicts for clause in (*verdict.clauses, *verdict.shown_clauses)}
    return {*notice.clauses, *notice.basis, *verdicts, *(line.clause for line in notice.informs)}


def test_an_email_cites_only_clauses_of_its_notice(company: str) -> None:
    """No email names a clause that its notice does not name."""
    cited = 0
    for taken in walked(company):
        for (notice, _), reply in zip(planned(taken.step.decision), taken.step.replies, strict=True):
            text = f"{words(reply)} {part(reply, 'html')}"
            found = set(CLAUSE.findall(text.replace(taken.context.policy.rules.policy.company, "")))
            assert found <= clauses(notice), (taken.name, notice.kind, notice.about)
            cited += len(found)
    assert cited > 200


def test_compose_reads_nothing_of_a_decision_but_its_notices(company: str) -> None:
    """Outcome, clauses, facts, reasons and results of a decision reach an email only through a notice."""
    for taken in walked(company):
        decision = taken.step.decision
        other = Decision("decline", (POISON,), POISON, decision.stamp, says=POISON, answer_key="other", asks=(POISON,))
        again = written(taken, replace(other, notices=decision.full_notices))
        assert [reply.raw for reply in again] == [reply.raw for reply in taken.step.replies]


def test_compose_asks_neither_the_rules_nor_the_world(company: str) -> None:
    """Without decision rules, sentences, answers, findings and registry, a stored decision makes the same emails."""
    poison = AnswerRule(clause=POISON, then="decline", says=POISON, source=POISON, also=(POISON,), notify="sales", charge=(POISON,))
    answers = AnswerRules(**dict.fromkeys(AnswerRules.__struct_fields__, poison))
    for taken in walked(company):
        policy = taken.context.policy
        deadlines = policy.rules.deadlines
        dated = {
            kind: replace(getattr(deadlines, kind), clause=POISON) for kind in type(deadlines).__struct_fields__ if kind != "hour"
        }
        rules = replace(policy.rules, decide=(), inform=(), answers=answers, findings={}, deadlines=replace(deadlines, **dated))
        again = written(taken, stored(taken.step.decision), replace(policy, rules=rules))
        assert [reply.raw for reply in again] == [reply.raw for reply in taken.step.replies]
        assert again == taken.step.replies


def test_a_decision_does_not_depend_on_its_rendering(company: str) -> None:
    """Deciding twice brings the same decision, byte for byte, and changes nothing that was handed in."""
    for taken in walked(company):
        if taken.step.event is None:
            continue
        before = msgspec.json.encode(taken.case)
        assert handle(taken.trigger, taken.case, taken.context) == taken.step
        assert msgspec.json.encode(taken.case) == before


WHY = "Sentinel reason."


def staff_notices(company: str) -> Iterator[tuple[Taken, int, Notice, Reply]]:
    """Every email to staff with its notice, and the place of the notice in the decision."""
    for taken in walked(company):
        replies = iter(taken.step.replies)
        for place, notice in enumerate(taken.step.decision.full_notices):
            for _ in notice.recipients:
                reply = next(replies)
                if notice.audience == "staff":
                    yield taken, place, notice, reply


def test_the_reasons_in_emails_to_staff_come_from_the_notice(company: str) -> None:
    """An email to staff shows the reason of its notice: with another reason in the notice, it shows that one."""
    shown = set()
    for taken, place, notice, reply in staff_notices(company):
        if not notice.why:
            continue
        notices = list(taken.step.decision.full_notices)
        notices[place] = replace(notice, why=WHY)
        again = {each.message_id: each for each in written(taken, replace(taken.step.decision, notices=tuple(notices)))}
        text = words(again[reply.message_id])
        if notice.why in words(reply):
            shown.add(notice.about)
            assert WHY in text
            assert notice.why not in text
        else:
            assert text == words(reply)
    assert shown == {"silent", "unreadable"}


def test_the_facts_and_results_in_emails_to_staff_come_from_the_notice(company: str) -> None:
    """Facts, the sender's words and the results of commands are in an email to staff only if its notice has them."""
    seen = set()
    for taken, place, notice, reply in staff_notices(company):
        notices = list(taken.step.decision.full_notices)
        notices[place] = replace(notice, facts=(), quoted="", command_results=(), verdicts=(), informs=(), basis=())
        again = {each.message_id: each for each in written(taken, replace(taken.step.decision, notices=tuple(notices)))}
        text = words(again[reply.message_id])
        for name, value in notice.facts:
            if name.endswith("in the registry") and value in words(reply):
                seen.add("facts")
                assert value not in text
        for result in notice.command_results:
            if result.command.name in ("note", "reject", "shipped"):  # the other commands are offered as buttons, too
                seen.add("results")
                assert " ".join(result.command.said.split()) in words(reply)
                assert " ".join(result.command.said.split()) not in text
        assert not set(CLAUSE.findall(text)), (taken.name, notice.about)
    assert seen == {"facts", "results"}


# ------------------------------------------------------------------ the record explains due dates


def test_a_due_date_that_sends_something_has_its_clauses_on_record(company: str) -> None:
    """A stored decision on a due date names the clause of everything that it sends; so does every email (promise 9)."""
    rules = named(company, "due dates")[0].context.policy.rules
    count = 0
    for taken in walked(company):
        if not isinstance(taken.step.event, DeadlinesReached):
            continue
        assert taken.step.after
        decision = stored(taken.step.after.history[-1].decision)
        kinds_reached = {key.partition(":")[0] for key in taken.step.event.keys}
        assert set(decision.clauses) == {getattr(rules.deadlines, kind).clause for kind in kinds_reached}
        assert all(rules.clauses[clause].text in decision.why for clause in decision.clauses)
        for notice in decision.full_notices:
            count += 1
            assert notice.clauses
            assert set(notice.basis) <= set(notice.clauses)
            if notice.audience == "customer":
                assert notice.basis[0] in decision.clauses or notice.verdicts
    assert count > 40


def test_every_notice_to_a_customer_has_its_clauses(company: str) -> None:
    """Every email to a customer has the clauses on record that decided it (promise 9)."""
    for taken in walked(company):
        for notice in taken.step.decision.full_notices:
            if notice.audience == "customer":
                assert notice.clauses, (taken.name, notice.kind, notice.about)
                assert set(notice.clauses) <= set(taken.context.policy.rules.clauses)


# ------------------------------------------------------------------ limits are decided, not composed


def decided(taken: Taken, answers: int) -> Decision:
    """The decision on this event if so many answers had been given today; nothing is composed."""
    assert taken.step.event
    context = replace(taken.context, snapshot=replace(taken.context.snapshot, answers_today=answers))
    return decide(taken.case, taken.step.event, context)


def limits(decision: Decision) -> list[tuple[str, bool]]:
    """The notices of a decision: what each is about, and whether it is withheld."""
    return [(notice.about or notice.kind, bool(notice.withheld)) for notice in decision.full_notices]


def test_five_answers_a_day_then_silence_and_one_note_to_staff(company: str) -> None:
    """The decision answers five times a day; then it withholds the answer, and staff are notified once."""
    day = [named(company, f"request {count} of a day")[0].step.decision for count in range(1, 9)]
    assert [limits(decision) for decision in day[:5]] == [[("answer", False)]] * 5
    assert limits(day[5]) == [("answer", True), ("silent", False)]
    assert [limits(decision) for decision in day[6:]] == [[("answer", True)]] * 2


@pytest.mark.parametrize("name", ["request: covered", "request: incomplete", "status", "order: matches", "question"])
def test_the_limit_holds_for_every_kind_of_answer(company: str, name: str) -> None:
    """Whatever the customer is answered with: after the day's answers the decision withholds it, and says why."""
    taken = named(company, name)[0]
    for given in range(9):
        customer, *staff = decided(taken, given).notices
        assert customer.direct
        assert bool(customer.withheld) == (given >= 5)
        assert [notice.about == "silent" for notice in staff] == ([True] if given == 5 else [False] * len(staff))
        assert not (staff and given > 5)


def test_a_victim_of_a_forged_sender_gets_one_answer(company: str) -> None:
    """In the name of a forged sender there is one answer a day; staff are notified once of the silence (P5)."""
    first, second, third = (taken.step.decision for taken in named(company, "forged customer"))
    assert limits(first) == [("answer", False), ("held", False)]
    assert limits(second) == [("answer", True), ("silent", False)]
    assert limits(third) == [("answer", True)]


def test_a_forged_staff_email_is_reported_once(company: str) -> None:
    """The person in whose name somebody wrote is notified once a day."""
    first, second = (taken.step.decision for taken in named(company, "forged staff"))
    assert (limits(first), limits(second)) == ([("forged", False)], [])
    taken = named(company, "forged staff")[0]
    assert [bool(decided(taken, given).notices) for given in range(4)] == [True, False, False, False]


def test_a_confirmation_is_asked_for_five_times_a_day_at_most(company: str) -> None:
    """Unproven commands cannot flood a member of staff with questions for a confirmation."""
    taken = named(company, "command: unproven")[0]
    found = [limits(decided(taken, given)) for given in range(8)]
    assert found == [[("confirm", False)]] * 5 + [[]] * 3


def test_no_documents_are_drawn_for_a_withheld_answer(company: str) -> None:
    """An answer with a new number has documents; the same answer beyond the day's limit has none."""
    taken = named(company, "request: covered")[0]
    assert decided(taken, 0).notices[0].documents is not None
    assert decided(taken, 5).notices[0].documents is None


def test_a_withheld_answer_is_on_record_and_not_sent(company: str) -> None:
    """A withheld answer is kept with its reason, and waits for no server."""
    step = named(company, "request 6 of a day")[0].step
    [customer, *_] = step.replies
    assert (customer.state, bool(customer.note)) == ("held", True)
    assert customer.note == step.decision.full_notices[0].withheld


def test_nothing_is_sent_to_a_customer_who_cannot_be_reached(company: str) -> None:
    """After a bounce nothing more is sent to the customer: what expires does so silently, with its clause on record (B1)."""
    found = named(company, "due dates of an unreachable customer")
    assert all(taken.case and taken.case.unreachable for taken in found)
    assert [taken.step.after.state for taken in found if taken.step.after] == ["expired"]
    assert all(taken.step.decision.clauses for taken in found)


def test_a_machine_and_a_thank_you_get_no_answer(company: str) -> None:
    """Nothing is sent for an automatic email, a note by staff, or thanks; each is on record."""
    for taken in named(company, "machine", "thanks", "note by staff", "bounce: to staff", "bounce: temporary"):
        assert taken.step.decision.full_notices == ()
        assert taken.step.decision.changes == () or taken.name == "thanks"
        assert taken.step.record
        assert taken.step.decision.why
