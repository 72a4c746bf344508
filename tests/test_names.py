"""Names, sizes and parameters of the code: what a reader can rely on in every module."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mailbot"
CORE = ("model", "mail", "intake", "policy", "case", "decide", "reply")
CORE_MODULES = ("core.py",)

LINES = 350
PARAMETERS = 6

MANY_PARAMETERS: dict[str, str] = {
    "reply/documents/canvas.py:line": "drawing: two points, width, color and dashes, all keyword arguments",
    "reply/documents/canvas.py:block": "drawing: a text, its box and its font",
    "reply/documents/canvas.py:captioned": "drawing: a caption, a text, its box and its font",
    "reply/documents/page.py:tables": "drawing: a canvas, the columns and rows, and where the table may be",
}
"""Functions of the core that have more parameters, as "file:function", each with the reason."""

SAME_NAMES: dict[str, str] = {"lifecycle": "the table of the lifecycle, and the command that prints it"}
"""Names that modules of several packages have, each with the reason why they are clear in each of them."""

SAME_CLASSES: dict[str, str] = {}
"""Public classes that several modules define under one name, each with the reason."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its path."""
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def repeated(places: dict[str, list[str]], listed: dict[str, str]) -> list[str]:
    """The names that are in several places and not in the list."""
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1 and name not in listed]


def class_places(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Where each class is defined."""
    places = defaultdict(list)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    return places


def long_signatures(trees: dict[str, ast.Module]) -> dict[str, str]:
    """Functions with too many parameters, ``self`` and ``cls`` not counted, by file and name: their place and count."""
    found = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            given = node.args
            names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            names += [each.arg for each in (given.vararg, given.kwarg) if each]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > PARAMETERS:
                found[f"{path}:{node.name}"] = f"{path}:{node.lineno}: {node.name} has {count} parameters"
    return found


def module_places(paths: list[str]) -> dict[str, list[str]]:
    """Where modules of each name are; packages are not counted."""
    places = defaultdict(list)
    for path in paths:
        name = path.rpartition("/")[2].removesuffix(".py")
        if not name.startswith("__"):
            places[name].append(path)
    return places


def core() -> dict[str, ast.Module]:
    """The modules without input and output."""
    return {path: tree for path, tree in modules().items() if path.split("/")[0] in CORE or path in CORE_MODULES}


def test_the_whole_package_is_checked() -> None:
    """No package is left out by a mistake in a path."""
    assert len(modules()) > 80
    assert {path.split("/")[0] for path in core()} == {*CORE, *CORE_MODULES}


def test_no_class_name_is_defined_twice() -> None:
    """A class name means one thing in the whole program."""
    found = repeated(class_places(modules()), SAME_CLASSES)
    assert not found, f"{len(found)} class names are defined more than once:\n" + "\n".join(found)


def test_no_function_of_the_core_has_many_parameters() -> None:
    """A function of the core is called with a handful of values, or it is listed here with a reason."""
    found = long_signatures(core())
    told = [place for name, place in found.items() if name not in MANY_PARAMETERS]
    assert not told, f"{len(told)} functions have more than {PARAMETERS} parameters:\n" + "\n".join(told)
    assert not MANY_PARAMETERS.keys() - found, "listed without need"


def test_no_module_is_long() -> None:
    """A module is short enough to be read as a whole."""
    lengths = {path: len((PACKAGE / path).read_text("utf-8").splitlines()) for path in modules()}
    told = [f"{path}: {count} lines" for path, count in lengths.items() if count > LINES]
    assert not told, f"{len(told)} modules are longer than {LINES} lines:\n" + "\n".join(told)


def test_no_two_modules_have_one_name() -> None:
    """A module's name tells which one is meant, or it is listed here with a reason."""
    found = repeated(module_places([*modules()]), SAME_NAMES)
    assert not found, f"{len(found)} names are given to several modules:\n" + "\n".join(found)


def test_every_exception_has_a_reason() -> None:
    """An exception from these rules says why it is one, and goes when it is not needed."""
    classes, places = class_places(modules()), module_places([*modules()])
    assert all(reason.strip() for each in (MANY_PARAMETERS, SAME_NAMES, SAME_CLASSES) for reason in each.values())
    assert all(len(classes[name]) > 1 for name in SAME_CLASSES)
    assert all(len(places[name]) > 1 for name in SAME_NAMES)


def test_planted_faults_are_found() -> None:
    """The rules find a repeated class, a long signature and a repeated module."""
    planted = {
        "mail/a.py": ast.parse("class Same: ...\ndef many(self, a, b, c, d, e, *f, g): ...\ndef few(self, a, b, c, d, e, f): ..."),
        "case/a.py": ast.parse("class Same: ...\nclass Other: ..."),
    }
    assert repeated(class_places(planted), {}) == ["Same: mail/a.py:1, case/a.py:1"]
    assert repeated(class_places(planted), {"Same": "because"}) == []
    assert long_signatures(planted) == {"mail/a.py:many": "mail/a.py:2: many has 7 parameters"}
    assert repeated(module_places([*planted, "reply/papers/__init__.py"]), {}) == ["a: mail/a.py, case/a.py"]
