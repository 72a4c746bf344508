"""Run conversations through the pipeline in this process, with a simulated clock.

The same code as in the daemon is used: ``pipeline.process_batch`` for emails, ``pipeline.process_due`` for deadlines, and
``Sender.send`` for replies.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
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
from mailbot.rehearsal.expectations import SentMail, compare, filled
from mailbot.rehearsal.incoming_mail import arriving, bare, server_of
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.resources import Resources
from mailbot.runtime.sending import Sender
from mailbot.runtime.store import open_store
from mailbot.strict_toml import ConfigError


class ExpectationFailure(Exception):  # noqa: N818 - an error in the conversation, not in mailbot
    """A step cannot be run: it refers to something that does not exist (yet)."""


class RehearsalResult(Value, frozen=True):
    """The result of one step: the emails sent, the case changed last, and the results of the pipeline."""

    count: int
    step: ConversationStep
    sent: tuple[SentMail, ...] = ()
    case: Case | None = None
    results: tuple[Result, ...] = ()


class Failure(Value, frozen=True):
    """The first step that differs from what is expected: its number, the first difference, and the other ones."""

    step: int
    what: str
    detail: tuple[str, ...] = ()


class ConversationRun(Value, frozen=True):
    """The results of a conversation, up to its end or its first failure."""

    steps: tuple[RehearsalResult, ...]
    failure: Failure | None = None


def policy_of(conversation: Conversation, resources: Resources) -> Policy:
    """Load the policy of a conversation.

    Raises:
        ConfigError: the policy does not exist, or the ``rules`` of the conversation do not fit it.
    """
    mailbox = conversation.mailbox or resources.policy(conversation.policy).desk.address
    try:
        return resources.policy(
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
        raise ConfigError(f"rules, overriding {conversation.policy}: {what}") from None


def play(
    conversation: Conversation,
    policy: Policy,
    beside: Path,
    open_attachments: Callable[[Sequence[Attachment]], AttachmentContents] = contents,
    classifier: pipeline.SentenceClassifier | None = None,
) -> ConversationRun:
    """Run a conversation with its policy until its end or its first failure. ``beside``: the folder of its file, for ``raw``."""
    return asyncio.run(_RehearsalDesk(conversation, policy, beside, open_attachments, classifier).play())


def random_values(seed: str, first: int = 1) -> Iterator[str]:
    """Yield 128-bit hexadecimal values that look random but are the same in every run: the digests of the seed with a number."""
    return (hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:32] for number in itertools.count(first))


class _ListedUnits:
    """The registry of a conversation."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {serial_key(unit.serial): unit for unit in units}

    def look_up(self, codes: Iterable[str]) -> dict[str, Unit]:
        """Return the units that these folded strings name."""
        return {code: self._units[code] for code in codes if code in self._units}


class _AcceptingServer:
    """An outbox whose server accepts every email."""

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> DeliveryResult:  # noqa: ARG002 - the interface of Outbox
        """Accept the email."""
        return Delivered("250 accepted")


