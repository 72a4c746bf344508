"""The regular expressions of the package: where each is, how it is used, and texts that are hard for it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import re._constants as sre
import re._parser as parser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mailbot

METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
CANDIDATES = "a1A0b-_.> \t\n:;,/@<=?\"'()[]{}*|x\u00e9\u4e00\u0430\x00\x80"
ROOT = Path(mailbot.__file__).parent


@dataclass
class Expression:
    """One regular expression, the place that defines it, and the methods that are called on it."""

    pattern: re.Pattern[Any]
    where: str
    methods: set[str] = field(default_factory=set)

    def uses(self) -> list[tuple[str, Callable[[Any], object]]]:
        """The ways in which a text is looked at."""
        found: list[tuple[str, Callable[[Any], object]]] = []
        if "match" in self.methods:
            found.append(("match", self.pattern.match))
        if "fullmatch" in self.methods:
            found.append(("fullmatch", self.pattern.fullmatch))
        if self.methods - {"match", "fullmatch"} or not self.methods:
            found.append(("search", lambda text: sum(1 for _ in self.pattern.finditer(text))))
        return found


def expressions() -> tuple[list[Expression], list[str]]:  # noqa: C901, PLR0912 - one place after another
    """All regular expressions of the package, and the places where one is made only when the program runs."""
    known: dict[int, Expression] = {}
    inline: list[Expression] = []
    later: list[str] = []
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(mailbot.__path__, "mailbot.")
        if not found.name.endswith("__main__")
    ]
    for module in modules:
        for name, value in vars(module).items():
            values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else [value]
            for one in values:
                if isinstance(one, re.Pattern):
                    known.setdefault(id(one), Expression(one, f"{module.__name__}.{name}"))
    for module in modules:
        path = Path(str(module.__file__))
        names = vars(module)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name) or node.attr not in METHODS:
                continue
            if isinstance(names.get(node.value.id), re.Pattern):
                known[id(names[node.value.id])].methods.add(node.attr)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
                continue
            if node.func.attr not in METHODS | {"compile"}:
                continue
            place = f"{path.relative_to(ROOT.parent)}:{node.lineno}"
            flags = next((each.value for each in node.keywords if each.arg == "flags"), None)
            if flags is None and node.func.attr in {"match", "fullmatch", "search", "findall", "finditer"}:
                flags = node.args[2] if len(node.args) > 2 else None
            try:
                made = re.compile(_value(node.args[0], names), _value(flags, names) if flags else 0)
            except (NameError, AttributeError, TypeError):
                later.append(f"{path.relative_to(ROOT.parent)}: {ast.unparse(node.args[0])}")
                continue
            if node.func.attr != "compile":
                inline.append(Expression(made, place, {node.func.attr}))
    return [*known.values(), *inline], sorted(set(later))


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(names))  # noqa: S307 - our own source


# ------------------------------------------------------------------ hard texts


def hard(pattern: re.Pattern[Any]) -> Iterator[tuple[str, Callable[[int], Any]]]:
    """Texts made from the expression itself: each repetition in it is fed what it repeats, and then does not end well."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    seen = set()
    for before, piece in _repeated(parser.parse(text, flags & ~re.DEBUG), ""):
        for lead, body, tail in ((before, piece, "\x00"), (before, piece, "\n!"), ("", before + piece, "\x00")):
            if body and (lead, body, tail) not in seen:
                seen.add((lead, body, tail))
                yield f"{lead!r} + {body!r} * n + {tail!r}", _again(lead, body, tail, pattern)


def _again(lead: str, body: str, tail: str, pattern: re.Pattern[Any]) -> Callable[[int], Any]:
    def build(size: int) -> Any:
        text = lead + body * max(1, size // len(body)) + tail
        return text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text

    return build


def _repeated(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """The repetitions within an expression: what comes before each, and what it repeats."""
    for code, value in tree:
        if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, inner = value
            if most > 8:
                pieces = {_sample(inner), *_samples(inner)}
                yield from ((before, piece) for piece in sorted(pieces) if piece)
            yield from _repeated(inner, before)
        elif code is sre.BRANCH:
            for branch in value[1]:
                yield from _repeated(branch, before)
        elif code is sre.SUBPATTERN:
            yield from _repeated(value[3], before)
        elif code is sre.ATOMIC_GROUP:
            yield from _repeated(value, before)
        elif code in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _repeated(value[1], before)
        before += _one(code, value)


def _samples(inner: Any) -> Iterator[str]:
    """Other texts of one round of a repetition, where it repeats one character of a set."""
    if len(inner) == 1 and inner[0][0] in (sre.IN, sre.ANY, sre.NOT_LITERAL):
        fits = [char for char in CANDIDATES if _fits(*inner[0], char)]
        yield from fits[:6]
        yield "".join(fits[:2])


def _sample(tree: Any) -> str:
    """A text that an expression matches, as short as it can be."""
    return "".join(_one(code, value) for code, value in tree)


def _one(code: Any, value: Any) -> str:
    if code is sre.LITERAL:
        return chr(value)
    if code in (sre.IN, sre.ANY, sre.NOT_LITERAL):
        return next((char for char in (*CANDIDATES, *_members(code, value)) if _fits(code, value, char)), "")
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return _sample(value[2]) * value[0]
    if code is sre.BRANCH:
        return _sample(value[1][0])
    if code is sre.SUBPATTERN:
        return _sample(value[3])
    if code is sre.ATOMIC_GROUP:
        return _sample(value)
    return ""


def _members(code: Any, value: Any) -> Iterator[str]:
    for kind, what in value if code is sre.IN else ():
        if kind is sre.LITERAL:
            yield chr(what)
        elif kind is sre.RANGE:
            yield chr(what[0])


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _fits(code: Any, value: Any, char: str) -> bool:
    if code is sre.ANY:
        return char != "\n"
    if code is sre.NOT_LITERAL:
        return ord(char) != value
    negated = value[0][0] is sre.NEGATE
    within = any(
        (kind is sre.LITERAL and what == ord(char))
        or (kind is sre.RANGE and what[0] <= ord(char) <= what[1])
        or (kind is sre.CATEGORY and re.match(_CATEGORIES[what], char) is not None)
        for kind, what in value
    )
    return within is not negated
