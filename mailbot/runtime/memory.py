"""A store that lives and dies with the process: for rehearsals, dry runs and tests."""

from __future__ import annotations

from collections import ChainMap, Counter, defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from mailbot.case.lifecycle import CLOSED_STATES
from mailbot.model import DueDate
from mailbot.runtime import facets
from mailbot.runtime.store_protocol import DuplicateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mailbot.model import Case, MailRecord, Reply, State, Step

_Value = TypeVar("_Value")


class MemoryStore:
    """The store contract in dictionaries. Each is a layer of what is staged over what is committed.

    ``_by_key`` only says where to look: what it finds is compared with the case itself, so that nothing is ever taken
    out of it.
    """

    def __init__(self) -> None:
        self._cases: ChainMap[str, Case] = _layers()
        self._records: ChainMap[str, MailRecord] = _layers()
        self._replies: ChainMap[str, Reply] = _layers()
        self._facts: ChainMap[str, str] = _layers()
        self._numbers: ChainMap[str, str] = _layers()  # every RMA number there ever was -> its case
        self._home: dict[str, str] = {}  # Message-ID of a reply -> its case
        self._by_key: defaultdict[str, dict[str, None]] = defaultdict(dict)

    # ------------------------------------------------------------ look-ups

    def case(self, case_id: str) -> Case | None:
        """See ``Store.case``."""
        return self._cases.get(case_id)

    def cases(self) -> Iterator[Case]:
        """See ``Store.cases``."""
        return iter(_oldest_first(self._cases.values()))

    def find(self, message_ids: Iterable[str], names: Iterable[str] = ()) -> tuple[Case, ...]:
        """See ``Store.find``."""
        found: dict[str, Case] = {}
        for message_id in message_ids:
            threads = (case for case in self._near(message_id) if message_id in facets.message_ids(case))
            found.update({case.id: case for case in _oldest_first(threads)})
        for name in map(facets.name_key, names):
            named = (case for case in self._near(name) if name in (facets.name_key(case.id), *self._of(case.id)))
            found.update({case.id: case for case in _oldest_first(named)})
        return tuple(found.values())

    def open_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """See ``Store.open_cases``."""
        return tuple(case for case in self._holding(mailbox, keys) if case.state not in CLOSED_STATES)

    def past_cases(self, mailbox: str, keys: Iterable[str]) -> tuple[Case, ...]:
        """See ``Store.past_cases``."""
        return tuple(case for case in self._holding(mailbox, keys) if case.state in CLOSED_STATES)

    def _holding(self, mailbox: str, keys: Iterable[str]) -> list[Case]:
        wanted = set(keys)
        near = {case.id: case for key in wanted for case in self._near(key) if wanted & facets.serials(case)}
        return _oldest_first(case for case in near.values() if case.mailbox == mailbox)

    def seen(self, identity: str) -> bool:
        """See ``Store.seen``."""
        return identity in self._records

    def recorded(self, identity: str) -> MailRecord | None:
        """See ``Store.recorded``."""
        return self._records.get(identity)

    def answers_since(self, address: str, at: datetime) -> int:
        """See ``Store.answers_since``."""
        near = (self._replies.get(message_id) for message_id in self._by_key[address.lower()])
        return sum(1 for reply in near if reply and reply.direct and reply.at >= at)

    def next_sequence(self) -> int:
        """See ``Store.next_sequence``."""
        return len(self._numbers) + 1

    def states(self) -> Mapping[State, int]:
        """See ``Store.states``."""
        return Counter(case.state for case in self._cases.values())

    def ledger(self) -> Iterator[MailRecord]:
        """See ``Store.ledger``."""
        return iter(sorted(self._records.values(), key=lambda record: f"{record.at:%Y-%m}"))

    def get_fact(self, name: str) -> str | None:
        """See ``Store.get_fact``."""
        return self._facts.get(name)

    # ------------------------------------------------------------ writing

    def stage(self, step: Step) -> None:
        """See ``Store.stage``."""
        if step.record and step.record.identity in self._records:
            raise DuplicateError(f"{step.record.identity} is on record already")
        if step.after:
            self._stage_case(step.after)
        for reply in facets.caseless(step):
            self._stage_reply(reply)
        if step.record:
            self._records[step.record.identity] = step.record

    def _stage_case(self, after: Case) -> None:
        if after.number:
            owner = self._numbers.setdefault(facets.name_key(after.number.text), after.id)
            if owner != after.id:
                raise DuplicateError(f"{after.number.text} is the number of case {owner}")
            self._by_key[facets.name_key(after.number.text)][after.id] = None
        before = self._cases.get(after.id)
        case = facets.keep_deliveries(after, before.replies if before else ())
        self._cases[case.id] = case
        for reply in case.replies:
            self._stage_reply(reply)
            self._home[reply.message_id] = case.id
        for key in (facets.name_key(case.id), *facets.message_ids(case), *facets.serials(case)):
            self._by_key[key][case.id] = None

    def _stage_reply(self, reply: Reply) -> None:
        self._replies[reply.message_id] = reply
        self._by_key[reply.to.lower()][reply.message_id] = None

    def set_fact(self, name: str, value: str) -> None:
        """See ``Store.set_fact``."""
        self._facts[name] = value

    def commit(self) -> None:
        """See ``Store.commit``."""
        for layers in self._all():
            staged, committed = layers.maps
            committed.update(staged)
            staged.clear()

    def rollback(self) -> None:
        """See ``Store.rollback``."""
        for layers in self._all():
            layers.maps[0].clear()

    # ------------------------------------------------------------ due dates and the outbox

    def due(self, now: datetime) -> tuple[DueDate, ...]:
        """See ``Store.due``."""
        dues = (DueDate(case.id, at) for case in self._cases.values() if (at := facets.due_at(case)) and at <= now)
        return tuple(sorted(dues, key=lambda due: (due.at, due.case_id)))

    def next_due(self) -> datetime | None:
        """See ``Store.next_due``."""
        return min((at for case in self._cases.values() if (at := facets.due_at(case))), default=None)

    def unsent(self, now: datetime) -> Iterator[Reply]:
        """See ``Store.unsent``."""
        committed = self._replies.maps[1]
        for message_id in [r.message_id for r in sorted(committed.values(), key=_at) if facets.may_go(r, now)]:
            if facets.may_go(committed[message_id], now):  # it may have been marked since
                yield committed[message_id]

    def mark(self, reply: Reply) -> None:
        """See ``Store.mark``."""
        committed = self._replies.maps[1]
        marked = facets.delivered(committed[reply.message_id], reply)
        committed[reply.message_id] = marked
        if reply.message_id in self._replies.maps[0]:
            self._replies.maps[0][reply.message_id] = marked
        for layer in self._cases.maps:
            case = layer.get(self._home.get(reply.message_id, ""))
            if case:
                layer[case.id] = facets.with_delivery(case, marked)

    def pending(self) -> int:
        """See ``Store.pending``."""
        return sum(1 for reply in self._replies.maps[1].values() if reply.state not in facets.FINAL)

    # ------------------------------------------------------------ housekeeping

    def checkpoint(self) -> None:
        """See ``Store.checkpoint``."""

    def close(self) -> None:
        """See ``Store.close``."""
        self.rollback()

    # ------------------------------------------------------------ the layers

    def _all(self) -> tuple[ChainMap[str, Any], ...]:
        return (self._cases, self._records, self._replies, self._facts, self._numbers)

    def _near(self, key: str) -> Iterable[Case]:
        return [case for case_id in self._by_key.get(key, ()) if (case := self._cases.get(case_id))]

    def _of(self, case_id: str) -> Iterable[str]:
        return [number for number, owner in self._numbers.items() if owner == case_id]


def _layers() -> ChainMap[str, _Value]:
    return ChainMap({}, {})


def _oldest_first(cases: Iterable[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: (case.opened_at, case.id))


def _at(reply: Reply) -> datetime:
    return reply.at
