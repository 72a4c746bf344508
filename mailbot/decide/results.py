"""Building blocks of decisions: verdicts on units, and entries of the rules' [answers]."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from mailbot.decide.coverage import Inquiry, answer_decision, answer_verdict, common
from mailbot.model import Case, CaseUnit, CustomerEvent, Decision, Intent, Request, Role, Verdict
from mailbot.policy.context import Context
from mailbot.policy.rules import AnswerRule


def no_action(context: Context, why: str, answer_key: str = "") -> Decision:
    """Return a decision without an outcome for any unit, and its reason."""
    return Decision("none", (), why, context.policy.stamp, answer_key=answer_key)


def keyed_answer(context: Context, inquiry: Inquiry, name: str, units: Sequence[CaseUnit]) -> Decision:
    """Return the decision by one entry of [answers] about units of the case; their coverage is not decided."""
    answer: AnswerRule = getattr(context.answers, name)
    verdicts = tuple(answer_verdict(context, inquiry.about_case, answer, unit) for unit in units)
    plain = answer_decision(context, inquiry, answer)
    return structs.replace(plain, outcome="none", verdicts=verdicts, answer_key=name, asks=())


def verdicts_decision(context: Context, verdicts: tuple[Verdict, ...], intent: Intent, notify: tuple[Role, ...] = ()) -> Decision:
    """Return the decision that consists of these verdicts."""
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why="; ".join(f"{v.serial}: {v.outcome} by {v.clauses[0]}" for v in verdicts) or intent,
        stamp=context.policy.stamp,
        verdicts=verdicts,
        notify=notify,
    )


def latest_inquiry(case: Case) -> Inquiry | None:
    """Return the customer's latest email in the case, if any, as an inquiry about the case: later decisions depend on its facts."""
    emails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, CustomerEvent))
    mail = next(emails, None)
    return Inquiry(mail, Request("request"), case).about_case if mail else None
