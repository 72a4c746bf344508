"""Large mails and long rows of the same: time grows with size and no faster (R2, R4)."""

from __future__ import annotations

import time

import pytest
from caps import KNOWN, NOW, desk
from desk import Desk, letter, unit

from mailbot.intake.read import read
from mailbot.intake.understand import understand
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


PLAIN = (
    *(
        "S/N ",
        "S/N 1234567 ",
        ">",
        "On x wrote:\n",
        "On x wrote: ",
        "From: a@b.c\n",
        "-- \n",
        "| a | b |\n",
        "serial\tfault\n",
    ),
    *("AH2F104432 ", "AH2F104432\n", "C123-C125 ", "was not dropped, ", "故障。", "(", ". ", "http://a@", "\u200b"),
)
HTML = ("<", "<div>", "<table><tr><td>", "&amp;", "<td>AH2F104432", "<p style='", "<br>")


@pytest.mark.parametrize(("kind", "piece"), [*(("plain", each) for each in PLAIN), *(("html", each) for each in HTML)])
def test_R4_a_megabyte_of_one_pattern_is_read_in_linear_time(kind: str, piece: str) -> None:
    """Four times as much of one pattern takes about four times as long, in reading and in understanding, and never a second."""
    small, large = (_stages(piece, kind, size) for size in (250_000, 1_000_000))
    for stage in ("read", "understand"):
        assert large[stage] < 3, stage  # a bound for a busy machine; what is asserted above is that it grows linearly
        assert large[stage] < max(10 * small[stage], 0.1), stage


def _stages(piece: str, kind: str, size: int) -> dict[str, float]:
    """Seconds of processor that each stage takes."""
    head = f"From: a@acme.example\r\nTo: rma@portwell.example\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n"
    mail = Mail(desk().address, head.encode() + (piece * (size // len(piece.encode()))).encode(), NOW)
    begun = time.process_time()
    message = read(mail, desk())
    between = time.process_time()
    understand(message, None, KNOWN, desk())
    return {"read": between - begun, "understand": time.process_time() - between}
