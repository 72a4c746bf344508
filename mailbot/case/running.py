"""Decisions on a case that is running: orders, withdrawals, news of the shipment, questions about it, commands of staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from mailbot.case import quotes, rulings
from mailbot.case.carry import carry_out, flags
from mailbot.case.lifecycle import HERE
from mailbot.intake.serials import fold
from mailbot.model import (
    Answered,
    Case,
    CaseItem,
    Command,
    Decision,
    Known,
    Ordered,
    Outcome,
    Request,
    Requested,
    Ruling,
    Staff,
    StaffSaid,
    Verdict,
    Wrote,
)
from mailbot.policy.decide import answered, by_person, common
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer, Flag, Rule

Customers = Requested | Answered | Ordered

CANCELLED = frozenset({"asking", "quoted", "held", "authorized", "in_transit"})
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
    if request.parcel and any(item.state == "authorized" for item in case.items):
        return _told("under_way", policy, mail, request, _in(case, "authorized", "in_transit"), case, known)
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


def _ordered(case: Case, mail: Wrote, request: Request, known: Known, policy: Policy, day: date) -> Decision | None:
    """Compare an order with the quote that awaits one (AP-17, AP-20, ST-6); what differs, a person compares (O3)."""
    quote, answers = quotes.standing(case), policy.rules.answers
    if quote is None or request.order is None or request.attention:
        return None
    result = quotes.compare(request.order, quote, day)
    if result == "no copy":
        return answered(policy, answers.accept, mail, request, case)
    if result == "differs":
        return None
    keys = {fold(serial) for serial in quote.serials}
    items = [item for item in case.items if fold(item.serial) in keys and quotes.awaits_order(item)]
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
    if meant and all(item.state in CANCELLED for item in meant):
        return _told("withdrawn", policy, mail, request, meant, case, known)
    declined = [item for item in meant if item.state == "parts_quoted"]
    if declined:
        return _told("parts_declined", policy, mail, request, declined, case, known)
    return None


# ------------------------------------------------------------ commands of staff


def command(
    case: Case | None,
    event: StaffSaid,
    commands: Sequence[Command],
    person: Staff,
    known: Known,
    policy: Policy,
    day: date,
) -> Decision:
    """Rule on the commands of a mail, one after another: each meets the case as the one before it left it.

    Args:
        case: the case they are about, if there is one.
        event: the mail; that it is really from ``person`` has been shown.
        commands: what is to be done.
        person: whose commands they are.
        known: what is known of the world.
        policy: the company's.
        day: today in the company's zone.
    """
    ruled: list[Ruling] = []
    verdicts: list[Verdict] = []
    now = case
    for each in _with_pending(case, commands):
        ruling = _rule(now, each, person, policy)
        if now and ruling.result == "done":
            found = _judged(now, ruling, known, policy)
            ruling = structs.replace(ruling, clauses=_clauses(now, ruling, found, policy))
            verdicts += found
            now = carry_out(now, ruling, person.address, policy, known, day)
        ruled.append(ruling)
    done = [ruling for ruling in ruled if ruling.result == "done"]
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for ruling in done for clause in ruling.clauses)),
        why="; ".join(f"{ruling.command.name}: {ruling.why or ruling.result}" for ruling in ruled),
        stamp=policy.stamp,
        verdicts=tuple(verdicts),
        notify=("approver",) if any(verdict.outcome == "staff" for verdict in verdicts) else (),
        rulings=tuple(ruled),
    )


def _rule(case: Case | None, command: Command, person: Staff, policy: Policy) -> Ruling:
    """Rule on a command; a second approver's refusal refuses what a colleague asked for, and nothing else (A12)."""
    ruling = rulings.rule(case, command, person, policy)
    waiting = case.pending.commands if case and case.pending else ()
    refuses = command.name == "reject" and waiting and all(each.name != "approve" for each in waiting)
    return Ruling(command, "done") if refuses and ruling.why in (None, "state") else ruling


def _with_pending(case: Case | None, commands: Sequence[Command]) -> list[Command]:
    """Put what waits for a second approver in the place of that approver's word (A12)."""
    if case is None or case.pending is None:
        return list(commands)
    waiting = case.pending.commands
    found: list[Command] = []
    for each in commands:
        found += waiting if each.name == "approve" and not each.prices else (each,)
    return found


