"""Deadlines: what comes due while a case waits comes once, on its day, and only while it waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from support.memory_desk import COMPANIES, NOW, PORTWELL, SERVERTECH, Desk, policy, unit, words

from mailbot.case.deadlines import final_date, next_staff_reminder
from mailbot.model import Case, Deadline
from mailbot.policy.dates import today

ZONE = "America/Los_Angeles"
SERIAL = {PORTWELL: "AH2F104432", SERVERTECH: "STV7001-0000301"}
FAMILY = {PORTWELL: "ipc", SERVERTECH: "pdu"}
FRIDAY = date(2026, 11, 20)


def desk(company: str = PORTWELL, *, old: bool = False, at: datetime = NOW) -> Desk:
    delivered = date(2012, 1, 1) if old else date(2026, 11, 1)
    return Desk(company, [unit(SERIAL[company], FAMILY[company], delivered)], at)


def opened(at: Desk, body: str = "Serial number {s} shows no video.") -> Case:
    case = at.write(body.format(s=SERIAL[at.policy.name])).after
    assert case
    return case


def days(case: Case, begin: date = FRIDAY) -> list[tuple[str, int, bool]]:
    """Kind, days from the beginning, and whether it ends something."""
    return [(d.kind, (today(d.at, ZONE) - begin).days, d.is_final) for d in case.deadlines]


@pytest.mark.parametrize("company", COMPANIES)
def test_a_number_is_reminded_of_and_ends(company: str) -> None:
    """Seven and two days before the end a reminder, and the day after the last the word that it has ended (ST-5)."""
    case = opened(desk(company))
    assert days(case) == [("number", 23, False), ("number", 28, False), ("number", 31, True)]
    assert final_date(case) == date(2026, 12, 20)


@pytest.mark.parametrize("company", COMPANIES)
def test_a_quote_is_reminded_of_and_closed(company: str) -> None:
    """Day 7, day 21, and on day 30 the request is closed."""
    case = opened(desk(company, old=True))
    assert days(case) == [("quote", 7, False), ("quote", 21, False), ("quote", 30, True)]
    assert final_date(case) == FRIDAY + timedelta(days=30) == case.quotes[-1].valid_until + timedelta(days=1)


@pytest.mark.parametrize("company", COMPANIES)
def test_missing_information_is_reminded_of_and_closed(company: str) -> None:
    """Day 3, day 7, and on day 14 the request is closed (AP-27)."""
    case = opened(desk(company), "Our unit shows no video.")
    assert days(case) == [("missing", 3, False), ("missing", 7, False), ("missing", 14, True)]
    assert final_date(case) == FRIDAY + timedelta(days=14)


@pytest.mark.parametrize("company", COMPANIES)
def test_a_held_case_reminds_staff_again_and_again(company: str) -> None:
    """After one business day, then every two, weekends left out, for as long as it is held."""
    at = desk(company)
    case = opened(at, "We want to return serial number {s} for credit, ordered by mistake.")
    assert days(case) == [("held", 3, False)]  # Friday, then Monday
    swept = [(day, at.later(days=1)) for day in range(1, 13)]
    seen = [day for day, steps in swept if any(step.replies for step in steps)]
    assert seen == [3, 5, 7, 11]
    assert at.case.state == "held"
    assert [d.kind for d in at.case.deadlines] == ["held"]


def emails(at: Desk, count: int, hours: float = 24) -> list[tuple[int, str]]:
    """Let time pass; the day and kind of every mail that goes to a customer."""
    found = []
    for _ in range(count):
        for step in at.later(hours=hours):
            found += [((today(at.clock.now(), ZONE) - FRIDAY).days, r.template) for r in step.replies if r.audience == "customer"]
    return found


@pytest.mark.parametrize("hours", [24, 7, 1])
@pytest.mark.parametrize(
    ("body", "old", "expected"),
    [
        ("Serial number {s} shows no video.", False, [(23, "reminder number"), (28, "reminder number"), (31, "expired number")]),
        ("Serial number {s} shows no video.", True, [(7, "reminder quote"), (21, "reminder quote"), (30, "closed quote")]),
        ("Our unit shows no video.", False, [(3, "reminder asking"), (7, "reminder asking"), (14, "closed asking")]),
    ],
)
def test_each_thing_happens_once_however_often_is_swept(
    body: str,
    old: bool,  # noqa: FBT001 - a column of the table above
    expected: list[tuple[int, str]],
    hours: int,
) -> None:
    """Swept daily or hourly, across weekends: the same emails on the same days, each once."""
    at = desk(old=old)
    opened(at, body)
    assert emails(at, 40 * 24 // hours, hours) == expected
    assert at.case.deadlines == ()


@pytest.mark.parametrize(
    ("body", "old", "letter", "state"),
    [
        ("Serial number {s} shows no video.", False, "expired number", "expired"),
        ("Serial number {s} shows no video.", True, "closed quote", "closed"),
        ("Our unit shows no video.", False, "closed asking", "closed"),
    ],
)
def test_down_for_weeks_brings_one_mail(body: str, old: bool, letter: str, state: str) -> None:  # noqa: FBT001 - as above
    """After two months without a sweep the customer is notified how it ended, and not all that was missed (Z4)."""
    at = desk(old=old)
    opened(at, body)
    at.later(days=60)
    assert [r.template for r in at.steps[-1].replies] == [letter]
    assert at.case.state == state
    assert at.later(days=1) == []


def test_down_between_two_reminders_brings_the_later_one() -> None:
    """Two missed reminders of the same thing are one mail, and the end still comes."""
    at = desk()
    opened(at, "Our unit shows no video.")
    at.later(days=9)
    assert [r.template for r in at.steps[-1].replies] == ["reminder asking"]
    assert [(d.kind, d.is_final) for d in at.case.deadlines] == [("missing", True)]


def test_an_answer_begins_the_count_again() -> None:
    """Who answers half is asked for the rest, and has the whole time for it."""
    at = desk()
    first = at.write("Our unit shows no video.")
    at.later(days=6)
    at.write("It is AH9Z999999.", subject="Re: x", answers=first.replies[0].message_id)
    assert days(at.case, FRIDAY + timedelta(days=6)) == [("missing", 3, False), ("missing", 7, False), ("missing", 14, True)]


def test_what_was_waited_for_came_and_nothing_is_reminded_of() -> None:
    """With the number given, the reminders of the question are gone."""
    at = desk()
    first = at.write("Our unit shows no video.")
    at.later(days=1)
    at.write("It is AH2F104432.", subject="Re: x", answers=first.replies[0].message_id)
    assert {d.kind for d in at.case.deadlines} == {"number"}
    assert emails(at, 20) == []


@pytest.mark.parametrize("hour", [0, 2, 9, 23])
@pytest.mark.parametrize(
    "begin", [datetime(2027, 2, 20, 20, tzinfo=UTC), datetime(2026, 10, 20, 20, tzinfo=UTC), datetime(2028, 2, 25, 3, tzinfo=UTC)]
)
def test_clock_changes_and_leap_days_cost_and_double_nothing(begin: datetime, hour: int) -> None:
    """Across the change of clocks and 29 February each deadline comes once, at its hour of the company's day (Z2)."""
    rules = policy(PORTWELL).rules
    late = replace(rules, deadlines=replace(rules.deadlines, hour=replace(rules.deadlines.hour, value=hour)))
    at = Desk(replace(policy(PORTWELL), rules=late), [unit("AH2F104432", "ipc", begin.date() - timedelta(days=5))], begin)
    case = opened(at)
    assert case.number
    missing_hour = 2  # there is none on the day the clocks go forward
    local = [d.at.astimezone(ZoneInfo(ZONE)) for d in case.deadlines]
    last = case.number.valid_until
    assert [moment.date() for moment in local] == [last - timedelta(days=7), last - timedelta(days=2), last + timedelta(days=1)]
    assert all(hour in (moment.hour, missing_hour) for moment in local)
    sent = [r.template for _ in range(40 * 24) for s in at.later(hours=1) for r in s.replies]
    assert sent == ["reminder number", "reminder number", "expired number"]


