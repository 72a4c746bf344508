"""Several processes on PostgreSQL: races for a case, a reply, a due date, a number and a mailbox; lost connections."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from support.memory_desk import Desk, letter, unit
from support.stores import (
    NOON,
    RMA,
    a_case,
    a_deadline,
    a_number,
    a_reply,
    a_step,
    after,
    changed,
    commit,
    ledger,
    pending,
    states,
    unsent,
)
from test_store_files import ENVIRONMENT, WORKER, is_sound

from mailbot.runtime.pipeline import incoming_mail, process_batch
from mailbot.runtime.store import DuplicateError, StaleError, UnavailableError, open_store
from mailbot.runtime.store.postgresql import Postgresql

WORKERS = 4


@pytest.fixture
def url(a_postgres):
    return a_postgres.new_database()


@pytest.fixture
def two(url):
    stores = [open_store(url), open_store(url)]
    yield stores
    for store in stores:
        store.close()


def lose(store):
    """Cut a store's connection, as a dead server or network does."""
    pid = store.database.value("SELECT pg_backend_pid()")
    import psycopg

    with psycopg.connect(store.database.place, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_no_update_of_a_case_is_lost(two):
    """Of two processes that saw the same case, the second is notified to look again; then both changes are there."""
    one, other = two
    commit(one, a_step(a_case()))
    seen = other.case("C-1")
    commit(one, a_step(changed(one.case("C-1"), subject="one")))
    with pytest.raises(StaleError, match="C-1 was changed by another process"):
        other.stage(a_step(changed(seen, name="other")))
    other.rollback()
    commit(other, a_step(changed(other.case("C-1"), name="other")))
    case = one.case("C-1")
    assert (case.subject, case.name) == ("one", "other")


def test_a_case_is_locked_while_its_step_commits(two):
    """A second change waits for the first commit, and then is stale."""
    one, other = two
    commit(one, a_step(a_case()))
    mine, theirs = one.case("C-1"), other.case("C-1")
    one.stage(a_step(changed(mine, subject="one")))
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(other.stage, a_step(changed(theirs, subject="other")))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        one.commit()
        with pytest.raises(StaleError):
            waiting.result(timeout=5)
    other.rollback()
    assert other.case("C-1").subject == "one"


def test_an_email_takes_effect_once_in_two_processes(two):
    """The identity of an email is unique: the second process waits for the first, and is refused."""
    one, other = two
    one.stage(a_step(a_case("C-1"), identity="in"))
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(other.stage, a_step(a_case("C-2"), identity="in"))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        one.commit()
        with pytest.raises(DuplicateError, match="in the log"):
            waiting.result(timeout=5)
    other.commit()
    assert [case.id for case in one.cases()] == ["C-1"]


def test_sequences_are_drawn_once(url):
    """No two processes get the same sequence; one that was not used is kept for the next number."""
    stores = [open_store(url) for _ in range(WORKERS)]

    def number(store, name):
        for turn in range(20):
            assert store.next_sequence() == store.next_sequence()
            sequence = store.next_sequence()
            commit(store, a_step(a_case(f"C-{name}-{turn}", number=a_number(f"RMA-{sequence}"))))

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(number, store, at) for at, store in enumerate(stores)]:
            done.result(timeout=30)
    numbers = {case.number.text for case in stores[0].cases()}
    assert len(numbers) == 20 * WORKERS
    assert max(int(text.removeprefix("RMA-")) for text in numbers) <= 21 * WORKERS
    for store in stores:
        store.close()


def test_each_reply_is_claimed_by_one_process(url):
    """Many processes empty one outbox: every reply goes out once."""
    stores = [open_store(url) for _ in range(WORKERS)]
    commit(stores[0], a_step(a_case(replies=tuple(a_reply(f"out-{n}") for n in range(80)))))
    sent: list[str] = []

    def empty(store):
        while claimed := store.claim(NOON, [RMA]):
            sent.append(claimed[0].message_id)
            store.mark(changed(claimed[0], state="sent"))

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(empty, store) for store in stores]:
            done.result(timeout=30)
    assert len(sent) == len(set(sent)) == 80
    for store in stores:
        store.close()


