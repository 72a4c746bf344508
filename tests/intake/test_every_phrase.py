"""Every phrase of the shipped lists is found where it stands: the words that it is known by lose none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from support.growth import desk

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_lists import WordSection
from mailbot.intake.text.normalize import plain

WORDS = desk().words


def lists(section: WordSection, name: str = "") -> Iterator[tuple[str, Phrases]]:
    """Yield all lists of a language by their dotted names."""
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if isinstance(value, Phrases):
            yield f"{name}{field.name}", value
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
    return phrase.replace("...", "" if wide else " xx yy " if most else " ").replace("*", "" if wide else "zz")


@pytest.mark.parametrize("language", WORDS.lexicons)
def test_every_phrase_is_found_where_it_stands(language: str) -> None:
    """Each phrase of each list is heard, at its shortest and at its longest, with other words around it."""
    lost = [
        (name, phrase)
        for name, phrases in lists(WORDS.lexicons[language])
        for phrase in phrases.phrases
        for most in (False, True)
        if "  " not in (text := said(phrase, most=most)) and not phrases.search(plain(f"« {text} »"))
    ]
    assert not lost


def test_the_longest_phrase_is_found() -> None:
    """Of two phrases that begin at one place the longer one counts; what stands over another is not found twice."""
    phrases = Phrases(["serial", "serial number", "number of"])
    assert phrases.spans("serial number of") == ((0, 13),)
    assert phrases.without("my serial number is") == "my   is"
    assert phrases.blanked("serial x") == "       x"
    assert phrases.begins("serial x")
    assert not phrases.begins("a serial")
