"""The decision on a staff email: its commands one after another, each on the case as the one before it left it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.lifecycle import ON_SITE
from mailbot.case.matching import active_units
from mailbot.decide import notices, permissions
from mailbot.decide.coverage import Inquiry, answer_decision, answer_verdict, common
from mailbot.decide.execution import execute, finding_rules
from mailbot.decide.permissions import HARMLESS
from mailbot.decide.plan import Plan
from mailbot.decide.requests import ANSWERS_A_DAY, ANSWERS_IF_FORGED, plan_verdicts
from mailbot.decide.results import about_case, latest_mail, nothing
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseUnit,
    Command,
    CommandResult,
    Decision,
    MailReference,
    Notice,
    Outcome,
    PendingApproval,
    Request,
    StaffMember,
    StaffMessage,
    Verdict,
)
from mailbot.policy.rules import AnswerRule, FindingRule


def decide_staff(plan: Plan, event: StaffMessage) -> Decision:
    """Decide on a staff email: execute its commands, ask for a confirmation, or leave it alone (A1, design §5)."""
    context, mail, request = plan.context, event.mail, event.request
    person = next(each for each in context.policy.desk.staff if each.address == mail.sender)
    if event.proof == "forged":
        decision = nothing(context, "our mail server says that the sender is not genuine", "forged")
        if context.snapshot.answers_today < ANSWERS_IF_FORGED:  # reported once, whatever else comes in that name
            plan.notify_staff(notices.forged(decision, mail), (person,))
        return plan.decided(decision)
    commands = _meant(plan.case, event)
    passed_on = plan.case is None and bool(request.units)  # a customer's request that a member of staff passes on
    if commands and not passed_on:
        decision = _command_decision(plan, event, commands, person)
    elif request.unclear:
        decision = nothing(context, "a staff email that decides nothing clearly", "unclear")
    elif request.units or request.intent != "none":
        return _passed_on(plan, event)
    elif (
        plan.case is not None
        and event.proof != "none"
        and {plan.case.sender, *plan.case.participants} & set(mail.other_recipients)
    ):
        decision = nothing(context, "a colleague has written to the customer", "answered")
    else:
        key = "nothing" if plan.case is not None and not mail.other_recipients and _replies_to_us(plan.case, mail) else ""
        decision = nothing(context, "a note by staff", key)
    if decision.command_results or decision.answer_key:
        _finish(plan, event, decision)
        _reply(plan, event, decision, person)
    return plan.decided(decision)


def _command_decision(plan: Plan, event: StaffMessage, commands: tuple[Command, ...], person: StaffMember) -> Decision:
    """Execute commands that are proven or harmless; for the others ask the listed address for a confirmation (A1)."""
    context, case = plan.context, plan.case
    not_these = event.proof == "confirmation" and commands != _asked_for(
        case, event
    )  # a token confirms its own commands
    proven = event.proof != "none" and not not_these
    trial = plan if proven or all(command.name in HARMLESS for command in commands) else Plan(case, context)
    decision = execute_all(trial, commands, person)
    if trial is plan or not any(result.result in ("done", "second") for result in decision.command_results):
        return decision
    if case and any(token.person == person.address and token.commands == commands for token in case.tokens):
        return nothing(context, "a confirmation has been asked for already")
    asked = tuple(
        result if result.result == "refused" else structs.replace(result, result="asked")
        for result in decision.command_results
    )
    return structs.replace(nothing(context, "nothing shows that this is genuine", "confirm"), command_results=asked)


def _passed_on(plan: Plan, event: StaffMessage) -> Decision:
    """Take in a customer's request that a member of staff passes on: a person answers it."""
    mail, context = event.mail, plan.context
    decision = answer_decision(context, Inquiry(mail, event.request, plan.case), context.answers.other)
    if decision.outcome != "none":
        plan_verdicts(plan, event, decision)
        note = notices.to_staff(plan, decision, mail, about="passed_on")
        plan.notify_staff(note, notices.people(context.policy, decision.notify or ("desk",)))
    return plan.decided(decision)


