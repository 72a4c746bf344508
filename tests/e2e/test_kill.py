"""SIGKILL at random moments: nothing lost, nothing twice (promises 1 to 3), on a folder and with two workers on PostgreSQL.

``MAILBOT_KILL_MAILS`` and ``MAILBOT_KILLS`` set how many emails and kills there are; by hand, 300 and 40 say more.
"""

from __future__ import annotations

import email
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.server_desk import House, letter
from support.stores import pending

from mailbot.case.delivery import REPEATS
from mailbot.runtime.state_tools import check
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from support.servers import MailStore

    from mailbot.runtime.embedded import SmtpServer

EMAILS, KILLS = int(os.environ.get("MAILBOT_KILL_MAILS", "80")), int(os.environ.get("MAILBOT_KILLS", "10"))
MORE = 20  # emails that are delivered when the work is done before all kills have happened
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
ROW = "american-portwell,AH8K{0:06},WADE-8017,ipc,2026-01-15,Customer {0},c{0}.example,,,,\n"
HEAD = "policy,serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure\n"


@pytest.mark.parametrize("workers", [1, 2], ids=["tinydb", "two workers on postgresql"])
def test_every_request_is_answered_once_however_often_processes_are_killed(
    request: pytest.FixtureRequest, tmp_path: Path, imap_server: MailStore, smtp_server: SmtpServer, workers: int
) -> None:
    """Killed again and again at work, every customer gets one number; repeats are byte for byte the same, and few."""
    state = "tinydb:state" if workers == 1 else request.getfixturevalue("a_postgres").new_database()
    registry = HEAD + "".join(map(ROW.format, range(EMAILS + MORE * KILLS)))
    house = House(tmp_path, imap_server, smtp_server, registry=registry, state=state)
    torture = Torture(house, workers, random.Random(20261121))
    torture.deliver(EMAILS)
    while torture.kills < KILLS:
        torture.round()
    torture.finish()
    proven(house, torture.emails)


class Torture:
    """A desk whose processes are killed. Time passes between the rounds, so that replies uncertain go out again."""

    def __init__(self, house: House, workers: int, chance: random.Random) -> None:
        self.house, self.workers, self.chance = house, workers, chance
        self.emails = self.kills = 0
        self.now = NOW

    def deliver(self, count: int) -> None:
        for n in range(self.emails, self.emails + count):
            body = f"Serial AH8K{n:06} shows no video since Monday."
            self.house.deliver(letter(f"C{n} <it@c{n}.example>", f"Board {n}", body, message_id=f"<m{n}@c{n}.example>"))
        self.emails += count

    def start(self) -> subprocess.Popen[bytes]:
        return self.house.start("run", "--once", "--now", self.now.isoformat())

    def round(self) -> None:
        """Start the workers; kill each while it has work to do."""
        sent = len(self.house.sent())
        processes = [self.start() for _ in range(self.workers)]
        end = time.monotonic() + 60
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0.5, 2.5))  # before or in the middle of the first batch
        while len(self.house.sent()) == sent and time.monotonic() < end and any(p.poll() is None for p in processes):
            time.sleep(0.005)
            if self.chance.random() < 0.003:
                break
        for process in processes:
            time.sleep(self.chance.random() * 0.15)
            process.send_signal(signal.SIGKILL)
        for process in processes:
            _, errors = process.communicate(timeout=20)
            assert process.returncode in (0, -signal.SIGKILL), errors.decode()
            self.kills += process.returncode == -signal.SIGKILL
        if not self.house.folder() and not self._pending():
            self.deliver(MORE)
        self.now += timedelta(minutes=20)

    def finish(self) -> None:
        """Let the workers finish; as often as a reply uncertain may have to wait for its time."""
        for _ in range(REPEATS + 2):
            for process in [self.start() for _ in range(self.workers)]:
                try:
                    _, errors = process.communicate(timeout=180)
                except subprocess.TimeoutExpired as error:
                    process.kill()
                    inbox, states = len(self.house.folder()), self._states()
                    raise AssertionError(f"INBOX {inbox}, replies {states}; {(error.stderr or b'')[-2000:]!r}") from None
                assert process.returncode == 0, errors.decode()
            if not self._pending():
                return
            self.now += timedelta(minutes=80)
        raise AssertionError(f"{self._pending()} replies did not go out")

    def _states(self) -> Counter[str]:
        with closing(open_store(self.house.url, read_only=True)) as store:
            return Counter(f"{r.state} {r.due_at}" for case in store.cases() for r in case.replies if r.state != "sent")

    def _pending(self) -> int:
        with closing(open_store(self.house.url, read_only=True)) as store:
            return pending(store)


def proven(house: House, emails: int) -> None:
    """Check that every request is answered, with one case and one number, and that repeats are identical and few."""
    by_recipient: dict[str, set[bytes]] = {}
    for mail in house.sent():
        by_recipient.setdefault(mail.recipient, set()).add(mail.raw)
    assert len(by_recipient) == emails
    assert {len(different) for different in by_recipient.values()} == {1}, "a repeat was not byte for byte the same"
    times = Counter(email.message_from_bytes(mail.raw)["Message-ID"] for mail in house.sent())
    assert max(times.values()) <= 1 + REPEATS
    cases = house.cases()
    assert len(cases) == emails
    numbers = [case.number.text for case in cases if case.number]
    assert len(numbers) == len(set(numbers)) == emails
    for case in cases:
        [raw] = by_recipient[case.sender]
        assert case.number is not None
        assert re.search(re.escape(case.number.text).encode(), raw)
        assert {reply.state for reply in case.replies} == {"sent"}
    assert house.folder() == []
    assert len(house.folder("Done")) == emails
    with closing(open_store(house.url, read_only=True)) as store:
        assert check(store) == []
    print(f"{emails} mails, {sum(times.values()) - emails} repeats, at most {max(times.values())} of one")  # noqa: T201
