"""The word lists and how they are read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.intake.desk import Desk
from mailbot.intake.plain import plain
from mailbot.intake.read import read
from mailbot.intake.serials import fold
from mailbot.intake.understand import understand
from mailbot.intake.words import Phrases, WordsError, load
from mailbot.model import Known, Mail

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
        ("[labels]\nserial = 'x'", "expected a list of words"),
        ("[labels]\nserial = ['(x']", "parentheses"),
        ("[labels", "words/en.toml"),
    ],
)
def test_a_slip_in_a_list_is_named(text: str, told: str) -> None:
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
    assert bool(Phrases([phrase]).search(plain(text))) is found


def test_serials_are_compared_without_blanks_hyphens_and_width() -> None:
    """ＡＨ２Ｆ, ah2f and AH-2F are one serial."""
    assert fold("ＡＨ２Ｆ 104-432\u200b") == fold("ah2f104432") == "AH2F104432"


@pytest.mark.parametrize(
    "piece",
    ["S/N ", ">", "On x wrote:\n", "S/N 1234567 ", ".", "没有摔过", "was not dropped, ", "serial\tfault\n", "'/"],
)
def test_R4_a_megabyte_of_one_pattern_costs_no_time(piece: str) -> None:
    """A megabyte of the same few characters is understood within a second."""
    desk = Desk("rma@maker.example", load(LISTS), serial_forms=(r"\d{7}",))
    header = b"From: a@acme.example\r\nTo: rma@maker.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    message = read(
        Mail(desk.address, header + (piece * (1_000_000 // len(piece))).encode(), datetime(2026, 1, 1, tzinfo=UTC)),
        desk,
    )
    understand(message, None, Known(), desk)
    begun = time.perf_counter()
    understand(message, None, Known(), desk)
    assert time.perf_counter() - begun < 1
