"""How well labeled sentences are classified: counts, contradictions, and the calibration of certainties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mailbot.model import Value

if TYPE_CHECKING:
    from mailbot.intake.statements.example_sentences import Example
    from mailbot.model import Guess


class ScoredExample(Value, frozen=True):
    """A labeled sentence with the class that the classifier finds most likely, and its probability."""

    example: tuple[str, str, str, str]
    label: str
    certainty: float
    right: bool


class ExampleScore(Value, frozen=True):
    """Counts of labeled sentences. ``unsure``: the probability is below the required certainty."""

    n: int = 0
    right: int = 0
    unsure: int = 0
    wrong: int = 0

    def with_one(self, scored: ScoredExample, certainty: float) -> ExampleScore:
        """Return the counts with one more sentence."""
        if scored.certainty < certainty:
            return ExampleScore(self.n + 1, self.right, self.unsure + 1, self.wrong)
        return ExampleScore(self.n + 1, self.right + scored.right, self.unsure, self.wrong + (not scored.right))


def best_label(guesses: Sequence[Guess]) -> tuple[str, float]:
    """Return the most likely class with its most likely sub-class, and the probability of the two together."""
    best = next((guess for guess in guesses if " " not in guess.label), None)
    if best is None:
        return "", 0.0
    found = next((guess for guess in guesses if guess.label.startswith(f"{best.label} ")), best)
    return found.label, found.probability


def scored(examples: Iterable[Example], guesses: Mapping[str, Sequence[Guess]]) -> list[ScoredExample]:
    """Return each labeled sentence with what the classifier says; a sentence that was not classified has no label."""
    found = []
    for example in examples:
        label, certainty = best_label(guesses.get(example.text, ()))
        found.append(ScoredExample(tuple(example), label, certainty, label == example.label))  # type: ignore[arg-type]
    return found


def totals(found: Iterable[ScoredExample], certainty: float) -> dict[str, object]:
    """Return the counts over all sentences, by class, and by language, as they are printed with ``--json``."""
    whole = ExampleScore()
    by_class: defaultdict[str, ExampleScore] = defaultdict(ExampleScore)
    by_language: defaultdict[str, ExampleScore] = defaultdict(ExampleScore)
    for each in found:
        name, _, language, _ = each.example
        whole = whole.with_one(each, certainty)
        by_class[name] = by_class[name].with_one(each, certainty)
        by_language[language] = by_language[language].with_one(each, certainty)
    return {**_counts(whole), "by_class": _tables(by_class), "by_language": _tables(by_language)}


def _counts(score: ExampleScore) -> dict[str, int]:
    return {name: getattr(score, name) for name in ExampleScore.__struct_fields__}


def _tables(scores: Mapping[str, ExampleScore]) -> dict[str, dict[str, int]]:
    return {name: _counts(scores[name]) for name in sorted(scores)}


STEPS = tuple(step / 10 for step in range(2, 10))
"""The lower ends of the ranges of certainty in a calibration, each 0.1 wide."""


def calibration(found: Iterable[ScoredExample]) -> dict[str, list[tuple[float, int, float]]]:
    """Return, for all languages ("all") and for each, the ranges of certainty: lower end, sentences, and share that is right."""
    groups: defaultdict[str, list[ScoredExample]] = defaultdict(list)
    for each in found:
        groups["all"].append(each)
        groups[each.example[2]].append(each)
    return {name: list(_ranges(group)) for name, group in groups.items()}


def _ranges(group: Sequence[ScoredExample]) -> Iterable[tuple[float, int, float]]:
    for step in STEPS:
        within = [each for each in group if step <= each.certainty < step + 0.1 or (step == STEPS[-1] and each.certainty >= step)]
        if within:
            yield step, len(within), sum(each.right for each in within) / len(within)
