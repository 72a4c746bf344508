"""What the emails show: a summary of each decision, and the first email that shows each kind of outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Answered, Bounced, CommandName, Decision, Ignored, Ordered, StaffMessage, Value, Verdict


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
    return _summarized(email.entry.decision)


def _summarized(decision: Decision) -> tuple[DecisionSummary, ...]:
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


class OutcomeSeen(Value, frozen=True):
    """A kind of outcome, and the first email that shows it; None if there is none."""

    kind: str
    email: TrafficEntry | None


def outcomes_seen(emails: Sequence[TrafficEntry]) -> list[OutcomeSeen]:
    """Return every kind of outcome that the demo should show, with its first email."""
    return [OutcomeSeen(kind, next((email for email in emails if shows(email)), None)) for kind, shows in KINDS.items()]


def outcomes(emails: Sequence[TrafficEntry]) -> dict[str, int]:
    """Count the incoming emails by outcome, the most frequent first. Without an outcome, the summary's is used."""
    found = (
        email.record.outcome if email.record.outcome != "none" else summaries(email)[0].outcome for email in emails if email.record
    )
    return dict(Counter(found).most_common())


def _decision(email: TrafficEntry) -> Decision | None:
    """Return the decision if this email is the direct reply to a customer that states it."""
    if email.outgoing and email.reply and email.reply.audience == "customer" and email.reply.direct and email.entry:
        return email.entry.decision
    return None


def _verdicts(email: TrafficEntry) -> tuple[Verdict, ...]:
    decision = _decision(email)
    return decision.verdicts if decision else ()


def _states(email: TrafficEntry, outcome: str) -> bool:
    decision = _decision(email)
    return decision is not None and outcome in (decision.outcome, *(verdict.outcome for verdict in decision.verdicts))


def _issued(email: TrafficEntry) -> bool:
    number = email.case.number if email.case else None
    fresh = any(verdict.outcome == "issue" and verdict.number is None for verdict in _verdicts(email))
    return fresh and number is not None and number.text in email.message.text


def _repeated(email: TrafficEntry) -> bool:
    return any(verdict.number and verdict.number.text in email.message.text for verdict in _verdicts(email))


def _quoted(email: TrafficEntry) -> bool:
    text = email.message.text.lower()
    quotes = email.case.quotes if email.case else ()
    return _states(email, "quote") and "purchase order" in text and any(q.number.lower() in text for q in quotes)


def _not_owner(email: TrafficEntry) -> bool:
    return any(verdict.answered_as_unknown for verdict in _verdicts(email))


def _decided(email: TrafficEntry, *outcomes: str) -> bool:
    """Whether this incoming email led to one of these outcomes."""
    return email.record is not None and email.record.outcome in outcomes


def _ignored(email: TrafficEntry, kind: str) -> bool:
    return email.record is not None and email.record.kind == kind and email.record.folder == "Ignored"


def _sent(email: TrafficEntry, template: str, audience: str = "customer") -> bool:
    """Whether this email was sent to this audience with this template, or with a variant of it."""
    return email.reply is not None and email.reply.audience == audience and email.reply.template.startswith(template)


def _german_html(email: TrafficEntry) -> bool:
    known = email.entry is not None and any(verdict.known for verdict in email.entry.decision.verdicts)
    german = email.case is not None and email.case.language == "de"
    return not email.outgoing and known and german and bool(email.html) and not email.has_text


def _csv(email: TrafficEntry) -> bool:
    named = any(attachment.name.lower().endswith(".csv") for attachment in email.message.attachments)
    return named and email.entry is not None and len(email.entry.decision.verdicts) > 1


def _commanded(email: TrafficEntry, name: CommandName, result: str = "done") -> bool:
    """Whether staff gave this command with this result."""
    results = email.entry.decision.command_results if email.entry and not email.outgoing else ()
    return any(each.command.name == name and each.result == result for each in results)


def _approved_to_the_customer(email: TrafficEntry) -> bool:
    """Whether staff approved in an email to the customer, with the mailbox in Cc."""
    event, customer = email.event, email.case.sender if email.case else ""
    to_customer = isinstance(event, StaffMessage) and customer in event.mail.other_recipients
    return to_customer and _commanded(email, "approve")


def _closed_after(email: TrafficEntry) -> bool:
    return _sent(email, "progress shipped") and email.case is not None and email.case.state == "closed"


KINDS: dict[str, Callable[[TrafficEntry], bool]] = {
    "RMA number issued": _issued,
    "duplicate request: existing RMA resent": _repeated,
    "quote sent, purchase order requested": _quoted,
    "matching PO: RMA issued": lambda email: isinstance(email.event, Ordered) and _decided(email, "issue"),
    "missing information requested": lambda email: _states(email, "ask") and not _not_owner(email),
    "missing information supplied": lambda email: isinstance(email.event, Answered) and _decided(email, "issue", "quote", "mixed"),
    "held for staff": lambda email: _sent(email, "notice held", "staff"),
    "approved by staff": lambda email: _commanded(email, "approve"),
    "approved in an email to the customer, rma@ in Cc": _approved_to_the_customer,
    "declined": lambda email: _states(email, "decline"),
    "several units in one email, different outcomes": lambda email: _states(email, "mixed"),
    "list of units attached as CSV": _csv,
    "German email, HTML only": _german_html,
    "non-owner: nothing disclosed": _not_owner,
    "outgoing email bounced": lambda email: not email.outgoing and isinstance(email.event, Bounced),
    "auto-reply ignored": lambda email: _ignored(email, "auto"),
    "newsletter ignored": lambda email: _ignored(email, "list"),
    "inbound shipment announced": lambda email: _sent(email, "progress under_way"),
    "received, with due date": lambda email: _sent(email, "progress received"),
    "status request answered automatically": lambda email: _sent(email, "progress status"),
    "inspection finding with a charge": lambda email: _sent(email, "progress charged"),
    "quote above a limit: second approver asked": lambda email: _commanded(email, "quote", "second"),
    "parts quote and its purchase order": lambda email: _sent(email, "progress parts_ordered"),
    "shipped back and closed": _closed_after,
    "request withdrawn": lambda email: _sent(email, "progress withdrawn"),
    "reminder": lambda email: _sent(email, "reminder"),
    "RMA expired": lambda email: _sent(email, "expired"),
    "request closed: no response": lambda email: _sent(email, "closed"),
}
