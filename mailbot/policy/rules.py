"""The form of a rules file: one company's policy as data, every key typed and named.

A value may be written plainly or as ``{value = 30, source = "house default"}``; the second form is the better one.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from mailbot.model import Finding, Outcome, Role


class RulesTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the rules file; a key it does not know is an error."""


class DayCount(RulesTable, frozen=True):
    """A number of calendar days (or months, where the key says so), and where it comes from."""

    value: int
    source: str = "house default"


class TextValue(RulesTable, frozen=True):
    """A word of the policy, and where it comes from."""

    value: str
    source: str = "house default"


class PolicyHeader(RulesTable, frozen=True):
    """[policy]: whose policy this is, its version (ST-18), and since when its clauses hold."""

    company: str
    version: date
    effective: date
    timezone: TextValue
    country: TextValue
    phone: str = ""


class ClauseText(RulesTable, frozen=True):
    """One clause: D mailbot decides, S a person decides, I mailbot informs; what it says, and where that stands."""

    kind: Literal["D", "S", "I", "D, S", "I, S", "I, D", "S, D", "D, I"]
    text: str
    source: str
    effective: date | None = None


class ContactLines(RulesTable, frozen=True):
    """[contact]: the lines at the foot of every letter."""

    lines: tuple[str, ...]
    source: str


class ShipTo(RulesTable, frozen=True):
    """[ship_to]: the delivery address; ``{number}`` stands for the RMA number. ``example`` until the company sets it."""

    lines: tuple[str, ...]
    source: str
    example: bool = False


class NumberRules(RulesTable, frozen=True):
    """[number]: its form, the days it is valid, and for how many days after its end a new one is given by rule."""

    format: str
    valid_days: DayCount
    renew_days: DayCount


class SerialForms(RulesTable, frozen=True):
    """[serials]: the forms of the company's serials and model names, as regular expressions on folded text."""

    forms: tuple[str, ...]
    models: tuple[str, ...] = ()


class Family(RulesTable, frozen=True):
    """[families.NAME]: how long units of this family are covered from delivery; 0 for another maker's component."""

    warranty_months: int
    clause: str
    source: str
    maker_contact: str = ""


class Fee(RulesTable, frozen=True):
    """[fees.NAME]: one line of the fee schedule. ``example`` until the company sets the amount."""

    label: str
    amount: Decimal
    currency: str
    source: str
    example: bool = False


class Windows(RulesTable, frozen=True):
    """[windows]: periods in calendar days. The day of delivery is not counted, the last day is in."""

    credit: DayCount | None = None
    credit_from: Literal["purchase", "delivery"] = "delivery"
    exchange: DayCount | None = None
    doa: DayCount | None = None
    repair: DayCount | None = None


class Reminders(RulesTable, frozen=True):
    """Days on which something is reminded, and the day on which it is closed."""

    remind: tuple[int, ...]
    close: int
    clause: str
    source: str = "house default"


class NumberReminders(RulesTable, frozen=True):
    """Days before the end of an RMA number on which its holder is reminded."""

    remind_before: tuple[int, ...]
    clause: str
    source: str = "house default"


class HeldReminders(RulesTable, frozen=True):
    """Business days after which staff are reminded of a held case: first, then again and again."""

    first: int
    every: int
    clause: str
    source: str = "house default"


class RepairDue(RulesTable, frozen=True):
    """Business days from receipt within which a unit is repaired, and when staff are reminded: before, and after the breach.

    ``holidays`` names the calendar whose holidays do not count (a country's ISO code, "US" or "US-CA"); empty: they count.
    """

    days: int
    remind_before: tuple[int, ...]
    remind_after: tuple[int, ...]
    clause: str
    source: str = "house default"
    holidays: str = ""


class CloseAfter(RulesTable, frozen=True):
    """Days after the shipment back on which a case is closed; 0: at once."""

    days: int
    clause: str
    source: str = "house default"


class Deadlines(RulesTable, frozen=True):
    """[deadlines]: what is reminded, and when. Days are counted in the company's zone; mails go out at ``hour``."""

    hour: DayCount
    missing: Reminders
    quote: Reminders
    number: NumberReminders
    held: HeldReminders
    repair: RepairDue
    close: CloseAfter


Condition = str | bool | tuple[str, ...]


class DecisionRule(RulesTable, frozen=True):
    """[[decide]]: in order, the first whose conditions hold decides for the unit. The last has none and asks a person.

    ``also`` names the clauses that go with the deciding one. ``charge`` names fees. ``ask`` is what the customer must
    supply. ``disguise`` makes the answer look like the one for an unknown serial. ``notify`` is the role that is told.
    """

    clause: str
    then: Outcome
    says: str
    source: str
    when: dict[str, Condition] = {}
    also: tuple[str, ...] = ()
    charge: tuple[str, ...] = ()
    ask: Literal["serial", "reason", "symptom", "known_serial", "po"] | None = None
    disguise: bool = False
    notify: Role | None = None
    valid: Literal["number", "doa"] = "number"


