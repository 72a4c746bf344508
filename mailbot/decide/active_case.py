"""Decisions on a case that is running: orders, withdrawals, news of the shipment, questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from mailbot.case import quotes
from mailbot.case.lifecycle import NUMBERED, ON_SITE
from mailbot.decide.coverage import answered, by_person, common
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Answered,
    Case,
    CaseUnit,
    Decision,
    MailReference,
    Ordered,
    Request,
    Requested,
    Snapshot,
    Verdict,
)
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, DecisionRule

Customers = Requested | Answered | Ordered

CANCELLED = frozenset({"asking", "quoted", "held", "authorized"})
"""States in which a customer can simply take a request back: nothing lies with us yet."""


def decide(case: Case, event: Customers, snapshot: Snapshot, policy: Policy, day: date) -> Decision | None:
    """Decide what a customer's mail means for a running case; None where the rules of coverage must decide, or a person."""
    mail, request = event.mail, event.request
    if mail.forged:
        return None
    if isinstance(event, Ordered):
        return _ordered(case, mail, request, snapshot, policy, day)
    if request.intent == "cancel":
        return _cancelled(case, mail, request, snapshot, policy)
    if request.parcel and (sent := _sent(case, request)):
        return _told("under_way", policy, mail, request, sent, case, snapshot)
    if request.parcel and _in(case, "expired"):  # it comes under a number that has ended: a person must know (AP-25)
        return answered(policy, policy.rules.answers.other, mail, request, case)
    asked = {serial_key(unit.serial) for unit in request.units}
    held = {serial_key(unit.serial) for unit in case.units if unit.state == "held" and unit.resume_state}
    if asked and asked <= held:  # what a person has in hand stays there
        return answered(policy, policy.rules.answers.other, mail, request, case)
    travelling = _in(case, "in_transit", *ON_SITE)
    if asked and asked <= {serial_key(unit.serial) for unit in travelling}:
        return _told("status", policy, mail, request, travelling, case, snapshot)
    if _ended_long_ago(case, policy, day) and (request.units or request.renews):
        expired = _in(case, "expired")
        late = policy.rules.answers.late_renewal
        verdicts = tuple(by_person(policy, late, mail, about(case, request), unit, case, snapshot) for unit in expired)
        return structs.replace(_verdicts(policy, verdicts, request), notify=("approver",))
    if (
        request.intent == "status"
        and case.units
        and all(i.known and not (i.staff_only or i.answered_as_unknown) for i in case.units)
    ):
        return _told("status", policy, mail, request, case.units, case, snapshot)
    return None


def _ended_long_ago(case: Case, policy: Policy, day: date) -> bool:
    """Say whether the number ended so long ago that a person must decide on a new one."""
    limit = policy.rules.number.renew_days.value
    return case.state == "expired" and case.number is not None and (day - case.number.valid_until).days > limit


def _sent(case: Case, request: Request) -> tuple[CaseUnit, ...]:
    """Return the units that a mail says are on their way: those it names, else all that were to be sent."""
    parcel = request.parcel
    named = {serial_key(serial) for serial in parcel.serials} if parcel else set()
    return tuple(i for i in _in(case, "authorized") if not named or serial_key(i.serial) in named)


def _in(case: Case, *states: str) -> tuple[CaseUnit, ...]:
    return tuple(unit for unit in case.units if unit.state in states)


def _told(
    name: str,
    policy: Policy,
    mail: MailReference,
    request: Request,
    items: Sequence[CaseUnit],
    case: Case,
    snapshot: Snapshot,
) -> Decision:
    """Answer with one entry of [answers] about these units; nothing is decided about their coverage."""
    answer: AnswerRule = getattr(policy.rules.answers, name)
    verdicts = tuple(by_person(policy, answer, mail, about(case, request), unit, case, snapshot) for unit in items)
    plain = answered(policy, answer, mail, request, case)
    return structs.replace(plain, outcome="none", verdicts=verdicts, told=name, asks=())


