"""What a mail newly says, laid over what its case knows already (AP-27)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from support.memory_desk import Desk, to_customer, unit, words

from mailbot.case.merge import merge_request
from mailbot.model import Case, CaseUnit, Request, RequestedUnit

if TYPE_CHECKING:
    from mailbot.model import Step

ASKED = ("AP-28",)


def case(*items: CaseUnit, **more: object) -> Case:
    usual: dict[str, object] = {"intent": "repair", "state": "asking"}
    return Case(
        "C-BCDFGHJKMN",
        "rma@x.example",
        "p",
        "kim@acme.example",
        opened_at=datetime(2026, 11, 20, tzinfo=UTC),
        units=items,
        **usual | more,  # type: ignore[arg-type]
    )


def gap(serial: str = "", reason: str = "", **more: object) -> CaseUnit:
    return CaseUnit(serial, "asking", "ask", ASKED, reason=reason, **more)  # type: ignore[arg-type]


def says(*items: RequestedUnit, intent: str = "repair", **more: object) -> Request:
    return Request("reply", intent=intent, units=items, **more)  # type: ignore[arg-type]


def told(case_: Case | None, request: Request) -> list[tuple[str, str]]:
    return [(item.serial, item.reason) for item in merge_request(case_, request).units]


def test_a_mail_without_a_unit_is_one_unit_without_a_serial() -> None:
    """Who asks for a repair and names no unit is asked for one."""
    assert told(None, says(reason="no video")) == [("", "no video")]


@pytest.mark.parametrize("intent", ["status", "question", "none", "cancel", "po", "accept_quote"])
def test_a_mail_that_asks_for_no_unit_gets_none(intent: str) -> None:
    """A question about the weather does not become a return."""
    assert told(None, says(intent=intent)) == []


def test_the_answer_fills_the_gap() -> None:
    """The serial comes to the reason that was there, the reason to the serial that was there."""
    assert told(case(gap("", "no video")), says(RequestedUnit("AH1"))) == [("AH1", "no video")]
    assert told(case(gap("AH1", known=True)), says(reason="no video")) == [("AH1", "no video")]
    assert told(case(gap("AH1", known=True)), says(RequestedUnit("AH1", "no video"))) == [("AH1", "no video")]
    assert told(case(gap("AH1", known=True)), says(RequestedUnit("ah-1", "no video"))) == [("ah-1", "no video")]


def test_a_corrected_serial_takes_the_place_of_the_one_that_nobody_knew() -> None:
    """The reason stays, the wrong serial goes."""
    assert told(case(gap("AH0", "no video", asks=("known_serial",))), says(RequestedUnit("AH1"))) == [("AH1", "no video")]


def test_a_known_unit_is_never_replaced() -> None:
    """A unit that was matched and only lacks its reason stays when the answer names another one too."""
    assert told(case(gap("AH1", known=True)), says(RequestedUnit("AH2", "no power"), reason="no power")) == [
        ("AH1", "no power"),
        ("AH2", "no power"),
    ]


def test_two_gaps_and_two_serials_find_each_other_in_order() -> None:
    """Two units without serials take the two serials of the answer, one each, with their own reasons."""
    asked = case(gap("AH0", "no video"), gap("AH9", "no power"))
    assert told(asked, says(RequestedUnit("AH1"), RequestedUnit("AH2"))) == [("AH1", "no video"), ("AH2", "no power")]
    assert told(asked, says(RequestedUnit("AH1"))) == [("AH1", "no video"), ("AH9", "no power")]
    assert told(asked, says(RequestedUnit("AH1"), RequestedUnit("AH2"), RequestedUnit("AH3", "no usb"))) == [
        ("AH1", "no video"),
        ("AH2", "no power"),
        ("AH3", "no usb"),
    ]


def test_a_vague_word_does_not_replace_a_symptom() -> None:
    """Whoever said "no video" and now writes "it is broken" has still said no video; the other way round it counts."""
    keeps = merge_request(case(gap("", "no video")), says(RequestedUnit("AH1", "it is broken", vague=True)))
    assert keeps.units == (RequestedUnit("AH1", "no video", vague=False),)
    fills = merge_request(case(gap("AH1", "it is broken", known=True, vague=True)), says(RequestedUnit("AH1", "no video")))
    assert fills.units == (RequestedUnit("AH1", "no video", vague=False),)
    both = merge_request(case(gap("AH1", "", known=True)), says(RequestedUnit("AH1", "it is broken", vague=True)))
    assert both.units == (RequestedUnit("AH1", "it is broken", vague=True),)


def test_what_was_admitted_stays_admitted() -> None:
    """An exclusion is not forgotten because the next mail does not repeat it."""
    merged = merge_request(case(gap("", "wet", exclusions=("liquid",))), says(RequestedUnit("AH1", exclusions=("misuse",))))
    assert merged.units[0].exclusions == ("liquid", "misuse")


def test_the_answer_keeps_what_was_asked_for() -> None:
    """Who wanted credit and sends only the serial still wants credit; who now asks for something else gets that."""
    waiting = case(gap("", "ordered by mistake"), intent="credit")
    assert merge_request(waiting, says(RequestedUnit("AH1"), intent="none")).intent == "credit"
    assert merge_request(waiting, says(RequestedUnit("AH1"), intent="repair")).intent == "credit"
    assert merge_request(waiting, says(RequestedUnit("AH1"), intent="exchange")).intent == "exchange"


def test_thanks_carry_nothing_on() -> None:
    """A thank-you to our question is no answer to it."""
    assert told(case(gap("", "no video")), says(intent="none", thanks=True)) == []


def test_settled_units_are_not_decided_again() -> None:
    """A unit with its number is left alone when the answer is about the other."""
    done = CaseUnit("AH5", "authorized", "issue", ("AP-1",), known=True, reason="no usb")
    assert told(case(done, gap("", "no video")), says(RequestedUnit("AH1"))) == [("AH1", "no video")]


def test_wishes_and_a_support_case_are_remembered() -> None:
    """A rush asked for in the first mail counts for the second too."""
    waiting = case(gap("", "no video"), special_requests=("rush",), support_case="4711")
    merged = merge_request(waiting, says(RequestedUnit("AH1"), special_requests=("cod",)))
    assert merged.special_requests == ("rush", "cod")
    assert merged.support_case == "4711"


# ------------------------------------------------------------------ the same, from mail to mail


def talk(*bodies: str) -> list[Step]:
    """A customer's mails, each an answer to our last."""
    desk = Desk(units=[unit("AH2F104432", "ipc"), unit("AH2F104440", "ipc", date(2012, 1, 1))])
    steps: list[Step] = []
    for body in bodies:
        last = steps[-1].replies[0] if steps else None
        more = {"answers": last.message_id, "subject": f"Re: {last.subject}"} if last else {}
        steps.append(desk.write(body, **more))
        desk.later(hours=3)
    assert len(list(desk.store.cases())) == 1
    return steps


