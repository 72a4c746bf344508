"""What a member of staff can do with a case as it stands, as links that write the mail (RFC 6068)."""

from __future__ import annotations

from urllib.parse import quote

from mailbot.case.lifecycle import ORDER, is_allowed
from mailbot.decide.permissions import ROLES
from mailbot.model import Case, CommandName, StaffMember
from mailbot.reply.email_content import StaffAction

_WRITTEN: dict[CommandName, str] = {
    "approve": "APPROVE",
    "reject": "REJECT: ",
    "quote": "QUOTE {currency} ",
    "received": "RECEIVED",
    "diagnosed": "DIAGNOSED: ",
    "repaired": "REPAIRED",
    "not_repairable": "NOT REPAIRABLE",
    "shipped": "SHIPPED ",
    "extend": "EXTEND 14 days",
    "hold": "HOLD",
    "close": "CLOSE",
}
"""How each command is written. What the writer must add is left out: a command that is not filled in is refused."""

_SOUGHT: dict[str, tuple[CommandName, ...]] = {
    "asking": ("approve", "extend", "close"),
    "quoted": ("quote", "extend", "close"),
    "held": ("approve", "reject", "quote", "close"),
    "authorized": ("received", "extend", "hold"),
    "in_transit": ("received", "hold"),
    "received": ("diagnosed", "quote", "repaired", "not_repairable"),
    "diagnosed": ("quote", "repaired", "not_repairable", "shipped"),
    "parts_quoted": ("quote", "extend"),
    "ordered": ("repaired", "not_repairable"),
    "repaired": ("shipped",),
    "declined": ("approve", "shipped"),
    "expired": ("approve",),
}
"""What is likely to come next, in the order in which it is offered."""


def staff_actions(case: Case, person: StaffMember, address: str, currency: str) -> tuple[StaffAction, ...]:
    """Return the commands that this person can give now, each with its link.

    Args:
        case: as it stands.
        person: the reader.
        address: where the answer goes: our address with this notice's token.
        currency: of the company's quotes.
    """
    here = [
        name
        for name in _sought(case)
        if set(ROLES[name]) & set(person.roles)
        if not case.units or any(is_allowed(name, unit.state) for unit in case.units)
    ]
    if case.pending and "approver" in person.roles:
        here = ["approve", "reject"]
    if not case.units:
        here = [name for name in here if name in ("close", "hold")]
    tag = case.number.text if case.number else case.id
    written = (_WRITTEN[name].replace("{currency}", currency) for name in here)
    return tuple(StaffAction(text, link(address, f"Re: [{tag}]", text)) for text in written)


def _sought(case: Case) -> tuple[CommandName, ...]:
    """Return what is likely to come next for any unit, the least advanced first: half of a case may be here already."""
    states = [state for state in ORDER if any(unit.state == state for unit in case.units)] or [case.state]
    return tuple(dict.fromkeys(name for state in states for name in _SOUGHT.get(state, ())))


def link(address: str, subject: str, body: str) -> str:
    """Return the link that writes a mail; "/" is written in hexadecimal too (RFC 6068 §2, qchar)."""
    return f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
