"""The small model on top of sentence vectors: kernel ridge regression with a Gaussian kernel, one output per class and sub-class.

The packaged model is trained on the packaged examples when they change (``python -m mailbot.runtime.classifier.training``),
because that takes half a minute. The examples of a company and those that staff taught are few: the model is corrected
for them when it starts (``corrected``), within milliseconds. Only numpy is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mailbot.model.statement import LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

GAMMA, RIDGE = 0.6, 0.07
"""The width of the kernel and the weight of the penalty. Both were chosen by cross-validation."""

SHARPNESS = 5.5
"""The factor from outputs to the exponents of the probabilities. It was chosen by cross-validation: see docs/intake.md."""

_CLASSES = [column for column, label in enumerate(LABELS) if " " not in label]
_SUB_CLASSES = [
    (LABELS.index(parent), [column for column, label in enumerate(LABELS) if label.startswith(f"{parent} ")])
    for parent in dict.fromkeys(label.partition(" ")[0] for label in LABELS if " " in label)
]
"""The columns of the outputs: those of the classes, and those of sub-classes with the column of their class."""

_BLOCK = 2_048
"""Rows of the kernel that are computed together, to bound the memory."""


@dataclass(frozen=True)
class KernelModel:
    """The examples' vectors, centered and of length 1, with the weights of each class.

    ``center`` has the shape (dimensions,), ``scaled`` (examples, dimensions) as whole numbers of 1/``unit``, ``weights``
    (examples, labels). ``digest`` names the examples and the embedder that it was trained with.
    """

    center: Floats
    scaled: NDArray[np.int8]
    unit: float
    weights: NDArray[np.float16]
    digest: str
    near: Floats | None = None
    corrections: Floats | None = None

    @classmethod
    def trained(cls, vectors: Floats, labels: Sequence[str], digest: str) -> KernelModel:
        """Return the model of these examples; ``labels`` are names of ``model.statement.LABELS``. Takes memory of examples²."""
        center = vectors.mean(0)
        points = _directions(vectors, center)
        unit = 127 / float(np.abs(points).max())
        scaled = np.round(points * unit).astype(np.int8)
        points = scaled.astype(np.float32) / unit
        kernel = np.empty((len(points), len(points)), dtype=np.float32)
        for block in _blocks(len(points)):
            kernel[block] = _kernel(points[block], points)
        kernel[np.diag_indices_from(kernel)] += RIDGE
        weights = solved(kernel, targets(labels))
        return cls(center, scaled, unit, weights.astype(np.float16), digest)

    def outputs(self, vectors: Floats) -> Floats:
        """Return the output of each label for each vector: about 1 if it fits, about -1 if not."""
        points = _directions(vectors, self.center)
        total = np.zeros((len(points), self.weights.shape[1]), dtype=np.float32)
        for start in range(0, len(self.scaled), _BLOCK):
            block = self.scaled[start : start + _BLOCK].astype(np.float32) / np.float32(self.unit)
            total += _kernel(points, block) @ self.weights[start : start + _BLOCK].astype(np.float32)
        if self.near is not None and self.corrections is not None:
            total += _kernel(points, self.near) @ self.corrections
        return total

    def corrected(self, vectors: Floats, labels: Sequence[str]) -> KernelModel:
        """Return the model with further examples: what it gets wrong on them is corrected there and near them."""
        if not len(vectors):
            return self
        points = _directions(vectors, self.center)
        kernel = _kernel(points, points)
        kernel[np.diag_indices_from(kernel)] += RIDGE
        corrections = np.linalg.solve(kernel, targets(labels) - self.outputs(vectors))
        return replace(self, near=points, corrections=corrections.astype(np.float32))

    def nearest_own(self, vectors: Floats) -> list[tuple[int, float]]:
        """Return the index of the nearest further example for each vector, and its similarity from 0 to 1."""
        if self.near is None:
            return [(0, 0.0)] * len(vectors)
        similar = _kernel(_directions(vectors, self.center), self.near)
        return [(int(row.argmax()), float(row.max())) for row in similar]

    def probabilities(self, vectors: Floats) -> Floats:
        """Return the probability of each label: that of a sub-class is part of that of its class."""
        return probabilities(self.outputs(vectors))

    def save(self, path: Path) -> None:
        """Write the model to a file of numpy arrays."""
        np.savez_compressed(
            path,
            center=self.center,
            scaled=self.scaled,
            weights=self.weights,
            unit=np.float64(self.unit),
            digest=np.array(self.digest),
        )

    @classmethod
    def load(cls, path: Path) -> KernelModel:
        """Read a model. Raises an error of any kind: the file is missing or damaged."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("center", "scaled", "weights")}
            return cls(unit=float(arrays["unit"]), digest=str(arrays["digest"]), **found)


def solved(kernel: Floats, wanted: Floats) -> Floats:
    """Return x with kernel x = wanted, for a positive definite kernel, whose memory is used for the calculation.

    This is a Cholesky decomposition in blocks. The solver of numpy needs five times the memory.
    """
    blocks = _blocks(len(kernel))
    for block in blocks:
        inverse = kernel[block, block] = np.linalg.inv(np.linalg.cholesky(kernel[block, block]))
        kernel[block.stop :, block] = kernel[block.stop :, block] @ inverse.T
        for rows in (each for each in blocks if each.start >= block.stop):
            kernel[rows, block.stop : rows.stop] -= kernel[rows, block] @ kernel[block.stop : rows.stop, block].T
    found = wanted.astype(np.float32)
    for block in blocks:
        found[block] = kernel[block, block] @ (found[block] - kernel[block, : block.start] @ found[: block.start])
    for block in reversed(blocks):
        found[block] = kernel[block, block].T @ (found[block] - kernel[block.stop :, block].T @ found[block.stop :])
    return found


def _blocks(size: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, size)) for start in range(0, size, _BLOCK)]


def targets(labels: Sequence[str]) -> Floats:
    """Return 1 for the class and the sub-class of each example, and -1 for all others."""
    wanted = [(label, label.partition(" ")[0]) for label in labels]
    return np.array([[1 if name in names else -1 for name in LABELS] for names in wanted], dtype=np.float32)


def probabilities(outputs: Floats) -> Floats:
    """Return probabilities: a softmax over the classes, and for sub-classes one within their class."""
    result = np.zeros_like(outputs)
    result[:, _CLASSES] = _softmax(outputs[:, _CLASSES])
    for parent, columns in _SUB_CLASSES:
        result[:, columns] = _softmax(outputs[:, columns]) * result[:, [parent]]
    return result


def _softmax(outputs: Floats) -> Floats:
    scaled = np.exp(SHARPNESS * (outputs - outputs.max(1, keepdims=True)))
    return np.asarray(scaled / scaled.sum(1, keepdims=True), dtype=np.float32)


def _directions(vectors: Floats, center: Floats) -> Floats:
    centered = vectors - center
    return np.asarray(centered / np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _kernel(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.exp(-GAMMA * np.maximum(0, 2 - 2 * first @ second.T)), dtype=np.float32)
