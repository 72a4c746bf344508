"""The emails that result from a staff email: the transcript, the customer's notices, the question to a second approver."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from mailbot.decide import notices, permissions
from mailbot.decide.coverage import answer_verdict
from mailbot.decide.execution import finding_rules
from mailbot.decide.plan import Plan
from mailbot.decide.requests import ANSWERS_A_DAY
from mailbot.decide.results import latest_inquiry
from mailbot.decide.staff_verdicts import ANSWER_OF_COMMAND
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, CommandResult, Decision, Notice, StaffMember, StaffMessage


def plan_replies(plan: Plan, event: StaffMessage, decision: Decision, person: StaffMember) -> None:
    """Plan the emails to the customer, to approvers, and the transcript to the sender."""
    context, mail = plan.context, event.mail
    if plan.before:
        for notice in _customer_notices(plan, decision, plan.before):
            plan.inform_customer(notice)
        if decision.notify:
            note = notices.to_staff(plan, decision, None, about="held")
            plan.notify_staff(note, notices.people(context.policy, decision.notify))
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
    name = ANSWER_OF_COMMAND.get(result.command.name)
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
