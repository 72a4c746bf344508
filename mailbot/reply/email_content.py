"""The facts of a letter: what the templates are given, and nothing else.

Text and HTML are rendered from the same letter. Dates and money are already written out in the letter's language; user
text (serials, reasons, subjects) is plain text that the templates escape.
"""

from __future__ import annotations

from typing import Literal

from mailbot.model import CommandName, Outcome, RefusalReason, State, Value

EmailKind = Literal["answer", "reminder", "expired", "closed", "progress", "notice", "transcript"]


class ClauseSentence(Value, frozen=True):
    """A sentence of the policy with the clause it comes from."""

    clause: str
    text: str


class ChargeLine(Value, frozen=True):
    """One line of a quote: what it is for, and the amount with its currency ("USD 150.00")."""

    label: str
    amount: str


class UnitBlock(Value, frozen=True):
    """One unit and what was decided for it. ``says`` are the sentences that explain the verdict, deciding clause first.

    ``outcome`` "issue" with ``existing`` means that a number given out before covers it. ``asks`` holds "serial",
    "reason", "symptom" (the reason is vague), "known_serial" (the serial could not be matched: check it or send the
    proof of purchase), "po". ``suggestion`` is the one unit of the customer's own whose serial looks nearly the same.
    ``state`` is where the unit stands, where the letter tells that.
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
    """What falls due beside a quote: one line a charge, and the total."""

    lines: tuple[ChargeLine, ...]
    total: str


class CommandLine(Value, frozen=True):
    """A command of staff and what became of it: ``said`` as written; ``states`` are those in which it would have been possible."""

    said: str
    name: CommandName
    result: Literal["done", "refused", "second", "asked"]
    reason: RefusalReason | None = None
    serials: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    flaw: str = ""


class StaffAction(Value, frozen=True):
    """A command that the reader can give, and the link that writes the mail with it (RFC 6068)."""

    command: str
    link: str


class QuoteBlock(Value, frozen=True):
    """The offer: number, one line a charge, the total, the last day it holds."""

    number: str
    lines: tuple[ChargeLine, ...]
    total: str
    valid_until: str


class ContactBlock(Value, frozen=True):
    """Who answers the customer besides this mailbox."""

    company: str
    lines: tuple[str, ...] = ()


class EmailContent(Value, frozen=True):
    """Everything one mail says.

    ``about`` narrows the kind: for "reminder" and "closed" one of "number", "asking", "quote"; for "answer" "parts" where parts
    are quoted; for "progress" the entry of [answers] that speaks, or "charged"; for "notice" "held", "second", "passed_on",
    "told", "silent", "undeliverable", "unreadable", "forged", "repair_due", "repair_overdue"; for "transcript" "done", "confirm",
    "unclear", "nothing". ``units`` come in the order of the request. ``asks`` is what the whole mail asks for ("serial",
    "reason", "symptom", "known_serial", "po"). ``greeting`` is the customer's name as the mail gives it, or empty. ``informs``
    are the policy's sentences that belong to this moment. ``clauses`` names what decided. ``quoted`` is what the sender wrote
    (only for staff). ``facts`` are (name, value) pairs for staff. ``days_left`` counts whole days to ``valid_until``. ``bill`` is
    what is charged beside a quote; ``credit`` and ``fee`` are what was agreed with a credit. ``carrier`` and ``tracking`` are
    those of the shipment it tells of. ``rulings`` are what became of a colleague's commands, ``choices`` what can be done now,
    by answering to ``mailbox``. ``attached`` are the names of the files that go with the mail.
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
    issued_on: str = ""
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
    mailbox: str = ""
    attached: tuple[str, ...] = ()
