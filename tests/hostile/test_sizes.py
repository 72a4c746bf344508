"""Large emails and long rows of the same: the work grows with size, no faster, and up to a bound."""

from __future__ import annotations

import math
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from support import regexes
from support.growth import KNOWN, NOW, desk
from support.memory_desk import Desk, letter, unit
from support.patterns import MARKUP, PATTERNS, REPEATED, mail

from mailbot.intake.reading import read_message
from mailbot.intake.understand import understand
from mailbot.mail import body, reply_text
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


# ------------------------------------------------------------------ growth

STEPS = 4
"""Each text is measured at a size and at four times that size. Work that grows with the square takes sixteen times as long."""

MOST = 8
"""What four times the size may cost at most. It is between four, for work that grows as the text does, and sixteen."""

FLOOR, SIZE = 0.0015, 2_500
"""Processor seconds below which nothing is compared, and the characters of the smaller text.

A quadratic search of so many characters takes longer than that; what is faster is not a danger at any size that is read.
"""

HANGS = 1
"""Seconds of processor time after which a search is given up as one that does not end."""

RUN_TIME = {
    "mailbot/case/matching.py",
    "mailbot/intake/commands/arguments.py",
    "mailbot/intake/message_content.py",
    "mailbot/intake/entities/references.py",
    "mailbot/intake/entities/rejected.py",
    "mailbot/intake/entities/serial_reader.py",
    "mailbot/intake/entities/serials.py",
    "mailbot/intake/entities/shipments.py",
    "mailbot/intake/statements/case_updates.py",
    "mailbot/intake/statements/phrases.py",
    "mailbot/policy/registry_checks.py",
    "mailbot/policy/rule_checks.py",
    "mailbot/reply/customer_emails.py",
    "mailbot/reply/staff_emails.py",
}
"""Modules with expressions that are made when the program runs, from settings, rules or word lists.

They are measured by the tests of whole emails below, and not one by one.
"""

EXPRESSIONS, LATER = regexes.expressions()


class Hangs(Exception):  # noqa: N818 - a measurement, not an error
    """A search did not end in time."""


def cost(work: Callable[[Any], object], text: Any, runs: int = 1) -> float:
    """The processor time of a piece of work, the least of several runs; infinite if it does not end."""

    def stop(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS * runs)
    least = math.inf
    try:
        for _ in range(runs):
            begun = time.thread_time()
            work(text)
            least = min(least, time.thread_time() - begun)
    except Hangs:
        return math.inf
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return least


def grows_too_fast(work: Callable[[Any], object], build: Callable[[int], Any]) -> str:
    """Say how the cost of a piece of work grows, if it grows much faster than the text; else an empty string."""
    if cost(work, build(SIZE)) < FLOOR:
        return ""
    small = cost(work, build(SIZE), 3)
    if math.isinf(small):
        return "does not end"
    large = cost(work, build(STEPS * SIZE), 3)
    return f"{STEPS} times the text takes {large / small:.0f} times as long" if large > MOST * small else ""


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda one: one.where)
def test_R4_no_pattern_is_super_linear(expression: regexes.Expression) -> None:
    """A search of a text of four times the length takes about four times as long, however hostile the text is."""
    texts = list(regexes.hard(expression.pattern))
    binary = isinstance(expression.pattern.pattern, bytes)
    for piece in (*REPEATED, *MARKUP):
        whole = piece.encode() if binary else piece
        texts.append((repr(piece)[:40], lambda size, whole=whole: whole * (size // len(whole))))
    assert len(texts) >= len(REPEATED)
    for use, work in expression.uses():
        for text, build in texts:
            assert not (told := grows_too_fast(work, build)), f"{expression.where}, {use} in {text}: {told}"


def test_R4_every_pattern_of_the_package_is_measured() -> None:
    """No expression is left out unseen: they are counted, and those made when the program runs are listed."""
    assert len(EXPRESSIONS) > 250
    assert {each.partition(":")[0] for each in LATER} == RUN_TIME


@pytest.mark.parametrize("evil", [r"(?:a+)+$", r"\s+$", r"a\w*z", r"(\w+\s?)*:", r"x.*y.*z"])
def test_R4_a_super_linear_pattern_is_found(evil: str) -> None:
    """The measurement reports patterns that are known to be slow."""
    pattern = re.compile(evil)
    uses = regexes.Expression(pattern, "here", {"search"}).uses()
    assert any(grows_too_fast(work, build) for _, work in uses for _, build in regexes.hard(pattern))


def forget() -> None:
    """Forget what is remembered of single texts; compiled patterns stay."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mailbot."):
            for memo in vars(module).values():
                if hasattr(memo, "cache_parameters") and memo.cache_parameters()["maxsize"]:
                    memo.cache_clear()


def whole(raw: bytes) -> None:
    """Read and understand an email as if it were the first."""
    forget()
    understand(read_message(Mail(desk().address, raw, NOW), desk()), None, KNOWN, desk())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_R4_reading_an_email_grows_no_faster_than_the_mail(pattern: str) -> None:
    """However much a sender repeats himself, an email of four times the size takes about four times as long at most."""
    whole(mail(pattern, 2_000))
    small, large = (cost(whole, mail(pattern, size), 2) for size in (20_000, STEPS * 20_000))
    assert large < MOST * max(small, 0.03)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_R4_what_separates_new_text_from_quoted_text_grows_no_faster(pattern: str) -> None:
    """Finding the new text of an email takes about as much longer as the email is longer."""
    work = _visible
    small, large = (cost(work, PATTERNS[pattern][1](size).decode(), 2) for size in (50_000, STEPS * 50_000))
    assert large < MOST * max(small, 0.01)


def _visible(text: str) -> object:
    forget()
    return reply_text.split(text)


def test_R4_what_is_read_of_a_text_ends_with_a_line() -> None:
    """A text that is too long for a letter is cut between two lines; what is above is read as ever."""
    lines = "Serial AH2F104432 has no video.\n" + "Some more of what happened here.\n" * 40_000
    message = read_message(Mail(desk().address, letter(lines), NOW), desk())
    assert len(message.text) <= body.MAX_CHARACTERS
    assert message.text.endswith("happened here.")
    assert [item.serial for item in understand(message, None, KNOWN, desk()).units] == ["AH2F104432"]
