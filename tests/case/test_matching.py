"""Which case a mail belongs to, and who may take part in it (A10, P4)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.memory_desk import KIM, NOW, PORTWELL, Desk, letter, policy, to_customer, unit

from mailbot.case.matching import active_units, base_subject, case_id, case_references, may_join
from mailbot.intake.reading import read_message
from mailbot.model import Auth, Case, CaseUnit, State, Step
from mailbot.runtime.pipeline import incoming_mail

JOE = "joe@elsewhere.example"
LEE = "lee@acme.example"


def begun(body: str = "Serial number AH2F104432 shows no video.", sender: str = KIM, **headers: str) -> tuple[Desk, Step, Case]:
    desk = Desk(units=[unit("AH2F104432", "ipc")])
    step = desk.write(body, sender, **headers)
    case = desk.store.case(step.after.id) if step.after else None
    assert case
    return desk, step, case


def joined(desk: Desk, case: Case, step: Step) -> bool:
    return step.after is not None and step.after.id == case.id


def by_reply(desk: Desk, first: Step, sender: str, body: str = "What is the status?") -> Step:
    ours = to_customer(first)
    return desk.write(body, sender, subject=f"Re: {ours.subject}", answers=ours.message_id)


@pytest.mark.parametrize("sender", [KIM, LEE, "Kim Lark <KIM@acme.example>"])
def test_the_customer_and_colleagues_take_part(sender: str) -> None:
    """An answer of the customer's, or of a colleague in the owner's domain, belongs to the case."""
    desk, first, case = begun()
    assert joined(desk, case, by_reply(desk, first, sender))


@pytest.mark.parametrize(
    "sender", [JOE, "kim@acme.example.evil.example", "kim@notacme.example", '"kim@acme.example" <joe@evil.example>']
)
def test_a_stranger_with_a_guessed_id_is_not_let_in(sender: str) -> None:
    """Who answers a mail that was not for him, by its id, its subject or its number, opens a case of his own (A10)."""
    desk, first, case = begun()
    step = by_reply(desk, first, sender)
    assert not joined(desk, case, step)
    assert desk.store.case(case.id) == case, "the case has not changed"
    assert case.number
    for subject in (f"Re: [{case.number.text}]", f"About {case.id}", f"Re: {to_customer(first).subject}"):
        assert not joined(desk, case, desk.write("What is the status?", sender, subject=subject))
    assert desk.store.case(case.id) == case


def test_a_number_in_the_subject_is_enough_for_its_owner() -> None:
    """A new mail with the number, or the case's id, in its subject finds home, in any capitals."""
    desk, _, case = begun()
    assert case.number
    for tag in (case.number.text, case.number.text.lower(), case.id, case.id.lower()):
        assert joined(desk, case, desk.write("What is the status?", subject=f"Status of {tag}, please"))


@pytest.mark.parametrize("field", ["To", "Cc", "Delivered-To"])
def test_an_address_of_ours_that_names_the_case_is_enough(field: str) -> None:
    """Where the mail program, or a link to write a mail, left the thread out, the plus-address brings it home."""
    desk, _, case = begun()
    host = desk.policy.desk.address.rpartition("@")[2]
    address = f"rma+{case.id.lower()}.{'0' * 32}@{host}"
    fields = {"to": address} if field == "To" else {field.replace("-", "_"): address}
    message = read_message(incoming_mail(f"rma@{host}", letter("Hello", subject="Hello", **fields), NOW), desk.policy.desk)
    assert case_references(message, desk.policy.desk) == (case.id,)
    if field != "To":
        assert joined(desk, case, desk.write("What is the status?", subject="Hello", **fields))
        assert not joined(desk, case, desk.write("What is the status?", JOE, subject="Hello", **fields)), "A10"


@pytest.mark.parametrize(
    "address", ["rma+c-bcdfghjkmn.x@evil.example", "x+c-bcdfghjkmn@portwell.example", "rma+c-bcdfg@portwell.example"]
)
def test_an_address_of_somebody_elses_names_no_case(address: str) -> None:
    """Only our own mailbox's plus-addresses speak of cases."""
    desk = policy(PORTWELL).desk
    assert case_references(read_message(incoming_mail(desk.address, letter("Hello", to=address), NOW), desk), desk) == ()


