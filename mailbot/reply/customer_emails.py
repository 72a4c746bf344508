"""Emails to customers: replies, reminders, expirations, closings, and the progress and status of a return."""

from __future__ import annotations

import re

from msgspec import structs

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Notice, Price, Verdict
from mailbot.policy.policy import Policy
from mailbot.reply.email_content import ContactBlock, EmailContent, UnitBlock
from mailbot.reply.policy_sentences import bill, date_in_words, informs, language_of, money, quote_block, says, shown_clauses


def answer(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return the reply to a customer's email: a verdict for each unit, and one next step."""
    reasons = {serial_key(unit.serial): unit.reason for unit in case.units} if notice.echo else {}
    return structs.replace(
        _basics(notice, case, policy),
        units=tuple(
            _unit(policy, case, verdict, _without_numbers(policy, reasons.get(serial_key(verdict.serial), "")))
            for verdict in notice.verdicts
            if not verdict.staff_only
        ),
        asks=notice.asks,
        ship_to=ship_to(policy, case) if notice.number else (),
        credit=_money(case.credit) if notice.number else "",
        fee=_money(case.fee) if notice.number else "",
        why=notice.why,
    )


def _money(price: Price | None) -> str:
    return money(price.amount, price.currency) if price else ""


def reminder(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return a reminder of what a case waits for, or the notice of its expiration or closing."""
    language, keys = language_of(policy, case), set(map(serial_key, notice.units))
    return structs.replace(
        _basics(notice, case, policy),
        units=tuple(_waiting(policy, unit) for unit in case.units if serial_key(unit.serial) in keys),
        asks=notice.asks,
        valid_until=date_in_words(notice.until, language) if notice.until else "",
        days_left=notice.days_left,
        ship_to=ship_to(policy, case) if notice.number and notice.kind == "reminder" else (),
    )


def progress(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return the email about the progress of units; it decides nothing about their coverage."""
    language = language_of(policy, case)
    units = {serial_key(unit.serial): unit for unit in case.units}
    return structs.replace(
        _basics(notice, case, policy),
        units=tuple(_progress_unit(policy, case, v, units.get(serial_key(v.serial)), notice) for v in notice.verdicts),
        bill=bill(notice.charges),
        carrier=notice.shipment.carrier if notice.shipment else "",
        tracking=notice.shipment.tracking if notice.shipment else "",
        ship_to=ship_to(policy, case) if notice.about == "address" else (),
        valid_until=date_in_words(notice.until, language) if notice.until else "",
    )


def _basics(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return the content that all emails to customers about a case have."""
    number, language = notice.number, language_of(policy, case)
    return EmailContent(
        kind=notice.kind,
        about=notice.about,
        subject=_subject(policy, case),
        language=language,
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        greeting=_without_numbers(policy, notice.greeting),
        case_id=case.id,
        clauses=shown_clauses(notice, policy),
        informs=informs(notice, case, policy),
        number=number.text if number else "",
        valid_until=date_in_words(number.valid_until, language) if number else "",
        quote=quote_block(notice.quote, language) if notice.quote else None,
    )


def _subject(policy: Policy, case: Case) -> str:
    """Return the subject of the thread with the number, else the case id: a reply is matched to its case by it (ST-11)."""
    tag = case.number.text if case.number else case.id
    return " ".join(f"Re: {_without_numbers(policy, case.subject)} [{tag}]".split())


def _without_numbers(policy: Policy, text: str) -> str:
    """Return a customer's text without RMA numbers: an invalid number is never repeated (AP-25)."""
    return re.sub(policy.desk.number_form, "", text, flags=re.IGNORECASE).replace("[]", "").strip()


def ship_to(policy: Policy, case: Case) -> tuple[str, ...]:
    """Return the ship-to address with the number: the one that staff gave for this case, else that of the rules (AP-48, ST-10)."""
    number = case.number.text if case.number else ""
    lines = (line.replace("{number}", number) for line in case.ship_to or policy.rules.ship_to.lines)
    return tuple(line for line in lines if line.strip(" :") and not line.endswith(": "))


def contact_of(policy: Policy) -> ContactBlock:
    """Return the company and its other contacts."""
    return ContactBlock(policy.rules.policy.company, policy.rules.contact.lines)


def _unit(policy: Policy, case: Case, verdict: Verdict, reason: str) -> UnitBlock:
    clause = (verdict.shown_clauses or verdict.clauses)[0]
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
        state=next((u.state for u in case.units if verdict.number and serial_key(u.serial) == serial_key(verdict.serial)), None),
    )


def _waiting(policy: Policy, unit: CaseUnit) -> UnitBlock:
    return UnitBlock(
        serial=unit.serial,
        outcome="ask" if unit.answered_as_unknown else unit.outcome,
        model=unit.model,
        reason=_without_numbers(policy, unit.reason),
        asks=unit.asks,
    )


def _progress_unit(policy: Policy, case: Case, verdict: Verdict, unit: CaseUnit | None, notice: Notice) -> UnitBlock:
    sentence = says(policy, verdict.clauses[0], verdict.says, case, verdict)
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(sentence,) if notice.about != "status" and sentence.text else (),
        model=verdict.model,
        reason=_without_numbers(policy, unit.reason) if unit else "",
        asks=unit.asks if unit else (),
        state=unit.state if unit else None,
    )
