"""The schema of a rules file: one company's policy as data.

A value is written as ``{value = 30, source = "house default"}``: the source says where the policy has it from.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar

import msgspec

from mailbot.model import Finding, Outcome, Role

T = TypeVar("T")


class RulesTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the rules file. Unknown keys are errors."""


class Sourced(RulesTable, Generic[T], frozen=True):
    """A value of the policy, and its source. An int is a number of calendar days (for ``deadlines.hour``: an hour of the day)."""

    value: T
    source: str = "house default"


class PolicyHeader(RulesTable, frozen=True):
    """[policy]: the company, the version of the policy (ST-18), and the day on which it takes effect."""

    company: str
    version: date
    effective: date
    timezone: Sourced[str]
    country: Sourced[str]
    phone: str = ""


class ClauseText(RulesTable, frozen=True):
    """One clause, its text and its source. ``kind``: D mailbot decides, S staff decide, I mailbot informs."""

    kind: Literal["D", "S", "I", "D, S", "I, S", "I, D", "S, D", "D, I"]
    text: str
    source: str
    effective: date | None = None


class ContactLines(RulesTable, frozen=True):
    """[contact]: the lines at the end of every email."""

    lines: tuple[str, ...]
    source: str


class ShipTo(RulesTable, frozen=True):
    """[ship_to]: the ship-to address; ``{number}`` is replaced by the RMA number. ``example``: not set by the company yet."""

    lines: tuple[str, ...]
    source: str
    example: bool = False


class NumberRules(RulesTable, frozen=True):
    """[number]: its format, the days it is valid, and the days after expiration within which it is renewed by rule."""

    format: str
    valid_days: Sourced[int]
    renew_days: Sourced[int]


class SerialForms(RulesTable, frozen=True):
    """[serials]: the forms of the company's serial numbers and model names: regular expressions on folded text."""

    forms: tuple[str, ...]
    models: tuple[str, ...] = ()


class Family(RulesTable, frozen=True):
    """[families.NAME]: months of warranty from delivery; 0 for components of other manufacturers."""

    warranty_months: int
    clause: str
    source: str
    maker_contact: str = ""


class Fee(RulesTable, frozen=True):
    """[fees.NAME]: one line of the fee schedule. ``example``: the amount is not set by the company yet."""

    label: str
    amount: Decimal
    currency: str
    source: str
    example: bool = False


class Windows(RulesTable, frozen=True):
    """[windows]: periods in calendar days. The day of delivery is excluded, the last day is included."""

    credit: Sourced[int] | None = None
    credit_from: Literal["purchase", "delivery"] = "delivery"
    exchange: Sourced[int] | None = None
    doa: Sourced[int] | None = None
    repair: Sourced[int] | None = None


class DeadlineRules(RulesTable, frozen=True, kw_only=True):
    """The rules of one kind of deadline."""

    clause: str
    source: str = "house default"


class Reminders(DeadlineRules, frozen=True):
    """Days after the start on which the customer is reminded, and the day on which the request is closed."""

    remind: tuple[int, ...]
    close: int


class NumberReminders(DeadlineRules, frozen=True):
    """Days before the expiration of an RMA number on which the customer is reminded."""

    remind_before: tuple[int, ...]


class HeldReminders(DeadlineRules, frozen=True):
    """Business days after which staff are reminded of a held case: the first time, and the interval after that."""

    first: int
    every: int


class RepairDue(DeadlineRules, frozen=True):
    """Business days from receipt within which a unit is repaired, and business days before and after that to remind staff.

    ``holidays``: the calendar of holidays that are not business days (an ISO 3166 code such as "US" or "US-CA"); empty: none.
    """

    days: int
    remind_before: tuple[int, ...]
    remind_after: tuple[int, ...]
    holidays: str = ""


class CloseAfter(DeadlineRules, frozen=True):
    """Days after the return shipment on which a case is closed; 0: immediately."""

    days: int


class Deadlines(RulesTable, frozen=True):
    """[deadlines]: reminders and expirations. Days are counted in the company's zone; emails are sent at ``hour`` (0 to 23)."""

    hour: Sourced[int]
    missing: Reminders
    quote: Reminders
    number: NumberReminders
    held: HeldReminders
    repair: RepairDue
    close: CloseAfter


Condition = str | bool | tuple[str, ...]


