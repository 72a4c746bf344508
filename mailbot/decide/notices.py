"""The notices of a decision: template, sentences of the policy, and facts. The texts are rendered later (``reply``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from msgspec import structs

from mailbot.case.lifecycle import NUMBERED
from mailbot.case.quotes import open_quotes
from mailbot.decide.coverage import answer_decision, answer_verdict, latest_inquiry
from mailbot.decide.plan import Plan
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseUnit,
    Charge,
    Decision,
    DocumentFacts,
    Inform,
    MailReference,
    Notice,
    PurchaseOrder,
    Request,
    SpecialRequest,
    Verdict,
)
from mailbot.policy import facts as vocabulary
from mailbot.policy.context import Context
from mailbot.policy.facts import Facts
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, InformRule, Moment

EXCERPT = 4000
"""Characters of the sender's text that a notice to staff shows."""

_MOMENT_OF: dict[str, Moment] = {"issue": "issued", "quote": "quoted", "ask": "asked", "staff": "held", "decline": "declined"}
_MOMENT_AFTER: dict[str, Moment] = {"received": "received", "charged": "charged", "parts_ordered": "ordered", "shipped": "shipped"}
_WITH_BILL = ("charged", "parts_declined", "parts_lapsed", "status")
"""Emails that show what is billed."""
_WITH_QUOTE = ("status", "extended")
"""Emails that show the open quote."""


# ---------------------------------------------------------------- to customers


def answer(plan: Plan, decision: Decision, mail: MailReference, *, first: bool) -> Notice:
    """Return the reply to a customer's email: a verdict for each unit, and one next step.

    ``first``: it is the first reply in the case, which has additional sentences of the policy.
    """
    case, verdicts = plan.current, decision.verdicts
    shown = [verdict for verdict in verdicts if not verdict.staff_only]
    quoted = any(verdict.outcome == "quote" for verdict in verdicts)
    issued = any(verdict.outcome == "issue" for verdict in verdicts)
    number = next((verdict.number for verdict in verdicts if verdict.number), case.number) if issued else None
    offered = next(reversed(open_quotes(case)), None) if quoted or "po" in decision.asks else None
    parts = quoted and offered is not None and offered.parts
    moments: set[Moment] = {"first"} if first else set()
    new = number and any(v.outcome == "issue" and not v.answered_as_unknown and v.number is None for v in shown)
    lines = informs(plan.context.policy, decision, moments, parts=parts)
    return Notice(
        kind="answer",
        about="parts" if parts else "",
        clauses=_cites(decision.clauses, lines),
        basis=decision.clauses,
        verdicts=verdicts,
        asks=decision.asks,
        says=decision.says,
        why=decision.says if all(verdict.staff_only for verdict in verdicts) else "",
        greeting=mail.name or ("" if mail.forged else case.name),
        echo=not mail.forged,
        informs=lines,
        number=number,
        quote=offered,
        documents=document_facts(plan.context, case) if new else None,
    )


def progress(
    plan: Plan, name: str, units: Sequence[CaseUnit], decision: Decision, added: tuple[SpecialRequest, ...] = ()
) -> Notice:
    """Return the email of one entry of [answers] about these units.

    ``added``: new special requests of the email that is replied to; the policy's sentences about them are added (AP-36, AP-39).
    """
    rule: AnswerRule = getattr(plan.context.answers, name)
    verdicts: tuple[Verdict, ...] = ()
    if inquiry := latest_inquiry(plan.current):
        request = structs.replace(inquiry.request, special_requests=added) if added else inquiry.request
        verdicts = tuple(answer_verdict(plan.context, inquiry._replace(request=request), rule, unit) for unit in units)
        if not verdicts:
            decision = answer_decision(plan.context, inquiry, rule)
    return progress_of(plan, name, verdicts, decision, with_special_requests=bool(added))


