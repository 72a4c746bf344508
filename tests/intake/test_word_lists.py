"""The word lists and how they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.intake.entities.serials import serial_key
from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_lists import WordsError, load
from mailbot.intake.text.normalize import normalize

LISTS = {path.stem: path.read_text("utf-8") for path in (Path(__file__).parents[2] / "rules" / "words").glob("*.toml")}


def test_every_language_has_its_list() -> None:
    """Intake listens in nineteen languages."""
    codes = "cs da de en es fi fr hu it ja ko nl no pl pt ru sv tr zh"
    assert sorted(load(LISTS).lexicons) == codes.split()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[labels]\nserail = ['x']", "unknown key 'labels.serail' (did you mean 'serial'?)"),
        ("[label]\nserial = ['x']", "unknown key 'label'"),
        ("[exclusions.liquid]\nsiad = ['x']", "'exclusions.liquid.siad' (did you mean 'said'?)"),
        ("[symptoms]\nno_vidoe = ['x']", "'symptoms.no_vidoe' (did you mean 'no_video'?)"),
        ("[commands]\naprove = ['x']", "'commands.aprove' (did you mean 'approve'?)"),
        ("[commands.findings]\nnfp = ['x']", "'commands.findings.nfp' (did you mean 'npf'?)"),
        ("[commands]\napprove = 'x'", "expected a list of words"),
        ("symptoms = 1", "expected a table of lists"),
        ("[labels]\nserial = 'x'", "expected a list of words"),
        ("[labels]\nserial = ['(x']", "parentheses"),
        ("[labels", "words/en.toml"),
    ],
)
def test_an_error_in_a_list_is_named(text: str, told: str) -> None:
    """A misspelt key or a wrong value in a word list stops the start and says where it is."""
    with pytest.raises(WordsError, match=r"words/en\.toml") as caught:
        load({"en": text})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("drop*", "It DROPPED twice", True),
        ("fell ... (rack|table)", "it fell right off the old rack", True),
        ("fell ... (rack|table)", "it fell. The rack is fine", False),
        ("(we|i) modified", "I modified it", True),
        ("(a |the )*board", "a the board", True),
        ("gestürzt", "ist gestuerzt", True),
        ("numéro de série", "numero de serie", True),
        ("雷击", "遭雷擊", True),
        ("落下", "落下させました", True),
        ("serial", "serially", False),
    ],
)
def test_phrases_are_found_as_they_are_written(phrase: str, text: str, *, found: bool) -> None:
    """Case, accents, umlauts and traditional signs make no difference; word boundaries do."""
    assert bool(Phrases([phrase]).search(normalize(text))) is found


def test_serials_are_compared_without_blanks_hyphens_and_width() -> None:
    """ＡＨ２Ｆ, ah2f and AH-2F are one serial."""
    assert serial_key("ＡＨ２Ｆ 104-432\u200b") == serial_key("ah2f104432") == "AH2F104432"
