"""Show a case as text, 80 columns wide: units, money and dates, then every event with its decision and the emails sent."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from mailbot.model import (
    Bounced,
    Case,
    CaseUnit,
    Charge,
    CommandResult,
    DeadlinesReached,
    Decision,
    Event,
    Ignored,
    Price,
    PurchaseOrder,
    Quote,
    Request,
    ShipmentNotice,
    StaffMessage,
)
from mailbot.runtime.logs import escaped

WIDTH = 80

PROOFS = {
    "server": "sender verified by our mail server",
    "token": "reply to an email that only this person received",
    "confirmation": "confirmed by a reply to our question",
    "trust": "sender not verified, From is trusted",
    "none": "sender not verified",
    "forged": "forged sender, according to our mail server",
}
RESULTS = {"done": "done", "refused": "refused", "second": "sent to a second approver", "asked": "waiting for confirmation"}
WHYS = {
    "role": "insufficient role",
    "limit": "above the approval limit",
    "own": "the approver's own case",
    "state": "no unit is in a state that allows it",
    "unknown_unit": "a serial number is not part of this case",
    "no_case": "no case named",
    "flaw": "not clear enough",
    "currency": "different currency",
}
_SECRET = re.compile(r"[0-9a-f]{32}")


def wrapped(lines: Iterable[str], secrets: frozenset[str] = frozenset()) -> Iterator[str]:
    """Wrap lines to 80 columns, keep their indent, escape control characters, and remove secrets."""
    for line in lines:
        text = remove_secrets(escaped(line.strip()), secrets)
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ", break_long_words=False, break_on_hyphens=False
        ) or [""]


def remove_secrets(text: str, secrets: frozenset[str]) -> str:
    """Return a text with every secret replaced by "…"."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def secrets(case: Case) -> frozenset[str]:
    """Return every one-time token of a case, valid or used. They are never shown."""
    used = (e.event.token for e in case.history if isinstance(e.event, StaffMessage) and e.event.token)
    marks = (mark for reply in case.replies if reply.audience == "staff" for mark in _SECRET.findall(reply.message_id))
    return frozenset((*(token.secret for token in case.tokens), *used, *marks))


def without_secrets(case: Case) -> Case:
    """Return a case without its tokens and without the emails that contain them.

    Message-IDs still contain tokens: use ``remove_secrets`` on the text.
    """
    replies = tuple(structs.replace(r, raw="") if r.audience == "staff" else r for r in case.replies)
    return structs.replace(case, tokens=(), replies=replies)


def case_history(case: Case) -> Iterator[str]:
    """Yield the whole history of a case, for ``wrapped``."""
    number = case.number
    yield f"{case.id}: {case.state}" + (f", {number.text} valid until {number.valid_until}" if number else "")
    yield f"{case.sender}{f' ({case.name})' if case.name else ''}: {case.subject}"
    if number:
        yield f"RMA issued by {number.issued_by} on {number.issued_on}"
    for unit in case.units:
        yield from _section(*_unit(unit))
    for quote in case.quotes:
        yield from _section(*_quote(quote))
    yield from _section(
        *(f"charged: {_charge(charge)}" for charge in case.charges),
        f"credit approved: {_price(case.credit)}" if case.credit else "",
        f"fee approved: {_price(case.fee)}" if case.fee else "",
    )
    commands = "; ".join(command.said for command in case.pending.commands) if case.pending else ""
    yield from _section(
        f"ship-to address: {'; '.join(case.ship_to)}" if case.ship_to else "",
        f"inbound shipment: {_parcel(case.inbound)}" if case.inbound else "",
        f"return shipment: {_parcel(case.outbound)}" if case.outbound else "",
        f'waiting for a second approver: "{commands}", requested by {case.pending.by}' if case.pending else "",
        f"{case.sender} is undeliverable; reminders stopped" if case.unreachable else "",
    )
    yield from _section(
        *(
            f"due {deadline.at:%Y-%m-%d %H:%M} UTC: {deadline.kind}{', last day' if deadline.is_final else ', reminder'}"
            for deadline in case.deadlines
        )
    )
    stamp = ""
    for entry in case.history:
        yield ""
        yield from event_lines(entry.event, f"{entry.at:%Y-%m-%d %H:%M} UTC  ")
        yield from decision_lines(entry.decision, indent="  ")
        now = f"{entry.decision.stamp.policy} {entry.decision.stamp.version}, {entry.decision.stamp.digest}"
        if entry.decision.clauses and now != stamp:
            yield f"  policy: {now}"
            stamp = now
        for reply in (reply for reply in case.replies if reply.message_id in entry.sent):
            state = f"{reply.state} ({reply.note})" if reply.note and reply.state != "sent" else reply.state
            yield f"  {state} to {reply.to}: {reply.template}: {reply.subject}{_cited(reply.cites)}"


# ------------------------------------------------------------------ current state


def _section(*lines: str) -> Iterator[str]:
    """Yield an empty line, then the lines that are not empty; nothing if all are empty."""
    if any(lines):
        yield ""
    yield from filter(None, lines)


