"""A state of version 1 is copied, whole, into every store of today; opened directly, it says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec import inspect
from support.stores import after, ledger, pending, unsent

from mailbot import model
from mailbot.runtime import version_1
from mailbot.runtime.state_tools import check, copy
from mailbot.runtime.store import StateError, open_store

OLD = Path(__file__).parents[1] / "data" / "state-version-1"


@pytest.fixture(params=["memory", "tinydb", "postgresql"])
def target(request, tmp_path):
    url = {"memory": "memory:", "tinydb": f"tinydb:{tmp_path / 'new'}"}.get(request.param)
    store = open_store(url or request.getfixturevalue("a_postgres").new_database())
    yield store
    store.close()


def test_a_closed_state_is_copied(target):
    """Cases, archive, a note to staff, a deferred reply, facts, the log and the sequence."""
    assert copy(OLD / "closed", target) == 3
    cases = {case.id: case for case in target.cases()}
    assert {case.state for case in cases.values()} == {"authorized", "withdrawn", "held"}
    numbered = next(case for case in cases.values() if case.number)
    assert numbered.number.text == "RMA-2026000014"
    assert target.find([], ["rma-2026000014"]) == (numbered,)
    assert target.next_sequence() == 2
    assert target.get_fact("first uid of rma@portwell.example") == "17 0 2026-11-20"
    assert [record.message_id for record in ledger(target)] == [
        "m1@acme.example", "m2@acme.example", "m4@acme.example", None, "m6@acme.example",
    ]  # fmt: skip
    assert [record.folder for record in ledger(target)].count("Attention") == 1
    assert pending(target) == 1
    [deferred] = unsent(target, after(days=1))
    assert (deferred.state, deferred.attempts, deferred.note) == ("deferred", 1, "450 later")
    assert deferred.raw.startswith("From: ")
    assert deferred.message_id in {reply.message_id for case in cases.values() for reply in case.replies}
    assert all(reply.state == "sent" for reply in numbered.replies)
    assert check(target) == []


def test_a_killed_state_is_copied_with_its_journal(target, tmp_path):
    """What only the journal of a killed process holds is copied too: marks of deliveries, the last case."""
    assert copy(OLD / "killed", target) == 2
    assert (OLD / "killed" / "journal").stat().st_size
    assert [record.message_id for record in ledger(target)] == ["m2@acme.example", "m6@acme.example"]
    states = sorted(reply.state for case in target.cases() for reply in case.replies)
    assert states == ["deferred", "sent", "sent", "sent"]
    assert pending(target) == 1
    assert check(target) == []


def test_a_torn_journal_is_read_to_its_end_and_a_broken_one_refused(tmp_path):
    """Only the end of the journal may be torn by a power cut."""
    old = Path(shutil.copytree(OLD / "killed", tmp_path / "old"))
    lines = (old / "journal").read_bytes().splitlines(keepends=True)
    (old / "journal").write_bytes(b"".join(lines) + b"0123 {half")
    assert copy(old, open_store()) == 2
    (old / "journal").write_bytes(b"".join([lines[0], b"x" + lines[1], *lines[2:]]))
    with pytest.raises(StateError, match=r"journal is damaged in line 2; restore"):
        copy(old, open_store())


def test_a_damaged_file_of_version_1_is_refused(tmp_path):
    """A flipped state in a case file is found by its digest."""
    old = Path(shutil.copytree(OLD / "closed", tmp_path / "old"))
    file = next((old / "cases").iterdir())
    file.write_bytes(file.read_bytes().replace(b"authorized", b"withdrawn_", 1).replace(b'"held"', b'"ordr"', 1))
    with pytest.raises(StateError, match=r"is damaged: it does not match its digest"):
        copy(old, open_store())


def test_every_field_of_version_1_has_a_place():
    """``fields.json`` lists each struct that version 1 stored, by its name today, with its tag and fields."""
    for struct, stored in json.loads((OLD / "fields.json").read_text()).items():
        tag = {"type": stored["tag"]} if stored["tag"] else {}
        kind = inspect.type_info(getattr(model, struct))
        placed = version_1.renamed(dict.fromkeys(stored["fields"]) | tag, inspect.UnionType((kind,)))
        assert len(placed) == len(stored["fields"]) + len(tag)


def test_a_stored_field_is_never_lost_silently(monkeypatch):
    """A field of version 1 that has no place in today's model is named, so that a forgotten rename is found."""
    for struct, names in version_1.RENAMED.items():
        for old, new in names.items():
            left = {each: today for each, today in names.items() if each != old}
            assert new in getattr(model, struct).__struct_fields__
            with monkeypatch.context() as forgotten:
                forgotten.setitem(version_1.RENAMED, struct, left)
                with pytest.raises(StateError, match=rf"version 1 stored {struct}\.{old}, which has no place today"):
                    version_1.converted({old: None} | _TAGS.get(struct, {}), getattr(model, struct))
    with pytest.raises(StateError, match=r"version 1 stored Quote\.lost"):
        version_1.converted({"quotes": [{"lost": 1}]}, model.Case)
    with pytest.raises(StateError, match=r"version 1 stored Ignored\.lost"):
        version_1.converted({"history": [{"event": {"type": "ignored", "lost": 1}}]}, model.Case)


_TAGS = {"Ignored": {"type": "ignored"}}


@pytest.mark.parametrize("read_only", [False, True])
def test_a_state_of_version_1_is_not_opened(tmp_path, read_only):
    """Opening it says how to copy it, and changes nothing."""
    old = Path(shutil.copytree(OLD / "closed", tmp_path / "old"))
    before = sorted(old.rglob("*"))
    with pytest.raises(StateError, match=r"state of version 1\. Copy it into a new one: `mailbot state copy"):
        open_store(f"tinydb:{old}", read_only=read_only)
    assert sorted(old.rglob("*")) == before


def test_a_state_is_copied_between_stores(tmp_path, a_postgres):
    """From a folder to PostgreSQL and back: the same cases, replies, log, facts and sequence; never into a used one."""
    first, second, third = (
        open_store(f"tinydb:{tmp_path / 'a'}"), open_store(a_postgres.new_database()), open_store(f"tinydb:{tmp_path / 'b'}"),
    )  # fmt: skip
    copy(OLD / "closed", first)
    copy(first, second)
    copy(second, third)
    for store in (second, third):
        assert list(store.cases()) == list(first.cases())
        assert ledger(store) == ledger(first)
        assert unsent(store, after(days=1)) == unsent(first, after(days=1))
        assert store.get_fact("first uid of rma@portwell.example")
        assert store.next_sequence() == 2
        assert check(store) == []
    with pytest.raises(StateError, match="is not empty; copy into a new state"):
        copy(first, third)
    for store in (first, second, third):
        store.close()