def progress_of(
    plan: Plan, name: str, verdicts: tuple[Verdict, ...], decision: Decision, *, with_special_requests: bool = False
) -> Notice:
    """Return the email about the progress of units, with these verdicts; it decides nothing about coverage."""
    case, policy = plan.current, plan.context.policy
    basis = tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)) or decision.clauses
    shown = structs.replace(decision, outcome="none", clauses=basis, verdicts=verdicts, says="")
    moments: set[Moment] = {_MOMENT_AFTER[name]} if name in _MOMENT_AFTER else set()
    lines = informs(policy, shown, moments | ({"told"} if with_special_requests else set()), judged=False)
    returned = any(unit.state in (*NUMBERED, "shipped", "closed", "withdrawn") for unit in case.units)
    number, quote = case.number if returned else None, next(reversed(open_quotes(case)), None)
    until = case.number.valid_until if case.number else quote.valid_until if name == "extended" and quote else None
    return Notice(
        kind="progress",
        about=name,
        clauses=_cites(basis, lines),
        basis=basis,
        verdicts=verdicts,
        greeting=case.name,
        informs=lines,
        number=number,
        quote=quote if name in _WITH_QUOTE else None,
        charges=_new_charges(plan, name),
        shipment=case.inbound if name == "under_way" else case.outbound,
        until=until,
        documents=document_facts(plan.context, case) if name in ("address", "extended") and number else None,
    )


def _new_charges(plan: Plan, name: str) -> tuple[Charge, ...]:
    """Return the charges that the email shows: for findings only the new ones, otherwise all charges of the case."""
    if name not in _WITH_BILL:
        return ()
    earlier = plan.before.charges if name == "charged" and plan.before else ()
    return tuple(line for line in plan.current.charges if line not in earlier)


def document_facts(context: Context, case: Case) -> DocumentFacts:
    """Return what the documents of a return need from the registry (AP-31, AP-42, ST-11)."""
    units = [unit for unit in case.units if unit.state in NUMBERED]
    rows = [(unit.serial, context.snapshot.units.get(serial_key(unit.serial))) for unit in units]
    home = context.policy.rules.policy.country.value
    abroad = any(row and row.country and row.country.upper() != home for _, row in rows)
    return DocumentFacts(
        customer=next((row.customer for _, row in rows if row), ""),
        origins=tuple((serial, row.origin) for serial, row in rows if row and row.origin),
        customs="overseas" in case.special_requests or abroad,
    )


# ---------------------------------------------------------------- to staff


def to_staff(plan: Plan, decision: Decision, mail: MailReference | None, *, about: str, request: Request | None = None) -> Notice:
    """Return a notice to staff: the facts, the clauses, and what the sender wrote.

    ``mail``: the email that it is about, if any. ``request``: its request, if its purchase order and notes are to be shown.
    """
    case, policy = plan.current, plan.context.policy
    facts = [(fact.name, fact.value) for fact in decision.facts if fact.name != "today" and fact.value != "no"]
    for verdict in decision.verdicts:
        if unit := plan.context.snapshot.units.get(serial_key(verdict.serial)):
            delivered = f"{unit.model}, {unit.family}, delivered {unit.delivered_on}"
            facts.append((f"{verdict.serial} in the registry", f"{delivered} to {unit.customer} ({unit.customer_domain})"))
    facts += [(f"draft for {v.serial}", f"{v.draft.outcome} by {', '.join(v.draft.clauses)}") for v in decision.verdicts if v.draft]
    if mail and mail.attachments:
        facts.append(("attachments", ", ".join(mail.attachments)))
    if request and request.order:
        facts.append(("purchase order", _order(request.order)))
    facts += [("note", note) for note in request.notes] if request else []
    lines = _lines(policy, decision, lambda rule, _: bool(rule.notify and rule.when))
    return Notice(
        kind="notice",
        about=about,
        audience="staff",
        clauses=_cites(decision.clauses, lines),
        basis=decision.clauses,
        verdicts=decision.verdicts,
        says=decision.says,
        why=decision.why,
        informs=lines,
        number=case.number,
        quote=case.quotes[-1] if case.quotes else None,
        facts=tuple(facts),
        questions=case.questions,
        quoted=mail.text[:EXCERPT] if mail else "",
        sender=mail.sender if mail else case.sender,
    )


