"""The base of all values: frozen, and without fields that have their default when stored."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frozen value; what equals its default is left out of the record."""
