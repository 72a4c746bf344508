"""A rehearsal: a conversation played through the one path, in this process, with a clock of its own.

Nothing here has a way of its own: mails go through ``take_in``, deadlines through ``sweep``, replies through ``send``.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mailbot.case.deadlines import final_date
from mailbot.case.delivery import Delivered, DeliveryResult
from mailbot.intake.attachments.extraction import AttachmentContents, contents
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Attachment, Case, Quote, Reply, Unit, Value
from mailbot.model import Step as Result
from mailbot.policy.policy import Policy
from mailbot.rehearsal.conversation_file import Conversation, ConversationStep, ExpectedCase
from mailbot.rehearsal.expectations import MailExpectation, SentMail, compare
from mailbot.rehearsal.incoming_mail import arriving, bare, server_of
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.resources import Resources
from mailbot.runtime.sending import Sender
from mailbot.runtime.store import open_store
from mailbot.strict_toml import ConfigError


class ExpectationFailure(Exception):  # noqa: N818 - a slip in the conversation, not an error of ours
    """A step that cannot be played: it names what does not exist (yet)."""


class RehearsalResult(Value, frozen=True):
    """One step as it was played: what followed, the mails sent, and the case touched last, as it stood then."""

    count: int
    step: ConversationStep
    sent: tuple[SentMail, ...] = ()
    case: Case | None = None
    results: tuple[Result, ...] = ()


class Failure(Value, frozen=True):
    """Where a conversation went another way: the step, what happened, and what else is otherwise in it."""

    step: int
    what: str
    detail: tuple[str, ...] = ()


class ConversationPlayer(Value, frozen=True):
    """A conversation as it was played, up to its end or its first failure."""

    steps: tuple[RehearsalResult, ...]
    failure: Failure | None = None


def policy_of(conversation: Conversation, library: Resources) -> Policy:
    """Load the policy that a conversation is played under.

    Raises:
        ConfigError: there is no such policy, or what the conversation lays over its rules does not fit.
    """
    mailbox = conversation.mailbox or library.policy(conversation.policy).desk.address
    try:
        return library.policy(
            conversation.policy,
            mailbox=mailbox,
            staff=conversation.people,
            trusted_authserv_id=server_of(mailbox),
            overlay=conversation.rules,
        )
    except ConfigError as error:
        if not conversation.rules:
            raise
        what = re.sub(r"^.*?\.toml(:\d+)?: ", "", str(error))
        raise ConfigError(f"rules, laid over {conversation.policy}: {what}") from None


def play(
    conversation: Conversation,
    policy: Policy,
    beside: Path,
    open_attachments: Callable[[Sequence[Attachment]], AttachmentContents] = contents,
) -> ConversationPlayer:
    """Play a conversation until its end or its first failure.

    Args:
        conversation: the file, loaded.
        policy: what it is played under (see ``policy_of``).
        beside: the folder of the file, for ``raw``.
        open_attachments: reads what is attached (see ``path.Room``).
    """
    return asyncio.run(_RehearsalDesk(conversation, policy, beside, open_attachments).play())


class _ListedUnits:
    """The registry of a conversation."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {serial_key(unit.serial): unit for unit in units}

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units that these folded strings name."""
        return {code: self._units[code] for code in codes if code in self._units}


class _AcceptingServer:
    """An outbox whose server takes every mail."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> DeliveryResult:  # noqa: ARG002 - see path.Sends
        """Take the mail."""
        return Delivered("250 taken")


