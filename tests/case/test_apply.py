"""A case is the fold of its events: whatever is written and however time passes, its stored history alone rebuilds it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.memory_desk import COMPANIES, NOW, PORTWELL, SERVERTECH, Desk, policy, unit
from support.replay import OutsideWorldError, differences, nothing_else, rebuilt

from mailbot.case.apply import apply, version_after
from mailbot.case.deadlines import waits_for
from mailbot.case.lifecycle import ImpossibleTransitionError, state_of
from mailbot.model import (
    Case,
    CaseChanged,
    CaseUnit,
    Command,
    DeadlinesReached,
    Decision,
    HistoryEntry,
    Notice,
    PolicyStamp,
    Recipient,
    Snapshot,
    Token,
    UnitChanged,
    UnitRemoved,
)
from mailbot.policy.context import Context

if TYPE_CHECKING:
    from mailbot.model import Change

SERIALS = {PORTWELL: ("AH2F104432", "AH2F104440"), SERVERTECH: ("STV7001-0000301", "STV7001-0000302")}
FAMILIES = {PORTWELL: "ipc", SERVERTECH: "pdu"}
KIM, JOE, STAFF = "kim@acme.example", "joe@elsewhere.example", "staff"

BODIES = (
    "Serial number {new} shows no video.",
    "Serial number {old} shows no video.",
    "Both {new} and {old} show no video.",
    "Serial number AH9Z999999 shows no video.",
    "Please send us an RMA number.",
    "Our board shows no video.",
    "Unit {new} does not work.",
    "We want to return serial number {new} for credit, ordered by mistake.",
    "Please exchange serial number {old}, it is the wrong model.",
    "Please do a BIOS update rework on serial number {new}.",
    "Serial number {new} arrived dead on arrival, no video.",
    "I dropped {new} on the floor, no video now.",
    "Yes, please go ahead, we accept the quote.",
    "Our purchase order PO 4711 is attached, please go ahead.",
    "Thank you very much!",
    "What is the status?",
    "Please cancel it.",
    "It is {new}.",
    "The number is RMA-2026999990.",
    "No video after the BIOS update.",
)
COMMANDS = (
    "APPROVE",
    "APPROVE credit USD 90",
    "REJECT outside of what we can do",
    "QUOTE 250 USD for labor",
    "RECEIVED",
    "RECEIVED\nDIAGNOSED: no video\nREPAIRED\nSHIPPED UPS 1Z999AA10123456784",
    "NPF",
    "EXTEND 14 days",
    "HOLD",
    "CLOSE",
    "SHIP TO: Dock 7, 1 Harbor Road, Oakland CA 94607",
)
EMAILS = st.tuples(st.sampled_from(BODIES), st.sampled_from([KIM, KIM, KIM, JOE, STAFF]), st.booleans())
DECISIONS = st.tuples(st.sampled_from(COMMANDS), st.just(STAFF), st.just(True))  # noqa: FBT003 - a tuple, not a flag
TIMES = st.sampled_from([0.1, 1, 3, 8, 31])
EXCHANGES = st.lists(st.one_of(EMAILS, EMAILS, DECISIONS, TIMES), min_size=1, max_size=9)


def play(desk: Desk, exchange: list[Any]) -> None:
    """Let emails arrive and time pass; after every step, every stored history rebuilds its case."""
    serials = SERIALS[desk.policy.name]
    for each in exchange:
        if isinstance(each, float | int):
            desk.later(days=each)
        else:
            body, sender, answers = each
            address = desk.policy.desk.staff[0].address if sender == STAFF else sender
            ours = [r for s in desk.steps for r in s.replies if r.to == address]
            thread = {"answers": ours[-1].message_id, "subject": f"Re: {ours[-1].subject}"} if answers and ours else {}
            if sender == STAFF and not thread:
                thread = {"subject": " ".join(f"[{case.id}]" for case in desk.store.cases())}
            nonce = f"<{len(desk.steps)}.{len(desk.drawn)}@client.example>"
            step = desk.write(body.format(new=serials[0], old=serials[1]), address, message_id=nonce, **thread)
            assert step.record
            assert step.record.kind != "unreadable", f"set aside: {step.record.why}"
        for case in desk.store.cases():
            sound(case)
            assert differences(case) == []


def sound(case: Case) -> None:
    """Check what must hold of every case at every moment."""
    keys = [deadline.key for deadline in case.deadlines]
    assert len(set(keys)) == len(keys)
    assert all(waits_for(case, deadline.kind) for deadline in case.deadlines)
    assert [d.at for d in case.deadlines] == sorted(d.at for d in case.deadlines)
    if case.units:
        assert case.state == state_of(case.units, case.state)
    ids = [reply.message_id for reply in case.replies]
    assert len(set(ids)) == len(ids)
    authorized = [item for item in case.units if item.state == "authorized"]
    assert not authorized or case.number
    if authorized and case.number:
        ends = [d.key for d in case.deadlines if d.kind == "number" and d.is_final]
        assert ends == [f"number:end:{case.number.valid_until}"]
    assert all(entry.decision.stamp.digest for entry in case.history)


def a_desk(company: str) -> Desk:
    new, old = SERIALS[company]
    family = FAMILIES[company]
    return Desk(company, [unit(new, family, date(2026, 11, 1)), unit(old, family, date(2019, 1, 1))])


# ------------------------------------------------------------------ the stored history alone rebuilds a case


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.sampled_from(COMPANIES), EXCHANGES)
def test_the_stored_history_alone_rebuilds_a_case(company: str, exchange: list[Any]) -> None:
    """After any exchange of emails, the stored events and decisions rebuild the very same case; no email is set aside."""
    play(a_desk(company), exchange)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("days", [1, 25, 35])
def test_any_email_may_follow_an_issued_number(company: str, body: str, days: int) -> None:
    """Any email may follow a number, before and after the number expires; none of them breaks the case."""
    play(a_desk(company), [(BODIES[0], KIM, False), days, (body, KIM, True), (body, KIM, False), 40])


@pytest.mark.parametrize("body", BODIES)
def test_any_email_may_follow_a_pause(body: str) -> None:
    """After weeks in which mailbot did not run, the first email finds a sound case."""
    desk = a_desk(PORTWELL)
    play(desk, [(BODIES[0], KIM, False)])
    desk.clock.at = desk.clock.now() + timedelta(days=40)
    play(desk, [(body, KIM, True), (body, KIM, False), 0.1])


@pytest.mark.parametrize("company", COMPANIES)
def test_a_whole_return_is_rebuilt_by_a_program_without_rules_and_registry(company: str) -> None:
    """A program that cannot load rules, registry, clock or templates rebuilds a whole return from its stored history."""
    desk = a_desk(company)
    exchange = [("Serial number {new} shows no video.", KIM, False), 1, ("HELP", STAFF, False)]
    commands = [(command, STAFF, True) for command in COMMANDS if command[:4] in ("RECE", "EXTE", "SHIP")]
    play(desk, [*exchange, *commands, 1, ("What is the status?", KIM, True), 30])
    [case] = desk.store.cases()
    assert [(unit.state, unit.shipped_on is None) for unit in case.units] == [("closed", False)]
    assert len(case.history) > 6
    run = subprocess.run([sys.executable, "-c", _REBUILD], input=msgspec.json.encode(case), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    assert plain(run.stdout) == plain(msgspec.json.encode(case))


def plain(encoded: bytes) -> bytes:
    """A case as it is always written, whether it was loaded or made: a default value can be left out."""
    return msgspec.json.encode(msgspec.json.decode(encoded, type=Case))


_REBUILD = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        parts = name.split(".")
        if parts[0] == "mailbot" and parts[1:2] and parts[1] in ("policy", "runtime", "decide", "reply", "core", "settings"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
import msgspec
from mailbot.case.apply import apply, with_replies
from mailbot.model import HistoryEntry, Reply

stored = msgspec.json.decode(sys.stdin.buffer.read())
history = msgspec.convert(stored["history"], tuple[HistoryEntry, ...])
emails = {reply.message_id: reply for reply in msgspec.convert(stored["replies"], tuple[Reply, ...])}
case = None
for entry in history:
    case = apply(case, entry.event, entry.decision, entry.at)
    case = with_replies(case, tuple(emails[message_id] for message_id in entry.sent))
sys.stdout.buffer.write(msgspec.json.encode(case))
"""


