"""What sentences say, as the pipeline asks for it: cached, and from a process of its own that may fail without harm.

The process embeds and classifies (``service``). If it dies, hangs, answers nonsense or has nothing to say, the sentences
stay unclassified, so that people read the emails. Then it rests before the next attempt: no email waits twice for it.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Self

import structlog

from mailbot.intake.statements.example_sentences import Example
from mailbot.model import Guess, Value
from mailbot.model.statement import LABELS
from mailbot.runtime.child_process import Watch, receive, send, start, stop

if TYPE_CHECKING:
    import subprocess

log = structlog.get_logger("mailbot")

Kind = Literal["local", "embeddings", "chat", "phrases"]

MAX_CACHED = 20_000
"""Sentences whose classes are remembered."""
MAX_ANSWER = 10_000_000
"""Maximum size of an answer, in bytes."""
START_SECONDS = 60.0
"""Timeout for the start of the process, in seconds."""
FIRST_REST, LONGEST_REST = 1.0, 60.0
"""Seconds without a new attempt after a failure: the first time, and at most."""
PREPARE_SECONDS = 600.0
"""How long ``prepare`` waits at most, in seconds."""
TRIAL = "Something is broken."
"""A sentence for trying whether the classifier works."""
LEAST = 0.02
"""The smallest probability of a guess that is kept."""

_OWN = 1.0
_LOCAL_SECONDS, _SECONDS_A_SENTENCE = 8.0, 0.5

_GRACE = 1.0
"""Seconds that the process may take longer than it was given, before it is stopped."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Environment of the process: threads of the model that wait for each other on a busy machine cost ten times as much."""
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Environment variables with the certificate authorities that an endpoint may need."""


class ClassifierSettings(Value, frozen=True):
    """How sentences are classified; sent to the process once, with the key of the endpoint.

    ``kind``: "local" (the packaged model), "embeddings" or "chat" (an endpoint with the interface of OpenAI at ``url``), or
    "phrases" (no classifier). ``timeout``: seconds for one email at an endpoint. ``folder``: where vectors of an endpoint are kept.
    """

    kind: Kind = "local"
    url: str = ""
    model: str = ""
    key: str = ""
    timeout: float = 10.0
    folder: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind}, {self.url}, {self.model})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Return the fields that Rich may print. Without this method it would print the key, too."""
        return [("kind", self.kind), ("url", self.url), ("model", self.model)]


class Question(Value, frozen=True):
    """Sentences to classify within some seconds, and the company's own examples as pairs of label and sentence."""

    sentences: tuple[str, ...]
    own: tuple[tuple[str, str], ...] = ()
    seconds: float = 10.0


class Answer(Value, frozen=True):
    """The guesses about sentences, by sentence; ``problem``: why some are missing, and how to fix it."""

    guesses: dict[str, tuple[Guess, ...]] = {}  # noqa: RUF012 - msgspec copies it for each instance
    problem: str = ""


