"""TOML text to typed, frozen values. Unknown keys and wrong types are errors whose text says how to fix them."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class ConfigError(Exception):
    """A file that a person wrote cannot be used. The text names the file, the line or key, and the fix."""


class TomlTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a TOML file. An unknown key is an error."""


def nearest(name: str, known: Collection[str]) -> str:
    """Return " (did you mean X?)" for the closest known word, else " (known: …)"; empty if nothing is known."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def parse(text: str, file: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        ConfigError: a syntax error; the text names the file and the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}. Fix that line.") from None


def convert(data: object, type_: type[T], file: str, text: str = "") -> T:
    """Convert parsed TOML to ``type_`` (msgspec Structs with ``forbid_unknown_fields``).

    Raises:
        ConfigError: the text names the file, the line if it can be found, the key, and the closest known key or the
            expected type.
    """
    try:
        return msgspec.convert(data, type_, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), type_, file, text)) from None


_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")
_UNQUOTED = str.maketrans("", "", "\"' ")


def line_of(path: str, text: str, *hints: str) -> str:
    """Return ":LINE" for a path such as ``mailbox[1].imap.port``, or an empty string.

    The line is that of the key, or else of the closest table around it, or else the first line that sets a key of that
    name. ``hints`` are words of the line: they identify a row of a table if the path does not (``fees[...]``).
    """
    wanted = re.sub(r"\[\.{3}\]", ".*", path).split(".")
    best_rank, found = (0, 0), 0
    for number, location, line in _located_lines(text):
        hint_count = sum(hint in line for hint in hints)
        is_around = len(location) <= len(wanted) and all(
            _matches(*pair, is_hinted=hint_count > 0) for pair in zip(location, wanted, strict=False)
        )
        rank = (len(location), hint_count) if is_around else (0, int(location[-1] == wanted[-1]))
        if rank > best_rank:
            best_rank, found = rank, number
    return f":{found}" if found else ""


def _located_lines(text: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield the lines that open a table or set a key, each with its path in the document."""
    here: list[str] = []
    arrays: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(header[2].translate(_UNQUOTED).split("."))
            if header[1] == "[[":
                arrays = {of: n for of, n in arrays.items() if of[: len(names)] != names or of == names}
                arrays[names] = arrays.get(names, -1) + 1
            prefixes = [names[: end + 1] for end in range(len(names))]
            here = [of[-1] + (f"[{arrays[of]}]" if of in arrays else "") for of in prefixes]
            yield number, here, line
        elif key := _KEY.match(line):
            yield number, [*here, *key[1].translate(_UNQUOTED).split(".")], line


def _matches(part: str, wanted: str, *, is_hinted: bool) -> bool:
    return part == wanted or (wanted == "*" and is_hinted) or (wanted.partition("[")[0] == part and "[" in wanted)


def _explain(message: str, type_: Any, file: str, text: str) -> str:
    problem, _, path = message.partition(" - at ")
    is_key = path.startswith("`key` in ")
    path = path.removeprefix("`key` in ").strip("`").removeprefix("$").removeprefix(".")
    where = path or "the top level"
    if unknown := re.search(r"unknown field `([^`]+)`", problem):
        key = unknown[1]
        known = [field.encode_name for field in _fields(_info_at(type_, path))]
        line = line_of(f"{path}.{key}".lstrip("."), text, key)
        return f"{file}{line}: unknown key {key!r} in {where}{nearest(key, known)}. Fix or delete it."
    if missing := re.search(r"missing required field `([^`]+)`", problem):
        return f"{file}{line_of(path, text)}: {where} is missing the required key {missing[1]!r}. Add it."
    if invalid := re.search(r"[Ii]nvalid enum value '([^']*)'", problem):
        if is_key:
            known = _values(getattr(_info_at(type_, path), "key_type", None))
            line = line_of(f"{path}.{invalid[1]}", text, invalid[1])
            return f"{file}{line}: unknown key {invalid[1]!r} in {where}{nearest(invalid[1], known)}. Fix or delete it."
        line, hint = line_of(path, text, invalid[1]), nearest(invalid[1], _values(_info_at(type_, path)))
        return f"{file}{line}: {where} cannot be {invalid[1]!r}{hint}. Correct the value."
    return f"{file}{line_of(path, text)}: {where}: {problem[:1].lower()}{problem[1:]}. Correct the value."


def _info_at(type_: Any, path: str) -> Any:
    """Return msgspec's information about the type at an error path such as ``mailbox[0].imap``."""
    info: Any = msgspec.inspect.type_info(type_)
    for part in re.findall(r"\.?([\w-]+|\[[^\]]{0,200}\])", path):
        info = _child_info(info, part)
    return info


def _options(info: Any) -> tuple[Any, ...]:
    """Return the types of a union, else the type itself."""
    return getattr(info, "types", (info,))


def _values(info: Any) -> list[str]:
    """Return the words that a type allows."""
    return [str(value) for option in _options(info) for value in getattr(option, "values", ())]


def _fields(info: Any) -> tuple[Any, ...]:
    return next((option.fields for option in _options(info) if hasattr(option, "fields")), ())


def _child_info(info: Any, part: str) -> Any:
    parts = [field.type for field in _fields(info) if field.encode_name == part]
    parts += [getattr(option, name) for option in _options(info) for name in ("value_type", "item_type") if hasattr(option, name)]
    return parts[0] if parts else info