def test_a_change_of_a_stored_decision_shows_in_the_rebuilt_case() -> None:
    """The comparison notices a history that no longer fits its case: a lost change and a changed unit are both found."""
    desk = a_desk(PORTWELL)
    desk.write("Serial number AH2F104432 shows no video.")
    case = desk.case
    [entry] = case.history
    less = replace(entry, decision=replace(entry.decision, changes=entry.decision.changes[:-1]))
    assert differences(replace(case, history=(less,)))
    assert differences(replace(case, number=None)) != []


def test_a_look_at_the_outside_world_is_an_error() -> None:
    """While a case is rebuilt, a look at the clock, the registry or the policy is an error."""
    desk = a_desk(PORTWELL)
    context = Context(policy(PORTWELL), Snapshot(), NOW)
    with nothing_else():
        for look in (
            desk.clock.now,
            lambda: desk.context.registry.look_up(["AH2F104432"]),
            lambda: context.day,
            lambda: context.answers,
        ):
            with pytest.raises(OutsideWorldError):
                look()
    assert context.day == NOW.date()


# ------------------------------------------------------------------ what apply itself does

STAMP = PolicyStamp("american-portwell", date(2026, 1, 1), "digest")
AT = NOW + timedelta(hours=1)
EVENT = DeadlinesReached(AT, ())


