"""Promise 7: a stranger learns nothing. Two desks differ in one thing only: whether the registry holds the unit.

Clock and chance are the same at both, so that what a stranger is sent must be the same to the last byte.
"""

from __future__ import annotations

from datetime import date
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from support.memory_desk import COMPANIES, PORTWELL, SERVERTECH, Desk, letter, to_customer, unit, words

if TYPE_CHECKING:
    from mailbot.model import Reply, Unit

JOE = "Joe <joe@elsewhere.example>"
SERIAL = {PORTWELL: "AH2F104432", SERVERTECH: "STV7001-0000301"}
OWN = {PORTWELL: "AH2F104440", SERVERTECH: "STV7001-0000399"}
FAMILY = {PORTWELL: "ipc", SERVERTECH: "pdu"}


def foreign(company: str, **more: object) -> Unit:
    return unit(SERIAL[company], FAMILY[company], **more)  # type: ignore[arg-type]


def own(company: str) -> Unit:
    return unit(OWN[company], FAMILY[company], customer="Joe's", customer_domain="elsewhere.example")


def pair(company: str, secret: Unit, *others: Unit) -> tuple[Desk, Desk]:
    """A desk that knows the secret unit, and one that does not."""
    return Desk(company, [secret, *others]), Desk(company, others)


def outside(desk: Desk) -> list[Reply]:
    """All that has gone to customers, in its order."""
    return [reply for step in desk.steps for reply in step.replies if reply.audience == "customer"]


def assert_alike(knowing: Desk, ignorant: Desk) -> None:
    told, would_be = outside(knowing), outside(ignorant)
    assert [words(reply) for reply in told] == [words(reply) for reply in would_be]
    assert [reply.raw for reply in told] == [reply.raw for reply in would_be]
    assert [(reply.state, reply.direct) for reply in told] == [(reply.state, reply.direct) for reply in would_be]


MAILS = {
    "a failure": "Serial number {s} shows no video at all.",
    "nothing but a serial": "{s}",
    "no reason": "Please send us an RMA number for {s}.",
    "a vague reason": "Unit {s} does not work.",
    "a wish for credit": "We ordered serial number {s} by mistake and want to return it for credit.",
    "a wish for an exchange": "Please exchange serial number {s} for a new one, it is the wrong model.",
    "a rework": "Please do a BIOS update rework on serial number {s}.",
    "dead on arrival": "Serial number {s} arrived dead on arrival: no video, straight out of the box.",
    "a drop": "I dropped serial number {s} on the floor and now it shows no video.",
    "a surge": "Lightning struck and serial number {s} is dead since, no power.",
    "liquid": "Coffee was spilled over serial number {s}; it no longer powers on.",
    "a removed label": "The serial number label was removed, it was {s}. There is no video.",
    "shipping damage": "Serial number {s} was damaged in shipment, the frame is bent and there is no video.",
    "a question": "Is serial number {s} still under warranty?",
    "a status question": "What is the status of the repair of {s}?",
    "unlabelled in prose": "Hello, our {s} has no video since Monday, what can we do?",
    "among others": "The boards {s} and AH2F104999 show no video.",
    "a rush": "Serial number {s} shows no video. Please ship the replacement in advance, this is a rush.",
    "an order": "Our purchase order PO 4711 is attached for the repair of {s}.",
    "an acceptance": "Yes, please go ahead with the repair of {s}, we accept the quote.",
    "a made-up number": "Serial number {s} shows no video, our RMA number is RMA-2026000017.",
    "thanks": "Thank you for {s}.",
    "in German": "Guten Tag, die Seriennummer {s} zeigt kein Bild mehr. Bitte senden Sie uns eine RMA-Nummer.",
    "from overseas": "We are in Germany. Serial number {s} shows no video. Please collect it COD.",
    "an older revision": "Please credit serial number {s}, revision A1, it is the wrong one.",
    "its model too": "Model WADE-8013, serial number {s}: no video.",
    "two lines of a list": "- {s}: no video\n- AH2F104998: hangs at POST\n",
    "a cancellation": "Please cancel the RMA for {s}.",
    "spam around it": "Best price, MOQ 10! WhatsApp us. Serial {s}",
}


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS)
def test_a_stranger_gets_the_answer_for_an_unknown_serial(company: str, mail: str) -> None:
    """Whatever a stranger asks for, and however: the answer is the one that an unknown serial brings."""
    desks = pair(company, foreign(company))
    for desk in desks:
        desk.write(mail.format(s=SERIAL[company]), JOE)
    assert_alike(*desks)


