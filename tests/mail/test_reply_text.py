"""What the sender wrote now: answers above, below and between quoted lines, signatures, emails passed on."""

import pytest
from support.raw_mail import saved

from mailbot.mail.reply_text import split

OLD = "Which serial?\n> 17 November"


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Nov 16, 2026 at 5:58 PM Desk <rma@desk.example> wrote:",
        "On Mon, Nov 16, 2026 at 5:58 PM Desk of all the Returns\n<rma@desk.example> wrote:",
        "Am 16.11.2026 um 17:58 schrieb Desk <rma@desk.example>:",
        "Am Mo., 16. Nov. 2026 um 17:58 Uhr hat Desk geschrieben:",
        "Le lun. 16 nov. 2026 à 17:58, Desk <rma@desk.example> a écrit :",
        "El lun, 16 nov 2026 a las 17:58, Desk (<rma@desk.example>) escribió:",
        "Il giorno lun 16 nov 2026 alle ore 17:58 Desk <rma@desk.example> ha scritto:",
        "Op ma 16 nov. 2026 om 17:58 schreef Desk <rma@desk.example>:",
        "Em seg., 16 de nov. de 2026 às 17:58, Desk <rma@desk.example> escreveu:",
        "pon., 16 lis 2026 o 17:58 Desk <rma@desk.example> napisał(a):",
        "пн, 16 нояб. 2026 г. в 17:58, Desk <rma@desk.example>:",
        "2026年11月16日(月) 17:58 Desk <rma@desk.example>:",
        "Desk <rma@desk.example> 于2026年11月16日周一 17:58写道：",
        "2026년 11월 16일 (월) 오후 5:58, Desk <rma@desk.example>님이 작성:",
        "Desk <rma@desk.example>, 16 Kas 2026 Pzt, 17:58 tarihinde şunu yazdı:",
        "Den mån 16 nov. 2026 kl 17:58 skrev Desk <rma@desk.example>:",
        "ma 16. marrask. 2026 klo 17.58 Desk (rma@desk.example) kirjoitti:",
        "po 16. 11. 2026 v 17:58 odesílatel Desk <rma@desk.example> napsal:",
        "2026-11-16 17:58 GMT+03:00 Desk <\nrma@desk.example>:",
        "---- On Mon, 16 Nov 2026 17:58 Desk <rma@desk.example> wrote ----",
        "------On 11/16/2026 17:58, Desk wrote-----",
    ],
)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_an_answer_above_the_quoted_mail(attribution, mark):
    """The new text ends where an email program says who wrote the rest, in whatever language."""
    found = split(f"It is AH1.\n\n{attribution}\n\n{mark}Which serial?")
    assert found.visible == "It is AH1."
    assert "Which serial?" in found.quoted
    assert not found.forwarded


@pytest.mark.parametrize(
    "block",
    [
        "-----Original Message-----\nFrom: Desk\nSent: Monday\nTo: Kim\nSubject: x",
        "________________________________\nFrom: Desk <rma@desk.example>\nSent: Monday\nTo: Kim\nSubject: x",
        "Von: Desk\nGesendet: Montag, 16. November 2026 17:58\nAn: Kim\nBetreff: x",
        "De : Desk <rma@desk.example>\nEnvoyé : lundi\nÀ : Kim\nObjet : x",
        "De: Desk <rma@desk.example>\nEnviado el: lunes\nPara: Kim\nAsunto: x",
        "Da: Desk\nInviato: lunedì\nA: Kim\nOggetto: x",
        "Van: Desk\nVerzonden: maandag\nAan: Kim\nOnderwerp: x",
        "Od: Desk <rma@desk.example>\nWysłano: poniedziałek\nDo: Kim\nTemat: x",
        "*From:* Desk <rma@desk.example>\n*Sent:* Monday\n*To:* Kim\n*Subject:* x",
        "差出人: Desk <rma@desk.example>\n送信日時: 2026年11月16日\n宛先: Kim\n件名: x",
        "发件人: Desk <rma@desk.example>\n发送时间: 2026年11月16日\n收件人: Kim\n主题: x",
        "寄件者: Desk <rma@desk.example>\n寄件日期: 2026年11月16日\n收件者: Kim\n主旨: x",
        "보낸 사람: Desk <rma@desk.example>\n보낸 날짜: 2026년\n받는 사람: Kim\n제목: x",
        "Kimden: Desk <rma@desk.example>\nGönderildi: Pazartesi\nKime: Kim\nKonu: x",
        "-----Ursprüngliche Nachricht-----\nx",
        "------------------ 原始邮件 ------------------\nx",
        "##- Please type your reply above this line -##",
        "Date: Mon, 16 Nov 2026 17:58:00 +0100\nSubject: x\nFrom: rma@desk.example\nTo: kim@acme.example",
        "От: Desk\nОтправлено: понедельник\nКому: Kim",
        "From:\tDesk\nTo:\tKim\nDate:\t11/16/2026 05:58 PM\nSubject:\tx",
        "Desk/HQ on 11/16/2026 05:58:00 PM\n\nTo: Kim\ncc:\nSubject: x",
        ">>> Desk 11/16/2026 5:58 PM >>>",
        "-------- Origineel bericht --------\nOnderwerp: x",
    ],
)
def test_an_answer_above_a_header_block(block):
    """The new text ends at the header of the email below it, in whatever language."""
    found = split(f"It is AH1.\n\n{block}\n\nWhich serial?")
    assert found.visible == "It is AH1."
    assert found.quoted.endswith("Which serial?")
    assert not found.forwarded


