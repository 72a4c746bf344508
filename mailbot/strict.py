"""TOML text -> typed, frozen values, strictly: an unknown key or a wrong type is an error that names its mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class ConfigError(Exception):
    """Something a person wrote in a file cannot be used. The text names file, line or key, and the mend."""


def nearest(word: str, known: Collection[str]) -> str:
    """Return " (did you mean X?)" for the nearest known word, else a short list of what is known."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def parse(text: str, file: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        ConfigError: naming the file and the line of a syntax error.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}. Mend the line it names.") from None


def convert(data: object, type_: type[T], file: str, text: str = "") -> T:
    """Convert parsed TOML into ``type_`` (msgspec Structs with ``forbid_unknown_fields``).

    Raises:
        ConfigError: naming file, line where it can be found, key, and the nearest known key or the expected type.
    """
    try:
        return msgspec.convert(data, type_, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), type_, file, text)) from None


def line_of(key: str, text: str) -> str:
    """Return ":LINE" of the first line that sets or opens ``key``, or an empty string."""
    pattern = re.compile(rf"(?m)^[ \t]*(?:\[+[\w.\"-]*)?(?:.*[{{,][ \t]*)?\b{re.escape(key)}\b[\"'\]]*[ \t]*(?:=|$|\])")
    found = pattern.search(text)
    return f":{text.count(chr(10), 0, found.start()) + 1}" if found else ""


def _explain(message: str, type_: Any, file: str, text: str) -> str:
    what, _, path = message.partition(" - at ")
    path = path.strip("`").removeprefix("$").removeprefix(".") or "the top level"
    unknown = re.search(r"unknown field `([^`]+)`", what)
    if unknown:
        key = unknown[1]
        known = _fields_at(type_, path)
        return f"{file}{line_of(key, text)}: unknown key {key!r} in {path}{nearest(key, known)}. Mend or delete it."
    missing = re.search(r"missing required field `([^`]+)`", what)
    if missing:
        return f"{file}: {path} lacks the key {missing[1]!r}. Add it."
    key = re.findall(r"[\w-]+", path)[-1] if path != "the top level" else ""
    return f"{file}{line_of(key, text) if key else ''}: {path}: {what[:1].lower()}{what[1:]}. Mend the value."


def _fields_at(type_: Any, path: str) -> list[str]:
    """Field names of the struct that stands at a msgspec error path such as ``mailbox[0].imap``."""
    info: Any = msgspec.inspect.type_info(type_)
    for part in re.findall(r"\.?([\w-]+|\[[^\]]*\])", path) if path != "the top level" else []:
        info = _into(info, part)
    return [field.encode_name for field in getattr(_struct(info), "fields", ())]


def _struct(info: Any) -> Any:
    for option in getattr(info, "types", ()):
        if hasattr(option, "fields"):
            return option
    return info


def _into(info: Any, part: str) -> Any:
    info = _struct(info)
    for field in getattr(info, "fields", ()):
        if field.encode_name == part:
            return field.type
    for name in ("value_type", "item_type"):
        if hasattr(info, name):
            return getattr(info, name)
    for option in getattr(info, "types", ()):
        for name in ("value_type", "item_type"):
            if hasattr(option, name):
                return getattr(option, name)
    return info
