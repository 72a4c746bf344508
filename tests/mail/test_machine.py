"""Who wrote a mail: people are answered, machines are not."""

import pytest
from letters import read, saved


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("Auto-Submitted: no",),
        ("Auto-Submitted: NO (not at all; really)",),
        ("Precedence: normal",),
        ("X-Auto-Response-Suppress: All",),
        ("X-Loop: other@acme.example",),
        ("List-Unsubscribe: <mailto:x@crm.example>",),
        ("Return-Path: <kim@acme.example>",),
        ("X-Spam-Flag: NO", "X-Spam-Status: No, score=1"),
    ],
)
def test_L1_L2_a_person_is_answered(fields):
    """Fields that people's mail programs write make nobody a machine."""
    assert read(*fields).machine.sort == "human"


@pytest.mark.parametrize(
    ("fields", "sort"),
    [
        (("Auto-Submitted: auto-replied",), "auto"),
        (("Auto-Submitted: (x) Auto-Generated; owner=x",), "auto"),
        (("Precedence: bulk",), "list"),
        (("Precedence: LIST",), "list"),
        (("Precedence: auto_reply",), "auto"),
        (("List-Id: <x.example>",), "list"),
        (("X-Autoreply: yes",), "auto"),
        (("X-Autorespond: x",), "auto"),
        (("X-Loop: <rma@desk.example>",), "auto"),
        (("X-Spam-Flag: YES",), "spam"),
        (("Return-Path: <>",), "auto"),
    ],
)
def test_L1_L2_L8_a_machine_is_named_with_its_sign(fields, sort):
    """Each sign of a machine is seen and named."""
    machine = read(*fields).machine
    assert machine.sort == sort
    assert machine.because


@pytest.mark.parametrize("sender", ["rma@desk.example", "RMA+token@desk.example"])
def test_L3_our_own_mail_is_not_answered(sender):
    """We do not talk to ourselves."""
    assert read(From=sender).machine.because == "own address"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: RMA",
        "Out of Office: Re: RMA",
        "Out of office until 23 November",
        "Abwesenheitsnotiz: RMA",
        "Réponse automatique : RMA",
        "Respuesta automática: RMA",
        "Risposta automatica: RMA",
        "Automatisch antwoord: RMA",
        "Resposta automática: RMA",
        "Automatyczna odpowiedź: RMA",
        "Автоответ: RMA",
        "自动回复：RMA",
        "自動応答: RMA",
        "자동 회신: RMA",
        "Otomatik yanıt: RMA",
        "Autosvar: RMA",
    ],
)
def test_L7_an_absence_note_is_known_by_its_subject(subject):
    """An out-of-office note is known in many languages without any other sign."""
    assert read(Subject=subject).machine.sort == "auto"


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office hours the unit reboots",
        "Unit fails when we are out of office",
        "Re: Automatic reply: RMA",
        "Automatic reply from you never arrived",
        "Vacation is over, still no RMA",
        "Absent power supply in AH1",
    ],
)
def test_L7_a_person_may_write_about_absence(subject):
    """Who discusses an absence is still a person."""
    assert read(Subject=subject).machine.sort == "human"


def test_reports_receipts_and_invitations_are_machines():
    """Receipts, complaints and invitations want no answer."""
    for kind in ("disposition-notification", "feedback-report"):
        fields = (f"Content-Type: multipart/report; report-type={kind}; boundary=b",)
        assert read(*fields, body="--b\n\nread\n--b--").machine.because.startswith(kind[:8])
    assert read("Content-Type: text/calendar; method=REQUEST", body="BEGIN:VCALENDAR").machine.sort == "auto"


def test_a_web_form_sends_for_a_person():
    """A no-reply sender is a machine, unless Reply-To names somebody to answer."""
    assert read(From="no-reply@shop.example").machine.sort == "auto"
    assert read("Reply-To: kim@acme.example", From="no-reply@shop.example").machine.sort == "human"


@pytest.mark.parametrize(
    ("number", "sort"), [("0107", "auto"), ("0031", "bounce"), ("0046", "bounce"), ("0118", "human")]
)
def test_saved_mails(number, sort):
    """Saved mails are sorted as a person would sort them."""
    assert saved(number).machine.sort == sort
