"""The shipped templates, and letters with facts that are hard to lay out."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from mailbot.reply.email_content import Bill, ChargeLine, ClauseSentence, CommandLine, EmailContent, QuoteBlock, UnitBlock
from mailbot.reply.render import EmailTemplates
from mailbot.reply.samples import SAMPLES

TEMPLATES = Path(__file__).parents[2] / "templates"

HOSTILE = '{{7*7}} {% raw %} <script>alert(1)</script> "quoted" & \x1b[31mred\r\nBcc: x@evil.example \u202egnp.exe'
LINK = "https://www.sample.example/support/returns/policy?version=2031&section=" + "a" * 60
CHINESE = "开机后屏幕没有任何显示，电源指示灯正常，已经更换过内存和电源线，问题仍然存在。请尽快告知返修流程，谢谢！" * 3


def shipped() -> EmailTemplates:
    """The templates that the product ships with."""
    return EmailTemplates.of(sources())


def sources() -> dict[str, str]:
    """Path and source of every shipped template."""
    files = (path for path in TEMPLATES.rglob("*") if path.is_file())
    return {path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8") for path in files}


def sample(kind: str, about: str = "") -> EmailContent:
    """The first sample letter of that kind."""
    return next(letter for letter in SAMPLES if letter.kind == kind and letter.about == about)


def hard_letters() -> tuple[EmailContent, ...]:
    """Five units of every outcome, endless names and words, Chinese, web addresses, and what an attacker would send."""
    said = ClauseSentence("X-10", f"The policy stands at {LINK}")
    units = (
        UnitBlock("AB1C234567890123456789012345678901234567", "issue", (said,), "M" * 60, CHINESE),
        UnitBlock("SAMPLE-2", "quote", (said,), "Model " * 10, "W" * 300),
        UnitBlock("SAMPLE-3", "ask", (said,), "CAR-5056 with a very long description of what it is made for", HOSTILE, ("reason",)),
        UnitBlock("SAMPLE-4", "staff", (said, said), reason="a " * 400),
        UnitBlock("SAMPLE-5", "decline", (said,), reason="it is https://www.sample.example/" + "x" * 200),
    )
    quote = QuoteBlock(
        "Q-2031-0000123456", (ChargeLine("Service and diagnosis, " * 8, "USD 1,234,567.00"),), "USD 1,234,567.00", "9 May 2031"
    )
    answer = replace(
        sample("answer"), greeting=HOSTILE, subject=HOSTILE, units=units, asks=("reason",), quote=quote, informs=(said,) * 8
    )
    facts = (("a fact with a rather long name", "y" * 200), ("who", HOSTILE), ("what", CHINESE))
    notice = replace(
        sample("notice", "second"), units=units, facts=facts, quoted=f"{HOSTILE}\n> {'z' * 300}\n" * 50, sender="s" * 120
    )
    here = tuple(replace(unit, state="received") for unit in units)
    progress = replace(
        sample("progress", "shipped"),
        greeting=HOSTILE,
        units=here,
        carrier="C" * 80,
        tracking="1Z9" * 80,
        bill=Bill(quote.lines * 2, quote.total),
        quote=quote,
        ship_to=("A" * 200, CHINESE),
        informs=(said,) * 3,
    )
    lines = (CommandLine(HOSTILE, "quote", "refused", "flaw"), CommandLine("Q" * 300, "approve", "done", serials=("S" * 80,)))
    transcript = replace(
        sample("transcript", "unclear"), units=here, command_results=lines, sender="s" * 120, quote=quote, quoted="w" * 400
    )
    return answer, notice, progress, transcript
