"""Train the packaged model: ``python -m mailbot.runtime.classifier.training``, after the packaged examples have changed.

It takes minutes and a gigabyte. The vectors of sentences are kept in a file, so that only new sentences are embedded.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mailbot.intake.statements.example_sentences import digest
from mailbot.runtime.classifier.embedders import LocalEmbedder
from mailbot.runtime.classifier.kernel_model import KernelModel
from mailbot.runtime.classifier.vector_guesser import MODEL_FILE
from mailbot.runtime.resources import load_examples, packaged


def train(vectors_file: Path | None = None) -> Path:
    """Train the model on the packaged examples and write it beside them. Return its path."""
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
    model = KernelModel.trained(vectors, [each.label for each in examples], digest(examples))
    path = packaged("rules") / "examples" / MODEL_FILE
    model.save(path)
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{train(Path(sys.argv[1]) if len(sys.argv) > 1 else None)}\n")
