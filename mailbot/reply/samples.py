"""Sample emails, one for each thing that an email can say: the templates are checked and previewed with them."""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from mailbot.model import CommandName, RefusalReason, State
from mailbot.reply.email_content import (
    Bill,
    ChargeLine,
    ClauseSentence,
    CommandLine,
    ContactBlock,
    EmailContent,
    QuoteBlock,
    StaffAction,
    UnitBlock,
)

_COVERED = ClauseSentence("X-1", "The unit is within its warranty.")
_CHARGED = ClauseSentence("X-2", "The unit is out of warranty; the work is charged.")
_MISSING = ClauseSentence("X-3", "A request needs the serial number and the reason for return of every unit.")
_REFUSED = ClauseSentence("X-4", "Credit is given within the first days after delivery.")
_UNCLEAR = ClauseSentence("X-5", "Staff decide what the rules do not cover.")

_ISSUE = UnitBlock("SAMPLE-1", "issue", (_COVERED,), "Model One", "no video <after> the update", covered_until="1 May 2031")
_EXISTING = replace(_ISSUE, existing=True)
_QUOTE = UnitBlock("SAMPLE-2", "quote", (_CHARGED,), "Model Two", "liquid in the case")
_ASK_SERIAL = UnitBlock("", "ask", (_MISSING,), reason="does not start", asks=("serial",))
_ASK_REASON = UnitBlock("SAMPLE-3", "ask", (_MISSING,), "Model Three", asks=("reason",))
_ASK_SYMPTOM = UnitBlock("SAMPLE-8", "ask", (_MISSING,), reason="does not work", asks=("symptom",))
_UNMATCHED = UnitBlock("SAMPLE-4", "ask", (_MISSING,), reason="no link", asks=("known_serial",))
_STAFF = UnitBlock("SAMPLE-5", "staff", (_UNCLEAR,), "Model Five", "bent frame")
_DECLINE = UnitBlock("SAMPLE-6", "decline", (_REFUSED,), "Model Six", "ordered by mistake")

_OFFER = QuoteBlock(
    "Q-SAMPLE", (ChargeLine("Service", "EUR 10.00"), ChargeLine("Diagnosis", "EUR 5.00")), "EUR 15.00", "9 May 2031"
)
_PLAIN = EmailContent(
    "answer",
    "Your request",
    "Sample Instruments",
    ContactBlock("Sample Instruments Service", ("Phone: 555 0100", "service@sample.example")),
    greeting="Alex Sample",
    case_id="C-SAMPLE",
    informs=(ClauseSentence("X-6", "Please pack the unit so that nothing can move in the box."),),
    policy_version="2031-04-01 (sample)",
)
_NUMBERED = replace(
    _PLAIN, number="N-SAMPLE", valid_until="8 May 2031", ship_to=("Sample Instruments", "1 Sample Street", "Attn: N-SAMPLE")
)


def _answer(*units: UnitBlock, base: EmailContent = _PLAIN) -> EmailContent:
    asks = dict.fromkeys(ask for unit in units for ask in unit.asks)
    clauses = dict.fromkeys(said for unit in units for said in unit.says)
    return replace(base, units=units, asks=tuple(asks), clauses=tuple(clauses))


_QUOTED = _answer(_QUOTE, base=replace(_PLAIN, quote=_OFFER, asks=("po",)))
_ASKING = _answer(_ASK_SERIAL, _ASK_REASON)
_AUTHORIZED = _answer(_ISSUE, base=_NUMBERED)
_NOTICE = replace(
    _answer(_STAFF),
    kind="notice",
    subject="For your decision",
    greeting="",
    informs=(),
    facts=(("known to the registry", "yes"), ("days since delivery", "40")),
    quoted="Hello,\n\nplease take it back: {{ 7 * 7 }} <b>now</b>.\nAlex",
    sender="alex@sample.example",
    why="The rules do not cover this request.",
)

