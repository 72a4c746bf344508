"""What the commands say about the classifier: the server is tried, nothing fails in silence, JSON stays JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.fake_endpoint import endpoint

from mailbot.intake.statements.example_sentences import Example
from mailbot.runtime.classifier import classifier as process_module
from mailbot.runtime.classifier import vector_guesser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Done

    Mailbot = Callable[..., Done]

NOWHERE = "http://127.0.0.1:9/v1"
EXAMPLES = tuple(Example("failure", "", "en", f"the screen number {n} is black") for n in range(20))


def reads_with(desk: Path, kind: str, url: str = "") -> None:
    """Set the classifier of a desk."""
    settings = desk / "mailbot.toml"
    server = f'url = "{url}"\nmodel = "m"\nkey_env = "READING_KEY"\ntimeout = 2\n' if url else ""
    text = settings.read_text(encoding="utf-8").replace("[folders]", f'[reading]\nclassifier = "{kind}"\n{server}\n[folders]', 1)
    settings.write_text(text, encoding="utf-8")


def line_of(done: Done, word: str) -> str:
    """The line of `mailbot check` about the classifier."""
    (found,) = (line for line in done.out.splitlines() if word in line)
    return found


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READING_KEY", "secret-key")


def test_check_says_what_leaves_the_machine(mailbot: Mailbot, desk: Path) -> None:
    """A chat server is asked about one sentence. Nothing is sent with --offline."""
    with endpoint() as server:
        reads_with(desk, "chat", server.url)
        said = line_of(mailbot("check"), "classifier:")
        assert said.startswith("ok")
        assert f"are sent to {server.url}" in said
        assert [body["messages"][1]["content"] for _, _, body in server.requests] == ['{"sentence": "Something is broken."}']
        assert "classifier:" not in mailbot("check", "--offline").out
        assert len(server.requests) == 1


@pytest.mark.parametrize(("kind", "word"), [("chat", "classifier:"), ("embeddings", NOWHERE)])
def test_a_server_that_is_down_is_a_problem(mailbot: Mailbot, desk: Path, kind: str, word: str) -> None:
    """The line names the server and what to check, and not the key."""
    reads_with(desk, kind, NOWHERE)
    done = mailbot("check")
    assert line_of(done, word).startswith("problem")
    assert "Check that the server runs" in line_of(done, word)
    assert "secret" not in done.out + done.err


def test_a_missing_key_is_a_problem(mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found offline as well."""
    reads_with(desk, "chat", NOWHERE)
    monkeypatch.delenv("READING_KEY")
    assert "READING_KEY is not set" in line_of(mailbot("check", "--offline"), "problem")


def test_phrases_alone_are_no_problem(mailbot: Mailbot, desk: Path) -> None:
    """The line says what follows; examples cannot be tested without a classifier."""
    reads_with(desk, "phrases")
    assert line_of(mailbot("check", "--offline"), "classifier:").startswith("ok")
    labeled = desk / "labeled.tsv"
    labeled.write_text("fine\t\ten\tIt works.\n", encoding="utf-8")
    done = mailbot("examples", "test", labeled)
    assert (done.code, "switched off" in done.err) == (1, True)


def test_examples_are_learned_before_mailbot_runs(mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`examples learn` writes the model once; other classifiers need none."""
    assert "needs no learning" in mailbot("examples", "learn").out
    monkeypatch.setattr(vector_guesser, "load_examples", lambda: {"packaged": EXAMPLES})
    with endpoint() as server:
        reads_with(desk, "embeddings", server.url)
        done = mailbot("examples", "learn")
        assert (done.code, done.out) == (0, f"learned with m at {server.url}\n")
        asked = len(server.requests)
        assert mailbot("examples", "learn").code == 0
        assert len(server.requests) == asked
        server.fault = "500"
        monkeypatch.setattr(vector_guesser, "load_examples", lambda: {"packaged": EXAMPLES[:10]})
        assert "answers 500" in mailbot("examples", "learn").err


def test_a_classifier_that_fails_during_a_test_is_an_error(
    mailbot: Mailbot, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentences without an answer are not counted as unsure."""
    monkeypatch.setattr("mailbot.commands.examples._PATIENCE", 0.1)
    monkeypatch.setattr(process_module, "FIRST_REST", 0.1)
    labeled = tmp_path / "labeled.tsv"
    labeled.write_text("courtesy\t\ten\tKind regards.\nfine\t\ten\tIt works.\n", encoding="utf-8")
    with endpoint() as server:
        reads_with(desk, "chat", server.url)
        totals = json.loads(mailbot("examples", "test", labeled, "--json").out)
        assert (totals["n"], totals["right"], totals["wrong"]) == (2, 1, 1)
        server.fault = "500"
        done = mailbot("examples", "test", labeled, "--json")
        assert (done.code, done.out) == (1, "")
        assert "answers 500" in done.err


def test_explain_writes_json_only_even_if_the_classifier_fails(mailbot: Mailbot, desk: Path) -> None:
    """The warning goes to standard error."""
    reads_with(desk, "chat", NOWHERE)
    mail = desk / "a.eml"
    text = "AH2F104432 has no video. The picture is full of bees."
    mail.write_text(f"From: kim@acme.example\nTo: rma@portwell.example\nSubject: x\nMessage-ID: <1@x>\n\n{text}\n", "utf-8")
    done = mailbot("explain", "--json", mail)
    assert [json.loads(line)["file"] for line in done.out.splitlines()] == ["a.eml"]
    assert "people read these emails" in done.err
