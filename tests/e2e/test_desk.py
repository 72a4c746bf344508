"""The main job, through a real IMAP and a real SMTP server, by the real command."""

from __future__ import annotations

import email
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.server_desk import PORTWELL, SERVERTECH, House, letter, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import MailStore

    from mailbot.runtime.embedded import SmtpServer

KIM = "Kim Lark <kim@larkspur.example>"
NOW = "2026-11-20T18:00:00Z"


@pytest.fixture
def house(tmp_path: Path, imap_server: MailStore, smtp_server: SmtpServer) -> House:
    return House(tmp_path, imap_server, smtp_server)


def test_a_covered_unit_gets_a_number_in_the_same_thread(house: House) -> None:
    """A customer with a covered board gets an RMA number, and the mail leaves INBOX."""
    house.deliver(letter(KIM, "Dead board", "Serial AH7K900101 no longer shows any video.", message_id="<a@lark>"))
    house.once(NOW)
    [reply] = house.sent()
    parsed = email.message_from_bytes(reply.raw)
    [case] = house.cases()
    assert reply.recipient == "kim@larkspur.example"
    assert parsed["In-Reply-To"] == "<a@lark>"
    assert [part.get_content_type() for part in parsed.walk() if not part.is_multipart() and not part.get_filename()] == [
        "text/plain",
        "text/html",
    ]
    assert [name for part in parsed.walk() if (name := part.get_filename())] == ["label.pdf", "packing-sheet.pdf", "deadlines.ics"]
    assert case.state == "authorized"
    assert case.number is not None
    assert case.number.text in words(reply.raw)
    assert "44300 Christy St." in words(reply.raw)
    assert house.folder() == []
    assert len(house.folder("Done")) == 1


def test_both_companies_decide_by_their_own_rules(house: House) -> None:
    """A unit out of warranty is quoted by both companies, each from its own mailbox and fee schedule."""
    house.deliver(letter(KIM, "Board", "AH7K900102 does not boot, it hangs at POST.", message_id="<b@lark>"))
    bea = "Bea <bea@hollis.example>"
    house.deliver(letter(bea, "PDU", "PDU 7700302 outlet 4 is dead.", to=SERVERTECH, message_id="<c@hollis>"), SERVERTECH)
    house.once(NOW)
    portwell, servertech = house.sent("kim@larkspur.example"), house.sent("bea@hollis.example")
    assert "AP-15" in words(portwell[0].raw)
    assert "ST-6" in words(servertech[0].raw)
    assert portwell[0].sender == PORTWELL
    assert servertech[0].sender == SERVERTECH
    assert {case.state for case in house.cases()} == {"quoted"}
    assert len(house.cases()) == 2
    assert all(case.number is None for case in house.cases())


def test_the_answer_to_a_question_carries_its_case_on(house: House) -> None:
    """Who is asked for the serial number answers by reply, and gets the number in the same case."""
    house.deliver(letter(KIM, "Help", "Our board shows no video any more. What do I do?", message_id="<d@lark>"))
    house.once(NOW)
    [question] = house.sent()
    house.deliver(letter(KIM, "Re: Help", "Sorry, it is AH7K900101.", message_id="<e@lark>", answers=question.raw))
    house.once("2026-11-21T18:00:00Z")
    [case] = house.cases()
    assert case.state == "authorized"
    assert case.number is not None
    assert case.number.text in words(house.sent()[-1].raw)


def test_the_same_mail_twice_has_one_effect(house: House) -> None:
    """A mail that is delivered twice, in one batch and again after a restart, is answered once."""
    raw = letter(KIM, "Dead board", "Serial AH7K900101 has no video.", message_id="<f@lark>")
    house.deliver(raw)
    house.deliver(raw)
    house.once(NOW)
    house.deliver(b"Received: from elsewhere\r\n" + raw)
    house.once(NOW)
    assert len(house.sent()) == 1
    assert len(house.cases()) == 1
    assert house.folder() == []


def test_one_mail_to_both_desks_is_handled_by_both(house: House) -> None:
    """A mail addressed to both companies takes effect once at each of them."""
    raw = letter(KIM, "Board and PDU", "AH7K900101 shows no video, and our PDU hums.", message_id="<both@lark>")
    house.deliver(raw)
    house.deliver(raw, SERVERTECH)
    house.once(NOW)
    assert {mail.sender for mail in house.sent("kim@larkspur.example")} == {PORTWELL, SERVERTECH}


