"""What one sentence of an email says: its class, and the sub-class that some classes have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, cast, get_args

from mailbot.model.values import Value

Exclusion = Literal["physical_damage", "liquid", "lightning_surge", "misuse", "modified", "serial_removed", "shipping_damage"]
StatementClass = Literal[
    "failure", "damage", "denied", "fine", "stop", "want", "money", "rework", "doa", "again", "order", "decline_quote",
    "status", "question", "shipping", "owner", "thirdparty", "tried", "courtesy", "address", "sales", "machine",
]  # fmt: skip

Origin = Literal["own", "passed_on", "subject", "field", "row", "attachment", "quoted"]
"""Where a sentence is from: the new text, forwarded text, the subject, a form field, a table, an attachment, quoted text."""

STATEMENT_CLASSES: tuple[StatementClass, ...] = get_args(StatementClass)

SUB_CLASSES: Mapping[StatementClass, tuple[str, ...]] = MappingProxyType(
    {"damage": get_args(Exclusion), "stop": ("cancel", "hold", "info"), "money": ("credit", "exchange"), "order": ("po", "accept")}
)
"""The sub-classes of the classes that have any: every statement of such a class has one of them."""

LABELS: tuple[str, ...] = (
    *STATEMENT_CLASSES,
    *(f"{name} {sub_class}" for name, sub_classes in SUB_CLASSES.items() for sub_class in sub_classes),
)
"""What a classifier tells apart: each class, and each sub-class with its class before it ("damage liquid")."""


class Guess(Value, frozen=True):
    """A name of ``LABELS`` and the probability, from 0 to 1, that a sentence says that.

    ``own``: an example of the company's own, or one that staff taught, says so.
    """

    label: str
    probability: float
    own: bool = False


class TaughtExample(Value, frozen=True):
    """A sentence whose meaning a member of staff told by MEANS: an example of this desk from then on.

    ``label``: a name of ``LABELS``. ``language``: ISO 639-1 code. ``text``: masked (see ``Statement``).
    """

    label: str
    language: str
    text: str


class Statement(Value, frozen=True):
    """What one sentence of an email says.

    ``text``: the sentence as written. ``masked``: the sentence with <SERIAL>, <MODEL> and <NUMBER> for what is one, as it is
    classified. ``label``: a name of ``LABELS``; empty if nothing is known. ``certainty``: from 0 to 1. ``by``: what decided: a
    phrase of the word lists, the classifier, a rule on its place, or a member of staff. ``units``: the keys of the units that it
    is about; all units if empty. ``in_question``: it may rule out what would be decided, so that a person must read it.
    ``likely``: the most likely names of ``LABELS``, if it is in question.
    """

    text: str
    masked: str
    origin: Origin
    label: str = ""
    certainty: float = 0.0
    by: Literal["phrase", "classifier", "rule", "staff"] = "classifier"
    units: tuple[str, ...] = ()
    in_question: bool = False
    likely: tuple[str, ...] = ()

    @property
    def statement_class(self) -> str:
        """The class, without the sub-class."""
        return self.label.partition(" ")[0]

    @property
    def damage(self) -> Exclusion | None:
        """The kind of damage that it tells of, or None."""
        kind = self.label.removeprefix("damage ")
        return cast("Exclusion", kind) if kind in SUB_CLASSES["damage"] else None

    def certain_damage(self, certainty: float) -> bool:
        """Return whether it certainly tells of damage, according to the classifier or a member of staff."""
        return self.damage is not None and self.by in ("classifier", "staff") and self.certainty >= certainty
