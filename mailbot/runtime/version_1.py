"""Reads a state folder of version 1 (cases/, notes/, archive/, ledger/, facts.json, journal), to copy it into a store.

It knows the stored names of version 1 as text, so that today's model may change. **When a field of the model is renamed or
moved, add a line to ``RENAMED`` below**; ``tests/data/state-version-1`` shows whether it is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mailbot.model import Case, MailRecord, Reply
from mailbot.runtime.store import rows
from mailbot.runtime.store.errors import StateError
from mailbot.runtime.store.rows import Row

RENAMED: dict[str, dict[str, str]] = {
    "Case": {"items": "units", "wishes": "special_requests"},
    "CaseItem": {"disguised": "answered_as_unknown", "hidden": "staff_only", "resumes": "resume_state"},
    "Request": {"items": "units", "wishes": "special_requests"},
    "Verdict": {"disguised": "answered_as_unknown", "hidden": "staff_only"},
    "Decision": {"rulings": "command_results", "told": "answer_key"},
    "Quote": {"offered": "pending_order"},
    "Reply": {"doubts": "ambiguous_attempts"},
    "Event:ignored": {"because": "reason"},
}
"""Struct of version 1: {its field: today's field}. Example: {"Decision": {"told": "answer_key"}}."""

TAGS = {"staff_said": "staff_message", "came_due": "deadlines_reached"}
"""The type of an event in version 1: today's type."""

NESTED: dict[str, dict[str, str]] = {
    "Case": {
        "items": "CaseItem", "number": "Number", "quotes": "Quote", "deadlines": "Deadline", "tokens": "Token",
        "pending": "Pending", "credit": "Price", "fee": "Price", "inbound": "Parcel", "outbound": "Parcel",
        "charges": "Charge", "history": "Entry", "replies": "Reply",
    },
    "Entry": {"event": "Event", "decision": "Decision"},
    "Event": {"mail": "Wrote", "request": "Request", "bounce": "Bounce"},
    "Request": {"items": "Item", "foreign": "Item", "order": "Order", "parcel": "Parcel", "commands": "Command"},
    "Order": {"totals": "Price"},
    "Command": {"prices": "Price", "parcel": "Parcel"},
    "Decision": {"stamp": "Stamp", "facts": "Fact", "verdicts": "Verdict", "rulings": "Ruling"},
    "Verdict": {"facts": "Fact", "charges": "Charge", "number": "Number"},
    "Ruling": {"command": "Command"},
    "Quote": {"charges": "Charge"},
    "Token": {"commands": "Command"},
    "Pending": {"commands": "Command"},
}  # fmt: skip
"""Struct of version 1: {its field: the struct in it}. An event's struct is also known by its tag ("Event:ignored")."""


def renamed(value: Any, struct: str) -> Any:
    """Return a stored value of version 1 with today's field names."""
    if isinstance(value, list):
        return [renamed(each, struct) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") in TAGS:
        value = {**value, "type": TAGS[value["type"]]}
    names = RENAMED.get(struct, {}) | RENAMED.get(f"{struct}:{value.get('type')}", {})
    nested = NESTED.get(struct, {})
    return {names.get(name, name): renamed(field, nested.get(name, "")) for name, field in value.items()}


def contents(folder: Path) -> tuple[dict[str, list[Row]], int]:
    """Return the rows of every table, and the last sequence of RMA numbers.

    Raises:
        StateError: something in the folder is damaged, or of another version.
    """
    try:
        bodies, records = _read(folder)
        found: dict[str, list[Row]] = {
            name: [] for name in ("cases", "case_keys", "numbers", "replies", "contents", "mails", "facts")
        }
        facts = bodies.pop("facts")
        for case_id, body in sorted(bodies.items()):
            if "case" in body:
                _add_case(found, case_id, body)
            for note in body.get("notes", ()):
                _add_replies(found, [msgspec.convert(renamed(note, "Reply"), Reply)], None)
    except (KeyError, msgspec.MsgspecError, OSError) as error:
        raise StateError(f"{folder} is damaged ({error!r}); restore it from a backup") from error
    for row in found["replies"]:
        row["worker"] = 0 if row["state"] == "sending" else None
    found["replies"].sort(key=lambda row: row["created_at"])
    found["mails"] = [
        rows.mail_row(msgspec.convert(renamed(record, "Record"), MailRecord)) for record in records.values()
    ]
    found["facts"] = [{"name": name, "value": value} for name, value in facts.get("facts", {}).items()]
    return found, facts.get("sequence", 0)


def _add_case(found: dict[str, list[Row]], case_id: str, body: Any) -> None:
    case = msgspec.convert(renamed(body["case"], "Case"), Case)
    numbers = [rows.name_key(text) for text in body.get("numbers", ())]
    found["cases"].append({**rows.case_row(case, rows.encode_case(case)), "revision": 1})
    found["case_keys"] += [{"case_id": case_id, "key": key} for key in sorted(rows.case_keys(case) | {*numbers})]
    found["numbers"] += [{"number": number, "case_id": case_id} for number in numbers]
    _add_replies(found, case.replies, case_id)


def _add_replies(found: dict[str, list[Row]], replies: Sequence[Reply], case_id: str | None) -> None:
    found["replies"] += [rows.reply_row(reply, case_id) for reply in replies]
    found["contents"] += map(rows.content_row, replies)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return documents by id and log lines by identity, as the files and then the journal tell them."""
    if msgspec.json.decode((folder / "meta.json").read_bytes()) != {"format": 1}:
        raise StateError(f"{folder / 'meta.json'} names no state of version 1")
    bodies: dict[str, Any] = {}
    for path in (
        folder / "facts.json",
        *folder.glob("cases/*.json"),
        *folder.glob("notes/*"),
        *folder.glob("archive/*/*.json"),
    ):
        body = _sealed(msgspec.json.decode(path.read_bytes())["dossiers"]["1"], path)
        if body["revision"] > bodies.get(body["id"], {"revision": 0})["revision"]:
            bodies[body["id"]] = body
    records: dict[str, Any] = {}
    for path in sorted(folder.glob("ledger/*.jsonl")):
        for line in path.read_bytes().splitlines():
            record = _sealed(msgspec.json.decode(line), path)
            records[record["identity"]] = record
    for entry in _journal(folder / "journal"):
        _apply(entry, bodies)
        records.update(
            {record["identity"]: record for record in entry.get("records", ()) if record["identity"] not in records}
        )
    return bodies, records


def _apply(entry: Any, bodies: dict[str, Any]) -> None:
    for body in entry.get("dossiers", ()):
        if body["revision"] > bodies.get(body["id"], {"revision": 0})["revision"]:
            bodies[body["id"]] = body
    mark = entry.get("mark")
    if mark and mark["revision"] > bodies[mark["id"]]["revision"]:
        body = bodies[mark["id"]]
        body["revision"] = mark["revision"]
        for replies in (body.get("case", {}).get("replies", ()), body.get("notes", ())):
            for at, reply in enumerate(replies):
                if reply["message_id"] == mark["reply"]["message_id"]:
                    replies[at] = {**mark["reply"], "raw": reply["raw"]}


def _journal(path: Path) -> Iterator[Any]:
    """Yield the entries of the journal. Only its end may be torn."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    whole = [_entry(line) for line in lines]
    end = next((at for at, entry in enumerate(whole) if entry is None), len(whole))
    if any(whole[end:]):
        raise StateError(f"{path} is damaged in line {end + 1}; restore the folder from a backup")
    yield from whole[:end]


def _entry(line: bytes) -> Any:
    digest, _, text = line.partition(b" ")
    whole = text and digest == hashlib.blake2b(text, digest_size=8).hexdigest().encode()
    return msgspec.json.decode(text) if whole else None


def _sealed(body: Any, path: Path) -> Any:
    """Return a document or log line whose digest is right."""
    plain = {name: value for name, value in body.items() if name != "digest"}
    text = msgspec.json.encode(plain, order="sorted")
    if body["digest"] != hashlib.blake2b(text, digest_size=12).hexdigest():
        raise StateError(f"{path} is damaged: it does not match its digest; restore it from a backup")
    return plain
