"""Classification by vectors: an embedder and the small model on top of it."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from mailbot.intake.statements.example_sentences import digest
from mailbot.model import Guess
from mailbot.model.statement import LABELS
from mailbot.runtime.classifier.classifier import LEAST, Answer
from mailbot.runtime.classifier.embedders import EndpointEmbedder, KeptVectors, LocalEmbedder
from mailbot.runtime.classifier.kernel_model import GAMMA, RIDGE, KernelModel
from mailbot.runtime.resources import load_examples, packaged

if TYPE_CHECKING:
    from mailbot.runtime.classifier.classifier import ClassifierSettings, Question
    from mailbot.runtime.classifier.embedders import Embedder, Floats

MODEL_FILE = "model.npz"
"""The trained model, beside the packaged examples."""

LEARNING = "the examples are being learned, which takes minutes. `mailbot examples learn` does it once, before mailbot runs."

LEARN_SECONDS = 60.0
"""Timeout of a request while the examples are learned, in seconds: no email waits for it."""

_MODELS = 8
"""Corrected models that are remembered: mailboxes are taught different examples."""

_OWN_SHARE = 0.5
"""The similarity to an example of the company's own from which on its meaning counts as theirs."""


class VectorGuesser:
    """Classifies sentences by their vectors. The company's own examples correct the model."""

    def __init__(self, embedder: Embedder, model: KernelModel) -> None:
        self.embedder, self.model = embedder, model
        self._kept = KeptVectors(embedder)
        self._corrected: dict[tuple[tuple[str, str], ...], KernelModel] = {(): model}

    @classmethod
    def local(cls) -> VectorGuesser:
        """Return the guesser with the packaged language model."""
        return cls(LocalEmbedder(), KernelModel.load(packaged("rules") / "examples" / MODEL_FILE))

    def answer(self, question: Question) -> Answer:
        """See ``service.Guesser``."""
        until = time.monotonic() + question.seconds
        model = self._learned(question.own, question.seconds / 2)
        vectors = self.embedder.embed(question.sentences, until - time.monotonic())
        table = model.probabilities(vectors)
        nearest = model.nearest_own(vectors)
        guesses = {}
        for text, row, (index, similarity) in zip(question.sentences, table, nearest, strict=True):
            taught = question.own[index][0] if similarity >= _OWN_SHARE else ""
            guesses[text] = _guesses(row, taught)
        return Answer(guesses)

    def _learned(self, own: tuple[tuple[str, str], ...], seconds: float) -> KernelModel:
        """Return the model corrected by these examples. Raises OutOfTimeError, EndpointError: they are not all learned yet."""
        if own not in self._corrected:
            vectors = self._kept.embed([text for _, text in own], seconds)
            if len(self._corrected) > _MODELS:
                self._corrected = {(): self.model}
            self._corrected[own] = self.model.corrected(vectors, [label for label, _ in own])
        return self._corrected[own]


class LearningGuesser:
    """Classifies by the vectors of an endpoint, once it has learned the examples with them. Meanwhile it does not answer."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self.settings = settings
        self._found: VectorGuesser | None = None
        self._problem = ""
        self._learning = KeptVectors(EndpointEmbedder(structs.replace(settings, timeout=LEARN_SECONDS)))
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def answer(self, question: Question) -> Answer:
        """See ``service.Guesser``."""
        if self._found is None and not self._thread.is_alive():
            self._thread = threading.Thread(target=self._train, daemon=True)
            self._thread.start()
        if self._found is None:
            return Answer(problem=self._problem or f"{self.settings.url}: {LEARNING}")
        return self._found.answer(question)

    def _train(self) -> None:
        try:
            model = trained(self._learning, Path(self.settings.folder))
            self._found = VectorGuesser(EndpointEmbedder(self.settings), model)
            del self._learning  # nothing more is learned; its vectors need much memory
        except Exception as error:  # noqa: BLE001 - it is tried again with the next question
            self._problem = str(error) or type(error).__name__


def _guesses(row: Floats, taught: str) -> tuple[Guess, ...]:
    """Return the guesses of one sentence, the most likely first; those that an own example near it confirms are marked."""
    confirmed = {taught, taught.partition(" ")[0]} - {""}
    order = np.argsort(-row)
    return tuple(
        Guess(LABELS[column], round(float(row[column]), 4), own=LABELS[column] in confirmed)
        for column in order
        if row[column] >= LEAST
    )


def trained(embedder: Embedder, folder: Path) -> KernelModel:
    """Return the model for the vectors of an embedder, from a file in ``folder`` or trained now, which may take minutes.

    Raises EndpointError: the server cannot be used.
    """
    examples = load_examples()["packaged"]
    name = hashlib.sha256(f"{digest(examples)} {embedder.name} {GAMMA} {RIDGE}".encode()).hexdigest()
    path = folder / f"examples-{name[:16]}.npz"
    with suppress(Exception):  # a missing or damaged file is made
        return KernelModel.load(path)
    model = KernelModel.trained(embedder.embed([each.text for each in examples]), [each.label for each in examples], name)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.npz")  # other processes may learn as well
    model.save(part)
    part.replace(path)
    return model
