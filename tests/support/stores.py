"""Small cases, emails and steps for the tests of the stores, and everything a store can be asked, at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from mailbot.model import (
    Case,
    CaseUnit,
    Deadline,
    Decision,
    DueDate,
    HistoryEntry,
    MailRecord,
    MailReference,
    Number,
    PolicyStamp,
    Reply,
    Request,
    Requested,
    Step,
)
from mailbot.runtime.store import rows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RMA = "rma@portwell.example"
KIM = "kim@acme.example"


def after(**time):
    return NOON + timedelta(**time)


def a_reply(message_id="out-1@x", *, to=KIM, at=NOON, direct=True, state="queued", raw="Subject: x\r\n\r\nx\r\n"):
    return Reply(message_id, RMA, to, "Re: board", raw, at, "answer", direct=direct, state=state)


def a_deadline(at, key="quote-1"):
    return Deadline(key, "quote", at, at.date())


def a_number(text):
    return Number(text, date(2026, 11, 20), date(2026, 12, 20), "rule")


def a_case(case_id="C-1", *, emails=("in-1@y",), serials=("AH-2F 10",), opened_at=NOON, **more):
    """A case whose history holds emails of these ids."""
    entries = []
    for message_id in emails:
        mail = MailReference(f"{message_id} digest", message_id, KIM, KIM, "board", opened_at)
        decision = Decision("ask", ("AP-28",), "", PolicyStamp("american-portwell", date(2026, 11, 1), "d"))
        entries.append(HistoryEntry(opened_at, Requested(mail, Request("request")), decision))
    items = tuple(CaseUnit(serial, "asking", "ask", ("AP-28",)) for serial in serials)
    fields = {"units": items, "history": tuple(entries), "state": "asking", "mailbox": RMA, **more}
    return Case(id=case_id, policy="american-portwell", sender=KIM, opened_at=opened_at, **fields)


def a_record(identity="in-1@y digest", *, at=NOON, case_id=None):
    return MailRecord(identity, at, RMA, "Done", "request", KIM, "board", case_id=case_id)


def a_step(case=None, *, replies=(), identity=None, at=NOON):
    record = a_record(identity, at=at, case_id=case.id if case else None) if identity else None
    return Step(None, None, case, replies or (case.replies if case else ()), record)


def changed(value, **fields):
    return msgspec.structs.replace(value, **fields)


def bare(case):
    """The case as it is stored: without the bytes of its replies."""
    return changed(case, replies=tuple(changed(reply, raw="") for reply in case.replies))


def commit(store, *steps):
    for step in steps:
        store.stage(step)
    store.commit()


def unsent(store, now):
    """The replies that may go out, in the order in which they would."""
    query = "SELECT *, (SELECT content FROM contents WHERE contents.message_id = replies.message_id) AS content FROM replies"
    wanted = "unsent = 1 AND state <> 'sending' AND (due_at IS NULL OR due_at <= :now) ORDER BY created_at, seq"
    return [rows.decode_reply(row) for row in store.database.run(f"{query} WHERE {wanted}", {"now": rows.number(now)})]


def due(store, now):
    """The due dates that have been reached, the earliest first."""
    query = "SELECT id, due_at FROM cases WHERE due_at <= :now ORDER BY due_at, id"
    return tuple(DueDate(row.id, rows.moment(row.due_at)) for row in store.database.run(query, {"now": rows.number(now)}))


def ledger(store):
    """The records of every email that arrived, in the order of arrival."""
    found = store.database.run("SELECT document FROM mail_log ORDER BY at, seq").fetchall()
    return [rows.decode_mail(row.document) for row in found]


def states(store):
    """How many cases are in each state."""
    return {row.state: row.n for row in store.database.run("SELECT state, count(*) AS n FROM cases GROUP BY state")}


def pending(store):
    """How many replies are neither sent nor given up."""
    return store.database.value("SELECT count(*) FROM replies WHERE unsent = 1")


def content(store, message_id):
    """The bytes of a reply; None if it was sent too long ago."""
    return store.database.value("SELECT content FROM contents WHERE message_id = :id", {"id": message_id})


def told(store):
    """Everything a store tells, as one value."""
    cases = list(store.cases())
    return {
        "cases": cases,
        "by id": [store.case(case.id) for case in cases],
        "threads": [store.find([reply.message_id for reply in case.replies], [case.id]) for case in cases],
        "units": store.open_cases(RMA, ["AH2F10"]),
        "ledger": ledger(store),
        "seen": [store.recorded(record.identity) for record in ledger(store)],
        "states": states(store),
        "due": due(store, after(days=3650)),
        "next due": store.next_due(),
        "unsent": unsent(store, after(days=3650)),
        "pending": pending(store),
        "answers": store.answers_since(KIM, NOON),
        "sequence": store.next_sequence(),
        "fact": store.get_fact("uid"),
    }


def something(chance, turn, stores):  # noqa: C901 - a list of what can happen
    """The same random thing done to each store."""
    at = after(hours=turn)
    match chance.randrange(5):
        case 0 | 1 | 2:
            case_id = f"C-{chance.randrange(8)}"
            state = chance.choice(["asking", "quoted", "authorized", "closed"])
            number = a_number(f"RMA-{turn}") if chance.random() < 0.3 else None
            deadlines = (a_deadline(after(hours=chance.randrange(99))),) if chance.random() < 0.7 else ()
            for store in stores:
                known = store.case(case_id)
                replies = (*(known.replies if known else ()), a_reply(f"out-{turn}", at=at))
                number = number or (known and known.number)
                case = a_case(case_id, emails=(f"in-{turn}",), replies=replies, state=state, number=number)
                store.stage(a_step(changed(case, deadlines=deadlines), identity=f"in-{turn} digest", at=at))
        case 3:
            for store in stores:
                store.stage(a_step(replies=(a_reply(f"note-{turn}", at=at),)))
                store.set_fact("uid", str(turn))
        case 4:
            for store in stores:
                store.rollback()
            waiting = unsent(stores[0], after(days=3650))
            for reply in chance.sample(waiting, min(2, len(waiting))):
                marked = changed(reply, state=chance.choice(["sent", "deferred", "failed", "ambiguous"]), attempts=turn)
                for store in stores:
                    store.mark(marked)
    act = chance.choice(["commit", "commit", "rollback", "go on"])
    for store in stores:
        if act != "go on":
            getattr(store, act)()
