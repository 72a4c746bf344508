"""Classification by vectors: an embedder and the small model on top of it."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mailbot.intake.statements.example_sentences import digest
from mailbot.model import Guess
from mailbot.model.statement import LABELS
from mailbot.runtime.classifier.classifier import LEAST, Answer
from mailbot.runtime.classifier.embedders import EndpointEmbedder, LocalEmbedder
from mailbot.runtime.classifier.kernel_model import KernelModel
from mailbot.runtime.resources import load_examples, packaged

if TYPE_CHECKING:
    from mailbot.runtime.classifier.classifier import ClassifierSettings, Question
    from mailbot.runtime.classifier.embedders import Embedder, Floats

MODEL_FILE = "model.npz"
"""The trained model, beside the packaged examples."""

_OWN_SHARE = 0.5
"""The similarity to an example of the company's own from which on its meaning counts as theirs."""


class VectorGuesser:
    """Classifies sentences by their vectors. The company's own examples correct the model."""

    def __init__(self, embedder: Embedder, model: KernelModel) -> None:
        self.embedder, self.model = embedder, model
        self._own: tuple[tuple[str, str], ...] = ()
        self._own_vectors: Floats = np.zeros((0, 0), dtype=np.float32)
        self._corrected = model

    @classmethod
    def local(cls) -> VectorGuesser:
        """Return the guesser with the packaged language model."""
        return cls(LocalEmbedder(), KernelModel.load(packaged("rules") / "examples" / MODEL_FILE))

    def answer(self, question: Question) -> Answer:
        """See ``service.Guesser``."""
        self._learn(question.own)
        vectors = self.embedder.embed(question.sentences)
        table = self._corrected.probabilities(vectors)
        nearest = self._corrected.nearest_own(vectors)
        guesses = {}
        for text, row, (index, similarity) in zip(question.sentences, table, nearest, strict=True):
            taught = self._own[index][0] if similarity >= _OWN_SHARE else ""
            guesses[text] = _guesses(row, taught)
        return Answer(guesses)

    def _learn(self, own: tuple[tuple[str, str], ...]) -> None:
        if own == self._own:
            return
        self._own = own
        labels = [label for label, _ in own]
        self._corrected = self.model.corrected(self.embedder.embed([text for _, text in own]), labels) if own else self.model


class LearningGuesser:
    """Classifies by the vectors of an endpoint, once it has learned the examples with them. Meanwhile it does not answer."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self.settings = settings
        self._found: VectorGuesser | None = None
        self._problem = ""
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def answer(self, question: Question) -> Answer:
        """See ``service.Guesser``."""
        if self._found is None and not self._thread.is_alive():
            self._thread = threading.Thread(target=self._train, daemon=True)
            self._thread.start()
        if self._found is None:
            return Answer(problem=self._problem or f"{self.settings.url}: the examples are being learned, which takes minutes.")
        return self._found.answer(question)

    def _train(self) -> None:
        embedder = EndpointEmbedder(self.settings)
        try:
            self._found = VectorGuesser(embedder, trained(embedder, Path(self.settings.folder)))
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
    name = hashlib.sha256(f"{digest(examples)} {embedder.name}".encode()).hexdigest()
    path = folder / f"examples-{name[:16]}.npz"
    if path.is_file():
        try:
            return KernelModel.load(path)
        except (OSError, ValueError, KeyError):
            path.unlink(missing_ok=True)
    model = KernelModel.trained(embedder.embed([each.text for each in examples]), [each.label for each in examples], name)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    model.save(part)
    part.replace(path)
    return model