def _replies_to_us(case: Case, mail: MailReference) -> bool:
    """Say whether a staff email replies to a notice of ours: its writer expects that the words have an effect."""
    ours = {reply.message_id for reply in case.replies if reply.audience == "staff"}
    return not ours.isdisjoint(mail.references)


def _meant(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return what is to be done: the commands of the email, or those that it confirms; none if it is unclear."""
    said, waiting = event.request.commands, _asked_for(case, event)
    asked = {structs.replace(command, said="") for command in waiting}
    plain = {Command("confirm", ""), Command("approve", "")}
    if waiting and said and {structs.replace(command, said="") for command in said} <= asked | plain:
        return waiting
    return tuple(command for command in said if command.name != "confirm")


def _asked_for(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return the commands that the token of the email confirms; none if it is no such token."""
    tokens = case.tokens if case and event.token else ()
    return next((token.commands for token in tokens if token.secret == event.token), ())


# ---------------------------------------------------------------- commands


def execute_all(plan: Plan, commands: tuple[Command, ...], person: StaffMember) -> Decision:
    """Decide on commands one after another and plan what the granted ones change.

    Args:
        plan: the case as it is; None in it if the commands belong to no case.
        commands: what is to be done.
        person: who gives the commands, as has been proven.
    """
    results: list[CommandResult] = []
    verdicts: list[Verdict] = []
    for command in _with_pending(plan.case, commands):
        result = _permitted(plan, command, person)
        if plan.case and result.result == "done":
            found = _verdicts(plan, result)
            result = structs.replace(result, clauses=_clauses(plan, result, found))
            verdicts += found
            execute(plan, result, person.address)
        results.append(result)
    done = [result for result in results if result.result == "done"]
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for result in done for clause in result.clauses)),
        why="; ".join(f"{result.command.name}: {result.reason or result.result}" for result in results),
        stamp=plan.context.policy.stamp,
        verdicts=tuple(verdicts),
        notify=("approver",) if any(verdict.outcome == "staff" for verdict in verdicts) else (),
        command_results=tuple(results),
    )


def _permitted(plan: Plan, command: Command, person: StaffMember) -> CommandResult:
    """Decide whether a command is granted; a second approver's rejection rejects only what was asked for (A12)."""
    case = plan.case
    result = permissions.decide_command(case, command, person, plan.context.policy)
    waiting = case.pending.commands if case and case.pending else ()
    rejects = command.name == "reject" and waiting and all(each.name != "approve" for each in waiting)
    if rejects and result.reason in (None, "state"):
        result = CommandResult(command, "done")
    if case and result.result == "done" and command.name in ("approve", "quote"):
        # There is never a second number for a unit that another case has in hand (ST-4, AP-25).
        others = active_units(other for other in plan.context.snapshot.open_cases if other.id != case.id)
        if any(serial_key(serial) in others for serial in result.serials):
            return CommandResult(command, "refused", reason="other_case")
    return result


def _with_pending(case: Case | None, commands: tuple[Command, ...]) -> list[Command]:
    """Put what waits for a second approver in the place of that approver's APPROVE (A12)."""
    if case is None or case.pending is None:
        return list(commands)
    waiting = case.pending.commands
    found: list[Command] = []
    for each in commands:
        found += waiting if each.name == "approve" and not each.prices else (each,)
    return found


