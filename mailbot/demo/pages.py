"""Write the output files: every email as .eml and as HTML, the cases as JSON, and index.html with the conversations.

The pages need no server, no scripts and no external resources. Untrusted text is escaped. Untrusted HTML is shown in a
sandboxed frame that can neither run scripts nor load anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailbot.demo.narration import word
from mailbot.demo.outcomes import OutcomeSeen, outcomes, summaries
from mailbot.demo.traffic import TrafficEntry
from mailbot.mail.charsets import decode
from mailbot.model import Case
from mailbot.policy.policy import Policy

_BODY = re.compile(r"\A(?>.*?<body\b[^<>]*+>)(.*)</body>", re.DOTALL | re.IGNORECASE)
_NO_RESOURCES = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def write_pages(
    out: Path, emails: Sequence[TrafficEntry], cases: Sequence[Case], seen: Sequence[OutcomeSeen], policies: Mapping[str, Policy]
) -> None:
    """Write emails/, cases/ and index.html into the output folder.

    Raises:
        OSError: a file cannot be written.
    """
    for name in ("emails", "cases"):
        (out / name).mkdir(exist_ok=True)
    pages = _templates(policies)
    for email in emails:
        (out / "emails" / f"{email.name}.eml").write_bytes(email.raw)
        page = pages.get_template("mail.html.jinja").render(email=email, own_html=own_html(email), frame=frame(email))
        (out / "emails" / f"{email.name}.html").write_text(page, encoding="utf-8")
    for case in cases:
        (out / "cases" / f"{case.id}.json").write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=2) + b"\n")
    page = pages.get_template("index.html.jinja").render(
        conversations=conversations(emails, cases), seen=seen, emails=emails, cases=cases, outcomes=outcomes(emails)
    )
    (out / "index.html").write_text(page, encoding="utf-8")


def conversations(emails: Sequence[TrafficEntry], cases: Sequence[Case]) -> list[dict[str, object]]:
    """Return the cases in the given order, each with its emails, then the emails that belong to no case."""
    found: dict[str | None, list[TrafficEntry]] = {case.id: [] for case in cases}
    for email in emails:
        found.setdefault(email.case.id if email.case else None, []).append(email)
    return [{"case": case, "emails": found[case.id if case else None]} for case in (*cases, *([None] if None in found else []))]


def own_html(email: TrafficEntry) -> str:
    """Return the HTML body of an outgoing email. It can be inserted as it is: the templates have escaped untrusted text."""
    found = _BODY.search(email.html) if email.outgoing else None
    return found[1] if found else ""


def frame(email: TrafficEntry) -> str:
    """Return the HTML of an incoming email, for a sandboxed frame."""
    return "" if email.outgoing or not email.html else _NO_RESOURCES + email.html


def _templates(policies: Mapping[str, Policy]) -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def local(at: datetime, mailbox: str) -> str:
        return f"{at.astimezone(ZoneInfo(policies[mailbox].timezone)):%a %d %b %Y, %H:%M}"

    def clause(name: str, mailbox: str) -> str:
        clauses = policies[mailbox].rules.clauses
        return clauses[name].text if name in clauses else ""

    def excerpt(email: TrafficEntry) -> str:
        return (email.message.text if email.outgoing else email.message.visible or email.message.text).strip()

    pages.filters.update(
        local=local,
        clause=clause,
        company=lambda mailbox: policies[mailbox].rules.policy.company,
        decided=summaries,
        excerpt=excerpt,
        as_text=lambda content: decode(content).strip(),
        word=word,
    )
    return pages
