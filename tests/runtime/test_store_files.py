"""The store in a folder: killed, without power, damaged, of another version, read while it works, on a full disk."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import tinydb
from support.stores import NOON, RMA, a_case, a_deadline, a_number, a_reply, a_step, after, changed, commit, ledger, told

from mailbot.runtime import files
from mailbot.runtime.state_tools import check, export
from mailbot.runtime.store import StateError, UnavailableError, lock_folder, open_store, schema

WORKER = Path(__file__).parents[1] / "support" / "store_worker.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def opened(path, **how):
    return open_store(f"tinydb:{path}", **how)


def full(store):
    """Some of everything; C-2 goes to the archive."""
    commit(
        store,
        a_step(
            a_case("C-1", replies=(a_reply(),), number=a_number("RMA-1"), deadlines=(a_deadline(after(days=3)),)), identity="in-1"
        ),
        a_step(a_case("C-2", emails=("in-2@y",), state="expired"), identity="in-2"),
        a_step(replies=(a_reply("note-1@x", at=after(hours=1)),), identity="in-3", at=after(days=30)),
    )
    store.set_fact("uid", "17")
    store.commit()
    return told(store)


def filled(path):
    store = opened(path)
    before = full(store)
    store.close()
    return before


def reopened(path, **how):
    store = opened(path, **how)
    try:
        return told(store)
    finally:
        store.close()


# ---------------------------------------------------------------- the files


def test_cases_are_tinydb_files(path):
    """A person can open a case with TinyDB; what is over and sent lies in the archive of its year; nothing is kept twice."""
    store = opened(path)
    full(store)
    with tinydb.TinyDB(path / "cases/C-1.json", access_mode="r") as file:
        assert file.all()[0]["case"]["state"] == "asking"
    store.checkpoint()
    assert [file.name for file in (path / "archive/2026").iterdir()] == ["C-2.json"]
    with tinydb.TinyDB(path / "archive/2026/C-2.json", access_mode="r") as file:
        [document] = file.all()
    assert (document["version"], document["case"]["id"]) == (schema.VERSION, "C-2")
    assert "raw" not in str(document)
    assert store.database.value("SELECT count(document) FROM cases") == 0
    commit(store, a_step(changed(store.case("C-2"), state="authorized")))
    assert not list((path / "archive/2026").iterdir())
    assert (path / "cases/C-2.json").exists()
    assert check(store) == []
    store.close()


def test_the_folder_is_private(path):
    """Customers' mail is readable by the owner alone."""
    filled(path)
    assert all(not file.stat().st_mode & 0o077 for file in (path, path / "mailbot.db", path / "cases/C-1.json"))


def test_a_case_id_is_a_file_name(path):
    """No id leads out of the folder."""
    store = opened(path)
    for case_id in ("../x", "", "a/b", ".x", "x" * 101, "a\0"):
        with pytest.raises(ValueError, match="cannot be a case's id"):
            store.stage(a_step(a_case(case_id)))
    store.close()


def test_every_case_can_be_exported(path, tmp_path):
    """`mailbot state export` writes TinyDB files, into an empty folder only."""
    filled(path)
    store = opened(path, read_only=True)
    assert export(store, tmp_path / "out") == 2
    assert (tmp_path / "out/C-2.json").read_bytes() == (path / "archive/2026/C-2.json").read_bytes()
    with pytest.raises(StateError, match="is not empty"):
        export(store, tmp_path / "out")
    store.close()


# ---------------------------------------------------------------- kills and power cuts


