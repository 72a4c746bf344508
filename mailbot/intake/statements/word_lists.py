"""The word lists: one TOML file a language, read strictly. Their entries are ``Phrases``."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.staff_word_sections import CommandWords, StaffWords
from mailbot.intake.statements.word_sections import (
    CaseUpdateWords,
    EmailPartWords,
    ExclusionWordLists,
    IntentWords,
    LabelWords,
    NONE,
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
from mailbot.intake.text.normalize import plain
from mailbot.strict_toml import ConfigError, line_of, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class WordsError(ConfigError):
    """A word list that cannot be used; the text names the file, the key and the nearest word."""


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
