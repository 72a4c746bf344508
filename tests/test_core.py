"""The one path: what may follow from a mail, and what never does."""

from __future__ import annotations

import html as html_
import re
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

import pytest
from support.memory_desk import (
    COMPANIES,
    KIM,
    NOW,
    PORTWELL,
    SERVERTECH,
    Desk,
    letter,
    parsed,
    part,
    policy,
    to_customer,
    unit,
    words,
)

from mailbot.mail.parse import parse
from mailbot.model import DeadlinesReached, StaffMessage

SERIAL = {PORTWELL: "AH2F104432", SERVERTECH: "STV7001-0000301"}
OLD = {PORTWELL: "AH2F104440", SERVERTECH: "STV7001-0000302"}
FAMILY = {PORTWELL: "ipc", SERVERTECH: "pdu"}


def desk(company: str = PORTWELL) -> Desk:
    """A desk that knows a covered unit and an old one of Acme's."""
    family = FAMILY[company]
    return Desk(company, [unit(SERIAL[company], family), unit(OLD[company], family, date(2012, 1, 1))])


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("sender", [KIM, "lee@acme.example", "pat@eu.acme.example"])
def test_a_second_request_brings_the_number_there_is(company: str, sender: str) -> None:
    """While a unit's RMA is open, whoever of its owner's asks again gets that number, and no second one (O1)."""
    at = desk(company)
    first = at.write(f"Serial number {SERIAL[company]} shows no video.").after
    again = at.write(f"We need an RMA number for {SERIAL[company]}, no video.", sender)
    assert first
    assert first.number
    assert again.after
    assert first.number.text in words(to_customer(again))
    assert {case.number.text for case in at.store.cases() if case.number} == {first.number.text}


@pytest.mark.parametrize("swept", [True, False])
def test_a_number_that_has_ended_is_not_offered_again(swept: bool) -> None:  # noqa: FBT001 - a column of the table above
    """The day after its last, a number is void, also when the deadline has not been worked on yet; a new one is given."""
    at = desk()
    first = at.write("Serial number AH2F104432 shows no video.").after
    assert first
    assert first.number
    later = first.number.valid_until + timedelta(days=2) - NOW.date()
    if swept:
        at.later(days=later.days)
    else:
        at.clock.at = NOW + later
    again = at.write("RMA number for AH2F104432 please, no video.")
    assert first.number.text not in part(to_customer(again), "plain")
    assert again.after
    assert again.after.number
    assert again.after.number.text != first.number.text
    assert again.after.number.valid_until > at.clock.now().date()


def test_on_its_last_day_a_number_is_still_the_answer() -> None:
    """The last day is in."""
    at = desk()
    first = at.write("Serial number AH2F104432 shows no video.").after
    assert first
    assert first.number
    at.clock.at = NOW + (first.number.valid_until - first.number.issued_on)
    assert first.number.text in words(to_customer(at.write("RMA number for AH2F104432 please, no video.")))


@pytest.mark.parametrize(
    "body",
    [
        "Credit please for serial number AH2F104432, we ordered it by mistake.",
        "Please do a BIOS update rework on serial number AH2F104432.",
    ],
)
def test_a_number_that_was_given_stays_given(body: str) -> None:
    """Who has a number and asks for something else is answered, and keeps the number."""
    at = desk()
    first = at.write("Serial number AH2F104432 shows no video.").after
    at.later(days=20)
    again = at.write(body)
    assert first
    assert again.after
    assert again.record
    assert again.record.folder == "Done"
    assert again.after.number == first.number
    assert again.after.state == "authorized"


MADE_UP = "RMA-2026777773"


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ("Serial number {s} shows no video. Your RMA number is {n}.", "RMA request"),
        ("Serial number {s} shows no video {n}.", "{n}"),
        ("Serial number {o} shows no video.", "[{n}] dead"),
        ("{n}: no video", "Re: Your return [{n}]"),
        ("What is the status of {n}?", "Status {n}"),
        ("Serial number {n} shows no video.", "board"),
        ("Serial number AH9Z999999 shows no video ({n}).", "{n}{n}"),
        ("Reason: {n}\nS/N: {s}\nFault: no video, see {n}\n", "Rma-2026777773 rma-2026777773"),
        ("Please send an RMA number.", "{n}"),
    ],
)
def test_nothing_but_numbers_of_ours_begins_like_one(company: str, body: str, subject: str) -> None:
    """A number that a customer made up stands in no mail to customers, and every word that begins with RMA- is a number of ours."""
    at = desk(company)
    slots = {"s": SERIAL[company], "o": OLD[company], "n": MADE_UP}
    at.write(body.format(**slots), f'"{MADE_UP}" <kim@acme.example>', subject=subject.format(**slots))
    for _ in range(35):
        at.later(days=1)
    ours = {case.number.text for case in at.store.cases() if case.number}
    mails = [r for s in at.steps for r in s.replies if r.audience == "customer"]
    assert mails
    for mail in mails:
        shown = f"{mail.subject} {parsed(mail)['To']} {part(mail, 'plain')} {part(mail, 'html')} {mail.message_id}"
        assert set(re.findall(r"RMA-\w+", shown, re.IGNORECASE)) <= ours


