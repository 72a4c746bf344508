"""The word lists: one TOML file a language, read strictly. Their entries are ``Phrases``."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.text.normalize import plain
from mailbot.strict_toml import ConfigError, line_of, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class WordsError(ConfigError):
    """A word list that cannot be used; the text names the file, the key and the nearest word."""


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


class StaffWords(WordSection, frozen=True):
    """What staff write when they pass a request on, or decide."""

    passed_on: Phrases = NONE
    decided: Phrases = NONE


class FindingWords(WordSection, frozen=True):
    """What is found at inspection, in free text (AP-14, AP-33, AP-46, ST-9, ST-14)."""

    npf: Phrases = NONE
    abuse: Phrases = NONE
    transit_damage: Phrases = NONE
    not_esd_packed: Phrases = NONE
    bad_packaging: Phrases = NONE
    incomplete: Phrases = NONE
    not_like_new: Phrases = NONE


class CommandWords(WordSection, frozen=True):
    """What staff write. The lists named as a command hold the words that it begins with.

    - ``approve`` states an approval, ``go_ahead`` gives one as an order, ``issue`` does so only in an answer: a request that is
      passed on says the same. ``bids`` asks for one, from whom the mail is addressed to. ``finding`` are findings that are a
      command by themselves, ``yes`` what confirms as a whole mail, ``nothing`` what begins like a command and is none.
    - Behind an approval: ``follow`` may come without a comma, ``goes_on`` is what one may tell us to go ahead with, ``filler``
      says nothing, ``because`` begins a reason. ``diagnosed_follow`` comes behind "diagnosed".
    - Taking a decision back: ``conditions`` (``strict`` also behind a refusal), ``contrast``, ``later`` and ``past`` (another
      time than now), ``doubts``, ``negations``, ``reported`` (what others say) and ``others`` (who they are), ``takes_back`` (in
      the next sentence). ``innocent`` only sounds like it. ``speaks`` sounds like a decision.
    - Around a command: ``polite`` may stand before it, ``own`` begins what the writer says himself, ``joins`` sets it apart from
      what is before; no line ends with a word of ``dangling``.
    - Arguments: ``money`` and ``fee`` name an amount, ``total`` the sum, ``roughly`` makes it uncertain; ``out_of`` stands in
      "2 of 3", ``all`` beside a count that leaves out none; ``denied`` around serials leaves some out; ``nowhere`` behind a
      finding denies it; ``days``, ``weeks`` and other ``periods``, numbers spelled in ``counts``, in order from one.
    """

    approve: Phrases = NONE
    go_ahead: Phrases = NONE
    issue: Phrases = NONE
    reject: Phrases = NONE
    quote: Phrases = NONE
    received: Phrases = NONE
    diagnosed: Phrases = NONE
    finding: Phrases = NONE
    repaired: Phrases = NONE
    not_repairable: Phrases = NONE
    shipped: Phrases = NONE
    ship_to: Phrases = NONE
    extend: Phrases = NONE
    hold: Phrases = NONE
    close: Phrases = NONE
    note: Phrases = NONE
    help: Phrases = NONE
    confirm: Phrases = NONE
    yes: Phrases = NONE
    force: Phrases = NONE
    polite: Phrases = NONE
    filler: Phrases = NONE
    follow: Phrases = NONE
    goes_on: Phrases = NONE
    speaks: Phrases = NONE
    conditions: Phrases = NONE
    contrast: Phrases = NONE
    later: Phrases = NONE
    past: Phrases = NONE
    because: Phrases = NONE
    denied: Phrases = NONE
    nowhere: Phrases = NONE
    doubts: Phrases = NONE
    negations: Phrases = NONE
    reported: Phrases = NONE
    takes_back: Phrases = NONE
    innocent: Phrases = NONE
    dangling: Phrases = NONE
    joins: Phrases = NONE
    money: Phrases = NONE
    fee: Phrases = NONE
    total: Phrases = NONE
    roughly: Phrases = NONE
    out_of: Phrases = NONE
    days: Phrases = NONE
    weeks: Phrases = NONE
    counts: Phrases = NONE
    others: Phrases = NONE
    strict: Phrases = NONE
    diagnosed_follow: Phrases = NONE
    nothing: Phrases = NONE
    periods: Phrases = NONE
    all: Phrases = NONE
    own: Phrases = NONE
    bids: Phrases = NONE
    findings: FindingWords = FindingWords()


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


class LanguageWords(WordSection, frozen=True, eq=False):
    """One language's word list: ``common`` are the words and ``letters`` the letters by which the language is known."""

    common: Phrases = NONE
    letters: str = ""
    labels: LabelWords = LabelWords()
    serials: SerialWords = SerialWords()
    reasons: ReasonWords = ReasonWords()
    symptoms: SymptomWords = SymptomWords()
    intents: IntentWords = IntentWords()
    withdrawals: WithdrawalWords = WithdrawalWords()
    exclusions: ExclusionWordLists = ExclusionWordLists()
    wishes: SpecialRequestWords = SpecialRequestWords()
    letter: EmailPartWords = EmailPartWords()
    staff: StaffWords = StaffWords()
    commands: CommandWords = CommandWords()
    parcels: ShipmentWords = ShipmentWords()
    orders: PurchaseOrderWords = PurchaseOrderWords()
    later: CaseUpdateWords = CaseUpdateWords()
    sheets: WorksheetWords = WorksheetWords()
    spam: Phrases = NONE