STATES = {
    "in warranty": {},
    "out of warranty": {"delivered_on": date(2012, 3, 1)},
    "with a plan": {"delivered_on": date(2012, 3, 1), "extended_until": date(2030, 1, 1)},
    "just delivered": {"delivered_on": date(2026, 11, 10)},
    "of a family without a rule": {"family": "spaceship"},
    "repaired lately": {"delivered_on": date(2012, 3, 1), "repair_shipped_on": date(2026, 11, 1), "repair_failure": "no video"},
    "a customer without a domain": {"customer_domain": ""},
    "delivered abroad": {"country": "DE", "origin": "TW"},
}


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("mail", ["a failure", "a wish for credit", "no reason", "a rework"])
def test_whatever_the_unit_is_nothing_of_it_shows(company: str, state: dict[str, object], mail: str) -> None:
    """Warranty, plan, family, repair and country of somebody else's unit leave no trace in the answer."""
    secret = unit(**{"serial": SERIAL[company], "family": FAMILY[company]} | state)  # type: ignore[arg-type]
    desks = pair(company, secret)
    for desk in desks:
        desk.write(MAILS[mail].format(s=SERIAL[company]), JOE)
    assert_alike(*desks)


def test_another_makers_component_shows_no_trace() -> None:
    """Whether an unknown serial is a bought-in component stays with the staff."""
    desks = pair(PORTWELL, unit("AH2F104432", "component"))
    for desk in desks:
        desk.write("Serial number AH2F104432 shows no video.", JOE)
    assert_alike(*desks)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(
    "serial", ["XK77ALPHA9", "00-12-ABX", "7700302", "1234567890", "B7001-000201", "Z9", "SN12345", "WADE-8013"]
)
@pytest.mark.parametrize(
    "mail", ["Our {s} shows no video.", "S/N {s} shows no video.", "Unit: {s}\nProblem: no video\n", "{s} is dead, no power"]
)
def test_a_serial_of_any_form_is_no_oracle(company: str, serial: str, mail: str) -> None:
    """A string is never taken for a serial because the registry has it: that would tell that it exists."""
    desks = pair(company, unit(serial, FAMILY[company]))
    for desk in desks:
        desk.write(mail.format(s=serial), JOE)
    assert_alike(*desks)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(
    "mail",
    [
        "Both {o} and {s} show no video.",
        "{o} shows no video.\n\n{s} hangs at POST.",
        "- {o}: no video\n- {s}: no power\n",
        "Serial number {o} shows no video. By the way, {s} is in the same rack.",
    ],
)
def test_one_unit_of_his_own_opens_no_other(company: str, mail: str) -> None:
    """Who has a unit of his own learns nothing of another's that he names beside it."""
    desks = pair(company, foreign(company), own(company))
    for desk in desks:
        desk.write(mail.format(s=SERIAL[company], o=OWN[company]), JOE)
    assert_alike(*desks)
    assert outside(desks[0])


HTML = (
    "<html><body><p>Dear team,</p><table><tr><th>Serial number</th><th>Fault</th></tr>"
    "<tr><td>{s}</td><td>no video</td></tr><tr><td>{o}</td><td>no power</td></tr></table><p>Joe</p></body></html>"
)


@pytest.mark.parametrize("company", COMPANIES)
def test_a_table_in_html_is_no_oracle(company: str) -> None:
    """A table of serials in an HTML mail is read alike, whether the registry has them or not."""
    desks = pair(company, foreign(company))
    for desk in desks:
        desk.take(letter("", JOE, to=desk.policy.desk.address, html=HTML.format(s=SERIAL[company], o="ZZ12345")))
    assert_alike(*desks)
    assert outside(desks[0])


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("name", ["units.csv", "scan.txt", "{s}.pdf", "RMA {s}.csv"])
def test_an_attachment_is_no_oracle(company: str, name: str) -> None:
    """A list of units beside the mail, or a file named after one, is read alike too."""
    desks = pair(company, foreign(company))
    for desk in desks:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = JOE, desk.policy.desk.address, "units"
        mail["Message-ID"] = "<list@client.example>"
        mail.set_content("Please find attached the units that show no video.")
        rows = f"Serial number,Fault\n{SERIAL[company]},no video\nZZ12345,no power\n"
        mail.add_attachment(rows.encode(), maintype="text", subtype="csv", filename=name.format(s=SERIAL[company]))
        desk.take(mail.as_bytes())
    assert_alike(*desks)
    assert outside(desks[0])


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("mail", ["a failure", "a wish for credit", "no reason", "unlabelled in prose", "a question"])
def test_a_unit_quoted_or_in_the_subject_is_no_oracle(company: str, mail: str) -> None:
    """Neither the subject, nor what is quoted or passed on below, tells whether the registry has it."""
    desks = pair(company, foreign(company))
    body = MAILS[mail].format(s=SERIAL[company])
    for desk in desks:
        desk.write("Please see below.\n\n> " + body, JOE, subject=f"Re: {SERIAL[company]} no video")
        desk.later(hours=1)
        forwarded = f"FYI\n\n-------- Original Message --------\nFrom: lee@acme.example\nSubject: board\n\n{body}\n"
        desk.write(forwarded, JOE, subject=f"Fwd: {SERIAL[company]}")
    assert_alike(*desks)
    assert len(outside(desks[0])) == 2


