"""The letters that follow a unit on its way: received, charged, ordered, shipped back, withdrawn; and where a return stands."""

from __future__ import annotations

from datetime import date

from msgspec import structs

from mailbot.case.execute import flags
from mailbot.case.quotes import open_quotes
from mailbot.decide.active_case import about as request_of
from mailbot.decide.active_case import latest_mail
from mailbot.decide.coverage import answered, by_person
from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, CommandResult, Decision, Request, Snapshot, SpecialRequest, Verdict
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRule, Moment
from mailbot.reply.content import EmailContent, UnitBlock
from mailbot.reply.customer_emails import frame, number_of, ship_to, subject, without_numbers
from mailbot.reply.policy_sentences import bill, date_in_words, informs, language_of, quote_block, says, shown_clauses

MOMENTS: dict[str, Moment] = {
    "received": "received",
    "charged": "charged",
    "parts_ordered": "ordered",
    "shipped": "shipped",
}
"""The moments of the rules that a letter of this name brings, beside those of every letter."""

_OF_COMMAND = {
    "received": "received",
    "not_repairable": "unrepairable",
    "shipped": "shipped",
    "extend": "extended",
    "ship_to": "address",
    "close": "ended",
}


def after_command(
    policy: Policy, ruling: CommandResult, before: Case, after: Case, snapshot: Snapshot, decision: Decision
) -> tuple[EmailContent, tuple[str, ...]] | None:
    """Return the letter that a command of staff brings the customer, with the clauses it cites; None where it concerns nobody."""
    keys = {serial_key(serial) for serial in ruling.serials}
    items = tuple(unit for unit in after.units if serial_key(unit.serial) in keys)
    if ruling.command.name == "diagnosed":
        return _charged(policy, ruling, before, after, items, snapshot, decision)
    ordered = {
        serial_key(unit.serial) for unit in before.units if unit.state == "held" and unit.resume_state == "ordered"
    }
    if ruling.command.name == "approve" and keys & ordered:
        ours = tuple(unit for unit in items if serial_key(unit.serial) in ordered)
        return letter(policy, "parts_approved", after, ours, snapshot, decision)
    name = _OF_COMMAND.get(ruling.command.name)
    if name is None or (name == "ended" and before.state == "shipped"):
        return None
    if name == "address":
        items = after.units
    return letter(policy, name, after, items, snapshot, decision)


def letter(
    policy: Policy,
    name: str,
    case: Case,
    items: tuple[CaseUnit, ...],
    snapshot: Snapshot,
    decision: Decision,
    special_requests: tuple[SpecialRequest, ...] = (),
) -> tuple[EmailContent, tuple[str, ...]]:
    """Return the letter of one entry of [answers] about these units, with the clauses it cites.

    ``special_requests`` are those that the mail which is answered voices: the letter says what the policy says to them (AP-36, AP-39).
    """
    answer: AnswerRule = getattr(policy.rules.answers, name)
    verdicts = _judged(policy, answer, case, items, snapshot, special_requests)
    return _letter(policy, name, case, verdicts, decision, answer, told=bool(special_requests))


def _charged(
    policy: Policy,
    ruling: CommandResult,
    before: Case,
    after: Case,
    items: tuple[CaseUnit, ...],
    snapshot: Snapshot,
    decision: Decision,
) -> tuple[EmailContent, tuple[str, ...]] | None:
    """Return the notice of what was found, and of its charge (AP-14, AP-33)."""
    found = [flag for flag in flags(before, ruling, policy) if flag.then == "notice"]
    if not found:
        return None
    verdicts = tuple(
        structs.replace(
            by_person(
                policy,
                policy.rules.answers.rejected,
                mail,
                request_of(after, Request("request")),
                unit,
                after,
                snapshot,
            ),
            clauses=(flag.clause, *flag.also),
            says=flag.says,
        )
        for mail in (latest_mail(after),)
        if mail
        for unit in items
        for flag in found
    )
    return _letter(policy, "charged", after, verdicts, decision, None, before)


def _judged(
    policy: Policy,
    answer: AnswerRule,
    case: Case,
    items: tuple[CaseUnit, ...],
    snapshot: Snapshot,
    special_requests: tuple[SpecialRequest, ...],
) -> tuple[Verdict, ...]:
    mail = latest_mail(case)
    request = request_of(case, Request("request"))
    request = structs.replace(request, special_requests=special_requests) if special_requests else request
    return tuple(by_person(policy, answer, mail, request, unit, case, snapshot) for unit in items) if mail else ()


def _letter(
    policy: Policy,
    name: str,
    case: Case,
    verdicts: tuple[Verdict, ...],
    decision: Decision,
    answer: AnswerRule | None,
    before: Case | None = None,
    *,
    told: bool = False,
) -> tuple[EmailContent, tuple[str, ...]]:
    """Write one letter about units that go their way; nothing is decided on their coverage in it."""
    mail = latest_mail(case)
    if not verdicts and answer and mail:
        decision = structs.replace(
            answered(policy, answer, mail, request_of(case, Request("request")), case), verdicts=()
        )
    clauses = tuple(dict.fromkeys(clause for v in verdicts for clause in v.clauses)) or decision.clauses
    shown = structs.replace(decision, outcome="none", clauses=clauses, verdicts=verdicts, says="")
    moments: tuple[Moment, ...] = (*((MOMENTS[name],) if name in MOMENTS else ()), *(("told",) if told else ()))
    language = language_of(policy, case)
    items = {serial_key(unit.serial): unit for unit in case.units}
    quote = next(reversed(open_quotes(case)), None)
    charges = [line for line in case.charges if before is None or line not in before.charges]
    parcel = case.inbound if name == "under_way" else case.outbound
    body = frame(
        policy,
        case,
        shown,
        number=number_of(case),
        kind="progress",
        about=name,
        subject=subject(policy, case),
        greeting=without_numbers(policy, case.name),
        units=tuple(_unit(policy, case, v, items.get(serial_key(v.serial)), speaks=name != "status") for v in verdicts),
        informs=informs(policy, shown, case, moments=moments, judged=False),
        clauses=shown_clauses(policy, shown),
        quote=quote_block(quote, language) if quote and name in ("status", "extended") else None,
        bill=bill(charges) if name in ("charged", "parts_declined", "parts_lapsed", "status") else None,
        carrier=parcel.carrier if parcel else "",
        tracking=parcel.tracking if parcel else "",
        ship_to=ship_to(policy, case) if name == "address" else (),
        valid_until=_until(case, name, language),
    )
    return body, tuple(dict.fromkeys((*clauses, *(said.clause for said in body.informs))))


def _until(case: Case, name: str, language: str) -> str:
    """Return the day that the letter is about: the number's last one, or the end of an offer that was extended."""
    quote = next(reversed(open_quotes(case)), None)
    day: date | None = case.number.valid_until if case.number else None
    if name == "extended" and quote and not day:
        day = quote.valid_until
    return date_in_words(day, language) if day else ""


def _unit(policy: Policy, case: Case, verdict: Verdict, unit: CaseUnit | None, *, speaks: bool) -> UnitBlock:
    said = says(policy, verdict.clauses[0], verdict.says, case, verdict)
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(said,) if speaks and said.text else (),
        model=verdict.model,
        reason=without_numbers(policy, unit.reason) if unit else "",
        asks=unit.asks if unit else (),
        state=unit.state if unit else None,
    )
