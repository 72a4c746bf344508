"""The sections of a language's word list; each class mirrors one table of the TOML file."""

from __future__ import annotations

import msgspec

from mailbot.intake.statements.phrases import Phrases


class WordSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a word list: every key is known."""


NONE = Phrases()


class LabelWords(WordSection, frozen=True):
    """What stands before a value, or above its column. ``device`` are words for the unit itself."""

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
    between: Phrases = NONE


class SerialWords(WordSection, frozen=True):
    """What is said of a serial: ``not_this`` before it, ``wrong`` behind it, ``fine`` and ``example`` in its clause.

    ``through`` stands between the first and the last serial of a range; ``all`` speaks of several units at once, ``only`` of no
    other than this. ``first`` to ``last`` and ``middle`` speak of units by their rank, ``chosen`` of some among them,
    ``same`` of the fault of
    the one before; ``good`` is what a table says of a sound one.
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
    """What tells a reason from courtesy. ``failing`` and ``parts`` mark one; ``asking`` and ``telling`` are no reason.

    ``vague`` says that a unit does not work and no more; ``trouble`` ("a problem") says something only of a part that is
    named with it. ``paperwork`` is what fails without the unit failing: a form, a parcel, the writer's time. ``neutral`` is
    what is said of a sound unit as well: where it stands, when it was bought, whose it is.
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


class SymptomWords(WordSection, frozen=True):
    """The failures that can be compared with the registry's ``repair_failure`` (AP-22, AP-24)."""

    no_power: Phrases = NONE
    no_boot: Phrases = NONE
    no_video: Phrases = NONE
    display: Phrases = NONE
    usb: Phrases = NONE
    network: Phrases = NONE
    serial_port: Phrases = NONE
    storage: Phrases = NONE
    memory: Phrases = NONE
    expansion: Phrases = NONE
    audio: Phrases = NONE
    overheating: Phrases = NONE
    fan: Phrases = NONE
    reboots: Phrases = NONE
    freezes: Phrases = NONE
    clock: Phrases = NONE
    sleep: Phrases = NONE
    touch: Phrases = NONE
    outlet: Phrases = NONE
    breaker: Phrases = NONE
    measurement: Phrases = NONE
    noise: Phrases = NONE
    smoke: Phrases = NONE
    firmware: Phrases = NONE


class IntentWords(WordSection, frozen=True):
    """What is asked for.

    ``about`` are words around an RMA that ask for none; ``wants`` makes a question the wish for one.

    ``holds`` lets an order wait for the writer's word.

    ``other_model`` wants another product for this one, however it fares; ``either`` leaves repair or exchange to us.
    """

    rma: Phrases = NONE
    about: Phrases = NONE
    wants: Phrases = NONE
    credit: Phrases = NONE
    exchange: Phrases = NONE
    other_model: Phrases = NONE
    either: Phrases = NONE
    doa: Phrases = NONE
    rework: Phrases = NONE
    status: Phrases = NONE
    cancel: Phrases = NONE
    accept_quote: Phrases = NONE
    decline_quote: Phrases = NONE
    quote: Phrases = NONE
    question: Phrases = NONE
    accounts: Phrases = NONE
    elsewhere: Phrases = NONE
    thanks: Phrases = NONE
    holds: Phrases = NONE


class WithdrawalWords(WordSection, frozen=True):
    """What makes the words of a withdrawal none: ``perhaps`` asks about one, makes it depend, or denies it.

    ``bids`` asks us to do it: without such a word a question withdraws nothing.
    """

    perhaps: Phrases = NONE
    bids: Phrases = NONE


class ExclusionWords(WordSection, frozen=True):
    """``said``: phrases that state it. ``field``: names of form fields that ask for it."""

    said: Phrases = NONE
    field: Phrases = NONE


NOTHING = ExclusionWords()


class ExclusionWordLists(WordSection, frozen=True):
    """What the warranty does not cover, and the words that deny it or leave it open.

    ``hints`` are single words that may tell of one in a way that no phrase hears: a person reads the mail then (see ``doubts``).
    ``nobody`` denies every word of a list behind it. ``innocent`` are words that only sound like it ("liquid crystal");
    ``others`` tell it of another unit.
    """

    physical_damage: ExclusionWords = NOTHING
    liquid: ExclusionWords = NOTHING
    lightning_surge: ExclusionWords = NOTHING
    misuse: ExclusionWords = NOTHING
    modified: ExclusionWords = NOTHING
    serial_removed: ExclusionWords = NOTHING
    shipping_damage: ExclusionWords = NOTHING
    hints: Phrases = NONE
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


class SpecialRequestWords(WordSection, frozen=True):
    """Special wishes (AP-6, AP-12, AP-36 to AP-41), and another address for the way back."""

    rush: Phrases = NONE
    freight_account: Phrases = NONE
    insure_instruction: Phrases = NONE
    cod: Phrases = NONE
    advance_replacement: Phrases = NONE
    overseas: Phrases = NONE
    buy_extension: Phrases = NONE
    return_address: Phrases = NONE


class EmailPartWords(WordSection, frozen=True):
    """The frame of a letter. ``inline`` announces answers between the lines of ours, ``form`` is said in ours of its fields."""

    greetings: Phrases = NONE
    closings: Phrases = NONE
    inline: Phrases = NONE
    form: Phrases = NONE


class ShipmentWords(WordSection, frozen=True):
    """Shipments: ``carriers`` and their ``services``, what stands before a ``tracking`` number, and its ``forms``.

    ``forms`` are regular expressions, matched whole against capitals and digits without blanks. ``sent`` says that a unit is on
    its way to us, ``theirs`` that it is another shipment, ``future`` that it has not left yet; beside a shipment of other units
    ``stays`` says so too.
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
    """A purchase order as a document: ``attached`` says that it comes with the mail.

    ``grand`` and ``total`` label the sum that counts, ``partial`` other sums and counts. ``ours`` are the names of our own papers;
    ``quote`` stands before the number of the quote that is accepted.
    """

    attached: Phrases = NONE
    grand: Phrases = NONE
    total: Phrases = NONE
    partial: Phrases = NONE
    ours: Phrases = NONE
    quote: Phrases = NONE


class CaseUpdateWords(WordSection, frozen=True):
    """What customers write in a running case: more units, a corrected serial, a number to be renewed."""

    adds: Phrases = NONE
    corrects: Phrases = NONE
    renews: Phrases = NONE


class WorksheetWords(WordSection, frozen=True):
    """How a mail speaks of the sheets of a workbook, and what a sheet is called that is not the request."""

    word: Phrases = NONE
    first: Phrases = NONE
    second: Phrases = NONE
    third: Phrases = NONE
    rest: Phrases = NONE
    aside: Phrases = NONE
