"""A returns desk in memory: the pipeline with one company's policy, a list of units, and a clock set by the test."""

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
from support.recorded_classes import CLASSES

from mailbot.intake.entities.serials import serial_key
from mailbot.intake.reading import read_message
from mailbot.model import Unit
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.model import Case, Reply, Snapshot, Step
    from mailbot.policy.policy import Policy

structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
KIM = "kim@acme.example"
PORTWELL, SERVERTECH = "american-portwell", "server-technology"
COMPANIES = (PORTWELL, SERVERTECH)


@cache
def library() -> Resources:
    """The packaged rules, word lists and templates, loaded once."""
    return Resources.at()


@cache
def policy(company: str) -> Policy:
    """A packaged policy with its demo desk."""
    return library().policy(company)


def unit(serial: str, family: str, delivered_on: date = date(2026, 3, 1), model: str = "WADE-8013", **more: object) -> Unit:
    """A unit that Acme bought."""
    fields = {"customer": "Acme Robotics", "customer_domain": "acme.example"} | more
    return Unit(serial, model, family, delivered_on, **fields)  # type: ignore[arg-type]


class Listed:
    """A registry of given units."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units = {serial_key(each.serial): each for each in units}

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        return {code: self.units[code] for code in codes if code in self.units}


class Desk:
    """One mailbox. Random values are the same for every desk, so the same emails always give the same replies."""

    def __init__(self, company: str | Policy = PORTWELL, units: Iterable[Unit] = (), at: datetime = NOW) -> None:
        self.policy = policy(company) if isinstance(company, str) else company
        self.clock, self.store = Clock(at), open_store()
        self.context = pipeline.MailboxContext(self.policy, Listed(units), self.store, self.clock, self._random, classifier=CLASSES)
        self.steps: list[Step] = []
        self.drawn: Counter[datetime] = Counter()

    def _random(self) -> str:
        now = self.clock.now()
        self.drawn[now] += 1
        return hashlib.sha256(f"{now} {self.drawn[now]}".encode()).hexdigest()[:32]

    def take(self, raw: bytes) -> Step:
        """Process an incoming email."""
        [processed] = pipeline.process_batch(
            [pipeline.incoming_mail(self.policy.desk.address, raw, self.clock.now())], self.context
        )
        assert processed.step is not None
        self.steps.append(processed.step)
        return processed.step

    def write(self, body: str, sender: str = KIM, **more: str) -> Step:
        """Process an incoming email with this text."""
        return self.take(letter(body, sender, to=self.policy.desk.address, **more))

    def later(self, **time: float) -> list[Step]:
        """Advance the clock, then process the deadlines once."""
        self.clock.at = self.clock.now() + timedelta(**time)
        steps = pipeline.process_due({self.policy.desk.address: self.context}, self.store, self.clock)
        self.steps += steps
        return steps

    @property
    def case(self) -> Case:
        """The only case."""
        [found] = self.store.cases()
        return found

    @property
    def known(self) -> Snapshot:
        """The snapshot for an email that names no unit."""
        return pipeline.look_up(
            read_message(pipeline.incoming_mail("x@x.example", letter("x"), NOW), self.policy.desk), None, self.context
        )


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
    """Return an email; ``answers`` is the Message-ID that it replies to; in the names of headers, _ means -."""
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
    """Parse an email from mailbot."""
    found = email.message_from_string(reply.raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(reply: Reply, kind: str) -> str:
    """Return the text or the HTML of an email from mailbot."""
    found = parsed(reply).get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def words(reply: Reply) -> str:
    """Return subject and text of an email from mailbot, with white space folded."""
    return " ".join(f"{parsed(reply)['Subject']} {part(reply, 'plain')}".split())


def to_customer(step: Step) -> Reply:
    """Return the only email to the customer in a step."""
    [found] = [reply for reply in step.replies if reply.audience == "customer"]
    return found