def a_case(**fields: Any) -> Case:
    item = CaseUnit("A1", "quoted", "quote", ("AP-15",), known=True)
    base = Case("C-BCDFGHJKMN", "rma@portwell.example", PORTWELL, KIM, "quoted", NOW, units=(item,))
    return replace(base, **fields)


def decided(*changes: Change, notices: tuple[Notice, ...] = ()) -> Decision:
    return Decision("none", (), "", STAMP, changes=changes, notices=notices)


def token(secret: str, version: int, *, days: int = 7, commands: tuple[Command, ...] = ()) -> Token:
    return Token(secret * 32, "boss@portwell.example", AT + timedelta(days=days), version, commands)


def test_the_history_gets_one_entry_with_the_message_ids_of_all_notices() -> None:
    """Every step adds one line to the history, with the Message-ID of every email that it sends."""
    notices = (
        Notice("answer", recipients=(Recipient(KIM, "a@x"),)),
        Notice("notice", recipients=(Recipient("b", "b@x"), Recipient("c", "c@x"))),
    )
    decision = decided(notices=notices)
    after = apply(a_case(), EVENT, decision, AT)
    assert after
    assert after.history == (HistoryEntry(AT, EVENT, decision, ("a@x", "b@x", "c@x")),)


def test_the_tokens_of_notices_become_the_cases() -> None:
    """The case keeps the token of every notice that it sends, and of no other."""
    given = token("a", 0)
    notice = Notice("notice", recipients=(Recipient("b", "b@x", given), Recipient("c", "c@x")))
    after = apply(a_case(), EVENT, decided(notices=(notice,)), AT)
    assert after
    assert after.tokens == (given,)


def test_tokens_of_an_earlier_version_are_spent_when_the_case_changes() -> None:
    """A token decides only on the case that its owner saw; an email that changes nothing leaves it valid."""
    old = token("a", 0)
    item = a_case().units[0]
    declined = UnitChanged(replace(item, state="declined", outcome="decline"), "rejected")
    changed = apply(a_case(tokens=(old,)), EVENT, decided(declined), AT)
    assert changed
    assert (changed.version, changed.tokens) == (1, ())
    same = apply(a_case(tokens=(old,)), EVENT, decided(CaseChanged(unreachable=True)), AT)
    assert same
    assert (same.version, same.tokens) == (0, (old,))


@pytest.mark.parametrize(
    ("fields", "grows"),
    [
        ({"units": ()}, True),
        ({"number": None}, False),
        ({"pending": None}, False),
        ({"state": "held"}, False),
        ({"unreachable": True}, False),
        ({"asked": ("reason",)}, False),
    ],
)
def test_the_version_grows_with_what_a_person_decides_on(fields: dict[str, Any], grows: bool) -> None:  # noqa: FBT001
    """The version counts changes of units, quotes, number and pending approval, and of nothing else."""
    assert version_after(a_case(), a_case(**fields)) == int(grows)
    assert version_after(None, a_case(version=3)) == 3


@pytest.mark.parametrize("change", [CaseChanged(unreachable=True), UnitRemoved("A1"), UnitChanged(a_case().units[0])])
def test_a_change_without_a_case_is_refused(change: Change) -> None:
    """Only the opening of a case can come first."""
    with pytest.raises(ImpossibleTransitionError, match="no case to change"):
        apply(None, EVENT, decided(change), AT)


def test_a_decision_that_opens_no_case_makes_none() -> None:
    """An email that concerns no case leaves no case behind."""
    assert apply(None, EVENT, decided(), AT) is None


def test_a_unit_that_fills_a_gap_takes_its_place() -> None:
    """A unit is found by its serial number, however the number is written; a unit that is removed is gone."""
    case = a_case()
    changed = apply(case, EVENT, decided(UnitChanged(replace(case.units[0], serial="a-1", reason="no video"))), AT)
    assert changed
    assert [(u.serial, u.reason) for u in changed.units] == [("a-1", "no video")]
    gone = apply(case, EVENT, decided(UnitRemoved("a-1")), AT)
    assert gone
    assert gone.units == ()


def test_a_case_has_the_state_of_the_units_that_are_left() -> None:
    """When a unit is taken out of a case, the others decide the state of the case."""
    open_unit, gap = a_case().units[0], CaseUnit("", "asking", "ask", ("AP-27",))
    case = a_case(units=(replace(open_unit, state="authorized"), gap), state="asking")
    after = apply(case, EVENT, decided(UnitRemoved("")), AT)
    assert after
    assert (len(after.units), after.state) == (1, "authorized")


def test_rebuilding_needs_every_email_that_the_history_names() -> None:
    """An email that was sent and is not stored is noticed."""
    desk = a_desk(PORTWELL)
    desk.write("Serial number AH2F104432 shows no video.")
    with pytest.raises(KeyError):
        rebuilt(replace(desk.case, replies=()))
