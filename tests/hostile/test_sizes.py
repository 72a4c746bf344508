"""Large mails and long rows of the same: the work grows with size, no faster, and up to a bound (R2, R4)."""

from __future__ import annotations

import sys
import time

import pytest
from support.growth import KNOWN, NOW, desk
from support.memory_desk import Desk, letter, unit
from support.patterns import PATTERNS, mail

from mailbot.intake.reading import read_message
from mailbot.intake.understand import understand
from mailbot.mail import body
from mailbot.model import Mail

BODY = "Serial number AH2F104432 shows no video since Monday."

HUGE = {
    "one_line": b"a" * 50_000_000,
    "newlines": b"\r\n" * 25_000_000,
    "blanks": b" " * 50_000_000,
    "quotes": b"> " * 25_000_000,
    "boundaries": b"--b\n" * 400_000 + b"-" * 48_000_000,
    "no_letter": bytes(50_000_000),
}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        *((case, "text/plain") for case in HUGE),
        *(("one_line", "text/html"), ("newlines", "text/html"), ("quotes", "text/html")),
        *(("newlines", "multipart/mixed; boundary=b"), ("boundaries", "multipart/mixed; boundary=b")),
    ],
)
def test_R2_fifty_megabytes_do_not_hold_up_the_next_mail(case: str, kind: str) -> None:
    """Fifty megabytes of one sign are over, and the next mail answered, within ten seconds."""
    at = Desk(units=[unit("AH2F104432", "ipc")])
    head = f"From: kim@acme.example\r\nTo: rma@portwell.example\r\nSubject: big\r\nContent-Type: {kind}\r\n\r\n"
    begun = time.perf_counter()
    at.take(head.encode() + HUGE[case])
    step = at.take(letter(BODY))
    assert time.perf_counter() - begun < 10
    assert step.after
    assert step.after.number


CALLS = 1_500_000
"""Calls of functions, Python's and C's, that a mail may take; the seconds stand in `make bench`."""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_R4_a_megabyte_of_one_pattern_is_looked_at_up_to_a_bound(pattern: str) -> None:
    """However much a sender repeats himself, what is looked at grows no faster than the mail, and ends at a bound."""
    small, large = (_calls(mail(pattern, size)) for size in (50_000, 1_000_000))
    assert large < CALLS
    assert large < 10 * max(small, 10_000)  # twenty times as much


def _calls(raw: bytes) -> int:
    """How many functions are called to read and understand a mail."""
    count = 0

    def counted(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        message = read_message(Mail(desk().address, raw, NOW), desk())
        understand(message, None, KNOWN, desk())
    finally:
        sys.setprofile(before)
    return count


def test_R4_what_is_read_of_a_text_ends_with_a_line() -> None:
    """A text that is too long for a letter is cut between two lines; what stands above is read as ever."""
    lines = "Serial AH2F104432 has no video.\n" + "Some more of what happened here.\n" * 40_000
    message = read_message(Mail(desk().address, letter(lines), NOW), desk())
    assert len(message.text) <= body.MOST
    assert message.text.endswith("happened here.")
    assert [item.serial for item in understand(message, None, KNOWN, desk()).units] == ["AH2F104432"]
