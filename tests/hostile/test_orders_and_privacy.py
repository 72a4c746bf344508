"""Orders in the wrong order, and strangers who would like to know (O1 to O3, P1, P2, P4 to P6)."""

from __future__ import annotations

from datetime import date, timedelta
from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING

import pytest
from support.memory_desk import COMPANIES, KIM, PORTWELL, SERVERTECH, Desk, library, to_customer, unit, words

if TYPE_CHECKING:
    from mailbot.model import Case, Quote, Reply, Step
    from mailbot.policy.policy import Policy

JOE, EVE = "joe@elsewhere.example", "eve@third.example"
SERIAL = {PORTWELL: "AH2F104432", SERVERTECH: "STV7001-0000301"}
OWN = {PORTWELL: "AH2F104440", SERVERTECH: "STV7001-0000399"}
FAMILY = {PORTWELL: "ipc", SERVERTECH: "pdu"}
BENCH = {PORTWELL: "rma.desk@portwell.example", SERVERTECH: "support@servertech.example"}


@cache
def vouched(company: str) -> Policy:
    """The shipped policy at its demo desk, with a mail server that says whom it vouches for."""
    return library().policy(company, trusted_authserv_id=f"mx.{BENCH[company].rpartition('@')[2]}")


def desk(company: str, *, delivered_on: date = date(2026, 3, 1)) -> Desk:
    return Desk(vouched(company), [unit(SERIAL[company], FAMILY[company], delivered_on)])


def heard(desk: Desk, company: str, body: str, sender: str = KIM, *, auth: str = "pass", **more: str) -> Step:
    """Let a mail arrive of whose sender our server says this."""
    server, domain = desk.policy.desk.trusted_authserv_id, sender.rpartition("@")[2]
    trace = {"Authentication_Results": f"{server}; dmarc={auth} header.from={domain}"} if auth != "none" else {}
    trace["Received"] = f"from out.{domain} by {server} with ESMTPS; Fri, 20 Nov 2026 10:00:00 -0800"
    more.setdefault("message_id", f"<{len(desk.steps)}.{desk.drawn.total()}@{domain}>")
    return desk.write(body, sender, **more, **trace)


def command(desk: Desk, company: str, words: str) -> Step:
    """Let the bench write about the one case there is."""
    return heard(desk, company, words, BENCH[company], subject=f"Re: [{desk.case.id}]")


def outside(steps: list[Step]) -> list[Reply]:
    return [reply for step in steps for reply in step.replies if reply.audience == "customer"]


def to_staff(step: Step) -> str:
    return " ".join(words(reply) for reply in step.replies if reply.audience == "staff")


# ------------------------------------------------------------------ orders


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("course", [(), ("RECEIVED",), ("RECEIVED", "DIAGNOSED: no video", "REPAIRED")], ids=len)
@pytest.mark.parametrize("sender", [KIM, "lee@acme.example"])
def test_O1_a_second_request_brings_the_number_there_is(company: str, course: tuple[str, ...], sender: str) -> None:
    """However far a return has come: who asks again, or a colleague, gets its number; there is no second one."""
    at = desk(company)
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    number = at.case.number
    assert number
    for each in course:
        command(at, company, each)
    state = at.case.state
    at.later(days=1)
    again = heard(at, company, f"Please send us an RMA number. Serial number {SERIAL[company]} shows no video.", sender)
    assert number.text in words(to_customer(again))
    assert {case.number.text for case in at.store.cases() if case.number} == {number.text}
    assert at.store.case(at.steps[0].after.id).state == state  # type: ignore[union-attr]


@pytest.mark.parametrize("company", COMPANIES)
def test_O2_shipped_before_received_is_refused(company: str) -> None:
    """What has not been logged in is not sent back: the transcript says why, and nobody else hears of it."""
    at = desk(company)
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    before = at.case.units
    step = command(at, company, "SHIPPED UPS 1Z999AA10123456784")
    assert at.case.units == before
    assert outside([step]) == []
    [transcript] = step.replies
    assert transcript.to == BENCH[company]
    assert "Nothing has changed" in words(transcript)
    assert "FORCE" in words(transcript)


@pytest.mark.parametrize("company", COMPANIES)
def test_O2_staff_may_force_it_with_a_reason(company: str) -> None:
    """With FORCE and a reason it is done, the reason is on record, and the customer is told of the shipment."""
    at = desk(company)
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    step = command(at, company, "SHIPPED UPS 1Z999AA10123456784 FORCE it was never logged in")
    assert step.decision
    [ruling] = step.decision.command_results
    assert (ruling.result, "never logged in" in ruling.command.force) == ("done", True)
    assert at.case.units[0].shipped_on is not None
    assert "1Z999AA10123456784" in words(to_customer(step))


@pytest.mark.parametrize("company", COMPANIES)
def test_O2_force_without_a_reason_forces_nothing(company: str) -> None:
    """FORCE alone says nothing that could stand on record."""
    at = desk(company)
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    command(at, company, "SHIPPED UPS 1Z999AA10123456784 FORCE")
    assert at.case.state == "authorized"


