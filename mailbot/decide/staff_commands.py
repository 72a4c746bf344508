"""The decision on a staff email: its commands one by one, each applied to the case as the previous one left it."""

from __future__ import annotations

from msgspec import structs

from mailbot.case.matching import active_units
from mailbot.decide import notices, permissions
from mailbot.decide.command_effects import clauses_of_command, plan_replies, verdicts_of_command
from mailbot.decide.coverage import Inquiry, answer_decision, of_verdicts
from mailbot.decide.execution import execute
from mailbot.decide.meaning import decide_meaning, taught_example
from mailbot.decide.permissions import HARMLESS
from mailbot.decide.plan import Plan
from mailbot.decide.requests import ANSWERS_IF_FORGED, plan_verdicts
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, Command, CommandResult, Decision, PendingApproval, StaffMember, StaffMessage, TaughtExample, Verdict


def decide_staff(plan: Plan, event: StaffMessage) -> Decision:
    """Decide on a staff email: execute its commands, ask for a confirmation, or do nothing."""
    context, mail, request = plan.context, event.mail, event.request
    person = next(each for each in context.policy.desk.staff if each.address == mail.sender)
    if event.proof == "forged":
        decision = plan.no_action("our mail server says that the sender is not genuine", "forged")
        if context.snapshot.answers_today < ANSWERS_IF_FORGED:  # only once a day: staff must not be flooded
            note = notices.without_content("forged", decision.why, mail.at, mail.identity)
            plan.notify_staff(structs.replace(note, direct=True), (person,))
        return plan.decided(decision)
    commands = _commands_to_execute(plan.case, event)
    is_forwarded = plan.case is None and bool(request.units)  # a customer's request, forwarded by a member of staff
    if commands and not is_forwarded:
        decision = _command_decision(plan, event, commands, person)
    elif request.unclear:
        decision = plan.no_action("a staff email that decides nothing clearly", "unclear")
    elif request.units or request.intent != "none":
        return _forwarded_request(plan, event)
    elif (
        plan.case is not None and event.proof != "none" and {plan.case.sender, *plan.case.participants} & set(mail.other_recipients)
    ):
        decision = plan.no_action("a member of staff has written to the customer", "answered")
    else:
        notices_sent = {reply.message_id for reply in plan.case.replies if reply.audience == "staff"} if plan.case else set()
        # Somebody who replies to a notice, and to nobody else, expects the email to have an effect.
        expects_effect = not mail.other_recipients and not notices_sent.isdisjoint(mail.references)
        decision = plan.no_action("a note by staff", "nothing" if expects_effect else "")
    if decision.command_results or decision.answer_key:
        _plan_side_effects(plan, event, decision)
        plan_replies(plan, event, decision, person)
    return plan.decided(decision)


def _command_decision(plan: Plan, event: StaffMessage, commands: tuple[Command, ...], person: StaffMember) -> Decision:
    """Execute commands that are authenticated or harmless; for the others, ask the listed address to confirm."""
    context, case = plan.context, plan.case
    # The token of a request for confirmation confirms only the commands of that request.
    other_commands = event.proof == "confirmation" and commands != _commands_of_token(case, event)
    authenticated = event.proof != "none" and not other_commands
    trial = plan if authenticated or all(command.name in HARMLESS for command in commands) else Plan(case, context)
    decision = execute_all(trial, commands, person)
    if trial is plan or not any(result.result in ("done", "second") for result in decision.command_results):
        return decision
    if case and any(token.person == person.address and token.commands == commands for token in case.tokens):
        return plan.no_action("a confirmation has been asked for already")
    asked = tuple(
        result if result.result == "refused" else structs.replace(result, result="asked") for result in decision.command_results
    )
    return structs.replace(plan.no_action("nothing shows that this is genuine", "confirm"), command_results=asked)


def _forwarded_request(plan: Plan, event: StaffMessage) -> Decision:
    """Decide on a customer's request that a member of staff forwards: staff answer it."""
    mail, context = event.mail, plan.context
    decision = answer_decision(context, Inquiry(mail, event.request, plan.case), context.answers.other)
    if decision.outcome != "none":
        plan_verdicts(plan, event, decision)
        plan.notify_roles(notices.to_staff(plan, decision, mail, about="passed_on"), decision.notify or ("desk",))
    return plan.decided(decision)


