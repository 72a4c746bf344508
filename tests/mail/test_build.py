"""A mail of ours: what was meant, nothing else, the same bytes every time."""

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.raw_mail import ARRIVED

from mailbot.mail.build import Draft, build
from mailbot.mail.parse import parse
from mailbot.model import Attachment

DRAFT = Draft(
    mailbox_name="Returns, Desk",
    mailbox="rma@desk.example",
    to="kim@acme.example",
    subject="Re: WADE board dead",
    message_id="r1@desk.example",
    date=datetime(2026, 11, 20, 10, tzinfo=UTC),
    text="Hello Kim,\nthe number is RMA-1.\n",
    html="<p>Hello Kim",
    in_reply_to="1@acme.example",
    references=("0@acme.example", "1@acme.example"),
    attachments=(Attachment("label.pdf", "application/pdf", b"%PDF"),),
)
HEADER = [
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
]


def _read(raw: bytes):
    return parse(raw, mailbox="kim@acme.example", arrived_at=ARRIVED)


def test_L6_everything_we_send_says_that_a_machine_sent_it():
    """A mail of ours carries all fields that keep other machines from answering, and reads back as written."""
    raw = build(DRAFT)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert list(message) == HEADER
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["From"] == '"Returns, Desk" <rma@desk.example>'
    assert [part.get_content_type() for part in message.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf")
    ]
    assert not any(part.defects for part in message.walk())
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == DRAFT.text
    assert _read(raw).classification.sender_class == "auto"


def test_the_same_draft_gives_the_same_bytes():
    """A mail that is sent again is the same mail, byte for byte."""
    assert build(DRAFT) == build(replace(DRAFT))


def test_threads_are_cut_in_the_middle():
    """A long thread keeps its first mail and the last ten."""
    ids = tuple(f"{n}@acme.example" for n in range(30))
    assert _read(build(replace(DRAFT, references=ids))).references == (ids[0], *ids[-10:])


@pytest.mark.parametrize(
    "change",
    [
        {"to": "kim@acme.example\r\nBcc: x@y.example"},
        {"to": "kim@acme.example, x@y.example"},
        {"to": ""},
        {"mailbox": "rma\0@desk.example"},
        {"message_id": "r1@desk.example>\r\nBcc: x"},
        {"date": datetime(2026, 1, 1)},  # noqa: DTZ001  (the point of the test)
    ],
)
def test_H4_a_malformed_draft_is_refused(change):
    """An address, an id or a date that is not in order never becomes a mail."""
    with pytest.raises(ValueError):  # noqa: PT011  (the kind is the promise)
        build(replace(DRAFT, **change))


@pytest.mark.parametrize(
    "hostile",
    [
        "x\r\nBcc: y@evil.example",
        "=?utf-8?q?x=0D=0ABcc:_y?=",
        "\u202ex",
        'a"b\\c',
        "很" * 300,
        "x" * 300,
        "",
        "a  b",
        "ü =?x?q?y?=",
    ],
)
def test_H1_H2_foreign_text_injects_no_header(hostile):
    """Whatever a customer wrote in a subject or a name, no header field comes of it."""
    draft = replace(DRAFT, subject=hostile, mailbox_name=hostile, in_reply_to=hostile, references=(hostile,))
    found = list(email.message_from_bytes(build(draft)))
    assert found == [name for name in HEADER if name not in {"In-Reply-To", "References"}]


def test_H5_a_hostile_id_is_never_repeated():
    """A Message-ID with line breaks or brackets is left out of our answer."""
    raw = build(replace(DRAFT, in_reply_to="a@b> \r\nX: y", references=("ok@acme.example", "no@b\r\n")))
    assert _read(raw).references == ("ok@acme.example",)
    assert _read(raw).in_reply_to == ()


def test_letters_in_any_script_travel_in_ascii():
    """A letter or a file name in any script survives a server that knows only ASCII."""
    draft = replace(DRAFT, text="故障\n" * 100 + "Grüße " * 300, attachments=(Attachment("故障" * 90 + ".pdf", "x", b""),))
    raw = build(draft)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert _read(raw).text.strip() == draft.text.strip()
    assert _read(raw).attachments[0].name.endswith("故障.pdf")


@given(st.text(max_size=120), st.text(max_size=60), st.text(max_size=200), st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_L6_any_text_gives_exactly_the_given_header(subject, name, text, file_name):
    """Whatever is written in a mail of ours, its header is the one that was meant."""
    draft = replace(
        DRAFT,
        subject=subject,
        mailbox_name=name,
        text=text,
        html="",
        attachments=(Attachment(file_name, "text/plain", text.encode("utf-8", "replace")),),
    )
    raw = build(draft)
    assert list(email.message_from_bytes(raw)) == HEADER
    assert _read(raw).sender.email == "rma@desk.example"
    assert raw == build(draft)
