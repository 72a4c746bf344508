"""Every phrase of the shipped lists is found where it is: the words that it is known by lose none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.growth import desk

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_sections import CommandLists, PhraseLists, WordSection
from mailbot.intake.text.normalize import normalize

WORDS = desk().words
FILES = Path(__file__).parents[2] / "rules" / "words"
LANGUAGES = sorted(path.stem for path in FILES.glob("*.toml"))
NO_PHRASES = {"forms"}
"""Keys whose values are regular expressions; tests/intake/test_words.py and test_mails.py cover them."""


def test_every_language_is_tried() -> None:
    """No language of the shipped word lists is left out."""
    assert len(LANGUAGES) >= 19
    assert sorted(WORDS.lexicons) == LANGUAGES


def lists(section: WordSection, name: str = "") -> Iterator[tuple[str, Phrases]]:
    """Yield all lists of a language by their dotted names."""
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if isinstance(value, Phrases):
            yield f"{name}{field.name}", value
        elif isinstance(value, PhraseLists):
            yield from ((f"{name}{field.name}.{key}", phrases) for key, phrases in value.lists.items())
            if isinstance(value, CommandLists):
                yield from ((f"findings.{key}", phrases) for key, phrases in value.findings.lists.items())
        elif isinstance(value, WordSection):
            yield from lists(value, f"{name}{field.name}.")


def said(phrase: str, *, most: bool) -> str:
    """Write a phrase out: with all that may be missing and the longest of each choice, or with the least and the first."""
    while group := re.search(r"\(([^()]*)\)([?*]?)", phrase):
        choice = group[1].split("|")
        chosen = max(choice, key=len) if most else choice[0] if not group[2] else ""
        phrase = phrase[: group.start()] + chosen + phrase[group.end() :]
    phrase = re.sub(r"(.)\?", r"\1" if most else "", phrase)
    wide = max(phrase) >= "⺀"
    phrase = phrase.replace("...", "" if wide else " xx yy " if most else " ").replace("*", "" if wide else "zz")
    return " ".join(phrase.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_found_where_it_is(language: str) -> None:
    """Each phrase of each list is found, at its shortest and at its longest, with other words around it."""
    tried, lost = 0, []
    for name, phrases in lists(WORDS.lexicons[language]):
        for phrase in phrases.phrases:
            for most in (False, True):
                tried += 1
                text = said(phrase, most=most)
                if not text or not phrases.search(normalize(f"« {text} »")):
                    lost.append((name, phrase, text))
    assert lost == []
    assert tried == 2 * sum(map(len, written(language)))
    assert tried > 1_000


def written(language: str) -> list[list[str]]:
    """All lists of a language as its file has them, read without mailbot's word list reader."""

    def values(table: dict[str, Any]) -> Iterator[list[str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from values(value)
            elif isinstance(value, list) and key not in NO_PHRASES:
                yield value

    return list(values(tomllib.loads((FILES / f"{language}.toml").read_text("utf-8"))))


@pytest.mark.parametrize(
    ("phrase", "least", "most"),
    [
        ("serial", "serial", "serial"),
        ("defe*", "defezz", "defezz"),
        ("fell ... (rack|benchtop)", "fell rack", "fell xx yy benchtop"),
        ("(a |the )*board", "board", "the board"),
        ("s/?n", "sn", "s/n"),
        ("my (own )?unit", "my unit", "my own unit"),
        ("时 ... (保|型号)", "时 保", "时 型号"),
    ],
)
def test_a_phrase_is_written_out(phrase: str, least: str, most: str) -> None:
    """The texts that the phrases are looked for in have no words missing and no doubled blanks."""
    assert (said(phrase, most=False), said(phrase, most=True)) == (least, most)


def test_the_longest_phrase_is_found() -> None:
    """Of two phrases that begin at one place the longer one counts; what stands over another is not found twice."""
    phrases = Phrases(["serial", "serial number", "number of"])
    assert phrases.spans("serial number of") == ((0, 13),)
    assert phrases.without("my serial number is") == "my   is"
    assert phrases.blanked("serial x") == "       x"
    assert phrases.end_at("serial x", 0) == 6
    assert phrases.end_at("a serial", 0) == -1
