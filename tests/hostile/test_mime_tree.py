"""Mails that are no mails: too deep, too many parts, sealed, contradictory, broken."""

from __future__ import annotations

import random
import time
import unicodedata
from datetime import UTC, datetime

import pytest
from support.memory_desk import NOW, Desk, unit

HEAD = "From: Kim <kim@acme.example>\r\nTo: rma@portwell.example\r\nSubject: A board\r\nMessage-ID: <1@c.example>\r\n"
BODY = "Serial number AH2F104432 shows no video since Monday."


def desk() -> Desk:
    return Desk(units=[unit("AH2F104432", "ipc")])


def nested(depth: int) -> str:
    """A mail of multiparts in multiparts."""
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    return f"{HEAD}{opened}Content-Type: text/plain\r\n\r\n{BODY}\r\n"


SET_ASIDE = {
    "M1_nested_multiparts": nested(1000),
    "M1_nested_mails": HEAD + "Content-Type: message/rfc822\r\n\r\n" * 1000 + BODY,
    "M1_nested_in_alternation": HEAD
    + "".join(
        f"Content-Type: multipart/alternative; boundary=b{n}\r\n\r\n--b{n}\r\nContent-Type: message/rfc822\r\n\r\n"
        for n in range(300)
    ),
    "M2_many_parts": HEAD + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * 100_000,
    "M2_many_empty_parts": HEAD + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\n" * 500_000,
    "M2_header_without_end": HEAD + "X-Field: x\r\n" * 200_000,
    "M7_pgp_mime": HEAD + "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
    "M7_pgp_text": HEAD + "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n",
    "M7_smime": HEAD + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nabc\r\n",
    "M7_elsewhere": HEAD + "Content-Type: message/external-body; access-type=URL; URL=http://127.0.0.1:9/x\r\n\r\n\r\n",
    "M7_partial": HEAD + "Content-Type: message/partial; id=x; number=1; total=3\r\n\r\nx\r\n",
}


@pytest.mark.parametrize("case", SET_ASIDE)
def test_M1_M2_M7_a_person_gets_what_cannot_be_read(case: str) -> None:
    """A mail beyond the bounds, or whose content is not here, goes to Attention within a second, and staff are told why."""
    at, raw = desk(), SET_ASIDE[case].encode()
    begun = time.perf_counter()
    step = at.take(raw)
    assert time.perf_counter() - begun < 3
    assert step.record
    assert step.record.folder == "Attention"
    assert step.record.why
    assert step.replies
    assert {reply.audience for reply in step.replies} == {"staff"}
    assert at.write(BODY).after, "the next mail is worked on"


def test_M1_eight_levels_are_read() -> None:
    """What mail programs nest in earnest is read."""
    step = desk().take(nested(8).encode())
    assert step.after
    assert step.after.number


@pytest.mark.parametrize(
    "field",
    [
        "Subject: " + "=?utf-8?b?w6TDpMOk?= " * 21_000,
        "Subject: " + "=?utf-8?q?" * 45_000,
        "Subject: " + "=?" * 220_000,
        "Content-Type: text/plain" + "; a=b" * 20_000,
        "Content-Type: text/plain" + ';a*1="' * 20_000,
        "Content-Type: text/plain; name*0*=utf-8''x" + "".join(f"; name*{n}=y" for n in range(20_000)),
        "Cc: " + "(" * 1000 + "x@y.example",
        "Cc: " + "(" * 400_000,
        "Cc: " + "x@y.example," * 30_000,
        "Cc: " + "<" * 400_000,
        "Cc: " + '"' * 400_000,
        "Cc: " + "a:" * 200_000 + ";" * 1000,
        "References: " + "<a@b.example> " * 40_000,
        "References: " + "<" * 400_000,
        "Date: " + "1 " * 200_000,
        "Date: " + "(" * 400_000,
        "Authentication-Results: " + "mx.portwell.example; " + "dkim=pass (" * 40_000,
        "Received: " + "by (" * 100_000,
        "Return-Path: " + "<" * 400_000,
        "Auto-Submitted: no" + "(" * 400_000,
        "X-Loop: " + "a " * 200_000,
        "\r\n".join(f"X-{n}: x" for n in range(60_000)),
        "X-Folded: a" + "\r\n b" * 150_000,
    ],
    ids=lambda field: f"{field[:13]}{field[-5:]}".replace("\r\n", ""),
)
def test_M3_M4_a_monstrous_header_costs_no_time(field: str) -> None:
    """A header field of half a megabyte, whatever it is made of, costs less than a second."""
    at = desk()
    begun = time.perf_counter()
    step = at.take(f"{HEAD}{field}\r\n\r\n{BODY}\r\n".encode())
    assert time.perf_counter() - begun < 3
    assert step.record
    assert len(step.record.subject) <= 500


