"""Single sentences: what is wished for, and whether a reason is given with it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.model import Message, Request

PHRASES: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))
UNIT = "AH2F104432"
RANGE = [f"AH2F10443{digit}" for digit in "23456"]

Understood = Callable[..., tuple[Message, Request]]


def mail(body: str, subject: str = "RMA") -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Message-ID"] = "kim@acme.example", "rma@maker.example", "<1@acme.example>"
    letter["Subject"] = subject
    letter.set_content(body)
    return letter.as_bytes()


@pytest.mark.parametrize("text", PHRASES["wish_alone"])
def test_a_request_is_no_reason(text: str, understood: Understood) -> None:
    """Who only asks for a number is asked why the unit comes back."""
    _, request = understood(mail(text), [UNIT])
    assert request.intent == "repair"
    assert request.missing == ("reason",)
    assert [unit.serial for unit in request.units] == [UNIT]
    assert not request.units[0].reason


@pytest.mark.parametrize("text", PHRASES["no_failure"])
def test_what_a_unit_is_and_where_is_no_reason(text: str, understood: Understood) -> None:
    """Whose a unit is, where it is and when it was bought does not say why it comes back."""
    _, request = understood(mail(text), [UNIT])
    assert request.intent == "repair"
    assert request.missing == ("reason",)


@pytest.mark.parametrize("text", PHRASES["failure"])
def test_a_failure_is_heard_in_every_language(text: str, understood: Understood) -> None:
    """A failure told in one sentence is a reason, and excludes nothing."""
    _, request = understood(mail(text), [UNIT])
    assert (request.intent, request.missing, request.exclusions, request.vague) == ("repair", (), (), False)
    assert not request.in_question


@pytest.mark.parametrize("text", PHRASES["unheard"])
def test_what_is_not_understood_never_gets_a_number(text: str, understood: Understood) -> None:
    """Where an email may tell of an exclusion, a sound unit or another wish, no rule issues a number: a person reads it."""
    _, request = understood(mail(text), [UNIT])
    assert request.in_question or request.exclusions or request.missing or request.intent not in ("repair", "doa")


@pytest.mark.parametrize("text", PHRASES["with_reason"])
def test_a_reason_beside_a_request_is_heard(text: str, understood: Understood) -> None:
    """A reason counts, however the wish and the serial are worded around it."""
    _, request = understood(mail(text), [UNIT, "AH2F104433"])
    assert (request.intent, request.missing) == ("repair", ())
    assert [unit.serial for unit in request.units] == [UNIT]
    assert request.units[0].reason


@pytest.mark.parametrize("text", PHRASES["rework"])
def test_rework_is_wished_for(text: str, understood: Understood) -> None:
    """A BIOS update or another revision is rework, and the wish itself is the reason."""
    _, request = understood(mail(text, subject="request"), [UNIT])
    assert (request.intent, request.missing) == ("rework", ())
    assert [unit.serial for unit in request.units] == [UNIT]


@pytest.mark.parametrize("text", PHRASES["question"])
def test_a_question_is_no_request(text: str, understood: Understood) -> None:
    """A question about warranty, cost or procedure is for a person, not for a form."""
    _, request = understood(mail(text, subject="question"), [UNIT])
    assert (request.kind, request.intent, request.missing) == ("other", "question", ())


@pytest.mark.parametrize("text", PHRASES["wish_asked"])
def test_a_request_may_be_a_question(text: str, understood: Understood) -> None:
    """Who asks how to get a number wants one."""
    _, request = understood(mail(text, subject="hello"))
    assert (request.intent, request.missing) == ("repair", ("serial", "reason"))


@pytest.mark.parametrize("text", PHRASES["range"])
def test_a_range_of_known_units_is_all_of_them(text: str, understood: Understood) -> None:
    """From the first to the last serial: all units, where the registry knows every one of them."""
    _, request = understood(mail(text), RANGE)
    assert [unit.serial for unit in request.units] == RANGE
    assert all(unit.reason for unit in request.units)


def test_a_range_with_gaps_is_its_two_ends(understood: Understood) -> None:
    """Where the registry does not know all members, nobody guesses which are meant."""
    _, request = understood(mail("AH2F104432-AH2F104436 have no video"), [*RANGE[:2], *RANGE[3:]])
    assert [unit.serial for unit in request.units] == [RANGE[0], RANGE[-1]]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AH2F1O4432", UNIT),
        ("AH2F1O44E2", ""),
        ("АH2F104432", UNIT),
        ("AHZF104432", UNIT),
        ("19O7233841", "1907233841"),
        ("PDU4501-OO32187", "PDU4501-0032187"),
        ("AH9F104432", ""),
    ],
)
def test_U2_a_mistyped_serial_is_offered_and_never_taken(written: str, meant: str, understood: Understood) -> None:
    """O for 0, I for 1, a Cyrillic letter: the unit stays unknown, and the one that may be meant is a question."""
    _, request = understood(mail(f"Serial {written} does not start."), [UNIT, "1907233841", "PDU4501-0032187"])
    assert [(unit.serial, unit.suggestion) for unit in request.units] == [(written, meant)]


@pytest.mark.parametrize("written", ["ＡＨ２Ｆ１０４４３２", "AH2F\u200b104432", "ah2f 104432", "AH2F-104432", "sn:ah2f104432"])
def test_U3_width_case_and_gaps_make_no_other_serial(written: str, understood: Understood) -> None:
    """Full-width letters, invisible characters, small letters, blanks and hyphens are read over."""
    _, request = understood(mail(f"{written} does not start."), [UNIT])
    assert [unit.serial for unit in request.units] == [UNIT]


@pytest.mark.parametrize("text", ["Hello, {} has no video.", "RMA {} no video", "Model NB-8017 {} no video", "{}: no video"])
def test_a_serial_is_read_alike_whether_it_is_known_or_not(text: str, understood: Understood) -> None:
    """A non-owner's serial is read as the owner's is: the answer does not tell which it was (promise 7)."""
    _, request = understood(mail(text.format("AH9Z123456")))
    assert [unit.serial for unit in request.units] == ["AH9Z123456"]
    assert request.missing == ()


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("AH2F104432 has no video. Please also issue an RMA for AH2F104433.", (True, False)),
        ("AH2F104432 and AH2F104433 came back. Both have no video.", (True, True)),
        ("AH2F104432 has no video.\nAH2F104433: same fault.", (True, True)),
        ("AH2F104432: no video\nAH2F104433: COM2 is dead", (True, True)),
        ("SN: AH2F104432\nProblem: no post\n\nSN: AH2F104433\nProblem:\n", (True, False)),
    ],
)
def test_each_unit_has_its_own_reason(text: str, reasons: tuple[bool, ...], understood: Understood) -> None:
    """What is notified of one unit is no reason for another, unless it is notified of both."""
    _, request = understood(mail(text), [UNIT, "AH2F104433"])
    assert tuple(bool(unit.reason) for unit in request.units) == reasons
