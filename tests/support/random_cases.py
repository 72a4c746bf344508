"""Random lives of cases: a desk with its staff, customers and non-owners, and what must hold after every step of it.

The desk does what the daemon does: it calls ``process_batch``, ``process_due`` and ``Sender.send``. Every step is checked
when it is taken: ``Life.judge`` has the promises, one method each.
"""

from __future__ import annotations

import asyncio
import email
import os
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec
import structlog
from msgspec.structs import replace
from support.memory_desk import NOW, PORTWELL, SERVERTECH, Desk, library, unit
from support.replay import differences
from support.stores import content

from mailbot.case import delivery, interpret
from mailbot.case.deadlines import waits_for
from mailbot.case.lifecycle import FINAL_STATES, IN_REPAIR, NEXT_STATE, NUMBERED, state_of
from mailbot.core import handle
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Bounced, Case, CaseUnit, DeadlinesReached, Ignored, StaffMember, StaffMessage, UnitChanged
from mailbot.policy.dates import today
from mailbot.reply.render import EmailTemplates
from mailbot.runtime import pipeline, sending
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from mailbot.model import Deadline, HistoryEntry, Reply, Request, Snapshot, State, Step, Unit
    from mailbot.policy.context import Context
    from mailbot.policy.policy import Policy

WHOLE = int(os.environ.get("MAILBOT_LIVES", "0"))
"""Examples of a long run. It writes the HTML and the papers too, and reads every mail again."""

SEEN = "fuse-drawer-remark"
"""A word that staff write in notes alone."""

KIM, LEE, ZOE, JOE = "kim@acme.example", "lee@acme.example", "zoe@zenith.example", "joe@elsewhere.example"
CUSTOMERS = (KIM, LEE, ZOE, JOE)
DOMAIN = {PORTWELL: "portwell.example", SERVERTECH: "servertech.example"}
BOSS, CHIEF, DESK, SALES = "boss", "chief", "bench", "sales"
_BASE = {PORTWELL: ("AH2F1044", "ipc", "platform", "WADE-80"), SERVERTECH: ("STV7001-00003", "pdu", "accessory", "STV-45")}


def units(company: str) -> dict[str, Unit]:
    """The registry, by what is particular about each unit. Every one has a model of its own; two belong to others than Acme."""
    base, family, other, model = _BASE[company]
    zenith = {"customer": "Zenith Works", "customer_domain": "zenith.example"}
    yonder = {"customer": "Yonder Bank", "customer_domain": "yonder.example"}
    return {
        "new": unit(f"{base}32", family, date(2026, 3, 1), f"{model}13"),
        "old": unit(f"{base}40", family, date(2019, 1, 1), f"{model}14"),
        "fresh": unit(f"{base}48", family, date(2026, 11, 10), f"{model}15", purchased_on=date(2026, 11, 8)),
        "small": unit(f"{base}56", other, date(2025, 1, 1), f"{model}16"),
        "mended": unit(
            f"{base}64", family, date(2020, 1, 1), f"{model}17", repair_shipped_on=date(2026, 10, 20), repair_failure="no video"
        ),
        "odd": unit(f"{base}72", "spaceship", date(2026, 1, 1), f"{model}18"),
        "zenith": unit(f"{base}80", family, date(2026, 1, 1), f"{model}19", **zenith),
        "yonder": unit(f"{base}88", family, date(2018, 1, 1), f"{model}20", **yonder),
    }  # fmt: skip


class _TextAlone(EmailTemplates):
    """The templates without their HTML, which has the same facts."""

    __slots__ = ()

    def _write(self, scope: Any, name: str, facts: Any) -> str:
        return "" if name.endswith(".html") else super()._write(scope, name, facts)