class WordLists:
    """All languages' word lists, by ISO 639-1 code."""

    def __init__(self, lexicons: Mapping[str, LanguageWords]) -> None:
        self.lexicons = dict(lexicons)
        self._vocabularies = {code: _vocabulary(lexicon) for code, lexicon in self.lexicons.items()}
        shared = Counter(plain(word) for lexicon in self.lexicons.values() for word in set(lexicon.common.phrases))
        shared.update(Counter(letter for lexicon in self.lexicons.values() for letter in set(lexicon.letters)))
        self.shared = dict(shared)
        """In how many languages a word, or a letter with a mark, is common."""

    def of(self, *languages: str, perhaps: Iterable[str] = ()) -> tuple[LanguageWords, ...]:
        """The lists to listen with: those of the languages, then the vocabulary of those that it may be as well.

        Everybody mixes in English.
        """
        chosen = tuple(self.lexicons[code] for code in dict.fromkeys(languages) if code in self.lexicons)
        others = [code for code in dict.fromkeys((*perhaps, "en")) if code not in languages]
        return (*chosen, *(self._vocabularies[code] for code in others if code in self._vocabularies))

    @property
    def everything(self) -> tuple[LanguageWords, ...]:
        """All lists: for what is found before the language is known."""
        return tuple(self.lexicons.values())


def _vocabulary(lexicon: LanguageWords) -> LanguageWords:
    """A language without its grammar: "no" denies in English and means "in the" in Portuguese."""
    replace = msgspec.structs.replace
    grammar = dict.fromkeys(
        ("denied_before", "denied_after", "nobody", "breaks", "joins", "supposed", "asked", "yes", "no"), NONE
    )
    return replace(
        lexicon,
        labels=replace(lexicon.labels, between=NONE),
        serials=SerialWords(example=lexicon.serials.example, through=lexicon.serials.through),
        reasons=replace(lexicon.reasons, negations=NONE),
        exclusions=replace(lexicon.exclusions, **grammar),
    )


def load(texts: Mapping[str, str]) -> WordLists:
    """Word lists from TOML texts by language code.

    Raises:
        WordsError: a text is no TOML, a key is unknown (the nearest known one is named), or a value is no list of words.
    """
    return WordLists({language: _lexicon(f"words/{language}.toml", text) for language, text in texts.items()})


_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `\$?\.?(?P<where>[^`]*)`)?")


_AT = re.compile(r"at `\$\.(?P<where>[^`]*)`")


def _lexicon(name: str, text: str) -> LanguageWords:
    try:
        return msgspec.toml.decode(text, type=LanguageWords, dec_hook=_phrases)
    except msgspec.DecodeError as error:
        unknown = _UNKNOWN.search(str(error))
        if not unknown:
            at = _AT.search(str(error))
            line = line_of(at["where"], text) if at else ""
            raise WordsError(f"{name}{line}: {error}") from error
        key, where = unknown["key"], unknown["where"] or ""
        path = f"{where}.{key}" if where else key
        raise WordsError(f"{name}{line_of(key, text)}: unknown key {path!r}{nearest(key, _keys(where))}") from error


def _keys(where: str) -> list[str]:
    """The keys that the table at this dotted path knows."""
    kind: type[msgspec.Struct] = LanguageWords
    for step in filter(None, where.split(".")):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == step)
    return [field.name for field in msgspec.structs.fields(kind)]


def _phrases(kind: type, value: Any) -> Phrases:
    if kind is not Phrases or not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
        raise ValueError("expected a list of words")
    for phrase in value:
        if phrase.count("(") != phrase.count(")") or not phrase.strip():
            raise ValueError(f"{phrase!r} is no phrase: empty, or its parentheses do not match")
    return Phrases(value)
