"""Emails to staff: notices, and transcripts of their commands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import structs

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, CommandResult, Notice, Verdict
from mailbot.policy.policy import Policy
from mailbot.reply.customer_emails import contact_of
from mailbot.reply.email_content import CommandLine, EmailContent, UnitBlock
from mailbot.reply.policy_sentences import date_in_words, informs, quote_block, says

_SUBJECTS = {
    "held": "please decide",
    "second": "please approve",
    "confirm": "please confirm",
    "passed_on": "please answer",
    "told": "for your information",
    "silent": "not answered today",
    "undeliverable": "not delivered",
    "repair_due": "repair due soon",
    "done": "your commands",
    "nothing": "no command",
}
"""The purpose of an email to staff, for its subject."""


def to_staff(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return an email to staff about a case: the facts, the clauses, what the sender wrote, the results of commands."""
    if notice.kind == "transcript":
        return _transcript(notice, case, policy)
    reasons = {serial_key(unit.serial): unit.reason for unit in case.units}
    listed = [unit for unit in case.units if serial_key(unit.serial) in set(map(serial_key, notice.units))]
    facts = notice.facts
    if notice.about in ("repair_due", "repair_overdue"):
        days = dict.fromkeys(date_in_words(unit.repair_due, "en") for unit in listed if unit.repair_due)
        facts = (("repair due", ", ".join(days)),)
    number = notice.number
    return structs.replace(
        _frame(notice, policy, _subject(policy, case, notice.about)),
        case_id=case.id,
        clauses=tuple(says(policy, clause, policy.clause_text(clause), case, None) for clause in notice.basis),
        number=number.text if number else "",
        valid_until=date_in_words(number.valid_until, "en") if number else "",
        units=_as_they_are(listed) or tuple(_unit(policy, case, v, reasons.get(serial_key(v.serial), "")) for v in notice.verdicts),
        facts=facts,
        questions=tuple(_not_as_ours(policy, statement.text) for statement in notice.questions),
        informs=informs(notice, case, policy),
    )


def _transcript(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return the reply to a staff email: the result of each command, and the current state of the case."""
    return structs.replace(
        _frame(notice, policy, _subject(policy, case, notice.about)),
        case_id=case.id,
        sender=case.sender,
        facts=_handling_facts(case),
        number=case.number.text if case.number else "",
        units=_as_they_are(case.units),
    )


def without_case(notice: Notice, policy: Policy) -> EmailContent:
    """Return an email to staff about no case: about a forged or unreadable email, or commands that belong to no case."""
    company = policy.rules.policy.company
    subjects = {"unreadable": f"[{company}] unreadable mail", "forged": f"[{company}] a mail in your name"}
    return structs.replace(
        _frame(notice, policy, subjects.get(notice.about) or f"Re: {_not_as_ours(policy, notice.subject)}"), facts=notice.facts
    )


def _frame(notice: Notice, policy: Policy, subject: str) -> EmailContent:
    return EmailContent(
        kind=notice.kind,
        about=notice.about,
        subject=subject,
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        quoted=_not_as_ours(policy, notice.quoted),
        sender=notice.sender,
        why=notice.why,
        quote=quote_block(notice.quote, "en") if notice.quote else None,
        command_results=tuple(_line(result) for result in notice.command_results),
    )


def _handling_facts(case: Case) -> tuple[tuple[str, str], ...]:
    """Return what staff must know to handle the units: special requests, shipments, the ship-to address of the case."""
    shipments = (("arriving with", case.inbound), ("sent back with", case.outbound))
    found = [("wishes", ", ".join(request.replace("_", " ") for request in case.special_requests))]
    found += [(name, f"{each.carrier} {each.tracking}".strip()) for name, each in shipments if each]
    found.append(("delivery address", ", ".join(case.ship_to)))
    return tuple((name, text) for name, text in found if text)


def _line(result: CommandResult) -> CommandLine:
    command = result.command
    return CommandLine(command.said, command.name, result.result, result.reason, result.serials, result.states, command.flaw)


def _subject(policy: Policy, case: Case, about: str) -> str:
    return f"[{case.id}] {_SUBJECTS.get(about, about.replace('_', ' '))}: {_not_as_ours(policy, case.subject)}"


def _as_they_are(units: Iterable[CaseUnit]) -> tuple[UnitBlock, ...]:
    return tuple(UnitBlock(unit.serial, unit.outcome, model=unit.model, reason=unit.reason, state=unit.state) for unit in units)


def _not_as_ours(policy: Policy, text: str) -> str:
    """Return a customer's text with RMA numbers changed to "RMA 123": only numbers that we issue have our format."""
    return re.sub(policy.desk.number_form, lambda found: found[0].replace("-", " ", 1), text, flags=re.IGNORECASE)


def _unit(policy: Policy, case: Case, verdict: Verdict, reason: str) -> UnitBlock:
    clause = verdict.clauses[0]
    state = next((unit.state for unit in case.units if serial_key(unit.serial) == serial_key(verdict.serial)), None)
    text = policy.clause_text(clause) if verdict.answered_as_unknown else verdict.says
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(says(policy, clause, text, case, verdict),),
        model=verdict.model,
        reason=reason,
        state=state,
    )