def about(case: Case, request: Request) -> Request:
    """Return what the case is about, as a request: a later mail about it changes neither intent nor wishes."""
    wishes = tuple(dict.fromkeys((*case.special_requests, *request.special_requests)))
    return structs.replace(request, intent=case.intent, special_requests=wishes, support_case=case.support_case)


def latest_mail(case: Case) -> MailReference | None:
    """Return the customer's latest mail in the case: the facts of a decision are that customer's."""
    mails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, Requested | Answered | Ordered))
    return next(mails, None)


def _ordered(
    case: Case, mail: MailReference, request: Request, snapshot: Snapshot, policy: Policy, day: date
) -> Decision | None:
    """Compare an order with the quote that awaits one (AP-17, AP-20, ST-6); what differs, a person compares (O3)."""
    offers, answers = quotes.open_quotes(case), policy.rules.answers
    if not offers or request.order is None or request.attention:
        return None
    if not request.order.copy:
        return answered(policy, answers.accept, mail, request, case)
    quote = quotes.accepts(request.order, offers, day)
    keys = {serial_key(serial) for serial in quote.serials} if quote else set()
    items = [unit for unit in case.units if serial_key(unit.serial) in keys and quotes.awaits_order(unit)]
    if quote is None or any(
        unit.resume_state in ("quoted", "parts_quoted") for unit in items
    ):  # a person has it in hand
        return None
    if not quote.parts and (rule := _undiagnosed(case, policy)):
        open_ = AnswerRule(rule.clause, rule.then, rule.says, rule.source, rule.also)
        held = (by_person(policy, open_, mail, about(case, request), unit, case, snapshot) for unit in items)
        return structs.replace(_verdicts(policy, tuple(held), request), notify=("approver",))
    if quote.parts:
        return _told("parts_ordered", policy, mail, request, items, case, snapshot)
    verdicts = tuple(
        by_person(
            policy,
            answers.matches,
            mail,
            about(case, request),
            structs.replace(unit, charged=True),
            case,
            snapshot,
            says=_ordered_by(answers.matches, request),
        )
        for unit in items
    )
    return _verdicts(policy, verdicts, request)


def _undiagnosed(case: Case, policy: Policy) -> DecisionRule | None:
    """Return the rule by which a number still needs a remote diagnosis, also for a repair that is paid for (ST-3)."""
    needed = policy.rules.diagnosis == "required" and not case.support_case and case.intent in ("repair", "doa")
    return next((rule for rule in policy.rules.decide if needed and rule.when.get("diagnosis") == "needed"), None)


def _ordered_by(answer: AnswerRule, request: Request) -> str:
    return answer.says.replace("{order}", request.order.number if request.order else "")


def _verdicts(policy: Policy, verdicts: tuple[Verdict, ...], request: Request, why: str = "") -> Decision:
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why=why or "; ".join(f"{v.serial}: {v.outcome} by {v.clauses[0]}" for v in verdicts) or request.intent,
        stamp=policy.stamp,
        verdicts=verdicts,
    )


def _cancelled(
    case: Case, mail: MailReference, request: Request, snapshot: Snapshot, policy: Policy
) -> Decision | None:
    """Let go what is not with us yet; a parts quote can be declined (AP-13); for the rest a person must be asked."""
    named = {serial_key(unit.serial) for unit in request.units}
    meant = [unit for unit in case.units if not named or serial_key(unit.serial) in named]
    if meant and all(unit.state in CANCELLED and not unit.here for unit in meant):
        others = [unit for unit in case.units if unit not in meant and unit.state in NUMBERED]
        return _told("withdrawn_part" if others else "withdrawn", policy, mail, request, meant, case, snapshot)
    declined = [unit for unit in meant if unit.state == "parts_quoted"]
    if declined:
        return _told("parts_declined", policy, mail, request, declined, case, snapshot)
    return None
