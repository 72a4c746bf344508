"""Hostile attachments: names, bombs, programs, crowds."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from support.growth import KNOWN
from support.hostile_attachments import archive, attached, letter, pdf, text_cell, winmail, workbook, written
from support.memory_desk import Desk, unit, words

from mailbot.intake.attachments import extraction, formats
from mailbot.intake.attachments.extraction import contents
from mailbot.intake.reading import read_message
from mailbot.intake.understand import understand
from mailbot.mail.mime import clean_name
from mailbot.runtime import pipeline

ORDER = "PURCHASE ORDER 4711. Please proceed with the repair of AH2F104432."


def desk() -> Desk:
    return Desk(units=[unit("AH2F104432", "ipc")])


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "po\0.pdf",
        "x" * 4096 + ".pdf",
        "/dev/stdout",
        "CON",
        "NUL.pdf",
        "po\r\nBcc: x@evil.example.pdf",
        "a\x1b[2J.pdf",
        "exe.\u202efdp",
        "-rf",
        ". .",
        "",
    ],
)
def test_T1_a_file_name_is_one_harmless_line(name: str) -> None:
    """Whatever an attachment is called, what is shown is one short line, and no path."""
    shown = clean_name(name)
    assert len(shown) <= 120
    assert shown.isprintable()
    assert not set(shown) & set('/\\<>|?*"\u202e')
    assert not shown.startswith(".")
    raw = letter("See the file.", ("xyz.bin", b"x")).replace(b'="xyz.bin"', f"*=utf-8''{quote(name)}".encode())
    [attachment] = _read(raw).attachments
    assert attachment.name == (shown or "unnamed")


@pytest.mark.parametrize("inner", ["../../../etc/cron.d/x.csv", "/etc/x.csv", "C:\\x.csv", "a\x1b\r\nb.csv", "\u202ex.csv"])
def test_T1_names_within_an_archive_are_no_paths(inner: str) -> None:
    """A file within an archive is read in memory and named harmlessly; nothing is written."""
    found = contents([attached("a.zip", archive({inner: "serial;fault\nAH2F104432;dead"}))])
    [file] = found.attachments
    assert file.name.isprintable()
    assert not set(file.name) & set("/\\\u202e")
    assert found.documents[1].tables[0].rows[1] == ("AH2F104432", "dead")


def test_T3_a_formula_is_not_evaluated_and_no_entity_resolved() -> None:
    """Of a formula the value that the sender saw is read; a sheet that points to a file that we sent shows nothing of it."""
    sheet = workbook(
        f'<row r="1">{text_cell("A1", "Serial")}{text_cell("B1", "Fault")}</row>'
        f'<row r="2">{text_cell("A2", "AH2F104432")}<c r="B2" t="str"><f>HYPERLINK("http://evil.example")</f><v>dead</v></c></row>'
    )
    assert contents([attached("units.xlsx", sheet)]).documents[0].tables[0].rows[1] == ("AH2F104432", "dead")
    doctype = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    sheet = workbook('<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>', doctype=doctype)
    [document] = contents([attached("units.xlsx", sheet)]).documents
    assert document.tables == ()
    assert document.note == extraction.UNREADABLE_NOTE


PROGRAMS = {
    "windows": b"MZ\x90\0",
    "linux": b"\x7fELF\2\1\1",
    "script": b"#!/bin/sh\n",
    "macos_64_bit": b"\xcf\xfa\xed\xfe",
    "macos_32_bit": b"\xce\xfa\xed\xfe",
    "java_or_macos_universal": b"\xca\xfe\xba\xbe",
}


@pytest.mark.parametrize("head", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("packed", [False, True])
def test_T4_a_program_named_po_is_no_purchase_order(head: bytes, *, packed: bool) -> None:
    """A program under an order's name, in an archive or not, starts nothing: staff look at it."""
    program = head + bytes(200)
    name, content = ("order.zip", archive({"PO-4711.pdf": program})) if packed else ("PO-4711.pdf", program)
    raw = letter("Our purchase order 4711 is attached, please proceed with the repair of AH2F104432.", (name, content))
    assert extraction.PROGRAM_NOTE in {document.note for document in _read(raw).documents}
    step = desk().take(raw)
    assert step.decision
    assert step.decision.outcome == "staff"
    assert any(reply.audience == "staff" for reply in step.replies)
    assert step.after is None or step.after.number is None


