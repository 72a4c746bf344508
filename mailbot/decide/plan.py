"""The plan of one decision: the changes to the case and the notices to send, collected in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal

from msgspec import structs

from mailbot.case import tokens
from mailbot.case.apply import version_after, with_change
from mailbot.case.deadlines import deadlines_of
from mailbot.case.lifecycle import next_state
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseChanged,
    CaseUnit,
    Change,
    Command,
    Decision,
    LifecycleEvent,
    Notice,
    Recipient,
    Role,
    StaffMember,
    UnitChanged,
)
from mailbot.policy.context import Context


class Plan:
    """The planned changes and notices. ``before``: the case before the decision. ``case``: the case with all planned changes."""

    def __init__(self, case: Case | None, context: Context) -> None:
        self.before, self.case, self.context = case, case, context
        self.changes: list[Change] = []
        self.notices: list[Notice] = []

    @property
    def current(self) -> Case:
        """The case with all planned changes; there must be one."""
        assert self.case is not None, "this decision needs a case"  # noqa: S101 - a defect, not an input
        return self.case

    def no_action(self, why: str, answer_key: str = "") -> Decision:
        """Return a decision without an outcome for any unit, and its reason."""
        return Decision("none", (), why, self.context.policy.stamp, answer_key=answer_key)

    def decided(self, decision: Decision) -> Decision:
        """Return the decision with the planned changes and notices; notices do not repeat the verdicts of the decision."""
        notices = tuple(
            structs.replace(notice, verdicts=(), as_decided=True)
            if notice.verdicts and notice.verdicts == decision.verdicts
            else notice
            for notice in self.notices
        )
        return structs.replace(decision, changes=tuple(self.changes), notices=notices)

    # ------------------------------------------------------------ changes

    def add(self, change: Change) -> None:
        """Add a change: the case is as it will be after it."""
        self.case = with_change(self.case, change, self.context.now)
        self.changes.append(change)

    def update(self, **fields: Any) -> None:
        """Set fields of the case (see ``CaseChanged``); values that do not change are omitted."""
        new = {name: value for name, value in fields.items() if getattr(self.current, name) != value}
        if new:
            self.add(CaseChanged(**new))

    def move(self, unit: CaseUnit, event: LifecycleEvent, **fields: Any) -> None:
        """Change the state of a unit by an event, and set fields of the unit.

        Raises:
            ImpossibleTransitionError: the state of the unit does not allow the event.
        """
        state = next_state(unit.state, event)
        self.add(UnitChanged(structs.replace(unit, state=state, **fields), event))

    def put(self, unit: CaseUnit, event: LifecycleEvent | None = None) -> None:
        """Add a unit to the case, or replace the one with the same serial number."""
        if event or unit not in self.current.units:
            self.add(UnitChanged(unit, event))

    def units(self, serials: Collection[str]) -> tuple[CaseUnit, ...]:
        """Return the units with these serial numbers, with all planned changes, in the order of the case."""
        keys = set(map(serial_key, serials))
        return tuple(unit for unit in self.current.units if serial_key(unit.serial) in keys)

    def renew_deadlines(self, since: Case, *, asked: bool = False, quoted: bool = False) -> None:
        """Update the deadlines; those of what was asked, quoted or issued after ``since`` start again today."""
        case, context = self.current, self.context
        new_quote, new_number = len(case.quotes) > len(since.quotes), case.number != since.number
        again = {"missing": asked, "quote": quoted or new_quote, "number": new_number}
        restart = [kind for kind, is_new in again.items() if is_new]
        self.update(deadlines=deadlines_of(case, context.policy, context.day, restart))

    # ------------------------------------------------------------ notices

    def inform_customer(self, notice: Notice) -> None:
        """Plan an email to the customer of the case, who may be unreachable."""
        if self.current.sender and not self.current.unreachable:
            self.notify_customer(notice, self.current.sender)

    def notify_customer(self, notice: Notice, address: str) -> None:
        """Plan an email to this address of the customer."""
        recipient = Recipient(address, self._message_id("customer", self.context.snapshot.id_entropy[10:26]))
        self.notices.append(structs.replace(notice, recipients=(recipient,)))

    def notify_roles(self, notice: Notice, roles: Iterable[Role]) -> None:
        """Plan an email to each member of staff with one of these roles; for a role that no one has, to all staff."""
        staff = self.context.policy.desk.staff
        people = (person for role in roles for person in (tuple(p for p in staff if role in p.roles) or staff))
        self.notify_staff(notice, dict.fromkeys(people))

    def notify_staff(self, notice: Notice, people: Iterable[StaffMember], *, confirms: tuple[Command, ...] = ()) -> None:
        """Plan an email to each of these members of staff, each with a separate token if it is about a case (promise 5).

        ``confirms``: the commands that the token confirms, if the notice is a request for confirmation.
        """
        notice = structs.replace(notice, audience="staff")
        for person in people:
            token, mark = None, self.context.snapshot.id_entropy[10:26]
            if self.case is not None:
                until = self.context.now + tokens.LIFETIME
                version = version_after(self.before, self.case)
                count = sum(1 for earlier in self.notices for each in earlier.recipients if each.token) + 1
                token = tokens.mint(self.context.snapshot.token_entropy, count, person, until, version, confirms)
                mark = token.secret
            recipient = Recipient(person.address, self._message_id("staff", mark), token)
            last = self.notices[-1] if self.notices else None
            if last is not None and structs.replace(last, recipients=()) == structs.replace(notice, recipients=()):
                self.notices[-1] = structs.replace(last, recipients=(*last.recipients, recipient))
            else:
                self.notices.append(structs.replace(notice, recipients=(recipient,)))

    def _message_id(self, audience: Literal["customer", "staff"], mark: str) -> str:
        """Return a Message-ID that counts the emails to this audience: it does not show how many notices staff got (promise 7)."""
        planned = sum(len(notice.recipients) for notice in self.notices if notice.audience == audience)
        earlier = sum(1 for reply in (self.case.replies if self.case else ()) if reply.audience == audience)
        name = self.case.id.lower() if self.case else "note"
        prefix = "" if audience == "customer" else "s"
        domain = self.context.policy.desk.address.rpartition("@")[2]
        return f"{name}.{prefix}{earlier + planned + 1}.{mark}@{domain}"