_REGULAR = ClauseSentence("X-7", "The repair was done as described in the policy.")
_OTHER = ClauseSentence("X-8", "This unit has another problem.")
_STATES: tuple[State, ...] = get_args(State)
_BILL = Bill((ChargeLine("Diagnosis", "EUR 5.00"),), "EUR 5.00")
_BILLS = Bill((ChargeLine("Diagnosis, SAMPLE-1", "EUR 5.00"), ChargeLine("Diagnosis, SAMPLE-7", "EUR 5.00")), "EUR 10.00")
_ONE = replace(_ISSUE, says=(_REGULAR,), covered_until="", state="received")
_TWO = replace(_ONE, serial="SAMPLE-7", model="", reason="")


def _progress(*units: UnitBlock, base: EmailContent = _NUMBERED) -> EmailContent:
    return replace(_answer(*units, base=base), kind="progress", asks=(), ship_to=())


_UNDER_WAY = tuple(
    replace(content, about=about)
    for about in (
        *("received", "charged", "parts_ordered", "parts_declined", "parts_lapsed", "unrepairable", "shipped"),
        *("withdrawn", "under_way", "status", "extended", "address", "ended", "other"),
    )
    for content in (
        _progress(_ONE),
        _progress(_ONE, _TWO),
        _progress(_ONE, replace(_TWO, says=(_OTHER,))),
        replace(_progress(base=_PLAIN), clauses=(_REGULAR,)),
        replace(_progress(replace(_ONE, says=(), asks=("reason",)), base=_PLAIN), clauses=(_REGULAR,)),
    )
)
"""The progress of a return: with one unit, several, several with separate sentences, none, and one without a sentence."""

_REASONS: tuple[RefusalReason, ...] = get_args(RefusalReason)
_COMMANDS: tuple[CommandName, ...] = get_args(CommandName)
_FLAWS = ("amount", "currency", "days", "reason", "address", "carrier", "other")
_DONE = CommandLine("RECEIVED", "received", "done", serials=("SAMPLE-1", "SAMPLE-7"))
_SECOND = CommandLine("QUOTE 900 EUR <for> parts", "quote", "second", "limit")
_NOT_DONE = CommandLine("SHIPPED by us", "shipped", "refused", "state", states=("received", "parts_quoted", "repaired"))
_CHOICES = tuple(
    StaffAction(command, f"mailto:desk+c-sample.0@sample.example?subject=Re%3A%20%5BC-SAMPLE%5D&body={command.split()[0]}")
    for command in (
        *("APPROVE", "REJECT reason", "QUOTE 0.00 EUR for", "RECEIVED", "DIAGNOSED:", "REPAIRED", "NOT REPAIRABLE"),
        *("SHIPPED carrier tracking", "EXTEND 14 days", "HOLD", "CLOSE"),
    )
)
_CONFIRM = (StaffAction("CONFIRM", "mailto:desk+c-sample.0@sample.example?subject=Re%3A%20%5BC-SAMPLE%5D&body=CONFIRM"),)
_TRANSCRIPT = replace(
    _PLAIN,
    kind="transcript",
    about="done",
    greeting="",
    informs=(),
    units=(replace(_ISSUE, state="received"), replace(_ASK_SERIAL, state="parts_quoted")),
    number="N-SAMPLE",
    quote=_OFFER,
    sender="alex@sample.example",
    command_results=(_DONE,),
    choices=_CHOICES,
)
_TRANSCRIPTS = (
    _TRANSCRIPT,
    replace(_TRANSCRIPT, command_results=tuple(CommandLine(name.upper(), name, "done") for name in _COMMANDS)),
    replace(_TRANSCRIPT, command_results=(CommandLine("HELP", "help", "done"),)),
    replace(_TRANSCRIPT, command_results=(_DONE, _NOT_DONE)),
    replace(_TRANSCRIPT, command_results=(_DONE, _SECOND)),
    replace(_TRANSCRIPT, command_results=(_SECOND,)),
    replace(_TRANSCRIPT, command_results=(_SECOND, _NOT_DONE)),
    replace(_TRANSCRIPT, command_results=tuple(CommandLine("APPROVE", "approve", "refused", reason) for reason in _REASONS)),
    replace(_TRANSCRIPT, command_results=tuple(CommandLine("QUOTE", "quote", "refused", "flaw", flaw=flaw) for flaw in _FLAWS)),
    replace(_TRANSCRIPT, about="confirm", choices=_CONFIRM, command_results=(replace(_DONE, result="asked", serials=()),)),
    *(
        replace(_TRANSCRIPT, about=about, command_results=(), quoted="Maybe we should\n\napprove <b>this</b>.")
        for about in ("unclear", "nothing")
    ),
    replace(_PLAIN, kind="transcript", about="done", command_results=(replace(_DONE, result="refused", reason="no_case"),)),
)

