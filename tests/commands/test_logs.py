"""The log has one escaped record per event, whatever untrusted text contains (H6)."""

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
def restore_logging() -> Iterator[None]:
    """Restore the logging configuration for other tests."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_untrusted_text_is_one_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A subject with line breaks and control characters gives one line on standard error, and nothing on standard output."""
    configure()
    structlog.get_logger("mailbot").info("email decided", subject=HOSTILE, sender=HOSTILE)
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    record = json.loads(line)
    assert record["event"] == "email decided"
    assert record["subject"] == escaped(HOSTILE)
    assert not set(line) & set("\x1b\x00\x7f\x85\u202e\u2028\u200b")


def test_a_traceback_is_one_record_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception is logged on one line, with its place but without the values of variables (K1)."""
    configure()
    secret = "canary" + "-7f3a9c"
    try:
        [][len(secret)]
    except IndexError:
        structlog.get_logger("mailbot").exception("email failed")
    _, err = capsys.readouterr()
    [line] = err.splitlines()
    assert "IndexError" in json.loads(line)["exception"]
    assert "canary-7f3a9c" not in line


@pytest.mark.parametrize("text", ["plain", "é 漢字 Ω", "", "a'b\"c\\d"])
def test_ordinary_text_is_not_changed(text: str) -> None:
    """Letters of every script stay readable in the log."""
    assert escaped(text) == text


def test_json_is_readable_and_safe() -> None:
    """JSON keeps letters, escapes characters that could move the cursor, and has the same value."""
    value = {"subject": HOSTILE.replace("\ud800", ""), "list": ["é", 1, None]}
    for indent in (None, 1):
        text = as_json(value, indent)
        assert json.loads(text) == value
        assert "漢" in text
        assert not set(text) & set("\x1b\x00\x7f\x85\u202e\u2028\u200b")
    assert len(as_json(value).splitlines()) == 1
