"""Reads a state folder of version 1 (cases/, notes/, archive/, ledger/, facts.json, journal), to copy it into a store.

It knows the stored names of version 1 as text, so that today's model may change. **When a field of the model is renamed, add
a line to ``RENAMED``**; a stored field that has no place in today's model is an error, which names struct and field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from mailbot.model import Case, MailRecord, Reply
from mailbot.runtime.store import StateError, rows
from mailbot.runtime.store.rows import Row
from mailbot.runtime.store.schema import COPIED

RENAMED: dict[str, dict[str, str]] = {
    "Case": {"items": "units", "wishes": "special_requests"},
    "CaseUnit": {
        "disguised": "answered_as_unknown", "hidden": "staff_only", "resumes": "resume_state",
        "unrepairable": "not_repairable", "charged": "billed",
    },
    "Request": {
        "items": "units", "wishes": "special_requests", "parcel": "shipment", "adds": "adds_units",
        "instead": "corrected_serial", "corrects": "corrects_serial", "renews": "renews_number",
    },
    "Verdict": {"disguised": "answered_as_unknown", "hidden": "staff_only", "shown": "shown_clauses"},
    "Decision": {"rulings": "command_results", "told": "answer_key"},
    "CommandResult": {"why": "reason"},
    "Command": {"parcel": "shipment"},
    "Quote": {"on": "issued_on", "offered": "pending_order"},
    "Deadline": {"on": "due_on", "ends": "is_final"},
    "Reply": {"doubts": "ambiguous_attempts", "letter": "template"},
    "MailReference": {"others": "other_recipients"},
    "Ignored": {"because": "reason"},
}  # fmt: skip
"""Today's struct: {the name of a field in version 1: its name today}. Example: {"Decision": {"told": "answer_key"}}."""

TAGS = {"staff_said": "staff_message", "came_due": "deadlines_reached"}
"""The type of an event in version 1: today's type."""

_Value = TypeVar("_Value")


def converted(value: Any, kind: type[_Value]) -> _Value:
    """Return a stored value of version 1 as one of today's model.

    Raises StateError for a field that today's model has not, msgspec.ValidationError for a value of another type.
    """
    return msgspec.convert(renamed(value, inspect.type_info(kind)), kind)


def renamed(value: Any, info: Any) -> Any:
    """Return a stored value with today's names, guided by today's type, an ``inspect.Type`` of msgspec.

    Raises StateError: it has a field that today's model has not.
    """
    if isinstance(info, inspect.UnionType):
        if isinstance(value, dict) and "type" in value:
            value = {**value, "type": TAGS.get(value["type"], value["type"])}
        return renamed(value, next((each for each in info.types if _is_of(value, each)), None))
    if isinstance(info, inspect.StructType) and isinstance(value, dict):
        names, kinds = RENAMED.get(info.cls.__name__, {}), {each.encode_name: each.type for each in info.fields}
        fields = {names.get(str(name), str(name)): each for name, each in value.items()}
        for name in fields.keys() - kinds.keys() - {info.tag_field or ""}:
            raise StateError(f"version 1 stored {info.cls.__name__}.{name}, which has no place today; add it to RENAMED")
        return {name: renamed(each, kinds.get(name)) for name, each in fields.items()}
    if isinstance(info, inspect.VarTupleType) and isinstance(value, list):
        return [renamed(each, info.item_type) for each in value]
    return value


def _is_of(value: Any, info: Any) -> bool:
    if isinstance(info, inspect.StructType) and isinstance(value, dict):
        return info.tag is None or info.tag == value.get("type")
    return isinstance(info, inspect.VarTupleType) and isinstance(value, list)


def contents(folder: Path) -> dict[str, list[Row]]:
    """Return the rows of every table.

    Raises StateError: something in the folder is damaged, of another version, or has no place in today's model.
    """
    found: dict[str, list[Row]] = {table.name: [] for table in COPIED}
    try:
        bodies, records = _read(folder)
        facts = bodies.pop("facts")
        for case_id, body in sorted(bodies.items()):
            if "case" in body:
                _add_case(found, case_id, body, facts.get("sequence", 0))
            _add_replies(found, [converted(note, Reply) for note in body.get("notes", ())], None)
        found["mail_log"] = [rows.mail_row(converted(record, MailRecord)) for record in records.values()]
    except (KeyError, msgspec.MsgspecError, OSError) as error:
        raise StateError(f"{folder} is damaged ({error!r}); restore it from a backup") from error
    found["replies"].sort(key=lambda row: row["created_at"])
    found["facts"] = [{"name": name, "value": value} for name, value in facts.get("facts", {}).items()]
    return found


