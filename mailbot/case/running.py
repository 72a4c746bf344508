"""Decisions on a case that is running: orders, withdrawals, news of the shipment, questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from mailbot.case import quotes
from mailbot.case.lifecycle import HERE, NUMBERED
from mailbot.intake.serials import fold
from mailbot.model import (
    Answered,
    Case,
    CaseItem,
    Decision,
    Known,
    Ordered,
    Request,
    Requested,
    Verdict,
    Wrote,
)
from mailbot.policy.decide import answered, by_person, common
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer, Rule

Customers = Requested | Answered | Ordered

CANCELLED = frozenset({"asking", "quoted", "held", "authorized"})
"""States in which a customer can simply take a request back: nothing lies with us yet."""


def decide(case: Case, event: Customers, known: Known, policy: Policy, day: date) -> Decision | None:
    """Decide what a customer's mail means for a running case; None where the rules of coverage must decide, or a person."""
    mail, request = event.mail, event.request
    if mail.forged:
        return None
    if isinstance(event, Ordered):
        return _ordered(case, mail, request, known, policy, day)
    if request.intent == "cancel":
        return _cancelled(case, mail, request, known, policy)
    if request.parcel and (sent := _sent(case, request)):
        return _told("under_way", policy, mail, request, sent, case, known)
    if request.parcel and _in(case, "expired"):  # it comes under a number that has ended: a person must know (AP-25)
        return answered(policy, policy.rules.answers.other, mail, request, case)
    asked = {fold(item.serial) for item in request.items}
    held = {fold(item.serial) for item in case.items if item.state == "held" and item.resumes}
    if asked and asked <= held:  # what a person has in hand stays there
        return answered(policy, policy.rules.answers.other, mail, request, case)
    travelling = _in(case, "in_transit", *HERE)
    if asked and asked <= {fold(item.serial) for item in travelling}:
        return _told("status", policy, mail, request, travelling, case, known)
    if _ended_long_ago(case, policy, day) and (request.items or request.renews):
        expired = _in(case, "expired")
        late = policy.rules.answers.late_renewal
        verdicts = tuple(by_person(policy, late, mail, about(case, request), item, case, known) for item in expired)
        return structs.replace(_verdicts(policy, verdicts, request), notify=("approver",))
    if request.intent == "status" and case.items and all(i.known and not (i.hidden or i.disguised) for i in case.items):
        return _told("status", policy, mail, request, case.items, case, known)
    return None


def _ended_long_ago(case: Case, policy: Policy, day: date) -> bool:
    """Say whether the number ended so long ago that a person must decide on a new one."""
    limit = policy.rules.number.renew_days.value
    return case.state == "expired" and case.number is not None and (day - case.number.valid_until).days > limit


def _sent(case: Case, request: Request) -> tuple[CaseItem, ...]:
    """Return the units that a mail says are on their way: those it names, else all that were to be sent."""
    parcel = request.parcel
    named = {fold(serial) for serial in parcel.serials} if parcel else set()
    return tuple(i for i in _in(case, "authorized") if not named or fold(i.serial) in named)


def _in(case: Case, *states: str) -> tuple[CaseItem, ...]:
    return tuple(item for item in case.items if item.state in states)


def _told(
    name: str, policy: Policy, mail: Wrote, request: Request, items: Sequence[CaseItem], case: Case, known: Known
) -> Decision:
    """Answer with one entry of [answers] about these units; nothing is decided about their coverage."""
    answer: Answer = getattr(policy.rules.answers, name)
    verdicts = tuple(by_person(policy, answer, mail, about(case, request), item, case, known) for item in items)
    plain = answered(policy, answer, mail, request, case)
    return structs.replace(plain, outcome="none", verdicts=verdicts, told=name, asks=())


def about(case: Case, request: Request) -> Request:
    """Return what the case is about, as a request: a later mail about it changes neither intent nor wishes."""
    wishes = tuple(dict.fromkeys((*case.wishes, *request.wishes)))
    return structs.replace(request, intent=case.intent, wishes=wishes, support_case=case.support_case)


def latest_mail(case: Case) -> Wrote | None:
    """Return the customer's latest mail in the case: the facts of a decision are that customer's."""
    mails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, Requested | Answered | Ordered))
    return next(mails, None)


def _ordered(case: Case, mail: Wrote, request: Request, known: Known, policy: Policy, day: date) -> Decision | None:
    """Compare an order with the quote that awaits one (AP-17, AP-20, ST-6); what differs, a person compares (O3)."""
    offers, answers = quotes.standing(case), policy.rules.answers
    if not offers or request.order is None or request.attention:
        return None
    if not request.order.copy:
        return answered(policy, answers.accept, mail, request, case)
    quote = quotes.accepts(request.order, offers, day)
    keys = {fold(serial) for serial in quote.serials} if quote else set()
    items = [item for item in case.items if fold(item.serial) in keys and quotes.awaits_order(item)]
    if quote is None or any(item.resumes in ("quoted", "parts_quoted") for item in items):  # a person has it in hand
        return None
    if not quote.parts and (rule := _undiagnosed(case, policy)):
        open_ = Answer(rule.clause, rule.then, rule.says, rule.source, rule.also)
        held = (by_person(policy, open_, mail, about(case, request), item, case, known) for item in items)
        return structs.replace(_verdicts(policy, tuple(held), request), notify=("approver",))
    if quote.parts:
        return _told("parts_ordered", policy, mail, request, items, case, known)
    verdicts = tuple(
        by_person(
            policy,
            answers.matches,
            mail,
            about(case, request),
            structs.replace(item, charged=True),
            case,
            known,
            says=_ordered_by(answers.matches, request),
        )
        for item in items
    )
    return _verdicts(policy, verdicts, request)


def _undiagnosed(case: Case, policy: Policy) -> Rule | None:
    """Return the rule by which a number still needs a remote diagnosis, also for a repair that is paid for (ST-3)."""
    needed = policy.rules.diagnosis == "required" and not case.support_case and case.intent in ("repair", "doa")
    return next((rule for rule in policy.rules.decide if needed and rule.when.get("diagnosis") == "needed"), None)


def _ordered_by(answer: Answer, request: Request) -> str:
    return answer.says.replace("{order}", request.order.number if request.order else "")


def _verdicts(policy: Policy, verdicts: tuple[Verdict, ...], request: Request, why: str = "") -> Decision:
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why=why or "; ".join(f"{v.serial}: {v.outcome} by {v.clauses[0]}" for v in verdicts) or request.intent,
        stamp=policy.stamp,
        verdicts=verdicts,
    )


def _cancelled(case: Case, mail: Wrote, request: Request, known: Known, policy: Policy) -> Decision | None:
    """Let go what is not with us yet; a parts quote can be declined (AP-13); for the rest a person must be asked."""
    named = {fold(item.serial) for item in request.items}
    meant = [item for item in case.items if not named or fold(item.serial) in named]
    if meant and all(item.state in CANCELLED and not item.here for item in meant):
        others = [item for item in case.items if item not in meant and item.state in NUMBERED]
        return _told("withdrawn_part" if others else "withdrawn", policy, mail, request, meant, case, known)
    declined = [item for item in meant if item.state == "parts_quoted"]
    if declined:
        return _told("parts_declined", policy, mail, request, declined, case, known)
    return None
