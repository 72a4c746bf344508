"""Emails about the progress of a return: received, billed, PO received, shipped back, canceled; and its status."""

from __future__ import annotations

from msgspec import structs

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, CaseUnit, Notice, Verdict
from mailbot.policy.policy import Policy
from mailbot.reply.customer_emails import basics, ship_to, without_numbers
from mailbot.reply.email_content import EmailContent, UnitBlock
from mailbot.reply.policy_sentences import bill, date_in_words, language_of, quote_block, says


def progress(notice: Notice, case: Case, policy: Policy) -> EmailContent:
    """Return the email about the progress of units; it decides nothing about their coverage."""
    language = language_of(policy, case)
    units = {serial_key(unit.serial): unit for unit in case.units}
    return structs.replace(
        basics(notice, case, policy),
        units=tuple(_unit(policy, case, v, units.get(serial_key(v.serial)), notice) for v in notice.verdicts),
        quote=quote_block(notice.quote, language) if notice.quote else None,
        bill=bill(notice.charges),
        carrier=notice.shipment.carrier if notice.shipment else "",
        tracking=notice.shipment.tracking if notice.shipment else "",
        ship_to=ship_to(policy, case) if notice.about == "address" else (),
        valid_until=date_in_words(notice.until, language) if notice.until else "",
    )


def _unit(policy: Policy, case: Case, verdict: Verdict, unit: CaseUnit | None, notice: Notice) -> UnitBlock:
    sentence = says(policy, verdict.clauses[0], verdict.says, case, verdict)
    return UnitBlock(
        serial=verdict.serial,
        outcome=verdict.outcome,
        says=(sentence,) if notice.about != "status" and sentence.text else (),
        model=verdict.model,
        reason=without_numbers(policy, unit.reason) if unit else "",
        asks=unit.asks if unit else (),
        state=unit.state if unit else None,
    )
