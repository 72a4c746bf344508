"""Checks of a rules file: the names in it exist, every case is decided, and its formats, periods and amounts can be used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from string import Formatter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailbot.policy.dates import holidays
from mailbot.policy.facts import DATES, domains, words_of
from mailbot.policy.rules import AnswerRule, AnswerRules, Condition, Deadlines, Rules
from mailbot.strict_toml import nearest

PLACEHOLDERS = frozenset(
    {*DATES, "serial", "model", "warranty_months", "maker_contact", "number", "valid_until"}
    | {"received_on", "repair_due", "carrier", "tracking", "order", "reason"}
)

LONGEST_PERIOD = 1200
"""The longest period, in days or months: a larger value is a typo, and dates must stay within the calendar."""


def problems(rules: Rules) -> Iterator[str]:
    """Yield the problems, each with its place and its fix. A later check may need what an earlier one has found to be right."""
    yield from _clauses(rules)
    yield from _decisions(rules)
    for inform in rules.inform:
        yield from _conditions(inform.when, rules, f"inform {inform.clause}")
        yield from _sentence(inform.says, f"inform {inform.clause}", rules, fees=True)
    for name, answer in _answers(rules).items():
        for says in (answer.says, *answer.says_for.values()):
            yield from _sentence(says, f"answers.{name}", rules, fees=True)
        yield from _charge(answer.charge, f"answers.{name}", rules)
    for name, flag in rules.findings.items():
        yield from _sentence(flag.says, f"findings.{name}", rules, fees=True)
        yield from _charge(flag.charge, f"findings.{name}", rules, needed=flag.then == "quote")
    yield from _texts(rules)
    yield from _number(rules.number.format)
    yield from _periods(rules)
    yield from _fees(rules)


def _answers(rules: Rules) -> dict[str, AnswerRule]:
    found = {name: getattr(rules.answers, name) for name in AnswerRules.__struct_fields__}
    return {name: answer for name, answer in found.items() if answer is not None}


def _clauses(rules: Rules) -> Iterator[str]:
    deadlines = rules.deadlines
    named: list[tuple[str, Iterable[str]]] = [
        *((f"decide {rule.clause}", rule.clauses) for rule in rules.decide),
        *((f"inform {inform.clause}", (inform.clause,)) for inform in rules.inform),
        *((f"families.{name}", (family.clause,)) for name, family in rules.families.items()),
        *((f"answers.{n}", (*a.clauses, *chain(*a.also_for.values()))) for n, a in _answers(rules).items()),
        *((f"deadlines.{kind}", (getattr(deadlines, kind).clause,)) for kind in Deadlines.__struct_fields__ if kind != "hour"),
        *((f"findings.{name}", flag.clauses) for name, flag in rules.findings.items()),
    ]
    for where, ids in named:
        for clause in ids:
            if clause not in rules.clauses:
                yield f"{where}: there is no clause {clause!r}{nearest(clause, rules.clauses)}."


def _decisions(rules: Rules) -> Iterator[str]:
    if not rules.decide:
        yield 'there is no [[decide]]. Add at least one without conditions and with then = "staff".'
    for place, rule in enumerate(rules.decide, 1):
        where = f"decide {rule.clause} (number {place} of {len(rules.decide)})"
        yield from _conditions(rule.when, rules, where)
        yield from _sentence(rule.says, where, rules)
        yield from _charge(rule.charge, where, rules, needed=rule.then == "quote")
        if rule.then == "ask" and rule.ask is None:
            yield f'{where}: then = "ask" needs ask = "…": what the customer must supply.'
    yield from _order(rules)


def _charge(fees: tuple[str, ...], where: str, rules: Rules, *, needed: bool = False) -> Iterator[str]:
    for fee in fees:
        if fee not in rules.fees:
            yield f"{where}: charge: there is no fee {fee!r}{nearest(fee, rules.fees)}."
    if len({rules.fees[fee].currency for fee in fees}) > 1:
        yield f"{where}: charge: one quote cannot mix currencies. Name fees of one currency."
    if needed and not fees:
        yield f'{where}: a quote needs charge = ["…"] with names from [fees].'


def _order(rules: Rules) -> Iterator[str]:
    """Check that the rules decide every case, and that every rule can be reached."""
    last = rules.decide[-1]
    if last.when or last.then != "staff":
        yield (
            f'decide {last.clause}: the last decision must have no condition and then = "staff", '
            "so that every case is decided. Move it, or add such a decision below it."
        )
    for place, rule in enumerate(rules.decide):
        for earlier in rules.decide[:place]:
            if _covers(earlier.when, rule.when):
                always = "has no condition" if not earlier.when else "has only conditions that it has, too"
                yield (
                    f"decide {rule.clause} (entry {place + 1}): is never reached, because decide {earlier.clause} "
                    f"above it {always}. Move it up, or add conditions to the other one."
                )


def _covers(earlier: Mapping[str, Condition], later: Mapping[str, Condition]) -> bool:
    """Return whether the earlier conditions hold whenever the later ones do."""
    return all(fact in later and words_of(later[fact]) <= words_of(words) for fact, words in earlier.items())


def _conditions(when: Mapping[str, Condition], rules: Rules, where: str) -> Iterator[str]:
    known = domains(rules)
    for fact, condition in when.items():
        if fact not in known:
            yield f"{where}: when: there is no fact {fact!r}{nearest(fact, known)}."
        for word in words_of(condition):
            if word not in known[fact]:
                yield f"{where}: when: {fact} is never {word!r}{nearest(word, known[fact])}."


def _sentence(says: str, where: str, rules: Rules, *, fees: bool = False) -> Iterator[str]:
    known = PLACEHOLDERS | ({f"fee_{name}" for name in rules.fees} if fees else set())
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(says) if name is not None]
    except ValueError as error:
        yield f"{where}: says: {error}. For literal braces, write {{{{ and }}}}."
        return
    for name, spec, conversion in fields:
        if spec or conversion:
            yield f"{where}: says: a placeholder is only a name. Write {{{name}}}, without : or !."
        if name not in known:
            yield f"{where}: says: there is no placeholder {{{name}}}{nearest(name, known)}."


def _texts(rules: Rules) -> Iterator[str]:
    """Check the time zone, the forms of serial numbers, the ship-to address and the calendar of holidays."""
    zone, calendar = rules.policy.timezone.value, rules.deadlines.repair.holidays
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield f"policy.timezone: {zone!r} is not a valid time zone. Use a name such as America/Los_Angeles."
    for form in (*rules.serials.forms, *rules.serials.models):
        try:
            re.compile(form)
        except re.error as error:
            yield f"serials: {form!r} is not a valid regular expression: {error}."
    for line in rules.ship_to.lines:
        for name in re.findall(r"\{([^}\n]{0,200})\}", line):
            if name != "number":
                yield f"ship_to: there is no placeholder {{{name}}}. Use {{number}}, or no braces."
    try:
        holidays(calendar)
    except (NotImplementedError, AttributeError) as error:
        yield f"deadlines.repair.holidays: {calendar!r}: {error}. Use a country code such as US or US-CA, or leave it empty."


def _number(form: str) -> Iterator[str]:
    """Check that numbers in this format are unique, differ from other words, and end with the check digit."""
    try:
        fields = {name for _, name, _, _ in Formatter().parse(form) if name is not None}
        fits = {"sequence", "check"} <= fields <= {"year", "sequence", "check"}
        fits = fits and len({form.format(year=2026, sequence=n, check=0) for n in (1, 2)}) > 1
    except (ValueError, LookupError):
        fits = False
    where = f"number.format: {form!r}"
    if not fits:
        yield f"{where} must contain {{sequence}} and {{check}}, and may contain {{year}}."
    if not form.endswith("{check}"):
        yield f"{where} must end with {{check}}, the check digit."
    if not re.match(r"[A-Z]{2}[A-Z-]*\{", form):
        yield f"{where} must begin with capital letters, such as RMA-: emails are searched for this prefix."


def _periods(rules: Rules) -> Iterator[str]:
    """Check that periods and hours are in their ranges, and that reminders come before the day of closing."""
    deadlines, windows = rules.deadlines, rules.windows
    repair_reminders = (*deadlines.repair.remind_before, *deadlines.repair.remind_after)
    periods = [
        ("number.valid_days", rules.number.valid_days.value, 1),
        ("number.renew_days", rules.number.renew_days.value, 0),
        ("deadlines.repair.days", deadlines.repair.days, 1),
        ("deadlines.close.days", deadlines.close.days, 0),
        *(("deadlines.repair.remind_before and remind_after", days, 1) for days in repair_reminders),
        ("deadlines.held.first", deadlines.held.first, 1),
        ("deadlines.held.every", deadlines.held.every, 1),
        *(("deadlines.number.remind_before", days, 0) for days in deadlines.number.remind_before),
        *((f"families.{name}.warranty_months", family.warranty_months, 0) for name, family in rules.families.items()),
        *((f"windows.{n}", w.value, 0) for n in ("credit", "exchange", "doa", "repair") if (w := getattr(windows, n)) is not None),
    ]
    for name, value, least in periods:
        if not least <= value <= LONGEST_PERIOD:
            yield f"{name}: {value} is out of range. Use {least} to {LONGEST_PERIOD}."
    for name, period in (("missing", deadlines.missing), ("quote", deadlines.quote)):
        if not all(1 <= day <= LONGEST_PERIOD for day in (*period.remind, period.close)):
            yield f"deadlines.{name}: days must be from 1 to {LONGEST_PERIOD}. Correct remind or close."
        if any(day >= period.close for day in period.remind):
            yield f"deadlines.{name}: a reminder on or after the day of closing is never sent. Correct remind or close."
    if not 0 <= deadlines.hour.value <= 23:  # noqa: PLR2004 - hours of a day
        yield f"deadlines.hour: {deadlines.hour.value} is not an hour. Use 0 to 23."


def _fees(rules: Rules) -> Iterator[str]:
    for name, fee in rules.fees.items():
        if not (fee.amount.is_finite() and fee.amount >= 0):
            yield f'fees.{name}: {fee.amount} is not an amount. Use a number such as "150.00".'
        if not re.fullmatch("[A-Z]{3}", fee.currency):
            yield f"fees.{name}: {fee.currency!r} is not a currency code. Use one such as USD (ISO 4217)."
