"""Mail loops and bombs: no machine is answered, and nobody gets more emails from us than a person could want."""

from __future__ import annotations

import pytest
from support.memory_desk import KIM, Desk, parsed, to_customer, unit

from mailbot.model import Ignored, StaffMessage

BODY = "Serial number AH2F104432 shows no video since Monday."
AWAY = (
    "Out of Office: A board",
    "Automatic reply: A board",
    "Abwesenheitsnotiz: A board",
    "Réponse automatique : A board",
    "Respuesta automática: A board",
    "Risposta automatica: A board",
    "Automatisch antwoord: A board",
    "Resposta automática: A board",
    "Autoodpowiedź: A board",
    "自動応答: A board",
    "自动回复: A board",
    "자동 회신: A board",
)


def desk() -> Desk:
    return Desk(units=[unit("AH2F104432", "ipc")])


@pytest.mark.parametrize(
    ("machine", "headers"),
    [
        (True, {"Auto_Submitted": "auto-generated"}),
        (True, {"Auto_Submitted": "auto-replied (vacation)"}),
        (True, {"Auto_Submitted": "AUTO-NOTIFIED; owner-email=x"}),
        (True, {"Auto_Submitted": "unheard-of"}),
        (False, {"Auto_Submitted": "no"}),
        (False, {"Auto_Submitted": " No "}),
        (False, {"Auto_Submitted": "NO (a person wrote this)"}),
    ],
)
def test_L1_what_calls_itself_automatic_is_not_answered(*, machine: bool, headers: dict[str, str]) -> None:
    """Auto-Submitted other than "no", however that is written, brings no answer and is on record."""
    _judged(headers, machine=machine)