class _RehearsalDesk:
    """The little world that a conversation is played in."""

    def __init__(
        self,
        conversation: Conversation,
        policy: Policy,
        beside: Path,
        open_attachments: Callable[[Sequence[Attachment]], AttachmentContents],
    ) -> None:
        self.conversation, self.beside, self.mailbox = conversation, beside, policy.desk.address
        self.clock, self.store = Clock(), open_store()
        registry = _ListedUnits(conversation.registry)
        self.room = pipeline.MailboxContext(policy, registry, self.store, self.clock, self._chance, open_attachments)
        self.rooms = {self.mailbox: self.room}
        self.sender = Sender(self.rooms, {self.mailbox: _AcceptingServer()}, self.store, self.clock)
        self.sent: list[Reply] = []  # every mail so far
        self.numbers: list[str] = []  # every RMA number so far, in the order of their giving
        self.quotes: list[Quote] = []
        self.touched: str | None = None
        self.results: list[Result] = []  # what followed in this step
        self.chances = 0

    def _chance(self) -> str:
        """Return 128 bits that look like chance and are the same in every rehearsal."""
        self.chances += 1
        return hashlib.sha256(f"{self.conversation.title} {self.chances}".encode()).hexdigest()[:32]

    async def play(self) -> ConversationPlayer:
        """Play step by step."""
        played: list[RehearsalResult] = []
        for count, step in enumerate(self.conversation.step, 1):
            before, self.results = len(self.sent), []
            try:
                await self._happen(step, count)
            except ExpectationFailure as slip:
                return ConversationPlayer(tuple(played), Failure(count, str(slip)))
            except Exception as error:  # noqa: BLE001 - a conversation that breaks something must not hide the others
                what = f"{type(error).__name__}: {error}"
                return ConversationPlayer(
                    tuple(played), Failure(count, what, tuple(traceback.format_exc().splitlines()))
                )
            mails = tuple(SentMail.of(reply) for reply in self.sent[before:])
            case = self.store.case(self.touched) if self.touched else None
            played.append(RehearsalResult(count, step, mails, case, tuple(self.results)))
            wrong = self._wrong(step, mails, case)
            if wrong:
                return ConversationPlayer(tuple(played), Failure(count, wrong[0], tuple(wrong[1:])))
        return ConversationPlayer(tuple(played))

    # ------------------------------------------------------------ what happens

    async def _happen(self, step: ConversationStep, count: int) -> None:
        """Let come what falls due until the step, each at its time; then let the step come."""
        while not step.down and (due := self.store.next_due()) and due <= step.at:
            await self._sweep(due)
            if self.store.next_due() == due:
                raise ExpectationFailure(f"the deadline of {due.isoformat()} does not go away")
        self.clock.at = step.at.astimezone(UTC)
        if step.down:
            await self._sweep(step.at)
        elif not step.wait:
            raw = self._raw(step, count)
            for settled in pipeline.process_batch([pipeline.incoming_mail(self.mailbox, raw, step.at)], self.room):
                self._note(settled.step)
            await self._send()

    async def _sweep(self, at: datetime) -> None:
        self.clock.at = at.astimezone(UTC)
        for result in pipeline.process_due(self.rooms, self.store, self.clock):
            self._note(result)
        await self._send()

    async def _send(self) -> None:
        replies = await self.sender.send()
        self.sent += [reply for reply in replies if reply.state == "sent"]

    def _note(self, result: Result | None) -> None:
        """Remember what followed, the case that was touched, and the numbers and quotes that are new."""
        if result:
            self.results.append(result)
        case = result.after if result else None
        if case is None:
            return
        self.touched = case.id
        if case.number and case.number.text not in self.numbers:
            self.numbers.append(case.number.text)
        known = {quote.number for quote in self.quotes}
        self.quotes += [quote for quote in case.quotes if quote.number not in known]

    def _raw(self, step: ConversationStep, count: int) -> bytes:
        whose = (
            step.bounce.of if step.bounce else step.from_ if step.reply_to_last is True else step.reply_to_last or ""
        )
        last = (
            next((reply for reply in reversed(self.sent) if reply.to.lower() == bare(whose)), None) if whose else None
        )
        if whose and last is None:
            raise ExpectationFailure(f"no mail has been sent to {bare(whose)} that this could be about")
        try:
            return arriving(step, count, self.mailbox, last, self._fill, self.beside)
        except OSError as error:
            raise ExpectationFailure(f"raw: {error.filename}: {error.strerror}") from None

    # ------------------------------------------------------------ what is compared

    def _fill(self, text: str) -> str:
        """Put the conversation's own numbers and amounts in the place of {rma1}, {quote1}, {amount1} and so on."""
        return _PLACE.sub(lambda found: self._known(found[1], int(found[2])), text)

    def _known(self, kind: str, count: int) -> str:
        values = {
            "rma": self.numbers,
            "quote": [quote.number for quote in self.quotes],
            "amount": [f"{quote.total:.2f}" for quote in self.quotes],
        }[kind]
        if count > len(values):
            raise ExpectationFailure(f"{{{kind}{count}}}: the conversation has {len(values)} so far")
        return values[count - 1]

    def _wrong(self, step: ConversationStep, mails: tuple[SentMail, ...], case: Case | None) -> list[str]:
        try:
            return [*self._compared(step, mails), *self._stands(step.case, case)]
        except ExpectationFailure as slip:
            return [str(slip)]

    def _compared(self, step: ConversationStep, mails: tuple[SentMail, ...]) -> list[str]:
        if step.quiet:
            return compare((), mails, ())
        if step.sent is None:
            return []
        return compare(
            [MailExpectation.of(expected, self._fill) for expected in step.sent], mails, self.conversation.ignore
        )

    def _stands(self, now: ExpectedCase | None, case: Case | None) -> Iterator[str]:
        """Say in what the case stands otherwise than it should."""
        if now is None:
            return
        if case is None:
            yield "no case has been touched yet"
            return
        number, end = case.number.text if case.number else "", final_date(case)
        if now.state is not None and case.state != now.state:
            yield f"the case is {case.state}, not {now.state}"
        if now.number is not None and number != self._fill(now.number):
            yield f"the case has {number or 'no number'}, not {self._fill(now.number) or 'none'}"
        if now.deadline is not None and end != now.deadline:
            yield f"the case's deadline is {end or 'none'}, not {now.deadline}"


_PLACE = re.compile(r"\{(rma|quote|amount)([1-9]\d{0,3})\}")
