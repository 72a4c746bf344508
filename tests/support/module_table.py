"""The table of modules in docs/architecture.md, made from the first line of each module's docstring.

python tests/support/module_table.py        writes the table into docs/architecture.md
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
MARK = "<!-- modules: written by tests/support/module_table.py from the docstrings -->\n"
PACKAGES = ("", "model", "mail", "intake", "policy", "case", "decide", "reply", "runtime", "rehearsal", "demo", "commands")
"""The packages in the order of an email's way; the empty one is the modules beside them."""


def table() -> str:
    """Return the section: one table a package, one line a module."""
    parts = ["## The modules\n"]
    for package in PACKAGES:
        folder = ROOT / "mailbot" / package
        files = sorted(folder.rglob("*.py") if package else folder.glob("*.py"))
        rows = [f"| `{path.relative_to(folder)}` | {first_line(path)} |" for path in files if is_listed(path)]
        about = first_line(folder / "__init__.py")
        parts += [f"### `{f'mailbot/{package}'.rstrip('/')}/`", about, "\n".join(("| module | |", "|---|---|", *rows))]
    return "\n\n".join(parts) + "\n"


def is_listed(path: Path) -> bool:
    """Return whether the table has a row for a file: an ``__init__.py`` only if it defines something itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return path.name != "__init__.py" or any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in tree.body)


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("``", "`").replace("|", "\\|")


def page(text: str) -> str:
    """Return the page with the table of today's modules."""
    return text.partition(MARK)[0] + MARK + "\n" + table()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