def test_T4_a_note_that_begins_like_a_program_is_a_note() -> None:
    """A text file is read however it begins."""
    [document] = contents([attached("note.txt", b"MZ-100 is the model, AH2F104432 the serial.")]).documents
    assert "AH2F104432" in document.text
    assert not document.note


def test_T4_a_purchase_order_in_a_text_file_counts_however_it_begins() -> None:
    """A purchase order in a text file that begins with "MZ" counts as a purchase order, and no program is reported."""
    order = b"MZ-100 repair\n" + ORDER.encode()
    raw = letter("Our purchase order 4711 for AH2F104432 is attached.", ("PO-4711.txt", order))
    request = understand(_read(raw), None, KNOWN, desk().policy.desk)
    assert request.order
    assert request.order.copy
    assert not request.attention


def test_T4_the_list_of_programs_is_defined_once() -> None:
    """One list says how a program begins, and it names every kind that is tested here."""
    sources = sorted((Path(extraction.__file__).parents[2]).rglob("*.py"))
    assert len(sources) > 50
    defined = [each.name for each in sources if re.search(r"(?m)^\w*PROGRAM_SIGNATURES\b.*=", each.read_text("utf-8"))]
    assert defined == ["formats.py"]
    assert {head for head in formats.PROGRAM_SIGNATURES if not any(made.startswith(head) for made in PROGRAMS.values())} == set()


def test_T5_the_first_twenty_of_five_hundred_are_looked_at() -> None:
    """An email with five hundred attachments: twenty are read, and it is said that the others were not."""
    raw = letter("See the lists.", *((f"list{n}.csv", f"serial\nAH2F1{n:05}".encode()) for n in range(500)))
    begun = time.perf_counter()
    message = _read(raw)
    assert time.perf_counter() - begun < 2
    assert len(message.attachments) == 500
    assert [document.name for document in message.documents] == [*(f"list{n}.csv" for n in range(20)), ""]
    assert message.documents[-1].note == "the first 20 attachments were looked at, 480 more were not"
    assert "AH2F100019" in message.codes
    assert "AH2F100020" not in message.codes


def test_T5_archives_within_archives_end() -> None:
    """An archive in an archive is opened, but not for ever, and all that is within counts as attachments of the email."""
    nested = archive({"list.csv": "serial\nAH2F104432"})
    for _ in range(10):
        nested = archive({f"{n}.zip": nested for n in range(2)})
    found = contents([attached("all.zip", nested)])
    assert 5 <= len(found.documents) <= extraction.MAX_ATTACHMENTS + 1
    assert 5 <= len(found.attachments) <= 100


def test_T5_pictures_do_not_crowd_out_the_list() -> None:
    """Thirty logos of a signature are not looked at; the list below them is."""
    logos = [attached(f"image{n}.png", b"\x89PNG\r\n", "image/png") for n in range(30)]
    [document] = contents([*logos, attached("list.csv", b"serial\nAH2F104432")]).documents
    assert document.tables


