"""Policy: one company's rules file, loaded and verified, with the mailbox, staff and templates that it is applied with."""

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
"""What is attached to an email with a new RMA number: label, packing list, invoice and calendar file, or nothing."""


class EmailRenderer(Protocol):
    """The interface of the templates: renders the content of an email as text and HTML."""

    def language_for(self, language: str) -> str:
        """Return the language for replies to a customer of this language (ISO 639-1)."""

    def render(self, content: Any, company: str) -> tuple[str, str]:
        """Return the email as text and as HTML."""


class Policy(Value, frozen=True):
    """Rules, their version stamp, the desk (mailbox, staff, word lists), the templates, and the time zone (an IANA name).

    ``document_texts``: the headings and labels of the documents (``DocumentTexts``), by language. ``documents``: what is
    attached; with "names", the files have their names but are empty, for previews of emails that are not sent.
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
        """Return the short text of a clause.

        Raises:
            KeyError: the rules have no such clause.
        """
        return self.rules.clauses[clause].text

    @property
    def currency(self) -> str:
        """The currency of the fee schedule (ISO 4217); empty if there are no fees."""
        return next((fee.currency for fee in self.rules.fees.values()), "")


def load_rules(name: str, text: str, file: str, overlay: Mapping[str, Any] | None = None) -> tuple[Rules, PolicyStamp]:
    """Load and verify the text of a rules file. ``file``: its name, for errors. ``overlay``: values that replace those of the file.

    Raises:
        ConfigError: names the file, the clause, the key and the nearest valid word.
    """
    data = parse(text, file)
    if overlay:
        _apply_overlay(data, overlay, file)
    rules = convert(data, Rules, file, text)
    verify(rules, file)
    digest = hashlib.sha256(text.encode() + repr(sorted((overlay or {}).items())).encode() * bool(overlay)).hexdigest()
    return rules, PolicyStamp(name, rules.policy.version, digest[:16])


def _apply_overlay(data: dict[str, Any], overlay: Mapping[str, Any], file: str) -> None:
    """Replace values of the file: tables are merged, ``{value = …}`` takes a plain value, everything else is replaced."""
    for key, value in overlay.items():
        here = data.get(key)
        if isinstance(here, dict) and isinstance(value, Mapping):
            _apply_overlay(here, value, file)
        elif isinstance(here, dict) and "value" in here:
            data[key] = {"value": value, "source": "overlay"}
        else:
            data[key] = value


def verify(rules: Rules, file: str) -> None:
    """Check that every clause, fee, fact and placeholder that the rules name exists, and that every case is decided.

    Raises:
        ConfigError: describes the first problem.
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
                raise ConfigError(f"{file}: {where}: there is no clause {clause!r}{nearest(clause, rules.clauses)}.")


def _decisions(rules: Rules, file: str) -> None:
    if not rules.decide:
        raise ConfigError(f'{file}: there is no [[decide]]. Add at least one without conditions and with then = "staff".')
    for place, rule in enumerate(rules.decide, 1):
        where = f"{file}: decide {rule.clause} (number {place} of {len(rules.decide)})"
        _conditions(rule.when, rules, where)
        _sentence(rule.says, where, rules)
        _charge(rule.charge, where, rules)
        if rule.then == "quote" and not rule.charge:
            raise ConfigError(f'{where}: a quote needs charge = ["…"] with names from [fees].')
        if rule.then == "ask" and rule.ask is None:
            raise ConfigError(f'{where}: then = "ask" needs ask = "…": what the customer must supply.')
    _order(rules, file)


def _charge(fees: Iterable[str], where: str, rules: Rules) -> None:
    for fee in fees:
        if fee not in rules.fees:
            raise ConfigError(f"{where}: charge: there is no fee {fee!r}{nearest(fee, rules.fees)}.")
    if len({rules.fees[fee].currency for fee in fees}) > 1:
        raise ConfigError(f"{where}: charge: one quote cannot mix currencies. Name fees of one currency.")


def _order(rules: Rules, file: str) -> None:
    """Check that the rules decide every case, and that every rule can be reached."""
    last = rules.decide[-1]
    if last.when or last.then != "staff":
        raise ConfigError(
            f'{file}: decide {last.clause}: the last decision must have no condition and then = "staff", '
            "so that every case is decided. Move it, or add such a decision below it."
        )
    for place, rule in enumerate(rules.decide):
        for earlier in rules.decide[:place]:
            if _covers(earlier.when, rule.when):
                always = "has no condition" if not earlier.when else "has only conditions that it has, too"
                raise ConfigError(
                    f"{file}: decide {rule.clause} (entry {place + 1}): is never reached, because decide {earlier.clause} "
                    f"above it {always}. Move it up, or add conditions to the other one."
                )


def _covers(earlier: Mapping[str, Condition], later: Mapping[str, Condition]) -> bool:
    """Return whether the earlier conditions hold whenever the later ones do."""
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
        fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(says) if name is not None]
    except ValueError as error:
        raise ConfigError(f"{where}: says: {error}. For literal braces, write {{{{ and }}}}.") from None
    for name, spec, conversion in fields:
        if spec or conversion:
            raise ConfigError(f"{where}: says: a placeholder is only a name. Write {{{name}}}, without : or !.")
        if name not in known:
            raise ConfigError(f"{where}: says: there is no placeholder {{{name}}}{nearest(name, known)}.")


def _values(rules: Rules, file: str) -> None:
    try:
        ZoneInfo(rules.policy.timezone.value)
    except (ZoneInfoNotFoundError, ValueError):
        zone = rules.policy.timezone.value
        raise ConfigError(
            f"{file}: policy.timezone: {zone!r} is not a valid time zone. Use a name such as America/Los_Angeles."
        ) from None
    for form in (*rules.serials.forms, *rules.serials.models):
        try:
            re.compile(form)
        except re.error as error:
            raise ConfigError(f"{file}: serials: {form!r} is not a valid regular expression: {error}.") from None
    for line in rules.ship_to.lines:
        for name in re.findall(r"\{([^}\n]{0,200})\}", line):
            if name != "number":
                raise ConfigError(f"{file}: ship_to: there is no placeholder {{{name}}}. Use {{number}}, or no braces.")


def examples(rules: Rules) -> list[str]:
    """Return a line for each value that is still an example and must be set before production use."""
    found = [f"fees.{name}: {fee.amount} {fee.currency} is an example amount" for name, fee in rules.fees.items() if fee.example]
    return found + (["ship_to: the address is an example"] if rules.ship_to.example else [])