def _commands_to_execute(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return the commands of the email, or those that it confirms."""
    said, waiting = event.request.commands, _commands_of_token(case, event)
    asked = {structs.replace(command, said="") for command in waiting}
    plain = {Command("confirm", ""), Command("approve", "")}
    if waiting and said and {structs.replace(command, said="") for command in said} <= asked | plain:
        return waiting
    return tuple(command for command in said if command.name != "confirm")


def _commands_of_token(case: Case | None, event: StaffMessage) -> tuple[Command, ...]:
    """Return the commands that the token of the email confirms; none if the token is not for a confirmation."""
    tokens = case.tokens if case and event.token else ()
    return next((token.commands for token in tokens if token.secret == event.token), ())


# ---------------------------------------------------------------- commands


def execute_all(plan: Plan, commands: tuple[Command, ...], person: StaffMember) -> Decision:
    """Decide on commands one after another, and plan the changes of those that are permitted. ``person``: the sender."""
    results: list[CommandResult] = []
    verdicts: list[Verdict] = []
    taught: tuple[TaughtExample, ...] = ()
    for command in _with_pending(plan.case, commands):
        result = _permitted(plan, command, person)
        if plan.case and result.result == "done":
            if command.name == "means":
                example = taught_example(plan.case.questions, command, plan.case.language)
                taught += (example,) if example else ()
                found = list(decide_meaning(plan, command))
            else:
                found = verdicts_of_command(plan, result)
            result = structs.replace(result, clauses=clauses_of_command(plan, result, found))
            verdicts += found
            execute(plan, result, person.address)
        results.append(result)
    done = [result for result in results if result.result == "done"]
    return of_verdicts(
        tuple(verdicts),
        plan.context,
        "; ".join(f"{result.command.name}: {result.reason or result.result}" for result in results),
        clauses=tuple(dict.fromkeys(clause for result in done for clause in result.clauses)),
        notify=("approver",) if any(verdict.outcome == "staff" for verdict in verdicts) else (),
        command_results=tuple(results),
        taught=taught,
    )


def _permitted(plan: Plan, command: Command, person: StaffMember) -> CommandResult:
    """Return whether a command is permitted; REJECT by a second approver rejects only what waits for approval."""
    case = plan.case
    result = permissions.decide_command(case, command, person, plan.context.policy)
    waiting = case.pending.commands if case and case.pending else ()
    rejects = command.name == "reject" and waiting and all(each.name != "approve" for each in waiting)
    if rejects and result.reason in (None, "state"):
        result = CommandResult(command, "done")
    if case and result.result == "done" and command.name in ("approve", "quote"):
        # A unit that is active in another case never gets a second number (ST-4, AP-25).
        others = active_units(other for other in plan.context.snapshot.open_cases if other.id != case.id)
        if any(serial_key(serial) in others for serial in result.serials):
            return CommandResult(command, "refused", reason="other_case")
    return result


def _with_pending(case: Case | None, commands: tuple[Command, ...]) -> list[Command]:
    """Return the commands; APPROVE by a second approver is replaced by the commands that wait for approval."""
    waiting = case.pending.commands if case and case.pending else ()
    return [
        command for each in commands for command in (waiting if waiting and each.name == "approve" and not each.prices else (each,))
    ]


def _plan_side_effects(plan: Plan, event: StaffMessage, decision: Decision) -> None:
    """Plan what a staff email changes besides its commands: tokens, pending approvals, deadlines."""
    case, person = plan.before, event.mail.sender
    if case is None:
        return
    staff = {each.address for each in plan.context.policy.desk.staff}
    if event.token and not set(event.mail.other_recipients) <= staff:  # the email has disclosed its token to others
        plan.update(tokens=tuple(token for token in case.tokens if token.secret != event.token))
    waiting = tuple(r.command for r in decision.command_results if r.result == "second")
    asked = case.pending.commands if case.pending else ()
    if waiting:
        plan.update(pending=PendingApproval(waiting, person))
    elif any(r.result == "done" and (r.command in asked or r.command.name == "reject") for r in decision.command_results):
        plan.update(pending=None)
    if decision.answer_key == "answered" and not case.units:  # a question that staff have answered by email
        plan.update(state="closed")
    plan.renew_deadlines(case)
