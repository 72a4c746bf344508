"""Run the scenario: advance the clock, send the scripted emails, and let mailbot process them."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mailbot.demo.environment import DemoEnvironment
from mailbot.demo.mail_writer import recipient, write
from mailbot.demo.personas import FirstMail, Persona, Personas, ReplyToMail
from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Message
from mailbot.policy.dates import at_hour


class PlannedMail(NamedTuple):
    """An email that a person will send, sorted by time. ``after`` is the email from mailbot that caused it."""

    at: datetime
    order: int
    person: Persona
    writing: FirstMail | ReplyToMail
    after: TrafficEntry | None = None


class ScenarioMoment(NamedTuple):
    """One point in time (UTC), and the emails that went through the server then, in both directions."""

    at: datetime
    emails: list[TrafficEntry]


class Scenario:
    """One run of the demo. Customers and staff reply to the emails that they really received."""

    def __init__(self, personas: Personas, environment: DemoEnvironment) -> None:
        self._environment = environment
        self._order = count()
        self._planned: list[PlannedMail] = []
        self._pending_replies = {person.address: list(person.reply) for person in personas.people}
        self._received: dict[str, list[Message]] = {person.address: [] for person in personas.people}
        self._people = personas.people
        self._seen = 0
        zones = {address: policy.timezone for address, policy in environment.policies.items()}
        self._zones = {person.address: zones[environment.mailbox(person.writes_to)] for person in personas.people}
        self._ends = at_hour(personas.first_day + timedelta(days=personas.days), 0, next(iter(zones.values())))
        for person in personas.people:
            for first in person.email:
                self._plan(personas.sent_at(first, self._zones[person.address]), person, first)

    def _plan(self, at: datetime, person: Persona, writing: FirstMail | ReplyToMail, after: TrafficEntry | None = None) -> None:
        heapq.heappush(self._planned, PlannedMail(at, next(self._order), person, writing, after))

    async def moments(self) -> AsyncIterator[ScenarioMoment]:
        """Run the scenario; yield every point in time at which emails were received or sent."""
        environment = self._environment
        while (at := self._next()) is not None:
            environment.clock.at = max(at, environment.clock.now())
            while self._planned and self._planned[0].at <= at:
                await self._deliver(heapq.heappop(self._planned))
            await environment.work()
            new = environment.traffic(environment.store, after=self._seen)
            self._seen += len(new)
            for email in new:
                self._plan_replies(email)
            if new:
                yield ScenarioMoment(at, new)

    def _next(self) -> datetime | None:
        """Return the time of the next planned email or deadline, in UTC; None at the end of the demo."""
        due = self._environment.store.next_due()
        times = [*(planned.at for planned in self._planned[:1]), *([due] if due else [])]
        at = min(times, default=self._ends)
        return at if at < self._ends else None

    async def _deliver(self, planned: PlannedMail) -> None:
        person, writing, mailbox = planned.person, planned.writing, self._environment.mailbox(planned.person.writes_to)
        received_by = writing.received_by if isinstance(writing, ReplyToMail) else ""
        received = self._received[received_by or person.address] if planned.after else []
        answered = None if received_by else planned.after
        at = planned.at.astimezone(ZoneInfo(self._zones[person.address]))
        raw = write(writing, person, mailbox, at, received, answered)
        sender = "" if writing.like == "bounce" else person.address  # RFC 3464 §2: a report has the null reverse-path
        await self._environment.deliver(raw, sender, recipient(writing, mailbox, answered))

    def _plan_replies(self, email: TrafficEntry) -> None:
        """For everyone who waits for this email from mailbot, plan the first matching reply."""
        if not email.outgoing or email.other not in self._received:
            return
        self._received[email.other].append(email.message)
        text = " ".join(f"{email.message.subject} {email.message.text}".lower().split())
        for person in self._people:
            for reply in self._pending_replies[person.address]:
                waits_for_it = (reply.received_by or person.address) == email.other
                if waits_for_it and all(words.lower() in text for words in reply.contains):
                    self._pending_replies[person.address].remove(reply)
                    self._plan(email.at + timedelta(hours=reply.hours), person, reply, email)
                    break
