"""Coverage: the first rule whose conditions hold decides on a unit; an entry of [answers] decides on everything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from mailbot.case.lifecycle import UNDER_WAY
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.statements.reasons import symptom
from mailbot.model import (
    Case,
    CaseUnit,
    Charge,
    CustomerEvent,
    Decision,
    DraftedDecision,
    MailReference,
    MessageOutcome,
    Number,
    Outcome,
    Request,
    RequestedUnit,
    Role,
    Snapshot,
    Statement,
    Unit,
    Verdict,
)
from mailbot.policy import facts as vocabulary
from mailbot.policy.context import Context
from mailbot.policy.dates import today
from mailbot.policy.facts import Situation
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, CitedSentence, DecisionRule


class Inquiry(NamedTuple):
    """An email, what it requests, and the case that it belongs to, if any."""

    mail: MailReference
    request: Request
    case: Case | None = None

    @property
    def about_case(self) -> Inquiry:
        """The inquiry with the intent and support case of its case; special requests of both count."""
        assert self.case is not None, "this inquiry is about a case"  # noqa: S101 - a defect, not an input
        case, added = self.case, (*self.case.special_requests, *self.request.special_requests)
        request = structs.replace(
            self.request, intent=case.intent, support_case=case.support_case, special_requests=tuple(dict.fromkeys(added))
        )
        return self._replace(request=request)


def decide_units(context: Context, inquiry: Inquiry) -> Decision:
    """Decide on each unit of a request separately; the outcome of the whole is their common one, or mixed."""
    policy = context.policy
    judged = [decide_unit(context, inquiry, unit) for unit in inquiry.request.units]
    judged += _foreign(context, inquiry)
    judged = [_until_read(context, inquiry.request, verdict, rule) for verdict, rule in judged]
    verdicts = tuple(verdict for verdict, _ in judged)
    return of_verdicts(
        verdicts,
        context,
        "; ".join(f"{_why(verdict)} ({policy.clause_text(verdict.clauses[0])})" for verdict in verdicts),
        facts=tuple(f for f in verdicts[0].facts if f.name in _EMAIL_FACTS) if verdicts else (),
        notify=_roles_to_notify(policy, judged),
        asks=tuple(dict.fromkeys(ask for verdict in verdicts for ask in verdict.asks)),
    )


def _until_read(
    context: Context, request: Request, verdict: Verdict, rule: DecisionRule | None
) -> tuple[Verdict, DecisionRule | None]:
    """Return the verdict, held for a person with its draft if a sentence about the unit is in question (promise 10)."""
    questions = questions_about(request.in_question, verdict)
    if not questions or verdict.number:
        return verdict, rule
    answer = context.answers.unsure or context.answers.other
    draft = DraftedDecision(verdict.outcome, verdict.clauses, verdict.charges)
    held = structs.replace(
        verdict, outcome=answer.then, clauses=answer.clauses_for(request.intent), says=answer.says, draft=draft, charges=()
    )
    return structs.replace(held, covered_until=None, valid_until=None, asks=()), None


def questions_about(statements: Iterable[Statement], verdict: Verdict) -> tuple[Statement, ...]:
    """Return the statements in question that may change a verdict.

    A quote commits nobody: it waits only if the customer seems not to want it.
    """
    key = serial_key(verdict.serial)
    about = (each for each in statements if not each.units or key in each.units)
    match verdict.outcome:
        case "issue":
            return tuple(about)
        case "quote":
            return tuple(each for each in about if not each.label or each.statement_class in _UNWANTED)
        case _:
            return ()


_UNWANTED = ("stop", "fine", "money", "decline_quote", "thirdparty", "machine", "sales")
"""The classes of sentences that rule out a quote."""


def of_verdicts(verdicts: tuple[Verdict, ...], context: Context, why: str, **more: Any) -> Decision:
    """Return the decision that consists of these verdicts: their common outcome, "mixed" if they differ, "none" without any."""
    outcomes: tuple[MessageOutcome, ...] = tuple({verdict.outcome for verdict in verdicts}) or ("none",)
    clauses = tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    outcome = outcomes[0] if len(outcomes) == 1 else "mixed"
    return structs.replace(Decision(outcome, clauses, why, context.policy.stamp, verdicts=verdicts), **more)


def _why(verdict: Verdict) -> str:
    return f"{verdict.serial or 'no serial'}: {verdict.outcome} by {verdict.clauses[0]}"


def decide_unit(context: Context, inquiry: Inquiry, item: RequestedUnit) -> tuple[Verdict, DecisionRule | None]:
    """Decide on one unit: by its open RMA, else by the first rule that holds. The rule is returned, too; None for an open RMA."""
    policy = context.policy
    s = situation(context, inquiry, item)
    facts = vocabulary.all_facts(s)
    if "owner" in facts["requester"] and inquiry.request.intent in ("repair", "doa"):
        number = _open_number(s, inquiry.case, context.snapshot)
        if number:
            return _verdict(s, policy.rules.answers.existing, "issue", facts, number=number), None
    rule = seen = _first(policy, facts)
    if "stranger" in facts["requester"]:
        # Promise 7: the answer must be the same as for a serial number that is not in the registry.
        s = structs.replace(s, unit=None)
        facts = vocabulary.all_facts(s)
        seen = _first(policy, facts)
    as_unknown = rule.disguise and rule is not seen
    days, decided = vocabulary.dates(s), rule if as_unknown else seen
    verdict = _verdict(
        s,
        seen,
        decided.then,
        facts,
        asks=(seen.ask,) if seen.ask else (),
        charges=fees(policy, seen.charge, item.serial),
        covered_until=days.get("cover_until"),
        valid_until=days.get("doa_until") if seen.valid == "doa" else None,
        suggestion=item.suggestion if seen.ask == "known_serial" else "",
    )
    if as_unknown:
        clauses = tuple(dict.fromkeys((*rule.clauses, *seen.clauses)))
        verdict = structs.replace(verdict, known=True, answered_as_unknown=True, clauses=clauses, shown_clauses=seen.clauses)
    return verdict, decided


def _verdict(s: Situation, rule: CitedSentence, outcome: Outcome, facts: vocabulary.Facts, **more: Any) -> Verdict:
    """Return the verdict on a unit by a rule."""
    return Verdict(
        serial=s.item.serial,
        outcome=outcome,
        clauses=tuple(dict.fromkeys(rule.clauses)),
        facts=vocabulary.record(facts, vocabulary.dates(s)),
        known=s.unit is not None,
        model=s.unit.model if s.unit else "",
        says=rule.says,
        owner=s.unit.customer_domain.lower() if s.unit else "",
        **more,
    )


def _foreign(context: Context, inquiry: Inquiry) -> Iterator[tuple[Verdict, DecisionRule | None]]:
    """Decide on units of other customers that only staff may see: the email is answered as if it did not name them."""
    requested = {serial_key(unit.serial) for unit in inquiry.request.units}
    for unit in inquiry.request.foreign:
        verdict, rule = decide_unit(context, inquiry, unit)
        if verdict.answered_as_unknown and serial_key(unit.serial) not in requested:
            yield structs.replace(verdict, asks=(), staff_only=True), rule


def _first(policy: Policy, facts: vocabulary.Facts) -> DecisionRule:
    """Return the first rule that holds; the last one always holds."""
    return next(rule for rule in policy.rules.decide if vocabulary.holds(rule.when, facts))


def situation(context: Context, inquiry: Inquiry, item: RequestedUnit, paid: str = "no") -> Situation:
    """Return what the facts depend on, for one unit. ``paid``: the answer of the fact of that name."""
    policy, mail, case = context.policy, inquiry.mail, inquiry.case
    named = item.serial and not item.unsure
    row = context.snapshot.units.get(serial_key(item.serial)) if named else None
    unit = _with_our_repair(row, context.snapshot, policy)
    addresses = set() if mail.forged else {mail.sender, mail.answer_to} - {""}
    return Situation(
        rules=policy.rules,
        request=inquiry.request,
        item=item,
        unit=unit,
        domains=tuple(sorted(address.rpartition("@")[2] for address in addresses)),
        today=today(mail.at, policy.timezone),
        asked=case.asked if case else (),
        failure=symptom(unit.repair_failure, policy.desk.words.everything) if unit and unit.repair_failure else None,
        paid=paid,
    )


def _with_our_repair(unit: Unit | None, snapshot: Snapshot, policy: Policy) -> Unit | None:
    """Return the registry row with the latest paid repair of our own cases, if it is later than that of the row (AP-21)."""
    if unit is None:
        return None
    for case in (*snapshot.past_cases, *snapshot.open_cases):
        for item in case.units:
            same = serial_key(item.serial) == serial_key(unit.serial) and paid_for(item, case.intent, policy) == "repair"
            if same and item.shipped_on and (unit.repair_shipped_on is None or item.shipped_on > unit.repair_shipped_on):
                unit = structs.replace(unit, repair_shipped_on=item.shipped_on, repair_failure=item.reason)
    return unit


def answer_verdict(
    context: Context, inquiry: Inquiry, answer: AnswerRule, unit: CaseUnit, clauses: tuple[str, ...] = (), says: str = ""
) -> Verdict:
    """Return the verdict on a unit by an entry of [answers]: a decision by staff, a purchase order, or the status.

    ``clauses``: cited before those of the answer. ``says``: the sentence, if it is not that of the answer; braces are literal.
    """
    policy, case = context.policy, inquiry.case
    intent = case.intent if case else "none"
    s = situation(context, inquiry, unit.as_requested, paid_for(unit, intent, policy))
    days = vocabulary.dates(s)
    doa = inquiry.request.intent == "doa" and answer.then == "issue"
    by_staff = answer in (policy.rules.answers.approved, policy.rules.answers.quoted)
    # Promise 7: somebody who is not the owner learns about the unit only after staff have approved the request.
    undisclosed = (unit.answered_as_unknown or not unit.known) and not by_staff
    return Verdict(
        serial=unit.serial,
        outcome=answer.then,
        clauses=tuple(dict.fromkeys((*clauses, *answer.clauses_for(intent)))),
        facts=() if undisclosed else vocabulary.record(vocabulary.all_facts(s), days),
        known=not undisclosed,
        model="" if undisclosed else s.unit.model if s.unit else unit.model,
        staff_only=undisclosed and unit.staff_only,
        says=says.replace("{", "{{").replace("}", "}}") if says else answer.says_for.get(intent, answer.says),
        valid_until=days.get("doa_until") if doa else None,
        owner=unit.owner,
    )


def paid_for(unit: CaseUnit, intent: str, policy: Policy) -> str:
    """Return the answer of the fact ``paid``: what the customer pays for. A finding without a rule costs nothing."""
    if intent == "rework" and unit.billed:  # not a repair: it has no repair warranty (AP-21), and shipping is the usual
        return "no"
    found = [flag for name in unit.findings if (flag := policy.rules.findings.get(name)) and flag.concerns(intent)]
    not_fixed = unit.not_repairable or unit.outcome == "decline" or (any(f.then == "notice" for f in found) and not unit.repaired)
    if unit.billed and not not_fixed:
        return "repair"
    costs = unit.billed or unit.outcome == "decline" or bool(found)
    return "other" if costs else "no"


def answer_decision(context: Context, inquiry: Inquiry, answer: AnswerRule) -> Decision:
    """Return the decision by an entry of [answers] if no unit is decided on: a question, a purchase order, an acceptance."""
    policy, request, case = context.policy, inquiry.request, inquiry.case
    bare = structs.replace(context, snapshot=Snapshot())
    seen = vocabulary.all_facts(situation(bare, Inquiry(inquiry.mail, request), RequestedUnit("")))
    stated = {name: words for name, words in seen.items() if name in _EMAIL_FACTS}
    informed = {i.notify for i in policy.rules.inform if i.notify and i.when and vocabulary.holds(i.when, seen)}
    return Decision(
        outcome=answer.then,
        clauses=answer.clauses_for(case.intent if case else ""),
        why=f"{request.intent}: {answer.says}" if request.intent != "none" else answer.says,
        stamp=policy.stamp,
        facts=vocabulary.record(stated, {}),
        notify=_in_order({answer.notify, *informed} - {None}),
        asks=(answer.ask,) if answer.ask else (),
        says=answer.says,
    )


def keyed_answer(context: Context, inquiry: Inquiry, name: str, units: Sequence[CaseUnit]) -> Decision:
    """Return the decision by one entry of [answers] about units of the case; their coverage is not decided."""
    answer: AnswerRule = getattr(context.answers, name)
    verdicts = tuple(answer_verdict(context, inquiry.about_case, answer, unit) for unit in units)
    plain = answer_decision(context, inquiry, answer)
    return structs.replace(plain, outcome="none", verdicts=verdicts, answer_key=name, asks=())


def answer_units(
    context: Context,
    inquiry: Inquiry,
    answer: AnswerRule,
    units: Iterable[CaseUnit],
    *,
    says: str = "",
    notify: tuple[Role, ...] = (),
) -> Decision:
    """Return the decision on units of the case by one entry of [answers]. ``says``: see ``answer_verdict``."""
    verdicts = tuple(answer_verdict(context, inquiry.about_case, answer, unit, says=says) for unit in units)
    return of_verdicts(verdicts, context, "; ".join(map(_why, verdicts)) or inquiry.request.intent, notify=notify)


def latest_inquiry(case: Case) -> Inquiry | None:
    """Return the customer's latest email in the case, if any, as an inquiry about the case: later decisions depend on its facts."""
    emails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, CustomerEvent))
    mail = next(emails, None)
    return Inquiry(mail, Request("request"), case).about_case if mail else None


