"""Letters to staff: notices of what happened, and transcripts of what became of their commands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import structs

from mailbot.case.lifecycle import IN_WORK
from mailbot.intake.entities.serials import serial_key
from mailbot.model import (
    Case,
    CaseUnit,
    CommandResult,
    Decision,
    MailReference,
    PurchaseOrder,
    Request,
    Snapshot,
    StaffMember,
    Verdict,
)
from mailbot.policy.policy import Policy
from mailbot.reply.content import EmailContent, RulingLine, StaffAction, UnitBlock
from mailbot.reply.customer_emails import contact_of, frame
from mailbot.reply.policy_sentences import date_in_words, money, quote_block, says, staff_sentences
from mailbot.reply.staff_actions import link, staff_actions

_SUBJECTS = {
    "held": "please decide",
    "second": "please approve",
    "confirm": "please confirm",
    "passed_on": "please answer",
    "told": "for your information",
    "silent": "not answered today",
    "undeliverable": "not delivered",
    "repair_due": "repair due soon",
    "done": "your commands",
    "nothing": "no command",
}
"""What the subject of a letter to staff says it is for."""

EXCERPT = 4000
"""Characters of the sender's words that a notice to staff shows."""


def notice(
    policy: Policy,
    case: Case,
    decision: Decision,
    mail: MailReference | None,
    snapshot: Snapshot,
    *,
    about: str,
    request: Request | None = None,
) -> EmailContent:
    """Return a note to staff: the facts, the clause, and what the sender wrote."""
    units = {serial_key(v.serial): snapshot.units.get(serial_key(v.serial)) for v in decision.verdicts}
    facts = [(fact.name, fact.value) for fact in decision.facts if fact.name != "today" and fact.value != "no"]
    for verdict in decision.verdicts:
        unit = units[serial_key(verdict.serial)]
        if unit:
            delivered = f"{unit.model}, {unit.family}, delivered {unit.delivered_on}"
            facts.append(
                (f"{verdict.serial} in the registry", f"{delivered} to {unit.customer} ({unit.customer_domain})")
            )
    if mail and mail.attachments:
        facts.append(("attachments", ", ".join(mail.attachments)))
    if request and request.order:
        facts.append(("purchase order", _written(request.order)))
    facts += [("note", note) for note in request.notes] if request else []
    reasons = {serial_key(item.serial): item.reason for item in case.units}
    quote = case.quotes[-1] if case.quotes else None
    return frame(
        policy,
        case,
        decision,
        kind="notice",
        quote=quote_block(quote, "en") if quote else None,
        about=about,
        language="en",
        subject=_subject(policy, case, about),
        units=tuple(_as_staff_see(policy, case, v, reasons.get(serial_key(v.serial), "")) for v in decision.verdicts),
        clauses=tuple(says(policy, c, policy.clause_text(c), case, None) for c in decision.clauses),
        facts=tuple(facts),
        informs=staff_sentences(policy, decision, case),
        quoted=_not_as_ours(policy, mail.text[:EXCERPT]) if mail else "",
        sender=mail.sender if mail else case.sender,
        why=decision.why,
        number=case.number,
        mailbox=policy.desk.address,
    )


def transcript(
    policy: Policy, case: Case | None, decision: Decision, mail: MailReference, *, about: str
) -> EmailContent:
    """Return the answer to a colleague's mail: each command, what it did, or why not, and where the case stands now.

    Args:
        policy: the company's.
        case: as it stands after the commands, where there is one.
        decision: with what became of the commands.
        mail: the colleague's.
        about: "done", "confirm", "unclear" or "nothing".
    """
    letter = EmailContent(
        kind="transcript",
        about=about,
        subject=_subject(policy, case, about) if case else f"Re: {_not_as_ours(policy, mail.subject)}",
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        rulings=tuple(_line(ruling) for ruling in decision.rulings),
        quoted=_not_as_ours(policy, mail.text[:EXCERPT]) if about != "done" else "",
        policy_version=f"{decision.stamp.version} ({decision.stamp.digest[:8]})",
        mailbox=policy.desk.address,
    )
    if case is None:
        return letter
    quote = case.quotes[-1] if case.quotes else None
    return structs.replace(
        letter,
        case_id=case.id,
        sender=case.sender,
        facts=_agreed(case),
        number=case.number.text if case.number else "",
        quote=quote_block(quote, "en") if quote else None,
        units=_as_they_stand(case.units),
    )


def _agreed(case: Case) -> tuple[tuple[str, str], ...]:
    """Return what whoever handles the units must know: wishes, the way in and out, a delivery address of its own."""
    parcels = (("arriving with", case.inbound), ("sent back with", case.outbound))
    found = [("wishes", ", ".join(wish.replace("_", " ") for wish in case.special_requests))]
    found += [(name, f"{parcel.carrier} {parcel.tracking}".strip()) for name, parcel in parcels if parcel]
    found.append(("delivery address", ", ".join(case.ship_to)))
    return tuple((name, text) for name, text in found if text)