# ------------------------------------------------------------------ how much is written, and to whom


def test_from_the_sixth_answer_of_a_day_on_there_is_silence() -> None:
    """Five answers a day to one address; at the sixth mail staff are told, once; the next day it goes on (L4)."""
    at = desk()
    sent = [at.write(f"Serial number AH2F104432 shows no video, take {count}.") for count in range(9)]
    states = [to_customer(step).state for step in sent]
    assert states == ["queued"] * 5 + ["held"] * 4
    told = [reply for step in sent for reply in step.replies if reply.audience == "staff"]
    assert len({note.to for note in told}) == len(told) == 2, "each of the desk once"
    assert all("the day's answers (5)" in words(note) for note in told)
    at.clock.at = NOW + timedelta(days=1)
    assert to_customer(at.write("Serial number AH2F104432 shows no video, again.")).state == "queued"


def test_the_day_of_the_cap_is_the_companys_day() -> None:
    """The count begins anew at midnight of the company, not of Greenwich."""
    at = desk()
    at.clock.at = NOW.replace(hour=22)
    for count in range(5):
        at.write(f"Serial number AH2F104432 shows no video, take {count}.")
    at.clock.at = NOW.replace(hour=7, minute=30) + timedelta(days=1)  # 23:30 in Los Angeles
    assert to_customer(at.write("Serial number AH2F104432: no video, sixth.")).state == "held"
    at.clock.at = NOW.replace(hour=8, minute=1) + timedelta(days=1)
    assert to_customer(at.write("Serial number AH2F104432: no video, seventh.")).state == "queued"


@pytest.mark.parametrize(
    "reply_to", ["joe@elsewhere.example, kim@acme.example", "a@x.example, b@y.example, c@z.example", "undisclosed-recipients:;"]
)
def test_several_addresses_to_answer_to_are_at_most_one_recipient(reply_to: str) -> None:
    """However many addresses Reply-To names, one mail brings at most one answer (L9)."""
    step = desk().write("Serial number AH2F104432 shows no video.", Reply_To=reply_to)
    assert len([reply for reply in step.replies if reply.audience == "customer"]) <= 1


def test_an_answer_elsewhere_tells_nothing_of_the_case() -> None:
    """Where Reply-To leads out of the owner's domain, what goes there is what a stranger would get (L9)."""
    body = "Serial number AH2F104432 shows no video."
    elsewhere = to_customer(desk().write(body, Reply_To="joe@elsewhere.example"))
    unknown = to_customer(Desk(PORTWELL).write(body, Reply_To="joe@elsewhere.example"))
    assert elsewhere.to == "joe@elsewhere.example"
    assert elsewhere.raw == unknown.raw


ALL_KINDS = (
    "Serial number AH2F104432 shows no video.",
    "Serial number AH2F104440 shows no video.",
    "Please send an RMA number.",
    "We want to return serial number AH2F104432 for credit, ordered by mistake.",
    "What is the status?",
)