def fees(policy: Policy, names: Iterable[str], serial: str) -> tuple[Charge, ...]:
    """Return the charges of fees for one unit.

    Raises:
        KeyError: the rules have no such fee.
    """
    lines = ((name, policy.rules.fees[name]) for name in names)
    return tuple(Charge(name, line.label, line.amount, line.currency, serial) for name, line in lines)


_EMAIL_FACTS = ("intent", "wish", "insurance", "overseas", "claimed", "today")
"""Facts that depend on the email alone, and not on a unit."""


def _open_number(s: Situation, case: Case | None, snapshot: Snapshot) -> Number | None:
    """Return the valid RMA number that this unit already has, in this case or another; None if it has none."""
    cases: tuple[Case, ...] = snapshot.open_cases if case is None else (case, *snapshot.open_cases)
    for other in cases:
        states = {unit.state for unit in other.units if serial_key(unit.serial) == serial_key(s.item.serial)}
        valid = other.number is not None and s.today <= other.number.valid_until
        if other.number and (("authorized" in states and valid) or states & UNDER_WAY):
            return other.number
    return None


def _roles_to_notify(policy: Policy, judged: list[tuple[Verdict, DecisionRule | None]]) -> tuple[Role, ...]:
    """Return the roles to notify: those of the rules and of [[inform]] sentences, and approvers if staff must decide."""
    roles: set[Role | None] = set()
    for verdict, rule in judged:
        seen = vocabulary.recall(verdict.facts)
        if rule and rule.notify:
            roles.add(rule.notify)
        elif verdict.outcome == "staff" or (verdict.number and seen["exclusion"]):
            roles.add("approver")
        roles |= {i.notify for i in policy.rules.inform if i.notify and i.when and vocabulary.holds(i.when, seen)}
    return _in_order(roles)


def _in_order(roles: set[Role | None]) -> tuple[Role, ...]:
    order: tuple[Role, ...] = ("approver", "sales", "desk")
    return tuple(role for role in order if role in roles)