@pytest.mark.parametrize("company", COMPANIES)
def test_the_thread_goes_on_alike(company: str) -> None:
    """Question, second mail, reminders and the closing note are the same for a held unit and an unknown one."""
    desks = pair(company, foreign(company))
    for desk in desks:
        first = to_customer(desk.write(f"Serial number {SERIAL[company]} shows no video.", JOE))
        desk.later(hours=2)
        desk.write(f"It really is {SERIAL[company]}.", JOE, subject=f"Re: {first.subject}", answers=first.message_id)
        for _ in range(40):
            desk.later(days=1)
    assert_alike(*desks)
    assert len(outside(desks[0])) == 5, "two answers, two reminders, one word that it is closed"


@pytest.mark.parametrize("company", COMPANIES)
def test_a_stranger_who_was_answered_and_writes_anew_is_answered_alike(company: str) -> None:
    """The second mail outside the thread, about the same unit, shows no difference either."""
    desks = pair(company, foreign(company))
    for desk in desks:
        desk.write(f"Serial number {SERIAL[company]} shows no video.", JOE)
        desk.later(hours=1)
        desk.write(f"I asked before: {SERIAL[company]}, no video. RMA please.", JOE)
    assert_alike(*desks)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("mail", ["a failure", "a status question", "no reason", "a wish for credit", "a cancellation"])
def test_an_open_rma_of_the_owner_shows_no_trace(company: str, mail: str) -> None:
    """While the owner's RMA is open, a stranger who names the unit, and even its number, learns nothing (P6)."""
    knowing, ignorant = pair(company, foreign(company))
    number = _issued(knowing, SERIAL[company])
    _issued(ignorant, OWN[company], own(company), "jane@elsewhere.example")
    for desk in (knowing, ignorant):
        desk.steps.clear()
        desk.later(minutes=5)
        body = f"{MAILS[mail].format(s=SERIAL[company])} The number is {number}."
        desk.write(body, "eve@third.example", subject=f"About {number}")
    assert_alike(knowing, ignorant)


def _issued(desk: Desk, serial: str, owned: Unit | None = None, by: str = "kim@acme.example") -> str:
    """Give out a number to an owner, so that both desks have come as far in their sequence."""
    if owned:
        desk.context.registry.units[owned.serial.replace("-", "")] = owned  # type: ignore[attr-defined]
    number = (case := desk.write(f"Serial number {serial} shows no video.", by).after) and case.number
    assert number is not None
    return number.text


@pytest.mark.parametrize("company", COMPANIES)
def test_the_day_cap_falls_alike(company: str) -> None:
    """Who fishes for serials gets five answers, and the silence begins at the same mail (P2)."""
    desks = pair(company, foreign(company))
    for desk in desks:
        for count in range(8):
            desk.write(f"Serial number {SERIAL[company] if count % 2 else 'AH2F104777'}: no video, take {count}.", JOE)
    assert_alike(*desks)
    assert [reply.state for reply in outside(desks[0])] == ["queued"] * 5 + ["held"] * 3


@pytest.mark.parametrize("company", COMPANIES)
def test_staff_see_what_the_stranger_does_not(company: str) -> None:
    """Behind the bland answer a person is told that the unit is somebody else's."""
    desk = Desk(company, [foreign(company)])
    step = desk.write(f"Serial number {SERIAL[company]} shows no video.", JOE)
    notes = [words(reply) for reply in step.replies if reply.audience == "staff"]
    assert notes
    assert all("Acme Robotics" in note for note in notes)
    assert "Acme" not in words(to_customer(step))
