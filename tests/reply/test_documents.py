"""The papers that go with an email: label, packing list, commercial invoice, calendar file."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from msgspec.structs import replace
from pypdf import PdfReader
from support.sample_documents import CHINESE, EVERY, LONG, NUMBER, PLAIN, TEXT, WORDS

from mailbot.reply.documents.calendar import write_calendar
from mailbot.reply.documents.invoice import draw_commercial_invoice
from mailbot.reply.documents.label import draw_label
from mailbot.reply.documents.packing_list import draw_packing_list
from mailbot.reply.documents.return_shipment import ShipmentUnit, printable
from mailbot.reply.documents.texts import DocumentTexts
from mailbot.strict_toml import ConfigError

PDFS = (draw_label, draw_packing_list, draw_commercial_invoice)
ALL = (*PDFS, write_calendar)


def ship_by(summary: str) -> DocumentTexts:
    """The texts with another summary of the calendar's event."""
    return replace(WORDS, calendar=replace(WORDS.calendar, ship_by=f"{summary}{{number}}"))


def texts(pdf: bytes) -> list[str]:
    """The text of each page, white space folded."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def pictures(pdf: bytes, scale: float):
    """Each page as a grey picture; 1 is 72 dpi."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=scale, grayscale=True).to_pil().convert("L") for page in document]


def boxes(pdf: bytes) -> list[list[tuple[float, float, float, float]]]:
    """For each page the boxes of its stretches of text, a watermark's left out."""
    document = pypdfium2.PdfDocument(pdf)
    pages = []
    for page in document:
        text = page.get_textpage()
        found = [text.get_rect(n) for n in range(text.count_rects())]
        pages.append([box for box in found if box[3] - box[1] < 60])
    return pages


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("paper", ALL, ids=lambda paper: paper.__name__)
def test_the_same_consignment_makes_the_same_bytes(paper, name):
    """A paper written twice, with others in between, is the same file."""
    first = paper(EVERY[name])
    paper(LONG)
    assert paper(EVERY[name]) == first


def test_the_same_bytes_in_another_process():
    """A repeat after a restart sends the very same papers."""
    code = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:]\n"
        "from mailbot.reply.documents.calendar import write_calendar; from mailbot.reply.documents.label import draw_label\n"
        "from mailbot.reply.documents.invoice import draw_commercial_invoice\n"
        "from mailbot.reply.documents.packing_list import draw_packing_list; from support.sample_documents import CHINESE as c\n"
        "all_ = (write_calendar, draw_commercial_invoice, draw_packing_list, draw_label)\n"
        "print(hashlib.sha256(b''.join(paper(c) for paper in all_)).hexdigest())"
    )
    run = [sys.executable, "-c", code, *filter(None, sys.path)]
    assert len({subprocess.run(run, capture_output=True, check=True).stdout for _ in range(2)}) == 1


@pytest.mark.parametrize("number", [NUMBER, "RMA-20261", "R" * 20 + "-" + "0123456789" + "Xy/. #+a%"])
@pytest.mark.parametrize("dpi", [203, 300])
def test_both_codes_hold_exactly_the_number(number, dpi):
    """A scanner reads the RMA number, and nothing else, from the Code 128 and from the QR code of a printed label."""
    zbar = pytest.importorskip("pyzbar.pyzbar", exc_type=ImportError, reason="needs libzbar (Debian: libzbar0)")
    for picture in pictures(draw_label(replace(PLAIN, number=number)), dpi / 72):
        read = {(code.type, code.data.decode()) for code in zbar.decode(picture)}
        assert read == {("CODE128", number), ("QRCODE", number)}


@pytest.mark.parametrize("paper", [draw_packing_list, draw_commercial_invoice], ids=lambda paper: paper.__name__)
def test_the_large_papers_can_be_scanned(paper):
    """The number stands as QR code on the first page of the packing list and of the invoice."""
    zbar = pytest.importorskip("pyzbar.pyzbar", exc_type=ImportError, reason="needs libzbar (Debian: libzbar0)")
    assert [code.data.decode() for code in zbar.decode(pictures(paper(CHINESE), 3)[0])] == [NUMBER]


def test_the_label_says_all_that_the_desk_needs():
    """The label has the number, the address, who sends it, until when, and the units."""
    [page] = texts(draw_label(PLAIN))
    assert page.count(NUMBER) == 2  # in large, and behind "Attn:"
    for part in (*PLAIN.ship_to, "Kim Novak", "Acme Robotics GmbH", "Box 1 of 1", "December 21, 2026"):
        assert part in page
    for unit in PLAIN.units:
        assert f"{unit.serial} {unit.model}" in page


def test_a_label_says_how_many_units_it_does_not_show():
    """Where forty units do not fit, the label says how many more there are."""
    page = texts(draw_label(LONG))[0]
    shown = len(re.findall(r"AH2F\d{6}", page))
    assert shown
    assert f"and {40 - shown} more: see the packing sheet" in page
    assert "Units: 40" in page