_TWO_UNITS = (_ISSUE, replace(_ISSUE, serial="SAMPLE-7"))
_TWO_UNKNOWN = (_UNMATCHED, replace(_UNMATCHED, serial="SAMPLE-7"))
_FEW_FACTS = (
    replace(_AUTHORIZED, valid_until="", informs=(), ship_to=()),
    _answer(_EXISTING, _STAFF, base=_NUMBERED),
    replace(_answer(_ISSUE, _STAFF, base=_NUMBERED), valid_until="", ship_to=()),
    _answer(*_TWO_UNKNOWN),
    _answer(_ASK_SERIAL, _ASK_REASON, _ASK_SYMPTOM),
    _answer(replace(_ASK_SERIAL, reason=""), _ASK_REASON),
    replace(_answer(*_TWO_UNITS, base=_NUMBERED), kind="reminder", about="number", days_left=2),
    replace(_answer(*_TWO_UNITS, base=_NUMBERED), kind="reminder", about="asking", asks=("known_serial",), units=_TWO_UNKNOWN),
    replace(_answer(*_TWO_UNITS, base=_NUMBERED), kind="reminder", about="quote", quote=_OFFER),
    replace(_answer(*_TWO_UNITS, base=_NUMBERED), kind="expired", ship_to=()),
    replace(_progress(replace(_ONE, state="authorized"), base=_PLAIN), about="status", valid_until=""),
    replace(_ASKING, kind="reminder", about="asking", valid_until=""),
    replace(_NOTICE, number="N-SAMPLE", valid_until="8 May 2031", choices=(StaffAction("NOTE", _CONFIRM[0].link),)),
    replace(_NOTICE, about="undeliverable", sender="", clauses=(), policy_version="", quoted=""),
    replace(_NOTICE, about="repair_due", units=(replace(_ONE, says=()), replace(_TWO, says=(), state=None))),
    replace(
        _TRANSCRIPT,
        about="confirm",
        choices=_CONFIRM,
        command_results=(replace(_DONE, result="asked"), replace(_SECOND, result="asked")),
        units=(replace(_ISSUE, model=""), replace(_ISSUE, serial="SAMPLE-7")),
    ),
    replace(_TRANSCRIPT, units=(), command_results=(), about="nothing", number="", quoted="", case_id=""),
    replace(_TRANSCRIPT, command_results=(CommandLine("DIAGNOSED", "diagnosed", "refused", "flaw", flaw="reason"),)),
)
"""Emails in which facts are missing, and emails with several units."""

