"""A case, told in lines of 80 columns: its units, money and dates, then what happened, what was decided, and what went out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

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
    HistoryEntry,
    Ignored,
    Price,
    PurchaseOrder,
    Quote,
    Reply,
    Request,
    ShipmentNotice,
    StaffMessage,
)
from mailbot.runtime.logs import escaped

WIDTH = 80

PROOFS = {
    "server": "our mail server vouches for it",
    "token": "answers a mail that only this person got",
    "confirmation": "answers our question whether it was genuine",
    "trust": "believed by its From alone",
    "none": "nothing shows that it is genuine",
    "forged": "our mail server says that it is not genuine",
}
RESULTS = {
    "done": "done",
    "refused": "refused",
    "second": "put before a second approver",
    "asked": "to be confirmed first",
}
WHYS = {
    "role": "not the role for it",
    "limit": "above the limit",
    "own": "an own case",
    "state": "no unit is in a state for it",
    "unknown_unit": "a serial is not of this case",
    "no_case": "no case was named",
    "several_cases": "several cases may be meant",
    "flaw": "it cannot be read for certain",
    "currency": "another currency",
}
_SECRET = re.compile(r"[0-9a-f]{32}")


def laid_out(lines: Iterable[str], secrets: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield lines that fit 80 columns, what strangers wrote escaped, every secret hidden; a line's indent is kept."""
    for line in lines:
        text = hide(escaped(line.strip()), secrets)
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(
            text,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]