def transcript(case: Case | None, decision: Decision, mail: MailReference, *, about: str) -> Notice:
    """Return the reply to a staff email: the result of each command, and the current state of the case."""
    return Notice(
        kind="transcript",
        about=about,
        audience="staff",
        clauses=decision.clauses,
        basis=decision.clauses,
        command_results=decision.command_results,
        units=tuple(unit.serial for unit in case.units) if case else (),
        quote=case.quotes[-1] if case and case.quotes else None,
        quoted=mail.text[:EXCERPT] if about != "done" else "",
        subject="" if case else mail.subject,
    )


def second_approval(plan: Plan, decision: Decision, mail: MailReference) -> Notice:
    """Return the question to a second approver: the commands of a member of staff, and the facts."""
    notice = to_staff(plan, decision, mail, about="second")
    return structs.replace(
        notice,
        clauses=decision.clauses,
        facts=(("customer", plan.current.sender), *notice.facts),
        units=tuple(unit.serial for unit in plan.current.units),
        command_results=tuple(result for result in decision.command_results if result.result == "second"),
    )


def without_content(about: str, why: str, at: datetime, identity: str) -> Notice:
    """Return the notice about an email that nothing was done with, "forged" or "unreadable": no content is shown."""
    facts = (("arrived", at.isoformat(timespec="seconds")), ("identity", identity.strip()))
    return Notice(kind="notice", about=about, audience="staff", why=why, facts=facts)


def _order(order: PurchaseOrder) -> str:
    """Return the contents of a purchase order as text, to be compared with our quote (AP-17)."""
    totals = ", ".join(f"{price.currency} {price.amount:.2f}".strip() for price in order.totals[:3])
    named = f"{order.number}: {totals or 'no total could be read'}"
    return f"{named}; for quote {', '.join(order.quotes)}" if order.quotes else named


# ---------------------------------------------------------------- sentences of the policy


def informs(
    policy: Policy, decision: Decision, moments: Collection[Moment], *, judged: bool = True, parts: bool = False
) -> tuple[Inform, ...]:
    """Return the policy's sentences for an email: by its moments, the moments of its verdicts, and the facts of its units.

    ``judged``: the verdicts are new and add their own moments. ``parts``: the quote was made after the diagnosis.
    """

    def belongs(rule: InformRule, verdict: Verdict | None) -> bool:
        if verdict and verdict.staff_only:
            return False
        own = _own_moment(decision, verdict, parts=parts) if judged else None
        return not {"every", *moments, own}.isdisjoint(rule.moment)

    return _lines(policy, decision, belongs)


def _lines(policy: Policy, decision: Decision, belongs: Callable[[InformRule, Verdict | None], bool]) -> tuple[Inform, ...]:
    """Return the sentences that belong to an email and whose conditions hold, each once."""
    units = _seen(decision)
    lines = (
        Inform(rule.clause, rule.says, verdict.serial if verdict and "{" in rule.says else None)
        for rule in policy.rules.inform
        for seen, verdict in units
        if belongs(rule, verdict) and vocabulary.holds(rule.when, seen)
    )
    return tuple(dict.fromkeys(lines))


def _own_moment(decision: Decision, verdict: Verdict | None, *, parts: bool) -> Moment | None:
    """Return the moment of a verdict; for a unit that is answered as unknown it is "asked" (promise 7)."""
    if verdict is None:
        return _MOMENT_OF.get(decision.outcome)
    if parts and verdict.outcome == "quote":
        return "parts_quoted"
    return "asked" if verdict.answered_as_unknown else _MOMENT_OF[verdict.outcome]


def _seen(decision: Decision) -> list[tuple[Facts, Verdict | None]]:
    """Return the facts of each unit that was decided on, or those of the email if there is none."""
    if all(verdict.staff_only for verdict in decision.verdicts):
        return [(vocabulary.recall(decision.facts), None)]
    return [(vocabulary.recall(verdict.facts), verdict) for verdict in decision.verdicts]


def _cites(clauses: tuple[str, ...], lines: Iterable[Inform]) -> tuple[str, ...]:
    """Return the clauses that are recorded with an email: those that decided, and those of its other sentences."""
    return tuple(dict.fromkeys((*clauses, *(line.clause for line in lines))))