SAMPLES: tuple[EmailContent, ...] = (
    _AUTHORIZED,
    _answer(_EXISTING, base=_NUMBERED),
    _answer(replace(_EXISTING, state="received"), base=replace(_NUMBERED, ship_to=())),
    _answer(_ISSUE, replace(_ISSUE, serial="SAMPLE-7"), base=replace(_NUMBERED, greeting="")),
    replace(_AUTHORIZED, credit="EUR 90.00", fee="EUR 7.00"),
    _QUOTED,
    replace(_QUOTED, about="parts"),
    replace(_answer(_QUOTE, replace(_QUOTE, serial="SAMPLE-9")), quote=_OFFER, about="parts"),
    _answer(_QUOTE),
    _ASKING,
    _answer(_ASK_SYMPTOM),
    _answer(_UNMATCHED),
    _answer(replace(_UNMATCHED, suggestion="SAMPLE-1")),
    replace(_PLAIN, asks=("serial", "reason"), clauses=(_MISSING,)),
    replace(_PLAIN, asks=("po",), clauses=(_MISSING,)),
    _answer(_STAFF),
    replace(_PLAIN, clauses=(_UNCLEAR,)),
    replace(_PLAIN, clauses=(_UNCLEAR,), why="We will read your message and reply."),
    _answer(_DECLINE),
    _answer(_ISSUE, _QUOTE, _ASK_REASON, _UNMATCHED, _STAFF, _DECLINE, base=replace(_NUMBERED, quote=_OFFER)),
    _answer(_QUOTE, _ASK_SERIAL, base=replace(_PLAIN, quote=_OFFER)),
    _answer(_QUOTE, _STAFF),
    replace(_answer(_QUOTE, _STAFF), quote=_OFFER, about="parts"),
    _answer(_STAFF, _DECLINE),
    *(replace(_AUTHORIZED, kind="reminder", about="number", days_left=days) for days in (7, 1, 0)),
    replace(_ASKING, kind="reminder", about="asking", days_left=7, valid_until="20 April 2031"),
    replace(_answer(_UNMATCHED), kind="reminder", about="asking", valid_until="20 April 2031"),
    replace(_QUOTED, kind="reminder", about="quote", days_left=1),
    replace(_AUTHORIZED, kind="expired", ship_to=()),
    replace(_AUTHORIZED, kind="closed", about="number", ship_to=()),
    replace(_PLAIN, kind="closed"),
    replace(_ASKING, kind="closed", about="asking"),
    replace(_QUOTED, kind="closed", about="quote"),
    *_UNDER_WAY,
    replace(_progress(_ONE), about="received", carrier="Sample Parcel"),
    replace(_progress(_ONE), about="shipped", carrier="Sample Parcel", tracking="1Z999AA10123456784"),
    replace(_progress(_ONE), about="under_way", carrier="Sample Parcel", tracking="1Z999AA10123456784"),
    replace(_progress(_ONE), about="charged", bill=_BILL),
    replace(_progress(_ONE, _TWO), about="parts_declined", bill=_BILLS),
    replace(_progress(*(replace(_ONE, serial=f"SAMPLE-{state}", state=state) for state in _STATES)), about="status"),
    replace(_progress(replace(_ONE, state="parts_quoted")), about="status", quote=_OFFER, bill=_BILL),
    replace(_progress(_ONE, base=_PLAIN), about="extended", quote=_OFFER),
    replace(_progress(_ONE), about="address", ship_to=("Sample Instruments East", "2 Sample Road"), attached=("label.pdf",)),
    *(
        replace(_NOTICE, about=about, choices=choices)
        for about in ("held", "told", "undeliverable", "unreadable", "passed_on", "silent", "other")
        for choices in ((), _CHOICES)
    ),
    replace(_NOTICE, about="unreadable", units=(), clauses=(), quoted="", facts=(), sender="", why="", case_id=""),
    replace(_NOTICE, about="forged", units=(), clauses=(), quoted="", sender="", case_id="", facts=(("arrived", "now"),)),
    replace(
        _NOTICE,
        about="held",
        quote=_OFFER,
        number="N-SAMPLE",
        facts=(("intent", "po"), ("wish", "advance_replacement"), ("purchase order", "4711: EUR 14.00")),
        choices=_CHOICES,
    ),
    replace(_NOTICE, about="held", questions=("It took a swim.",), choices=_CHOICES),
    replace(_NOTICE, about="held", questions=("It took a swim.", "Never mind."), choices=_CHOICES),
    replace(_NOTICE, about="told", units=(), quoted=""),
    replace(_NOTICE, about="passed_on", quoted="One line of many.\n" * 70),
    replace(_NOTICE, about="second", command_results=(_SECOND,), choices=_CHOICES[:2]),
    replace(_NOTICE, about="second", command_results=(_SECOND, _DONE), choices=_CHOICES[:2]),
    *(
        replace(_NOTICE, about=about, units=(_ONE, _TWO), quoted="", choices=_CHOICES[5:8])
        for about in ("repair_due", "repair_overdue")
    ),
    *_TRANSCRIPTS,
    *_FEW_FACTS,
)