@pytest.mark.parametrize("use", ["tinydb", "postgresql"])
def test_killed_at_any_moment(request, path, use):
    """C1: a process is killed again and again; what it acknowledged is there, once, and nothing is half there."""
    url = f"tinydb:{path}" if use == "tinydb" else request.getfixturevalue("a_postgres").new_database()
    chance = random.Random(7)
    committed, sent, kills = set(), set(), 0
    for turn in range(10):
        process = subprocess.Popen([sys.executable, WORKER, url, str(turn)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        with process:
            assert process.stdout.readline() == "open\n"
            lines, commits = [], chance.randint(3, 12)
            while sum(line.startswith("committed") for line in lines) < commits:
                lines.append(process.stdout.readline())
                assert lines[-1], "the worker ended by itself"
            timer = threading.Timer(chance.uniform(0, 0.02), process.send_signal, [signal.SIGKILL])
            timer.start()
            lines += process.stdout.read().split("\n")
            timer.join()
        kills += process.returncode == -signal.SIGKILL
        for word, *names in (line.split() for line in lines[:-1] if line.strip()):
            committed.update(names if word == "committed" else ())
            sent.update(names if word == "sent" else ())
        store = open_store(url)
        is_sound(store, committed, sent)
        store.close()
    assert kills == 10
    assert len(committed) > 20
    assert sent


def is_sound(store, committed, sent):
    cases = list(store.cases())
    ids = [case.id for case in cases]
    assert committed <= set(ids)
    numbers = [case.number.text for case in cases]
    assert len(numbers) == len(set(numbers)) == len(set(ids)) == len(ids)
    identities = [record.identity for record in ledger(store)]
    assert len(identities) == len(set(identities))
    for case in cases:
        assert f"in-{case.id.removeprefix('C-')}" in identities  # a case and the email it came from: both or neither
        assert case.subject.count("+") == sum(identity.startswith(f"again {case.id} ") for identity in identities)
    states = {reply.message_id: reply.state for case in cases for reply in case.replies}
    assert {states[message_id] for message_id in sent} <= {"sent"}
    assert store.next_sequence() not in {int(number.removeprefix("RMA-")) for number in numbers}
    assert check(store) == []


needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed: apt-get install strace")
_CALL = re.compile(r"(\w+)\((?:\d+<(.*?)>)?(.*)")


def observed(path, steps):
    """What a worker asks of the kernel, in order: (call, file or what was said)."""
    words = ["strace", "-f", "-y", "-s", "99", "-e", "trace=write,pwrite64,fsync,fdatasync,syncfs,rename,renameat,renameat2"]
    done = subprocess.run(
        [*words, sys.executable, WORKER, f"tinydb:{path}", "1", str(steps)],
        capture_output=True, text=True, env=ENVIRONMENT, check=True, timeout=60,
    )  # fmt: skip
    for line in done.stderr.splitlines():
        if found := _CALL.search(re.sub(r"^\[pid +\d+\] ", "", line)):
            call, file, rest = found.groups()
            said = rest.partition('"')[2] if file and "pipe" in file else Path(file or "").name
            yield call, rest if call.startswith("rename") else said


@needs_strace
def test_a_commit_is_on_the_disk_before_it_is_acknowledged(path):
    """Power cut: between the last write of a commit and its acknowledgement the write-ahead log is flushed."""
    unflushed, commits = True, 0
    for call, what in observed(path, 8):
        if call == "pwrite64" and what == "mailbot.db-wal":
            unflushed = True
        elif call in ("fdatasync", "fsync") and what == "mailbot.db-wal":
            unflushed = False
        elif call == "write" and what.startswith("committed"):
            assert not unflushed, "acknowledged, and not on the disk"
            commits += 1
            unflushed = True  # the next acknowledgement needs a flush of its own
    assert commits >= 5


@needs_strace
def test_a_document_leaves_the_database_after_its_file_is_on_the_disk(path):
    """Power cut: case files are flushed, with the names in their folder, before their rows are dropped."""
    calls = list(observed(path, 3))
    moves = [(at, what) for at, (call, what) in enumerate(calls) if call.startswith("rename") and "cases/C-" in what]
    rest = calls[moves[-1][0] :]
    syncs = [at for at, (call, what) in enumerate(rest) if call == "syncfs" or (call == "fsync" and what.endswith(".json"))]
    assert ("pwrite64", "mailbot.db-wal") in rest[syncs[-1] :], "the rows were dropped before the files were flushed"
    if all(call != "syncfs" for call, _ in rest):
        written = {re.search(r"/(C-\d+\.json)\"", what).group(1) for _, what in moves}
        assert written <= {what for call, what in rest if call == "fsync"}


def test_a_power_cut_leaves_files_unfinished(path):
    """Files that were replaced without a flush may be torn after a power cut: their rows have them whole."""
    store = opened(path)
    before = full(store)
    cut = Path(shutil.copytree(path, path.with_name("cut")))
    store.close()
    for file in cut.glob("cases/*"):
        file.write_bytes(b"")
    (cut / "cases/C-1.json").unlink()
    assert reopened(cut) == before
    assert check(opened(cut, read_only=True)) == []


def test_a_kill_between_the_move_and_its_note(path):
    """A case file that was moved to the archive, or back, is found where it is."""
    before = filled(path)
    (path / "archive/2026/C-2.json").rename(path / "cases/C-2.json")
    assert reopened(path) == before
    assert (path / "archive/2026/C-2.json").exists()


# ---------------------------------------------------------------- damage, other versions


@pytest.mark.parametrize("harm", ["cut", "edit", "empty", "other"])
def test_a_damaged_case_is_refused(path, harm):
    """C3: a damaged file is named, with how to fix it; the other cases and the email log can still be read."""
    before = filled(path)
    file = path / "cases/C-1.json"
    content = file.read_bytes()
    torn = {"cut": content[:-20], "edit": content.replace(b"asking", b"quoted", 1), "empty": b""}
    file.write_bytes(torn.get(harm, (path / "archive/2026/C-2.json").read_bytes()))
    for read_only in (False, True):
        store = opened(path, read_only=read_only)
        with pytest.raises(StateError, match=r"cases/C-1\.json.* is damaged: .*Restore it from a backup"):
            store.case("C-1")
        assert store.case("C-2")
        [finding] = check(store)
        assert "C-1.json" in finding
        store.close()
    file.write_bytes(content)
    assert reopened(path) == before


def test_a_missing_or_unknown_case_is_refused(path):
    """A case file that is gone, or that the database does not know, stops the start."""
    filled(path)
    file = path / "cases/C-1.json"
    file.rename(path / "kept")
    with pytest.raises(StateError, match=r"C-1\.json is missing; restore it from a backup"):
        opened(path)
    (path / "kept").rename(file)
    shutil.copy(file, path / "cases/C-9.json")
    with pytest.raises(StateError, match=r"C-9\.json is a case that mailbot\.db does not know.*Restore the whole folder"):
        opened(path)
    assert check(opened(path, read_only=True)) == [f"{path}/cases/C-9.json belongs to no case; move it away"]


@pytest.mark.parametrize("harm", ["empty", "garbage", "cut", "missing"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_database_is_refused(path, harm, read_only):
    """C3, promise 8: mailbot never starts empty in the place of a state."""
    filled(path)
    file = path / "mailbot.db"
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes({"empty": b"", "garbage": b"x" * 8192, "cut": content[:5000]}[harm])
    with pytest.raises(StateError, match=r"(?i)restore the (state )?folder from a backup"):
        told(opened(path, read_only=read_only))
    assert harm != "missing" or not file.exists()


def test_a_state_of_a_newer_version_is_refused(path):
    """C3: the text says what to do; nothing is changed."""
    filled(path)
    with sqlite3.connect(path / "mailbot.db") as database:
        database.execute("INSERT INTO schema_version VALUES (99)")
    database.close()
    for read_only in (False, True):
        with pytest.raises(StateError, match=r"newer mailbot \(schema version 99.*Install the newer version"):
            opened(path, read_only=read_only)


def test_a_state_of_an_older_version_is_migrated(path, monkeypatch):
    """A migration and its version are one transaction: one that fails changes nothing, the next start repeats it."""
    before = filled(path)

    def migration(run):
        run("UPDATE facts SET value = 'migrated' WHERE name = 'uid'")
        if broken:
            raise RuntimeError("broken")

    monkeypatch.setattr(schema, "VERSION", 3)
    monkeypatch.setattr(schema, "MIGRATIONS", {3: migration})
    with pytest.raises(StateError, match="start `mailbot run` once, which migrates it"):
        opened(path, read_only=True)
    broken = True
    with pytest.raises(RuntimeError):
        opened(path)
    broken = False
    monkeypatch.setattr(schema, "MIGRATIONS", {3: lambda _: None})
    assert reopened(path) == before
    assert reopened(path, read_only=True) == before


# ---------------------------------------------------------------- who may


def test_a_second_process_is_refused(path):
    """C6: one process works on a state; another is notified which one has it. A killed process lets go at once."""
    process = subprocess.Popen([sys.executable, WORKER, f"tinydb:{path}", "1"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    with process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StateError, match=f"in use by process {process.pid}; stop it or use another state folder"):
            opened(path)
        reader = opened(path, read_only=True)
        list(reader.cases())
        reader.close()
        with pytest.raises(StateError, match="in use by process"):
            lock_folder(path)
        process.kill()
    opened(path).close()


def test_reading_while_another_works(path):
    """Commands that only read see what is committed, and change nothing."""
    store = opened(path)
    before = full(store)
    reader = opened(path, read_only=True)
    assert told(reader) == before
    commit(store, a_step(changed(store.case("C-1"), state="closed", replies=(a_reply(state="sent"),))))
    store.checkpoint()
    assert reader.case("C-1").state == "closed"  # its file was moved to the archive meanwhile
    for write in (
        lambda: reader.stage(a_step(a_case())),
        lambda: reader.set_fact("a", "b"),
        lambda: reader.mark(a_reply(state="sent")),
    ):
        with pytest.raises(StateError):
            write()
    reader.close()
    store.close()


def test_a_reader_makes_no_state(path):
    """Looking at a state that does not exist makes none."""
    assert reopened(path, read_only=True)["cases"] == []
    assert not path.exists()


# ---------------------------------------------------------------- the disk


def test_a_full_disk_loses_nothing(path):
    """C4: a commit that the disk refuses is not there at all; the next one works when there is room again."""
    store = opened(path)
    before = full(store)
    pages = store.database.value("PRAGMA page_count")
    store.database.run(f"PRAGMA max_page_count = {pages + 2}")
    big = a_case("C-3", replies=(a_reply("big", raw="x" * 99_999),))
    with pytest.raises(UnavailableError, match="disk is full"):
        commit(store, a_step(big, identity="in-9"))
    assert told(store) == before
    with pytest.raises(UnavailableError, match="disk is full"):
        store.stage(a_step(a_case("C-5", subject="x" * 99_999)))
    with pytest.raises(StateError, match="what was staged is lost"):
        store.stage(a_step(a_case("C-4")))
    store.rollback()
    assert told(store) == before
    store.database.run("PRAGMA max_page_count = 99999")
    commit(store, a_step(big, identity="in-9"))
    assert store.recorded("in-9")
    store.close()


def test_a_case_file_that_cannot_be_written_is_written_later(path, monkeypatch):
    """C4: the commit is durable in the database; the file follows when the disk takes it."""
    store = opened(path)
    with monkeypatch.context() as broken:
        broken.setattr(files, "replace", _no_space)
        commit(store, a_step(a_case("C-1")))
        with pytest.raises(UnavailableError, match="No space left"):
            store.checkpoint()
        assert store.case("C-1")
    store.checkpoint()
    assert (path / "cases/C-1.json").exists()
    assert check(store) == []
    store.close()


def _no_space(*_):
    raise OSError(28, "No space left on device")


def test_what_cannot_be_stored_harms_nobody_else(path):
    """A step with a text that is no Unicode is refused when it is staged; the rest of the batch continues."""
    store = opened(path)
    store.stage(a_step(a_case("C-1")))
    for broken in (a_case("C-2", subject="\udc80"), a_case("C-2", state="nowhere")):
        with pytest.raises(ValueError, match=r"surrogate|enum"):
            store.stage(a_step(broken, identity="in-2"))
    store.commit()
    assert [case.id for case in store.cases()] == ["C-1"]
    assert not store.recorded("in-2")
    assert store.claim(NOON, [RMA]) == ()
    store.close()
