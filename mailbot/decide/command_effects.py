"""What staff commands bring about besides their changes: verdicts and clauses, and the emails to customers and staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.quotes import is_for_parts
from mailbot.decide import notices, permissions
from mailbot.decide.coverage import answer_verdict, latest_inquiry
from mailbot.decide.execution import finding_rules, outcome_of_findings
from mailbot.decide.meaning import WITHDRAWALS
from mailbot.decide.plan import Plan
from mailbot.decide.requests import ANSWERS_A_DAY
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, CommandName, CommandResult, Decision, Notice, StaffMember, StaffMessage, Verdict
from mailbot.policy.rules import AnswerRule, AnswerRules

_ANSWERS: Final[Mapping[CommandName, str]] = MappingProxyType(
    {
        "received": "received",
        "not_repairable": "unrepairable",
        "shipped": "shipped",
        "extend": "extended",
        "ship_to": "address",
        "close": "ended",
    }
)
"""The entry of [answers] that informs the customer of a command."""


def verdicts_of_command(plan: Plan, result: CommandResult) -> list[Verdict]:
    """Return the verdicts that a command causes: an RMA number, a rejection, a quote; none for other commands."""
    case, context, answers = plan.current, plan.context, plan.context.answers
    units = plan.units(result.serials)
    inquiry = latest_inquiry(case)
    if inquiry is None:
        return []
    judge = partial(answer_verdict, context, inquiry)
    match result.command.name:
        case "approve":
            # A unit that is only released, under a number that is still valid, needs no email: the customer has the number.
            needs_number = numbers.valid_number(case, context.day) is None
            return [
                _approval(judge, answers, unit)
                for unit in units
                if unit.resume_state is None or (unit.resume_state == "authorized" and (needs_number or unit.billed))
            ]
        case "reject":
            found = finding_rules(case, result, context.policy)
            received = any(unit.received_on for unit in units)
            declined = (rule.says for rule in found if rule.then == "decline" and received)
            reason = " ".join(dict.fromkeys(text for text in (*declined, _sentence(result.command.text)) if text))
            clauses = tuple(clause for rule in found for clause in rule.clauses)
            return [
                judge(
                    answers.rejected,
                    unit,
                    clauses or _disclosed_clause(unit),
                    reason or context.policy.clause_text(_disclosed_clause(unit)[0]),
                )
                for unit in units
            ]
        case "quote":
            return [judge(answers.parts_quoted if is_for_parts(units) else answers.quoted, unit) for unit in units]
        case "diagnosed":
            found = finding_rules(case, result, context.policy)
            return [
                structs.replace(judge(answers.parts_quoted, unit), outcome=outcome, clauses=found[0].clauses, says=found[0].says)
                for unit in units
                if (outcome := outcome_of_findings(found, unit))
            ]
    return []


def _approval(judge: Callable[..., Verdict], answers: AnswerRules, unit: CaseUnit) -> Verdict:
    """Return the verdict of APPROVE: what was drafted, if anything was."""
    if unit.draft and unit.draft.outcome == "quote":
        return judge(answers.quoted, unit, unit.draft.clauses)
    if unit.billed:
        return judge(answers.matches, unit, says=answers.approved.says)
    clauses = unit.draft.clauses if unit.draft else unit.clauses[:1] if unit.answered_as_unknown else unit.clauses
    return judge(answers.approved, unit, clauses)


def clauses_of_command(plan: Plan, result: CommandResult, verdicts: list[Verdict]) -> tuple[str, ...]:
    """Return the clauses that a command is based on: those of its verdicts, its findings, or its answer."""
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if result.command.name == "diagnosed":
        found = finding_rules(plan.current, result, plan.context.policy)
        return tuple(dict.fromkeys(clause for rule in found for clause in rule.clauses))
    name = _ANSWERS.get(result.command.name)
    answer: AnswerRule | None = getattr(plan.context.answers, name) if name else None
    return answer.clauses_for(plan.current.intent) if answer else ()


def _sentence(text: str) -> str:
    """Return the words of a member of staff as a sentence: capitalized, with a period."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _disclosed_clause(unit: CaseUnit) -> tuple[str, ...]:
    """Return the clause that the customer was shown; an unknown sender learns about no other clause (promise 7)."""
    return unit.clauses[1:2] if unit.answered_as_unknown and len(unit.clauses) > 1 else unit.clauses[:1]