def test_a_second_request_gets_the_existing_number(house: House) -> None:
    """Asking again for a unit whose RMA is open brings the number that it already has (O1)."""
    house.deliver(letter(KIM, "Dead board", "Serial AH7K900101 has no video.", message_id="<g@lark>"))
    house.once(NOW)
    house.deliver(letter(KIM, "RMA please", "We need an RMA for AH7K900101, no video.", message_id="<h@lark>"))
    house.once("2026-11-21T18:00:00Z")
    [case] = house.cases()
    assert case.number is not None
    assert all(case.number.text in words(mail.raw) for mail in house.sent())
    assert len(house.sent()) == 2


def test_machines_are_on_record_and_get_no_answer(house: House) -> None:
    """A vacation reply is counted, set aside in Ignored, and never answered."""
    away = letter(KIM, "Automatic reply: away", "I am away.", message_id="<i@lark>", headers={"Auto-Submitted": "auto-replied"})
    house.deliver(away)
    house.once(NOW)
    assert house.sent() == []
    assert house.cases() == []
    assert len(house.folder("Ignored")) == 1


def test_what_cannot_be_processed_goes_to_attention_and_the_next_is_handled(house: House) -> None:
    """A mail nested beyond reason is set aside with a note to staff; the one behind it is answered (promise 4)."""
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth) for depth in range(60))
    house.deliver(b"From: x@stranger.example\r\nSubject: nested\r\nMIME-Version: 1.0\r\n" + nested)
    house.deliver(letter(KIM, "Dead board", "Serial AH7K900101 has no video.", message_id="<j@lark>"))
    house.once(NOW)
    assert len(house.folder("Attention")) == 1
    assert len(house.sent("desk@portwell.example")) == 1
    assert len(house.sent("kim@larkspur.example")) == 1


def test_reminders_go_out_once_each_and_then_the_number_expires(house: House) -> None:
    """Seven and two days before the end a reminder goes out, then the expiry notice, and the case is expired."""
    house.deliver(letter(KIM, "Dead board", "Serial AH7K900101 has no video.", message_id="<k@lark>"))
    house.once(NOW)
    counts = []
    for day in ("2026-12-12", "2026-12-13", "2026-12-14", "2026-12-18", "2026-12-19", "2026-12-21", "2027-02-01"):
        house.once(f"{day}T20:00:00Z")
        counts.append(len(house.sent()))
    [case] = house.cases()
    assert counts == [1, 2, 2, 3, 3, 4, 4]
    assert case.state == "expired"


def test_down_for_weeks_brings_one_mail_and_not_all_that_were_missed(house: House) -> None:
    """After a long pause the customer gets the expiry notice alone (Z4)."""
    house.deliver(letter(KIM, "Dead board", "Serial AH7K900101 has no video.", message_id="<l@lark>"))
    house.once(NOW)
    house.once("2027-03-01T20:00:00Z")
    [case] = house.cases()
    assert case.state == "expired"
    assert case.number is not None
    assert len(house.sent()) == 2
    assert case.number.text in words(house.sent()[-1].raw)


def test_the_daemon_answers_what_arrives_and_stops_cleanly(house: House) -> None:
    """The daemon leaves old mail alone at its first start, answers new mail, and ends with its batch done on SIGTERM."""
    house.deliver(letter(KIM, "Old", "Serial AH7K900102 has no video.", message_id="<old@lark>"))
    daemon = house.start("run")
    try:
        _until((house.home / "state" / "mailbot.db").exists)
        time.sleep(1.5)
        house.deliver(letter(KIM, "New", "Serial AH7K900101 has no video.", message_id="<new@lark>"))
        _until(lambda: len(house.sent()) == 1)
        daemon.send_signal(signal.SIGTERM)
        _, errors = daemon.communicate(timeout=20)
    finally:
        daemon.kill()
        daemon.wait(timeout=10)
    assert daemon.returncode == 0, errors.decode()
    assert len(house.folder()) == 1
    assert len(house.folder("Done")) == 1


def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