def hide(text: str, secrets: frozenset[str]) -> str:
    """Return a text without these secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def secrets(case: Case) -> frozenset[str]:
    """Return every one-time token that a case has given out, live or spent: they are never shown."""
    used = (e.event.token for e in case.history if isinstance(e.event, StaffMessage) and e.event.token)
    marks = (mark for reply in case.replies if reply.audience == "staff" for mark in _SECRET.findall(reply.message_id))
    return frozenset((*(token.secret for token in case.tokens), *used, *marks))


def without_secrets(case: Case) -> Case:
    """Return a case without its tokens and without the letters that carry them; ids still hold their marks."""
    replies = tuple(structs.replace(r, raw="") if r.audience == "staff" else r for r in case.replies)
    return structs.replace(case, tokens=(), replies=replies)


def case_history(case: Case) -> Iterator[str]:
    """Yield the whole story of a case, for ``laid_out``."""
    number = case.number
    yield f"{case.id}: {case.state}" + (f", {number.text} valid until {number.valid_until}" if number else "")
    yield f"{case.sender}{f' ({case.name})' if case.name else ''}: {case.subject}"
    if number:
        yield f"the number was given by {number.issued_by} on {number.issued_on}"
    for unit in case.units:
        yield ""
        yield from _unit(unit)
    yield from _money(case)
    yield from _elsewhere(case)
    if case.deadlines:
        yield ""
    for deadline in case.deadlines:
        yield f"due {deadline.at:%Y-%m-%d %H:%M} UTC: {deadline.kind}{', ends' if deadline.is_final else ', reminder'}"
    stamp = ""
    for entry in case.history:
        yield ""
        yield from event_lines(entry.event, f"{entry.at:%Y-%m-%d %H:%M} UTC  ")
        yield from decision_lines(entry.decision, indent="  ")
        now = f"{entry.decision.stamp.policy} {entry.decision.stamp.version}, {entry.decision.stamp.digest}"
        if entry.decision.clauses and now != stamp:
            yield f"  policy: {now}"
            stamp = now
        yield from _sent(case, entry)


# ------------------------------------------------------------------ how it stands


def _unit(unit: CaseUnit) -> Iterator[str]:
    yield f"{unit.serial or '(no serial yet)'} {unit.model}: {unit.state}, {unit.outcome} by {', '.join(unit.clauses)}"
    if unit.reason:
        yield f"  {unit.reason}"
    told = (
        f"received {unit.received_on}" if unit.received_on else "",
        f"repair due {unit.repair_due}" if unit.repair_due else "",
        f"found: {', '.join(unit.findings)}" if unit.findings else "",
        "not repairable" if unit.not_repairable else "",
        "paid by the customer" if unit.billed else "",
        f"shipped back {unit.shipped_on}" if unit.shipped_on else "",
        f"goes on as {unit.resume_state} once approved" if unit.resume_state else "",
        "the customer sees an unknown serial" if unit.answered_as_unknown else "",
        "the customer sees nothing of it" if unit.staff_only else "",
    )
    if facts := "; ".join(fact for fact in told if fact):
        yield f"  {facts}"


def _money(case: Case) -> Iterator[str]:
    for quote in case.quotes:
        yield ""
        yield f"{'parts quote' if quote.parts else 'quote'} {quote.number}: {_total(quote)}, valid until {quote.valid_until}"
        yield from (f"  {_charge(charge)}" for charge in quote.charges)
        if quote.order or quote.pending_order:
            yield (
                f"  ordered by {quote.order}"
                if quote.order
                else f"  purchase order {quote.pending_order}: to be compared"
            )
    if case.charges or case.credit or case.fee:
        yield ""
    yield from (f"charged: {_charge(charge)}" for charge in case.charges)
    if case.credit:
        yield f"credit approved: {_price(case.credit)}"
    if case.fee:
        yield f"fee that goes with it: {_price(case.fee)}"


def _elsewhere(case: Case) -> Iterator[str]:
    """Yield where things are, and whose word is awaited."""
    if case.inbound or case.outbound or case.ship_to or case.pending or case.unreachable:
        yield ""
    if case.ship_to:
        yield f"to be sent to: {'; '.join(case.ship_to)}"
    if case.inbound:
        yield f"on its way to us: {_parcel(case.inbound)}"
    if case.outbound:
        yield f"sent back: {_parcel(case.outbound)}"
    if case.pending:
        said = "; ".join(command.said for command in case.pending.commands)
        yield f'waits for a second approver: "{said}", asked for by {case.pending.by}'
    if case.unreachable:
        yield f"{case.sender} cannot be reached: reminders have stopped"


# ------------------------------------------------------------------ what happened


def event_lines(event: Event, at: str = "") -> Iterator[str]:
    """Yield what happened, ``at`` before it: a date that came, or a mail, what it wants, and by what its writer is known."""
    match event:
        case DeadlinesReached(keys=keys):
            yield f"{at}came due: {', '.join(keys)}"
            return
        case Bounced(bounce=bounce, mail=mail):
            yield f"{at}could not be delivered: {', '.join(bounce.recipients) or mail.sender}"
            return
        case Ignored(mail=mail, reason=because):
            yield f"{at}{mail.sender}: {mail.subject}"
            yield f"  ignored: {because}"
            return
    mail = event.mail
    yield f"{at}{mail.sender}: {mail.subject}"
    staff = isinstance(event, StaffMessage)
    proof = PROOFS[event.proof] if isinstance(event, StaffMessage) else PROOFS["forged"] if mail.forged else ""
    yield f"  {_KINDS[type(event).__name__]}{'' if staff else _wanted(event.request)}{f': {proof}' if proof else ''}"
    if mail.attachments:
        yield f"  attached: {', '.join(mail.attachments)}"


_KINDS = {"Requested": "request", "Answered": "answer", "Ordered": "order", "StaffMessage": "staff"}


def _wanted(request: Request) -> str:
    words = (
        request.intent if request.intent not in ("none", "po") else "",
        _order(request.order) if request.order else "",
        f"on its way: {_parcel(request.shipment)}" if request.shipment else "",
        "adds units" if request.adds_units else "",
        f"corrects {request.corrected_serial or 'a serial'}" if request.corrects_serial else "",
        "asks for a new number" if request.renews_number else "",
        "thanks" if request.thanks else "",
        *request.special_requests,
    )
    return "".join(f", {word}" for word in words if word)


def decision_lines(decision: Decision, indent: str = "") -> Iterator[str]:
    """Yield what was decided, and by which clauses on which facts: unit by unit, command by command."""
    for ruling in decision.command_results:
        yield f"{indent}{_ruled(ruling)}"
    for verdict in decision.verdicts:
        yield f"{indent}{verdict.serial or '(no serial)'}: {verdict.outcome} ({', '.join(verdict.clauses)})"
        if facts := ", ".join(f"{fact.name} {fact.value}" for fact in verdict.facts):
            yield f"{indent}  {facts}"
    if not decision.verdicts and not decision.command_results and decision.why:
        clauses = f" ({', '.join(decision.clauses)})" if decision.clauses else ""
        yield f"{indent}decided: {decision.outcome}{clauses}: {decision.why}"


def _ruled(ruling: CommandResult) -> str:
    command = ruling.command
    words = (
        RESULTS[ruling.result],
        f" for {', '.join(ruling.serials)}" if ruling.serials else "",
        f" ({', '.join(ruling.clauses)})" if ruling.clauses else "",
        f": {WHYS.get(ruling.reason, ruling.reason)}" if ruling.reason else "",
        f", the {command.flaw}" if command.flaw else "",
        f"; found: {', '.join(command.findings)}" if command.findings else "",
        f"; forced: {command.force}" if command.force else "",
    )
    return f'"{command.said}" {"".join(words)}'


def _sent(case: Case, entry: HistoryEntry) -> Iterator[str]:
    for reply in (reply for reply in case.replies if reply.message_id in entry.sent):
        cites = f" ({', '.join(reply.cites)})" if reply.cites else ""
        yield f"  {_state(reply)} to {reply.to}: {reply.template}: {reply.subject}{cites}"


def _state(reply: Reply) -> str:
    return f"{reply.state} ({reply.note})" if reply.note and reply.state != "sent" else reply.state


# ------------------------------------------------------------------ figures


def _total(quote: Quote) -> str:
    return f"{quote.charges[0].currency} {quote.total:.2f}"


def _charge(charge: Charge) -> str:
    unit = f" for {charge.serial}" if charge.serial else ""
    return f"{charge.label}{unit}: {charge.currency} {charge.amount:.2f}"


def _price(price: Price) -> str:
    return f"{price.currency} {price.amount:.2f}".strip()


def _order(order: PurchaseOrder) -> str:
    totals = f" over {_price(order.totals[0])}" if order.totals else ""
    quotes = f" for {', '.join(order.quotes)}" if order.quotes else ""
    return f"purchase order {order.number}{totals}{quotes}{'' if order.copy else ', no copy attached'}"


def _parcel(parcel: ShipmentNotice) -> str:
    return f"{parcel.carrier} {parcel.tracking}".strip() or "no tracking number"
