"""Letters with made-up facts, one for each thing a letter can say: with them templates are checked and looked at."""

from __future__ import annotations

from msgspec.structs import replace

from mailbot.reply.letter import ChargeLine, Contact, Letter, QuoteBlock, Said, UnitBlock

_COVERED = Said("X-1", "The unit is within its warranty.")
_CHARGED = Said("X-2", "The unit is out of warranty; the work is charged.")
_MISSING = Said("X-3", "A request needs the serial number and the reason for return of every unit.")
_REFUSED = Said("X-4", "Credit is given within the first days after delivery.")
_UNCLEAR = Said("X-5", "A person looks at what the rules do not settle.")

_ISSUE = UnitBlock(
    "SAMPLE-1", "issue", (_COVERED,), "Model One", "no video <after> the update", covered_until="1 May 2031"
)
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
_PLAIN = Letter(
    "answer",
    "Your request",
    "Sample Instruments",
    Contact("Sample Instruments Service", ("Phone: 555 0100", "service@sample.example")),
    greeting="Alex Sample",
    case_id="C-SAMPLE",
    informs=(Said("X-6", "Please pack the unit so that nothing can move in the box."),),
    policy_version="2031-04-01 (sample)",
)
_NUMBERED = replace(
    _PLAIN,
    number="N-SAMPLE",
    issued_on="8 April 2031",
    valid_until="8 May 2031",
    ship_to=("Sample Instruments", "1 Sample Street", "Attn: N-SAMPLE"),
)


def _answer(*units: UnitBlock, base: Letter = _PLAIN) -> Letter:
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
    why="The rules do not settle this request.",
)

SAMPLES: tuple[Letter, ...] = (
    _AUTHORIZED,
    _answer(_EXISTING, base=_NUMBERED),
    _answer(_ISSUE, replace(_ISSUE, serial="SAMPLE-7"), base=replace(_NUMBERED, greeting="")),
    _QUOTED,
    _ASKING,
    _answer(_ASK_SYMPTOM),
    _answer(_UNMATCHED),
    replace(_PLAIN, asks=("serial", "reason"), clauses=(_MISSING,)),
    replace(_PLAIN, asks=("po",), clauses=(_MISSING,)),
    _answer(_STAFF),
    replace(_PLAIN, clauses=(_UNCLEAR,)),
    _answer(_DECLINE),
    _answer(_ISSUE, _QUOTE, _ASK_REASON, _UNMATCHED, _STAFF, _DECLINE, base=replace(_NUMBERED, quote=_OFFER)),
    _answer(_QUOTE, _ASK_SERIAL, base=replace(_PLAIN, quote=_OFFER)),
    _answer(_STAFF, _DECLINE),
    replace(_AUTHORIZED, kind="reminder", about="number", days_left=7),
    replace(_ASKING, kind="reminder", about="asking", days_left=7, valid_until="20 April 2031"),
    replace(_answer(_UNMATCHED), kind="reminder", about="asking", valid_until="20 April 2031"),
    replace(_QUOTED, kind="reminder", about="quote", days_left=1),
    replace(_AUTHORIZED, kind="expired", ship_to=()),
    replace(_AUTHORIZED, kind="closed", about="number", ship_to=()),
    replace(_PLAIN, kind="closed"),
    replace(_ASKING, kind="closed", about="asking"),
    replace(_QUOTED, kind="closed", about="quote"),
    *(
        replace(_NOTICE, about=about)
        for about in ("held", "told", "undeliverable", "unreadable", "passed_on", "silent", "other")
    ),
    replace(_NOTICE, about="unreadable", units=(), clauses=(), quoted="", facts=(), sender="", why="", case_id=""),
)
