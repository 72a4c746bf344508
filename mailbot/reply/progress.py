"""The letters that follow a unit on its way: received, charged, ordered, shipped back, withdrawn; and where a return stands."""

from __future__ import annotations

from datetime import date

from msgspec import structs

from mailbot.case.carry import flags
from mailbot.case.quotes import standing
from mailbot.case.running import about as request_of
from mailbot.case.running import latest_mail
from mailbot.intake.serials import fold
from mailbot.model import Case, CaseItem, Decision, Known, Request, Ruling, Verdict, Wish
from mailbot.policy.decide import answered, by_person
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer, Moment
from mailbot.reply.letter import Letter, UnitBlock
from mailbot.reply.letters import frame, number_of, ship_to, subject, without_numbers
from mailbot.reply.sentences import bill, informs, quote_block, says, shown_clauses, tongue, written

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
    policy: Policy, ruling: Ruling, before: Case, after: Case, known: Known, decision: Decision
) -> tuple[Letter, tuple[str, ...]] | None:
    """Return the letter that a command of staff brings the customer, with the clauses it cites; None where it concerns nobody."""
    keys = {fold(serial) for serial in ruling.serials}
    items = tuple(item for item in after.items if fold(item.serial) in keys)
    if ruling.command.name == "diagnosed":
        return _charged(policy, ruling, before, after, items, known, decision)
    ordered = {fold(item.serial) for item in before.items if item.state == "held" and item.resumes == "ordered"}
    if ruling.command.name == "approve" and keys & ordered:
        ours = tuple(item for item in items if fold(item.serial) in ordered)
        return letter(policy, "parts_approved", after, ours, known, decision)
    name = _OF_COMMAND.get(ruling.command.name)
    if name is None or (name == "ended" and before.state == "shipped"):
        return None
    if name == "address":
        items = after.items
    return letter(policy, name, after, items, known, decision)


def letter(
    policy: Policy,
    name: str,
    case: Case,
    items: tuple[CaseItem, ...],
    known: Known,
    decision: Decision,
    wishes: tuple[Wish, ...] = (),
) -> tuple[Letter, tuple[str, ...]]:
    """Return the letter of one entry of [answers] about these units, with the clauses it cites.

    ``wishes`` are those that the mail which is answered voices: the letter says what the policy says to them (AP-36, AP-39).
    """
    answer: Answer = getattr(policy.rules.answers, name)
    verdicts = _judged(policy, answer, case, items, known, wishes)
    return _letter(policy, name, case, verdicts, decision, answer, told=bool(wishes))


def _charged(
    policy: Policy,
    ruling: Ruling,
    before: Case,
    after: Case,
    items: tuple[CaseItem, ...],
    known: Known,
    decision: Decision,
) -> tuple[Letter, tuple[str, ...]] | None:
    """Return the notice of what was found, and of its charge (AP-14, AP-33)."""
    found = [flag for flag in flags(before, ruling, policy) if flag.then == "notice"]
    if not found:
        return None
    verdicts = tuple(
        structs.replace(
            by_person(
                policy, policy.rules.answers.rejected, mail, request_of(after, Request("request")), item, after, known
            ),
            clauses=(flag.clause, *flag.also),
            says=flag.says,
        )
        for mail in (latest_mail(after),)
        if mail
        for item in items
        for flag in found
    )
    return _letter(policy, "charged", after, verdicts, decision, None, before)


def _judged(
    policy: Policy, answer: Answer, case: Case, items: tuple[CaseItem, ...], known: Known, wishes: tuple[Wish, ...]
) -> tuple[Verdict, ...]:
    mail = latest_mail(case)
    request = request_of(case, Request("request"))
    request = structs.replace(request, wishes=wishes) if wishes else request
    return tuple(by_person(policy, answer, mail, request, item, case, known) for item in items) if mail else ()


def _letter(
    policy: Policy,
    name: str,
    case: Case,
    verdicts: tuple[Verdict, ...],
    decision: Decision,
    answer: Answer | None,
    before: Case | None = None,
    *,
    told: bool = False,
) -> tuple[Letter, tuple[str, ...]]:
    """Write one letter about units that go their way; nothing is decided on their coverage in it."""
    mail = latest_mail(case)
    if not verdicts and answer and mail:
        decision = structs.replace(
            answered(policy, answer, mail, request_of(case, Request("request")), case), verdicts=()
        )
    clauses = tuple(dict.fromkeys(clause for v in verdicts for clause in v.clauses)) or decision.clauses
    shown = structs.replace(decision, outcome="none", clauses=clauses, verdicts=verdicts, says="")
    moments: tuple[Moment, ...] = (*((MOMENTS[name],) if name in MOMENTS else ()), *(("told",) if told else ()))
    language = tongue(policy, case)
    items = {fold(item.serial): item for item in case.items}
    quote = next(reversed(standing(case)), None)
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
        units=tuple(_unit(policy, case, v, items.get(fold(v.serial)), speaks=name != "status") for v in verdicts),
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
    quote = next(reversed(standing(case)), None)
    day: date | None = case.number.valid_until if case.number else None
    if name == "extended" and quote and not day:
        day = quote.valid_until
    return written(day, language) if day else ""


def _unit(policy: Policy, case: Case, verdict: Verdict, item: CaseItem | None, *, speaks: bool) -> UnitBlock:
    said = says(policy, verdict.clauses[0], verdict.says, case, verdict)
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(said,) if speaks and said.text else (),
        model=verdict.model,
        reason=without_numbers(policy, item.reason) if item else "",
        asks=item.asks if item else (),
        state=item.state if item else None,
    )