Moment = Literal[
    "first",
    "asked",
    "quoted",
    "issued",
    "held",
    "declined",
    "reminder",
    "expired",
    "every",
    "received",
    "charged",
    "parts_quoted",
    "ordered",
    "shipped",
    "told",
]


class InformRule(RulesTable, frozen=True):
    """[[inform]]: a sentence of the policy, and the moments it belongs to. ``when`` narrows it to certain facts."""

    clause: str
    moment: tuple[Moment, ...]
    says: str
    when: dict[str, Condition] = {}
    notify: Role | None = None


class AnswerRule(RulesTable, frozen=True):
    """[answers.NAME]: what is said, and by which clause, where no unit is decided on (a question, an order …).

    ``also_for`` names further clauses by what the case is about: ``{rework = ["AP-20"]}``; ``says_for`` what is said instead.
    ``charge`` names fees that fall due.
    """

    clause: str
    then: Outcome
    says: str
    source: str
    also: tuple[str, ...] = ()
    also_for: dict[str, tuple[str, ...]] = {}
    says_for: dict[str, str] = {}
    notify: Role | None = None
    ask: Literal["po"] | None = None
    charge: tuple[str, ...] = ()


class AnswerRules(RulesTable, frozen=True):
    """[answers]: where no rule of coverage decides. Each entry is one thing that is said to the customer.

    ``order`` is an order that a person must compare, ``matches`` and ``parts_ordered`` one that accepts the first quote and the
    one for parts; ``parts_declined`` the refusal of the latter, ``parts_lapsed`` its end without an order. ``approved``,
    ``rejected``, ``quoted`` and ``parts_quoted`` are decisions of staff. The rest follow a unit: ``under_way`` to us, ``received``,
    ``unrepairable``, ``shipped`` back.
    """

    order: AnswerRule
    matches: AnswerRule
    parts_ordered: AnswerRule
    parts_approved: AnswerRule
    parts_declined: AnswerRule
    parts_lapsed: AnswerRule
    accept: AnswerRule
    other: AnswerRule
    existing: AnswerRule
    status: AnswerRule
    withdrawn: AnswerRule
    withdrawn_part: AnswerRule
    under_way: AnswerRule
    late_renewal: AnswerRule
    approved: AnswerRule
    rejected: AnswerRule
    quoted: AnswerRule
    parts_quoted: AnswerRule
    received: AnswerRule
    unrepairable: AnswerRule
    shipped: AnswerRule
    extended: AnswerRule
    address: AnswerRule
    ended: AnswerRule


class FindingRule(RulesTable, frozen=True):
    """[findings.NAME]: what follows from what was found at inspection. A finding without an entry is only logged.

    ``then``: "notice" tells the customer and charges; "quote" makes the unit chargeable; "decline" takes no credit or exchange;
    "hold" asks an approver. ``intents`` narrows it to what the case is about.
    """

    clause: str
    then: Literal["notice", "quote", "decline", "hold"]
    says: str
    source: str
    also: tuple[str, ...] = ()
    charge: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()

    def concerns(self, intent: str) -> bool:
        """Say whether it matters for a case about this."""
        return not self.intents or intent in self.intents


class DocumentRules(RulesTable, frozen=True):
    """[papers]: what is attached to the letter with the number, and what stands on it."""

    packing: tuple[str, ...]
    customs: tuple[str, ...] = ()
    source: str = "house default"


class DemoStaff(RulesTable, frozen=True):
    """A member of the demo's staff."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal = Decimal(0)


class DemoDesk(RulesTable, frozen=True):
    """[demo]: the mailbox and staff of `mailbot demo` and of conversations that name none."""

    mailbox: str
    staff: tuple[DemoStaff, ...]


class Rules(RulesTable, frozen=True):
    """A whole rules file."""

    policy: PolicyHeader
    contact: ContactLines
    ship_to: ShipTo
    number: NumberRules
    serials: SerialForms
    families: dict[str, Family]
    windows: Windows
    fees: dict[str, Fee]
    deadlines: Deadlines
    clauses: dict[str, ClauseText]
    decide: tuple[DecisionRule, ...]
    inform: tuple[InformRule, ...]
    answers: AnswerRules
    findings: dict[Finding, FindingRule]
    papers: DocumentRules
    demo: DemoDesk
    diagnosis: Literal["required", "described"] = "described"
    revisions: dict[str, str] = {}
