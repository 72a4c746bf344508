"""The play: moments follow one another, customers write and react to what they really received, mailbot works."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from mailbot.demo.environment import DemoEnvironment
from mailbot.demo.mail_writer import addressed, write
from mailbot.demo.personas import FirstMail, Persona, Personas, ReplyToMail
from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Message
from mailbot.policy.dates import at_hour


class PlannedMail(NamedTuple):
    """A mail that somebody is going to write, and the mail of ours that gave cause to it; earlier ones come first."""

    at: datetime
    turn: int
    person: Persona
    writing: FirstMail | ReplyToMail
    after: Message | None = None


class ScenarioMoment(NamedTuple):
    """What happened at once: when, and the mails that went through the server, in and out."""

    at: datetime
    post: list[TrafficEntry]


class Scenario:
    """One performance of a cast on a stage."""

    def __init__(self, cast: Personas, stage: DemoEnvironment) -> None:
        self._stage = stage
        self._turns = count()
        self._agenda: list[PlannedMail] = []
        self._unspent = {person.address: list(person.reacts) for person in cast.people}
        self._received: dict[str, list[Message]] = {person.address: [] for person in cast.people}
        self._people = cast.people
        self._seen = 0
        zones = {address: policy.timezone for address, policy in stage.policies.items()}
        self._zones = {person.address: zones[stage.mailbox(person.writes_to)] for person in cast.people}
        self.ends = at_hour(cast.last_day, 0, next(iter(zones.values())))
        for person in cast.people:
            for opening in person.mail:
                self._plan(cast.moment(opening, self._zones[person.address]), person, opening)

    def _plan(
        self, at: datetime, person: Persona, writing: FirstMail | ReplyToMail, after: Message | None = None
    ) -> None:
        heapq.heappush(self._agenda, PlannedMail(at, next(self._turns), person, writing, after))

    async def moments(self) -> AsyncIterator[ScenarioMoment]:
        """Play, and yield every moment at which mail went in or out."""
        stage = self._stage
        while (at := self._next()) is not None:
            stage.clock.at = max(at, stage.clock.now())
            while self._agenda and self._agenda[0].at <= at:
                await self._deliver(heapq.heappop(self._agenda))
            await stage.work()
            fresh = stage.post_of(stage.store, after=self._seen)
            self._seen += len(fresh)
            for post in fresh:
                self._react(post)
            if fresh:
                yield ScenarioMoment(at, fresh)

    def _next(self) -> datetime | None:
        """Return when something happens next: a mail on the agenda, or a due date; None when the curtain falls."""
        due = self._stage.store.next_due()
        moments = [*(cue.at for cue in self._agenda[:1]), *([due] if due else [])]
        at = min(moments, default=self.ends)
        return at if at < self.ends else None

    async def _deliver(self, cue: PlannedMail) -> None:
        person, writing, mailbox = cue.person, cue.writing, self._stage.mailbox(cue.person.writes_to)
        about = writing.about if isinstance(writing, ReplyToMail) else ""
        received = self._received[about or person.address] if cue.after else []
        answered = None if about else cue.after
        raw = write(writing, person, mailbox, cue.at, self._zones[person.address], received, answered)
        sender = "" if writing.like == "bounce" else person.address  # RFC 3464 §2: a report has the null path
        await self._stage.post(raw, sender, addressed(writing, mailbox, answered))

    def _react(self, post: TrafficEntry) -> None:
        """Let whoever a mail of ours concerns find the first reaction that it gives cause to."""
        if not post.ours or post.other not in self._received:
            return
        self._received[post.other].append(post.message)
        text = " ".join(f"{post.message.subject} {post.message.text}".lower().split())
        for person in self._people:
            for reaction in self._unspent[person.address]:
                concerned = (reaction.about or person.address) == post.other
                if concerned and all(words.lower() in text for words in reaction.hears):
                    self._unspent[person.address].remove(reaction)
                    self._plan(post.at + timedelta(hours=reaction.hours), person, reaction, post.message)
                    break
