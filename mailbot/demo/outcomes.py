"""What there was to see: every kind of outcome, each with the mail that proves it, read from the mails and the cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from mailbot.demo.summary import summaries
from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Answered, Bounced, CommandName, Decision, Ordered, StaffMessage, Value


class OutcomeSeen(Value, frozen=True):
    """A kind of outcome, in words, and the first mail that proves it; None where it did not happen."""

    kind: str
    email: TrafficEntry | None


def outcomes_seen(emails: Sequence[TrafficEntry]) -> list[OutcomeSeen]:
    """Return every kind of outcome that the demo is to show, with its proof."""
    return [OutcomeSeen(kind, next((email for email in emails if proves(email)), None)) for kind, proves in KINDS.items()]


def outcomes(emails: Sequence[TrafficEntry]) -> dict[str, int]:
    """Return how many mails to us had which outcome, the most frequent first; what became of them where nothing was decided."""
    found = (
        email.record.outcome if email.record.outcome != "none" else summaries(email)[0].outcome
        for email in emails
        if email.record
    )
    return dict(Counter(found).most_common())


def _answer(email: TrafficEntry) -> Decision | None:
    """Return what was decided, where this is the answer to a customer that says so."""
    if email.outgoing and email.reply and email.reply.audience == "customer" and email.reply.direct and email.entry:
        return email.entry.decision
    return None


def _answers(email: TrafficEntry, outcome: str) -> bool:
    decision = _answer(email)
    return decision is not None and (
        decision.outcome == outcome or any(v.outcome == outcome for v in decision.verdicts)
    )


def _issued(email: TrafficEntry) -> bool:
    decision, number = _answer(email), email.case.number if email.case else None
    fresh = decision is not None and any(v.outcome == "issue" and v.number is None for v in decision.verdicts)
    return fresh and number is not None and number.text in email.message.text


def _quoted(email: TrafficEntry) -> bool:
    text = email.message.text.lower()
    quotes = email.case.quotes if email.case else ()
    return _answers(email, "quote") and "purchase order" in text and any(q.number.lower() in text for q in quotes)


def _answered(email: TrafficEntry) -> bool:
    """Whether this mail supplied what had been asked for, and the request went on."""
    supplied = email.entry is not None and isinstance(email.entry.event, Answered)
    return supplied and email.record is not None and email.record.outcome in ("issue", "quote", "mixed")


def _held(email: TrafficEntry) -> bool:
    return email.to_staff and email.reply is not None and email.reply.letter == "notice held"


def _ignored(email: TrafficEntry, kind: str) -> bool:
    return email.record is not None and email.record.kind == kind and email.record.folder == "Ignored"


def _letter(email: TrafficEntry, kind: str) -> bool:
    return email.reply is not None and email.reply.audience == "customer" and email.reply.letter.startswith(kind)


def _repeated(email: TrafficEntry) -> bool:
    decision = _answer(email)
    return decision is not None and any(v.number and v.number.text in email.message.text for v in decision.verdicts)


def _stranger(email: TrafficEntry) -> bool:
    decision = _answer(email)
    return decision is not None and any(v.answered_as_unknown for v in decision.verdicts)


def _german_html(email: TrafficEntry) -> bool:
    known = email.entry is not None and any(v.known for v in email.entry.decision.verdicts)
    german = email.case is not None and email.case.language == "de"
    return not email.outgoing and known and german and bool(email.html) and not email.has_text


def _csv(email: TrafficEntry) -> bool:
    named = any(attachment.name.lower().endswith(".csv") for attachment in email.message.attachments)
    return named and email.entry is not None and len(email.entry.decision.verdicts) > 1


def _bounced(email: TrafficEntry) -> bool:
    return not email.outgoing and email.entry is not None and isinstance(email.entry.event, Bounced)


def _ordered(email: TrafficEntry) -> bool:
    """Whether this purchase order agreed with the quote, and the number went out."""
    by_rule = email.record is not None and email.record.outcome == "issue"
    return by_rule and email.entry is not None and isinstance(email.entry.event, Ordered)


def _commanded(email: TrafficEntry, name: CommandName, result: str = "done") -> bool:
    """Whether a member of staff gave this command, and it ended so."""
    rulings = email.entry.decision.command_results if email.entry and not email.outgoing else ()
    return any(ruling.command.name == name and ruling.result == result for ruling in rulings)


def _approved_to_the_customer(email: TrafficEntry) -> bool:
    """Whether a colleague wrote to the customer, with the mailbox in Cc, and approved in it."""
    event, customer = email.entry.event if email.entry else None, email.case.sender if email.case else ""
    to_customer = isinstance(event, StaffMessage) and customer in event.mail.others
    return to_customer and _commanded(email, "approve")


def _closed_after(email: TrafficEntry) -> bool:
    return _letter(email, "progress shipped") and email.case is not None and email.case.state == "closed"


KINDS: dict[str, Callable[[TrafficEntry], bool]] = {
    "RMA number issued": _issued,
    "the number there is, for a second request": _repeated,
    "quote, and a purchase order asked for": _quoted,
    "a purchase order that agrees: the number": _ordered,
    "missing information asked for": lambda email: _answers(email, "ask") and not _stranger(email),
    "missing information supplied": _answered,
    "held for staff": _held,
    "approved by a colleague": lambda email: _commanded(email, "approve"),
    "approved in a mail to the customer, rma@ in Cc": _approved_to_the_customer,
    "declined": lambda email: _answers(email, "decline"),
    "several units in one mail, different verdicts": lambda email: _answers(email, "mixed"),
    "a list attached as CSV": _csv,
    "a German mail, HTML only": _german_html,
    "a stranger, told nothing": _stranger,
    "a mail of ours that bounced": _bounced,
    "an answering machine, ignored": lambda email: _ignored(email, "auto"),
    "a newsletter, ignored": lambda email: _ignored(email, "list"),
    "a parcel under way": lambda email: _letter(email, "progress under_way"),
    "received, and repaired by when": lambda email: _letter(email, "progress received"),
    "where a return stands, told by rule": lambda email: _letter(email, "progress status"),
    "what was found, and its charge": lambda email: _letter(email, "progress charged"),
    "a quote above a limit: a second approver": lambda email: _commanded(email, "quote", "second"),
    "a parts quote, and its purchase order": lambda email: _letter(email, "progress parts_ordered"),
    "shipped back, and closed": _closed_after,
    "a request withdrawn": lambda email: _letter(email, "progress withdrawn"),
    "reminder": lambda email: _letter(email, "reminder"),
    "number that expired": lambda email: _letter(email, "expired"),
    "request closed for want of an answer": lambda email: _letter(email, "closed"),
}