def _verdicts(plan: Plan, result: CommandResult) -> list[Verdict]:
    """Return the verdicts that a command brings about: a number, a rejection, a quote."""
    case, context, answers = plan.current, plan.context, plan.context.answers
    units = plan.units(result.serials)
    mail = latest_mail(case)
    if mail is None:
        return []
    inquiry = Inquiry(mail, about_case(case, Request("request")), case)

    def judge(answer: AnswerRule, unit: CaseUnit, clauses: tuple[str, ...] = (), says: str = "") -> Verdict:
        return answer_verdict(context, inquiry, answer, unit, clauses, says)

    match result.command.name:
        case "approve":
            # What was only on hold under a number that is still valid brings no email: the customer knows the number.
            new = numbers.valid_number(case, context.day) is None
            back = [unit for unit in units if unit.resume_state == "authorized"]
            fresh = [unit for unit in units if unit.resume_state is None or (unit in back and (new or unit.billed))]
            return [
                judge(answers.matches, unit, says=answers.approved.says)
                if unit.billed
                else judge(answers.approved, unit, unit.clauses[:1] if unit.answered_as_unknown else unit.clauses)
                for unit in fresh
            ]
        case "reject":
            found = finding_rules(case, result, context.policy)
            received = any(unit.received_on for unit in units)
            declined = (rule.says for rule in found if rule.then == "decline" and received)
            why = " ".join(dict.fromkeys(text for text in (*declined, _sentence(result.command.text)) if text))
            first = tuple(clause for rule in found for clause in (rule.clause, *rule.also))
            return [
                judge(answers.rejected, unit, first or _shown(unit), why or context.policy.clause_text(_shown(unit)[0]))
                for unit in units
            ]
        case "quote":
            parts = any(unit.state in ON_SITE for unit in units)
            return [judge(answers.parts_quoted if parts else answers.quoted, unit) for unit in units]
        case "diagnosed":
            return [
                _by_finding(judge(answers.parts_quoted, unit), rule)
                for unit in units
                for rule in finding_rules(case, result, context.policy)[:1]
                if rule.then in _OUTCOME_OF_FINDING and not (rule.then == "quote" and unit.billed)
            ]
    return []


_OUTCOME_OF_FINDING: dict[str, Outcome] = {"quote": "quote", "decline": "decline", "hold": "staff"}
"""The outcome that a finding brings, if it brings one."""


def _by_finding(verdict: Verdict, rule: FindingRule) -> Verdict:
    """Return the verdict that a finding brings: on its own clauses, in its own words."""
    return structs.replace(
        verdict, outcome=_OUTCOME_OF_FINDING[rule.then], clauses=(rule.clause, *rule.also), says=rule.says
    )


