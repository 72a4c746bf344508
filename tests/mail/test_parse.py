"""Bytes to Message: every mail is read as well as can be, and nothing but Unreadable is ever raised."""

import contextlib
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_mail import MAILBOX, arrived, mail, read

from mailbot.mail import mime
from mailbot.mail.addresses import deliverable, is_ours
from mailbot.mail.body import MAX_CHARACTERS
from mailbot.mail.parse import UnreadableError


def test_the_header_is_read():
    """Everything an answer needs is taken from the header."""
    message = read(
        "Cc: Lee <lee@acme.example>, boss@acme.example",
        "In-Reply-To: <9@desk.example>",
        "References: <8@desk.example> <9@desk.example>",
        "Return-Path: <kim@acme.example>",
        "Delivered-To: rma@desk.example",
        "X-Original-To: returns@desk.example",
    )
    assert message.sender.email == "kim@acme.example"
    assert message.sender.name == "Kim Lee"
    assert message.answer_to.email == "kim@acme.example"
    assert [box.email for box in message.cc] == ["lee@acme.example", "boss@acme.example"]
    assert message.thread == ("9@desk.example", "8@desk.example")
    assert message.message_id == "1@acme.example"
    assert message.sent_at == datetime(2026, 11, 20, 8, 59, tzinfo=UTC)
    assert message.delivered_to == ("rma@desk.example", "returns@desk.example")


def test_two_deliveries_of_one_mail_are_the_same():
    """An email delivered twice keeps its identity, whatever path it took; another content has another one."""
    raw = mail("X-Spam-Score: 1")
    first = arrived(b"Return-Path: <a@b.example>\r\nReceived: by mx1; now\r\nDKIM-Signature: x\r\n" + raw)
    again = arrived(b"Received: by mx2; later\r\n" + raw.replace(b"\r\n", b"\n").replace(b"Score: 1", b"Score: 2"))
    assert first.identity == again.identity
    assert arrived(raw.replace(b"dead", b"died")).digest != first.digest
    assert arrived(raw.replace(b"Kim Lee", b"Kim Leo")).digest != first.digest


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        ('"boss@corp.example" <evil@x.example>', "evil@x.example"),
        ("boss@corp.example <evil@x.example>", "evil@x.example"),
        ("staff@corp.com <evil@x.com>", "evil@x.com"),
        ("=?utf-8?q?boss=40corp.example=3E?= <evil@x.example>", "evil@x.example"),
        ("(boss@corp.example) evil@x.example (boss@corp.example)", "evil@x.example"),
        ('"<boss@corp.example>" <evil@x.example>', "evil@x.example"),
        ("Doe, John <john@x.example>", "john@x.example"),
        ("Kim <KIM@Acme.EXAMPLE>", "kim@acme.example"),
        ("\u212aim <\u212aim@acme.example>", "\u212aim@acme.example"),
    ],
)
def test_A5_a_display_name_is_no_sender(value, sender):
    """Whatever address the name shows, the email is judged by the one it came from."""
    assert read(From=value).sender.email == sender


@pytest.mark.parametrize(
    "value",
    [
        "a@x.example, b@x.example",
        "boss@corp.example, <evil@x.example>",
        "Staff: boss@corp.example;",
        "Staff: boss@corp.example, b@x.example;",
        "<a@x.example> <b@x.example>",
        "undisclosed",
        "<>",
    ],
)
def test_A4_two_mailboxes_or_a_group_in_From_name_nobody(value):
    """A From field that does not name exactly one person names nobody."""
    assert read(From=value).sender is None


def test_A4_two_From_fields_name_nobody():
    """Two From fields name nobody."""
    assert read("From: boss@corp.example").sender is None


def test_H1_a_newline_in_the_subject_starts_no_header():
    """A subject that hides a line break stays one line."""
    message = read(Subject="=?utf-8?q?Hello=0D=0ABcc:_x=40evil.example?=")
    assert message.subject == "Hello Bcc: x@evil.example"


def test_H3_a_newline_in_a_display_name_is_harmless():
    """A sender's name that hides a line break stays one line."""
    message = read(From="=?utf-8?q?Kim=0D=0ABcc:_x=40evil.example?= <kim@acme.example>")
    assert message.sender.name == "Kim Bcc: x@evil.example"
    assert message.sender.email == "kim@acme.example"


@pytest.mark.parametrize("address", ["a\r\nb@x.example", "a@x.example\r\nRCPT TO:<b@x.example>", "a\0@x.example", "a b@x", "@"])
def test_H4_an_address_with_line_breaks_is_refused(address):
    """An address that could carry a command to an email server is none."""
    assert deliverable(address) is None


