"""Benchmark of the store: processor time and disk flushes per email, in batches of 50, with one reply per email.

``store.py`` prints milliseconds per email; ``strace -fc -e trace=fsync,fdatasync,syncfs python store.py`` counts the flushes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from msgspec import structs
from support.memory_desk import KIM, Desk, unit

from mailbot.case import delivery
from mailbot.model import Step
from mailbot.runtime.store import Store, open_store

EMAILS, BATCH = int(os.environ.get("BENCH_MAILS", "500")), 50


def steps() -> list[Step]:
    """Return one step per email, each for another unit. One step is computed; the others are copies of it."""
    desk = Desk(units=[unit("AH2F104432", "ipc")])
    first = desk.write("Serial number AH2F104432 shows no video, on either port. The cable was changed.")
    assert first.after
    assert first.record
    made = []
    for n in range(EMAILS):
        number = structs.replace(first.after.number, text=f"RMA-{n:06}") if first.after.number else None
        replies = tuple(structs.replace(each, message_id=f"{n}.{each.message_id}", to=f"c{n}@x.example") for each in first.replies)
        items = tuple(structs.replace(item, serial=f"AH2F{n:06}") for item in first.after.units)
        after = structs.replace(first.after, id=f"C-{n}", number=number, units=items, replies=replies)
        record = structs.replace(first.record, identity=f"{n} {first.record.identity}", case_id=after.id)
        made.append(structs.replace(first, after=after, replies=replies, record=record))
    return made


def work(store: Store, made: list[Step]) -> None:
    """Use the store as the daemon does, for each email and then for each reply."""
    for start in range(0, len(made), BATCH):
        for step in made[start : start + BATCH]:
            assert step.after
            assert step.record
            store.recorded(step.record.identity)
            store.find((), ())
            units = [item.serial for item in step.after.units]
            store.open_cases(step.after.mailbox, units)
            store.past_cases(step.after.mailbox, units)
            store.answers_since(KIM, step.record.at)
            store.next_sequence()
            store.stage(step)
        store.commit()
        store.recover(made[0].replies[0].at)
        while claimed := store.claim(made[0].replies[0].at, [made[0].replies[0].mailbox]):
            for reply in claimed:
                store.mark(delivery.after_attempt(reply, delivery.Delivered("250 accepted"), reply.at))


def main() -> None:
    """Print processor and wall-clock time per email, and the time to close the store, in milliseconds."""
    made = steps()
    with tempfile.TemporaryDirectory() as home:
        url = sys.argv[1] if len(sys.argv) > 1 else f"tinydb:{home}/state"
        store = open_store(url)
        wall, processor = time.perf_counter(), time.process_time()
        work(store, made)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        closing = time.perf_counter()
        store.close()
        closing = time.perf_counter() - closing
    each = 1000 / len(made)
    name = url.partition(":")[0]
    print(f"{name}: {processor * each:.2f} ms processor, {wall * each:.2f} ms elapsed per email; close {closing * 1000:.0f} ms")


if __name__ == "__main__":
    main()