def test_a_number_shorter_than_its_reminders_is_not_reminded_of_before_it_is_given() -> None:
    """A number that ends in three days has one reminder, two days before its end, and none in the past."""
    at = Desk(PORTWELL, [unit("AH2F104432", "ipc", date(2026, 10, 24))])
    case = opened(at, "Serial number {s} arrived dead on arrival, no video.")
    assert case.number
    assert case.number.valid_until == date(2026, 11, 23)  # 30 days after delivery (AP-43)
    assert days(case) == [("number", 1, False), ("number", 4, True)]


def test_the_expired_letter_names_the_number_that_ended() -> None:
    """The word that a number has ended says which, and until when it was valid."""
    at = desk()
    case = opened(at)
    at.later(days=32)
    [reply] = at.steps[-1].replies
    assert case.number
    assert case.number.text in words(reply)
    assert "December 20, 2026" in words(reply)


def test_keys_of_deadlines_are_never_used_twice() -> None:
    """Over months of holding, every reminder of staff has a key of its own."""
    day, keys = FRIDAY, []
    for _ in range(100):
        deadline: Deadline = next_staff_reminder(policy(PORTWELL), day, 1)
        keys.append(deadline.key)
        day = deadline.due_on
    assert len(set(keys)) == 100
    assert all(a < b for a, b in pairwise(keys))


def test_a_case_that_waits_for_a_person_has_no_outer_date() -> None:
    """Only questions, quotes and numbers end by themselves."""
    assert final_date(opened(desk(), "We want to return serial number {s} for credit, ordered by mistake.")) is None