@pytest.mark.parametrize(
    ("machine", "headers"),
    [
        (True, {"Precedence": "bulk"}),
        (True, {"Precedence": "LIST"}),
        (True, {"Precedence": "junk"}),
        (True, {"List_Id": "<users.example.org>"}),
        (True, {"X_Autoreply": "yes"}),
        (True, {"X_Loop": "rma@portwell.example"}),
        (False, {"Precedence": "normal"}),
        (False, {"Precedence": "first-class"}),
        (False, {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"}),
        (False, {"X_Loop": "kim@acme.example"}),
    ],
)
def test_L2_lists_and_robots_are_not_answered_people_are(*, machine: bool, headers: dict[str, str]) -> None:
    """Bulk mail, lists and robots get no answer; a person whose mail program writes such fields too does."""
    _judged(headers, machine=machine)


@pytest.mark.parametrize(
    "headers",
    [
        {"sender": "rma@portwell.example"},
        {"sender": "RMA@Portwell.example"},
        {"sender": "rma+t0ken@portwell.example"},
        {"sender": KIM, "Reply_To": "rma@portwell.example"},
        {"sender": KIM, "Reply_To": "Desk <rma+x@portwell.example>"},
    ],
)
def test_L3_we_never_write_to_ourselves(headers: dict[str, str]) -> None:
    """An email from an address that we sent, or that asks for an answer there, brings no mail to a customer."""
    step = desk().write(BODY, **headers)
    assert step.record
    assert [reply for reply in step.replies if reply.audience == "customer"] == []
    assert not [reply for reply in step.replies if reply.to.partition("@")[0].partition("+")[0].lower() == "rma"]
    assert to_customer(desk().write(BODY)).to == KIM, "the same words from a customer are answered"


def test_L4_a_robot_without_a_sign_gets_five_answers_a_day() -> None:
    """A robot that answers every mail that we sent at once gets five answers, then silence, and staff are notified once."""
    at = Desk()
    replies = []
    for count in range(40):
        step = at.write(f"No {count}: our board does not start, RMA number please.\n\n> RMA number please", "bot@robot.example")
        replies += step.replies
    to_robot = [reply for reply in replies if reply.to == "bot@robot.example"]
    assert [reply.state for reply in to_robot] == ["queued"] * 5 + ["held"] * 35
    told = [reply.to for reply in replies if reply.template == "notice silent"]
    assert told
    assert len(told) == len(set(told))


def test_L5_a_staff_absence_note_that_quotes_approve_does_nothing() -> None:
    """An out-of-office note of staff below which our notice stands is no one's approval."""
    at = Desk(units=[unit("AH2F104432", "ipc")])
    held = at.write("Could you please tell us when your office opens?")
    notice = next(reply for reply in held.replies if reply.audience == "staff")
    before = at.store.cases()
    quoted = "\n".join(f"> {line}" for line in ("APPROVE", *str(parsed(notice).get_body(("plain",))).splitlines()))
    for headers in (
        {"subject": f"Automatic reply: {notice.subject}", "X_Auto_Response_Suppress": "All"},
        {"subject": f"Re: {notice.subject}", "Auto_Submitted": "auto-replied"},
        {"subject": f"Abwesend: {notice.subject}"},
    ):
        body = f"I am out of the office until Monday.\n\nOn Fri, 20 Nov 2026 at 10:00, RMA <rma@portwell.example> wrote:\n{quoted}"
        step = at.write(body, "rma.desk@portwell.example", answers=notice.message_id, **headers)
        assert isinstance(step.event, Ignored | StaffMessage)
        assert step.replies == ()
    assert [(case.state, case.number) for case in at.store.cases()] == [(case.state, case.number) for case in before]


def test_L6_whatever_we_send_shows_that_a_machine_sent_it() -> None:
    """Answers and notices alike carry the fields that keep other machines from answering."""
    at = desk()
    replies = [*at.write(BODY).replies, *at.write("When does your office open?", "lee@acme.example").replies]
    assert {reply.audience for reply in replies} == {"customer", "staff"}
    for reply in replies:
        found = parsed(reply)
        assert found["Auto-Submitted"] in {"auto-replied", "auto-generated"}
        assert found["X-Auto-Response-Suppress"]
        assert found["Message-ID"]
        assert found["Date"]
        assert not found.defects


@pytest.mark.parametrize("subject", AWAY)
def test_L7_an_absence_note_without_a_header_is_not_answered(subject: str) -> None:
    """An absence note that shows only in its subject brings no answer, in twelve languages."""
    _judged({"subject": subject}, machine=True, body="I am away until 30 November. Regards, Kim")


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office printer board is dead",
        "Board fails while we are out of office hours",
        "Our office moved, board AH2F104432 is dead",
    ],
)
def test_L7_a_person_may_write_of_absence(subject: str) -> None:
    """A person whose mail speaks of absence is answered."""
    _judged({"subject": subject}, machine=False)


@pytest.mark.parametrize("path", ["<>", "< >", " <> "])
def test_L8_a_null_return_path_is_not_answered(path: str) -> None:
    """An email with the null sender brings no answer, whatever it says."""
    _judged({"Return_Path": path}, machine=True)


def test_L9_reply_to_brings_one_mail_and_no_details_elsewhere() -> None:
    """Of several addresses one is answered; one outside the owner's domain learns nothing of the case."""
    several = desk().write(BODY, Reply_To="a@acme.example, b@acme.example, c@evil.example")
    assert len([reply for reply in several.replies if reply.audience == "customer"]) == 1
    mine, theirs = desk().write(BODY), desk().write(BODY, Reply_To="x@evil.example")
    assert mine.after
    assert mine.after.number
    elsewhere = [reply for reply in theirs.replies if reply.to == "x@evil.example"]
    assert len(elsewhere) == 1
    for reply in elsewhere:
        assert mine.after.number.text not in str(parsed(reply).get_body(("plain",)))
        assert "acme" not in str(parsed(reply).get_body(("plain",))).lower()


def _judged(headers: dict[str, str], *, machine: bool, body: str = BODY) -> None:
    step = desk().write(body, **headers)
    assert step.record
    assert (step.record.folder == "Ignored") is machine
    assert bool([reply for reply in step.replies if reply.audience == "customer"]) is not machine
