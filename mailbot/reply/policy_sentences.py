"""Sentences of the policy with their placeholders filled in; dates and amounts as text in the language of the email."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mailbot.intake.entities.serials import serial_key
from mailbot.model import Case, Charge, Notice, Quote, Verdict
from mailbot.policy.facts import DATES
from mailbot.policy.policy import Policy
from mailbot.reply.email_content import Bill, ChargeLine, ClauseSentence, QuoteBlock


def language_of(policy: Policy, case: Case) -> str:
    """Return the language of emails about a case (ISO 639-1)."""
    return policy.templates.language_for(case.language)


@lru_cache(maxsize=1024)
def date_in_words(day: date, language: str) -> str:
    """Return a date in long form; in English if the language is unknown."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return str(format_date(day, "long", locale=locale))


def money(amount: Decimal, currency: str) -> str:
    """Return an amount as written on quotes and purchase orders: "USD 150.00"."""
    return f"{currency} {amount:.2f}".strip()


def says(policy: Policy, clause: str, template: str, case: Case | None, verdict: Verdict | None) -> ClauseSentence:
    """Return a sentence of the rules with its placeholders filled in; one without a value becomes empty."""
    if "{" not in template and "}" not in template:
        return ClauseSentence(clause, " ".join(template.split()))
    values: defaultdict[str, str] = defaultdict(str)
    language = language_of(policy, case) if case else "en"
    rules = policy.rules
    values |= {f"fee_{name}": money(fee.amount, fee.currency) for name, fee in rules.fees.items()}
    if case:
        values |= _of_case(case, verdict, language)
    number = (verdict and verdict.number) or (case and case.number)
    if number:
        values |= {"number": number.text, "valid_until": date_in_words(number.valid_until, language)}
    if verdict:
        values |= {"serial": verdict.serial, "model": verdict.model}
        stated = {fact.name: fact.value for fact in verdict.facts}
        named = (name for name in DATES if name in stated and f"{{{name}}}" in template)
        values |= {name: date_in_words(date.fromisoformat(stated[name]), language) for name in named}
        family = rules.families.get(stated.get("family", ""))
        if family:
            values |= {"warranty_months": str(family.warranty_months), "maker_contact": family.maker_contact}
    return ClauseSentence(clause, re.sub(r"\s+", " ", template.format_map(values)).strip())


def _of_case(case: Case, verdict: Verdict | None, language: str) -> dict[str, str]:
    """Return the placeholders that a case has values for: receipt, repair, return shipment, purchase order."""
    unit = next((i for i in case.units if verdict and serial_key(i.serial) == serial_key(verdict.serial)), None)
    shipment, quote = case.outbound, case.quotes[-1] if case.quotes else None
    found = {
        "received_on": date_in_words(unit.received_on, language) if unit and unit.received_on else "",
        "repair_due": date_in_words(unit.repair_due, language) if unit and unit.repair_due else "",
        "carrier": shipment.carrier if shipment else "",
        "tracking": shipment.tracking if shipment else "",
        "order": (quote.order or quote.pending_order) if quote else "",
    }
    return {name: value for name, value in found.items() if value}


def informs(notice: Notice, case: Case, policy: Policy) -> tuple[ClauseSentence, ...]:
    """Return the policy's sentences of a notice, filled in, each once."""
    verdicts = {verdict.serial: verdict for verdict in notice.verdicts}
    found = (
        says(policy, line.clause, line.says, case, None if line.serial is None else verdicts.get(line.serial))
        for line in notice.informs
    )
    return tuple(dict.fromkeys(found))


def shown_clauses(notice: Notice, policy: Policy) -> tuple[ClauseSentence, ...]:
    """Return the clauses that the customer is shown, the deciding ones first, each with its short text."""
    ids = [clause for v in notice.verdicts if not v.staff_only for clause in (v.shown_clauses or v.clauses)] or notice.basis
    texts = [ClauseSentence(clause, policy.clause_text(clause)) for clause in dict.fromkeys(ids)]
    if notice.says and texts and all(verdict.staff_only for verdict in notice.verdicts):
        texts[0] = ClauseSentence(texts[0].clause, notice.says)
    return tuple(texts)


def quote_block(quote: Quote, language: str) -> QuoteBlock:
    """Return a quote as text: one line for each charge, with the serial number if there are several units."""
    lines = _charge_lines(quote.charges, several=len(quote.serials) > 1)
    total = money(quote.total, quote.charges[0].currency)
    return QuoteBlock(quote.number, lines, total, date_in_words(quote.valid_until, language))


def bill(charges: Sequence[Charge]) -> Bill | None:
    """Return what is billed outside of a quote, in the currency of the fee schedule; None if there are no charges."""
    if not charges:
        return None
    lines = _charge_lines(charges, several=len({charge.serial for charge in charges}) > 1)
    return Bill(lines, money(sum((c.amount for c in charges), Decimal(0)), charges[0].currency))


def _charge_lines(charges: Sequence[Charge], *, several: bool) -> tuple[ChargeLine, ...]:
    named = ((f"{c.label}, {c.serial}" if several and c.serial else c.label, c) for c in charges)
    return tuple(ChargeLine(label, money(c.amount, c.currency)) for label, c in named)
