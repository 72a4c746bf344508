"""SIGKILL at random moments: nothing lost, nothing twice (promises 1 to 3)."""

from __future__ import annotations

import email
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from support.server_desk import House, kill, letter

if TYPE_CHECKING:
    from support.servers import MailStore

    from mailbot.runtime.embedded import SmtpServer

MAILS, KILLS, DEADLINE = 120, 14, 240.0
ROW = "american-portwell,AH8K{0:06},WADE-8017,ipc,2026-01-15,Customer {0},c{0}.example,,,,\n"
HEAD = "policy,serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure\n"


def test_every_request_is_answered_once_however_often_the_process_is_killed(
    tmp_path: Path, imap_server: MailStore, smtp_server: SmtpServer
) -> None:
    """Killed again and again while work is pending, every customer gets one number; a repeat is byte for byte the same."""
    house = House(tmp_path, imap_server, smtp_server, registry=HEAD + "".join(map(ROW.format, range(MAILS))))
    for n in range(MAILS):
        body = f"Serial AH8K{n:06} shows no video since Monday."
        house.deliver(letter(f"C{n} <it@c{n}.example>", f"Board {n}", body, message_id=f"<m{n}@c{n}.example>"))
    torture(house, KILLS, random.Random(20261121))
    proven(house, MAILS, KILLS)


def torture(house: House, kills: int, chance: random.Random) -> int:
    """Start the work and kill it at random moments at which work is pending; then let it finish."""
    end = time.monotonic() + DEADLINE
    done = 0
    while done < kills and time.monotonic() < end:
        answered = len(house.sent())
        process = house.start("run", "--once")
        # The first moments are start-up; wait until it works, then a little longer.
        while process.poll() is None and len(house.sent()) == answered and time.monotonic() < end:
            time.sleep(0.005)
            if chance.random() < 0.01:
                break
        time.sleep(chance.random() * 0.1)
        if process.poll() is not None:
            break
        kill(process)
        done += 1
    process = house.start("run", "--once")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    return done


def proven(house: House, mails: int, kills: int) -> None:
    """Check that every request is answered, with one case and one number, and that repeats are identical and few."""
    by_recipient: dict[str, set[bytes]] = {}
    for mail in house.sent():
        by_recipient.setdefault(mail.recipient, set()).add(mail.raw)
    assert len(by_recipient) == mails
    assert {len(different) for different in by_recipient.values()} == {1}, "a repeat was not byte for byte the same"
    times = Counter(email.message_from_bytes(mail.raw)["Message-ID"] for mail in house.sent())
    assert sum(times.values()) - mails <= kills, "more than one repeat a kill"
    cases = house.cases()
    assert len(cases) == mails
    numbers = [case.number.text for case in cases if case.number]
    assert len(numbers) == len(set(numbers)) == mails
    for case in cases:
        [raw] = by_recipient[case.sender]
        assert case.number is not None
        assert re.search(re.escape(case.number.text).encode(), raw)
    assert house.folder() == []
    assert len(house.folder("Done")) == mails
