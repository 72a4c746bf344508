"""Limits of the classifier: own examples, slow or dishonest servers, and what a person sees of them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.fake_endpoint import endpoint

from mailbot.intake.statements.example_sentences import Example
from mailbot.runtime.classifier import kernel_model, vector_guesser
from mailbot.runtime.classifier.chat import CHOICES, UNCLEAR, ChatGuesser
from mailbot.runtime.classifier.classifier import ClassifierProcess, ClassifierSettings, Question
from mailbot.runtime.classifier.embedders import EndpointEmbedder, OutOfTimeError
from mailbot.runtime.classifier.endpoint import EndpointError, post
from mailbot.runtime.classifier.kernel_model import KernelModel
from mailbot.runtime.classifier.vector_guesser import VectorGuesser

if TYPE_CHECKING:
    from collections.abc import Sequence

FAKE = "support.fake_classifier"
SENTENCE = "It hums like a choir."
OWN = tuple(("stop hold", f"The committee number {number} thinks about it.") for number in range(100))


@pytest.fixture(autouse=True)
def tests_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))


def settings_of(url: str = "", kind: str = "chat", model: str = "m", timeout: float = 1.0) -> ClassifierSettings:
    return ClassifierSettings(kind, url=url, model=model, key="secret-key", timeout=timeout)  # type: ignore[arg-type]


class FakeEmbedder:
    """Vectors from nothing, slowly; it counts the sentences and fails on demand."""

    name = "fake"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.embedded, self.down = seconds, [0], False

    def embed(self, texts: Sequence[str], seconds: float = 0.0) -> np.ndarray:  # noqa: ARG002
        if self.down:
            raise EndpointError("the server is down")
        time.sleep(self.seconds)
        self.embedded.append(len(texts))
        return np.array([np.random.default_rng(list(text.encode())).normal(size=8) for text in texts], dtype=np.float32)


def guesser(embedder: FakeEmbedder) -> VectorGuesser:
    vectors = embedder.embed([f"example {number}" for number in range(20)])
    embedder.embedded.clear()
    return VectorGuesser(embedder, KernelModel.trained(vectors, ["failure"] * 10 + ["courtesy"] * 10, ""))


# ------------------------------------------------------------------ own examples


def test_many_own_examples_are_learned_over_several_questions() -> None:
    """A question ends in time; no example is embedded twice; until all are learned, nothing is classified without them."""
    embedder = FakeEmbedder(seconds=0.1)
    found = guesser(embedder)
    question = Question((SENTENCE,), OWN, seconds=0.3)
    refused = 0
    while True:
        begun = time.monotonic()
        try:
            answer = found.answer(question)
            break
        except OutOfTimeError:
            refused += 1
            assert time.monotonic() - begun < 2
            assert refused < 5
    assert refused
    assert answer.guesses.keys() == {SENTENCE}
    assert sum(embedder.embedded) == len(OWN) + 1


def test_own_examples_count_after_the_server_was_down() -> None:
    """A failure while they are embedded does not leave a model without them."""
    embedder = FakeEmbedder()
    found = guesser(embedder)
    question = Question((OWN[0][1],), OWN)
    embedder.down = True
    with pytest.raises(EndpointError):
        found.answer(question)
    embedder.down = False
    (guesses,) = found.answer(question).guesses.values()
    assert [(guess.label, guess.own) for guess in guesses[:2]] == [("stop", True), ("stop hold", True)]


def test_mailboxes_with_different_examples_take_turns_at_no_cost() -> None:
    """What one mailbox was taught says nothing at the other, and is not embedded again."""
    embedder = FakeEmbedder()
    found = guesser(embedder)
    text = OWN[0][1]
    for _ in range(3):
        assert found.answer(Question((text,), OWN[:1])).guesses[text][0].own
        assert not found.answer(Question((text,), OWN[1:2])).guesses[text][0].own
    assert sum(embedder.embedded) == 2 + 6


# ------------------------------------------------------------------ servers


def test_a_redirect_is_not_followed() -> None:
    """Another server gets neither the key nor the sentence."""
    with endpoint() as other, endpoint() as server:
        server.fault, server.elsewhere = "302", f"{other.url}/chat/completions"
        with pytest.raises(EndpointError, match="302"):
            post(settings_of(server.url), "chat/completions", {"sentence": SENTENCE}, 1.0)
    assert not other.requests


def test_vectors_with_wrong_places_are_refused() -> None:
    """Vectors that cannot be assigned to the sentences are of no use."""
    with endpoint() as server:
        server.fault = "index"
        with pytest.raises(EndpointError, match="one vector for each of 2"):
            EndpointEmbedder(settings_of(server.url, "embeddings")).embed(["a", "b"])


def test_a_slow_chat_server_costs_only_the_late_sentences() -> None:
    """What was answered in time counts; the process is not killed, and the problem is named."""
    sentences = [f"{SENTENCE} {number}" for number in range(20)]
    with endpoint() as server, ClassifierProcess(settings_of(server.url, timeout=1.5)) as classifier:
        server.fault = "delay"
        begun = time.monotonic()
        found = classifier.classify(sentences)
        assert time.monotonic() - begun < 1.5 + 1 + 3  # the start of the process included
        assert 4 <= len(found) < 20
        assert server.url in classifier.problem
        assert classifier._process is not None
        assert classifier._process.poll() is None


def test_a_chat_server_may_answer_that_a_sentence_is_unclear() -> None:
    """Then the sentence is not classified; that is not a problem."""
    with endpoint() as server:
        server.said[SENTENCE] = UNCLEAR
        answer = ChatGuesser(settings_of(server.url)).answer(Question((SENTENCE,), seconds=1.0))
    assert (answer.guesses, answer.problem) == ({}, "")
    assert UNCLEAR not in CHOICES


def test_a_truncated_model_is_learned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was cut off is replaced; what remains in the folder is one file."""
    examples = tuple(Example("failure", "", "en", f"the screen {n} is black") for n in range(20))
    monkeypatch.setattr(vector_guesser, "load_examples", lambda: {"packaged": examples})
    first = vector_guesser.trained(FakeEmbedder(), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    assert vector_guesser.trained(FakeEmbedder(), tmp_path).digest == first.digest
    assert [*tmp_path.iterdir()] == [file]
    assert KernelModel.load(file).digest == first.digest


# ------------------------------------------------------------------ the process


@pytest.mark.parametrize("fault", ["lie", "label", "other"])
def test_a_process_that_answers_nonsense_is_stopped(fault: str) -> None:
    """The problem is named, and the next attempt is made with a new process."""
    with ClassifierProcess(settings_of(kind="embeddings", model=fault), module=FAKE) as classifier:
        assert classifier.classify([SENTENCE]) == {}
        assert "started again" in classifier.problem
        assert classifier._process is None


def test_it_gets_one_thread_and_the_certificate_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is many times slower with several threads on a busy machine. Other variables stay with mailbot."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("RMA_PASSWORD", "canary" + "-3d1")
    with ClassifierProcess(settings_of(kind="embeddings", model=""), module=FAKE) as classifier:
        classifier.classify([SENTENCE])
        assert classifier._process is not None
        found = Path(f"/proc/{classifier._process.pid}/environ").read_text(encoding="utf-8").split("\0")
    names = {each.partition("=")[0] for each in found if each}
    assert names == {"PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SSL_CERT_FILE"}


def test_a_sentence_that_cannot_be_encoded_harms_nothing() -> None:
    """Nothing is raised, and other sentences are classified afterwards."""
    with ClassifierProcess(settings_of(kind="embeddings", model=""), module=FAKE) as classifier:
        assert classifier.classify(["half a \ud800 character"]) == {}
        assert classifier.prepare(seconds=10)
        assert classifier.classify([SENTENCE])


def test_prepare_waits_until_the_process_works() -> None:
    """It returns False if that takes too long; closing ends the waiting, and stops what works on a question."""
    with ClassifierProcess(settings_of(kind="embeddings", model=""), module=FAKE) as classifier:
        assert classifier.prepare()
    with ClassifierProcess(settings_of(kind="embeddings", model="die"), module=FAKE) as classifier:
        assert not classifier.prepare(seconds=0.5)
    classifier = ClassifierProcess(settings_of(kind="embeddings", model="hang", timeout=60), module=FAKE)
    waiting = threading.Thread(target=classifier.prepare)
    waiting.start()
    while classifier._process is None:
        time.sleep(0.01)
    pid = classifier._process.pid
    time.sleep(1)
    classifier.close()
    waiting.join(5)
    assert not waiting.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_key_is_not_shown() -> None:
    """Whatever prints the settings shows no secret."""
    found = settings_of("http://127.0.0.1:9/v1")
    assert "secret" not in f"{found!r} {found!s} {found.__rich_repr__()}"


def test_the_model_is_solved_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is that of numpy, which would need five times the memory: an endpoint's model would not fit."""
    monkeypatch.setattr(kernel_model, "_BLOCK", 64)
    points = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    kernel = np.exp(-0.5 * ((points[:, None] - points[None]) ** 2).sum(2)) + 0.07 * np.eye(300, dtype=np.float32)
    wanted = np.random.default_rng(2).choice([-1, 1], size=(300, 5)).astype(np.float32)
    expected = np.linalg.solve(kernel.astype(np.float64), wanted)
    assert np.abs(kernel_model.solved(kernel.astype(np.float32), wanted) - expected).max() < 1e-3