def test_each_due_date_is_worked_on_by_one_process(two):
    """What one process has claimed, another does not see until the commit; after a rollback it is there again."""
    one, other = two
    commit(one, *(a_step(a_case(f"C-{n}", deadlines=(a_deadline(after(hours=n)),))) for n in range(3)))
    assert [due.case_id for due in one.claim_due(after(days=1), [RMA])] == ["C-0", "C-1", "C-2"]
    assert other.claim_due(after(days=1), [RMA]) == ()
    other.rollback()
    one.stage(a_step(changed(one.case("C-1"), deadlines=())))
    one.rollback()
    assert len(other.claim_due(after(days=1), [RMA])) == 3
    other.stage(a_step(changed(other.case("C-1"), deadlines=())))
    other.commit()
    assert [due.case_id for due in one.claim_due(after(days=1), [RMA])] == ["C-0", "C-2"]
    one.rollback()


def test_a_mailbox_has_one_reader(two):
    """The second process reads when the first has let go, or is dead; a lost connection loses the mailbox."""
    one, other = two
    assert one.claim_mailbox(RMA)
    assert one.claim_mailbox(RMA)
    assert not other.claim_mailbox(RMA)
    assert other.claim_mailbox("rma@servertech.example")
    one.release_mailbox(RMA)
    assert other.claim_mailbox(RMA)
    lose(other)
    assert one.claim_mailbox(RMA)
    with pytest.raises(UnavailableError):
        states(other)
    assert not other.claim_mailbox(RMA)


def test_the_reply_of_a_dead_process_is_ambiguous(two):
    """Promise 3: only when its process is gone does an attempt end; it waits for its backoff."""
    one, other = two
    commit(one, a_step(a_case(replies=(a_reply(),))))
    assert one.claim(NOON, [RMA])
    assert other.recover(NOON) == ()
    assert other.case("C-1").replies[0].state == "sending"
    assert other.outstanding(NOON, [RMA]) == 1
    lose(one)
    with pytest.raises(UnavailableError):
        states(one)
    assert one.recover(NOON, own=False) == ()  # the connection was lost, but this process may still be sending
    assert one.case("C-1").replies[0].state == "sending"
    assert other.recover(NOON, own=False) == ()
    [reply] = other.case("C-1").replies
    assert (reply.state, reply.ambiguous_attempts) == ("ambiguous", 1)
    assert reply.due_at >= NOON + timedelta(minutes=15)


@pytest.mark.parametrize("moment", ["look", "stage", "commit"])
def test_a_lost_connection_is_made_again(two, moment):
    """What was not committed is gone; the next call works. The error lets the daemon try again."""
    one, other = two
    commit(one, a_step(a_case("C-0")))
    if moment != "look":
        one.stage(a_step(a_case("C-1"), identity="in"))
    lose(one)
    with pytest.raises(UnavailableError):
        {"look": lambda: states(one), "stage": lambda: one.stage(a_step(a_case("C-2"))), "commit": one.commit}[moment]()
    one.rollback()
    assert [case.id for case in one.cases()] == ["C-0"]
    commit(one, a_step(a_case("C-1"), identity="in"))
    assert len(list(other.cases())) == 2


def lose_commit(store, monkeypatch, *, arrived):
    """Cut the connection at the next commit: the server has executed it, or never gets it."""
    run = Postgresql.run

    def cut(database, sql, values=None):
        if sql == "COMMIT" and database is store.database:
            monkeypatch.setattr(Postgresql, "run", run)
            if arrived:
                run(database, sql)
            lose(store)
        return run(database, sql, values)

    monkeypatch.setattr(Postgresql, "run", cut)


