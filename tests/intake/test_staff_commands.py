"""What staff write, and what it does."""

from __future__ import annotations

import time
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.intake.commands.parsing import CommandsRead, parse_commands
from mailbot.intake.desk import Desk
from mailbot.intake.statements.word_lists import load
from mailbot.model import Command, Price, ShipmentNotice

SAID: dict[str, Any] = tomllib.loads(Path(__file__).with_name("commands.toml").read_text("utf-8"))
FOLDER = Path(__file__).parents[2] / "rules" / "words"
WORDS = load({path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.toml")})
DESK = Desk("rma@maker.example", WORDS, serial_forms=(r"A[A-Z]\d[A-Z0-9]\d{6}", r"PDU\d{4}-?\d{7}", r"\d{10}", r"\d{7}"))


def heard(text: str, *, is_reply: bool = True) -> CommandsRead:
    return parse_commands(text, WORDS.everything, desk=DESK, known={"AH2F104432", "AH2F104433"}, is_reply=is_reply)


def price(text: str) -> Price:
    amount, currency, *label = text.split(" ", 2)
    return Price(Decimal(amount), currency, " ".join(label))


def shown(command: Command) -> dict[str, Any]:
    """A command without what it was read from and what it leaves out."""
    parcel = command.shipment if command.shipment not in (None, ShipmentNotice()) else None
    fields = {
        "name": command.name, "serials": command.serials, "count": command.count, "prices": command.prices,
        "fee": command.fee, "findings": command.findings, "text": command.text, "days": command.days,
        "force": command.force, "flaw": command.flaw, "parcel": parcel,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def expected(does: dict[str, Any]) -> dict[str, Any]:
    made = {name: tuple(value) if isinstance(value, list) else value for name, value in does.items()}
    if "prices" in does:
        made["prices"] = tuple(map(price, does["prices"]))
    if "parcel" in does:
        made["parcel"] = ShipmentNotice(*does["parcel"])
    return made


@pytest.mark.parametrize("text", SAID["approves"])
def test_an_approval_in_natural_words_approves(text: str) -> None:
    """An approver may write as to a colleague."""
    assert [shown(command) for command in heard(text).commands] == [{"name": "approve"}]
    assert not heard(text).unclear


@pytest.mark.parametrize("text", SAID["unclear"])
def test_what_only_sounds_like_a_decision_changes_nothing(text: str) -> None:
    """A question, a condition, a negation, a contradiction or talk about approving is answered with the choices."""
    assert not heard(text).commands
    assert heard(text).unclear


@pytest.mark.parametrize("text", SAID["silent"])
def test_what_is_no_command_is_none(text: str) -> None:
    """A sentence that merely begins with a command's word does nothing."""
    assert not heard(text).commands


@pytest.mark.parametrize("said", SAID["command"], ids=[said["says"] for said in SAID["command"]])
def test_a_command_is_read_with_its_arguments(said: dict[str, Any]) -> None:
    """Units, money, days, findings and parcels are read as written, and refused where they are not certain."""
    got = heard(said["says"])
    assert [shown(command) for command in got.commands] == [expected(does) for does in said["does"]]
    assert bool(got.unclear) is said.get("unclear", False)


@pytest.mark.parametrize("text", [*SAID["approves"][:20], *(said["says"] for said in SAID["command"][:40])])
def test_capitals_and_polite_words_make_no_difference(text: str) -> None:
    """A greeting and a polite line around a command change nothing, nor does a signature below it."""
    plain = [shown(command) for command in heard(text).commands]
    framed = f"Hello,\n\n{text}\n\nBest regards\nAnna Bell\nRMA desk, extension 4711"
    assert [shown(command) for command in heard(framed).commands] == plain


@pytest.mark.parametrize("text", [text for text in SAID["unclear"] if "AH2F" not in text])
def test_what_decides_nothing_decides_nothing_in_a_letter(text: str) -> None:
    """A sentence that decides nothing does not become a decision within a letter."""
    assert not heard(f"Hi,\n\n{text}\n\nBest regards\nAnna").commands


def test_A9_what_is_quoted_hidden_or_signed_is_no_command() -> None:
    """A quote, an HTML comment and a signature command nothing."""
    for text in ("> APPROVE", "Hi\n<!-- APPROVE -->", "See below.\n\nRegards\nAPPROVE", "<!-- \nAPPROVE"):
        assert not heard(text).commands, text


@pytest.mark.parametrize("amount", ["NaN", "-5", "1e309", "٢٥٠", "1,000.00 vs 1.000,00", "1.000,00", "", "inf", "0x10", "9" * 40])
def test_A11_an_amount_that_is_not_certain_is_refused(amount: str) -> None:
    """No quote ever names another amount than was meant."""
    (command,) = heard(f"QUOTE {amount} USD" if amount else "QUOTE").commands
    assert (command.prices, command.flaw) == ((), "amount")


def test_a_request_passed_on_is_no_approval() -> None:
    """The words "please issue an RMA" decide in an answer to us, and ask at the head of a request that is passed on."""
    assert heard("Please issue an RMA for this customer.").commands
    assert not heard("Please issue an RMA for this customer.", is_reply=False).commands


WORDS_OF_STAFF = sorted({word for text in (*SAID["approves"], *SAID["unclear"]) for word in text.split()})


@given(st.lists(st.sampled_from([*WORDS_OF_STAFF, "\n", ".", "?", ",", "USD", "250", "1.000,00", ":", "FORCE"]), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_words_of_staff_can_be_heard(words: list[str]) -> None:
    """No mail of staff stops the desk, and what is carried out is never what was also called unclear."""
    got = heard(" ".join(words))
    assert not {command.said for command in got.commands if command.name == "reject"} & set(got.unclear)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_heard(text: str) -> None:
    """Any characters at all are read without an error."""
    heard(text)


@pytest.mark.parametrize(
    "piece", ["approve ", "QUOTE 1,", "(", "RECEIVED 2 of 3\n", "<!--", "Approved. ", "SHIP TO:\n", "1Z ", "a,", "FORCE:"]
)
def test_R4_forty_thousand_characters_cost_no_time(piece: str) -> None:
    """The longest text that is read costs little more than its length."""
    text = piece * (40_000 // len(piece))
    heard(text[:400])
    begun = time.perf_counter()
    heard(text)
    assert time.perf_counter() - begun < 3
