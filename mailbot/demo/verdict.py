"""A decision in short: outcome, clauses and units, for the terminal and for the pages."""

from __future__ import annotations

from mailbot.demo.post import Post
from mailbot.model import Bounced, Decision, Ignored, Value


class Short(Value, frozen=True):
    """One outcome, the clauses that decided, and what it is about: units, or why."""

    outcome: str
    clauses: tuple[str, ...] = ()
    about: str = ""


def shorts(post: Post) -> tuple[Short, ...]:
    """Return what was decided on a mail to us; nothing where nothing is on record."""
    if post.record is None:
        return ()
    if post.record.folder == "Attention":
        return (Short("attention", (), post.record.why),)
    if post.entry is None or isinstance(post.entry.event, Ignored):
        return (Short("ignored" if post.record.folder == "Ignored" else "none", (), post.record.why),)
    if isinstance(post.entry.event, Bounced):
        return (Short("undeliverable", (), ", ".join(post.entry.event.bounce.recipients)),)
    return of(post.entry.decision)


def of(decision: Decision) -> tuple[Short, ...]:
    """Return a decision in short: command by command, or units with the same outcome for the same reasons together."""
    if decision.rulings:
        return tuple(
            Short(ruling.result, ruling.clauses, " ".join((f"“{ruling.command.said}”", *ruling.serials)))
            for ruling in decision.rulings
        )
    if decision.told:
        serials = (verdict.serial for verdict in decision.verdicts)
        return (Short(decision.told, decision.clauses, ", ".join(serials) or decision.why),)
    units: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
    for verdict in decision.verdicts:
        units.setdefault((verdict.outcome, verdict.clauses, verdict.disguised), []).append(verdict.serial or "?")
    if not units:
        return (Short(decision.outcome, decision.clauses, decision.why if decision.outcome == "none" else ""),)
    return tuple(
        Short(outcome, clauses, ", ".join(serials) + (" (a stranger; answered as if unknown)" if disguised else ""))
        for (outcome, clauses, disguised), serials in units.items()
    )