# ---------------------------------------------------------------- emails


def plan_replies(plan: Plan, event: StaffMessage, decision: Decision, person: StaffMember) -> None:
    """Plan the emails to the customer, to approvers, and the transcript to the sender."""
    context, mail = plan.context, event.mail
    if plan.before:
        for notice in _customer_notices(plan, decision, plan.before):
            plan.inform_customer(notice)
        if decision.notify:
            plan.notify_roles(notices.to_staff(plan, decision, None, about="held"), decision.notify)
        if any(result.result == "second" for result in decision.command_results):
            amount = permissions.pending_amount(plan.current)
            approvers = permissions.second_approvers(context.policy.desk.staff, mail.sender, amount, plan.current)
            plan.notify_staff(notices.second_approval(plan, decision, mail), approvers)
    key, sent_today = decision.answer_key, context.snapshot.answers_today
    if key == "answered" or (key == "confirm" and sent_today >= ANSWERS_A_DAY):
        return
    confirms = tuple(result.command for result in decision.command_results if result.result == "asked")
    transcript = notices.transcript(plan.case, decision, mail, about=key or "done")
    plan.notify_staff(structs.replace(transcript, direct=bool(confirms)), (person,), confirms=confirms)


def _customer_notices(plan: Plan, decision: Decision, before: Case) -> Iterator[Notice]:
    """Yield the notices to the customer: one for all verdicts, then one for each command that changed a unit."""
    customer = latest_inquiry(plan.current)
    if customer and any(verdict.outcome != "staff" for verdict in decision.verdicts):
        clauses = tuple(dict.fromkeys(clause for verdict in decision.verdicts for clause in verdict.clauses))
        notice = notices.answer(plan, decision, customer.mail, first=False)
        informed = (line.clause for line in notice.informs)
        yield structs.replace(notice, clauses=tuple(dict.fromkeys((*clauses, *informed))))
    for result in decision.command_results:
        found = _command_notice(plan, result, before, decision) if result.result == "done" else None
        if found:
            yield found


def _command_notice(plan: Plan, result: CommandResult, before: Case, decision: Decision) -> Notice | None:
    """Return the notice to the customer about one command; None if the command concerns only staff."""
    keys, units = {serial_key(serial) for serial in result.serials}, plan.units(result.serials)
    if result.command.name == "diagnosed":
        return _finding_notice(plan, result, units, decision)
    ordered = {serial_key(u.serial) for u in before.units if u.state == "held" and u.resume_state == "ordered"}
    if result.command.name == "approve" and keys & ordered:
        approved = tuple(unit for unit in units if serial_key(unit.serial) in ordered)
        return notices.progress(plan, "parts_approved", approved, decision)
    name = "withdrawn" if result.command.text in WITHDRAWALS else _ANSWERS.get(result.command.name)
    if name is None or (name == "ended" and before.state == "shipped"):
        return None
    return notices.progress(plan, name, plan.current.units if name == "address" else units, decision)


def _finding_notice(plan: Plan, result: CommandResult, units: tuple[CaseUnit, ...], decision: Decision) -> Notice | None:
    """Return the notice about findings and their fees (AP-14, AP-33); None if no rule asks for one."""
    context, inquiry = plan.context, latest_inquiry(plan.current)
    found = [rule for rule in finding_rules(plan.current, result, context.policy) if rule.then == "notice"]
    if not found:
        return None
    verdicts = (
        structs.replace(answer_verdict(context, inquiry, context.answers.rejected, unit), clauses=rule.clauses, says=rule.says)
        for unit in units
        if inquiry
        for rule in found
    )
    return notices.progress_of(plan, "charged", tuple(verdicts), decision)
