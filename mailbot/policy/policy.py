"""Policy: one company's rules file, loaded and verified, with the mailbox, staff and templates that it is applied with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from mailbot.intake.desk import Desk
from mailbot.model import PolicyStamp, Value
from mailbot.policy.rule_checks import problems
from mailbot.policy.rules import Rules
from mailbot.strict_toml import ConfigError, convert, parse

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
    for problem in problems(rules):
        raise ConfigError(f"{file}: {problem}")
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


def examples(rules: Rules) -> list[str]:
    """Return a line for each value that is still an example and must be set before production use."""
    found = [f"fees.{name}: {fee.amount} {fee.currency} is an example amount" for name, fee in rules.fees.items() if fee.example]
    return found + (["ship_to: the address is an example"] if rules.ship_to.example else [])