def test_U3_overrides_are_removed_from_subject_and_file_name():
    """Text that runs backwards to disguise itself is straightened."""
    message = read(
        'Content-Type: multipart/mixed; boundary="b"',
        Subject="=?utf-8?q?invoice=E2=80=AEfdp.exe?=",
        body='--b\n\nhi\n--b\nContent-Type: application/pdf; name="=?utf-8?q?a=E2=80=AE../..=5Cpo.pdf?="\n\nx\n--b--\n',
    )
    assert message.subject == "invoicefdp.exe"
    assert [each.name for each in message.attachments] == ["po.pdf"]


def test_an_answer_goes_to_one_valid_address():
    """Reply-To leads, the sender's own address among several is preferred, and we never answer ourselves."""
    assert read("Reply-To: Desk <desk@acme.example>").answer_to.email == "desk@acme.example"
    assert read("Reply-To: a@acme.example, kim@acme.example").answer_to.email == "kim@acme.example"
    assert read("Reply-To: a@acme.example, b@acme.example").answer_to.email == "a@acme.example"
    assert read(f"Reply-To: {MAILBOX}").answer_to is None
    assert read(From="rma+t0ken@desk.example").answer_to is None
    assert read(From="kim@acme.test").answer_to.email == "kim@acme.test"
    assert read(From="root@localhost").answer_to is None
    assert read(From="x@y..z").answer_to is None


def test_L3_plus_addresses_we_sent_are_ours():
    """A plus-address of our mailbox is our mailbox."""
    assert is_ours("RMA+abc@Desk.example", [MAILBOX])
    assert not is_ours("rmax@desk.example", [MAILBOX])


@pytest.mark.parametrize("nested", ["multipart/mixed; boundary=b{0}\r\n\r\n--b{0}", "message/rfc822\r\n"])
def test_M1_a_thousand_nested_parts_are_unreadable(nested):
    """An email nested a thousand deep goes to a person, at once."""
    raw = mail()[:-2] + "".join(f"\r\nContent-Type: {nested.format(n)}" for n in range(1000)).encode()
    with pytest.raises(UnreadableError, match="nested"):
        arrived(raw.replace(b"\r\n\r\n", b"\r\n", 1))


def test_M2_a_hundred_thousand_parts_are_unreadable():
    """An email of a hundred thousand parts goes to a person within a second."""
    begun = time.perf_counter()
    with pytest.raises(UnreadableError, match="parts"):
        read("Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n\r\nx\r\n" * 100_000)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "field",
    [
        "Subject: " + "=?utf-8?b?w6TDpMOk?= " * 21_000,
        "Content-Type: text/plain" + "; a=b" * 20_000,
        "Content-Type: text/plain" + ';a*1="' * 20_000,
        "Cc: " + "(" * 1000 + "x@y.example",
        "Cc: " + "x@y.example," * 30_000,
    ],
    ids=["M3_subject", "M4_parameters", "M4_open_quotes", "M4_comments", "M4_recipients"],
)
def test_M3_M4_monstrous_headers_are_cut(field):
    """A header field of hundreds of kilobytes costs no time."""
    begun = time.perf_counter()
    assert read(field, Subject="").sender is not None
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("declared", "data", "text"),
    [
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode("cp1252"), "Grüße"),
        ("iso-8859-1", "20 €".encode("cp1252"), "20 €"),
        ("iso-8859-1", "Grüße".encode(), "Grüße"),
        ("gb2312", "故障镕".encode("gb18030"), "故障镕"),
        ("shift_jis", "①故障".encode("cp932"), "①故障"),
        ("big5", "故障".encode("big5"), "故障"),
        ("ks_c_5601-1987", "고장 똠".encode("cp949"), "고장 똠"),
        ("koi8-r", "сломан".encode("koi8-r"), "сломан"),
        ("iso-2022-jp", "故障".encode("iso2022_jp"), "故障"),
        ("us-ascii", "故障".encode("iso2022_jp"), "故障"),
        ("x-nobody-knows", "Grüße".encode(), "Grüße"),
        ("utf-7", b"Gr+APwA3w-e", "Grüße"),
        ("unicode_escape", b"a\\u0041", "a\\u0041"),
        ("idna", b"xn--a", "xn--a"),
        ("zlib", b"plain", "plain"),
        ("a\\0b", b"plain", "plain"),
        ("utf-8", b"nul\x00 here\xff", "nul hereÿ"),
    ],
)
def test_M5_charsets_are_read_as_they_are_meant(declared, data, text):
    """A wrong, unknown or dangerous charset costs no letter more than it must."""
    assert read(f'Content-Type: text/plain; charset="{declared}"', body=data).text == text


