"""A process that works on a store until it is killed. Each line it prints acknowledges what has been done.

usage: worker.py STATE SEED
"""

from __future__ import annotations

import random
import sys

from support.stores import a_case, a_number, a_reply, a_step, after, changed

from mailbot.runtime import shelf
from mailbot.runtime.tiny import TinyStore

shelf.JOURNAL_LIMIT = 20_000  # checkpoints often, so that some kills fall into one


def say(*words):
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def work(path, seed):
    chance = random.Random(seed)
    store = TinyStore(path)
    say("open")
    while True:
        batch = []
        for _ in range(chance.randrange(1, 5)):
            sequence = store.next_sequence()
            case_id = f"C-{sequence}"
            old = chance.choice([None, *batch, f"C-{chance.randrange(1, sequence + 1)}"])
            case = store.case(old) if old else None
            if case:
                store.stage(
                    a_step(
                        changed(case, subject=f"{case.subject}+", state="closed"),
                        identity=f"again {sequence}" if not store.seen(f"again {sequence}") else None,
                    )
                )
            replies = (a_reply(f"out-{sequence}", at=after(seconds=sequence), raw="x" * chance.randrange(3000)),)
            fresh = a_case(case_id, mails=(f"in-{sequence}",), replies=replies, number=a_number(f"RMA-{sequence}"))
            store.stage(a_step(fresh, identity=f"in-{sequence}"))
            batch.append(case_id)
        if chance.random() < 0.1:
            store.rollback()
            continue
        store.commit()
        say("committed", *batch)
        for reply in list(store.unsent(after(days=1))):
            if chance.random() < 0.7:
                store.mark(changed(reply, state="sending", attempts=reply.attempts + 1))
                say("sending", reply.message_id)
                store.mark(changed(reply, state="sent", attempts=reply.attempts + 1))
                say("sent", reply.message_id)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
