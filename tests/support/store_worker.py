"""A process that works on a store until it is killed. Each line it prints acknowledges what has been done.

usage: worker.py URL SEED [STEPS]: STEPS is how many batches it does before it ends by itself (none: for ever).
"""

from __future__ import annotations

import os
import random
import sys

from support.stores import RMA, a_case, a_number, a_reply, a_step, after, changed

from mailbot.runtime.store import StaleError, open_store


def say(*words):
    os.write(1, (" ".join(words) + "\n").encode())


def work(url, seed, steps):
    chance = random.Random(seed)
    store = open_store(url)
    say("open")
    for _ in range(steps or sys.maxsize):
        store.recover(after(days=1))
        batch = []
        try:
            for _ in range(chance.randrange(1, 5)):
                sequence = store.next_sequence()
                case = store.case(chance.choice([*batch, f"C-{chance.randrange(1, sequence + 1)}"]))
                if case:
                    identity = f"again {case.id} {seed} {chance.random()}"
                    store.stage(a_step(changed(case, subject=f"{case.subject}+", state="closed"), identity=identity))
                raw = "x" * chance.randrange(3000)
                replies = (a_reply(f"out-{sequence}", at=after(seconds=sequence), raw=raw),)
                number = a_number(f"RMA-{sequence}")
                fresh = a_case(f"C-{sequence}", emails=(f"in-{sequence}",), replies=replies, number=number)
                store.stage(a_step(fresh, identity=f"in-{sequence}"))
                batch.append(fresh.id)
            if chance.random() < 0.1:
                store.rollback()
                continue
            store.commit()
        except StaleError:
            store.rollback()
            say("stale")
            continue
        say("committed", *batch)
        if chance.random() < 0.1:
            store.checkpoint()
        while chance.random() < 0.8 and (claimed := store.claim(after(days=1), [RMA])):
            say("sending", claimed[0].message_id)
            store.mark(changed(claimed[0], state="sent"))
            say("sent", claimed[0].message_id)
    store.close()


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 0)
