"""What is left to look at: every mail as .eml and as a page, the cases as JSON, and index.html with the conversations.

The pages need no server, no script and nothing from outside. What strangers wrote is escaped; HTML of theirs is shown in
a frame that may neither run nor fetch anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailbot.demo.narration import WORDS
from mailbot.demo.outcomes import OutcomeSeen, outcomes
from mailbot.demo.summary import DecisionSummary, summaries
from mailbot.demo.traffic import TrafficEntry
from mailbot.mail.charsets import decode
from mailbot.model import Case, Value
from mailbot.policy.policy import Policy

_BODY = re.compile(r"\A(?>.*?<body\b[^<>]*+>)(.*)</body>", re.DOTALL | re.IGNORECASE)
_QUIET = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


class ConversationPage(Value, frozen=True):
    """A case with its mails in order; ``case`` is None for mails that belong to none."""

    case: Case | None
    posts: tuple[TrafficEntry, ...]


def lay_out(
    out: Path,
    posts: Sequence[TrafficEntry],
    cases: Sequence[Case],
    seen: Sequence[OutcomeSeen],
    policies: Mapping[str, Policy],
) -> None:
    """Write mails/, cases/ and index.html into the demo's folder.

    Raises:
        OSError: the disk would not take it.
    """
    for name in ("mails", "cases"):
        (out / name).mkdir(exist_ok=True)
    pages = _templates(policies)
    for post in posts:
        (out / "mails" / f"{post.name}.eml").write_bytes(post.raw)
        page = pages.get_template("mail.html.jinja").render(post=post, letter=letter(post), frame=frame(post))
        (out / "mails" / f"{post.name}.html").write_text(page, encoding="utf-8")
    for case in cases:
        (out / "cases" / f"{case.id}.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(case), indent=2) + b"\n"
        )
    page = pages.get_template("index.html.jinja").render(
        conversations=tuple(conversations(posts, cases)), seen=seen, posts=posts, cases=cases, outcomes=outcomes(posts)
    )
    (out / "index.html").write_text(page, encoding="utf-8")


def conversations(posts: Sequence[TrafficEntry], cases: Sequence[Case]) -> Iterator[ConversationPage]:
    """Yield the cases in the order in which they were opened, then the mails that belong to none."""
    for case in cases:
        yield ConversationPage(case, tuple(post for post in posts if post.case and post.case.id == case.id))
    loose = tuple(post for post in posts if post.case is None)
    if loose:
        yield ConversationPage(None, loose)


def letter(post: TrafficEntry) -> str:
    """Return the HTML of a mail of ours, to be shown as it is: our templates wrote it and have escaped what is not ours."""
    found = _BODY.search(post.html) if post.ours else None
    return found[1] if found else ""


def frame(post: TrafficEntry) -> str:
    """Return the HTML of somebody else's mail, to be shown in a frame of its own."""
    return "" if post.ours or not post.html else _QUIET + post.html


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

    def company(mailbox: str) -> str:
        return policies[mailbox].rules.policy.company

    def decided(post: TrafficEntry) -> tuple[DecisionSummary, ...]:
        return () if post.ours else summaries(post)

    def excerpt(post: TrafficEntry) -> str:
        return (post.message.text if post.ours else post.message.visible or post.message.text).strip()

    def as_text(content: bytes) -> str:
        return decode(content).strip()

    pages.filters.update(
        local=local, clause=clause, company=company, decided=decided, excerpt=excerpt, as_text=as_text, word=_word
    )
    return pages


def _word(outcome: str) -> str:
    return WORDS.get(outcome, outcome)
