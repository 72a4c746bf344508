"""Decisions of staff: what becomes of the commands of a mail, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.execute import execute, flags
from mailbot.case.lifecycle import CLOSED_STATES, ON_SITE
from mailbot.decide import permissions
from mailbot.decide.active_case import about, latest_mail
from mailbot.decide.coverage import by_person, common
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseUnit,
    Command,
    CommandResult,
    Decision,
    Outcome,
    Request,
    Snapshot,
    StaffMember,
    Verdict,
)
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, FindingRule


def decide(
    case: Case | None,
    commands: Sequence[Command],
    person: StaffMember,
    snapshot: Snapshot,
    policy: Policy,
    day: date,
) -> Decision:
    """Rule on the commands of a mail, one after another: each meets the case as the one before it left it.

    Args:
        case: the case they are about, if there is one.
        commands: what is to be done.
        person: whose commands they are, as has been shown.
        snapshot: what is known of the world.
        policy: the company's.
        day: today in the company's zone.
    """
    ruled: list[CommandResult] = []
    verdicts: list[Verdict] = []
    now = case
    for each in _with_pending(case, commands):
        ruling = _rule(now, each, person, policy)
        if now and ruling.result == "done" and each.name in ("approve", "quote") and _elsewhere(now, ruling, snapshot):
            ruling = CommandResult(each, "refused", why="other_case")
        if now and ruling.result == "done":
            found = _judged(now, ruling, snapshot, policy, day)
            ruling = structs.replace(ruling, clauses=_clauses(now, ruling, found, policy))
            verdicts += found
            now = execute(now, ruling, person.address, policy, snapshot, day)
        ruled.append(ruling)
    done = [ruling for ruling in ruled if ruling.result == "done"]
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for ruling in done for clause in ruling.clauses)),
        why="; ".join(f"{ruling.command.name}: {ruling.why or ruling.result}" for ruling in ruled),
        stamp=policy.stamp,
        verdicts=tuple(verdicts),
        notify=("approver",) if any(verdict.outcome == "staff" for verdict in verdicts) else (),
        rulings=tuple(ruled),
    )


def _rule(case: Case | None, command: Command, person: StaffMember, policy: Policy) -> CommandResult:
    """Rule on a command; a second approver's refusal refuses what a colleague asked for, and nothing else (A12)."""
    ruling = permissions.rule(case, command, person, policy)
    waiting = case.pending.commands if case and case.pending else ()
    refuses = command.name == "reject" and waiting and all(each.name != "approve" for each in waiting)
    return CommandResult(command, "done") if refuses and ruling.why in (None, "state") else ruling


def _elsewhere(case: Case, ruling: CommandResult, snapshot: Snapshot) -> bool:
    """Say whether another case has one of these units in hand: there is never a second number for it (ST-4, AP-25)."""
    keys = {serial_key(serial) for serial in ruling.serials}
    others = (unit for other in snapshot.open_cases if other.id != case.id for unit in other.units)
    return any(
        i.known and i.state not in CLOSED_STATES and not i.shipped_on and serial_key(i.serial) in keys for i in others
    )


def _with_pending(case: Case | None, commands: Sequence[Command]) -> list[Command]:
    """Put what waits for a second approver in the place of that approver's word (A12)."""
    if case is None or case.pending is None:
        return list(commands)
    waiting = case.pending.commands
    found: list[Command] = []
    for each in commands:
        found += waiting if each.name == "approve" and not each.prices else (each,)
    return found


def _judged(case: Case, ruling: CommandResult, snapshot: Snapshot, policy: Policy, day: date) -> list[Verdict]:
    """Return the verdicts that a command brings about: a number, a refusal, an offer."""
    answers, named = policy.rules.answers, {serial_key(serial) for serial in ruling.serials}
    items = [unit for unit in case.units if serial_key(unit.serial) in named]
    mail = latest_mail(case)
    if mail is None:
        return []

    def judge(answer: AnswerRule, unit: CaseUnit, clauses: tuple[str, ...] = (), says: str = "") -> Verdict:
        return by_person(policy, answer, mail, about(case, Request("request")), unit, case, snapshot, clauses, says)

    match ruling.command.name:
        case "approve":
            # What was only put on hold under a number that still stands brings no letter: the customer knows it.
            new = numbers.valid_number(case, day) is None
            back = [unit for unit in items if unit.resume_state == "authorized"]
            fresh = [unit for unit in items if unit.resume_state is None or (unit in back and (new or unit.charged))]
            return [
                judge(answers.matches, unit, says=answers.approved.says)
                if unit.charged
                else judge(answers.approved, unit, unit.clauses[:1] if unit.answered_as_unknown else unit.clauses)
                for unit in fresh
            ]
        case "reject":
            found = flags(case, ruling, policy)
            here = any(unit.received_on for unit in items)
            said = (*(flag.says for flag in found if flag.then == "decline" and here), _sentence(ruling.command.text))
            why = " ".join(dict.fromkeys(text for text in said if text))
            first = tuple(clause for flag in found for clause in (flag.clause, *flag.also))
            return [
                judge(answers.rejected, unit, first or _shown(unit), why or policy.clause_text(_shown(unit)[0]))
                for unit in items
            ]
        case "quote":
            parts = any(unit.state in ON_SITE for unit in items)
            return [judge(answers.parts_quoted if parts else answers.quoted, unit) for unit in items]
        case "diagnosed":
            return [
                _flagged(judge(answers.parts_quoted, unit), flag)
                for unit in items
                for flag in flags(case, ruling, policy)[:1]
                if flag.then in _FLAGGED and not (flag.then == "quote" and unit.charged)
            ]
    return []


def _flagged(verdict: Verdict, flag: FindingRule) -> Verdict:
    """Return the verdict that a finding brings: on its own clauses, in its own words."""
    return structs.replace(verdict, outcome=_FLAGGED[flag.then], clauses=(flag.clause, *flag.also), says=flag.says)


def _sentence(text: str) -> str:
    """Return a colleague's words as a sentence that may stand beside others."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _shown(unit: CaseUnit) -> tuple[str, ...]:
    """Return the clause that decided, as the customer was shown it: a stranger learns of no other (promise 7)."""
    return unit.clauses[1:2] if unit.answered_as_unknown and len(unit.clauses) > 1 else unit.clauses[:1]


_FLAGGED: dict[str, Outcome] = {"quote": "quote", "decline": "decline", "hold": "staff"}
"""The outcome that a finding brings, where it brings one."""


def _clauses(case: Case, ruling: CommandResult, verdicts: list[Verdict], policy: Policy) -> tuple[str, ...]:
    """Return the clauses on which a command stands."""
    answers = policy.rules.answers
    own: dict[str, AnswerRule] = {
        "received": answers.received,
        "not_repairable": answers.unrepairable,
        "shipped": answers.shipped,
        "extend": answers.extended,
        "ship_to": answers.address,
        "close": answers.ended,
    }
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if ruling.command.name == "diagnosed":
        return tuple(dict.fromkeys(c for flag in flags(case, ruling, policy) for c in (flag.clause, *flag.also)))
    answer = own.get(ruling.command.name)
    return (answer.clause, *answer.also, *answer.also_for.get(case.intent, ())) if answer else ()
