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
    post: TrafficEntry | None


def outcomes_seen(posts: Sequence[TrafficEntry]) -> list[OutcomeSeen]:
    """Return every kind of outcome that the demo is to show, with its proof."""
    return [OutcomeSeen(kind, next((post for post in posts if proves(post)), None)) for kind, proves in KINDS.items()]


def outcomes(posts: Sequence[TrafficEntry]) -> dict[str, int]:
    """Return how many mails to us had which outcome, the most frequent first; what became of them where nothing was decided."""
    found = (
        post.record.outcome if post.record.outcome != "none" else summaries(post)[0].outcome
        for post in posts
        if post.record
    )
    return dict(Counter(found).most_common())


def _answer(post: TrafficEntry) -> Decision | None:
    """Return what was decided, where this is the answer to a customer that says so."""
    if post.ours and post.reply and post.reply.audience == "customer" and post.reply.direct and post.entry:
        return post.entry.decision
    return None


def _answers(post: TrafficEntry, outcome: str) -> bool:
    decision = _answer(post)
    return decision is not None and (
        decision.outcome == outcome or any(v.outcome == outcome for v in decision.verdicts)
    )


def _issued(post: TrafficEntry) -> bool:
    decision, number = _answer(post), post.case.number if post.case else None
    fresh = decision is not None and any(v.outcome == "issue" and v.number is None for v in decision.verdicts)
    return fresh and number is not None and number.text in post.message.text


def _quoted(post: TrafficEntry) -> bool:
    text = post.message.text.lower()
    quotes = post.case.quotes if post.case else ()
    return _answers(post, "quote") and "purchase order" in text and any(q.number.lower() in text for q in quotes)


def _answered(post: TrafficEntry) -> bool:
    """Whether this mail supplied what had been asked for, and the request went on."""
    supplied = post.entry is not None and isinstance(post.entry.event, Answered)
    return supplied and post.record is not None and post.record.outcome in ("issue", "quote", "mixed")


def _held(post: TrafficEntry) -> bool:
    return post.to_staff and post.reply is not None and post.reply.template == "notice held"


def _ignored(post: TrafficEntry, kind: str) -> bool:
    return post.record is not None and post.record.kind == kind and post.record.folder == "Ignored"


def _letter(post: TrafficEntry, kind: str) -> bool:
    return post.reply is not None and post.reply.audience == "customer" and post.reply.template.startswith(kind)


def _repeated(post: TrafficEntry) -> bool:
    decision = _answer(post)
    return decision is not None and any(v.number and v.number.text in post.message.text for v in decision.verdicts)


def _stranger(post: TrafficEntry) -> bool:
    decision = _answer(post)
    return decision is not None and any(v.answered_as_unknown for v in decision.verdicts)


def _german_html(post: TrafficEntry) -> bool:
    known = post.entry is not None and any(v.known for v in post.entry.decision.verdicts)
    german = post.case is not None and post.case.language == "de"
    return not post.ours and known and german and bool(post.html) and not post.has_text


def _csv(post: TrafficEntry) -> bool:
    named = any(attachment.name.lower().endswith(".csv") for attachment in post.message.attachments)
    return named and post.entry is not None and len(post.entry.decision.verdicts) > 1


def _bounced(post: TrafficEntry) -> bool:
    return not post.ours and post.entry is not None and isinstance(post.entry.event, Bounced)


def _ordered(post: TrafficEntry) -> bool:
    """Whether this purchase order agreed with the quote, and the number went out."""
    by_rule = post.record is not None and post.record.outcome == "issue"
    return by_rule and post.entry is not None and isinstance(post.entry.event, Ordered)


def _commanded(post: TrafficEntry, name: CommandName, result: str = "done") -> bool:
    """Whether a member of staff gave this command, and it ended so."""
    rulings = post.entry.decision.command_results if post.entry and not post.ours else ()
    return any(ruling.command.name == name and ruling.result == result for ruling in rulings)


def _approved_to_the_customer(post: TrafficEntry) -> bool:
    """Whether a colleague wrote to the customer, with the mailbox in Cc, and approved in it."""
    event, customer = post.entry.event if post.entry else None, post.case.sender if post.case else ""
    to_customer = isinstance(event, StaffMessage) and customer in event.mail.other_recipients
    return to_customer and _commanded(post, "approve")


def _closed_after(post: TrafficEntry) -> bool:
    return _letter(post, "progress shipped") and post.case is not None and post.case.state == "closed"


KINDS: dict[str, Callable[[TrafficEntry], bool]] = {
    "RMA number issued": _issued,
    "the number there is, for a second request": _repeated,
    "quote, and a purchase order asked for": _quoted,
    "a purchase order that agrees: the number": _ordered,
    "missing information asked for": lambda post: _answers(post, "ask") and not _stranger(post),
    "missing information supplied": _answered,
    "held for staff": _held,
    "approved by a colleague": lambda post: _commanded(post, "approve"),
    "approved in a mail to the customer, rma@ in Cc": _approved_to_the_customer,
    "declined": lambda post: _answers(post, "decline"),
    "several units in one mail, different verdicts": lambda post: _answers(post, "mixed"),
    "a list attached as CSV": _csv,
    "a German mail, HTML only": _german_html,
    "a stranger, told nothing": _stranger,
    "a mail of ours that bounced": _bounced,
    "an answering machine, ignored": lambda post: _ignored(post, "auto"),
    "a newsletter, ignored": lambda post: _ignored(post, "list"),
    "a parcel under way": lambda post: _letter(post, "progress under_way"),
    "received, and repaired by when": lambda post: _letter(post, "progress received"),
    "where a return stands, told by rule": lambda post: _letter(post, "progress status"),
    "what was found, and its charge": lambda post: _letter(post, "progress charged"),
    "a quote above a limit: a second approver": lambda post: _commanded(post, "quote", "second"),
    "a parts quote, and its purchase order": lambda post: _letter(post, "progress parts_ordered"),
    "shipped back, and closed": _closed_after,
    "a request withdrawn": lambda post: _letter(post, "progress withdrawn"),
    "reminder": lambda post: _letter(post, "reminder"),
    "number that expired": lambda post: _letter(post, "expired"),
    "request closed for want of an answer": lambda post: _letter(post, "closed"),
}
