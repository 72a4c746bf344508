"""A case is the fold of its events: whatever is written and however time passes, its history alone tells how it stands."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.memory_desk import COMPANIES, PORTWELL, SERVERTECH, Desk, unit

from mailbot.case.apply import apply
from mailbot.case.deadlines import waits_for
from mailbot.case.lifecycle import state_of
from mailbot.core import _who, handle
from mailbot.runtime import pipeline

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.model import Case, Snapshot

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
MAILS = st.tuples(st.sampled_from(BODIES), st.sampled_from([KIM, KIM, KIM, JOE, STAFF]), st.booleans())
TIMES = st.sampled_from([0.1, 1, 3, 8, 31])
DOINGS = st.lists(st.one_of(MAILS, MAILS, TIMES), min_size=1, max_size=9)


class Watch:
    """Notes what each step was told of the world, so that the history can be replayed."""

    def __init__(self) -> None:
        self.told: defaultdict[str, list[tuple[Snapshot, datetime]]] = defaultdict(list)

    def __call__(self, arrival: Any, case: Case | None, snapshot: Snapshot, policy: Any, now: datetime) -> Any:
        result = handle(arrival, case, snapshot, policy, now)
        if result.after:
            self.told[result.after.id].append((snapshot, now))
        return result


def replay(case: Case, told: list[tuple[Snapshot, datetime]], desk: Desk) -> Case:
    """Fold a case's history again, from nothing."""
    again: Case | None = None
    for entry, (known, now) in zip(case.history, told, strict=True):
        after = apply(again, entry.event, entry.decision, known, desk.policy, now)
        assert after is not None
        again = replace(after, history=(*after.history, entry), participants=_who(after, entry.event))
    assert again is not None
    return replace(again, replies=case.replies, tokens=case.tokens)


def play(desk: Desk, doings: list[Any], watch: Watch) -> None:
    serials = SERIALS[desk.policy.name]
    for doing in doings:
        if isinstance(doing, float | int):
            desk.later(days=doing)
        else:
            body, sender, answers = doing
            ours = [r for s in desk.steps for r in s.replies if r.to == sender]
            address = desk.policy.desk.staff[0].address if sender == STAFF else sender
            thread = {"answers": ours[-1].message_id, "subject": f"Re: {ours[-1].subject}"} if answers and ours else {}
            nonce = f"<{len(desk.steps)}.{len(desk.drawn)}@client.example>"
            result = desk.write(body.format(new=serials[0], old=serials[1]), address, message_id=nonce, **thread)
            assert result.record
            assert result.record.kind != "unreadable", f"set aside: {result.record.why}"
        for case in desk.store.cases():
            sound(case)
            assert replay(case, watch.told[case.id], desk) == case


def sound(case: Case) -> None:
    """What must hold of every case at every moment."""
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
        ends = [d.due_on for d in case.deadlines if d.kind == "number" and d.is_final]
        assert ends == [case.number.valid_until]
    assert all(entry.decision.stamp.digest for entry in case.history)


def a_desk(company: str) -> Desk:
    new, old = SERIALS[company]
    family = FAMILIES[company]
    return Desk(company, [unit(new, family, date(2026, 11, 1)), unit(old, family, date(2019, 1, 1))])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.sampled_from(COMPANIES), DOINGS)
def test_the_history_alone_tells_how_a_case_stands(company: str, doings: list[Any]) -> None:
    """After any exchange of mails, replaying a case's events gives the very same case; no mail is set aside on the way."""
    watch = Watch()
    with patch.object(pipeline, "handle", watch):
        play(a_desk(company), doings, watch)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("days", [1, 25, 35])
def test_whatever_follows_an_issued_number(company: str, body: str, days: int) -> None:
    """Any mail may follow a number, before and after it ends; none of them breaks the case."""
    watch = Watch()
    with patch.object(pipeline, "handle", watch):
        play(a_desk(company), [(BODIES[0], KIM, False), days, (body, KIM, True), (body, KIM, False), 40], watch)


@pytest.mark.parametrize("body", BODIES)
def test_whatever_follows_a_pause(body: str) -> None:
    """After weeks in which nothing was swept, a mail that comes first finds the case as it is."""
    watch = Watch()
    with patch.object(pipeline, "handle", watch):
        desk = a_desk(PORTWELL)
        play(desk, [(BODIES[0], KIM, False)], watch)
        desk.clock.at = desk.clock.now() + timedelta(days=40)
        play(desk, [(body, KIM, True), (body, KIM, False), 0.1], watch)
