"""A rehearsal: a conversation played through the one path, in this process, with a clock of its own.

Nothing here knows a way of its own: mails go through ``take_in``, deadlines through ``sweep``, replies through ``send``.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from mailbot.case.delivery import Delivered, Sent
from mailbot.case.deadlines import outer
from mailbot.intake.serials import fold
from mailbot.model import Case, Quote, Reply, Unit, Value
from mailbot.model import Step as Result
from mailbot.policy.policy import Policy
from mailbot.shell import path
from mailbot.shell.clock import Clock
from mailbot.shell.conversation import CaseNow, Conversation, Step
from mailbot.shell.expectation import Opened, Order, compare, told
from mailbot.shell.incoming import arriving, bare, server_of
from mailbot.shell.library import Library
from mailbot.shell.memory import MemoryStore


class Slip(Exception):  # noqa: N818 - a slip in the conversation itself, not an error of ours
    """A step that cannot be played: it names what does not exist (yet)."""


class Played(Value, frozen=True):
    """One step as it was played: the mails sent, and the case it touched, as it stands after."""

    count: int
    step: Step
    sent: tuple[Opened, ...] = ()
    case: Case | None = None


class Failure(Value, frozen=True):
    """Where a conversation went another way: the step (0: the file itself), what happened, and more lines about it."""

    step: int
    what: str
    detail: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line."""
        return f"step {self.step}: {self.what}" if self.step else self.what


class Play(Value, frozen=True):
    """A conversation as it was played, up to its end or its first failure."""

    steps: tuple[Played, ...]
    failure: Failure | None = None


def policy_of(conversation: Conversation, library: Library) -> Policy:
    """Load the policy that a conversation is played under.

    Raises:
        ConfigError: there is no such policy, or what the conversation lays over its rules does not fit.
    """

    def load(mailbox: str | None, server: str | None) -> Policy:
        return library.policy(
            conversation.policy,
            mailbox=mailbox,
            staff=conversation.people,
            trusted_authserv_id=server,
            overlay=conversation.rules,
        )

    mailbox = conversation.mailbox or load(None, None).desk.address
    return load(mailbox, server_of(mailbox))


def play(conversation: Conversation, policy: Policy, beside: Path) -> Play:
    """Play a conversation until its end or its first failure.

    Args:
        conversation: the file, loaded.
        policy: what it is played under (see ``policy_of``).
        beside: the folder of the file, for ``raw``.
    """
    return asyncio.run(_Stage(conversation, policy, beside).play())


class _Listed:
    """The registry of a conversation."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {fold(unit.serial): unit for unit in units}

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units that these folded strings name."""
        return {code: self._units[code] for code in codes if code in self._units}


class _Willing:
    """An outbox whose server takes every mail."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> Sent:  # noqa: ARG002
        """Take the mail."""
        return Delivered("250 taken")


class _Stage:
    """The little world that a conversation is played in."""

    def __init__(self, conversation: Conversation, policy: Policy, beside: Path) -> None:
        self.conversation, self.policy, self.beside = conversation, policy, beside
        self.mailbox = policy.desk.address
        self.clock, self.store = Clock(), MemoryStore()
        room = path.Room(policy, _Listed(conversation.registry), self.store, self.clock, self._chance)
        self.room, self.rooms = room, {self.mailbox: room}
        self.outboxes: dict[str, path.Sends] = {self.mailbox: _Willing()}
        self.letters: list[Reply] = []  # every mail sent so far
        self.numbers: list[str] = []  # every RMA number and quote so far, in the order of their giving
        self.quotes: list[Quote] = []
        self.touched: str | None = None
        self._chances = 0

    def _chance(self) -> str:
        """Return 128 bits that look like chance and are the same in every rehearsal."""
        self._chances += 1
        return hashlib.sha256(f"{self.conversation.title} {self._chances}".encode()).hexdigest()[:32]

    async def play(self) -> Play:
        played: list[Played] = []
        for count, step in enumerate(self.conversation.step, 1):
            try:
                sent = [letter async for letter in self._happen(step, count)]
                case = self.store.case(self.touched) if self.touched else None
                played.append(Played(count, step, tuple(sent), case))
                wrong = [*self._compared(step, sent), *self._stands(step.case, case)]
            except Slip as slip:
                return Play(tuple(played), Failure(count, str(slip)))
            if wrong:
                detail = [*wrong[1:], *(line for letter in sent for line in told(letter))]
                return Play(tuple(played), Failure(count, wrong[0], tuple(detail)))
        return Play(tuple(played))

    # ------------------------------------------------------------ what happens

    async def _happen(self, step: Step, count: int) -> AsyncIterator[Opened]:
        """Let fall due what falls due until the step, then bring its mail."""
        while not step.down and (due := self.store.next_due()) and due <= step.at:
            async for letter in self._sweep(due):
                yield letter
            if self.store.next_due() == due:
                raise Slip(f"the deadline of {due.isoformat()} does not go away")
        self.clock.at = step.at
        if step.down:
            async for letter in self._sweep(step.at):
                yield letter
        elif not step.wait:
            for letter in await self._receive(step, count):
                yield letter