def _judged(case: Case, ruling: Ruling, known: Known, policy: Policy) -> list[Verdict]:
    """Return the verdicts that a command brings about: a number, a refusal, an offer."""
    answers, named = policy.rules.answers, {fold(serial) for serial in ruling.serials}
    items = [item for item in case.items if fold(item.serial) in named]
    mail = first_mail(case)
    if mail is None:
        return []

    def judge(answer: Answer, item: CaseItem, clauses: tuple[str, ...] = (), says: str = "") -> Verdict:
        return by_person(policy, answer, mail, about(case, Request("request")), item, case, known, clauses, says)

    match ruling.command.name:
        case "approve":
            ordered = (
                quotes.standing(case) is not None
            )  # else it was only put on hold, and the customer knows the number
            fresh = [item for item in items if item.resumes is None or (item.resumes == "authorized" and ordered)]
            return [
                judge(answers.matches, item, says=answers.approved.says)
                if item.charged
                else judge(answers.approved, item, item.clauses[:1] if item.disguised else item.clauses)
                for item in fresh
            ]
        case "reject":
            found = flags(case, ruling, policy)
            here = any(item.received_on for item in items)
            said = (*(flag.says for flag in found if flag.then == "decline" and here), _sentence(ruling.command.text))
            why = " ".join(dict.fromkeys(text for text in said if text))
            first = tuple(clause for flag in found for clause in (flag.clause, *flag.also))
            return [
                _refused(
                    item, judge(answers.rejected, item, first or item.clauses[:1], why or _by_clause(item, policy))
                )
                for item in items
            ]
        case "quote":
            parts = any(item.state in HERE for item in items)
            return [judge(answers.parts_quoted if parts else answers.quoted, item) for item in items]
        case "diagnosed":
            return [
                _flagged(judge(answers.parts_quoted, item), flag)
                for item in items
                for flag in flags(case, ruling, policy)[:1]
                if flag.then in _FLAGGED and not (flag.then == "quote" and item.charged)
            ]
    return []


def _flagged(verdict: Verdict, flag: Flag) -> Verdict:
    """Return the verdict that a finding brings: on its own clauses, in its own words."""
    return structs.replace(verdict, outcome=_FLAGGED[flag.then], clauses=(flag.clause, *flag.also), says=flag.says)


def _sentence(text: str) -> str:
    """Return a colleague's words as a sentence that may stand beside others."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _by_clause(item: CaseItem, policy: Policy) -> str:
    """Return what is said of a refusal without a reason: the clause that the customer saw decide."""
    return policy.clause_text(item.clauses[1] if item.disguised and len(item.clauses) > 1 else item.clauses[0])


def _refused(item: CaseItem, verdict: Verdict) -> Verdict:
    """Show a stranger who is refused no clause that tells why a person had to decide (promise 7)."""
    return structs.replace(verdict, shown=verdict.clauses[-1:]) if item.disguised else verdict


_FLAGGED: dict[str, Outcome] = {"quote": "quote", "decline": "decline", "hold": "staff"}
"""The outcome that a finding brings, where it brings one."""


def _clauses(case: Case, ruling: Ruling, verdicts: list[Verdict], policy: Policy) -> tuple[str, ...]:
    """Return the clauses on which a command stands."""
    answers = policy.rules.answers
    own: dict[str, Answer] = {
        "received": answers.received,
        "not_repairable": answers.unrepairable,
        "shipped": answers.shipped,
        "extend": answers.extended,
        "ship_to": answers.address,
        "close": answers.ended,
    }
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if ruling.command.name == "diagnosed":
        return tuple(dict.fromkeys(c for flag in flags(case, ruling, policy) for c in (flag.clause, *flag.also)))
    answer = own.get(ruling.command.name)
    return (answer.clause, *answer.also, *answer.also_for.get(case.intent, ())) if answer else ()


def first_mail(case: Case) -> Wrote | None:
    """Return the customer's latest mail in the case: the facts of a decision are that customer's."""
    mails = (e.event.mail for e in reversed(case.history) if isinstance(e.event, Requested | Answered | Ordered))
    return next(mails, None)
