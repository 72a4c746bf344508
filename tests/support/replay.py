"""A case is rebuilt from its stored history alone: no registry, no clock, no policy."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from unittest.mock import PropertyMock, patch

import msgspec
from support.memory_desk import Listed

from mailbot.case.apply import apply, with_replies
from mailbot.model import HistoryEntry
from mailbot.policy import dates
from mailbot.policy.context import Context
from mailbot.runtime.clock import Clock
from mailbot.runtime.registry.registry import Registry
from mailbot.runtime.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.model import Case


class OutsideWorldError(AssertionError):
    """Something asked for what the history does not hold."""


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise OutsideWorldError


@contextmanager
def nothing_else() -> Iterator[None]:
    """Make every look at a registry, the clock, today's date or the rules raise an error."""
    with ExitStack() as stack:
        for owner, name in (
            (Listed, "look_up"),
            (Registry, "look_up"),
            (Clock, "now"),
            (Resources, "policy"),
            (dates, "today"),
            (dates, "at_hour"),
            (dates, "plus_business_days"),
        ):
            stack.enter_context(patch.object(owner, name, _refuse))
        for name in ("day", "answers"):
            stack.enter_context(patch.object(Context, name, PropertyMock(side_effect=OutsideWorldError)))
        yield


def rebuilt(case: Case) -> Case:
    """Return the case that its stored history makes.

    The history goes through JSON first. Of everything else that is stored, only the emails are used: each is attached
    where the history names its Message-ID.
    """
    history = msgspec.json.decode(msgspec.json.encode(case.history), type=tuple[HistoryEntry, ...])
    emails = {reply.message_id: reply for reply in case.replies}
    again: Case | None = None
    with nothing_else():
        for entry in history:
            again = apply(again, entry.event, entry.decision, entry.at)
            assert again is not None, f"no case after {entry.event}"
            again = with_replies(again, tuple(emails.pop(message_id) for message_id in entry.sent))
    assert again is not None, "a stored case has a history"
    assert emails == {}, "the history names every email of the case"
    return again


def differences(case: Case) -> list[str]:
    """Say where the case that the history makes differs from the stored case, byte for byte."""
    again = rebuilt(case)
    if msgspec.json.encode(again) == msgspec.json.encode(case):
        return []
    return [
        f"{name}: {getattr(again, name)} instead of {getattr(case, name)}"
        for name in type(case).__struct_fields__
        if msgspec.json.encode(getattr(again, name)) != msgspec.json.encode(getattr(case, name))
    ]
