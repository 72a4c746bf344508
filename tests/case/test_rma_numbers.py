"""RMA numbers: of the rules' form, never the same twice, and a slip of the pen shows."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from support.memory_desk import COMPANIES, NOW, PORTWELL, policy

from mailbot.case.numbers import assign, format_number, pattern
from mailbot.model import Snapshot
from mailbot.policy.context import Context

SHIPPED = "RMA-{year}{sequence:05}{check}"
FORMS = [SHIPPED, "ACME-{year}-{sequence}-{check}", "R-{sequence:08}{check}", "RGA{year}{sequence:03}{check}"]
SEQUENCES = st.integers(1, 10_000_000)
DAY = date(2026, 11, 20)


def digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))


@given(st.sampled_from(FORMS), st.integers(2020, 2099), SEQUENCES)
def test_the_last_digit_proves_the_number(form: str, year: int, sequence: int) -> None:
    """Every number passes the Luhn check, and is found by the pattern that looks for our numbers."""
    number = format_number(form, year, sequence)
    assert luhn.is_valid(digits(number))
    assert re.fullmatch(pattern(form), number)
    assert re.fullmatch(r"[A-Z0-9-]+", number)


@given(st.integers(2020, 2099), st.integers(1, 99_999), st.integers(0, 9), st.integers(0, 9))
def test_one_wrong_digit_is_noticed(year: int, sequence: int, place: int, digit: int) -> None:
    """Whoever mistypes one digit of a number has not typed another valid one."""
    number = digits(format_number(SHIPPED, year, sequence))
    slip = number[:place] + str(digit) + number[place + 1 :]
    assert (slip == number) or not luhn.is_valid(slip)


@given(st.integers(2020, 2099), st.integers(1, 99_999), st.integers(0, 8))
def test_two_digits_swapped_are_noticed(year: int, sequence: int, place: int) -> None:
    """Whoever swaps two neighbours is noticed too, but for 0 and 9, which Luhn cannot tell."""
    number = digits(format_number(SHIPPED, year, sequence))
    a, b = number[place], number[place + 1]
    slip = number[:place] + b + a + number[place + 2 :]
    assert a == b or {a, b} == {"0", "9"} or not luhn.is_valid(slip)


@given(st.sampled_from(FORMS), st.lists(SEQUENCES, min_size=2, max_size=30, unique=True))
def test_another_sequence_is_another_number(form: str, sequences: list[int]) -> None:
    """No two returns of a year share a number."""
    assert len({format_number(form, 2026, sequence) for sequence in sequences}) == len(sequences)


@pytest.mark.parametrize("company", COMPANIES)
def test_the_shipped_form(company: str) -> None:
    """The shipped numbers are RMA-, the year, five digits and the check digit."""
    rules = policy(company).rules
    assert format_number(rules.number.format, 2026, 17) == f"RMA-202600017{luhn.calc_check_digit('202600017')}"


@pytest.mark.parametrize("company", COMPANIES)
def test_a_number_is_valid_for_thirty_days(company: str) -> None:
    """The day of issue is not counted, day 30 is in, and the rule that issued it is on record (ST-4, ST-5)."""
    number = assign(Context(policy(company), Snapshot(sequence=7), NOW), "rule AP-1")
    assert number.issued_on == DAY
    assert number.valid_until == DAY + timedelta(days=30)
    assert number.issued_by == "rule AP-1"


@pytest.mark.parametrize(("limit", "days"), [(3, 3), (30, 30), (90, 30)])
def test_a_number_for_a_unit_that_arrived_dead_ends_with_its_window(limit: int, days: int) -> None:
    """Such a number holds until the earlier of its own thirty days and thirty days after delivery (AP-43)."""
    last = DAY + timedelta(days=limit)
    context = Context(policy(PORTWELL), Snapshot(sequence=7), NOW)
    assert assign(context, "rule AP-43", last).valid_until == DAY + timedelta(days=days)


@pytest.mark.parametrize("text", ["RMA process", "RMA-", "RMA- 2026", "PRMA", "RMA number 2026", "RMA-ABC", "armada-1"])
def test_other_words_are_no_numbers(text: str) -> None:
    """What only looks a little like one of our numbers is left alone."""
    assert not re.search(pattern(SHIPPED), text, re.IGNORECASE)