def test_winmail_is_opened() -> None:
    """What Outlook packed is unpacked: the words, and the order that is attached."""
    packed = winmail("AH2F104432 shows no video.\r\n", {"PO-4711.pdf": written(ORDER), "list.csv": b"serial\nAH2F104433"})
    message = _read(letter("", ("winmail.dat", packed)))
    assert [each.name for each in message.attachments] == ["winmail.dat", "PO-4711.pdf", "list.csv"]
    assert [document.text.strip() for document in message.documents] == ["AH2F104432 shows no video.", ORDER, ""]
    assert {"AH2F104432", "AH2F104433"} <= set(message.codes)
    step = desk().take(letter("", ("winmail.dat", winmail("AH2F104432 shows no video since Monday.", {}))))
    assert step.decision
    assert step.decision.outcome == "issue"


def test_what_is_encrypted_says_so() -> None:
    """An encrypted PDF or archive is an empty Document with the reason beside it."""
    trailer = f"/Encrypt<</Filter/Standard/V 1/R 2/O({'a' * 32})/U({'b' * 32})/P -4>>/ID[(aaaaaaaaaaaaaaaa)(aaaaaaaaaaaaaaaa)]"
    locked = bytearray(archive({"a.csv": "serial\nAH2F104432"}))
    locked[6] |= 1
    locked[locked.index(b"PK\1\2") + 8] |= 1
    found = contents([attached("po.pdf", pdf(b"x", trailer=trailer)), attached("a.zip", bytes(locked))])
    assert [(each.text, each.tables, each.note) for each in found.documents] == [("", (), "encrypted")] * 2
    assert found.attachments == ()


def test_an_attached_mail_brings_its_own_attachments() -> None:
    """An email that was forwarded as an attachment is opened with what is attached to it."""
    inner = letter("The list is attached.", ("list.csv", b"serial\nAH2F104432"), subject="Two boards")
    found = contents([attached("before.eml", inner, "message/rfc822")])
    assert [document.name for document in found.documents] == ["before.eml", "list.csv"]
    assert found.documents[1].tables[0].rows[1] == ("AH2F104432",)


def test_what_attachments_say_is_bounded_together() -> None:
    """Twenty long lists say no more than the bound, and each that was cut says so."""
    rows = "\n".join(",".join(f"{n}-{m}" for m in range(40)) for n in range(2000)).encode()
    found = contents([attached(f"{n}.csv", rows) for n in range(20)])
    cells = sum(len(row) for document in found.documents for table in document.tables for row in table.rows)
    assert 0.9 * extraction.MAX_CELLS <= cells <= extraction.MAX_CELLS
    assert {document.note for document in found.documents[4:]} == {extraction.TRUNCATED_NOTE}
    found = contents([attached(f"{n}.txt", b"word " * 100_000) for n in range(20)])
    assert sum(len(document.text) for document in found.documents) == extraction.MAX_TEXT


def test_T3_archives_unpack_to_no_more_than_an_email_may_hold() -> None:
    """Ten archives of modest size do not fill the memory together."""
    found = contents([attached(f"{n}.zip", archive({"a.bin": bytes(9_000_000)})) for n in range(10)])
    assert 0 < sum(len(file.content) for file in found.attachments) <= extraction.MAX_UNPACKED
    assert found.documents[-1].note == extraction.TRUNCATED_NOTE


def test_R1_a_large_attachment_costs_little_time() -> None:
    """An email of 25 MB takes less than two seconds of processor time, with a picture or with a list that is too large."""
    for name, content in (("photo.jpg", b"\xff\xd8" + bytes(18_000_000)), ("list.csv", b"a;b\n" * 6_000_000)):
        raw = letter("Serial number AH2F104432 shows no video.", (name, content))
        assert len(raw) > 24_000_000
        at = desk()
        begun = time.process_time()
        step = at.take(raw)
        assert time.process_time() - begun < 2
        assert step.after
        assert step.after.number
        assert step.after.number.text in words(next(r for r in step.replies if r.audience == "customer"))
    assert "too large" in _read(raw).documents[0].note


def _read(raw: bytes) -> pipeline.Message:
    at = desk()
    return read_message(pipeline.incoming_mail(at.policy.desk.address, raw, at.clock.now()), at.policy.desk)
