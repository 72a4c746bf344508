"""Which letter says what: the facts of each mail, gathered from the case, the decision and the rules."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from msgspec import structs

from mailbot.case import deadlines
from mailbot.case.lifecycle import NUMBERED, WORKED
from mailbot.case.quotes import standing
from mailbot.intake.serials import fold
from mailbot.model import Case, CaseItem, Deadline, Decision, Number, Price, Verdict, Wrote
from mailbot.policy.policy import Policy
from mailbot.reply.letter import Contact, Letter, UnitBlock
from mailbot.reply.sentences import informs, money, quote_block, says, shown_clauses, tongue, written


def answer(policy: Policy, case: Case, decision: Decision, mail: Wrote, *, first: bool) -> Letter:
    """Return the answer to a customer's mail: a verdict a unit, and one next step."""
    reasons = {} if mail.forged else {fold(item.serial): item.reason for item in case.items}
    quoted = any(v.outcome == "quote" for v in decision.verdicts)
    issued = any(v.outcome == "issue" for v in decision.verdicts)
    number = next((v.number for v in decision.verdicts if v.number), case.number) if issued else None
    offered = next(reversed(standing(case)), None) if quoted or "po" in decision.asks else None
    parts = quoted and offered is not None and offered.parts
    return frame(
        policy,
        case,
        decision,
        kind="answer",
        subject=subject(policy, case),
        greeting=without_numbers(policy, mail.name or ("" if mail.forged else case.name)),
        units=tuple(
            _unit(policy, case, v, without_numbers(policy, reasons.get(fold(v.serial), "")))
            for v in decision.verdicts
            if not v.hidden
        ),
        asks=decision.asks,
        informs=informs(policy, decision, case, first=first, parts=parts),
        quote=quote_block(offered, tongue(policy, case)) if offered else None,
        number=number,
        ship_to=ship_to(policy, case) if number else (),
        credit=_money(case.credit) if number else "",
        fee=_money(case.fee) if number else "",
        about="parts" if parts else "",
        why=decision.says if all(verdict.hidden for verdict in decision.verdicts) else "",
    )


def _money(price: Price | None) -> str:
    return money(price.amount, price.currency) if price else ""


def reminder(policy: Policy, case: Case, deadline: Deadline, today: date) -> Letter:
    """Return the reminder of what a case waits for, or the word that it waits no more."""
    about = {"missing": "asking"}.get(deadline.kind, deadline.kind)
    decision = due_decision(policy, deadline)
    number = case.number if deadline.kind == "number" else None
    waiting = tuple(item for item in case.items if _concerned(item, deadline))
    end = next((d.on for d in case.deadlines if d.kind == deadline.kind and d.ends), deadline.on)
    kind = "reminder" if not deadline.ends else "expired" if number else "closed"
    quote = next(reversed(standing(case)), None) if deadline.kind == "quote" else None
    return frame(
        policy,
        case,
        decision,
        kind=kind,
        about=about,
        subject=subject(policy, case),
        greeting=without_numbers(policy, case.name),
        units=tuple(_waiting(policy, item) for item in waiting),
        asks=tuple(dict.fromkeys(ask for item in waiting for ask in item.asks)),
        informs=informs(
            policy, decision, case, moments=(("expired",) if deadline.ends else ("reminder",)) if number else ()
        ),
        quote=quote_block(quote, tongue(policy, case)) if quote else None,
        number=number,
        valid_until=written(end, tongue(policy, case)),
        days_left=(end - today).days,
        ship_to=ship_to(policy, case) if number and not deadline.ends else (),
    )


def due_decision(policy: Policy, deadline: Deadline) -> Decision:
    """Return what is on record for a mail that a deadline sent: the clause it stands on."""
    rules = policy.rules.deadlines
    clause: str = getattr(rules, deadline.kind).clause
    return Decision("none", (clause,), f"{deadline.kind}: {policy.clause_text(clause)}", policy.stamp)


def subject(policy: Policy, case: Case) -> str:
    """Return the thread's subject with the number, or else the case, by which an answer finds home (ST-11)."""
    tag = case.number.text if case.number else case.id
    return " ".join(f"Re: {without_numbers(policy, case.subject)} [{tag}]".split())


def without_numbers(policy: Policy, text: str) -> str:
    """Return a customer's text without RMA numbers: one that was made up is never echoed (AP-25), ours we write ourselves."""
    return re.sub(policy.desk.number_form, "", text, flags=re.IGNORECASE).replace("[]", "").strip()


def ship_to(policy: Policy, case: Case) -> tuple[str, ...]:
    """Return the delivery address, the number in its place: the one staff gave for this case, else the rules' (AP-48, ST-10)."""
    number = case.number.text if case.number else ""
    lines = (line.replace("{number}", number) for line in case.ship_to or policy.rules.ship_to.lines)
    return tuple(line for line in lines if line.strip(" :") and not line.endswith(": "))


def number_of(case: Case) -> Number | None:
    """Return the number under which the case's units travel, where they do."""
    travelled = (*NUMBERED, "shipped", "closed", "withdrawn")
    return case.number if any(item.state in travelled for item in case.items) else None


def contact_of(policy: Policy) -> Contact:
    """Return who answers the customer besides this mailbox."""
    return Contact(policy.rules.policy.company, policy.rules.contact.lines)


def frame(policy: Policy, case: Case, decision: Decision, *, number: Number | None, **facts: Any) -> Letter:
    """Fill in what every letter has."""
    letter = Letter(
        kind="answer",
        subject="",
        language=tongue(policy, case),
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        case_id=case.id,
        clauses=shown_clauses(policy, decision),
        policy_version=f"{decision.stamp.version} ({decision.stamp.digest[:8]})",
        number=number.text if number else "",
        issued_on=written(number.issued_on, tongue(policy, case)) if number else "",
        valid_until=written(number.valid_until, tongue(policy, case)) if number else "",
    )
    return structs.replace(letter, **facts)


def _unit(policy: Policy, case: Case, verdict: Verdict, reason: str) -> UnitBlock:
    clause = (verdict.shown or verdict.clauses)[0]
    until = verdict.covered_until if verdict.outcome == "issue" else None
    return UnitBlock(
        serial=verdict.serial,
        outcome="ask" if verdict.disguised else verdict.outcome,
        says=(says(policy, clause, verdict.says, case, verdict),),
        model=verdict.model,
        reason=reason,
        asks=verdict.asks,
        covered_until=written(until, tongue(policy, case)) if until and verdict.valid_until is None else "",
        existing=verdict.number is not None,
        suggestion=verdict.suggestion,
        state=next((i.state for i in case.items if verdict.number and fold(i.serial) == fold(verdict.serial)), None),
    )


def _waiting(policy: Policy, item: CaseItem) -> UnitBlock:
    return UnitBlock(
        serial=item.serial,
        outcome="ask" if item.disguised else item.outcome,
        model=item.model,
        reason=without_numbers(policy, item.reason),
        asks=item.asks,
    )


def _concerned(item: CaseItem, deadline: Deadline) -> bool:
    match deadline.kind:
        case "missing":
            return deadlines.awaits_answer(item)
        case "quote":
            return item.state in ("quoted", "parts_quoted")
        case "number":
            return item.state == "authorized"
        case "held":
            return item.state == "held"
        case "repair":
            return item.state in WORKED
        case "close":
            return item.state == "shipped"