@cache
def policy(company: str) -> Policy:
    """The shipped policy; two approvers of whom one may spend little, a bench, a salesperson, a server that vouches."""
    domain = DOMAIN[company]
    staff = (
        StaffMember(f"{BOSS}@{domain}", ("approver", "desk"), Decimal(500)),
        StaffMember(f"{CHIEF}@{domain}", ("approver",), Decimal(5000)),
        StaffMember(f"{DESK}@{domain}", ("desk",)),
        StaffMember(f"{SALES}@{domain}", ("sales",), Decimal(100)),
    )
    found = library().policy(company, staff=staff, trusted_authserv_id=f"mx.{domain}")
    if WHOLE:
        return found
    templates = found.templates
    assert isinstance(templates, EmailTemplates)
    return replace(found, templates=_TextAlone(templates.sources, templates.scopes), document_texts={})


def mail(
    sender: str,
    to: str,
    subject: str,
    body: str,
    *,
    ident: str,
    answers: str = "",
    auth: str = "pass",
    cc: str = "",
    files: Sequence[tuple[str, str]] = (),
    fields: Sequence[str] = (),
    server: str,
) -> bytes:
    """Write an email as it arrives; ``auth`` is what our server says of the sender: pass, fail or none."""
    domain = sender.rpartition("@")[2]
    head = [
        *([f"Authentication-Results: {server}; dmarc={auth} header.from={domain}"] if auth != "none" else []),
        f"Received: from out.{domain} by {server} with ESMTPS; Fri, 20 Nov 2026 10:00:00 -0800",
        *fields,
        f"From: {sender}",
        f"To: {to}",
        *([f"Cc: {cc}"] if cc else []),
        f"Subject: {subject}",
        f"Message-ID: <{ident}@client.example>",
        *([f"In-Reply-To: <{answers}>", f"References: <{answers}>"] if answers else []),
        "MIME-Version: 1.0",
    ]
    if not files:
        return _crlf([*head, "Content-Type: text/plain; charset=utf-8", "", body])
    lines = [*head, 'Content-Type: multipart/mixed; boundary="=b"', "", "--=b", "Content-Type: text/plain", "", body]
    for name, text in files:
        lines += ["--=b", "Content-Type: text/plain", f'Content-Disposition: attachment; filename="{name}"', "", text]
    return _crlf([*lines, "--=b--"])


def report(about: Reply, server: str, ident: str, *, final: bool) -> bytes:
    """Write a delivery report (RFC 3464) about an email that we sent."""
    action, status = ("failed", "5.1.1") if final else ("delayed", "4.4.1")
    return _crlf(
        [
            "Return-Path: <>", f"From: Mail Delivery System <mailer-daemon@{server}>", f"To: {about.mailbox}",
            "Subject: Delivery Status Notification", f"Message-ID: <{ident}@{server}>", "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="=r"', "",
            "--=r", "Content-Type: text/plain", "", "Your mail could not be delivered. APPROVE", "",
            "--=r", "Content-Type: message/delivery-status", "", f"Reporting-MTA: dns; {server}", "",
            f"Final-Recipient: rfc822; {about.to}", f"Action: {action}", f"Status: {status}", "",
            "--=r", "Content-Type: message/rfc822", "", about.raw, "--=r--",
        ]
    )  # fmt: skip