def test_M5_a_character_split_over_two_encoded_words_is_whole():
    """Encoded words that cut a character in two are put together again."""
    assert read(Subject="=?utf-8?q?=E6=95?= =?utf-8?q?=85=E9=9A=9C?=").subject == "故障"
    assert read(Subject="=?utf-8?b?w6Q?= broken").subject == "ä broken"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("multipart/encrypted; protocol=x; boundary=b", "encrypted"),
        ("application/pkcs7-mime; smime-type=enveloped-data", "S/MIME"),
        ("message/external-body; access-type=URL; URL=x", "elsewhere"),
        ("message/partial; id=x; number=1", "elsewhere"),
    ],
)
def test_M7_sealed_and_absent_content_goes_to_a_person(kind, reason):
    """What is encrypted or stands elsewhere is neither guessed nor fetched."""
    with pytest.raises(UnreadableError, match=reason):
        read(f"Content-Type: {kind}", body="--b\n\nx\n--b--")
    with pytest.raises(UnreadableError, match="encrypted"):
        read(body="-----BEGIN PGP MESSAGE-----\n\nabc")


def test_M8_odd_emails_are_read():
    """Missing, doubled, raw and impossible header fields are lived with."""
    assert read(Message_ID="").message_id is None
    assert read(Message_ID="<broken id").message_id == "brokenid"
    assert read("Subject: second").subject == "WADE board dead"
    assert read(From="").sender is None
    assert read(From="Jürgen <j@acme.example>").sender.name == "Jürgen"
    assert arrived(mail(From="J\udcfcrgen <j@acme.example>")).sender.name == "Jürgen"
    assert arrived(mail().replace(b"\r\n", b"\r")).text == "Board AH2F104432 is dead."
    assert read(Date="Thu, 01 Jan 1970 00:00:00 -0000").sent_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert read(Date="Fri, 31 Dec 9999 23:59:59 -1200").sent_at is None
    assert read(Date="yesterday").sent_at is None


def test_R1_R2_big_emails_are_read_in_bounded_time():
    """Fifty megabytes in one line or of empty lines do not hold the queue up."""
    begun = time.perf_counter()
    assert len(read(body=b"a" * 50_000_000).text) == MAX_CHARACTERS
    assert read(body=b"\n" * 50_000_000).text == ""
    assert time.perf_counter() - begun < 4


def test_an_attached_mail_is_an_attachment():
    """An email inside an email is handed on whole, named after its subject."""
    message = read(
        "Content-Type: multipart/mixed; boundary=b",
        body="--b\n\nsee attached\n--b\nContent-Type: message/rfc822\n\nSubject: gate 14\n\ninner text\n--b--\n",
    )
    assert message.text == "see attached"
    assert [(each.name, each.media_type) for each in message.attachments] == [("gate 14.eml", "message/rfc822")]
    assert b"inner text" in message.attachments[0].content


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_unreadable(noise):
    """No bytes whatever stop the queue."""
    for raw in (noise, mail()[:-10] + noise, b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + noise + b"\n--b--"):
        with contextlib.suppress(UnreadableError):
            arrived(raw)


_FIELDS = ("From", "Reply-To", "Subject", "Date", "Message-ID", "References", "Content-Type", "Content-Disposition", "Return-Path")
_SYNTAX = st.text(alphabet="<>@,;:\"\\()=?*'/ \t\x00ab1üé\u202e.-_+%&", max_size=60)


@given(st.lists(st.tuples(st.sampled_from(_FIELDS), _SYNTAX), max_size=6), _SYNTAX)
@settings(max_examples=150, deadline=None)
def test_any_header_is_read_or_unreadable(fields, body):
    """No header whatever stops the queue, and what is read of it is one clean line."""
    raw = "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n" + body.encode()
    try:
        message = arrived(raw)
    except UnreadableError:
        return
    shown = [message.subject, message.message_id or "", *(each.name for each in message.attachments)]
    assert all(text.isprintable() for text in shown)


def test_parts_are_cut_at_their_own_boundary_only():
    """A boundary that merely begins like another one cuts nothing."""
    root = mime.parse_parts(
        b"Content-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--abc\ntwo\n--ab \n\nthree\n--ab--\nepilogue"
    )
    assert [child.body for child in root.children] == [b"one\n--abc\ntwo", b"three"]
