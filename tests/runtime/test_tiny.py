"""The store in a folder: killed, torn, damaged, restored, read while it works, on a full disk."""

from __future__ import annotations

import errno
import functools
import itertools
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import tinydb
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
    something,
    told,
)

from mailbot.runtime import journal, shelf
from mailbot.runtime.memory import MemoryStore
from mailbot.runtime.store_protocol import StateError
from mailbot.runtime.tiny import TinyStore

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A disk on which nothing is waited for: a kill, unlike a power cut, loses nothing that was written."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)


def reopened(path, **how):
    """What a store tells that is opened, asked and closed; what was mended when it was opened stays mended."""
    answers = []
    for _ in range(2):
        store = TinyStore(path, **how)
        try:
            answers.append(told(store))
        finally:
            store.close()
    assert answers[0] == answers[1]
    return answers[0]


def full(store):
    """Some of everything."""
    commit(
        store,
        a_step(
            a_case("C-1", replies=(a_reply(),), number=a_number("RMA-1"), deadlines=(a_deadline(after(days=3)),)),
            identity="in-1",
        ),
        a_step(a_case("C-2", mails=("in-2@y",), state="expired"), identity="in-2"),
        a_step(replies=(a_reply("note-1@x", at=after(hours=1)),), identity="in-3", at=after(days=30)),
    )
    store.set_fact("uid", "17")
    store.commit()
    store.mark(changed(a_reply(), state="deferred", attempts=1))
    return told(store)


def copied(path, name):
    """The folder as it lies there now: as after a kill."""
    return Path(shutil.copytree(path, path.with_name(name)))


# ---------------------------------------------------------------- kills


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment(path, seed):
    """C1: a process is killed again and again; what it had acknowledged is there, once, and nothing is half there."""
    chance = random.Random(seed)
    committed, sent = set(), set()
    for turn in range(4):
        lines = _worked_and_killed(path, seed * 10 + turn, chance.uniform(0.0, 0.25))
        for word, *names in lines:
            committed.update(names if word == "committed" else ())
            sent.update(names if word == "sent" else ())
        if turn == 2:
            (path / "index.db").unlink()
        store = TinyStore(path)
        _is_sound(store, committed, sent)
        before = told(store)
        store.close()
        assert reopened(path) == before
    assert committed