CHARSETS = (
    *("x-unknown", "idna", "utf-7", "unicode_escape", "raw_unicode_escape", "punycode", "rot13", "zlib", "bz2", "hex", "base64"),
    *("gb2312", "utf-16", "utf-32", "undefined", "mbcs", "a\0b", "../x", "x" * 5000, "", "utf-8-sig", "iso-2022-kr", "hz"),
    *("big5", "shift_jis", "euc-kr", "koi8-r", "windows-1256", "iso-8859-8-i", "cp037", "string_escape", "oem", "quopri", "uu"),
)


@pytest.mark.parametrize("charset", CHARSETS)
def test_M5_any_charset_is_survived(charset: str) -> None:
    """Whatever charset a mail claims, in body, subject, name and file name, it is read as well as can be."""
    noise = random.Random(charset).randbytes(400).replace(b"\n", b" ").replace(b"\r", b" ")
    field = f"=?{charset}?q?Ger=E4t_AH2F104432?="
    head = (
        f"From: {field} <kim@acme.example>\r\nTo: rma@portwell.example\r\nSubject: {field}\r\n"
        f'Content-Type: text/plain; charset="{charset}"; name="{field}"\r\n\r\n'
    )
    step = desk().take(head.encode("latin-1") + b"Serial number AH2F104432 shows no video.\r\n" + noise)
    assert step.record
    assert step.record.folder == "Done"
    assert not {unicodedata.category(char) for char in step.record.subject} & {"Cc", "Cs", "Zl", "Zp"}


def test_M6_where_text_and_html_disagree_the_text_decides() -> None:
    """What only the HTML part says is not the request."""
    mixed = (
        HEAD + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        f"{BODY}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Please also repair AH2F104440, it was dropped.</p>\r\n--b--\r\n"
    )
    step = Desk(units=[unit("AH2F104432", "ipc"), unit("AH2F104440", "ipc")]).take(mixed.encode())
    assert step.after
    assert [item.serial for item in step.after.units] == ["AH2F104432"]
    assert step.after.units[0].exclusions == ()


ODD = {
    "no_message_id": HEAD.replace("Message-ID: <1@c.example>\r\n", ""),
    "broken_message_id": HEAD.replace("<1@c.example>", "<<1@@c.example"),
    "two_subjects": HEAD + "Subject: Another\r\n",
    "two_message_ids": HEAD + "Message-ID: <2@c.example>\r\n",
    "date_1970": HEAD + "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
    "date_2099": HEAD + "Date: Thu, 31 Dec 2099 00:00:00 +0000\r\n",
    "date_nonsense": HEAD + "Date: Fri, 99 Xyz 99999 77:88:99 +9999999\r\n",
    "field_without_colon": HEAD + "Nonsense\r\n: nothing\r\n \r\n",
    "name_in_8_bit": HEAD.replace("Kim", "J\udcfcrgen"),
    "no_mime_version": HEAD + "Content-Type: text/plain\r\n",
    "no_boundary": HEAD + "Content-Type: multipart/mixed\r\n",
    "boundary_never_seen": HEAD + "Content-Type: multipart/mixed; boundary=never\r\n",
    "unknown_encoding": HEAD + "Content-Transfer-Encoding: x-rot13\r\n",
}


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("case", ODD)
def test_M8_an_odd_mail_is_answered(case: str, ends: str) -> None:
    """A mail that breaks the rules in one place is understood in all others; our own arrival time counts."""
    raw = f"{ODD[case]}\r\n{BODY}\r\n".replace("\r\n", ends).encode("utf-8", "surrogateescape")
    at = desk()
    step = at.take(raw)
    assert step.after, case
    assert step.after.number
    assert step.after.opened_at == NOW
    assert step.after.number.issued_on == datetime(2026, 11, 20, tzinfo=UTC).date()


def test_M8_without_a_sender_nobody_is_answered() -> None:
    """A mail that names no sender goes to a person."""
    step = desk().take(f"{HEAD}\r\n{BODY}".replace("From: Kim <kim@acme.example>\r\n", "").encode())
    assert step.record
    assert step.record.folder == "Attention"
    assert {reply.audience for reply in step.replies} == {"staff"}