@pytest.mark.parametrize(
    "bodies",
    [
        ("Our board shows no video.", "It is AH2F104432."),
        ("Please send an RMA number for AH2F104432.", "It shows no video."),
        ("Serial number AH2F104439 shows no video.", "Sorry, the serial number is AH2F104432."),
        ("We need an RMA number.", "Serial number AH2F104432.", "There is no video."),
        ("We need an RMA number.", "There is no video.", "AH2F104432"),
    ],
)
def test_whatever_is_missing_comes_in_any_order(bodies: tuple[str, ...]) -> None:
    """In one case, in two or three mails, in either order: serial and reason come together and bring the number."""
    last = talk(*bodies)[-1]
    assert last.after
    assert last.after.state == "authorized"
    assert [(item.serial, item.state) for item in last.after.units] == [("AH2F104432", "authorized")]
    assert last.after.number
    assert last.after.number.text in words(to_customer(last))
    assert "video" in last.after.units[0].reason


def test_two_units_asked_for_are_two_units_decided() -> None:
    """One serial matched, one mistyped and then corrected: one case, one number, one quote."""
    first, last = talk("AH2F104432 and AH2F104449 both show no video.", "The second one is AH2F104440, sorry.")
    assert first.after
    assert last.after
    assert {(i.serial, i.state) for i in first.after.units} == {("AH2F104432", "authorized"), ("AH2F104449", "asking")}
    assert {(i.serial, i.state) for i in last.after.units} == {("AH2F104432", "authorized"), ("AH2F104440", "quoted")}