@pytest.mark.parametrize("body", ALL_KINDS)
def test_everything_we_send_has_its_headers(body: str) -> None:
    """Each mail says that a machine wrote it, has an id, a date, and parses again as what was meant (L6, RFC 3834)."""
    at = desk()
    step = at.write(body, message_id="<first@client.example>", References="<zero@client.example>")
    for _ in range(35):
        at.later(days=1)
    mails = [reply for each in at.steps for reply in each.replies]
    assert len({mail.message_id for mail in mails}) == len(mails)
    for mail in mails:
        found = parsed(mail)
        assert found["Auto-Submitted"] == ("auto-replied" if mail.direct else "auto-generated")
        assert found["X-Auto-Response-Suppress"] == "All"
        assert found["Message-ID"] == f"<{mail.message_id}>"
        assert parsedate_to_datetime(found["Date"]) == mail.at
        assert found["To"] == mail.to
        assert found["Subject"] == mail.subject
        assert not found.defects
        letter = found.get_body(("html", "plain"))
        assert letter is not None
        assert found.get_body(("plain",)) is not None
        assert letter.get_content_type() == "text/html"
        again = parse(mail.raw.encode(), mailbox="x@y.example", arrived_at=NOW)
        assert again.classification.sender_class == "auto", "our own mail, come back, is a machine's (L3)"
        if mail.audience == "customer":
            assert found["In-Reply-To"] == "<first@client.example>"
            assert found["References"].split()[-1] == "<first@client.example>"
            assert "<zero@client.example>" in found["References"]
        else:
            assert found["In-Reply-To"] is None, "a note to staff is no part of the customer's thread"
    assert to_customer(step).direct


# ------------------------------------------------------------------ hostile text

HOSTILE = "{{7*7}} {% raw %} {number} %s <script>alert(1)</script> <b>&amp;</b> $(id) ${x} {0} {{"


@pytest.mark.parametrize("company", COMPANIES)
def test_a_customers_words_are_never_a_template(company: str) -> None:
    """What a customer writes stands in our mails letter by letter: not calculated, not filled in, escaped in HTML (T7)."""
    at = desk(company)
    body = f"Serial number {SERIAL[company]} shows no video. Error: {HOSTILE}"
    step = at.write(body, '"{{7*7}} <script>x()</script>" <kim@acme.example>', subject=f"dead {HOSTILE}")
    assert "Dear {{7*7}} <script>x()</script>," in part(to_customer(step), "plain")
    for mail in step.replies:
        text, page = part(mail, "plain"), part(mail, "html")
        assert not re.search(r"\b49\b", text.replace(mail.message_id, ""))
        assert "<script>" not in page
        assert "<b>&amp;</b>" not in page
        assert "<script>alert(1)" in html_.unescape(page)
    flat = " ".join(part(to_customer(step), "plain").split())
    assert "{{7*7}} {% raw %} {number} %s <script>alert(1)</script>" in flat


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?dead=0D=0ABcc:_victim@x.example?=",
        "=?utf-8?b?ZGVhZA0KQmNjOiB2aWN0aW1AeC5leGFtcGxl?=",
        "=?utf-8?q?dead=0ABcc:_victim@x.example=0A=0AHello?=",
        "=?utf-8?q?dead=00=1B[31m=E2=80=AEgnp?=",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3Fdead=3D0ABcc:_victim@x.example=3F=3D?=",
        "Re: " * 300 + "dead",
        "x" * 5000,
    ],
)
def test_a_subject_injects_nothing(subject: str) -> None:
    """Whatever a subject decodes to, ours is one clean line, and no header comes of it (H1, H2)."""
    at = desk()
    raw = letter("Serial number AH2F104432 shows no video.", subject="SUBJECT").replace(b"SUBJECT", subject.encode())
    for mail in at.take(raw).replies:
        found = parsed(mail)
        assert found["Bcc"] is None
        assert len(found.get_all("Subject")) == 1
        assert not re.search(r"[\x00-\x1f\x7f\u202e]", str(found["Subject"]))
        head = mail.raw.partition("\r\n\r\n")[0]
        assert all(re.match(r"[\w-]+:|[ \t]", line) for line in head.split("\r\n"))
        assert all(len(line) <= 998 for line in head.split("\r\n"))


@pytest.mark.parametrize(
    "name", ["=?utf-8?q?Kim=0D=0ABcc:_victim@x.example?=", "=?utf-8?q?Kim=2C_=3Cvictim@x.example=3E?=", "Kim, Lee"]
)
def test_a_display_name_injects_nothing(name: str) -> None:
    """A name that decodes to header syntax brings no other recipient (H3)."""
    raw = letter("Serial number AH2F104432 shows no video.", "NAME <kim@acme.example>").replace(b"NAME", name.encode())
    step = desk().take(raw)
    for mail in step.replies:
        found = parsed(mail)
        assert found["Bcc"] is None
        assert "victim" not in str(found["To"])
        assert found["To"].addresses[0].addr_spec == mail.to


# ------------------------------------------------------------------ the record


