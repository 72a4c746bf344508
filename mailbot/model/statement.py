"""What one sentence of an email says: its class, and the sub-class that some classes have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from mailbot.model.request import Exclusion

StatementClass = Literal[
    "failure", "damage", "denied", "fine", "stop", "want", "money", "rework", "doa", "again", "order", "decline_quote",
    "status", "question", "shipping", "owner", "thirdparty", "tried", "courtesy", "address", "sales", "machine",
]  # fmt: skip

STATEMENT_CLASSES: tuple[StatementClass, ...] = get_args(StatementClass)

SUB_CLASSES: Mapping[StatementClass, tuple[str, ...]] = MappingProxyType(
    {"damage": get_args(Exclusion), "stop": ("cancel", "hold", "info"), "money": ("credit", "exchange"), "order": ("po", "accept")}
)
"""The sub-classes of the classes that have any: every statement of such a class has one of them."""
