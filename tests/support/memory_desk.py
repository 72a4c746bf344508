"""A returns desk in memory: one company's policy, a list of units, a clock that is set, and the one path."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING

import structlog

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Unit
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.model import Case, Reply, Step
    from mailbot.policy.policy import Policy

structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
KIM = "kim@acme.example"
PORTWELL, SERVERTECH = "american-portwell", "server-technology"
COMPANIES = (PORTWELL, SERVERTECH)


@cache
def library() -> Resources:
    """The shipped rules, words and letters, read once."""
    return Resources.at()


@cache
def policy(company: str) -> Policy:
    """A shipped policy at its demo desk."""
    return library().policy(company)


def unit(
    serial: str, family: str, delivered_on: date = date(2026, 3, 1), model: str = "WADE-8013", **more: object
) -> Unit:
    """A unit of Acme's."""
    facts = {"customer": "Acme Robotics", "customer_domain": "acme.example"} | more
    return Unit(serial, model, family, delivered_on, **facts)  # type: ignore[arg-type]


class Listed:
    """A registry that is a list."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units = {serial_key(each.serial): each for each in units}

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        return {code: self.units[code] for code in codes if code in self.units}


class Desk:
    """One mailbox at work. Chance is the same for every desk: the same mails bring the same bytes."""

    def __init__(self, company: str | Policy = PORTWELL, units: Iterable[Unit] = (), at: datetime = NOW) -> None:
        self.policy = policy(company) if isinstance(company, str) else company
        self.clock, self.store = Clock(at), open_store()
        self.room = pipeline.MailboxContext(self.policy, Listed(units), self.store, self.clock, self._chance)
        self.steps: list[Step] = []
        self.drawn: Counter[datetime] = Counter()

    def _chance(self) -> str:
        now = self.clock.now()
        self.drawn[now] += 1
        return hashlib.sha256(f"{now} {self.drawn[now]}".encode()).hexdigest()[:32]

    def take(self, raw: bytes) -> Step:
        """Let a mail arrive."""
        [settled] = pipeline.process_batch(
            [pipeline.incoming_mail(self.policy.desk.address, raw, self.clock.now())], self.room
        )
        assert settled.step is not None
        self.steps.append(settled.step)
        return settled.step

    def write(self, body: str, sender: str = KIM, **more: str) -> Step:
        """Let a mail with these words arrive."""
        return self.take(letter(body, sender, to=self.policy.desk.address, **more))

    def later(self, **time: float) -> list[Step]:
        """Let time pass, then sweep once."""
        self.clock.at = self.clock.now() + timedelta(**time)
        steps = pipeline.process_due({self.policy.desk.address: self.room}, self.store, self.clock)
        self.steps += steps
        return steps

    @property
    def case(self) -> Case:
        """The one case there is."""
        [found] = self.store.cases()
        return found


def letter(
    body: str,
    sender: str = KIM,
    *,
    subject: str = "A board",
    to: str = "rma@portwell.example",
    html: str = "",
    answers: str = "",
    **headers: str,
) -> bytes:
    """Write a mail; ``answers`` is the Message-ID of the mail it replies to, headers have _ for -."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = subject
    digest = hashlib.sha256(repr((sender, subject, body, html, answers, headers)).encode()).hexdigest()[:16]
    mail["Message-ID"] = headers.pop("message_id", f"<{digest}@client.example>")
    if answers:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    if body or not html:
        mail.set_content(body)
    if html and body:
        mail.add_alternative(html, subtype="html")
    elif html:
        mail.set_content(html, subtype="html")
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def parsed(reply: Reply) -> EmailMessage:
    """A mail of ours as a mail program reads it."""
    found = email.message_from_string(reply.raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(reply: Reply, kind: str) -> str:
    """The text or the HTML of a mail of ours."""
    found = parsed(reply).get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def words(reply: Reply) -> str:
    """Subject and text of a mail of ours, white space folded."""
    return " ".join(f"{parsed(reply)['Subject']} {part(reply, 'plain')}".split())


def to_customer(step: Step) -> Reply:
    """The one mail to a customer that a step brought."""
    [found] = [reply for reply in step.replies if reply.audience == "customer"]
    return found
