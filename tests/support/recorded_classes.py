"""What the classifier says about the sentences of the tests, from a file: the same everywhere, and without a language model.

A sentence that is not in the file is classified by the real model where it is installed, and not at all elsewhere.
``MAILBOT_RECORD=1 make test`` writes such sentences to the file. After the model was trained again, delete the file first.
"""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.model import Guess
from mailbot.runtime.classifier.classifier import ClassifierProcess, ClassifierSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.statements.example_sentences import Example

FILE = Path(__file__).parents[1] / "data" / "classes.jsonl"


def _read() -> dict[str, tuple[Guess, ...]]:
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.is_file() else []
    rows = (json.loads(line) for line in lines)
    return {text: tuple(Guess(label, probability) for label, probability in guesses) for text, guesses in rows}


class RecordedClasses:
    """A classifier that knows the sentences of the tests."""

    def __init__(self) -> None:
        self.known = _read()
        self.new: dict[str, tuple[Guess, ...]] = {}
        self._process = ClassifierProcess(ClassifierSettings())
        atexit.register(self._close)

    def classify(self, sentences: Sequence[str], own: Sequence[Example] = ()) -> dict[str, tuple[Guess, ...]]:
        if own:  # these change what the model says; without a model, only about the same sentences
            return self.classify(sentences) | self._process.classify(sentences, own)
        missing = [text for text in sentences if text not in self.known and text not in self.new]
        if missing:
            self.new |= self._process.classify(missing)
        found = {text: self.known.get(text) or self.new.get(text) for text in sentences}
        return {text: guesses for text, guesses in found.items() if guesses}

    def _close(self) -> None:
        self._process.close()
        if self.new and os.environ.get("MAILBOT_RECORD"):
            with FILE.open("a", encoding="utf-8") as file:
                for text, guesses in self.new.items():
                    row = [text, [[guess.label, guess.probability] for guess in guesses]]
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")


CLASSES = RecordedClasses()