def _add_case(found: dict[str, list[Row]], case_id: str, body: Any, sequence: int) -> None:
    case = converted(body["case"], Case)
    numbers = [rows.key(text, "name") for text in body.get("numbers", ())]
    found["cases"].append(rows.case_row(case, rows.encode_case(case)))
    found["case_keys"] += [{"case_id": case_id, "key": key} for key in sorted(rows.case_keys(case) | {*numbers})]
    found["numbers"] += [{"number": number, "case_id": case_id, "sequence": sequence} for number in numbers]
    _add_replies(found, case.replies, case_id)


def _add_replies(found: dict[str, list[Row]], replies: Sequence[Reply], case_id: str | None) -> None:
    for reply in replies:
        row = rows.reply_row(reply, case_id) | {"worker": 0 if reply.state == "sending" else None}
        found["replies"].append(row)
        found["contents"].append(row)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return documents by id and log lines by identity, as the files and then the journal tell them."""
    if msgspec.json.decode((folder / "meta.json").read_bytes()) != {"format": 1}:
        raise StateError(f"{folder / 'meta.json'} names no state of version 1")
    bodies: dict[str, Any] = {}
    records: dict[str, Any] = {}
    patterns = ("facts.json", "cases/*.json", "notes/*", "archive/*/*.json")
    for path in (path for pattern in patterns for path in folder.glob(pattern)):
        _add_body(bodies, _verified(msgspec.json.decode(path.read_bytes())["dossiers"]["1"], path))
    for path in sorted(folder.glob("ledger/*.jsonl")):
        for line in path.read_bytes().splitlines():
            record = _verified(msgspec.json.decode(line), path)
            records[record["identity"]] = record
    for entry in _journal(folder / "journal"):
        for body in entry.get("dossiers", ()):
            _add_body(bodies, body)
        if mark := entry.get("mark"):
            _add_mark(bodies[mark["id"]], mark)
        for record in entry.get("records", ()):
            records.setdefault(record["identity"], record)
    return bodies, records


def _add_body(bodies: dict[str, Any], body: Any) -> None:
    if body["revision"] > bodies.get(body["id"], {"revision": 0})["revision"]:
        bodies[body["id"]] = body


def _add_mark(body: Any, mark: Any) -> None:
    """Apply the end of a delivery to the reply in a document, unless the document is newer."""
    if mark["revision"] > body["revision"]:
        body["revision"] = mark["revision"]
        for replies in (body.get("case", {}).get("replies", ()), body.get("notes", ())):
            for at, reply in enumerate(replies):
                if reply["message_id"] == mark["reply"]["message_id"]:
                    replies[at] = {**mark["reply"], "raw": reply["raw"]}


def _journal(path: Path) -> Iterator[Any]:
    """Yield the entries of the journal. Only its end may be torn."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    entries = [_entry(line) for line in lines]
    end = next((at for at, entry in enumerate(entries) if entry is None), len(entries))
    if any(entries[end:]):
        raise StateError(f"{path} is damaged in line {end + 1}; restore the folder from a backup")
    yield from entries[:end]


def _entry(line: bytes) -> Any:
    digest, _, text = line.partition(b" ")
    intact = text and digest == hashlib.blake2b(text, digest_size=8).hexdigest().encode()
    return msgspec.json.decode(text) if intact else None


def _verified(body: Any, path: Path) -> Any:
    """Return a document or log line whose digest is right, without it."""
    plain = {name: value for name, value in body.items() if name != "digest"}
    text = msgspec.json.encode(plain, order="sorted")
    if body["digest"] != hashlib.blake2b(text, digest_size=12).hexdigest():
        raise StateError(f"{path} is damaged: it does not match its digest; restore it from a backup")
    return plain