class CitedSentence(RulesTable, frozen=True, kw_only=True):
    """A sentence of the policy, the clause that it cites, and its source.

    ``also``: clauses that accompany the clause. ``charge``: names of fees that are billed.
    """

    clause: str
    says: str
    source: str
    also: tuple[str, ...] = ()
    charge: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clause, and those that accompany it."""
        return (self.clause, *self.also)


class DecisionRule(CitedSentence, frozen=True, kw_only=True):
    """[[decide]]: the first rule whose conditions hold decides on a unit. The last one has no conditions and asks staff.

    ``ask``: what the customer must supply. ``disguise``: the answer looks like the one for an unknown serial number. ``notify``:
    the role to notify. ``valid``: "doa" limits an RMA number to the DOA window.
    """

    then: Outcome
    when: dict[str, Condition] = {}
    ask: Literal["serial", "reason", "symptom", "known_serial", "po"] | None = None
    disguise: bool = False
    notify: Role | None = None
    valid: Literal["number", "doa"] = "number"


OutcomeMoment = Literal["asked", "quoted", "issued", "held", "declined", "parts_quoted"]
ProgressMoment = Literal["received", "charged", "ordered", "shipped"]
Moment = Literal["first", OutcomeMoment, "reminder", "expired", "every", ProgressMoment, "told"]
"""The kinds of email that an [[inform]] sentence can be in."""


class InformRule(RulesTable, frozen=True):
    """[[inform]]: a sentence of the policy, and the kinds of email that state it. ``when``: the facts that it is limited to."""

    clause: str
    moment: tuple[Moment, ...]
    says: str
    when: dict[str, Condition] = {}
    notify: Role | None = None


class AnswerRule(CitedSentence, frozen=True, kw_only=True):
    """[answers.NAME]: the answer, and its clause, if [[decide]] does not apply (a question, a purchase order, ...).

    ``also_for``: more clauses, by the intent of the case: ``{rework = ["AP-20"]}``. ``says_for``: the sentence, by the intent
    of the case, instead of ``says``. ``notify``: the role to notify.
    """

    then: Outcome
    also_for: dict[str, tuple[str, ...]] = {}
    says_for: dict[str, str] = {}
    notify: Role | None = None
    ask: Literal["po"] | None = None

    def clauses_for(self, intent: str) -> tuple[str, ...]:
        """Return its clauses in a case with this intent."""
        return (*self.clauses, *self.also_for.get(intent, ()))


class AnswerRules(RulesTable, frozen=True):
    """[answers]: the answers to customers that [[decide]] does not cover.

    ``order``: a purchase order (PO) that staff must compare with the quote. ``matches``, ``parts_ordered``: a PO that accepts the
    first quote, or the parts quote. ``parts_declined``: the customer declines the parts quote; ``parts_lapsed``: it expires.
    ``approved``, ``rejected``, ``quoted``, ``parts_quoted``: decisions of staff. ``under_way`` (shipped to us), ``received``,
    ``unrepairable``, ``shipped`` (returned): the progress of a unit. ``ended``: closed by staff. ``unsure``: a sentence of the
    email is in question.
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
    unsure: AnswerRule | None = None


class FindingRule(CitedSentence, frozen=True, kw_only=True):
    """[findings.NAME]: the consequence of an inspection finding. A finding without an entry is only recorded.

    ``then``: "notice" notifies the customer and bills the fees; "quote" makes the unit billable; "decline" declines credit or
    exchange; "hold" asks an approver. ``intents``: the intents of cases that it is limited to; empty: all.
    """

    then: Literal["notice", "quote", "decline", "hold"]
    intents: tuple[str, ...] = ()

    def concerns(self, intent: str) -> bool:
        """Return whether it applies to a case with this intent."""
        return not self.intents or intent in self.intents


class DocumentRules(RulesTable, frozen=True):
    """[papers]: what the attached documents say: packing instructions and customs statements."""

    packing: tuple[str, ...]
    customs: tuple[str, ...] = ()
    source: str = "house default"


class DemoStaff(RulesTable, frozen=True):
    """A member of staff in the demo."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal = Decimal(0)


class DemoDesk(RulesTable, frozen=True):
    """[demo]: the mailbox and staff of `mailbot demo` and of conversation files that name none."""

    mailbox: str
    staff: tuple[DemoStaff, ...]


class Rules(RulesTable, frozen=True):
    """A complete rules file."""

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