def test_a_forged_mail_of_staff_joins_nothing() -> None:
    """What our server says is not genuine takes no part in any case, staff's address or not."""
    desk, _, case = begun()
    staff = desk.policy.desk.staff[0].address
    message = read_message(incoming_mail(desk.policy.desk.address, letter("APPROVE", staff), NOW), desk.policy.desk)
    assert may_join(case, message, desk.policy.desk)
    assert not may_join(case, structs.replace(message, auth=Auth("fail")), desk.policy.desk)


def test_an_answer_elsewhere_does_not_take_part() -> None:
    """A participant's From with a Reply-To into the blue is not let in: the answer would go out there."""
    desk, first, case = begun()
    ours = to_customer(first)
    step = desk.write("What is the status?", KIM, subject=f"Re: {ours.subject}", answers=ours.message_id, Reply_To=JOE)
    assert not joined(desk, case, step)


def test_being_on_cc_makes_nobody_a_participant() -> None:
    """Who put himself, or was put, on Cc may not write into the case (P4)."""
    desk, first, case = begun(Cc=f"{JOE}, {LEE}")
    assert case.participants == (KIM,)
    assert not joined(desk, case, by_reply(desk, first, JOE))


def test_colleagues_take_part_only_once_the_unit_is_matched() -> None:
    """Before a unit is the owner's on record, sharing a domain (of a mail provider, say) opens nothing."""
    desk, first, case = begun("Our board shows no video.")
    assert case.state == "asking"
    assert not joined(desk, case, by_reply(desk, first, LEE))
    assert joined(desk, case, by_reply(desk, first, KIM))


def test_a_disguised_unit_opens_nothing_for_the_strangers_domain() -> None:
    """A stranger's colleagues are no nearer to the case than anybody."""
    desk, first, case = begun(sender=JOE)
    assert not joined(desk, case, by_reply(desk, first, "jim@elsewhere.example"))


def test_staff_may_write_in_every_case_and_are_no_participants() -> None:
    """What staff write in a thread is on the case's record; it opens the case to nobody else."""
    desk, first, case = begun()
    staff = desk.policy.desk.staff[0].address
    assert joined(desk, case, by_reply(desk, first, staff, "I called them."))
    after = desk.store.case(case.id)
    assert after
    assert after.participants == (KIM,)


def test_another_mailboxes_case_is_not_joined() -> None:
    """A case of one company is unknown at the other's desk, even to its own customer."""
    _, first, case = begun()
    other = Desk("server-technology", at=NOW + timedelta(hours=1))
    other.store.stage(Step(None, None, case))
    other.store.commit()
    assert not joined(other, case, by_reply(other, first, KIM))


def test_other_units_in_a_thread_are_a_case_of_their_own() -> None:
    """Who answers an old thread with another unit gets a case for it, and the old one stays as it is."""
    desk, first, case = begun()
    step = by_reply(desk, first, KIM, "Now serial number AH2F104999 hangs at POST.")
    assert step.after
    assert not joined(desk, case, step)
    assert desk.store.case(case.id) == case


# ------------------------------------------------------------------ which case has which unit in hand


def holding(name: str, *items: CaseUnit) -> Case:
    """A case with these units."""
    return Case(name, "rma@portwell.example", PORTWELL, KIM, "held", NOW, units=items)


def item(serial: str = "AH2F104432", state: State = "authorized", **more: Any) -> CaseUnit:
    return CaseUnit(serial, state, "issue", ("AP-1",), **({"known": True} | more))


def in_hand(*cases: Case) -> dict[str, str]:
    return {serial: case.id for serial, case in active_units(cases).items()}


def test_a_unit_is_in_the_hand_of_one_case() -> None:
    """A unit that two open cases have is in the hand of the first one: it is never decided on in two cases (ST-4)."""
    first, second = holding("C-1", item()), holding("C-2", item(), item("AH2F104440"))
    assert in_hand(first, second) == {"AH2F104432": "C-1", "AH2F104440": "C-2"}
    assert in_hand(second, first) == {"AH2F104432": "C-2", "AH2F104440": "C-2"}