class _RehearsalDesk:
    """A desk in memory for one conversation: store, clock, registry and sender."""

    def __init__(
        self,
        conversation: Conversation,
        policy: Policy,
        beside: Path,
        open_attachments: Callable[[Sequence[Attachment]], AttachmentContents],
        classifier: pipeline.SentenceClassifier | None,
    ) -> None:
        self.conversation, self.beside, self.mailbox = conversation, beside, policy.desk.address
        self.clock, self.store = Clock(), open_store()
        registry = _ListedUnits(conversation.registry)
        self.context = pipeline.MailboxContext(
            policy, registry, self.store, self.clock, random_values(conversation.title).__next__, open_attachments, classifier
        )
        self.contexts = {self.mailbox: self.context}
        self.sender = Sender(self.contexts, {self.mailbox: _AcceptingServer()}, self.store, self.clock)
        self.sent: list[Reply] = []  # every email so far
        self.numbers: list[str] = []  # every RMA number so far, in the order of issue
        self.quotes: list[Quote] = []
        self.touched: str | None = None
        self.results: list[Result] = []  # the results of the current step

    async def play(self) -> ConversationRun:
        """Run step by step."""
        played: list[RehearsalResult] = []
        for count, step in enumerate(self.conversation.step, 1):
            before, self.results = len(self.sent), []
            try:
                await self._run(step, count)
                emails = tuple(SentMail.of(reply) for reply in self.sent[before:])
                case = self.store.case(self.touched) if self.touched else None
                played.append(RehearsalResult(count, step, emails, case, tuple(self.results)))
                wrong = [*self._mail_differences(step, emails), *self._case_differences(step.case, case)]
            except ExpectationFailure as failure:
                wrong = [str(failure)]
            except Exception as error:  # noqa: BLE001 - an error in one conversation must not stop the others
                wrong = [f"{type(error).__name__}: {error}", *traceback.format_exc().splitlines()]
            if wrong:
                return ConversationRun(tuple(played), Failure(count, wrong[0], tuple(wrong[1:])))
        return ConversationRun(tuple(played))

    # ------------------------------------------------------------ run a step

    async def _run(self, step: ConversationStep, count: int) -> None:
        """Process the deadlines before the step, each at its time, then the step itself."""
        while not step.down and (due := self.store.next_due()) and due <= step.at:
            await self._process_due(due)
            if self.store.next_due() == due:
                raise ExpectationFailure(f"the deadline at {due.isoformat()} is still due after it was processed")
        self.clock.at = step.at.astimezone(UTC)
        if step.down:
            await self._process_due(step.at)
        elif not step.wait:
            raw = self._raw(step, count)
            for processed in pipeline.process_batch([pipeline.incoming_mail(self.mailbox, raw, step.at)], self.context):
                self._note(processed.step)
            await self._send()

    async def _process_due(self, at: datetime) -> None:
        self.clock.at = at.astimezone(UTC)
        for result in pipeline.process_due(self.contexts, self.store, self.clock):
            self._note(result)
        await self._send()

    async def _send(self) -> None:
        replies = await self.sender.send()
        self.sent += [reply for reply in replies if reply.state == "sent"]

    def _note(self, result: Result | None) -> None:
        """Keep a result, the case that it changed, and new RMA numbers and quotes."""
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
        """Return the email of a step.

        Raises:
            ExpectationFailure: the email to answer was not sent, or the file of ``raw`` cannot be read.
        """
        recipient = step.bounce.of if step.bounce else step.from_ if step.reply_to_last is True else step.reply_to_last or ""
        last = next((reply.raw for reply in reversed(self.sent) if reply.to.lower() == bare(recipient)), "") if recipient else ""
        if recipient and not last:
            raise ExpectationFailure(f"no email was sent to {bare(recipient)} before this step")
        try:
            return arriving(step, count, self.mailbox, last, self._fill, self.beside)
        except OSError as error:
            raise ExpectationFailure(f"raw: {error.filename}: {error.strerror}") from None

    # ------------------------------------------------------------ compare

    def _fill(self, text: str) -> str:
        """Replace {rma1}, {quote1}, {amount1} and so on with the conversation's numbers and amounts.

        Raises:
            ExpectationFailure: there is no such number or amount yet.
        """
        values = {
            "rma": self.numbers,
            "quote": [quote.number for quote in self.quotes],
            "amount": [f"{quote.total:.2f}" for quote in self.quotes],
        }

        def value(found: re.Match[str]) -> str:
            known = values[found[1]]
            if int(found[2]) > len(known):
                raise ExpectationFailure(f"{found[0]}: there are only {len(known)} so far")
            return known[int(found[2]) - 1]

        return _PLACEHOLDER.sub(value, text)

    def _mail_differences(self, step: ConversationStep, emails: tuple[SentMail, ...]) -> list[str]:
        if step.quiet:
            return compare((), emails, ())
        if step.sent is None:
            return []
        return compare([filled(expected, self._fill) for expected in step.sent], emails, self.conversation.ignore)

    def _case_differences(self, expected: ExpectedCase | None, case: Case | None) -> Iterator[str]:
        """Yield how the case differs from what is expected."""
        if expected is None:
            return
        if case is None:
            yield "no case has been changed yet"
            return
        number, end = case.number.text if case.number else "", final_date(case)
        if expected.state is not None and case.state != expected.state:
            yield f"the case is {case.state}, not {expected.state}"
        if expected.number is not None and number != self._fill(expected.number):
            yield f"the case has {number or 'no number'}, not {self._fill(expected.number) or 'none'}"
        if expected.deadline is not None and end != expected.deadline:
            yield f"the case's deadline is {end or 'none'}, not {expected.deadline}"


_PLACEHOLDER = re.compile(r"\{(rma|quote|amount)([1-9]\d{0,3})\}")