class ClassifierProcess:
    """Classifies sentences in one process. Thread-safe. Close it when done.

    ``problem`` is empty, or says what is wrong with the classifier and how to fix it.
    """

    def __init__(self, settings: ClassifierSettings, module: str = "mailbot.runtime.classifier.service") -> None:
        self.settings, self._module = settings, module
        self.problem = ""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cache: OrderedDict[tuple[str, str], tuple[Guess, ...]] = OrderedDict()
        self._rest_until = self._rest = 0.0
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the process for good."""
        self._closing.set()
        if (process := self._process) is not None:
            process.kill()  # also while it works on a question
        with self._lock:
            self._stop()

    def prepare(self, own: Sequence[Example] = (), seconds: float = PREPARE_SECONDS) -> bool:
        """Start the process, and wait until it has learned what it needs. Return whether it classifies sentences now."""
        until = time.monotonic() + seconds
        self.classify([TRIAL], own)
        while self.problem and time.monotonic() < until and not self._closing.wait(max(0.1, self._rest_until - time.monotonic())):
            self.classify([TRIAL], own)
        return not self.problem

    def classify(self, sentences: Sequence[str], own: Sequence[Example] = ()) -> dict[str, tuple[Guess, ...]]:
        """Return the guesses about each masked sentence that could be classified; it never raises an error.

        A sentence seen before costs nothing. One that is an example of the company's own is what the example says.
        """
        taught = {_folded(example.text): example.label for example in own}
        found = {text: _certain(taught[_folded(text)]) for text in sentences if _folded(text) in taught}
        if self.settings.kind == "phrases":
            return found
        digest = hashlib.sha256(repr(sorted(taught.items())).encode()).hexdigest() if taught else ""
        with self._lock:
            for text in sentences:
                if (digest, text) in self._cache:
                    self._cache.move_to_end((digest, text))
                    found.setdefault(text, self._cache[digest, text])
            missing = tuple(dict.fromkeys(text for text in sentences if text not in found))
            if missing:
                pairs = tuple((example.label, example.text) for example in own)
                for text, guesses in self._ask(Question(missing, pairs, self._seconds(missing))).items():
                    self._cache[digest, text] = found[text] = guesses
                while len(self._cache) > MAX_CACHED:
                    self._cache.popitem(last=False)
        return found

    # ------------------------------------------------------------ the process

    def _seconds(self, sentences: Sequence[str]) -> float:
        """Return how long the process may work on these sentences."""
        return _LOCAL_SECONDS + _SECONDS_A_SENTENCE * len(sentences) if self.settings.kind == "local" else self.settings.timeout

    def _ask(self, question: Question) -> dict[str, tuple[Guess, ...]]:
        """Have the process classify sentences; return nothing if it fails, takes too long, or rests after a failure."""
        if self._closing.is_set() or time.monotonic() < self._rest_until:
            return {}
        answer: Answer | None = None
        with suppress(Exception):  # whatever it is, the emails go to people
            process = self._running()
            assert process.stdin and process.stdout  # noqa: S101, PT018 - they are pipes
            with Watch(process, question.seconds + _GRACE):
                send(process.stdin, question)
                answer = receive(process.stdout, Answer, MAX_ANSWER)
        if answer is None or not _valid(answer, question):
            self._stop()
            self._fail("the process that classifies sentences failed or took too long; it is started again")
            return {}
        if answer.problem:
            self._fail(answer.problem)
        else:
            self._succeed()
        return answer.guesses

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the running process; start it if necessary. Raises OSError, EOFError, ValueError: it does not start."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self._process = process = start(self._module, environment=_environment())
            assert process.stdin and process.stdout  # noqa: S101, PT018 - they are pipes
            with Watch(process, START_SECONDS):
                send(process.stdin, self.settings)
                receive(process.stdout, bool, 1)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None

    def _fail(self, problem: str) -> None:
        self._rest = min(self._rest * 2 or FIRST_REST, LONGEST_REST)
        self._rest_until = time.monotonic() + self._rest
        if problem != self.problem:
            self.problem = problem
            log.warning("sentences are not classified; people read these emails", problem=problem)

    def _succeed(self) -> None:
        self._rest = self._rest_until = 0.0
        if self.problem:
            self.problem = ""
            log.info("sentences are classified again")


def _environment() -> dict[str, str]:
    return _ONE_THREAD | {name: os.environ[name] for name in _CERTIFICATES if name in os.environ}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".!")


def _certain(label: str) -> tuple[Guess, ...]:
    """Return the guesses about a sentence that is an example of the company's own."""
    name, _, sub_class = label.partition(" ")
    return (Guess(name, _OWN, own=True), *((Guess(label, _OWN, own=True),) if sub_class else ()))


def _valid(answer: Answer, question: Question) -> bool:
    """Return whether an answer is one to this question: a broken process may send anything."""
    return answer.guesses.keys() <= set(question.sentences) and all(
        guesses and all(guess.label in LABELS and 0 <= guess.probability <= 1 for guess in guesses)
        for guesses in answer.guesses.values()
    )
