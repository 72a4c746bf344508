"""Building blocks of decisions: verdicts on units, and entries of the rules' [answers]."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from mailbot.decide.coverage import Inquiry, answer_decision, answer_verdict, common
from mailbot.model import Answered, Case, CaseUnit, Decision, MailReference, Ordered, Request, Requested, Verdict
from mailbot.policy.context import Context
from mailbot.policy.rules import AnswerRule


def no_action(context: Context, why: str, answer_key: str = "") -> Decision:
    """Return a decision without an outcome for any unit, and its reason."""
    return Decision("none", (), why, context.policy.stamp, answer_key=answer_key)


def keyed_answer(context: Context, inquiry: Inquiry, name: str, units: Sequence[CaseUnit]) -> Decision:
    """Return the decision by one entry of [answers] about units of the case; their coverage is not decided.

    Args:
        context: the policy, the snapshot, and the time.
        inquiry: with the case.
        name: the entry of [answers].
        units: the units that the answer is about.
    """
    answer: AnswerRule = getattr(context.answers, name)
    assert inquiry.case is not None, "this answer is about the units of a case"  # noqa: S101 - a defect, not an input
    about = inquiry._replace(request=about_case(inquiry.case, inquiry.request))
    verdicts = tuple(answer_verdict(context, about, answer, unit) for unit in units)
    plain = answer_decision(context, inquiry, answer)
    return structs.replace(plain, outcome="none", verdicts=verdicts, answer_key=name, asks=())


def verdicts_decision(context: Context, verdicts: tuple[Verdict, ...], request: Request) -> Decision:
    """Return the decision that consists of these verdicts."""
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why="; ".join(f"{v.serial}: {v.outcome} by {v.clauses[0]}" for v in verdicts) or request.intent,
        stamp=context.policy.stamp,
        verdicts=verdicts,
    )


def about_case(case: Case, request: Request) -> Request:
    """Return the request with the intent, support case and special requests of its case; its own special requests are added."""
    added = tuple(dict.fromkeys((*case.special_requests, *request.special_requests)))
    return structs.replace(request, intent=case.intent, special_requests=added, support_case=case.support_case)


def latest_mail(case: Case) -> MailReference | None:
    """Return the customer's latest email in the case, if any: the facts of later decisions depend on it."""
    emails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, Requested | Answered | Ordered))
    return next(emails, None)
