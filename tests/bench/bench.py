"""500 mails through embedded servers: messages a second, and where the time goes.

Figures of one run compare with each other, not with another machine's: the floor (the same mails fetched, moved and answered by
the same libraries, with no work in between) is measured in the same run.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.server_desk import letter
from support.servers import PASSWORD

import mailbot.runtime.pipeline as the_path
from mailbot.reply.freeze import ReplyBuilder
from mailbot.runtime.clock import Clock
from mailbot.runtime.daemon import MailboxConnections, Worker
from mailbot.runtime.embedded import imap_server, smtp_server
from mailbot.runtime.imap.mailbox import Mailbox
from mailbot.runtime.logs import configure
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources
from mailbot.runtime.smtp.outbox import Outbox
from mailbot.runtime.store import Store, open_store

MAILS = int(os.environ.get("BENCH_MAILS", "500"))
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
HEAD = "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure\n"

spent: defaultdict[str, float] = defaultdict(float)


def timed(owner: Any, name: str, label: str) -> None:
    """Count the time spent in one function."""
    inner: Callable[..., Any] = getattr(owner, name)

    @wraps(inner)
    def outer(*words: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return inner(*words, **named)
        finally:
            spent[label] += time.perf_counter() - began

    @wraps(inner)
    async def outer_async(*words: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return await inner(*words, **named)
        finally:
            spent[label] += time.perf_counter() - began

    setattr(owner, name, outer_async if asyncio.iscoroutinefunction(inner) else outer)


@contextmanager
def stopwatch(label: str) -> Iterator[None]:
    """Count the time spent in a block."""
    began = time.perf_counter()
    yield
    spent[label] += time.perf_counter() - began


def mails() -> Iterator[bytes]:
    """Write the customers' mails, each from somebody else about another unit."""
    for n in range(MAILS):
        body = (
            f"Hello,\n\nour board with serial AH8K{n:06} shows no video since Monday, on either port.\n"
            "We changed the cable, the monitor and the memory; it stays dark.\n\nPlease send an RMA number.\n\nRegards\nKim\n"
        )
        yield letter(f"Kim <kim@c{n}.example>", f"Board {n} is dark", body, message_id=f"<m{n}@c{n}.example>")


async def floor(letters: list[bytes]) -> float:
    """Fetch, move and send as many mails with no work in between."""
    async with imap_server({"rma": PASSWORD}) as imap, smtp_server() as smtp:
        for raw in letters:
            await imap.deliver("rma", raw)
        box, outbox = Mailbox(imap.imap("rma")), Outbox(smtp.smtp())
        await asyncio.to_thread(box.connect)
        began = time.perf_counter()
        while uids := await asyncio.to_thread(box.waiting, 50):
            fetched = await asyncio.to_thread(box.fetch, uids)
            await asyncio.to_thread(box.move, [f.uid for f in fetched], "Done")
            for mail in fetched:
                await outbox.send(mail.raw or b"", "rma@portwell.example", "kim@c.example")
        took = time.perf_counter() - began
        await asyncio.to_thread(box.close)
        await outbox.close()
    return took


async def desk(letters: list[bytes], home: Path) -> float:
    """Let mailbot answer the mails."""
    rows = "".join(f"AH8K{n:06},WADE-8017,ipc,2026-01-15,C{n},c{n}.example,,,,\n" for n in range(MAILS))
    (home / "registry.csv").write_text(HEAD + rows, encoding="utf-8")
    policy = Resources.at().policy("american-portwell")
    store = open_store(f"tinydb:{home / 'state'}")
    registry = Registry.open(home / "registry.csv", "american-portwell", home / "state" / "registry.db")
    async with imap_server({"rma": PASSWORD}) as imap, smtp_server() as smtp:
        for raw in letters:
            await imap.deliver("rma", raw)
        clock = Clock(NOW)
        station = MailboxConnections(
            the_path.MailboxContext(policy, registry, store, clock), imap.imap("rma"), smtp.smtp()
        )
        worker = Worker([station], store, clock)
        began = time.perf_counter()
        await worker.once()
        took = time.perf_counter() - began
        await worker.close()
        answered = len(smtp.received)
    store.close()
    if answered != MAILS:
        raise SystemExit(f"{answered} of {MAILS} mails were answered")
    return took


def main() -> None:
    """Print messages a second, the floor, and where the time went."""
    configure(level=40)
    letters = list(mails())
    timed(Mailbox, "waiting", "IMAP: what waits")
    timed(Mailbox, "fetch", "IMAP: fetch")
    timed(Mailbox, "move", "IMAP: move")
    timed(Outbox, "send", "SMTP: send")
    base = asyncio.run(floor(letters))
    spent.clear()
    timed(the_path, "read", "read: bytes to message")
    timed(the_path, "look_up", "look up: registry, cases")
    timed(the_path, "step", "step: understand, decide, compose")
    timed(ReplyBuilder, "add", "  of which write and freeze the reply")
    timed(Store, "stage", "store: stage")
    timed(Store, "commit", "store: commit")
    timed(Store, "claim", "store: claim replies")
    timed(Store, "mark", "store: mark replies")
    with tempfile.TemporaryDirectory() as home:
        took = asyncio.run(desk(letters, Path(home)))
    print(f"{MAILS} mails in {took:.2f} s: {MAILS / took:.0f} messages/s")
    print(
        f"floor (the same libraries and servers, no work in between): {MAILS / base:.0f} messages/s, ratio {took / base:.2f}"
    )
    for label, seconds in sorted(spent.items(), key=lambda pair: -pair[1]):
        print(f"  {label:<40} {seconds / MAILS * 1000:7.2f} ms a mail  {seconds / took:6.1%}")


if __name__ == "__main__":
    main()
