"""The sections of a language's word list; each class mirrors one table of the TOML file."""

from __future__ import annotations

import msgspec

from mailbot.intake.statements.phrases import Phrases


class WordSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a word list; unknown keys are errors."""


NONE = Phrases()


class LabelWords(WordSection, frozen=True):
    """Labels before a value or above its column. ``device`` are words for the unit itself."""

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
    """What is requested.

    ``about`` are phrases with "RMA" that do not request one; ``wants`` makes a question a request. ``holds`` means that
    an order waits for the writer's confirmation. ``other_model`` requests another product instead of this one, whatever
    its condition. ``either`` leaves the choice between repair and exchange to us.
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

    ``hints`` are single words that may indicate an exclusion in a way no phrase covers: a person then reviews the
    message (see ``uncertainty``). ``nobody`` denies every word of a list after it. ``innocent`` are phrases that only
    sound like one ("liquid crystal"). ``others`` means another unit.
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
    """Special requests (AP-6, AP-12, AP-36 to AP-41), and a different return address."""

    rush: Phrases = NONE
    freight_account: Phrases = NONE
    insure_instruction: Phrases = NONE
    cod: Phrases = NONE
    advance_replacement: Phrases = NONE
    overseas: Phrases = NONE
    buy_extension: Phrases = NONE
    return_address: Phrases = NONE


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