def _worked_and_killed(path, seed, seconds):
    worker = subprocess.Popen(
        [sys.executable, WORKER, path, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with worker:
        assert worker.stdout.readline() == "open\n"
        timer = threading.Timer(seconds, worker.send_signal, [signal.SIGKILL])
        timer.start()
        lines = worker.stdout.read().split("\n")
        timer.join()
    return [line.split() for line in lines[:-1]]


def _is_sound(store, committed, sent):
    cases = list(store.cases())
    ids = [case.id for case in cases]
    assert len(ids) == len(set(ids))
    assert committed <= set(ids)
    numbers = [case.number.text for case in cases]
    assert len(numbers) == len(set(numbers))
    assert store.next_sequence() == len(numbers) + 1
    identities = [record.identity for record in store.ledger()]
    assert len(identities) == len(set(identities))
    for case in cases:
        name = case.id.removeprefix("C-")
        assert f"in-{name}" in identities  # a case and the mail it came from: both or neither
        assert store.find([f"out-{name}"]) == store.find([], [f"RMA-{name}"]) == (case,)
        assert case.replies[0].state == "sent" or f"out-{name}" not in sent
    waiting = {reply.message_id for reply in store.unsent(after(days=1))}
    assert waiting == {case.replies[0].message_id for case in cases if case.replies[0].state != "sent"}
    assert store.pending() == len(waiting)


def test_killed_between_journal_and_files(path, monkeypatch):
    """A commit that only the journal has is a commit."""
    store = TinyStore(path)
    full(store)
    monkeypatch.setattr(shelf.Shelf, "_settle", _killed)
    store.stage(a_step(a_case("C-9", number=a_number("RMA-9")), identity="in-9"))
    with pytest.raises(KeyboardInterrupt):
        store.commit()
    store.close()  # on the way out, as a process does that is stopped
    monkeypatch.undo()
    after_kill = reopened(path)
    assert {case.id for case in after_kill["cases"]} == {"C-1", "C-2", "C-9"}
    assert after_kill["sequence"] == 3
    assert reopened(path) == after_kill


def _killed(*_):
    raise KeyboardInterrupt


CALLS = ("write", "fdatasync", "fsync", "replace", "unlink", "mkdir", "ftruncate")  # what changes something


def test_killed_before_every_call_to_the_system(tmp_path):
    """C1: wherever between two calls to the system a process ends, each commit and mark is wholly there or not at all."""
    states = _course(tmp_path / "whole", lambda: None)
    for last in range(1000):
        path = tmp_path / str(last)
        told_then = _course(path, functools.partial(_die_at, last, itertools.count()))
        done = len(told_then)
        after_kill = reopened(copied(path, f"{last} killed"))
        assert after_kill in (told_then[-1], states[min(done, len(states) - 1)])
        if done == len(states):
            break
        store = TinyStore(path)
        assert told(store) == after_kill
        store.close()
        shutil.rmtree(path)
    assert last > 50


def _die_at(last, calls):
    if next(calls) == last:
        raise KeyboardInterrupt


def _course(path, before_call):
    """A store at work, and what it told after each piece of work, until it was interrupted."""
    store = TinyStore(path)
    full(store)
    case, out_3 = changed(store.case("C-1"), state="closed"), a_reply("out-3@x", at=after(hours=2))
    course = [
        lambda: commit(store, a_step(a_case("C-3", number=a_number("RMA-3"), replies=(out_3,)), identity="in-9")),
        lambda: store.mark(changed(out_3, state="sending")),
        lambda: commit(
            store,
            a_step(case, identity="in-8", at=after(days=40)),
            a_step(replies=(a_reply("n-8@x", at=after(hours=3)),)),
        ),
        lambda: store.mark(a_reply("out-1@x", state="sent")),
        store.checkpoint,
        lambda: commit(store, a_step(changed(case, state="authorized"))),
    ]
    states = [told(store)]
    with pytest.MonkeyPatch.context() as patched:
        watch = _Watch(before_call)
        for name in CALLS:
            patched.setattr(os, name, watch.over(getattr(os, name)))
        with suppress(KeyboardInterrupt):
            for work in course:
                watch.on = True
                work()
                watch.on = False
                states.append(told(store))
    store._shelf._let_go()  # no last words: a kill leaves no time for them
    return states


class _Watch:
    """Looks at calls to the system, while it is on."""

    def __init__(self, before):
        self._before, self.on = before, False

    def over(self, call):
        def watched(*values, **named):
            if self.on:
                self._before()
            return call(*values, **named)

        return watched


def test_a_mark_survives_a_kill(path):
    """A reply that was about to be sent when the process died is known to be so."""
    store = TinyStore(path)
    before = full(store)
    copy = copied(path, "killed")
    assert reopened(copy) == before
    store.close()


def test_the_journal_is_torn_at_any_byte(path):
    """C3: however little of the last commit reached the disk, the commits before it stand, and it is there or not."""
    store = TinyStore(path)
    first = full(store)
    before = (path / "journal").stat().st_size
    commit(store, a_step(a_case("C-9", replies=(a_reply("out-9@x"),)), identity="in-9"))
    second, whole = told(store), (path / "journal").read_bytes()
    copy = copied(path, "killed")
    store.close()
    for name in ("cases/C-9.json", "index.db", "index.db-wal"):
        (copy / name).unlink(missing_ok=True)
    _drop_last_line(copy / "ledger/2026-11.jsonl")
    torn = copy / "journal"
    for end in range(before, len(whole) + 1):
        for tail in (b"", b"\0" * 40) if end % 10 == 0 else (b"",):
            torn.write_bytes(whole[:end] + tail)
            entries, good = journal.read(torn)
            complete = end == len(whole) or (end == len(whole) - 1 and not tail)  # all but the line feed
            assert (len(entries), good >= len(whole)) == ((4, True) if complete else (3, False))
    for end in (before, before + 1, (before + len(whole)) // 2, len(whole) - 2, len(whole) - 1, len(whole)):
        trial = copied(copy, "torn")
        (trial / "journal").write_bytes(whole[:end])
        assert reopened(trial) == (second if end >= len(whole) - 1 else first)
        assert reopened(trial) == (second if end >= len(whole) - 1 else first)
        shutil.rmtree(trial)


def _drop_last_line(path):
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def test_damage_before_the_journals_tail_stops_the_start(path):
    """C3: a commit that was durable and cannot be read any more is never passed over."""
    store = TinyStore(path)
    full(store)
    commit(store, a_step(a_case("C-9"), identity="in-9"))
    lines = (path / "journal").read_bytes().splitlines(keepends=True)
    store_files = copied(path, "killed")
    store.close()
    for at in range(len(lines)):
        damaged = [*lines]
        damaged[at] = damaged[at].replace(b"2026", b"2027", 1).replace(b'"revision":', b'"revisiom":', 1)
        (store_files / "journal").write_bytes(b"".join(damaged))
        with pytest.raises(StateError, match=rf"journal is damaged in line {at + 1}.*backup"):
            TinyStore(store_files)


# ---------------------------------------------------------------- the index


def test_the_index_may_be_deleted_at_any_time(path):
    """The index is derived: without it, with a broken one or with another's, the answers are the same."""
    store = TinyStore(path)
    before = full(store)
    store.close()
    assert reopened(path) == before
    for content in (None, b"", b"no database" * 999, (path / "index.db").read_bytes()[:5000]):
        (path / "index.db").unlink()
        if content is not None:
            (path / "index.db").write_bytes(content)
        assert reopened(path) == before


def test_the_index_breaks_while_it_is_used(path):
    """A broken index costs one refused call; the next one makes it anew."""
    store = TinyStore(path)
    before = full(store)
    store._shelf._index._db.execute("DROP TABLE keys")
    with pytest.raises(StateError, match=r"index\.db"):
        store.find(["out-1@x"])
    assert told(store) == before
    store.close()


def test_a_restored_backup_is_noticed(path):
    """C5: after yesterday's files were put back, yesterday's answers are given, whatever the index remembers."""
    store = TinyStore(path)
    before = full(store)
    store.close()
    backup = copied(path, "backup")
    store = TinyStore(path)
    commit(store, a_step(changed(store.case("C-1"), state="quoted", subject="x"), identity="in-5"))
    commit(store, a_step(a_case("C-5", number=a_number("RMA-5")), identity="in-6"))
    store.close()
    for folder in ("cases", "archive", "notes", "ledger"):
        shutil.rmtree(path / folder)
        shutil.copytree(backup / folder, path / folder)
    shutil.copy2(backup / "facts.json", path / "facts.json")
    assert reopened(path) == before


# ---------------------------------------------------------------- what lies there


def test_a_person_can_read_the_folder(path):
    """One TinyDB file a case, closed ones in the archive of their year, the ledger month by month, for our eyes only."""
    store = TinyStore(path)
    full(store)
    store.mark(a_reply("note-1@x", state="sent"))
    store.close()
    found = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    note = next(name for name in found if name.startswith("archive/2026/note-"))
    assert found == {
        *("archive/2026/C-2.json", "cases/C-1.json", "facts.json", "meta.json", "lock", "journal", "index.db", note),
        *("ledger/2026-11.jsonl", "ledger/2026-12.jsonl"),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert json.loads((path / "cases/C-1.json").read_text())["dossiers"]["1"]["case"]["sender"] == "kim@acme.example"
    with tinydb.TinyDB(path / "cases/C-1.json", access_mode="r") as db:
        assert db.table("dossiers").get(tinydb.where("id") == "C-1")["case"]["state"] == "asking"
    assert (path / "journal").stat().st_size == 0


def test_a_closed_case_moves_to_the_archive_when_its_last_mail_is_sent(path):
    """What still has to be sent is not put away."""
    store = TinyStore(path)
    commit(store, a_step(a_case(state="closed", replies=(a_reply(),))))
    assert (path / "cases/C-1.json").exists()
    store.mark(a_reply(state="sent"))
    store.checkpoint()
    assert not (path / "cases/C-1.json").exists()
    assert (path / "archive/2026/C-1.json").exists()
    commit(store, a_step(changed(store.case("C-1"), state="authorized")))
    assert (path / "cases/C-1.json").exists()
    assert not (path / "archive/2026/C-1.json").exists()
    store.close()


def test_killed_while_a_case_was_moved(path):
    """A case that lies in two folders after a kill is the newer one, once."""
    store = TinyStore(path)
    commit(store, a_step(a_case()))
    old = (path / "cases/C-1.json").read_bytes()
    commit(store, a_step(a_case(state="expired")))
    store.close()
    (path / "cases/C-1.json").write_bytes(old)
    assert [case.state for case in reopened(path)["cases"]] == ["expired"]
    assert not (path / "cases/C-1.json").exists()


@pytest.mark.parametrize("start", ["none", "empty", "gitkeep"])
def test_a_new_state(path, start):
    """A folder that is missing, empty, or holds a lone .gitkeep is where a new state begins."""
    if start != "none":
        path.mkdir()
    if start == "gitkeep":
        (path / ".gitkeep").touch()
    assert reopened(path)["cases"] == []
    assert reopened(path, read_only=True)["cases"] == []


def test_a_start_that_was_cut_short(path):
    """A new state whose making was interrupted is made again."""
    TinyStore(path).close()
    for name in ("meta.json", "journal", "index.db"):
        (path / name).unlink()
    assert reopened(path)["cases"] == []


@pytest.mark.parametrize("name", ["meta.json", "facts.json", "cases", "archive", "ledger"])
def test_mailbot_never_starts_empty_over_something(path, name):
    """A state of which a part is missing is refused; it is not begun anew (promise 8)."""
    store = TinyStore(path)
    full(store)
    store.close()
    lost = path / name
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    for read_only in (False, True):
        with pytest.raises(StateError, match=rf"(?s){name}.*backup"):
            TinyStore(path, read_only=read_only)


def test_cases_that_are_gone_stop_the_start(path):
    """A ledger that names cases, and not one case: something is wrong."""
    store = TinyStore(path)
    full(store)
    store.close()
    for file in (*path.glob("cases/*"), *path.glob("archive/*/*")):
        file.unlink()
    with pytest.raises(StateError, match="holds none"):
        TinyStore(path)


def test_a_newer_state_is_refused(path):
    """C3: a state that a newer mailbot wrote is left alone."""
    TinyStore(path).close()
    (path / "meta.json").write_text('{"format": 2}')
    with pytest.raises(StateError, match=r"written by a newer mailbot \(format 2\); install that version or restore"):
        TinyStore(path)
    (path / "meta.json").write_text('{"format"')
    with pytest.raises(StateError, match=r"meta\.json is damaged; restore it from a backup"):
        TinyStore(path)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "other", "not tinydb"])
def test_a_damaged_case_is_refused(path, harm):
    """C3: a damaged file stops the start, with its name and how to mend it; once it is mended all is well."""
    store = TinyStore(path)
    before = full(store)
    store.close()
    file = path / "cases/C-1.json"
    content = file.read_bytes()
    (path / "elsewhere").mkdir()
    for read_only in (False, True):
        file.write_bytes(
            {
                "cut": content[:-20],
                "flip": content.replace(b"asking", b"quoted", 1),
                "empty": b"",
                "other": (path / "archive/2026/C-2.json").read_bytes(),
                "not tinydb": b"[]",
            }[harm]
        )
        with pytest.raises(
            StateError, match=r"cases/C-1\.json is damaged.*Restore this file from a backup, or move it"
        ):
            TinyStore(path, read_only=read_only)
        file.write_bytes(content)
        assert reopened(path, read_only=read_only) == before
    file.rename(path / "elsewhere/C-1.json")
    assert [case.id for case in reopened(path)["cases"]] == ["C-2"]


def test_a_case_is_damaged_while_mailbot_runs(path):
    """Damage that happens while the daemon runs is found when the case is read, and named."""
    store = TinyStore(path)
    full(store)
    store._shelf._cache.clear()
    (path / "cases/C-1.json").write_bytes(b"{")
    with pytest.raises(StateError, match=r"cases/C-1\.json is damaged"):
        store.case("C-1")
    with pytest.raises(StateError, match=r"cases/C-1\.json is damaged"):
        store.close()


def test_every_damaged_line_of_the_ledger_is_refused(path):
    """C3: a line of the ledger that cannot be read any more could let a mail take effect twice."""
    store = TinyStore(path)
    full(store)
    store.close()
    file = path / "ledger/2026-11.jsonl"
    content = file.read_bytes()
    for damaged in (content[:-1], content.replace(b"in-1", b"in-7", 1), content.replace(b"in-2", b"in-7", 1)):
        file.write_bytes(damaged)
        with pytest.raises(StateError, match=r"2026-11\.jsonl is damaged in line [12]\. Restore"):
            TinyStore(path)


def test_a_power_cut_leaves_files_unfinished(path):
    """Files that were replaced without waiting may be empty after a power cut: the journal has them whole."""
    store = TinyStore(path)
    before = full(store)
    copy = copied(path, "cut")
    store.close()
    for file in (*copy.glob("cases/*"), *copy.glob("archive/*/*"), *copy.glob("notes/*"), copy / "facts.json"):
        file.write_bytes(b"")
    ledger = copy / "ledger/2026-11.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-30])
    (copy / "index.db-wal").unlink(missing_ok=True)
    assert reopened(copy) == before


@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_at_any_moment(path, seed):
    """C3: after a power cut everything committed is there, whatever the disk had not yet taken of the files."""
    chance = random.Random(seed)
    store, memory = TinyStore(path), MemoryStore()
    on_disk = {}
    for turn in range(40):
        something(chance, turn, (store, memory))
        if chance.random() < 0.15:
            store.checkpoint()
        if not store._shelf._unsynced:
            on_disk = {file.name: file.stat().st_size for file in path.glob("ledger/*")}
        if chance.random() < 0.3:
            store.rollback()
            memory.rollback()
            cut = copied(path, "cut")
            for name in sorted(store._shelf._unsynced):
                _lose(chance, cut / name, on_disk.get(Path(name).name, 0))
            with (cut / "journal").open("ab") as journal_file:
                journal_file.write(chance.choice([b"", b"0123", bytes(99), b"0" * 16 + b' {"x"']))
            assert reopened(cut) == told(memory)
            shutil.rmtree(cut)
    store.close()


def _lose(chance, file, size_on_disk):
    """What was written and not waited for is lost, or a part of it is."""
    if not file.exists():
        return
    content = file.read_bytes()
    if file.suffix == ".jsonl":
        kept = chance.randrange(size_on_disk, len(content) + 1)
        file.write_bytes(content[:kept] + chance.choice([b"", bytes(len(content) - kept)]))
    elif chance.random() < 0.5:
        file.write_bytes(chance.choice([b"", content[:50], bytes(100)]))
    elif chance.random() < 0.3 and file.name != "facts.json":
        file.unlink()


def test_a_case_id_is_a_file_name(path):
    """No id leads out of the folder."""
    store = TinyStore(path)
    for case_id in ("../x", "", "a/b", "facts", "note-1", ".x", "x" * 101, "a\0"):
        with pytest.raises(ValueError, match="cannot be a case's id"):
            store.stage(a_step(a_case(case_id)))
    store.close()


def test_what_cannot_be_stored_harms_nobody_else(path):
    """A step with a text that is no Unicode is refused when it is staged; the rest of the batch goes on."""
    store = TinyStore(path)
    store.stage(a_step(a_case("C-1")))
    for broken in (a_case("C-2", subject="\udc80"), a_case("C-2", state="nowhere")):
        with pytest.raises(ValueError, match=r"surrogate|enum"):
            store.stage(a_step(broken, identity="in-2"))
    store.commit()
    assert [case.id for case in store.cases()] == ["C-1"]
    assert not store.seen("in-2")
    store.close()


# ---------------------------------------------------------------- who may


def test_a_second_process_is_refused(path):
    """C6: one process works on a state; another is told which one has it."""
    store = TinyStore(path)
    with pytest.raises(StateError, match=f"in use by process {os.getpid()}; stop it or use another state folder"):
        TinyStore(path)
    store.close()
    TinyStore(path).close()


def test_reading_while_another_works(path):
    """`mailbot cases` works while the daemon runs, and writes nothing."""
    store = TinyStore(path)
    before = full(store)
    files = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    reader = TinyStore(path, read_only=True)
    assert told(reader) == before
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == files
    commit(store, a_step(changed(store.case("C-1"), state="closed", replies=(a_reply(state="sent"),))))
    store.checkpoint()
    reader._shelf._cache.clear()
    assert reader.case("C-1").state == "closed"  # it has moved to the archive meanwhile
    for write in (
        lambda: reader.stage(a_step(a_case())),
        lambda: reader.set_fact("a", "b"),
        lambda: reader.mark(a_reply()),
    ):
        with pytest.raises(StateError, match="opened to read only"):
            write()
    reader.close()
    store.close()


def test_a_reader_makes_no_state(path):
    """Looking at a state that is not there makes none."""
    assert reopened(path, read_only=True)["cases"] == []
    assert not path.exists()


# ---------------------------------------------------------------- the disk


@pytest.mark.parametrize("call", ["write", "fdatasync", "open", "replace", "fsync", "truncate"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_the_disk_fails(path, monkeypatch, call, number):
    """C4: whatever the disk refuses, a commit is wholly there or not at all, and mailbot goes on when the disk does."""
    store = TinyStore(path)
    full(store)
    for turn in range(8):
        before = told(store)
        broken = _Broken(getattr(os, call), number, after=turn)
        reply = a_reply(f"out-1{turn}", at=after(minutes=turn))
        case = a_case(f"C-1{turn}", state="closed", number=a_number(f"RMA-1{turn}"), replies=(reply,))
        with monkeypatch.context() as patched:
            patched.setattr(os, call, broken)
            try:
                commit(store, a_step(case, identity=f"in-1{turn}"))
                done = True
            except StateError as error:
                assert os.strerror(number) in str(error)  # noqa: PT017 - both ends are right, each with its consequences
                done = False
            store.rollback()
            if done:
                _tried(store, functools.partial(store.mark, changed(reply, state="sent")))
            _tried(store, store.checkpoint)
        now = told(store)
        assert [found.id for found in now["cases"] if found.id == case.id] == ([case.id] if done else [])
        assert store.seen(f"in-1{turn}") == done
        if not done:
            assert now == before
        assert reopened(copied(path, f"{call}{turn}")) == now
    store.close()


def _tried(store, action):
    try:
        action()
    except StateError:
        store.rollback()


class _Broken:
    """A call to the system that fails from some time on."""

    def __init__(self, call, number, *, after):
        self._call, self._number, self._left = call, number, after

    def __call__(self, *values, **named):
        self._left -= 1
        if self._left < 0:
            raise OSError(self._number, os.strerror(self._number))
        return self._call(*values, **named)


def test_a_lost_batch_is_never_committed_in_silence(path):
    """What was staged before the index broke cannot be committed as if it were there."""
    store = TinyStore(path)
    store.stage(a_step(a_case()))
    store._shelf._index._db.execute("DROP TABLE seen")
    with pytest.raises(StateError):
        store.seen("x")
    with pytest.raises(StateError, match="what was staged is lost"):
        store.stage(a_step(a_case("C-2")))
    with pytest.raises(StateError, match="what was staged is lost"):
        store.commit()
    assert list(store.cases()) == []
    commit(store, a_step(a_case()))
    assert [case.id for case in store.cases()] == ["C-1"]
    store.close()


def test_the_journal_stays_short(path, monkeypatch):
    """A checkpoint comes by itself, so that a start after a kill is quick."""
    monkeypatch.setattr(shelf, "JOURNAL_LIMIT", 20_000)
    store = TinyStore(path)
    for i in range(60):
        commit(
            store, a_step(a_case(f"C-{i}", opened_at=after(seconds=i), replies=(a_reply(f"out-{i}", raw="x" * 999),)))
        )
        assert (path / "journal").stat().st_size < 25_000
    for reply in list(store.unsent(NOON)):
        store.mark(changed(reply, state="sent"))
        assert (path / "journal").stat().st_size < 25_000
    assert len(store.open_cases(RMA, ["AH2F10"])) == 60
    store.close()