def ordered(desk: Desk, company: str, text: str) -> Step:
    """Let the customer answer the quote with a purchase order of this text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = KIM, desk.policy.desk.address, "Re: A board"
    mail["Message-ID"], mail["In-Reply-To"] = (f"<po.{len(desk.steps)}@acme.example>", f"<{desk.case.replies[0].message_id}>")
    mail.set_content("Please proceed, our purchase order is attached.")
    mail.add_attachment(text.encode(), maintype="text", subtype="plain", filename="PO-4711.txt")
    return desk.take(mail.as_bytes().replace(b"\n", b"\r\n"))


def order(quote: Quote, *, total: str = "", currency: str = "USD", named: str = "") -> str:
    return f"PURCHASE ORDER 4711\nYour quotation: {named or quote.number}\nTotal: {currency} {total or quote.total}\n"


def quoted(company: str) -> tuple[Desk, Quote]:
    at = desk(company, delivered_on=date(2015, 3, 1))
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    assert at.case.state == "quoted"
    return at, at.case.quotes[0]


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(
    "differs",
    [{"total": "1.00"}, {"total": "99999.00"}, {"currency": "EUR"}, {"named": "Q-BCDFGHJKMN-1"}, {"total": "to be agreed"}],
    ids=str,
)
def test_O3_an_order_that_is_not_for_the_quote_is_held(company: str, differs: dict[str, str]) -> None:
    """Less, more, another currency, another quote, no total: no number; an approver gets order and quote side by side."""
    at, quote = quoted(company)
    step = ordered(at, company, order(quote, **differs))
    assert (at.case.state, at.case.number) == ("held", None)
    assert "RMA-" not in words(to_customer(step))
    assert quote.number in to_staff(step)
    assert "4711" in to_staff(step)


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("swept", [True, False])
def test_O3_an_order_after_the_quotes_end_is_held(company: str, swept: bool) -> None:  # noqa: FBT001 - a table's column
    """A quote that has ended binds nobody any more, also where its end has not been worked on yet."""
    at, quote = quoted(company)
    late = quote.valid_until + timedelta(days=2) - at.clock.now().date()
    if swept:
        at.later(days=late.days)
    else:
        at.clock.at = at.clock.now() + late
    step = ordered(at, company, order(quote))
    assert (at.case.state, at.case.number) == ("held", None)
    assert quote.number in to_staff(step)


@pytest.mark.parametrize("company", COMPANIES)
def test_O3_the_order_that_fits_brings_the_number(company: str) -> None:
    """To compare: the very same order, with the right total, in time."""
    at, quote = quoted(company)
    step = ordered(at, company, order(quote))
    assert at.case.state == "authorized"
    assert at.case.number
    assert at.case.number.text in words(to_customer(step))


@pytest.mark.parametrize("company", COMPANIES)
def test_O3_after_an_order_that_differs_the_one_that_fits_is_accepted(company: str) -> None:
    """A corrected purchase order for parts is accepted, also while a person still compares the first one."""
    at = desk(company)
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    command(at, company, "RECEIVED")
    boss = max(at.policy.desk.staff, key=lambda person: person.limit).address
    heard(at, company, "QUOTE 250 USD for parts", boss, subject=f"Re: [{at.case.id}]")
    quote = at.case.quotes[-1]
    assert (at.case.state, quote.parts) == ("parts_quoted", True)
    ordered(at, company, order(quote, total="999.00"))
    assert (at.case.state, at.case.units[0].resume_state) == ("held", "ordered")
    step = ordered(at, company, order(quote))
    assert step.record
    assert step.record.folder == "Done"
    [item] = at.case.units
    assert (item.state, item.resume_state, item.billed) == ("ordered", None, True)
    assert at.case.quotes[-1].order == "4711"


# ------------------------------------------------------------------ strangers


def pair(company: str) -> tuple[Desk, Desk]:
    """A desk whose registry has Acme's unit, and one that has never heard of it."""
    return desk(company), Desk(vouched(company))


def assert_alike(knowing: Desk, ignorant: Desk) -> None:
    assert outside(knowing.steps)
    assert [words(reply) for reply in outside(knowing.steps)] == [words(reply) for reply in outside(ignorant.steps)]
    assert [reply.raw for reply in outside(knowing.steps)] == [reply.raw for reply in outside(ignorant.steps)]


LATER = {
    "cancels": "We do not want the repair any more, please cancel the return.",
    "asks for the status": "What is the status of our return?",
    "has shipped it": "We shipped it today with UPS, tracking number 1Z999AA10123456784.",
    "agrees": "Yes, please go ahead, we accept the quote.",
    "is content": "OK, thank you very much!",
    "tells more": "It shows no video since the BIOS update.",
    "adds one": "Please add serial number {o} to this RMA, it shows no video too.",
    "corrects it": "Sorry, wrong serial number. The correct serial number is {o}, not {s}.",
    "names a case": "Our support case number is 00123456.",
    "asks for a number": "Please renew the RMA number.",
    "in German": "Bitte stornieren Sie die Anfrage.",
}


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("body", LATER.values(), ids=LATER)
def test_P1_whatever_a_stranger_writes_next(company: str, body: str) -> None:
    """In the thread too, and in the weeks after it, the answers are those for an unknown serial; a person has seen it."""
    desks = pair(company)
    for at in desks:
        first = to_customer(heard(at, company, f"Serial number {SERIAL[company]} shows no video.", JOE))
        text = body.format(s=SERIAL[company], o=OWN[company])
        heard(at, company, text, JOE, subject=f"Re: {first.subject}", answers=first.message_id)
        for _ in range(16):
            at.later(days=1)
    assert_alike(*desks)
    assert "Acme Robotics" in to_staff(desks[0].steps[0])


