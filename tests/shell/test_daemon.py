"""The daemon's own care: what it leaves alone at its first start, and how it comes back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from house import House, letter

from mailbot.shell.clock import Clock
from mailbot.shell.daemon import Daemon, Station, Worker
from mailbot.shell.library import Library
from mailbot.shell.mailbox import Mailbox
from mailbot.shell.memory import MemoryStore
from mailbot.shell.path import Room
from mailbot.shell.registry import Registry

if TYPE_CHECKING:
    from servers import MailStore

    from mailbot.shell.embedded import SmtpServer

KIM = "Kim Lark <kim@larkspur.example>"


@pytest.fixture
def house(tmp_path: Path, imap_server: MailStore, smtp_server: SmtpServer) -> House:
    return House(tmp_path, imap_server, smtp_server)


def _daemon(house: House, store: MemoryStore, *, from_now: bool = True) -> Daemon:
    clock = Clock()
    policy = Library.at().policy("american-portwell")
    registry = Registry.open(house.home / "registry.csv", "american-portwell", None)
    station = Station(Room(policy, registry, store, clock), house.imap.imap("portwell"), house.smtp.smtp())
    return Daemon(Worker([station], store, clock), poll_seconds=1, from_now=from_now)


async def _for_a_moment(daemon: Daemon, holds: object) -> None:
    """Let the daemon work until something holds, ten seconds at the most."""
    working = asyncio.create_task(daemon.run())
    for _ in range(200):
        if holds():  # type: ignore[operator]
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    daemon.stop()
    await working


def test_Q1_the_first_start_answers_new_mail_only(house: House) -> None:
    """Years of old mail are left alone at the first start; so they are when the server numbers its mails anew (S7)."""
    store = MemoryStore()
    house.deliver(letter(KIM, "Old", "Serial AH7K900102 has no video.", message_id="<old@lark>"))
    asyncio.run(_for_a_moment(_daemon(house, store), lambda: store.get_fact("first uid of rma@portwell.example")))
    assert house.sent() == []
    assert len(house.folder()) == 1

    noted = (store.get_fact("first uid of rma@portwell.example") or "").split()
    store.set_fact("first uid of rma@portwell.example", f"1 {noted[1]} 2999-01-01")  # another UIDVALIDITY
    store.commit()
    asyncio.run(
        _for_a_moment(
            _daemon(house, store),
            lambda: (store.get_fact("first uid of rma@portwell.example") or "").split()[0] != "1",
        )
    )
    assert house.sent() == []
    assert len(house.folder()) == 1


def test_all_takes_in_what_already_lies_there(house: House) -> None:
    """With start = "all" the mail that lay there before the first start is answered too."""
    house.deliver(letter(KIM, "Old", "Serial AH7K900102 has no video.", message_id="<old@lark>"))
    asyncio.run(_for_a_moment(_daemon(house, MemoryStore(), from_now=False), lambda: house.sent()))
    assert len(house.sent()) == 1
    assert house.folder() == []


def test_mails_since_a_day_are_told_by_the_server(house: House) -> None:
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
