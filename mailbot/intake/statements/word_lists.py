"""The word lists: one TOML file per language, strictly validated. Their entries are ``Phrases``."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.staff_word_sections import CommandWords, StaffWords
from mailbot.intake.statements.word_sections import (
    NONE,
    CaseUpdateWords,
    EmailPartWords,
    ExclusionWordLists,
    IntentWords,
    LabelWords,
    PurchaseOrderWords,
    ReasonWords,
    SerialWords,
    ShipmentWords,
    SpecialRequestWords,
    SymptomWords,
    WithdrawalWords,
    WordSection,
    WorksheetWords,
)
from mailbot.intake.text.normalize import normalize
from mailbot.strict_toml import ConfigError, line_of, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class WordsError(ConfigError):
    """A word list cannot be used. The text names the file, the key, and the closest known key."""


class LanguageWords(WordSection, frozen=True, eq=False):
    """The word list of one language. ``common`` words and accented ``letters`` identify the language."""

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
    """The word lists of all languages, by ISO 639-1 code."""

    def __init__(self, lexicons: Mapping[str, LanguageWords]) -> None:
        self.lexicons = dict(lexicons)
        self._vocabularies = {code: _vocabulary(lexicon) for code, lexicon in self.lexicons.items()}
        shared = Counter(normalize(word) for lexicon in self.lexicons.values() for word in set(lexicon.common.phrases))
        shared.update(Counter(letter for lexicon in self.lexicons.values() for letter in set(lexicon.letters)))
        self.shared = dict(shared)
        """The number of languages in which a word, or an accented letter, is common."""

    def of(self, *languages: str, possible: Iterable[str] = ()) -> tuple[LanguageWords, ...]:
        """Return the word lists to use: those of ``languages``, then the vocabularies of the ``perhaps`` languages.

        English is always included, because people mix it into other languages.
        """
        chosen = tuple(self.lexicons[code] for code in dict.fromkeys(languages) if code in self.lexicons)
        others = [code for code in dict.fromkeys((*possible, "en")) if code not in languages]
        return (*chosen, *(self._vocabularies[code] for code in others if code in self._vocabularies))

    @property
    def everything(self) -> tuple[LanguageWords, ...]:
        """All word lists, for text whose language is not known yet."""
        return tuple(self.lexicons.values())


def _vocabulary(lexicon: LanguageWords) -> LanguageWords:
    """Return a word list without grammar words: "no" denies in English and means "in the" in Portuguese."""
    replace = msgspec.structs.replace
    grammar = dict.fromkeys(("denied_before", "denied_after", "nobody", "breaks", "joins", "supposed", "asked", "yes", "no"), NONE)
    return replace(
        lexicon,
        labels=replace(lexicon.labels, between=NONE),
        serials=SerialWords(example=lexicon.serials.example, through=lexicon.serials.through),
        reasons=replace(lexicon.reasons, negations=NONE),
        exclusions=replace(lexicon.exclusions, **grammar),
    )


def load(texts: Mapping[str, str]) -> WordLists:
    """Load word lists from TOML texts by language code.

    Raises:
        WordsError: a text is not valid TOML, a key is unknown, or a value is not a list of words.
    """
    return WordLists({language: _lexicon(f"words/{language}.toml", text) for language, text in texts.items()})


_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `\$?\.?(?P<where>[^`]*)`)?")


_PATH = re.compile(r"at `\$\.(?P<where>[^`]*)`")


def _lexicon(name: str, text: str) -> LanguageWords:
    try:
        return msgspec.toml.decode(text, type=LanguageWords, dec_hook=_phrases)
    except msgspec.DecodeError as error:
        unknown = _UNKNOWN.search(str(error))
        if not unknown:
            match = _PATH.search(str(error))
            line = line_of(match["where"], text) if match else ""
            raise WordsError(f"{name}{line}: {error}") from error
        key, where = unknown["key"], unknown["where"] or ""
        path = f"{where}.{key}" if where else key
        raise WordsError(f"{name}{line_of(key, text)}: unknown key {path!r}{nearest(key, _keys(where))}") from error


def _keys(where: str) -> list[str]:
    """Return the known keys of the table at this dotted path."""
    type_: type[msgspec.Struct] = LanguageWords
    for part in filter(None, where.split(".")):
        type_ = next(field.type for field in msgspec.structs.fields(type_) if field.name == part)
    return [field.name for field in msgspec.structs.fields(type_)]


def _phrases(type_: type, value: Any) -> Phrases:
    if type_ is not Phrases or not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
        raise ValueError("expected a list of words")
    for phrase in value:
        if phrase.count("(") != phrase.count(")") or not phrase.strip():
            raise ValueError(f"{phrase!r} is not a valid phrase: it is empty, or its parentheses do not match")
    return Phrases(value)