def _sentence(text: str) -> str:
    """Return the words of a member of staff as a sentence."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _shown(unit: CaseUnit) -> tuple[str, ...]:
    """Return the clause that the customer was shown: a stranger learns of no other (promise 7)."""
    return unit.clauses[1:2] if unit.answered_as_unknown and len(unit.clauses) > 1 else unit.clauses[:1]


_ANSWER_OF = {
    "received": "received",
    "not_repairable": "unrepairable",
    "shipped": "shipped",
    "extend": "extended",
    "ship_to": "address",
    "close": "ended",
}
"""The entry of [answers] by which the customer learns of a command."""


def _clauses(plan: Plan, result: CommandResult, verdicts: list[Verdict]) -> tuple[str, ...]:
    """Return the clauses that a command rests on."""
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if result.command.name == "diagnosed":
        found = finding_rules(plan.current, result, plan.context.policy)
        return tuple(dict.fromkeys(clause for rule in found for clause in (rule.clause, *rule.also)))
    name = _ANSWER_OF.get(result.command.name)
    answer: AnswerRule | None = getattr(plan.context.answers, name) if name else None
    return (answer.clause, *answer.also, *answer.also_for.get(plan.current.intent, ())) if answer else ()


# ---------------------------------------------------------------- what follows


def _finish(plan: Plan, event: StaffMessage, decision: Decision) -> None:
    """Plan what a staff email changes besides its commands: tokens, pending approvals, deadlines."""
    case, person = plan.before, event.mail.sender
    if case is None:
        return
    colleagues = {each.address for each in plan.context.policy.desk.staff}
    if event.token and not set(event.mail.other_recipients) <= colleagues:  # the email has shown its token to others
        plan.update(tokens=tuple(token for token in case.tokens if token.secret != event.token))
    waiting = tuple(r.command for r in decision.command_results if r.result == "second")
    asked = case.pending.commands if case.pending else ()
    if waiting:
        plan.update(pending=PendingApproval(waiting, person))
    elif any(
        r.result == "done" and (r.command in asked or r.command.name == "reject") for r in decision.command_results
    ):
        plan.update(pending=None)
    if decision.answer_key == "answered" and not case.units:  # a question that staff have answered themselves
        plan.update(state="closed")
    plan.renew_deadlines(case)


def _reply(plan: Plan, event: StaffMessage, decision: Decision, person: StaffMember) -> None:
    """Plan the transcript, what the customer is told, and the question to a second approver."""
    context, mail = plan.context, event.mail
    if plan.before:
        customer = plan.current
        for notice in _of_commands(plan, decision, plan.before):
            if customer.sender and not customer.unreachable:
                plan.notify_customer(notice, customer.sender)
        if decision.notify:
            note = notices.to_staff(plan, decision, None, about="held")
            plan.notify_staff(note, notices.people(context.policy, decision.notify))
        if any(result.result == "second" for result in decision.command_results):
            amount = permissions.pending_amount(plan.current)
            able = permissions.second_approvers(context.policy.desk.staff, mail.sender, amount, plan.current)
            plan.notify_staff(notices.second_approval(plan, decision, mail), able)
    key, given = decision.answer_key, context.snapshot.answers_today
    if key == "answered" or (key == "confirm" and given >= ANSWERS_A_DAY):
        return
    confirms = tuple(result.command for result in decision.command_results if result.result == "asked")
    transcript = notices.transcript(plan.case, decision, mail, about=key or "done")
    plan.notify_staff(structs.replace(transcript, direct=bool(confirms)), (person,), confirms=confirms)


def _of_commands(plan: Plan, decision: Decision, before: Case) -> Iterator[Notice]:
    """Yield the customer's emails: one for what was decided, then one for each step that a unit took."""
    customer = latest_mail(plan.current)
    if customer and any(verdict.outcome != "staff" for verdict in decision.verdicts):
        clauses = tuple(dict.fromkeys(clause for verdict in decision.verdicts for clause in verdict.clauses))
        notice = notices.answer(plan, decision, customer, first=False)
        informed = (line.clause for line in notice.informs)
        yield structs.replace(notice, clauses=tuple(dict.fromkeys((*clauses, *informed))))
    for result in decision.command_results:
        found = _of_command(plan, result, before, decision) if result.result == "done" else None
        if found:
            yield found


def _of_command(plan: Plan, result: CommandResult, before: Case, decision: Decision) -> Notice | None:
    """Return the email that a command brings the customer; None if it concerns only staff."""
    keys, units = {serial_key(serial) for serial in result.serials}, plan.units(result.serials)
    if result.command.name == "diagnosed":
        return _of_findings(plan, result, units, decision)
    ordered = {serial_key(u.serial) for u in before.units if u.state == "held" and u.resume_state == "ordered"}
    if result.command.name == "approve" and keys & ordered:
        ours = tuple(unit for unit in units if serial_key(unit.serial) in ordered)
        return notices.progress(plan, "parts_approved", ours, decision)
    name = _ANSWER_OF.get(result.command.name)
    if name is None or (name == "ended" and before.state == "shipped"):
        return None
    return notices.progress(plan, name, plan.current.units if name == "address" else units, decision)


def _of_findings(plan: Plan, result: CommandResult, units: tuple[CaseUnit, ...], decision: Decision) -> Notice | None:
    """Return the notice of what was found and of its charge (AP-14, AP-33)."""
    context, mail = plan.context, latest_mail(plan.current)
    before = plan.before or plan.current
    found = [rule for rule in finding_rules(before, result, context.policy) if rule.then == "notice"]
    if not found:
        return None
    verdicts: tuple[Verdict, ...] = ()
    if mail:
        inquiry = Inquiry(mail, about_case(plan.current, Request("request")), plan.current)
        verdicts = tuple(
            structs.replace(
                answer_verdict(context, inquiry, context.answers.rejected, unit),
                clauses=(rule.clause, *rule.also),
                says=rule.says,
            )
            for unit in units
            for rule in found
        )
    return notices.progress_of(plan, "charged", verdicts, decision)
