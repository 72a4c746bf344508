"""Which letter says what: the facts of each mail, gathered from the case, the decision and the rules."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from msgspec import structs

from mailbot.case import deadlines
from mailbot.case.lifecycle import IN_WORK, NUMBERED
from mailbot.case.quotes import open_quotes
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Deadline, Decision, MailReference, Number, Price, Verdict
from mailbot.policy.policy import Policy
from mailbot.reply.content import ContactBlock, EmailContent, UnitBlock
from mailbot.reply.policy_sentences import date_in_words, informs, language_of, money, quote_block, says, shown_clauses


def answer(policy: Policy, case: Case, decision: Decision, mail: MailReference, *, first: bool) -> EmailContent:
    """Return the answer to a customer's mail: a verdict a unit, and one next step."""
    reasons = {} if mail.forged else {serial_key(unit.serial): unit.reason for unit in case.units}
    quoted = any(v.outcome == "quote" for v in decision.verdicts)
    issued = any(v.outcome == "issue" for v in decision.verdicts)
    number = next((v.number for v in decision.verdicts if v.number), case.number) if issued else None
    offered = next(reversed(open_quotes(case)), None) if quoted or "po" in decision.asks else None
    parts = quoted and offered is not None and offered.parts
    return frame(
        policy,
        case,
        decision,
        kind="answer",
        subject=subject(policy, case),
        greeting=without_numbers(policy, mail.name or ("" if mail.forged else case.name)),
        units=tuple(
            _unit(policy, case, v, without_numbers(policy, reasons.get(serial_key(v.serial), "")))
            for v in decision.verdicts
            if not v.staff_only
        ),
        asks=decision.asks,
        informs=informs(policy, decision, case, first=first, parts=parts),
        quote=quote_block(offered, language_of(policy, case)) if offered else None,
        number=number,
        ship_to=ship_to(policy, case) if number else (),
        credit=_money(case.credit) if number else "",
        fee=_money(case.fee) if number else "",
        about="parts" if parts else "",
        why=decision.says if all(verdict.staff_only for verdict in decision.verdicts) else "",
    )


def _money(price: Price | None) -> str:
    return money(price.amount, price.currency) if price else ""


def reminder(policy: Policy, case: Case, deadline: Deadline, today: date) -> EmailContent:
    """Return the reminder of what a case waits for, or the word that it waits no more."""
    about = {"missing": "asking"}.get(deadline.kind, deadline.kind)
    decision = due_decision(policy, deadline)
    number = case.number if deadline.kind == "number" else None
    waiting = tuple(unit for unit in case.units if _concerned(unit, deadline))
    end = next((d.on for d in case.deadlines if d.kind == deadline.kind and d.ends), deadline.on)
    kind = "reminder" if not deadline.ends else "expired" if number else "closed"
    quote = next(reversed(open_quotes(case)), None) if deadline.kind == "quote" else None
    return frame(
        policy,
        case,
        decision,
        kind=kind,
        about=about,
        subject=subject(policy, case),
        greeting=without_numbers(policy, case.name),
        units=tuple(_waiting(policy, unit) for unit in waiting),
        asks=tuple(dict.fromkeys(ask for unit in waiting for ask in unit.asks)),
        informs=informs(
            policy, decision, case, moments=(("expired",) if deadline.ends else ("reminder",)) if number else ()
        ),
        quote=quote_block(quote, language_of(policy, case)) if quote else None,
        number=number,
        valid_until=date_in_words(end, language_of(policy, case)),
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
    return case.number if any(unit.state in travelled for unit in case.units) else None


def contact_of(policy: Policy) -> ContactBlock:
    """Return who answers the customer besides this mailbox."""
    return ContactBlock(policy.rules.policy.company, policy.rules.contact.lines)


def frame(policy: Policy, case: Case, decision: Decision, *, number: Number | None, **facts: Any) -> EmailContent:
    """Fill in what every letter has."""
    letter = EmailContent(
        kind="answer",
        subject="",
        language=language_of(policy, case),
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        case_id=case.id,
        clauses=shown_clauses(policy, decision),
        policy_version=f"{decision.stamp.version} ({decision.stamp.digest[:8]})",
        number=number.text if number else "",
        issued_on=date_in_words(number.issued_on, language_of(policy, case)) if number else "",
        valid_until=date_in_words(number.valid_until, language_of(policy, case)) if number else "",
    )
    return structs.replace(letter, **facts)


def _unit(policy: Policy, case: Case, verdict: Verdict, reason: str) -> UnitBlock:
    clause = (verdict.shown or verdict.clauses)[0]
    until = verdict.covered_until if verdict.outcome == "issue" else None
    return UnitBlock(
        serial=verdict.serial,
        outcome="ask" if verdict.answered_as_unknown else verdict.outcome,
        says=(says(policy, clause, verdict.says, case, verdict),),
        model=verdict.model,
        reason=reason,
        asks=verdict.asks,
        covered_until=date_in_words(until, language_of(policy, case)) if until and verdict.valid_until is None else "",
        existing=verdict.number is not None,
        suggestion=verdict.suggestion,
        state=next(
            (i.state for i in case.units if verdict.number and serial_key(i.serial) == serial_key(verdict.serial)), None
        ),
    )


def _waiting(policy: Policy, unit: CaseUnit) -> UnitBlock:
    return UnitBlock(
        serial=unit.serial,
        outcome="ask" if unit.answered_as_unknown else unit.outcome,
        model=unit.model,
        reason=without_numbers(policy, unit.reason),
        asks=unit.asks,
    )


def _concerned(unit: CaseUnit, deadline: Deadline) -> bool:
    match deadline.kind:
        case "missing":
            return deadlines.awaits_answer(unit)
        case "quote":
            return unit.state in ("quoted", "parts_quoted")
        case "number":
            return unit.state == "authorized"
        case "held":
            return unit.state == "held"
        case "repair":
            return unit.state in IN_WORK
        case "close":
            return unit.state == "shipped"
