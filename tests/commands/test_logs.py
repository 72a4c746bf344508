"""The log: one escaped record for each thing that happens, whatever a stranger wrote (H6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import structlog

from mailbot.runtime.logs import as_json, configure, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "a\r\n2026 [error] forged\x1b[2J\x00\x7f\x85 \u202egnp.exe \u2028 \u200b \ud800 é 漢"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the logging of other tests alone."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_what_strangers_wrote_is_one_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A subject with line breaks, escapes and direction marks makes one line on standard error, and nothing on standard output."""
    configure()
    structlog.get_logger("mailbot").info("mail decided", subject=HOSTILE, sender=HOSTILE)
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    record = json.loads(line)
    assert record["event"] == "mail decided"
    assert record["subject"] == escaped(HOSTILE)
    assert not set(line) & set("\x1b\x00\x7f\x85\u202e\u2028\u200b")


def test_a_traceback_is_one_record_without_what_the_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception is logged on one line, with its place and not with the values of the moment (K1)."""
    configure()
    secret = "canary" + "-7f3a9c"
    try:
        [][len(secret)]
    except IndexError:
        structlog.get_logger("mailbot").exception("mail set aside")
    _, err = capsys.readouterr()
    [line] = err.splitlines()
    assert "IndexError" in json.loads(line)["exception"]
    assert "canary-7f3a9c" not in line


@pytest.mark.parametrize("text", ["plain", "é 漢字 Ω", "", "a'b\"c\\d"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Letters of every script are readable in the log."""
    assert escaped(text) == text


def test_json_is_readable_and_harmless() -> None:
    """JSON keeps letters as they are, escapes what could move a cursor, and means the same."""
    value = {"subject": HOSTILE.replace("\ud800", ""), "list": ["é", 1, None]}
    for indent in (None, 1):
        text = as_json(value, indent)
        assert json.loads(text) == value
        assert "漢" in text
        assert not set(text) & set("\x1b\x00\x7f\x85\u202e\u2028\u200b")
    assert len(as_json(value).splitlines()) == 1