@pytest.mark.parametrize("company", COMPANIES)
def test_P2_a_list_of_serials_is_answered_alike(company: str) -> None:
    """Fifty serials in one mail, then more of them mail by mail: not one shows that it exists, and after five there is silence."""
    desks = pair(company)
    stem = SERIAL[company][:-2]
    for at in desks:
        heard(at, company, "".join(f"- {stem}{count:02}: no video\n" for count in range(50)), JOE)
        for count in range(28, 36):
            heard(at, company, f"Serial number {stem}{count:02} shows no video.", JOE)
    assert_alike(*desks)
    assert [reply.state for reply in outside(desks[0].steps)] == ["queued"] * 5 + ["held"] * 4


@pytest.mark.parametrize("company", COMPANIES)
def test_P4_who_is_on_cc_hears_nothing(company: str) -> None:
    """A stranger on Cc is no participant: no mail of the whole return goes to him, and what he writes stays outside of it."""
    at = desk(company)
    first = to_customer(heard(at, company, f"Serial number {SERIAL[company]} shows no video.", Cc=f"{EVE}, {JOE}"))
    case = at.case
    for body in ("What is the status?", "Please cancel it.", "Please add serial number AH2F104777."):
        stranger = heard(at, company, body, EVE, subject=f"Re: {first.subject}", answers=first.message_id)
        assert stranger.after is None or stranger.after.id != case.id
        assert SERIAL[company] not in words(to_customer(stranger))
    assert at.store.case(case.id) == case
    for each in ("RECEIVED", "REPAIRED", "SHIPPED UPS 1Z999AA10123456784"):
        heard(at, company, each, BENCH[company], subject=f"Re: [{case.id}]")
    told = at.store.case(case.id)
    assert told
    assert told.participants == (KIM,)
    assert {reply.to for reply in told.replies if reply.audience == "customer"} == {KIM}


@pytest.mark.parametrize("company", COMPANIES)
def test_P5_a_forged_sender_gets_one_mail_a_day(company: str) -> None:
    """However many mails come in a victim's name: one mail a day goes there, with nothing that the forger wrote."""
    at = desk(company)
    for day in range(2):
        for count in range(30):
            body = f"Serial number {SERIAL[company]} shows no video. Claim your prize at winning.example, take {day}.{count}."
            heard(at, company, body, auth="fail", subject=f"Winner {count}")
        at.later(days=1)
    direct = [reply for reply in outside(at.steps) if reply.direct and reply.state == "queued"]
    assert [reply.to for reply in direct] == [KIM, KIM]
    assert not [reply for reply in outside(at.steps) if "winning" in words(reply).lower() or "Winner" in words(reply)]
    assert at.store.cases()
    assert all(case.number is None for case in at.store.cases())


@pytest.mark.parametrize("company", COMPANIES)
def test_P5_without_a_verdict_of_the_server_a_customer_is_answered(company: str) -> None:
    """Many a company's mail is not authenticated at all: it is answered like any other."""
    plain, proved = desk(company), desk(company)
    heard(plain, company, f"Serial number {SERIAL[company]} shows no video.", auth="none")
    heard(proved, company, f"Serial number {SERIAL[company]} shows no video.", auth="pass")
    assert_alike(plain, proved)
    assert plain.case.number


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("course", [(), ("RECEIVED",), ("CLOSE",)], ids=len)
@pytest.mark.parametrize("body", ["What is the status of {n}?", "Please cancel {n}.", "{n} was shipped today with UPS."])
def test_P6_a_number_tells_a_stranger_nothing(company: str, course: tuple[str, ...], body: str) -> None:
    """Who asks about a number of somebody else's is answered as if there were no such number, whatever became of it."""
    at, elsewhere = desk(company), Desk(vouched(company))
    heard(at, company, f"Serial number {SERIAL[company]} shows no video.")
    for each in course:
        command(at, company, each)
    number = at.case.number
    assert number
    for one in (at, elsewhere):
        one.steps.clear()
        one.later(hours=1)
        heard(one, company, body.format(n=number.text), EVE, subject=f"About {number.text}", message_id="<one@third.example>")
    assert_alike(at, elsewhere)
    assert number.text not in words(outside(at.steps)[0])
    assert untouched(at, number.text).sender == KIM


def untouched(desk: Desk, number: str) -> Case:
    """The case of that number, in which the latest mail left no trace."""
    [found] = [case for case in desk.store.cases() if case.number and case.number.text == number]
    assert desk.steps[-1].after is None or desk.steps[-1].after.id != found.id
    return found
