"""The base class of all values."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frozen value. Fields that equal their default are not stored."""
