"""TOML text -> typed, frozen values, strictly: an unknown key or a wrong type is an error that names its mend."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator
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


_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")
_UNQUOTED = str.maketrans("", "", "\"' ")


def line_of(path: str, text: str, *hints: str) -> str:
    """Return ":LINE" of the line nearest around what stands at a path such as ``mailbox[1].imap.port``, or an empty string.

    ``hints`` are words of that line: they tell rows of a table apart, whose names a path does not give (``fees[...]``).
    Where nothing is around it, the first line that sets a key of that name.
    """
    wanted = re.sub(r"\[\.{3}\]", ".*", path).split(".")
    best, found = (0, 0), 0
    for number, place, line in _places(text):
        hinted = sum(hint in line for hint in hints)
        near = len(place) <= len(wanted) and all(
            _is_at(*pair, hinted=hinted > 0) for pair in zip(place, wanted, strict=False)
        )
        rank = (len(place), hinted) if near else (0, int(place[-1] == wanted[-1]))
        if rank > best:
            best, found = rank, number
    return f":{found}" if found else ""


def _places(text: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield the lines that open a table or set a key, each with where in the document that is."""
    here: list[str] = []
    arrays: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(header[2].translate(_UNQUOTED).split("."))
            if header[1] == "[[":
                arrays = {of: n for of, n in arrays.items() if of[: len(names)] != names or of == names}
                arrays[names] = arrays.get(names, -1) + 1
            upto = [names[: end + 1] for end in range(len(names))]
            here = [of[-1] + (f"[{arrays[of]}]" if of in arrays else "") for of in upto]
            yield number, here, line
        elif key := _KEY.match(line):
            yield number, [*here, *key[1].translate(_UNQUOTED).split(".")], line


def _is_at(place: str, wanted: str, *, hinted: bool) -> bool:
    return place == wanted or (wanted == "*" and hinted) or (wanted.partition("[")[0] == place and "[" in wanted)


def _explain(message: str, type_: Any, file: str, text: str) -> str:
    what, _, path = message.partition(" - at ")
    of_key = path.startswith("`key` in ")
    path = path.removeprefix("`key` in ").strip("`").removeprefix("$").removeprefix(".")
    where = path or "the top level"
    if unknown := re.search(r"unknown field `([^`]+)`", what):
        key = unknown[1]
        known = [field.encode_name for field in getattr(_struct(_info_at(type_, path)), "fields", ())]
        line = line_of(f"{path}.{key}".lstrip("."), text, key)
        return f"{file}{line}: unknown key {key!r} in {where}{nearest(key, known)}. Mend or delete it."
    if missing := re.search(r"missing required field `([^`]+)`", what):
        return f"{file}{line_of(path, text)}: {where} lacks the key {missing[1]!r}. Add it."
    if word := re.search(r"[Ii]nvalid enum value '([^']*)'", what):
        if of_key:
            known = [str(value) for value in getattr(getattr(_info_at(type_, path), "key_type", None), "values", ())]
            line = line_of(f"{path}.{word[1]}", text, word[1])
            return f"{file}{line}: unknown key {word[1]!r} in {where}{nearest(word[1], known)}. Mend or delete it."
        line = line_of(path, text, word[1])
        return f"{file}{line}: {where} is never {word[1]!r}{nearest(word[1], _words_at(type_, path))}. Mend the value."
    return f"{file}{line_of(path, text)}: {where}: {what[:1].lower()}{what[1:]}. Mend the value."


def _words_at(type_: Any, path: str) -> list[str]:
    """Return the words that may stand at a place."""
    info = _info_at(type_, path)
    return [str(value) for each in (info, *getattr(info, "types", ())) for value in getattr(each, "values", ())]


def _info_at(type_: Any, path: str) -> Any:
    """Return what msgspec knows of the type at an error path such as ``mailbox[0].imap``."""
    info: Any = msgspec.inspect.type_info(type_)
    for part in re.findall(r"\.?([\w-]+|\[[^\]]{0,200}\])", path):
        info = _into(info, part)
    return info


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
