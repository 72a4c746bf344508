"""The verdicts and the clauses of a staff command that is executed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from msgspec import structs

from mailbot.case import numbers
from mailbot.case.lifecycle import ON_SITE
from mailbot.decide.coverage import answer_verdict
from mailbot.decide.execution import finding_rules
from mailbot.decide.plan import Plan
from mailbot.decide.results import latest_inquiry
from mailbot.model import CaseUnit, CommandName, CommandResult, Outcome, Verdict
from mailbot.policy.rules import AnswerRule, FindingRule

ANSWER_OF_COMMAND: Final[Mapping[CommandName, str]] = MappingProxyType(
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

_OUTCOME_OF_FINDING: Final[Mapping[str, Outcome]] = MappingProxyType({"quote": "quote", "decline": "decline", "hold": "staff"})
"""The outcome of a finding, by ``FindingRule.then``; a finding that is not listed brings no verdict."""


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
                judge(answers.matches, unit, says=answers.approved.says)
                if unit.billed
                else judge(answers.approved, unit, unit.clauses[:1] if unit.answered_as_unknown else unit.clauses)
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


def clauses_of_command(plan: Plan, result: CommandResult, verdicts: list[Verdict]) -> tuple[str, ...]:
    """Return the clauses that a command is based on: those of its verdicts, its findings, or its answer."""
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if result.command.name == "diagnosed":
        found = finding_rules(plan.current, result, plan.context.policy)
        return tuple(dict.fromkeys(clause for rule in found for clause in rule.clauses))
    name = ANSWER_OF_COMMAND.get(result.command.name)
    answer: AnswerRule | None = getattr(plan.context.answers, name) if name else None
    return answer.clauses_for(plan.current.intent) if answer else ()


def _by_finding(verdict: Verdict, rule: FindingRule) -> Verdict:
    """Return the verdict with the outcome, the clauses and the sentence of a finding."""
    return structs.replace(verdict, outcome=_OUTCOME_OF_FINDING[rule.then], clauses=rule.clauses, says=rule.says)


def _sentence(text: str) -> str:
    """Return the words of a member of staff as a sentence: capitalized, with a period."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _disclosed_clause(unit: CaseUnit) -> tuple[str, ...]:
    """Return the clause that the customer was shown; an unknown sender learns about no other clause (promise 7)."""
    return unit.clauses[1:2] if unit.answered_as_unknown and len(unit.clauses) > 1 else unit.clauses[:1]