@pytest.mark.parametrize("written", ["ah2f-104432", "AH2F 104432", "AH2F104432"])
def test_a_unit_is_found_however_its_serial_number_is_written(written: str) -> None:
    """Hyphens, spaces and small letters make no difference."""
    assert in_hand(holding("C-1", item(written)), holding("C-2", item())) == {"AH2F104432": "C-1"}


@pytest.mark.parametrize("state", get_args(State))
def test_only_an_open_unit_is_in_hand(state: State) -> None:
    """A unit that is closed, expired, canceled or declined is in no hand, and the next case can have it."""
    over = state in ("closed", "expired", "withdrawn", "declined")
    assert in_hand(holding("C-1", item(state=state)), holding("C-2", item())) == {"AH2F104432": "C-2" if over else "C-1"}


@pytest.mark.parametrize("state", ["shipped", "held", "received"])
def test_a_unit_that_was_shipped_back_is_in_no_hand(state: State) -> None:
    """After the return shipment a unit can come back, in a case of its own."""
    back = holding("C-1", item(state=state, shipped_on=NOW.date()))
    assert in_hand(back) == {}
    assert in_hand(back, holding("C-2", item())) == {"AH2F104432": "C-2"}


@pytest.mark.parametrize("how", [{"answered_as_unknown": True}, {"known": False}])
def test_a_unit_that_is_answered_as_unknown_is_in_no_hand(how: dict[str, bool]) -> None:
    """A stranger who names a unit does not keep its owner from it (promise 7)."""
    strangers = holding("C-1", item(state="held", **how))
    assert in_hand(strangers) == {}
    assert in_hand(strangers, holding("C-2", item())) == {"AH2F104432": "C-2"}


def test_the_owner_is_answered_while_a_stranger_waits_for_staff() -> None:
    """A stranger's request for a unit does not hold up the request of its owner."""
    desk, _, strangers = begun(sender=JOE)
    assert strangers.units[0].answered_as_unknown
    step = desk.write("Serial number AH2F104432 shows no video.", KIM)
    assert step.after
    assert step.after.id != strangers.id
    assert step.after.number
    again = desk.write("Serial number AH2F104432 still shows no video.", LEE)
    assert joined(desk, step.after, again)


def test_staff_cannot_approve_a_unit_that_another_case_has_in_hand() -> None:
    """An approval in the stranger's case is refused while the owner's case has the unit in hand (ST-4)."""
    desk, _, strangers = begun(sender=JOE)
    owners = desk.write("Serial number AH2F104432 shows no video.", KIM).after
    assert owners
    boss = next(person.address for person in desk.policy.desk.staff if "approver" in person.roles)
    sent = [reply for step in desk.steps for reply in step.replies if reply.to == boss]
    [notice] = [reply for reply in sent if strangers.id.lower() in reply.message_id]
    step = desk.write("APPROVE", boss, subject=f"Re: {notice.subject}", answers=notice.message_id)
    assert step.decision
    assert [(result.result, result.reason) for result in step.decision.command_results] == [("refused", "other_case")]
    assert [case.id for case in desk.store.cases() if case.number] == [owners.id]


@given(st.binary(min_size=16, max_size=16))
def test_a_case_id_is_never_taken_for_a_number_or_a_serial(chance: bytes) -> None:
    """An id has ten consonants and no digit, does not begin like an RMA number, and is found again in a subject."""
    name = case_id(chance.hex())
    assert re.fullmatch(r"C-[BCDFGHJKMNPQRSTV]{10}", name)
    desk = policy(PORTWELL).desk
    message = read_message(incoming_mail("rma@portwell.example", letter("x", subject=f"Re: board [{name}]"), NOW), desk)
    assert case_references(message, desk) == (name,)
    assert message.codes == ()


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Board", "Board"),
        ("Re: Board", "Board"),
        ("RE: re: AW: Board", "Board"),
        ("Re[2]: Board", "Board"),
        ("Reboard", "Reboard"),
        ("", ""),
        ("Re:", ""),
        ("Re: " * 50 + "x", "Re: " * 30 + "x"),
    ],
)
def test_a_subject_loses_the_marks_of_an_answer(subject: str, base: str) -> None:
    """Ours begins with one Re:, whatever came before (RFC 5322 §3.6.5)."""
    assert base_subject(subject) == base