@pytest.mark.parametrize("arrived", [True, False])
def test_the_answer_to_a_commit_is_lost(two, monkeypatch, arrived):
    """C7: nobody knows whether the commit took place. Staged again, it takes effect once, and no number repeats."""
    one, other = two
    sequence = one.next_sequence()
    step = a_step(a_case(number=a_number(f"RMA-{sequence}"), replies=(a_reply(),)), identity="in")
    one.stage(step)
    lose_commit(one, monkeypatch, arrived=arrived)
    with pytest.raises(UnavailableError):
        one.commit()
    assert bool(one.recorded("in")) == bool(other.recorded("in")) == arrived
    assert one.next_sequence() != sequence
    if arrived:
        with pytest.raises(DuplicateError, match="in the log"):
            one.stage(a_step(identity="in"))
        one.rollback()
    else:
        commit(one, step)
    assert [case.id for case in other.cases()] == ["C-1"]
    assert [reply.message_id for reply in unsent(other, NOON)] == ["out-1@x"]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_batch_whose_commit_was_lost_is_processed_again(two, monkeypatch, arrived):
    """C7, promise 2: an email, a due date and a failed delivery have one effect when their batch is processed again."""
    one, other = two
    desk = Desk(units=[unit("AH2F104432", "ipc")])
    desk.store = desk.context.store = one
    mail = incoming_mail(RMA, letter("Serial number AH2F104432 shows no video. The cable was changed."), desk.clock.now())
    lose_commit(one, monkeypatch, arrived=arrived)
    with pytest.raises(UnavailableError):
        process_batch([mail], desk.context)
    [done] = process_batch([mail], desk.context)
    assert (done.folder, done.step is None) == ("Done", arrived)
    [case] = other.cases()
    assert len(ledger(other)) == len(case.replies) == pending(other) == 1

    [claimed] = one.claim(desk.clock.now(), [RMA])
    failed = changed(claimed, state="failed", note="550 no")
    lose_commit(one, monkeypatch, arrived=arrived)
    one.stage(a_step(changed(one.case(case.id), unreachable=True)), delivery=failed)
    with pytest.raises(UnavailableError):
        one.commit()
    one.recover(desk.clock.now())
    [reply] = other.case(case.id).replies
    assert (other.case(case.id).unreachable, reply.state) == ((True, "failed") if arrived else (False, "ambiguous"))

    desk.clock.at = one.next_due()
    lose_commit(one, monkeypatch, arrived=arrived)
    with pytest.raises(UnavailableError):
        desk.later()
    desk.later()
    assert len(other.case(case.id).history) == 2


def test_the_server_restarts(a_postgres, two):
    """C7: after a crash of the server everything acknowledged is there, and the processes go on."""
    one, _ = two
    commit(one, a_step(a_case()))
    a_postgres.restart()
    with pytest.raises(UnavailableError):
        states(one)
    assert one.case("C-1")


def test_workers_that_are_killed_leave_one_effect(url):
    """C7: several workers on the same cases and replies, each killed at a random moment."""
    open_store(url).close()
    committed, sent, stale = set(), set(), 0
    for round_ in range(3):
        processes = [
            subprocess.Popen([sys.executable, WORKER, url, str(seed)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            for seed in range(round_ * 10, round_ * 10 + WORKERS)
        ]
        for at, process in enumerate(processes):
            assert process.stdout.readline() == "open\n"
            threading.Timer(0.4 + at * 0.15, process.kill).start()
        for process in processes:
            with process:
                for word, *names in (line.split() for line in process.stdout.read().split("\n")[:-1] if line):
                    committed.update(names if word == "committed" else ())
                    sent.update(names if word == "sent" else ())
                    stale += word == "stale"
            assert process.returncode == -9
    store = open_store(url)
    is_sound(store, committed, sent)
    store.close()
    assert len(committed) > 20
