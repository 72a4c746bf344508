"""Every fact that a rule may ask about, with each of its answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from support.memory_desk import COMPANIES, PORTWELL, SERVERTECH, policy, unit

from mailbot.model import Request, RequestedUnit
from mailbot.policy import facts
from mailbot.policy.facts import FACTS, Situation, dates, domains, holds, recall, record, words_of

TODAY = date(2026, 11, 20)
IPC = unit("AH2F104432", "ipc")


def at(**changes: Any) -> Situation:
    """An owner reports a failure of a unit in its warranty; then whatever is said otherwise."""
    company = changes.pop("company", PORTWELL)
    usual: dict[str, Any] = {
        "rules": replace(policy(company).rules, revisions={"WADE-8013": "B2"}),
        "request": Request("request", intent="repair"),
        "item": RequestedUnit("AH2F104432", "no video"),
        "unit": IPC,
        "domains": ("acme.example",),
        "today": TODAY,
    }
    return Situation(**usual | changes)


def asks(intent: str, **more: Any) -> Request:
    return Request("request", intent=intent, **more)  # type: ignore[arg-type]


def delivered(days_ago: int, **more: Any) -> Any:
    return replace(IPC, delivered_on=TODAY - timedelta(days=days_ago), **more)


REPAIRED = replace(IPC, repair_shipped_on=TODAY - timedelta(days=90), repair_failure="no video")
REQUIRED = replace(policy(SERVERTECH).rules, diagnosis="required")

ANSWERS: list[tuple[str, Situation, str]] = [
    ("serial", at(item=RequestedUnit("")), "missing"),
    ("serial", at(unit=None), "unknown"),
    ("serial", at(), "known"),
    ("reason", at(item=RequestedUnit("X")), "missing"),
    ("reason", at(item=RequestedUnit("X", "broken", vague=True)), "vague"),
    ("reason", at(item=RequestedUnit("X", "broken", vague=True), asked=("symptom",)), "given"),  # ST-3: asked about once
    ("reason", at(item=RequestedUnit("X", "broken", vague=True), asked=("serial",)), "vague"),
    ("reason", at(), "given"),
    ("requester", at(unit=None), "nobody"),
    ("requester", at(), "owner"),
    ("requester", at(domains=("eu.acme.example",)), "owner"),
    ("requester", at(domains=("acme.example", "eu.acme.example")), "owner"),
    ("requester", at(unit=replace(IPC, customer_domain="ACME.Example")), "owner"),
    ("requester", at(domains=("notacme.example",)), "stranger"),
    ("requester", at(domains=("acme.example.evil.example",)), "stranger"),
    ("requester", at(domains=("example",)), "stranger"),
    ("requester", at(domains=("acme.example", "gmail.example")), "stranger"),  # From and Reply-To
    ("requester", at(domains=()), "stranger"),
    ("requester", at(unit=replace(IPC, customer_domain="")), "stranger"),
    ("intent", at(), "repair"),
    ("intent", at(request=asks("credit")), "credit"),
    ("family", at(), "ipc"),
    ("family", at(unit=replace(IPC, family="spaceship")), "unknown"),
    ("family", at(unit=None), "unknown"),
    ("component", at(unit=replace(IPC, family="component")), "yes"),
    ("component", at(), "no"),
    ("component", at(unit=None), "no"),
    ("exclusion", at(), ""),
    ("exclusion", at(item=RequestedUnit("X", "wet", ("liquid",))), "liquid"),
    ("exclusion", at(item=RequestedUnit("X", "wet", ("liquid", "misuse"))), "liquid misuse"),
    ("window", at(), "none"),
    ("window", at(request=asks("credit"), unit=delivered(30)), "inside"),  # day 30 is in
    ("window", at(request=asks("credit"), unit=delivered(31)), "outside"),
    ("window", at(request=asks("exchange"), unit=delivered(30)), "inside"),
    ("window", at(request=asks("exchange"), unit=delivered(31)), "outside"),
    ("window", at(request=asks("credit"), unit=None), "none"),
    ("window", at(company=SERVERTECH, request=asks("exchange"), unit=delivered(31)), "none"),  # ST-13 states none
    (
        "window",  # ST-13: from the purchase where it is known, else from the delivery
        at(company=SERVERTECH, request=asks("credit"), unit=delivered(10, purchased_on=TODAY - timedelta(days=31))),
        "outside",
    ),
    ("window", at(company=SERVERTECH, request=asks("credit"), unit=delivered(30)), "inside"),
    ("window", at(request=asks("credit"), unit=delivered(10, purchased_on=TODAY - timedelta(days=31))), "inside"),
    ("revision", at(), "unknown"),
    ("revision", at(unit=None, item=RequestedUnit("X", revision="B2")), "unknown"),
    ("revision", at(unit=replace(IPC, revision="B2")), "current"),
    ("revision", at(unit=replace(IPC, revision="b2")), "current"),
    ("revision", at(unit=replace(IPC, revision="B10")), "current"),
    ("revision", at(unit=replace(IPC, revision="A9")), "old"),
    ("revision", at(unit=replace(IPC, revision="B1")), "old"),
    ("revision", at(unit=replace(IPC, revision="B2"), item=RequestedUnit("X", revision="A1")), "old"),
    ("revision", at(unit=replace(IPC, revision="A1"), item=RequestedUnit("X", revision="B2")), "current"),
    ("revision", at(unit=replace(IPC, model="OTHER", revision="A1")), "unknown"),
    ("repair", at(), "none"),
    ("repair", at(unit=None), "none"),
    ("repair", at(unit=REPAIRED), "unclear"),
    ("repair", at(unit=REPAIRED, failure="no_video", item=RequestedUnit("X", "no video", symptom="no_video")), "same"),  # day 90
    ("repair", at(unit=REPAIRED, failure="no_video", item=RequestedUnit("X", "usb", symptom="usb")), "other"),
    ("repair", at(unit=REPAIRED, failure="no_video"), "unclear"),
    ("repair", at(unit=REPAIRED, failure="no_video", today=TODAY + timedelta(days=1)), "none"),  # day 91
    ("repair", at(company=SERVERTECH, unit=REPAIRED, failure="no_video"), "none"),  # no repair warranty is stated
    ("doa", at(), "no"),
    ("doa", at(request=asks("doa"), unit=delivered(30)), "yes"),
    ("doa", at(request=asks("doa"), unit=delivered(31)), "no"),
    ("doa", at(unit=delivered(3)), "no"),
    ("doa", at(request=asks("doa"), unit=None), "no"),
    ("doa", at(company=SERVERTECH, request=asks("doa"), unit=delivered(3)), "no"),
    ("cover", at(unit=None), "unknown"),
    ("cover", at(unit=replace(IPC, family="spaceship")), "unknown"),
    ("cover", at(unit=replace(IPC, delivered_on=date(2024, 11, 20))), "factory"),  # the anniversary is in
    ("cover", at(unit=replace(IPC, delivered_on=date(2024, 11, 19))), "none"),
    ("cover", at(unit=replace(IPC, delivered_on=date(2024, 2, 29)), today=date(2026, 2, 28)), "factory"),
    ("cover", at(unit=replace(IPC, delivered_on=date(2024, 2, 29)), today=date(2026, 3, 1)), "none"),
    ("cover", at(unit=replace(IPC, delivered_on=date(2020, 1, 1), extended_until=TODAY)), "extended"),
    ("cover", at(unit=replace(IPC, delivered_on=date(2020, 1, 1), extended_until=TODAY - timedelta(days=1))), "none"),
    ("cover", at(unit=replace(IPC, family="platform", delivered_on=date(2025, 11, 20))), "factory"),
    ("cover", at(unit=replace(IPC, family="platform", delivered_on=date(2025, 11, 19))), "none"),
    ("diagnosis", at(), "done"),
    ("diagnosis", at(rules=REQUIRED), "needed"),
    ("diagnosis", at(rules=REQUIRED, request=asks("repair", support_case="4711")), "done"),
    ("overseas", at(), "no"),
    ("overseas", at(unit=None), "no"),
    ("overseas", at(unit=replace(IPC, country="US")), "no"),
    ("overseas", at(unit=replace(IPC, country="us")), "no"),
    ("overseas", at(unit=replace(IPC, country="DE")), "yes"),
    ("overseas", at(request=asks("repair", special_requests=("overseas",))), "yes"),
    ("wish", at(), ""),
    ("wish", at(request=asks("repair", special_requests=("rush", "cod"))), "cod rush"),
    ("insurance", at(), "default"),
    ("insurance", at(request=asks("repair", special_requests=("freight_account", "insure_instruction"))), "instructed"),
    ("paid", at(), "no"),
    ("paid", at(paid="repair"), "repair"),
    ("paid", at(paid="other"), "other"),
    ("claimed", at(), "no"),
    ("claimed", at(request=asks("repair", claimed_numbers=("RMA-1",))), "yes"),
]


@pytest.mark.parametrize(("fact", "situation", "answer"), ANSWERS, ids=[f"{f} {a}" for f, _, a in ANSWERS])
def test_a_fact_answers(fact: str, situation: Situation, answer: str) -> None:
    """In this situation the fact has this answer."""
    assert words_of(FACTS[fact](situation)) == frozenset(answer.split())


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_shown_with_each_answer_it_can_have(fact: str) -> None:
    """The table above has every answer of every fact whose answers are few."""
    shown = {answer for name, _, answers in ANSWERS if name == fact for answer in answers.split()}
    possible = set(domains(policy(PORTWELL).rules)[fact])
    if fact in ("intent", "family", "exclusion", "wish"):
        assert shown <= possible
    else:
        assert shown == possible


def test_every_fact_has_its_words_and_its_docstring() -> None:
    """A fact without a list of answers could not be checked, one without a docstring not be read."""
    assert set(domains(policy(PORTWELL).rules)) == set(FACTS)
    assert all(fact.__doc__ for fact in FACTS.values())


@pytest.mark.parametrize("company", COMPANIES)
def test_facts_answer_only_with_words_that_rules_may_use(company: str) -> None:
    """What a fact says, a rule can ask for."""
    for name, situation, _ in ANSWERS:
        if situation.rules.policy.company == policy(company).rules.policy.company:
            assert words_of(FACTS[name](situation)) <= set(domains(situation.rules)[name])


def test_a_condition_holds_when_it_names_one_of_the_answers() -> None:
    """Conditions are and-ed, the words of one are or-ed, true and false are yes and no, and no condition always holds."""
    seen = {"exclusion": frozenset({"liquid", "misuse"}), "doa": frozenset({"yes"}), "wish": frozenset[str]()}
    assert holds({}, seen)
    assert holds({"exclusion": "liquid"}, seen)
    assert holds({"exclusion": ("modified", "misuse")}, seen)
    assert holds({"doa": True}, seen)
    assert not holds({"doa": False}, seen)
    assert not holds({"wish": "rush"}, seen)
    assert not holds({"exclusion": "liquid", "wish": "rush"}, seen)


def test_facts_come_back_from_the_record_as_they_went_in() -> None:
    """A decision can be looked at later from the record alone (promise 9)."""
    situation = at(unit=replace(REPAIRED, country="DE"), request=asks("doa", special_requests=("rush", "cod")))
    seen = facts.all_facts(situation)
    assert recall(record(seen, dates(situation))) == seen


def test_the_dates_behind_the_facts_are_on_record() -> None:
    """Delivery, end of cover and today are in the record, and what does not apply does not."""
    assert dates(at()) == {
        "delivered_on": date(2026, 3, 1),
        "bought_on": date(2026, 3, 1),
        "cover_until": date(2028, 3, 1),
        "today": TODAY,
    }
    assert dates(at(unit=None)) == {"today": TODAY}


@pytest.mark.parametrize(
    ("delivered_on", "extended", "until"),
    [
        (date(2026, 3, 1), date(2030, 1, 1), date(2028, 3, 1)),  # the factory warranty decides: its own end is named
        (date(2020, 3, 1), date(2030, 1, 1), date(2030, 1, 1)),
        (date(2020, 3, 1), date(2023, 1, 1), date(2023, 1, 1)),  # over: the later of the two ends
        (date(2020, 3, 1), date(2021, 1, 1), date(2022, 3, 1)),
    ],
)
def test_the_end_of_cover_is_that_of_the_cover_that_decides(delivered_on: date, extended: date, until: date) -> None:
    """A letter that says "the two-year warranty runs until" names the day on which the two years end."""
    situation = at(unit=replace(IPC, delivered_on=delivered_on, extended_until=extended))
    assert dates(situation)["cover_until"] == until
