"""The daemon's own care: what it skips at its first start, and how it comes back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from support.recorded_classes import CLASSES
from support.server_desk import House, letter
from support.servers import Background

from mailbot.runtime.clock import Clock
from mailbot.runtime.daemon import Daemon
from mailbot.runtime.imap.mailbox import Mailbox
from mailbot.runtime.pipeline import MailboxContext
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import Store, UnavailableError, open_store
from mailbot.runtime.worker import FIRST_PAUSE, MailboxConnections, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import MailStore

    from mailbot.runtime.embedded import SmtpServer

KIM = "Kim Lark <kim@larkspur.example>"


@pytest.fixture
def house(tmp_path: Path, imap_server: MailStore, smtp_server: SmtpServer) -> House:
    return House(tmp_path, imap_server, smtp_server)


def _daemon(house: House, store: Store, *, from_now: bool = True) -> Daemon:
    clock = Clock()
    policy = Resources.at().policy("american-portwell")
    registry = Registry.open(house.home / "registry.csv", "american-portwell", None)
    station = MailboxConnections(
        MailboxContext(policy, registry, store, clock, classifier=CLASSES), house.imap.imap("portwell"), house.smtp.smtp()
    )
    return Daemon(Worker([station], store, clock), poll_seconds=1, from_now=from_now)


async def _for_a_moment(daemon: Daemon, holds: Callable[[], object]) -> None:
    """Let the daemon work until something holds, ten seconds at the most."""
    working = asyncio.create_task(daemon.run())
    for _ in range(200):
        if holds():
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    daemon.stop()
    await working


def test_Q1_the_first_start_answers_new_mail_only(house: House) -> None:
    """Years of old mail are skipped at the first start; so they are when the server numbers its emails again (S7)."""
    store = open_store()
    house.deliver(letter(KIM, "Old", "Serial AH7K900102 has no video.", message_id="<old@lark>"))
    asyncio.run(_for_a_moment(_daemon(house, store), lambda: store.get_fact("first uid of rma@portwell.example")))
    assert store.get_fact("first uid of rma@portwell.example")
    assert house.sent() == []
    assert len(house.folder()) == 1

    noted = (store.get_fact("first uid of rma@portwell.example") or "").split()
    store.set_fact("first uid of rma@portwell.example", f"1 {noted[1]} 2999-01-01")  # another UIDVALIDITY
    store.commit()
    asyncio.run(
        _for_a_moment(_daemon(house, store), lambda: (store.get_fact("first uid of rma@portwell.example") or "").split()[0] != "1")
    )
    assert (store.get_fact("first uid of rma@portwell.example") or "1").split()[0] != "1", "the new start was not noted"
    assert house.sent() == []
    assert len(house.folder()) == 1

    house.deliver(letter(KIM, "New", "Serial AH7K900101 has no video.", message_id="<new@lark>"))
    asyncio.run(_for_a_moment(_daemon(house, store), house.sent))
    assert len(house.sent()) == 1, "new mail is answered"
    assert len(house.folder()) == 1, "old mail is still left alone"


def test_all_takes_in_what_already_is_there(house: House) -> None:
    """With start = "all" the email that lay there before the first start is answered too."""
    house.deliver(letter(KIM, "Old", "Serial AH7K900102 has no video.", message_id="<old@lark>"))
    asyncio.run(_for_a_moment(_daemon(house, open_store(), from_now=False), house.sent))
    assert len(house.sent()) == 1
    assert house.folder() == []


class Wire:
    """A port of loopback that leads to a server, until it is cut; then it is dead until it is fixed."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.server: asyncio.Server | None = None
        self.ends: set[asyncio.StreamWriter] = set()

    async def lay(self) -> None:
        self.server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.ends |= {writer, there_writer}
        await asyncio.gather(_pour(reader, there_writer), _pour(there_reader, writer), return_exceptions=True)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_it_comes_back_when_a_server_goes_away(house: House) -> None:
    """The IMAP server is cut off in the middle of a day; when it is back, new mail is answered, with no one's help."""
    background = Background()
    wire = Wire(house.imap.imap("portwell").port)
    background.call(wire.lay())
    store, clock = open_store(), Clock()
    policy = Resources.at().policy("american-portwell")
    registry = Registry.open(house.home / "registry.csv", "american-portwell", None)
    imap = structs.replace(house.imap.imap("portwell"), port=wire.port)
    station = MailboxConnections(MailboxContext(policy, registry, store, clock, classifier=CLASSES), imap, house.smtp.smtp())
    daemon = Daemon(Worker([station], store, clock), poll_seconds=1, from_now=False)

    async def day() -> None:
        working = asyncio.create_task(daemon.run())
        house.deliver(letter(KIM, "One", "Serial AH7K900101 has no video.", message_id="<one@lark>"))
        await _until(lambda: len(house.sent()) == 1)
        await asyncio.to_thread(background.call, wire.cut())
        house.deliver(letter(KIM, "Two", "Serial B7001-000201 has no video.", message_id="<two@lark>"))
        await asyncio.sleep(1.0)
        await asyncio.to_thread(background.call, wire.lay())
        await _until(lambda: len(house.sent()) == 2)
        daemon.stop()
        await working

    asyncio.run(day())
    background.call(wire.cut())
    background.close()


def test_the_backoff_of_sending_starts_again_after_a_success(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """C4: the pause doubles while the state cannot be written; after a success the next failure waits for the first pause."""
    daemon = _daemon(house, open_store())
    full = UnavailableError("the disk is full")
    results = iter((full, full, full, None, full))
    pauses = []

    async def send() -> None:
        result = next(results, daemon)
        if result is daemon:
            daemon.stop()
        elif result:
            raise full

    async def pause(seconds: float) -> float:
        pauses.append(seconds)
        return seconds * 2

    monkeypatch.setattr(daemon.worker.sender, "send", send)
    monkeypatch.setattr(daemon, "_pause", pause)
    daemon.worker.unsent.set()

    async def work() -> None:
        working = asyncio.create_task(daemon._keep_sending())
        await _until(lambda: len(pauses) == 3)
        await asyncio.sleep(0)
        daemon.worker.unsent.set()
        await _until(lambda: len(pauses) == 4)
        await working

    asyncio.run(asyncio.wait_for(work(), 20))
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, FIRST_PAUSE]


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never happened")


def test_emails_since_a_day_are_notified_by_the_server(house: House) -> None:
    """The lowest UID of what came today is that of the first mail; of what comes in a far year it is the next one."""
    house.deliver(letter(KIM, "One", "AH7K900101", message_id="<one@lark>"))
    house.deliver(letter(KIM, "Two", "AH7K900101", message_id="<two@lark>"))
    box = Mailbox(house.imap.imap("portwell"))
    box.connect()
    try:
        first = box.waiting(10)[0]
        assert box.first_since(datetime(2020, 1, 1, tzinfo=UTC).date()) == first
        assert box.first_since(datetime(2999, 1, 1, tzinfo=UTC).date()) == box.uid_next()
    finally:
        box.close()