def test_the_packing_list_says_how_to_pack_and_what():
    """The company's sentences, the list to tick off, every unit with its reason, the address and the number are there."""
    page = texts(draw_packing_list(PLAIN))[0]
    for part in (*PLAIN.packing, *WORDS.packing.checks, *PLAIN.ship_to, NUMBER, "kim@acme.example", "Page 1 of 1"):
        assert part in page
    for unit in PLAIN.units:
        assert f"{unit.serial} {unit.model} {unit.reason}" in page


def test_forty_units_go_over_several_pages():
    """No unit is left out, and every page has its number and the headings."""
    for paper in (draw_packing_list, draw_commercial_invoice):
        pages = texts(paper(LONG))
        serials = [serial for page in pages for serial in re.findall(r"AH2F\d{6}", page)]
        assert serials == [unit.serial for unit in LONG.units]
        for n, page in enumerate(pages, 1):
            assert f"{NUMBER} · Page {n} of {len(pages)}" in page


def test_the_invoice_is_a_draft_with_the_statements_of_the_rules():
    """The draft is marked as one on every page, and says what AP-42 wants customs to read."""
    for consignment in (PLAIN, LONG):
        pages = texts(draw_commercial_invoice(consignment))
        assert all("DRAFT" in page for page in pages)
        for part in ("No commercial value", "American Goods Returned to the US", "November 21, 2026", NUMBER):
            assert part in " ".join(pages)
    assert "WADE-8013 AH2F104432 Taiwan 1" in texts(draw_commercial_invoice(PLAIN))[0]


def test_names_in_many_scripts_are_text_and_embedded():
    """Chinese, Japanese, Korean, Cyrillic and Greek can be read, copied, and printed without the fonts being there."""
    for paper in PDFS:
        pdf = paper(CHINESE)
        page = texts(pdf)[0].replace(" ", "")
        for part in ("深圳市華強電子有限公司", "王小明", "日本語モデル", "한국어모델"):
            assert part in page
        resources = PdfReader(io.BytesIO(pdf)).pages[0]["/Resources"]
        fonts = {name: font.get_object() for name, font in resources["/Font"].items()}
        names = {str(font["/BaseFont"]).partition("+")[2] for font in fonts.values()}
        assert names == {"NotoSans-Regular", "NotoSans-Bold", "DroidSansFallback"}
        assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts.values())
    page = texts(draw_packing_list(LONG))[0]
    for part in ("Żółć Ünïcödé", "Дмитрий", "Αλέξανδρος", "Nguyễn", "<b>bold</b> & Sons"):
        assert part in page


def test_chinese_is_inked():
    """A Chinese name is not a row of blanks or of equal boxes when it is rendered."""
    glyphs = set()
    for char in "深圳市華강カ":
        shown = replace(PLAIN, ship_to=(char * 4,))
        picture = pictures(draw_label(shown), 2)[0].crop((28, 196, 400, 240))
        assert picture.getextrema()[0] < 64
        glyphs.add(picture.tobytes())
    assert len(glyphs) == 6


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("paper", PDFS, ids=lambda paper: paper.__name__)
def test_nothing_leaves_the_page_or_lies_over_another_text(paper, name):
    """Long names, models and addresses stay within the margins, and no text is printed over another."""
    pdf = paper(EVERY[name])
    for page, found in zip(PdfReader(io.BytesIO(pdf)).pages, boxes(pdf), strict=True):
        width, height = page.mediabox.width, page.mediabox.height
        for left, bottom, right, top in found:
            assert 10 <= left <= right <= width - 10
            assert 10 <= bottom <= top <= height - 10
        for one, two in combinations(found, 2):
            wide = min(one[2], two[2]) - max(one[0], two[0])
            high = min(one[3], two[3]) - max(one[1], two[1])
            assert min(wide, high) < 1.5, (one, two)


def test_pages_fit_the_paper():
    """Labels are 4 by 6 inches with margins for A6; the other papers are no wider than A4 and no higher than Letter."""
    assert PdfReader(io.BytesIO(draw_label(PLAIN))).pages[0].mediabox[2:] == [288, 432]
    for paper in PDFS[1:]:
        assert PdfReader(io.BytesIO(paper(PLAIN))).pages[0].mediabox[2:] == [595, 792]


def test_what_may_not_be_seen_is_left_out():
    """Control characters, marks that turn the reading direction and lone surrogates never reach paper or calendar."""
    assert printable("a\u202eb\u2066c\x00d\r\ne\ud800f\u200bg\ufeff ") == "abc d efg"
    hostile = replace(PLAIN, customer="Eve\u202e\r\nATTENDEE:mailto:x@y", words=ship_by("Last day\r\nX-EVIL:1\u202e"))
    assert "Eve ATTENDEE:mailto:x@y" in texts(draw_label(hostile))[0]
    assert b"\nX-EVIL" not in write_calendar(hostile)


