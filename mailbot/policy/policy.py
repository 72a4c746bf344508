"""Policy: one company's rules file, loaded and checked, at the desk where it is carried out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from string import Formatter
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailbot.intake.desk import Desk
from mailbot.model import PolicyStamp, Value
from mailbot.policy import value_checks
from mailbot.policy.facts import DATES, domains, words_of
from mailbot.policy.rules import AnswerRule, AnswerRules, Condition, Deadlines, Rules
from mailbot.strict_toml import ConfigError, convert, nearest, parse

PLACEHOLDERS = frozenset(
    {*DATES, "serial", "model", "warranty_months", "maker_contact", "number", "valid_until"}
    | {"received_on", "repair_due", "carrier", "tracking", "order", "reason"}
)

Documents = Literal["pdf", "none"]
"""What is attached to a letter with a number: label, packing sheet, invoice and calendar, or nothing."""


class EmailRenderer(Protocol):
    """What turns the facts of a letter into text and HTML."""

    def speaks(self, language: str) -> str:
        """Return the language in which a customer of this language is answered."""

    def render(self, letter: Any, company: str) -> tuple[str, str]:
        """Return the letter as text and as HTML."""


class Policy(Value, frozen=True):
    """Rules, their version's stamp, the desk (mailbox, staff, words), the letters, the zone that days count in.

    ``papers`` are the words of what is attached, by language. ``documents`` says what is attached; with "names" the files are
    named and left empty, for a look at a mail that is not sent.
    """

    name: str
    rules: Rules
    stamp: PolicyStamp
    desk: Desk
    templates: EmailRenderer
    timezone: str
    document_texts: Mapping[str, Any] = {}
    documents: Documents | Literal["names"] = "pdf"

    def clause_text(self, clause: str) -> str:
        """Return the short text of a clause."""
        return self.rules.clauses[clause].text

    @property
    def currency(self) -> str:
        """The currency of the fee schedule (ISO 4217)."""
        return next((fee.currency for fee in self.rules.fees.values()), "")


def load_rules(name: str, text: str, file: str, overlay: Mapping[str, Any] | None = None) -> tuple[Rules, PolicyStamp]:
    """Load and check a rules file; ``overlay`` lays values over it.

    Raises:
        ConfigError: naming file, clause, key and the nearest word that would do.
    """
    data = parse(text, file)
    if overlay:
        _lay_over(data, overlay, file)
    rules = convert(data, Rules, file, text)
    verify(rules, file)
    digest = hashlib.sha256(text.encode() + repr(sorted((overlay or {}).items())).encode() * bool(overlay)).hexdigest()
    return rules, PolicyStamp(name, rules.policy.version, digest[:16])


def _lay_over(data: dict[str, Any], overlay: Mapping[str, Any], file: str) -> None:
    """Lay values over the file's: tables are merged, ``{value = …}`` takes a plain value, the rest is replaced."""
    for key, value in overlay.items():
        here = data.get(key)
        if isinstance(here, dict) and isinstance(value, Mapping):
            _lay_over(here, value, file)
        elif isinstance(here, dict) and "value" in here:
            data[key] = {"value": value, "source": "laid over"}
        else:
            data[key] = value


def verify(rules: Rules, file: str) -> None:
    """Check what types alone cannot: every clause, fee, fact and placeholder that is named exists.

    Raises:
        ConfigError: for the first finding.
    """
    _clauses(rules, file)
    _decisions(rules, file)
    for inform in rules.inform:
        _conditions(inform.when, rules, f"{file}: inform {inform.clause}")
        _sentence(inform.says, f"{file}: inform {inform.clause}", rules, fees=True)
    for name, answer in _answers(rules).items():
        for says in (answer.says, *answer.says_for.values()):
            _sentence(says, f"{file}: answers.{name}", rules, fees=True)
        _charge(answer.charge, f"{file}: answers.{name}", rules)
    for name, flag in rules.findings.items():
        _sentence(flag.says, f"{file}: findings.{name}", rules, fees=True)
        _charge(flag.charge, f"{file}: findings.{name}", rules)
        if flag.then == "quote" and not flag.charge:
            raise ConfigError(f'{file}: findings.{name}: a quote needs charge = ["…"] with names from [fees].')
    _values(rules, file)
    value_checks.verify(rules, file)


def _answers(rules: Rules) -> dict[str, AnswerRule]:
    return {name: getattr(rules.answers, name) for name in AnswerRules.__struct_fields__}


def _clauses(rules: Rules, file: str) -> None:
    deadlines = rules.deadlines
    named: list[tuple[str, Iterable[str]]] = [
        *((f"decide {rule.clause}", (rule.clause, *rule.also)) for rule in rules.decide),
        *((f"inform {inform.clause}", (inform.clause,)) for inform in rules.inform),
        *((f"families.{name}", (family.clause,)) for name, family in rules.families.items()),
        *((f"answers.{n}", (a.clause, *a.also, *chain(*a.also_for.values()))) for n, a in _answers(rules).items()),
        *(
            (f"deadlines.{kind}", (getattr(deadlines, kind).clause,))
            for kind in Deadlines.__struct_fields__
            if kind != "hour"
        ),
        *((f"findings.{name}", (flag.clause, *flag.also)) for name, flag in rules.findings.items()),
    ]
    for where, ids in named:
        for clause in ids:
            if clause not in rules.clauses:
                raise ConfigError(f"{file}: {where}: there is no clause {clause!r}{nearest(clause, rules.clauses)}.")


