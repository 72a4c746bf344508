"""The commands that a member of staff can give in the current state of a case, as mailto links (RFC 6068)."""

from __future__ import annotations

from urllib.parse import quote

from mailbot.case.lifecycle import ORDER, is_allowed
from mailbot.decide.permissions import ROLES
from mailbot.model import Case, CommandName, Recipient, Role
from mailbot.policy.policy import Policy
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
"""The text of each command. Staff must add what is missing: an incomplete command is refused."""

_LIKELY: dict[str, tuple[CommandName, ...]] = {
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
"""The commands that are likely to come next in a state, in the order in which they are offered."""


def staff_actions(case: Case, reader: Recipient, address: str, policy: Policy) -> tuple[StaffAction, ...]:
    """Return the commands that the reader can give in the current state of the case, each with its link.

    If the email is a request for confirmation, the only command is CONFIRM. ``address`` is ours, with the token of this notice.
    """
    if reader.token and reader.token.commands:
        return (StaffAction("CONFIRM", link(address, f"Re: [{case.id}]", "CONFIRM")),)
    roles = next((set(person.roles) for person in policy.desk.staff if person.address == reader.address), set[Role]())
    possible = [
        name
        for name in _likely_commands(case)
        if set(ROLES[name]) & roles
        if not case.units or any(is_allowed(name, unit.state) for unit in case.units)
    ]
    if case.pending and "approver" in roles:
        possible = ["approve", "reject"]
    if not case.units:
        possible = [name for name in possible if name in ("close", "hold")]
    tag = case.number.text if case.number else case.id
    meanings = [f"MEANS {label.replace('_', ' ')}" for label in case.questions[0].likely] if case.questions else []
    texts = [_WRITTEN[name].replace("{currency}", policy.currency) for name in possible]
    texts[1:1] = meanings
    return tuple(StaffAction(text, link(address, f"Re: [{tag}]", text)) for text in texts)


def _likely_commands(case: Case) -> tuple[CommandName, ...]:
    """Return the likely commands for all units, those for the least advanced unit first."""
    states = [state for state in ORDER if any(unit.state == state for unit in case.units)] or [case.state]
    return tuple(dict.fromkeys(name for state in states for name in _LIKELY.get(state, ())))


def link(address: str, subject: str, body: str) -> str:
    """Return the mailto link that composes an email; "/" is percent-encoded, too (RFC 6068 §2, qchar)."""
    return f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