def _unit(unit: CaseUnit) -> Iterator[str]:
    yield f"{unit.serial or '(no serial yet)'} {unit.model}: {unit.state}, {unit.outcome} by {', '.join(unit.clauses)}"
    yield f"  {unit.reason}" if unit.reason else ""
    facts = (
        f"received {unit.received_on}" if unit.received_on else "",
        f"repair due {unit.repair_due}" if unit.repair_due else "",
        f"findings: {', '.join(unit.findings)}" if unit.findings else "",
        "not repairable" if unit.not_repairable else "",
        "paid by the customer" if unit.billed else "",
        f"shipped back {unit.shipped_on}" if unit.shipped_on else "",
        f"continues as {unit.resume_state} once approved" if unit.resume_state else "",
        'answered to the customer as "serial unknown"' if unit.answered_as_unknown else "",
        "visible to staff only" if unit.staff_only else "",
    )
    if any(facts):
        yield f"  {'; '.join(filter(None, facts))}"


def _quote(quote: Quote) -> Iterator[str]:
    total = f"{quote.charges[0].currency} {quote.total:.2f}"
    yield f"{'parts quote' if quote.parts else 'quote'} {quote.number}: {total}, valid until {quote.valid_until}"
    yield from (f"  {_charge(charge)}" for charge in quote.charges)
    if quote.order or quote.pending_order:
        yield f"  PO {quote.order}" if quote.order else f"  PO {quote.pending_order}: not compared yet"


# ------------------------------------------------------------------ events and decisions


def event_lines(event: Event, at: str = "") -> Iterator[str]:
    """Yield an event: the deadlines reached, or an email with its request and how the sender is known. ``at``: a time stamp."""
    match event:
        case DeadlinesReached(keys=keys):
            yield f"{at}deadline reached: {', '.join(keys)}"
            return
        case Bounced(bounce=bounce, mail=mail):
            yield f"{at}delivery failed: {', '.join(bounce.recipients) or mail.sender}"
            return
        case Ignored(mail=mail, reason=reason):
            yield f"{at}{mail.sender}: {mail.subject}"
            yield f"  ignored: {reason}"
            return
    mail = event.mail
    yield f"{at}{mail.sender}: {mail.subject}"
    staff = isinstance(event, StaffMessage)
    proof = PROOFS[event.proof] if isinstance(event, StaffMessage) else PROOFS["forged"] if mail.forged else ""
    yield f"  {_KINDS[type(event).__name__]}{'' if staff else _request(event.request)}{f': {proof}' if proof else ''}"
    if mail.attachments:
        yield f"  attached: {', '.join(mail.attachments)}"


_KINDS = {"Requested": "request", "Answered": "answer", "Ordered": "order", "StaffMessage": "staff"}


def _request(request: Request) -> str:
    words = (
        request.intent if request.intent not in ("none", "po") else "",
        _order(request.order) if request.order else "",
        f"shipment: {_parcel(request.shipment)}" if request.shipment else "",
        "adds units" if request.adds_units else "",
        f"corrects {request.corrected_serial or 'a serial number'}" if request.corrects_serial else "",
        "asks for a new RMA number" if request.renews_number else "",
        "thanks" if request.thanks else "",
        *request.special_requests,
    )
    return "".join(f", {word}" for word in words if word)


def _cited(clauses: Sequence[str]) -> str:
    return f" ({', '.join(clauses)})" if clauses else ""


def decision_lines(decision: Decision, indent: str = "") -> Iterator[str]:
    """Yield a decision: the result of every command, the outcome of every unit with clauses and facts, or why nothing."""
    for result in decision.command_results:
        yield f"{indent}{_command_result(result)}"
    for verdict in decision.verdicts:
        yield f"{indent}{verdict.serial or '(no serial)'}: {verdict.outcome} ({', '.join(verdict.clauses)})"
        if facts := ", ".join(f"{fact.name} {fact.value}" for fact in verdict.facts):
            yield f"{indent}  {facts}"
    if not decision.verdicts and not decision.command_results and decision.why:
        yield f"{indent}decided: {decision.outcome}{_cited(decision.clauses)}: {decision.why}"


def _command_result(result: CommandResult) -> str:
    command = result.command
    words = (
        RESULTS[result.result],
        f" for {', '.join(result.serials)}" if result.serials else "",
        _cited(result.clauses),
        f": {WHYS.get(result.reason, result.reason)}" if result.reason else "",
        f", the {command.flaw}" if command.flaw else "",
        f"; findings: {', '.join(command.findings)}" if command.findings else "",
        f"; FORCE: {command.force}" if command.force else "",
    )
    return f'"{command.said}" {"".join(words)}'


# ------------------------------------------------------------------ amounts, orders and shipments


def _charge(charge: Charge) -> str:
    unit = f" for {charge.serial}" if charge.serial else ""
    return f"{charge.label}{unit}: {charge.currency} {charge.amount:.2f}"


def _price(price: Price) -> str:
    return f"{price.currency} {price.amount:.2f}".strip()


def _order(order: PurchaseOrder) -> str:
    totals = f", total {_price(order.totals[0])}" if order.totals else ""
    quotes = f" for {', '.join(order.quotes)}" if order.quotes else ""
    return f"PO {order.number}{quotes}{totals}{'' if order.copy else ', no copy attached'}"


def _parcel(parcel: ShipmentNotice) -> str:
    return f"{parcel.carrier} {parcel.tracking}".strip() or "no tracking number"
