"""Who wrote a mail: people are answered, machines are not."""

import pytest
from support.raw_mail import read, saved


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
    assert read(*fields).classification.sender_class == "human"


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
    machine = read(*fields).classification
    assert machine.sender_class == sort
    assert machine.reason


@pytest.mark.parametrize("sender", ["rma@desk.example", "RMA+token@desk.example"])
def test_L3_our_own_mail_is_not_answered(sender):
    """We do not talk to ourselves."""
    assert read(From=sender).classification.reason == "own address"


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
    assert read(Subject=subject).classification.sender_class == "auto"


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
    assert read(Subject=subject).classification.sender_class == "human"


@pytest.mark.parametrize(
    "body",
    [
        "Hello,\nI am out of the office until 23 November.\nKim",
        "Guten Tag,\nich bin vom 1. bis 5. Mai nicht im Büro.",
        "Je suis absent du bureau jusqu'au 5 mai.",
        "Estoy fuera de la oficina hasta el 5 de mayo.",
        "Sono fuori sede fino al 5 maggio.",
        "Ik ben afwezig tot 5 mei.",
        "Estou ausente do escritório até 5 de maio.",
        "Jestem na urlopie do 5 maja.",
        "Я в отпуске до 5 мая.",
        "Jag är på semester till 5 maj.",
        "Jeg er på ferie til 5. maj.",
        "Olen lomalla 5.5. asti.",
        "Jsem na dovolené do 5. 5.",
        "Szabadságon vagyok május 5-ig.",
        "Sunt în concediu până pe 5 mai.",
        "5 Mayıs'a kadar izindeyim.",
        "5月5日まで休暇をいただいております。",
        "我正在休假，5月5日回来。",
        "5월 5일까지 휴가 중입니다.",
    ],
)
def test_L7_an_absence_told_in_the_first_person(body):
    """A subject that people have too is an absence note's when its text says so, in many languages."""
    assert read(Subject="Out of office", body=body).classification.sender_class == "auto"
    assert read(Subject="WADE board dead", body=body).classification.sender_class == "human"


@pytest.mark.parametrize("fields", [("In-Reply-To: <9@desk.example>",), ("X-Auto-Response-Suppress: All",), ("Return-Path: <>",)])
def test_L7_an_absence_note_with_a_field_of_machines(fields):
    """A bare subject and a field that machines write make an absence note."""
    assert read(*fields, Subject="Out of office", body="See you soon.").classification.sender_class == "auto"


@pytest.mark.parametrize(
    ("fields", "subject", "body"),
    [
        ((), "Out of office", "Our out of office policy is odd, anyway: AH7K900101 has no video output."),
        ((), "Absence: no video", "AH7K900101 has lost its video output."),
        ((), "Abwesend", "Kein Bild bei AH7K900101."),
        (("X-Auto-Response-Suppress: All",), "Out of office hours the unit reboots", "AH7K900101, every night."),
        (
            ("In-Reply-To: <9@desk.example>",),
            "Re: RMA",
            "I am out of the office until Monday, please go on with AH7K900101. I will return it then.",
        ),
        ((), "Read: manual of AH7K900101", "I read it, the unit still has no video."),
        ((), "RMA", "Please confirm your e-mail address, then I send photos of AH7K900101."),
        (("In-Reply-To: <9@desk.example>",), "Re: RMA [#1234]", "We have received your request, case 4711. The photos are here."),
        (("Reply-To: kim@acme.example",), "[#4711] form", "Your request has been received. Ticket 4711: AH7K900101 is dead."),
    ],
)
def test_L7_a_person_is_never_taken_for_a_machine(fields, subject, body):
    """What people write about absences, receipts and tickets is theirs."""
    sender = "forms@web.example" if fields[:1] == ("Reply-To: kim@acme.example",) else "Kim Lee <kim@acme.example>"
    assert read(*fields, From=sender, Subject=subject, body=body).classification.sender_class == "human"


@pytest.mark.parametrize(
    ("subject", "body", "because"),
    [
        ("Read: RMA", "Your message\n\nTo: kim@acme.example\nSubject: RMA\n\nwas read on Monday.", "read receipt"),
        ("Gelesen: RMA", "Ihre Nachricht\nAn: Kim\nwurde am Montag gelesen.", "read receipt"),
        (
            "Please confirm your message",
            "Your message to kim@acme.example is being held.\nProve that you are a human: click here to deliver it.",
            "challenge",
        ),
        ("[#4711] RMA", "Thank you. Your request has been received and ticket 4711 was assigned.", "acknowledgement"),
        ("Ticket erstellt", "Ihre Anfrage ist bei uns eingegangen. Ticket-Nr.: 4711000", "acknowledgement"),
        ("Votre demande", "Votre demande a bien été enregistrée. Dossier n° 471100.", "acknowledgement"),
        ("受付完了", "お問い合わせを受け付けました。受付番号：471100", "acknowledgement"),
    ],
)
def test_receipts_challenges_and_tickets_of_others(subject, body, because):
    """Receipts without a standard, spam gates and the ticket systems of others want no answer."""
    machine = read(Subject=subject, body=body).classification
    assert machine.sender_class == "auto"
    assert machine.reason.startswith(because)


def test_a_newsletter_is_a_list():
    """A way to unsubscribe and a mark of mass mailing make a newsletter; the one alone does not."""
    assert read("List-Unsubscribe: <mailto:x@y.example>", "X-Campaign-ID: 1").classification.sender_class == "list"


def test_reports_receipts_and_invitations_are_machines():
    """Receipts, complaints and invitations want no answer."""
    for kind in ("disposition-notification", "feedback-report"):
        fields = (f"Content-Type: multipart/report; report-type={kind}; boundary=b",)
        assert read(*fields, body="--b\n\nread\n--b--").classification.reason.startswith(kind[:8])
    assert read("Content-Type: text/calendar; method=REQUEST", body="BEGIN:VCALENDAR").classification.sender_class == "auto"


def test_a_web_form_sends_for_a_person():
    """A no-reply sender is a machine, unless Reply-To names somebody to answer."""
    assert read(From="no-reply@shop.example").classification.sender_class == "auto"
    assert read("Reply-To: kim@acme.example", From="no-reply@shop.example").classification.sender_class == "human"


@pytest.mark.parametrize(("number", "sort"), [("0107", "auto"), ("0031", "bounce"), ("0046", "bounce"), ("0118", "human")])
def test_saved_mails(number, sort):
    """Saved mails are sorted as a person would sort them."""
    assert saved(number).classification.sender_class == sort
