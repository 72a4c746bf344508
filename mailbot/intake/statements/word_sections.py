"""The sections of a language's word list; each mirrors one table of the TOML file."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import msgspec

from mailbot.intake.statements.phrases import NO_WORD, Phrases, index_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailbot.model import Finding

NONE = Phrases()
Name = TypeVar("Name", bound=str)


class PhraseLists(Generic[Name]):
    """A table of a word list whose lists are chosen by name. A list that the table does not have is empty."""

    def __init__(self, lists: Mapping[Name, Phrases] | None = None) -> None:
        self.lists = dict(lists or {})

    def __getitem__(self, name: Name) -> Phrases:
        return self.lists.get(name, NONE)

    def spans(self, text: str) -> Iterator[tuple[Name, int, int]]:
        """Yield the phrases of each list in normalized text: the name of the list, start, and end."""
        words, names_of = self._index
        names = {name for word in words & index_words(text) for name in names_of[word]}.union(names_of[NO_WORD])
        for name in self.lists if names else ():
            if name in names:
                yield from ((name, start, end) for start, end in self.lists[name].spans(text))

    @cached_property
    def _index(self) -> tuple[frozenset[str], defaultdict[str, list[Name]]]:
        """The words that phrases require, and the names of the lists with such phrases by word."""
        names_of: defaultdict[str, list[Name]] = defaultdict(list)
        for name, phrases in self.lists.items():
            for word in phrases.required_words:
                names_of[word].append(name)
        return frozenset(names_of), names_of


class WordSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a word list; unknown keys are errors."""


class LabelWords(WordSection, frozen=True):
    """Labels before a value or above its column. ``device`` are words for the unit itself, ``row`` numbers the rows."""

    serial: Phrases = NONE
    device: Phrases = NONE
    reason: Phrases = NONE
    model: Phrases = NONE
    order: Phrases = NONE
    purchase_order: Phrases = NONE
    rma: Phrases = NONE
    support_case: Phrases = NONE
    revision: Phrases = NONE
    other: Phrases = NONE
    row: Phrases = NONE
    between: Phrases = NONE


class SerialWords(WordSection, frozen=True):
    """Statements about a serial number.

    ``not_this`` comes before it and ``wrong`` after it; ``fine`` and ``example`` are in its clause. ``through`` is
    between the first and the last one of a range. ``all`` refers to several units at once, ``only`` to no other than
    this. ``first`` to ``last`` and ``middle`` refer to units by rank, ``chosen`` to some of them, and ``same`` to the
    fault of the one before. ``good`` is what a table says about a working unit.
    """

    not_this: Phrases = NONE
    wrong: Phrases = NONE
    fine: Phrases = NONE
    example: Phrases = NONE
    aside: Phrases = NONE
    handled: Phrases = NONE
    through: Phrases = NONE
    all: Phrases = NONE
    only: Phrases = NONE
    first: Phrases = NONE
    second: Phrases = NONE
    third: Phrases = NONE
    last: Phrases = NONE
    middle: Phrases = NONE
    chosen: Phrases = NONE
    same: Phrases = NONE
    good: Phrases = NONE


class ReasonWords(WordSection, frozen=True):
    """Words that distinguish a reason from courtesies.

    ``failing`` and ``parts`` indicate a reason; ``asking`` and ``telling`` do not. ``vague`` says only that a unit does
    not work. ``trouble`` ("a problem") counts only together with a part. ``paperwork`` is something other than the unit
    that fails: a form, a parcel, the writer's time. ``neutral`` is also said about working units: where they are, when
    they were bought, and whose they are.
    """

    failing: Phrases = NONE
    negations: Phrases = NONE
    parts: Phrases = NONE
    vague: Phrases = NONE
    trouble: Phrases = NONE
    paperwork: Phrases = NONE
    asking: Phrases = NONE
    telling: Phrases = NONE
    neutral: Phrases = NONE
    motives: Phrases = NONE


Symptom = Literal[
    "no_power", "no_boot", "no_video", "display", "usb", "network", "serial_port", "storage", "memory", "expansion", "audio",
    "overheating", "fan", "reboots", "freezes", "clock", "sleep", "touch", "outlet", "breaker", "measurement", "noise", "smoke",
    "firmware",
]  # fmt: skip
"""The failures that can be compared with the registry's ``repair_failure`` (AP-22, AP-24)."""


IntentList = Literal[
    "rma", "about", "wants", "credit", "exchange", "other_model", "either", "doa", "rework", "status", "cancel", "accept_quote",
    "decline_quote", "quote", "question", "accounts", "elsewhere", "thanks", "holds",
]  # fmt: skip
"""What is requested.

``about`` are phrases with "RMA" that do not request one; ``wants`` makes a question a request. ``holds`` means that an
order waits for the writer's confirmation. ``other_model`` requests another product instead of this one, whatever its
condition. ``either`` leaves the choice between repair and exchange to us.
"""


class WithdrawalWords(WordSection, frozen=True):
    """Words that make a withdrawal uncertain.

    ``perhaps`` asks about one, makes it conditional, or denies it. ``bids`` asks us to do it: without such a word, a
    question withdraws nothing.
    """

    perhaps: Phrases = NONE
    bids: Phrases = NONE


class ExclusionWords(WordSection, frozen=True):
    """``said``: phrases that state the exclusion. ``field``: names of form fields that ask for it."""

    said: Phrases = NONE
    field: Phrases = NONE


NOTHING = ExclusionWords()


