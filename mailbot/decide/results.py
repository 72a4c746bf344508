"""How decisions on units and answers from the rules' [answers] are put together."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from mailbot.decide.coverage import Inquiry, answer_decision, answer_verdict, common
from mailbot.model import Answered, Case, CaseUnit, Decision, MailReference, Ordered, Request, Requested, Verdict
from mailbot.policy.context import Context
from mailbot.policy.rules import AnswerRule


def nothing(context: Context, why: str, answer_key: str = "") -> Decision:
    """Return the decision that nothing is to be done for a unit, with the reason."""
    return Decision("none", (), why, context.policy.stamp, answer_key=answer_key)


def keyed_answer(context: Context, inquiry: Inquiry, name: str, units: Sequence[CaseUnit]) -> Decision:
    """Answer with one entry of [answers] about these units of the case; their coverage is not decided."""
    answer: AnswerRule = getattr(context.answers, name)
    assert inquiry.case is not None, "this answer is about the units of a case"  # noqa: S101 - a defect, not an input
    about = inquiry._replace(request=about_case(inquiry.case, inquiry.request))
    verdicts = tuple(answer_verdict(context, about, answer, unit) for unit in units)
    plain = answer_decision(context, inquiry, answer)
    return structs.replace(plain, outcome="none", verdicts=verdicts, answer_key=name, asks=())


def verdicts_decision(context: Context, verdicts: tuple[Verdict, ...], request: Request) -> Decision:
    """Return the decision that these verdicts add up to."""
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why="; ".join(f"{v.serial}: {v.outcome} by {v.clauses[0]}" for v in verdicts) or request.intent,
        stamp=context.policy.stamp,
        verdicts=verdicts,
    )


def about_case(case: Case, request: Request) -> Request:
    """Return what the case is about, as a request: a later email about it changes neither intent nor special requests."""
    added = tuple(dict.fromkeys((*case.special_requests, *request.special_requests)))
    return structs.replace(request, intent=case.intent, special_requests=added, support_case=case.support_case)


def latest_mail(case: Case) -> MailReference | None:
    """Return the customer's latest email in the case: the facts of a decision are that customer's."""
    mails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, Requested | Answered | Ordered))
    return next(mails, None)
