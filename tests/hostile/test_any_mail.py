"""Any mail at all: understood or set aside, never an exception, and nothing that comes out is over its cap."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.growth import look_through

SAVED = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "data" / "mail").glob("*.eml"))]

_SAID = (
    "AH2F104432·ah2f 104432·ＡＨ２Ｆ１０４４３２·S/N·serial number·1234567·PO 4500123·RMA-2600017·rev. A1·no video·故障"
    "·was not dropped·kein Wasserschaden·無摔落·credit·please proceed·thanks·status?·\n·\n\n·\t· | ·; ·: ·. ·> ·>> ·-- \n"
    '·\n---\n·(·)·"·\u200b·\u202e·\x00·On Mon, 1 Jan 2026 at 10:00, Kim <kim@acme.example> wrote:\n'
    "·-----Original Message-----\n·From: a@b.example\n·Sent: x\n·To: y\n·Subject: z\n·<table><tr><td>·</td></tr>"
    "·<blockquote>·<!--·&nbsp;·🙂"
)
_WORDS = st.sampled_from(_SAID.split("·"))
TEXTS = st.lists(st.one_of(_WORDS, st.text(max_size=20)), max_size=60).map(" ".join)
SUBJECTS = st.lists(st.one_of(_WORDS, st.text(max_size=20)), max_size=8).map(" ".join)


@given(text=TEXTS, subject=SUBJECTS, kind=st.sampled_from(["plain", "html", "csv", "rfc822"]), answers=st.booleans())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_words_are_understood(text: str, subject: str, kind: str, *, answers: bool) -> None:
    """Whatever people and mail programs write in whatever order, a request comes of it, within bounds."""
    line = " ".join(subject.split())
    thread = "In-Reply-To: <1@portwell.example>\r\n" if answers else ""
    head = f"From: Kim <kim@acme.example>\r\nTo: rma@portwell.example\r\nSubject: {line}\r\n{thread}"
    kinds = {"csv": "text/csv; charset=utf-8; name=list.csv", "rfc822": "message/rfc822\r\n\r\nSubject: inner"}
    part = f"Content-Type: {kinds.get(kind, f'text/{kind}; charset=utf-8')}\r\n\r\n{text}"
    whole = f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n{part}\r\n--b--\r\n"
    raw = head + (whole if kind in kinds else part)
    assert look_through(raw.encode("utf-8", "replace")) is not None


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_damage_is_survived(data: st.DataObject) -> None:
    """A saved mail with a piece cut out, repeated or overwritten with noise is read, or set aside."""
    raw = data.draw(st.sampled_from(SAVED))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 300))
        piece = data.draw(st.one_of(st.just(b""), st.binary(max_size=40), st.just(raw[at : at + length] * 3)))
        raw = raw[:at] + piece + raw[at + length :]
    look_through(raw)


def test_there_are_saved_emails() -> None:
    """The saved emails that are damaged and read here are there."""
    assert len(SAVED) >= 16


@pytest.mark.parametrize("raw", SAVED)
def test_saved_emails_stay_under_their_caps(raw: bytes) -> None:
    """Ordinary emails come nowhere near a bound."""
    assert look_through(raw) is not None
