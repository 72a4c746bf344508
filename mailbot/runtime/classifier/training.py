"""Train the packaged model after the packaged examples have changed: ``python -m mailbot.runtime.classifier.training``.

With ``check``, the examples that contradict the others are found as well.

It takes minutes and a gigabyte. The vectors of sentences are kept in a file, so that only new sentences are embedded.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mailbot.intake.statements.example_sentences import digest
from mailbot.model.statement import LABELS, STATEMENT_CLASSES
from mailbot.runtime.classifier.embedders import LocalEmbedder
from mailbot.runtime.classifier.kernel_model import KernelModel
from mailbot.runtime.classifier.vector_guesser import MODEL_FILE
from mailbot.runtime.resources import DOUBTS, load_examples, packaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.intake.statements.example_sentences import Example
    from mailbot.runtime.classifier.embedders import Floats


def train(vectors_file: Path | None = None, *, check: bool = False) -> Path:
    """Train the model on the packaged examples and write it beside them. Return its path.

    ``check``: also write down the examples that contradict the others, which takes ten times as long.
    """
    examples = load_examples()["packaged"]
    known: dict[str, np.ndarray] = {}
    if vectors_file and vectors_file.is_file():
        with np.load(vectors_file, allow_pickle=False) as arrays:
            known = dict(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))
    embedder = LocalEmbedder()
    missing = [each.text for each in examples if each.text not in known]
    known |= dict(zip(missing, embedder.embed(missing) if missing else (), strict=True))
    if vectors_file:
        np.savez(vectors_file, texts=np.array(list(known)), vectors=np.array(list(known.values()), dtype=np.float32))
    vectors = np.array([known[each.text] for each in examples], dtype=np.float32)
    labels = [each.label for each in examples]
    folder = packaged("rules") / "examples"
    model = KernelModel.trained(vectors, labels, digest(examples))
    model.save(folder / MODEL_FILE)
    if check:
        (folder / DOUBTS).write_text("".join(f"{line}\n" for line in _doubts(examples, vectors, labels)), encoding="utf-8")
    return folder / MODEL_FILE


_FOLDS = 10
_LEAST, _OTHER = 0.1, 0.8
"""An example contradicts others if without it its own class gets less than the first probability, and another the second."""


def _doubts(examples: tuple[Example, ...], vectors: Floats, labels: list[str]) -> Iterator[str]:
    """Yield the examples that contradict the others, by cross-validation."""
    for fold in range(_FOLDS):
        held = np.arange(len(labels)) % _FOLDS == fold
        rest = [label for label, is_held in zip(labels, held, strict=True) if not is_held]
        table = KernelModel.trained(vectors[~held], rest, "").probabilities(vectors[held])
        for index, row in zip(np.flatnonzero(held), table, strict=True):
            name = labels[index].partition(" ")[0]
            best = STATEMENT_CLASSES[int(row[: len(STATEMENT_CLASSES)].argmax())]
            if row[LABELS.index(name)] < _LEAST and row[LABELS.index(best)] > _OTHER:
                yield f"{examples[index].row}: without it, {best} ({row[LABELS.index(best)]:.0%})"


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "check"]
    sys.stdout.write(f"{train(Path(arguments[0]) if arguments else None, check='check' in sys.argv)}\n")
