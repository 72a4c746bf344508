"""The content of an email: everything that the templates can use.

Text and HTML are rendered from the same content. Dates and amounts are strings in the language of the email. User text (serial
numbers, reasons, subjects) is plain text, which the templates escape.
"""

from __future__ import annotations

from typing import Literal

from mailbot.model import CommandName, EmailKind, Outcome, RefusalReason, State, Value


class ClauseSentence(Value, frozen=True):
    """A sentence of the policy, and its clause."""

    clause: str
    text: str


class ChargeLine(Value, frozen=True):
    """One line of a quote or bill: what it is for, and the amount with its currency ("USD 150.00")."""

    label: str
    amount: str


class UnitBlock(Value, frozen=True):
    """One unit and the decision on it.

    ``says``: the sentences that explain the verdict, the deciding clause first. ``existing``: an RMA number that was issued
    before covers the unit (``outcome`` is "issue"). ``asks``: any of "serial", "reason", "symptom" (the reason is vague),
    "known_serial" (the serial number could not be matched: check it, or send the proof of purchase), "po". ``suggestion``:
    the customer's own serial number that looks like this one. ``state``: of the unit, if the email shows it.
    """

    serial: str
    outcome: Outcome
    says: tuple[ClauseSentence, ...] = ()
    model: str = ""
    reason: str = ""
    asks: tuple[str, ...] = ()
    covered_until: str = ""
    existing: bool = False
    suggestion: str = ""
    state: State | None = None


class Bill(Value, frozen=True):
    """What is billed outside of a quote: one line for each charge, and the total."""

    lines: tuple[ChargeLine, ...]
    total: str


class CommandLine(Value, frozen=True):
    """A staff command and its result. ``said``: as written. ``states``: the states in which it is possible, if it was refused."""

    said: str
    name: CommandName
    result: Literal["done", "refused", "second", "asked"]
    reason: RefusalReason | None = None
    serials: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    flaw: str = ""


class StaffAction(Value, frozen=True):
    """A command that the reader can give, and the mailto link that composes an email with it (RFC 6068)."""

    command: str
    link: str


class QuoteBlock(Value, frozen=True):
    """A quote: its number, one line for each charge, the total, and the last valid day."""

    number: str
    lines: tuple[ChargeLine, ...]
    total: str
    valid_until: str


class ContactBlock(Value, frozen=True):
    """The company and its other contacts, such as a telephone number."""

    company: str
    lines: tuple[str, ...] = ()


class EmailContent(Value, frozen=True):
    """Everything that one email says.

    ``about`` is the variant of the kind. For "reminder" and "closed": "number", "asking" or "quote". For "answer": "parts"
    for a parts quote. For "progress": the entry of [answers], or "charged". For "notice": "held", "second", "passed_on",
    "told", "silent", "undeliverable", "unreadable", "forged", "repair_due" or "repair_overdue". For "transcript": "done",
    "confirm", "unclear" or "nothing".

    ``greeting``: the customer's name, may be empty. ``units``: in the order of the request. ``asks``: everything that the email
    asks for (see ``UnitBlock``). ``informs``: additional sentences of the policy. ``clauses``: the clauses that decided.
    ``facts``: (name, value) pairs for staff. ``questions``: the sentences that staff must read. ``quoted``: what the sender
    wrote, for staff. ``days_left``: whole days to ``valid_until``. ``bill``: what is billed outside of a quote. ``credit``,
    ``fee``: the approved credit and its fee. ``carrier``, ``tracking``: of the shipment that the email is about.
    ``command_results``: the results of staff commands. ``choices``: the commands that the reader can send. ``attached``: names
    of the attached files.
    """

    kind: EmailKind
    subject: str
    company: str
    contact: ContactBlock
    about: str = ""
    language: str = "en"
    greeting: str = ""
    case_id: str = ""
    number: str = ""
    valid_until: str = ""
    days_left: int = 0
    units: tuple[UnitBlock, ...] = ()
    asks: tuple[str, ...] = ()
    quote: QuoteBlock | None = None
    ship_to: tuple[str, ...] = ()
    informs: tuple[ClauseSentence, ...] = ()
    clauses: tuple[ClauseSentence, ...] = ()
    policy_version: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    questions: tuple[str, ...] = ()
    quoted: str = ""
    sender: str = ""
    why: str = ""
    bill: Bill | None = None
    credit: str = ""
    fee: str = ""
    carrier: str = ""
    tracking: str = ""
    command_results: tuple[CommandLine, ...] = ()
    choices: tuple[StaffAction, ...] = ()
    attached: tuple[str, ...] = ()