@pytest.mark.parametrize("company", COMPANIES)
def test_every_decision_can_be_explained_from_the_record(company: str) -> None:
    """Each decision that was sent to anybody has its clauses, its facts and the policy's stamp, and each mail its clauses."""
    at = desk(company)
    bodies = [body.replace("AH2F104432", SERIAL[company]).replace("AH2F104440", OLD[company]) for body in ALL_KINDS]
    for body in (*bodies, "Serial number AH9Z999999 shows no video.", "Yes please go ahead with the quote."):
        at.write(body)
    at.write(f"Serial number {SERIAL[company]} shows no video.", "joe@elsewhere.example")
    clauses = set(at.policy.rules.clauses)
    for case in at.store.cases():
        for entry in case.history:
            decision = entry.decision
            assert decision.stamp == policy(company).stamp
            if isinstance(entry.event, DeadlinesReached):
                continue
            assert decision.outcome != "none"
            assert decision.clauses
            assert decision.why
            assert set(decision.clauses) <= clauses
            assert decision.facts
            assert all(verdict.facts and verdict.clauses for verdict in decision.verdicts)
        assert all(reply.cites and set(reply.cites) <= clauses for reply in case.replies)
        assert all(any(mail.message_id in entry.sent for entry in case.history) for mail in case.replies)


@pytest.mark.parametrize("company", COMPANIES)
def test_every_answer_shows_the_clause_that_decided(company: str) -> None:
    """The customer reads which clause it was, and under which version (promise 9, ST-18)."""
    at = desk(company)
    for body in ALL_KINDS:
        step = at.write(body.replace("AH2F104432", SERIAL[company]).replace("AH2F104440", OLD[company]))
        assert step.decision
        assert step.decision.clauses[0] in words(to_customer(step))
        assert at.policy.stamp.digest[:8] in words(to_customer(step))


# ------------------------------------------------------------------ staff, machines, repeats


@pytest.mark.parametrize(
    "body", ["Thanks, I spoke to them on the phone.", "FYI, customer is in a hurry.", "They will call again on Monday."]
)
def test_a_note_by_staff_is_silent(body: str) -> None:
    """What staff write in a case's thread goes on record and reaches nobody."""
    at = Desk(PORTWELL, [unit("AH2F104432", "ipc", date(2026, 11, 1))])
    held = at.write("We want to return serial number AH2F104432 for credit, ordered by mistake.")
    note = next(reply for reply in held.replies if reply.audience == "staff")
    letter = next(reply for reply in held.replies if reply.audience == "customer")
    step = at.write(body, note.to, subject=f"Re: {letter.subject}", answers=letter.message_id)
    assert isinstance(step.event, StaffMessage)
    assert step.after
    assert held.after
    assert step.after.id == held.after.id
    assert step.replies == ()
    told = at.write(body, note.to, subject=f"Re: {note.subject}", answers=note.message_id, message_id="<again@client>")
    assert [reply.to for reply in told.replies] == [note.to], "whoever answers a notice hears that it went nowhere"
    assert told.replies[0].template == "transcript nothing"
    assert step.after.state == "held"
    assert step.after.participants == (KIM,), "staff are no participants"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.acme.example>"},
        {"Return_Path": "<>"},
    ],
)
def test_no_machine_is_answered(headers: dict[str, str]) -> None:
    """A machine's mail is on record, in Ignored, and nothing follows from it (RFC 3834)."""
    at = desk()
    step = at.write("Serial number AH2F104432 shows no video.", **headers)
    assert step.replies == ()
    assert step.after is None
    assert step.record
    assert step.record.folder == "Ignored"
    assert list(at.store.cases()) == []


def test_our_own_mail_is_not_answered() -> None:
    """A mail from our own address, its plus-addresses, or one that asks for an answer there, brings none (L3)."""
    for sender, reply_to in [
        ("rma@portwell.example", ""),
        ("rma+x@portwell.example", ""),
        (KIM, "RMA@portwell.example"),
        (KIM, "rma+abc@portwell.example"),
    ]:
        more = {"Reply_To": reply_to} if reply_to else {}
        step = desk().write("Serial number AH2F104432 shows no video.", sender, **more)
        assert [reply for reply in step.replies if reply.audience == "customer"] == []


def test_thanks_end_a_conversation() -> None:
    """A mail that only says thank you is not answered."""
    at = desk()
    first = to_customer(at.write("Serial number AH2F104432 shows no video."))
    step = at.write("Thank you very much!", subject=f"Re: {first.subject}", answers=first.message_id)
    assert step.replies == ()
    assert step.after
    assert step.after.state == "authorized"
