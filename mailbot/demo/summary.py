"""A decision in short: outcome, clauses and units, for the terminal and for the pages."""

from __future__ import annotations

from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Bounced, Decision, Ignored, Value


class DecisionSummary(Value, frozen=True):
    """One outcome, the clauses that decided, and what it is about: units, or why."""

    outcome: str
    clauses: tuple[str, ...] = ()
    about: str = ""


def summaries(post: TrafficEntry) -> tuple[DecisionSummary, ...]:
    """Return what was decided on a mail to us; nothing where nothing is on record."""
    if post.record is None:
        return ()
    if post.record.folder == "Attention":
        return (DecisionSummary("attention", (), post.record.why),)
    if post.entry is None or isinstance(post.entry.event, Ignored):
        return (DecisionSummary("ignored" if post.record.folder == "Ignored" else "none", (), post.record.why),)
    if isinstance(post.entry.event, Bounced):
        return (DecisionSummary("undeliverable", (), ", ".join(post.entry.event.bounce.recipients)),)
    return of(post.entry.decision)


def of(decision: Decision) -> tuple[DecisionSummary, ...]:
    """Return a decision in short: command by command, or units with the same outcome for the same reasons together."""
    if decision.command_results:
        return tuple(
            DecisionSummary(ruling.result, ruling.clauses, " ".join((f"“{ruling.command.said}”", *ruling.serials)))
            for ruling in decision.command_results
        )
    if decision.answer_key:
        serials = (verdict.serial for verdict in decision.verdicts)
        return (DecisionSummary(decision.answer_key, decision.clauses, ", ".join(serials) or decision.why),)
    units: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
    for verdict in decision.verdicts:
        units.setdefault((verdict.outcome, verdict.clauses, verdict.answered_as_unknown), []).append(
            verdict.serial or "?"
        )
    if not units:
        return (
            DecisionSummary(decision.outcome, decision.clauses, decision.why if decision.outcome == "none" else ""),
        )
    return tuple(
        DecisionSummary(
            outcome, clauses, ", ".join(serials) + (" (a stranger; answered as if unknown)" if disguised else "")
        )
        for (outcome, clauses, disguised), serials in units.items()
    )
