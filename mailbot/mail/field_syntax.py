"""The three layers of a structured header field: plain characters, quoted strings, comments (RFC 5322 §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Layer = Literal["plain", "quoted", "comment"]


def split_field(value: str) -> Iterator[tuple[str, Layer]]:
    """Yield each character with its layer; quotes, backslashes, and outer parentheses are omitted.

    Each character is visited once, and comments may be nested to any depth.
    """
    quoted = escaped = False
    depth = 0
    for char in value:
        layer: Layer = "comment" if depth else "quoted" if quoted else "plain"
        if escaped:
            escaped = False
            yield char, layer
        elif char == "\\" and layer != "plain":
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char in "()" and not quoted:
            depth = depth + 1 if char == "(" else max(0, depth - 1)
        else:
            yield char, layer


def without_comments(value: str) -> str:
    """Return a field without its comments."""
    return "".join(char for char, layer in split_field(value) if layer != "comment")
