"""A company that no line of Python knows: its rules file alone makes a returns desk."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from stdnum import luhn
from support.memory_desk import Desk, parsed, to_customer, unit, words

from mailbot.runtime.resources import Resources, packaged

if TYPE_CHECKING:
    from pathlib import Path

    from mailbot.policy.policy import Policy

RULES = """
[policy]
company = "Nordlicht Messtechnik"
version = 2030-01-02
effective = 2030-01-01
timezone = {value = "Europe/Berlin", source = "house default"}
country = {value = "DE", source = "terms"}
[contact]
lines = ["service@nordlicht.example"]
source = "NM-1"
[ship_to]
lines = ["Nordlicht", "Hafen 1", "20457 Hamburg", "zu {number}"]
source = "NM-1"
[number]
format = "NORD-{sequence:04}-{check}"
valid_days = {value = 14, source = "NM-2"}
renew_days = {value = 30}
[serials]
forms = ['NL\\d{4}']
[families]
lamp = {warranty_months = 6, clause = "NM-3", source = "terms"}
[windows]
[fees]
look = {label = "Inspection", amount = "49.5", currency = "EUR", source = "terms"}
[deadlines]
hour = {value = 9, source = "house default"}
missing = {remind = [2], close = 5, clause = "NM-4"}
quote = {remind = [], close = 10, clause = "NM-5"}
number = {remind_before = [1], clause = "NM-2"}
held = {first = 1, every = 1, clause = "NM-6"}
repair = {days = 5, remind_before = [1], remind_after = [1], clause = "NM-6"}
close = {days = 0, clause = "NM-6"}
[[decide]]
clause = "NM-4"
when = {serial = ["missing", "unknown"]}
then = "ask"
ask = "serial"
says = "Which lamp is it?"
source = "terms"
[[decide]]
clause = "NM-3"
when = {cover = "factory", requester = "owner"}
then = "issue"
says = "The {warranty_months} months since {delivered_on} end on {cover_until}."
source = "terms"
[[decide]]
clause = "NM-5"
when = {cover = "none", requester = "owner"}
then = "quote"
charge = ["look"]
says = "Looking costs something."
source = "terms"
[[decide]]
clause = "NM-6"
then = "staff"
says = "A person decides."
source = "terms"
[answers.order]
clause = "NM-5"
then = "staff"
says = "Thank you."
source = "terms"
[answers.accept]
clause = "NM-5"
then = "ask"
ask = "po"
says = "Your order, please."
source = "terms"
[answers.other]
clause = "NM-6"
then = "staff"
says = "A person reads this."
source = "terms"
[answers.existing]
clause = "NM-2"
then = "issue"
says = "It has {number} already."
source = "terms"
[answers.matches]
clause = "NM-6"
then = "staff"
says = "News of matches."
source = "terms"
[answers.parts_ordered]
clause = "NM-6"
then = "staff"
says = "News of parts_ordered."
source = "terms"
[answers.parts_declined]
clause = "NM-6"
then = "staff"
says = "News of parts_declined."
source = "terms"
[answers.parts_lapsed]
clause = "NM-6"
then = "staff"
says = "News of parts_lapsed."
source = "terms"
[answers.status]
clause = "NM-6"
then = "staff"
says = "News of status."
source = "terms"
[answers.withdrawn_part]
clause = "NM-6"
then = "staff"
says = "Part."
source = "terms"
[answers.parts_approved]
clause = "NM-6"
then = "staff"
says = "Goes on."
source = "terms"
[answers.withdrawn]
clause = "NM-6"
then = "staff"
says = "News of withdrawn."
source = "terms"
[answers.under_way]
clause = "NM-6"
then = "staff"
says = "News of under_way."
source = "terms"
[answers.late_renewal]
clause = "NM-6"
then = "staff"
says = "News of late_renewal."
source = "terms"
[answers.approved]
clause = "NM-6"
then = "staff"
says = "News of approved."
source = "terms"
[answers.rejected]
clause = "NM-6"
then = "staff"
says = "News of rejected."
source = "terms"
[answers.quoted]
clause = "NM-6"
then = "staff"
says = "News of quoted."
source = "terms"
[answers.parts_quoted]
clause = "NM-6"
then = "staff"
says = "News of parts_quoted."
source = "terms"
[answers.received]
clause = "NM-6"
then = "staff"
says = "News of received."
source = "terms"
[answers.unrepairable]
clause = "NM-6"
then = "staff"
says = "News of unrepairable."
source = "terms"
[answers.shipped]
clause = "NM-6"
then = "staff"
says = "News of shipped."
source = "terms"
[answers.extended]
clause = "NM-6"
then = "staff"
says = "News of extended."
source = "terms"
[answers.address]
clause = "NM-6"
then = "staff"
says = "News of address."
source = "terms"
[answers.ended]
clause = "NM-6"
then = "staff"
says = "News of ended."
source = "terms"
[findings]
[papers]
packing = ["Wrap it well."]
[[inform]]
clause = "NM-1"
moment = ["issued"]
says = "Wrap it well."
[clauses]
NM-1 = {kind = "I", text = "Address.", source = "terms"}
NM-2 = {kind = "D", text = "A number holds 14 days.", source = "terms"}
NM-3 = {kind = "D", text = "Six months.", source = "terms"}
NM-4 = {kind = "D", text = "We need to know the lamp.", source = "terms"}
NM-5 = {kind = "D", text = "Afterwards it costs.", source = "terms"}
NM-6 = {kind = "S", text = "A person decides.", source = "terms"}
[demo]
mailbox = "return@nordlicht.example"
staff = [{address = "chef@nordlicht.example", roles = ["approver", "desk"], limit = "100"}]
"""


@pytest.fixture
def nordlicht(tmp_path: Path) -> Policy:
    (tmp_path / "nordlicht.toml").write_text(RULES, encoding="utf-8")
    return Resources(tmp_path, packaged("templates")).policy("nordlicht")


def desk(policy: Policy, at: datetime, delivered_on: date) -> Desk:
    return Desk(policy, [unit("NL1234", "lamp", delivered_on, model="Polar")], at)


def test_its_number_has_its_own_form_and_window(nordlicht: Policy) -> None:
    """Form, check digit, validity, address, sentence and day are those of its file, the day counted in its zone."""
    at = datetime(2030, 3, 1, 23, 30, tzinfo=UTC)  # 2 March in Hamburg
    step = desk(nordlicht, at, date(2029, 9, 2)).write("Serial number NL1234 flickers, no light.")
    assert step.after
    number = step.after.number
    assert number
    assert number.text.startswith("NORD-0001-")
    assert luhn.is_valid("".join(filter(str.isdigit, number.text)))
    assert number.valid_until == date(2030, 3, 16)
    reply = to_customer(step)
    assert parsed(reply)["From"] == "Nordlicht Messtechnik <return@nordlicht.example>"
    for piece in (number.text, f"zu {number.text}", "The 6 months since September 2, 2029 end on March 2, 2030.", "NM-3"):
        assert piece in words(reply)
    assert set(reply.cites) == {"NM-3", "NM-1"}


def test_its_warranty_ends_on_its_own_day(nordlicht: Policy) -> None:
    """Half an hour later, by its clock, the six months are over and its own fee is quoted in its own currency."""
    at = datetime(2030, 3, 2, 23, 30, tzinfo=UTC)  # 3 March in Hamburg
    step = desk(nordlicht, at, date(2029, 9, 2)).write("Serial number NL1234 flickers, no light.")
    assert step.decision
    assert step.decision.outcome == "quote"
    assert "EUR 49.50" in words(to_customer(step))
    assert "NM-5" in words(to_customer(step))


def test_its_made_up_numbers_are_not_echoed(nordlicht: Policy) -> None:
    """A number of its form that a customer made up stands in no mail to customers (AP-25's rule, for its form)."""
    at = datetime(2030, 1, 10, 9, 0, tzinfo=UTC)
    made_up = "NORD-9999-4"
    step = desk(nordlicht, at, date(2029, 9, 2)).write(
        f"Serial number NL1234 has no light, our number is {made_up}.", subject=f"{made_up}: lamp"
    )
    assert made_up not in to_customer(step).raw
    assert step.after
    assert step.after.number
    assert step.after.number.text in words(to_customer(step))


def test_its_deadlines_come_at_its_hour(nordlicht: Policy) -> None:
    """Reminders go out at nine in Hamburg, on the days of its own file."""
    at = datetime(2030, 1, 10, 9, 0, tzinfo=UTC)
    step = desk(nordlicht, at, date(2029, 9, 2)).write("My lamp flickers, there is no light.")
    assert step.after
    assert [(d.kind, d.at, d.is_final) for d in step.after.deadlines] == [
        ("missing", datetime(2030, 1, 12, 8, 0, tzinfo=UTC), False),
        ("missing", datetime(2030, 1, 15, 8, 0, tzinfo=UTC), True),
    ]