def test_the_calendar_is_read_back():
    """The last day is an all-day event with an alarm two days before, stamped with the day the papers are written."""
    [event] = Calendar.from_ical(write_calendar(PLAIN)).walk("VEVENT")
    assert str(event["UID"]) == f"{NUMBER}.number"
    assert event.decoded("DTSTART") == PLAIN.valid_until
    assert event.decoded("DTEND") == PLAIN.valid_until + timedelta(days=1)
    assert event.decoded("DTSTAMP") == datetime(2026, 11, 21, tzinfo=UTC)
    assert str(event["SUMMARY"]) == WORDS.calendar.ship_by.format(number=NUMBER)
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == timedelta(days=-2)


def test_the_calendar_keeps_to_its_line_rules():
    """Lines end with CRLF and are folded at 75 octets, in any script (RFC 5545 §3.1)."""
    long = "報價單到期；请回复，thanks; " * 9
    file = write_calendar(replace(PLAIN, words=ship_by(long)))
    assert file.endswith(b"END:VCALENDAR\r\n")
    lines = file.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line or len(line) > 75 for line in lines)
    assert all(line.decode() is not None for line in lines)
    [event] = Calendar.from_ical(file).walk("VEVENT")
    assert str(event["SUMMARY"]) == printable(long + NUMBER)


def test_a_moved_date_is_the_same_event():
    """A deadline that was extended replaces the old one in the customer's calendar: its UID stays."""
    moved = replace(PLAIN, valid_until=date(2027, 1, 20), issued_on=date(2026, 12, 1))
    (event,) = Calendar.from_ical(write_calendar(moved)).walk("VEVENT")
    assert str(event["UID"]) == f"{NUMBER}.number"
    assert event.decoded("DTSTAMP") == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ship_to = "Ship to"\n', "", "shared is missing the required key 'ship_to'"),
        ('ship_to = "Ship to"', 'shipto = "Ship to"', "did you mean 'ship_to'?"),
        ('title = "Packing sheet"', 'title = ""', "packing.title"),
        ("Box {n} of {m}", "Box {n}", "must have the placeholders {m}, {n} and no other"),
        ("Box {n} of {m}", "Box {n} of {m.__class__}", "must have the placeholders {m}, {n} and no other"),
        ("Box {n} of {m}", "Box {n of {m}", "{m}, {n}"),
        ("Dates of {number}", "Dates", "must have the placeholders {number} and no other"),
        ("[label]", "[label", "not valid TOML"),
    ],
)
def test_a_wrong_word_is_named_at_the_start(old, new, said):
    """A word that is missing, misspelt, empty or has lost its place is an error that names file and key."""
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        DocumentTexts.of(TEXT.replace(old, new, 1), "default/en/papers.toml")
    assert str(caught.value).startswith("default/en/papers.toml")


@pytest.mark.parametrize("number", ["", "RMA-ü", "RMA\n1", "R" * 41])
def test_a_number_that_no_barcode_can_hold_is_refused(number):
    """A label never shows a number other than the one given out: what a Code 128 cannot hold is an error."""
    with pytest.raises(ValueError, match="printable ASCII"):
        replace(PLAIN, number=number)


def test_importing_the_papers_loads_no_library():
    """A start that writes no paper does not wait for the libraries that draw them."""
    code = "import sys; import mailbot.reply.documents; print([n for n in ('reportlab', 'icalendar') if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"


ODD = st.text(max_size=250) | st.sampled_from(["", " ", "A" * 60, "字" * 300, "ﷺ" * 50, "é" * 90, "🙂" * 40, "{n} %s &lt;"])
PIECES = st.builds(ShipmentUnit, serial=ODD, model=ODD, reason=ODD, origin=ODD)


@settings(max_examples=40, deadline=None)
@given(ODD, ODD, st.lists(ODD, max_size=8), st.lists(PIECES, max_size=6), st.lists(ODD, max_size=4), st.dates())
def test_any_name_makes_papers_of_bounded_size(name, company, lines, units, sentences, day):
    """Whatever people write, the papers are made, and they are small enough for an email."""
    odd = replace(
        PLAIN,
        company=company,
        customer=name,
        customer_company=company,
        email=name,
        ship_to=tuple(lines),
        units=tuple(units),
        packing=tuple(sentences),
        statements=tuple(sentences),
        valid_until=day,
    )
    for paper in PDFS:
        pdf = paper(odd)
        assert len(pdf) < 300_000
        assert len(PdfReader(io.BytesIO(pdf)).pages) <= 3
    assert len(Calendar.from_ical(write_calendar(odd)).walk("VEVENT")) == 1
