"""Policy + facts -> Decision: the first rule whose conditions hold decides for the unit, and is cited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import structs

from mailbot.intake.reasons import symptom
from mailbot.intake.serials import fold
from mailbot.model import (
    Case,
    Charge,
    Decision,
    Item,
    Known,
    MessageOutcome,
    Number,
    Outcome,
    Request,
    Role,
    Verdict,
    Wrote,
)
from mailbot.policy import facts as vocabulary
from mailbot.policy.dates import today
from mailbot.policy.facts import Situation
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer, Rule


def decide_units(policy: Policy, mail: Wrote, request: Request, case: Case | None, known: Known) -> Decision:
    """Decide for every unit of a request, each by itself; the whole is their common outcome, or mixed."""
    judged = [decide_unit(policy, mail, request, item, case, known) for item in request.items]
    judged += _foreign(policy, mail, request, case, known)
    verdicts = tuple(verdict for verdict, _ in judged)
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses)),
        why="; ".join(_why(verdict, policy) for verdict in verdicts),
        stamp=policy.stamp,
        facts=tuple(f for f in verdicts[0].facts if f.name in _OF_THE_MAIL) if verdicts else (),
        verdicts=verdicts,
        notify=_who(policy, judged),
        asks=tuple(dict.fromkeys(ask for verdict in verdicts for ask in verdict.asks)),
    )


def common(outcomes: Iterable[Outcome]) -> MessageOutcome:
    """Return the one outcome that all units share, mixed if they differ, none if there is no unit."""
    different: set[MessageOutcome] = set(outcomes)
    if not different:
        return "none"
    return different.pop() if len(different) == 1 else "mixed"


def decide_unit(
    policy: Policy, mail: Wrote, request: Request, item: Item, case: Case | None, known: Known
) -> tuple[Verdict, Rule | None]:
    """Decide for one unit: an open RMA answers for itself, else the first rule that holds, which is returned too."""
    s = situation(policy, mail, request, item, case, known)
    facts = vocabulary.all_facts(s)
    if "owner" in facts["requester"] and request.intent in ("repair", "doa"):
        number = _open_number(s, case, known)
        if number:
            return _existing(policy, s, number), None
    rule = seen = _first(policy, facts)
    if "stranger" in facts["requester"]:
        # Promise 7: what is said, cited and asked is what it would be if nobody knew the unit.
        s = structs.replace(s, unit=None)
        facts = vocabulary.all_facts(s)
        seen = _first(policy, facts)
    disguised = rule.disguise and rule is not seen
    days = vocabulary.dates(s)
    clauses = ((rule.clause, *rule.also) if disguised else ()) + (seen.clause, *seen.also)
    return Verdict(
        serial=item.serial,
        outcome=rule.then if disguised else seen.then,
        clauses=tuple(dict.fromkeys(clauses)),
        facts=vocabulary.record(facts, days),
        known=disguised or s.unit is not None,
        model=s.unit.model if s.unit else "",
        asks=(seen.ask,) if seen.ask else (),
        charges=tuple(charge(policy, fee, item.serial) for fee in seen.charge),
        covered_until=days.get("cover_until"),
        disguised=disguised,
        says=seen.says,
        valid_until=days.get("doa_until") if seen.valid == "doa" else None,
        shown=(seen.clause, *seen.also) if disguised else (),
        owner=s.unit.customer_domain.lower() if s.unit else "",
        suggestion=item.suggestion if seen.ask == "known_serial" else "",
    ), rule if disguised else seen


def _foreign(
    policy: Policy, mail: Wrote, request: Request, case: Case | None, known: Known
) -> Iterator[tuple[Verdict, Rule | None]]:
    """Judge the units of others that only staff may learn of: the mail is answered as if it did not name them."""
    told = {fold(item.serial) for item in request.items}
    for item in request.foreign:
        verdict, rule = decide_unit(policy, mail, request, item, case, known)
        if verdict.disguised and fold(item.serial) not in told:
            yield structs.replace(verdict, asks=(), hidden=True), rule


def _first(policy: Policy, facts: vocabulary.Facts) -> Rule:
    """Return the first rule that holds; the last one always does."""
    return next(rule for rule in policy.rules.decide if vocabulary.holds(rule.when, facts))


def _existing(policy: Policy, s: Situation, number: Number) -> Verdict:
    """Answer for a unit whose RMA is open: one number for one unit (ST-4, AP-25)."""
    answer = policy.rules.answers.existing
    return Verdict(
        serial=s.item.serial,
        outcome="issue",
        clauses=(answer.clause, *answer.also),
        facts=vocabulary.record(vocabulary.all_facts(s), vocabulary.dates(s)),
        known=True,
        model=s.unit.model if s.unit else "",
        number=number,
        says=answer.says,
        owner=s.unit.customer_domain.lower() if s.unit else "",
    )


def situation(policy: Policy, mail: Wrote, request: Request, item: Item, case: Case | None, known: Known) -> Situation:
    """Gather what the facts may look at."""
    unit = known.units.get(fold(item.serial)) if item.serial and not item.unsure else None
    addresses = set() if mail.forged else {mail.sender, mail.answer_to} - {""}
    return Situation(
        rules=policy.rules,
        request=request,
        item=item,
        unit=unit,
        domains=tuple(sorted(address.rpartition("@")[2] for address in addresses)),
        today=today(mail.at, policy.timezone),
        asked=case.asked if case else (),
        failure=symptom(unit.repair_failure, policy.desk.words.everything) if unit and unit.repair_failure else None,
    )


def answered(policy: Policy, answer: Answer, mail: Wrote, request: Request, case: Case | None) -> Decision:
    """Decide where no unit is decided on: a question, an order, an acceptance."""
    seen = vocabulary.all_facts(situation(policy, mail, request, Item(""), None, Known()))
    stated = {name: words for name, words in seen.items() if name in _OF_THE_MAIL}
    told = {i.notify for i in policy.rules.inform if i.notify and i.when and vocabulary.holds(i.when, seen)}
    return Decision(
        outcome=answer.then,
        clauses=(answer.clause, *answer.also, *answer.also_for.get(case.intent if case else "", ())),
        why=f"{request.intent}: {answer.says}" if request.intent != "none" else answer.says,
        stamp=policy.stamp,
        facts=vocabulary.record(stated, {}),
        notify=_in_order({answer.notify, *told} - {None}),
        asks=(answer.ask,) if answer.ask else (),
        says=answer.says,
    )


def charge(policy: Policy, fee: str, serial: str) -> Charge:
    """Return a line of the fee schedule, for one unit."""
    line = policy.rules.fees[fee]
    return Charge(fee, line.label, line.amount, line.currency, serial)


_OF_THE_MAIL = ("intent", "wish", "overseas", "claimed", "today")


def _open_number(s: Situation, case: Case | None, known: Known) -> Number | None:
    """Return the valid RMA number that already covers this unit, in this case or another."""
    cases: tuple[Case, ...] = known.open_cases if case is None else (case, *known.open_cases)
    for other in cases:
        valid = other.number is not None and s.today <= other.number.valid_until
        if valid and any(i.state == "authorized" and fold(i.serial) == fold(s.item.serial) for i in other.items):
            return other.number
    return None


def _why(verdict: Verdict, policy: Policy) -> str:
    unit = verdict.serial or "no serial"
    return f"{unit}: {verdict.outcome} by {verdict.clauses[0]} ({policy.clause_text(verdict.clauses[0])})"


def _who(policy: Policy, judged: list[tuple[Verdict, Rule | None]]) -> tuple[Role, ...]:
    """Return the roles that are told: the rule's, an approver for what a person decides, those that sentences name."""
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