def test_answers_between_and_below_quoted_lines_are_kept():
    """Who answers line by line has said every line."""
    found = split("On 16 Nov 2026, Desk wrote:\n> Which serial?\nAH1\n> Dropped?\n\nNo.\n\nKim")
    assert found.visible == "AH1\n\nNo.\n\nKim"
    assert found.quoted == "On 16 Nov 2026, Desk wrote:\n> Which serial?\n> Dropped?"


@pytest.mark.parametrize(
    "attribution",
    [
        "On 16 Nov 2026 Desk <rma@desk.example> sent:",
        "2026/11/16 Desk <rma@desk.example>",
        "Den 16.11. Desk <rma@desk.example> ytrade:",
    ],
)
def test_a_quotation_shows_what_its_introduction_is(attribution):
    """A line with date and address right above a quotation introduces it, whatever its verb."""
    assert split(f"It is AH1.\n\n{attribution}\n\n> Which serial?").visible == "It is AH1."


def test_an_answer_on_the_line_of_the_attribution_is_kept():
    """Where a program has run lines together, the answer is not lost."""
    assert split("It is AH1. On Mon, 16 Nov 2026 at 5:58 PM, Desk wrote:\n> Which serial?").visible == "It is AH1."


def test_what_is_below_an_email_passed_on_is_kept():
    """Who writes below the email that is passed on has said that too."""
    found = split("Please see.\n\nBegin forwarded message:\n\n> From: Tom\n> Gate box dead\n\nIt is AH1.")
    assert found.visible == "Please see.\n\nIt is AH1."
    assert found.forwarded
    assert "\nGate box dead" in found.quoted


@pytest.mark.parametrize(
    "below",
    [
        "-- \nKim Lee\nSN of my phone: 1",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "iPhoneから送信",
        "发自我的 iPhone",
        "Sent from my Verizon Wireless BlackBerry",
        "_______________________________________________\nlab mailing list\nlab@lists.example",
        "This e-mail and any attachments are confidential.\nDelete it.",
        "Diese E-Mail enthält vertrauliche Informationen.",
        "Ce message et toutes les pièces jointes sont confidentiels.",
    ],
)
def test_signatures_are_nobodys_words(below):
    """What is below every mail of a sender is neither new nor quoted."""
    found = split(f"It is AH1.\n\n{below}")
    assert found.visible == "It is AH1."
    assert found.quoted == ""


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("please see below\n\n-----Original Message-----\nFrom: Tom\n\nGate box dead", "FW: gate"),
        ("---------- Forwarded message ---------\nFrom: Tom\n\nGate box dead", "gate"),
        ("Begin forwarded message:\n\n> From: Tom\n>\n> Gate box dead", "gate"),
        ("fyi\n\n-------- Weitergeleitete Nachricht --------\nVon: Tom\n\nGate box dead", "gate"),
        ("From: Tom <t@x.example>\nSent: Monday\nTo: Kim\nSubject: gate\n\nGate box dead", "gate"),
        ("Can you help?\n\n> Gate box dead", "WG: gate"),
    ],
)
def test_an_email_passed_on_is_kept_apart(text, subject):
    """A forwarded mail is known as one, and its text is available."""
    found = split(text, subject)
    assert found.forwarded
    assert "Gate box dead" in found.quoted
    assert "Gate box dead" not in found.visible


@pytest.mark.parametrize(
    "text",
    [
        "From: the lab\nTo: the desk\nWe send two boards.",
        "As I wrote: it is dead.",
        "On 5 November the unit died:\nno video.",
        "Serial: AH1\nDate: 2026-11-01\nSubject: no video",
        "-- dead\n--- very dead",
        "Sent from my lab to yours: two units.",
        "Sent from my desk, which is easier than from my mobile phone.",
        "Date: 2026-11-01\nSubject: no video\nFrom: the lab\nSerial: AH1",
        "Original packaging is at hand.",
        "The original message on the screen was E4.",
    ],
)
def test_a_plain_letter_is_all_new(text):
    """Nothing is cut off a letter because it merely resembles a quotation."""
    assert split(text).visible == text


def test_A9_only_the_new_text_is_visible():
    """A word in a quotation or a signature was not said."""
    found = split("Thanks.\n-- \nAPPROVE\n\n> APPROVE")
    assert "APPROVE" not in found.visible


@pytest.mark.parametrize(
    ("number", "visible", "forwarded"),
    [
        ("0040", "Could a German speaker have a look? Joaquin", True),
        ("0076", "Please see below from our depot and issue an RMA.\n\nRosalind", True),
        ("0094", "Customer sent this to my own address, please register. Grace", True),
        ("0123", "Sure, it's AH2F200114. As said, the board does not resume from sleep.\n\nHugh", False),
        ("0126", "The I2C bus locks up as soon as a second device is attached.\n\nNone of these.\n\nAnneke", False),
    ],
)
def test_saved_emails(number, visible, forwarded):
    """Saved emails are split as a person would split them."""
    message = saved(number)
    assert message.visible == visible
    assert message.forwarded is forwarded
    assert message.quoted