def forged(policy: Policy, decision: Decision, mail: MailReference) -> EmailContent:
    """Return the word to a colleague in whose name somebody wrote: nothing of it was obeyed, and nothing of it is shown."""
    return EmailContent(
        kind="notice",
        about="forged",
        subject=f"[{policy.rules.policy.company}] a mail in your name",
        company=policy.rules.policy.company,
        contact=contact_of(policy),
        why=decision.why,
        facts=(("arrived", mail.at.isoformat(timespec="seconds")), ("identity", mail.identity.strip())),
        policy_version=f"{decision.stamp.version} ({decision.stamp.digest[:8]})",
        mailbox=policy.desk.address,
    )


def second(policy: Policy, case: Case, decision: Decision, mail: MailReference, snapshot: Snapshot) -> EmailContent:
    """Return the question to a second approver: what a colleague asked for, and what it is about (A12)."""
    letter = notice(policy, case, decision, mail, snapshot, about="second")
    return structs.replace(
        letter,
        facts=(("customer", case.sender), *letter.facts),
        units=_as_they_stand(case.units),
        rulings=tuple(_line(r) for r in decision.rulings if r.result == "second"),
    )


def repair(policy: Policy, case: Case, decision: Decision, snapshot: Snapshot, *, about: str) -> EmailContent:
    """Return the word that a repair is due, or overdue: which units, and by when (ST-15)."""
    waiting = tuple(unit for unit in case.units if unit.state in IN_WORK and unit.repair_due)
    days = dict.fromkeys(date_in_words(unit.repair_due, "en") for unit in waiting if unit.repair_due)
    letter = notice(policy, case, decision, None, snapshot, about=about)
    return structs.replace(letter, facts=(("repair due", ", ".join(days)),), units=_as_they_stand(waiting))


def lapsed(
    policy: Policy, case: Case, decision: Decision, snapshot: Snapshot, items: tuple[CaseUnit, ...]
) -> EmailContent:
    """Return the word that no order came for parts: these units go back unrepaired (AP-13)."""
    return structs.replace(notice(policy, case, decision, None, snapshot, about="told"), units=_as_they_stand(items))


def offered(
    letter: EmailContent, case: Case, person: StaffMember, address: str, currency: str, *, confirms: bool
) -> EmailContent:
    """Return the letter as this person gets it: with what he or she can do, by answering to ``address``.

    ``confirms``: the one thing that is asked is to confirm.
    """
    if confirms:
        found: tuple[StaffAction, ...] = (StaffAction("CONFIRM", link(address, f"Re: [{case.id}]", "CONFIRM")),)
    else:
        found = staff_actions(case, person, address, currency)
    return structs.replace(letter, choices=found)


def _line(ruling: CommandResult) -> RulingLine:
    command = ruling.command
    return RulingLine(
        command.said, command.name, ruling.result, ruling.why, ruling.serials, ruling.states, command.flaw
    )


def _subject(policy: Policy, case: Case, about: str) -> str:
    return f"[{case.id}] {_SUBJECTS.get(about, about.replace('_', ' '))}: {_not_as_ours(policy, case.subject)}"


def _as_they_stand(items: Iterable[CaseUnit]) -> tuple[UnitBlock, ...]:
    return tuple(
        UnitBlock(unit.serial, unit.outcome, model=unit.model, reason=unit.reason, state=unit.state) for unit in items
    )


def _written(order: PurchaseOrder) -> str:
    """Write out what a purchase order says, to be laid beside our quote (AP-17)."""
    totals = ", ".join(money(price.amount, price.currency).strip() for price in order.totals[:3])
    quotes = ", ".join(order.quotes)
    named = f"{order.number}: {totals or 'no total could be read'}"
    return f"{named}; for quote {quotes}" if quotes else named


def _not_as_ours(policy: Policy, text: str) -> str:
    """Return a customer's words with numbers written "RMA 123": what begins with the sign of ours is given out by us."""
    return re.sub(policy.desk.number_form, lambda found: found[0].replace("-", " ", 1), text, flags=re.IGNORECASE)


def _as_staff_see(policy: Policy, case: Case, verdict: Verdict, reason: str) -> UnitBlock:
    clause = verdict.clauses[0]
    state = next((unit.state for unit in case.units if serial_key(unit.serial) == serial_key(verdict.serial)), None)
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(
            says(
                policy,
                clause,
                policy.clause_text(clause) if verdict.answered_as_unknown else verdict.says,
                case,
                verdict,
            ),
        ),
        model=verdict.model,
        reason=reason,
        state=state,
    )
