"""Summarize a decision as outcome, clauses and units, for the terminal and for the pages."""

from __future__ import annotations

from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Bounced, Decision, Ignored, Value


class DecisionSummary(Value, frozen=True):
    """One outcome, the clauses that decided, and the units it concerns or the reason."""

    outcome: str
    clauses: tuple[str, ...] = ()
    about: str = ""


def summaries(email: TrafficEntry) -> tuple[DecisionSummary, ...]:
    """Return the decisions on an incoming email; empty if the email is not in the mail log."""
    if email.record is None:
        return ()
    if email.record.folder == "Attention":
        return (DecisionSummary("attention", (), email.record.why),)
    if email.entry is None or isinstance(email.entry.event, Ignored):
        return (DecisionSummary("ignored" if email.record.folder == "Ignored" else "none", (), email.record.why),)
    if isinstance(email.entry.event, Bounced):
        return (DecisionSummary("undeliverable", (), ", ".join(email.entry.event.bounce.recipients)),)
    return of(email.entry.decision)


def of(decision: Decision) -> tuple[DecisionSummary, ...]:
    """Summarize a decision: one summary per command, or one for all units with the same outcome and clauses."""
    if decision.command_results:
        return tuple(
            DecisionSummary(result.result, result.clauses, " ".join((f"“{result.command.said}”", *result.serials)))
            for result in decision.command_results
        )
    if decision.answer_key:
        serials = (verdict.serial for verdict in decision.verdicts)
        return (DecisionSummary(decision.answer_key, decision.clauses, ", ".join(serials) or decision.why),)
    units: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
    for verdict in decision.verdicts:
        units.setdefault((verdict.outcome, verdict.clauses, verdict.answered_as_unknown), []).append(verdict.serial or "?")
    if not units:
        return (DecisionSummary(decision.outcome, decision.clauses, decision.why if decision.outcome == "none" else ""),)
    return tuple(
        DecisionSummary(outcome, clauses, ", ".join(serials) + (" (not the owner; answered as unknown)" if as_unknown else ""))
        for (outcome, clauses, as_unknown), serials in units.items()
    )