class ExclusionWordLists(WordSection, frozen=True):
    """What the warranty does not cover, and words that deny it or leave it open.

    ``nobody`` denies every word of a list after it. ``innocent`` are phrases that only
    sound like one ("liquid crystal"). ``others`` means another unit.
    """

    physical_damage: ExclusionWords = NOTHING
    liquid: ExclusionWords = NOTHING
    lightning_surge: ExclusionWords = NOTHING
    misuse: ExclusionWords = NOTHING
    modified: ExclusionWords = NOTHING
    serial_removed: ExclusionWords = NOTHING
    shipping_damage: ExclusionWords = NOTHING
    innocent: Phrases = NONE
    others: Phrases = NONE
    denied_before: Phrases = NONE
    denied_after: Phrases = NONE
    nobody: Phrases = NONE
    breaks: Phrases = NONE
    joins: Phrases = NONE
    supposed: Phrases = NONE
    asked: Phrases = NONE
    yes: Phrases = NONE
    no: Phrases = NONE


class EmailPartWords(WordSection, frozen=True):
    """The parts of an email around its content.

    ``inline`` announces replies between our lines. ``form`` is text in our messages about form fields.
    """

    greetings: Phrases = NONE
    closings: Phrases = NONE
    inline: Phrases = NONE
    form: Phrases = NONE


class ShipmentWords(WordSection, frozen=True):
    """Shipments.

    ``carriers`` and their ``services``; ``tracking`` are labels of tracking numbers, and ``forms`` their forms: regular
    expressions that match the whole number in uppercase without spaces. ``sent`` means that a unit is on its way to us,
    ``theirs`` that it is another shipment, and ``future`` that it has not shipped yet; next to a shipment of other
    units, ``stays`` means the same.
    """

    carriers: Phrases = NONE
    services: Phrases = NONE
    tracking: Phrases = NONE
    sent: Phrases = NONE
    theirs: Phrases = NONE
    future: Phrases = NONE
    stays: Phrases = NONE
    forms: tuple[str, ...] = ()


class PurchaseOrderWords(WordSection, frozen=True):
    """A purchase order as a document.

    ``attached`` means that it is attached to the message. ``grand`` and ``total`` label the relevant total, ``partial``
    other sums and counts. ``ours`` are the names of our own documents. ``quote`` comes before the number of the
    accepted quote.
    """

    attached: Phrases = NONE
    grand: Phrases = NONE
    total: Phrases = NONE
    partial: Phrases = NONE
    ours: Phrases = NONE
    quote: Phrases = NONE


class CaseUpdateWords(WordSection, frozen=True):
    """What customers write in an open case: more units, a corrected serial number, a renewal of the RMA."""

    adds: Phrases = NONE
    corrects: Phrases = NONE
    renews: Phrases = NONE


class WorksheetWords(WordSection, frozen=True):
    """References to the sheets of a workbook, and names of sheets that are not the request."""

    word: Phrases = NONE
    first: Phrases = NONE
    second: Phrases = NONE
    third: Phrases = NONE
    rest: Phrases = NONE
    aside: Phrases = NONE


class StaffWords(WordSection, frozen=True):
    """What staff write when they forward a request, or decide."""

    passed_on: Phrases = NONE
    decided: Phrases = NONE


CommandList = Literal[
    "approve", "go_ahead", "issue", "reject", "quote", "received", "diagnosed", "finding", "repaired", "not_repairable",
    "shipped", "ship_to", "extend", "hold", "close", "means", "note", "help", "confirm", "yes", "force", "polite", "filler",
    "follow", "goes_on", "speaks", "conditions", "contrast", "later", "past", "because", "denied", "nowhere", "doubts", "negations",
    "reported", "takes_back", "innocent", "dangling", "joins", "money", "fee", "total", "roughly", "out_of", "days", "weeks",
    "counts", "others", "strict", "diagnosed_follow", "nothing", "periods", "all", "own", "bids",
]  # fmt: skip
"""What staff write. A list named after a command has the words that it begins with.

- Decisions: ``approve`` states an approval, and ``go_ahead`` orders one. ``issue`` approves only in a reply,
  because forwarded requests say the same. ``bids`` asks the recipients for an approval. ``finding`` are findings
  that are commands by themselves, ``yes`` confirms if it is the whole message, and ``nothing`` begins like a
  command but is not one.
- After an approval: ``follow`` may come without a comma, ``goes_on`` is what may proceed, ``filler`` has no
  meaning, and ``because`` begins a reason. ``diagnosed_follow`` comes after "diagnosed".
- Limiting a decision: ``conditions`` (``strict`` also after a refusal), ``contrast``, ``later`` and ``past`` (a
  time other than now), ``doubts``, ``negations``, ``reported`` (what others say), ``others`` (who they are), and
  ``takes_back`` (in the next sentence). ``innocent`` only sounds like a limit. ``speaks`` sounds like a decision.
- Around a command: ``polite`` may precede it, ``own`` begins the writer's own statement, ``joins`` separates it
  from what is before it, and no line ends with a word of ``dangling``.
- Arguments: ``money`` and ``fee`` label an amount, ``total`` the sum, and ``roughly`` makes it uncertain.
  ``out_of`` is in "2 of 3"; ``all`` with a count excludes nothing; ``denied`` near serial numbers excludes some.
  ``nowhere`` after a finding denies it. ``days``, ``weeks``, and other ``periods``; ``counts`` are number words in
  order from one.
"""


class CommandLists(PhraseLists[CommandList]):
    """The lists of ``CommandList``, and those of the inspection findings (AP-14, AP-33, AP-46, ST-9, ST-14)."""

    def __init__(self, lists: Mapping[CommandList, Phrases] | None = None, findings: PhraseLists[Finding] | None = None) -> None:
        super().__init__(lists)
        self.findings = findings or PhraseLists()