def _crlf(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").replace("\r\n", "\n").replace("\n", "\r\n").encode()


class Life(Desk):
    """A desk at work, with the promises that its steps must keep."""

    def __init__(self, company: str, folder: Path | None = None) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        self.count, self.failed = 0, False
        super().__init__(policy(company), units(company).values(), NOW)
        self.folder, self.server = folder, f"mx.{DOMAIN[company]}"
        if folder:
            self._open(folder)
        self.rows = units(company)
        self.now: dict[str, Case] = {}
        self.taken: list[tuple[Step, datetime]] = []
        self.raws: list[bytes] = []
        self.sent: dict[str, Reply] = {}
        self.came: Counter[tuple[str, str]] = Counter()
        self.numbers: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.let_in: set[tuple[str, str]] = set()
        self.patches = ExitStack()
        for module in (pipeline, sending):
            self.patches.enter_context(patch.object(module, "handle", self._step))
        if not WHOLE:
            self.patches.enter_context(patch.object(interpret, "understand", _remembered))

    def _chance(self) -> str:
        self.count += 1
        return sha256(f"{self.count}".encode()).hexdigest()[:32]

    def _open(self, folder: Path) -> None:
        self.store = self.context.store = open_store(f"tinydb:{folder}")  # type: ignore[assignment]

    def _step(self, trigger: Any, case: Case | None, context: Context) -> Step:
        result = handle(trigger, case, context)
        self.taken.append((result, context.now))
        return result

    # ------------------------------------------------------------ what happens

    def arrives(self, raw: bytes) -> Step:
        """Let an email arrive that has never arrived before."""
        self.raws.append(raw)
        [settled] = pipeline.process_batch([pipeline.incoming_mail(self.policy.desk.address, raw, self.clock.now())], self.context)
        assert settled.step, "a new mail takes effect"
        record = settled.step.record
        assert record
        assert record.kind != "unreadable", f"set aside: {record.why}"
        self._judged()
        return settled.step

    def arrives_again(self, raw: bytes) -> None:
        """Let an email arrive once more: nothing follows (promise 2)."""
        count = len(self.taken)
        [settled] = pipeline.process_batch([pipeline.incoming_mail(self.policy.desk.address, raw, self.clock.now())], self.context)
        assert settled.step is None
        assert len(self.taken) == count
        self._kept()

    def passes(self, time: timedelta, *, down: bool) -> None:
        """Let time pass: what comes due happens at its time, or, after a pause, all at once."""
        end = self.clock.now() + time
        while not down and (due := self.store.next_due()) and due <= end:
            self.clock.at = max(due, self.clock.now())
            self._sweep()
        self.clock.at = end
        if down:
            self._sweep()

    def _sweep(self) -> None:
        pipeline.process_due({self.policy.desk.address: self.context}, self.store, self.clock)
        self._judged()
        due = self.store.next_due()
        assert due is None or due > self.clock.now(), "what was due has been worked on"

    def sends(self, results: Sequence[delivery.DeliveryResult]) -> None:
        """Let the outbox go round once; the transactions end like this, one after another and over again."""
        outbox, address = Outbox(results), self.policy.desk.address
        finished(sending.Sender({address: self.context}, {address: outbox}, self.store, self.clock).send())
        self._judged()
        for reply_id, raw in outbox.sent:
            assert self.sent[reply_id].raw == raw, "what is sent is what was frozen"

    def restarts(self) -> None:
        """Close the state and open it again: everything is as it was."""
        if self.folder:
            self.store.close()
            self._open(self.folder)
        self._kept()

    def ends(self) -> None:
        """Look at everything once more; take the desk down."""
        try:
            if not self.failed:
                self._kept()
                for case in self.store.cases():
                    assert differences(case) == [], "the stored history alone rebuilds a case"
        finally:
            self.patches.close()
            self.store.close()

    def _kept(self) -> None:
        """Look whether the store holds what the steps said, and every mail as it was frozen (promise 3)."""
        stored = {case.id: case for case in self.store.cases()}
        assert stored.keys() == self.now.keys()
        for case in stored.values():
            assert _bare(case) == _bare(self.now[case.id])
            for reply in case.replies:
                assert self.sent[reply.message_id].raw.encode() == content(self.store, reply.message_id)

    # ------------------------------------------------------------ what must hold

    def _judged(self) -> None:
        taken, self.taken, self.failed = self.taken, [], True
        for result, now in taken:
            self.judge(result, now)
        self.failed = False

    def judge(self, result: Step, now: datetime) -> None:
        """Judge one step by all promises."""
        after = result.after
        before = self.now.get(after.id) if after else None
        for ruling in result.decision.command_results if after and result.decision else ():
            if ruling.result == "done" and ruling.command.name in ("approve", "quote"):
                self.let_in |= {(after.id, serial_key(serial)) for serial in ruling.serials}  # type: ignore[union-attr]
        self._emails(result, before)
        if after is None or result.event is None or result.decision is None:
            return
        entry = after.history[-1]
        _sound(after)
        _travels(before, after, entry)
        self._numbered(before, after, now)
        self._due(before, after, entry, now)
        self._authority(before, after, entry)
        self._tokens(before, after, result)
        self.now[after.id] = after

    def _numbered(self, before: Case | None, after: Case, now: datetime) -> None:
        """A number is one case's; a running return never gets a second one (ST-4, AP-25, O1)."""
        if after.number:
            assert self.numbers.setdefault(after.number.text, after.id) == after.id
        if before and before.number and after.number and before.number.text != after.number.text:
            ended = before.number.valid_until < today(now, self.policy.timezone)
            fixed = (*IN_REPAIR, "in_transit", *(() if ended else ("authorized",)))
            kept = {serial_key(i.serial) for i in before.units if _goal(i) in fixed} & {
                serial_key(i.serial) for i in after.units if _goal(i) in NUMBERED
            }
            assert not kept, f"{kept} travel under {before.number.text} and got {after.number.text}"
        fresh = _running(after) - (_running(before) if before else set())
        for other in self.now.values():
            if other.id != after.id and after.number and "@" not in after.number.issued_by:
                twice = fresh & _running(other)
                assert not twice, f"{twice} run in {other.id} and in {after.id}"

    def _due(self, before: Case | None, after: Case, entry: HistoryEntry, now: datetime) -> None:
        """Each deadline comes once, what comes is gone, what is begun lies ahead, in its order."""
        at = [deadline.at for deadline in after.deadlines]
        assert at == sorted(at)
        if isinstance(entry.event, DeadlinesReached):
            assert before
            assert entry.event.keys
            for key in entry.event.keys:
                self.came[after.id, key] += 1
                assert self.came[after.id, key] == 1, f"{key} came twice"
            assert all(moment > now for moment in at)
            letters = [self.sent[one] for one in entry.sent if self.sent[one].audience == "customer"]
            assert len(letters) <= len({_kind(key) for key in entry.event.keys}), "one mail for each thing that is waited for"
            assert not (letters and before.state in FINAL_STATES), "nothing more is sent of what is over"
            assert not (letters and before.unreachable)
        else:
            earlier: set[Deadline] = set(before.deadlines) if before else set()
            begun = [deadline for deadline in after.deadlines if deadline not in earlier]
            assert all(deadline.at > now for deadline in begun), "a deadline begins in the future"

    def _authority(self, before: Case | None, after: Case, entry: HistoryEntry) -> None:
        """Nobody unproved changes anything; nobody spends more than the limit says (promise 5, A1, A12)."""
        event, decision = entry.event, entry.decision
        if not isinstance(event, StaffMessage):
            return
        if event.proof in ("none", "forged"):
            if before is None:
                assert not after.number
                assert not after.quotes
            else:
                assert not (changed := _changed(before, after)), f"{changed}, and nothing proves that it was this person"
            return
        person = next(p for p in self.policy.desk.staff if p.address == event.mail.sender)
        for ruling in decision.command_results:
            if ruling.result != "done" or ruling.command.name not in ("approve", "quote"):
                continue
            assert before
            assert person.address not in (before.sender, *before.participants), "nobody decides on an own case"
            assert ruling.command.name == "quote" or "approver" in person.roles
            keys = {serial_key(serial) for serial in ruling.serials}
            spent = sum((price.amount for price in ruling.command.prices), Decimal(0))
            if ruling.command.name == "approve" and before.quotes:
                meant = [item for item in before.units if serial_key(item.serial) in keys]
                waived = any(i.state == "quoted" or (i.state == "held" and i.billed) for i in meant)
                spent += before.quotes[-1].total if waived else 0
            assert spent <= person.limit, f"{person.address} may not spend {spent}"
        if after.credit and (before is None or after.credit != before.credit):
            assert after.credit.amount <= person.limit

    def _tokens(self, before: Case | None, after: Case, result: Step) -> None:
        """A token is for one person of staff, and is in one mail, to that person."""
        known = set(before.tokens) if before else set()
        staff = {person.address for person in self.policy.desk.staff}
        for token in after.tokens:
            assert token.person in staff
            if token not in known:
                bearers = [reply for reply in result.replies if token.secret in reply.raw]
                assert [reply.to for reply in bearers] == [token.person]
                self.secrets.add(token.secret)

    def _emails(self, result: Step, before: Case | None) -> None:
        """Every mail has its own id; a customer's has nothing that is not for that customer (promises 3, 6 and 7)."""
        staff, after, event = {person.address for person in self.policy.desk.staff}, result.after, result.event
        customers = [reply for reply in result.replies if reply.audience == "customer"]
        for reply in result.replies:
            assert reply.message_id not in self.sent
            self.sent[reply.message_id] = reply
            if reply.audience == "staff":
                assert reply.to in staff
        assert not (customers and isinstance(event, Bounced | Ignored)), "no machine is answered"
        assert sum(reply.direct for reply in customers) <= 1
        for reply in customers:
            assert after
            assert reply.to in after.participants
            self._private(reply, after)
        if before and after and before.history:
            assert after.history[: len(before.history)] == before.history
            assert [r.message_id for r in after.replies][: len(before.replies)] == [r.message_id for r in before.replies]

    def _private(self, reply: Reply, case: Case) -> None:
        """A customer's mail shows nothing of staff's, nor of what belongs to others."""
        opened = email.message_from_string(reply.raw)
        plain = next(each for each in opened.walk() if each.get_content_type() == "text/plain")
        said = plain.get_payload(decode=True)
        assert isinstance(said, bytes)
        head = " ".join(f"{name}: {value}" for name, value in opened.items() if name != "To")
        text = f"{head} {' '.join(said.decode().split())}"
        assert "Reply-To" not in opened
        shown = [
            word for word in (SEEN, "mailto:rma", "+c-", "What you can do", "waits for you", "in the registry") if word in text
        ]
        shown += [secret for secret in self.secrets if secret in text]
        shown += [person.address for person in self.policy.desk.staff if person.address in text]
        domain = reply.to.rpartition("@")[2]
        for row in self.rows.values():
            if row.customer_domain != domain:
                shown += [word for word in (row.customer, row.customer_domain) if word in text]
                if (case.id, serial_key(row.serial)) not in self.let_in and row.model in text:
                    shown.append(row.model)
        assert not shown, f"{shown} in a mail to {reply.to}: {text}"


def _sound(case: Case) -> None:
    """What must hold of every case at every moment."""
    keys = [deadline.key for deadline in case.deadlines]
    assert len(set(keys)) == len(keys)
    assert all(waits_for(case, deadline.kind) for deadline in case.deadlines)
    if case.units:
        assert case.state == state_of(case.units, case.state)
    assert case.number or not any(item.state in ("authorized", "in_transit") for item in case.units)
    ids = [reply.message_id for reply in case.replies]
    assert len(set(ids)) == len(ids)


def _travels(before: Case | None, after: Case, entry: HistoryEntry) -> None:
    """Every unit goes where the table leads, one move for each thing that was decided."""
    was = {serial_key(item.serial): item for item in (before.units if before else ())}
    done = sum(ruling.result == "done" for ruling in entry.decision.command_results)
    ways: dict[str, State] = {key: item.state for key, item in was.items()}
    for change in entry.decision.changes:
        if isinstance(change, UnitChanged) and change.event:
            key = serial_key(change.unit.serial)
            ways[key] = NEXT_STATE[ways.get(key), change.event]
    assert all(item.state == ways[serial_key(item.serial)] for item in after.units), "the table leads to every state"
    for item in after.units:
        start = was.pop(serial_key(item.serial), None)
        if start is None or start.state != item.state:
            hops = done + 1 if done else 1  # what is shipped may be closed with it (ST-16)
            origin = start.state if start else None
            assert item.state in _within(origin, hops), f"{item.serial}: {origin} became {item.state}"
    for gone in was.values():
        assert gone.state in ("asking", "held"), f"{gone.serial}, {gone.state}, is gone"
        assert not (gone.known and gone.serial), f"{gone.serial} is gone"


@cache
def _within(state: State | None, hops: int) -> frozenset[State | None]:
    found: set[State | None] = {state}
    for _ in range(hops):
        found |= {after for (before, _), after in NEXT_STATE.items() if before in found}
    return frozenset(found)


def _goal(item: CaseUnit) -> State:
    """Where a unit stands, or will go on when it is let go on."""
    return item.resume_state or item.state if item.state == "held" else item.state


def _running(case: Case) -> set[str]:
    """The units that travel under a number, or will go on to."""
    return {serial_key(item.serial) for item in case.units if item.known and item.state in NUMBERED}


def _kind(key: str) -> str:
    return key.partition(":")[0]


def _changed(before: Case, after: Case) -> list[str]:
    """What has changed beside what any mail may add: the history, our emails and their tokens."""
    free = {"history", "replies", "tokens"}
    fields = (name for name in Case.__struct_fields__ if name not in free)
    return [f"{n}: {getattr(before, n)} -> {getattr(after, n)}" for n in fields if getattr(before, n) != getattr(after, n)]


def _bare(case: Case) -> Case:
    return replace(case, replies=tuple(replace(reply, raw="") for reply in _undelivered(case)))


def _undelivered(case: Case) -> Iterator[Reply]:
    """The emails of a case as they were frozen, however far their delivery has come since."""
    for reply in case.replies:
        yield replace(reply, state="queued", attempts=0, due_at=None, note="", tried_at=None, ambiguous_attempts=0)


class Outbox:
    """An outbox whose transactions end as listed, one after another and over again."""

    def __init__(self, results: Sequence[delivery.DeliveryResult]) -> None:
        self.results, self.sent = results, list[tuple[str, str]]()

    async def send(self, raw: bytes | str, *_: str) -> delivery.DeliveryResult:
        text = raw if isinstance(raw, str) else raw.decode()
        ident = text.partition("Message-ID: <")[2].partition(">")[0]
        self.sent.append((ident, text))
        return self.results[len(self.sent) % len(self.results)]


def finished(work: Coroutine[Any, Any, Any]) -> None:
    """Run what a daemon would wait for."""
    asyncio.run(work)


_HEARD: dict[tuple[bytes, ...], Request] = {}
_LISTEN: Callable[..., Request] = interpret.understand
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _remembered(message: Any, case: Case | None, snapshot: Snapshot, desk: Any, owned: Any = None) -> Request:
    """Understand an email, or remember how the same words in the same situation were understood: that part is pure."""
    same = replace(
        message, message_id=None, digest="", size=0, arrived_at=_LONG_AGO, sent_at=None, references=(), delivered_to=(),
        in_reply_to=("a mail",) if message.thread else (), to=(), cc=(),
    )  # fmt: skip
    about = replace(case, history=(), replies=(), tokens=(), deadlines=(), opened_at=_LONG_AGO) if case else None
    key = (
        desk.address.encode(),
        *(msgspec.json.encode(each) for each in (same, about, snapshot.units, None if owned is None else sorted(owned))),
    )
    if key not in _HEARD:
        _HEARD[key] = _LISTEN(message, case, snapshot, desk, owned)
    return _HEARD[key]