def _decisions(rules: Rules, file: str) -> None:
    if not rules.decide:
        raise ConfigError(f"{file}: there is no [[decide]]. Add at least one without conditions that asks a person.")
    for place, rule in enumerate(rules.decide, 1):
        where = f"{file}: decide {rule.clause} (number {place} of {len(rules.decide)})"
        _conditions(rule.when, rules, where)
        _sentence(rule.says, where, rules)
        _charge(rule.charge, where, rules)
        if rule.then == "quote" and not rule.charge:
            raise ConfigError(f'{where}: a quote needs charge = ["…"] with names from [fees].')
        if rule.then == "ask" and rule.ask is None:
            raise ConfigError(f'{where}: then = "ask" needs ask = "…": what the customer is to supply.')
    _order(rules, file)


def _charge(fees: Iterable[str], where: str, rules: Rules) -> None:
    for fee in fees:
        if fee not in rules.fees:
            raise ConfigError(f"{where}: charge: there is no fee {fee!r}{nearest(fee, rules.fees)}.")
    if len({rules.fees[fee].currency for fee in fees}) > 1:
        raise ConfigError(f"{where}: charge: one quote cannot mix currencies. Name fees of one currency.")


def _order(rules: Rules, file: str) -> None:
    """Every case must be decided, and every decision must be within reach."""
    last = rules.decide[-1]
    if last.when or last.then != "staff":
        raise ConfigError(
            f'{file}: decide {last.clause}: the last decision must have no condition and then = "staff", '
            "so that every case is decided. Move it, or add such a decision below it."
        )
    for place, rule in enumerate(rules.decide):
        for earlier in rules.decide[:place]:
            if _takes_all(earlier.when, rule.when):
                always = "has no condition" if not earlier.when else "asks for no more than it does"
                raise ConfigError(
                    f"{file}: decide {rule.clause} (entry {place + 1}): is never reached, because decide {earlier.clause} "
                    f"above it {always}. Move it up, or narrow the other."
                )


def _takes_all(earlier: Mapping[str, Condition], later: Mapping[str, Condition]) -> bool:
    """Say whether the earlier conditions hold wherever the later ones do."""
    return all(fact in later and words_of(later[fact]) <= words_of(words) for fact, words in earlier.items())


def _conditions(when: Mapping[str, Condition], rules: Rules, where: str) -> None:
    known = domains(rules)
    for fact, condition in when.items():
        if fact not in known:
            raise ConfigError(f"{where}: when: there is no fact {fact!r}{nearest(fact, known)}.")
        for word in words_of(condition):
            if word not in known[fact]:
                raise ConfigError(f"{where}: when: {fact} is never {word!r}{nearest(word, known[fact])}.")


def _sentence(says: str, where: str, rules: Rules, *, fees: bool = False) -> None:
    known = PLACEHOLDERS | ({f"fee_{name}" for name in rules.fees} if fees else set())
    try:
        fields = [(name, spec, how) for _, name, spec, how in Formatter().parse(says) if name is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: says: {error}. Write {{{{ and }}}} for braces that are meant as such.") from None
    for name, spec, how in fields:
        if spec or how:
            raise ConfigError(f"{where}: says: a placeholder is a name alone. Write {{{name}}}, without : or !.")
        if name not in known:
            raise ConfigError(f"{where}: says: there is no placeholder {{{name}}}{nearest(name, known)}.")


def _values(rules: Rules, file: str) -> None:
    try:
        ZoneInfo(rules.policy.timezone.value)
    except (ZoneInfoNotFoundError, ValueError):
        zone = rules.policy.timezone.value
        raise ConfigError(
            f"{file}: policy.timezone: {zone!r} is no time zone. Write one like America/Los_Angeles."
        ) from None
    for form in (*rules.serials.forms, *rules.serials.models):
        try:
            re.compile(form)
        except re.error as error:
            raise ConfigError(f"{file}: serials: {form!r} is no regular expression: {error}.") from None
    for line in rules.ship_to.lines:
        for name in re.findall(r"\{([^}\n]{0,200})\}", line):
            if name != "number":
                raise ConfigError(
                    f"{file}: ship_to: there is no placeholder {{{name}}}. Write {{number}}, or no braces."
                )


def examples(rules: Rules) -> list[str]:
    """Name what still stands as an example and must be set before going live."""
    found = [
        f"fees.{name}: {fee.amount} {fee.currency} is an example amount"
        for name, fee in rules.fees.items()
        if fee.example
    ]
    return found + (["ship_to: the address is an example"] if rules.ship_to.example else [])
