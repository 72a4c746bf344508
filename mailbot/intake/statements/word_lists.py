"""The word lists: one TOML file per language, strictly validated. Their entries are ``Phrases``."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec

from mailbot.intake.statements import word_sections as tables
from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_sections import NONE, CommandLists, PhraseLists
from mailbot.intake.text.normalize import normalize
from mailbot.model import Finding, SpecialRequest
from mailbot.strict_toml import ConfigError, line_of, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class WordsError(ConfigError):
    """A word list cannot be used. The text names the file, the key, and the closest known key."""


class LanguageWords(tables.WordSection, frozen=True, eq=False):
    """The word list of one language. ``common`` words and accented ``letters`` identify the language."""

    common: Phrases = NONE
    letters: str = ""
    labels: tables.LabelWords = tables.LabelWords()
    serials: tables.SerialWords = tables.SerialWords()
    reasons: tables.ReasonWords = tables.ReasonWords()
    symptoms: PhraseLists[tables.Symptom] = PhraseLists()
    intents: PhraseLists[tables.IntentList] = PhraseLists()
    withdrawals: tables.WithdrawalWords = tables.WithdrawalWords()
    exclusions: tables.ExclusionWordLists = tables.ExclusionWordLists()
    wishes: PhraseLists[SpecialRequest] = PhraseLists()
    letter: tables.EmailPartWords = tables.EmailPartWords()
    staff: tables.StaffWords = tables.StaffWords()
    commands: CommandLists = CommandLists()
    parcels: tables.ShipmentWords = tables.ShipmentWords()
    orders: tables.PurchaseOrderWords = tables.PurchaseOrderWords()
    later: tables.CaseUpdateWords = tables.CaseUpdateWords()
    sheets: tables.WorksheetWords = tables.WorksheetWords()
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
        """Return the word lists to use: those of ``languages``, then the vocabularies of the ``possible`` languages.

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
        serials=tables.SerialWords(example=lexicon.serials.example, through=lexicon.serials.through),
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
_FINDINGS = PhraseLists[Finding]
_PATH = re.compile(r"at `\$\.(?P<where>[^`]*)`")


def _lexicon(name: str, text: str) -> LanguageWords:
    try:
        return msgspec.toml.decode(text, type=LanguageWords, dec_hook=_read)
    except msgspec.DecodeError as error:
        unknown = _UNKNOWN.search(str(error))
        if not unknown:
            match = _PATH.search(str(error))
            line = line_of(match["where"], text) if match else ""
            raise WordsError(f"{name}{line}: {error}") from error
        key, where = unknown["key"], unknown["where"] or ""
        path = f"{where}.{key}" if where else key
        raise WordsError(f"{name}{line_of(key, text)}: unknown key {path!r}{nearest(key, _keys(where))}") from error


def _keys(where: str) -> tuple[str, ...]:
    """Return the known keys of the table at this dotted path."""
    type_: Any = LanguageWords
    for part in filter(None, where.split(".")):
        type_ = _FINDINGS if part == "findings" else next(one.type for one in msgspec.structs.fields(type_) if one.name == part)
    return _names(type_) or type_.__struct_fields__


def _names(type_: Any) -> tuple[str, ...]:
    """Return the names of the lists of a ``PhraseLists`` type; empty if it is another type."""
    if type_ is CommandLists:
        return get_args(tables.CommandList)
    return get_args(get_args(type_)[0]) if get_origin(type_) is PhraseLists else ()


def _read(type_: Any, value: Any) -> Phrases | PhraseLists[Any]:
    if type_ is CommandLists and isinstance(value, dict):
        lists = _lists(type_, {name: phrases for name, phrases in value.items() if name != "findings"})
        findings = _lists(_FINDINGS, value.get("findings", {}), " - at `$.commands.findings`")
        return CommandLists(lists, PhraseLists(findings))
    return _phrases(value) if type_ is Phrases else PhraseLists(_lists(type_, value))


def _lists(type_: Any, table: Any, where: str = "") -> dict[Any, Phrases]:
    if not isinstance(table, dict):
        raise ValueError("expected a table of lists")  # noqa: TRY004 - msgspec adds the path to a ValueError
    if unknown := table.keys() - set(_names(type_)):
        raise ValueError(f"unknown field `{min(unknown)}`{where}")
    return {name: _phrases(phrases) for name, phrases in table.items()}


def _phrases(value: Any) -> Phrases:
    if not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
        raise ValueError("expected a list of words")
    for phrase in value:
        if phrase.count("(") != phrase.count(")") or not phrase.strip():
            raise ValueError(f"{phrase!r} is not a valid phrase: it is empty, or its parentheses do not match")
    return Phrases(value)
