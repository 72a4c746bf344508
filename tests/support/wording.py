"""The check of the project's language: finds words of the list in code, docs and messages, and names the better ones."""

from __future__ import annotations

import ast
import csv
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).parents[1] / "data" / "language" / "phrases.tsv"

CODE = ("mailbot", "tests")
PAGES = ("docs/*.md", "README.md", "CHANGELOG.md")
LEFT_OUT = ("tests/data/", "tests/conversations/", "tests/support/wording.py", "tests/test_language.py")
"""Test data are other people's words; the check and its tests have to name what they look for.

For the same reason the strings in tests are not checked: they are emails that customers write.
"""

ALLOWED = {
    ("mailbot/intake/statements/word_sections.py", "goes on"): "a key of the word lists",
    ("mailbot/intake/statements/word_lists.py", "wishes"): "a section of the word lists",
    ("mailbot/mail/automated_phrases.py", "mails"): "words that others write",
    ("mailbot/mail/automated_phrases.py", "lest"): "words that others write",
    ("mailbot/mail/automated_phrases.py", "dossier"): "words that others write",
    ("mailbot/reply/staff_emails.py", "a mail"): "the text of an email; emails are edited with their templates",
    ("mailbot/reply/staff_emails.py", "wishes"): "the text of an email; emails are edited with their templates",
    ("mailbot/runtime/version_1.py", "wishes"): "a field name of the old state",
    ("mailbot/runtime/version_1.py", "dossiers"): "a key of the old state",
}
"""Places where a phrase of the list is somebody else's word, each with the reason."""

_BLOCK = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Phrase(NamedTuple):
    """A phrase that is not to be used, the better one, and the kinds of text it is looked for in (empty: all)."""

    text: str
    better: str
    kinds: frozenset[str]
    pattern: re.Pattern[str]


class Text(NamedTuple):
    """A piece of the project's own language: what kind it is, and the line it begins in."""

    path: str
    line: int
    kind: str
    words: str


class Finding(NamedTuple):
    """A phrase of the list in the project's text."""

    path: str
    line: int
    kind: str
    phrase: str
    better: str

    def __str__(self) -> str:
        """A line that an editor can open."""
        return f"{self.path}:{self.line}: {self.kind}: {self.phrase!r} -> {self.better!r}"


def phrases(path: Path = LIST) -> list[Phrase]:
    """The list of phrases."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Phrase(row["say_not"], row["say"], frozenset((row["where"] or "").split()), _pattern(row["say_not"])) for row in rows]


def _pattern(phrase: str) -> re.Pattern[str]:
    """The phrase as whole words, in any capitals, also across the end of a line or of a comment's line."""
    words = r"[\s#>*]+".join(map(re.escape, phrase.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


def texts_of_code(path: str, source: str) -> Iterator[Text]:  # noqa: C901, PLR0912 - one kind of text after another
    """The names, comments, docstrings and other strings of a module."""
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for at, one in enumerate(body if isinstance(body, list) else ()):
            documents = at == 0 or isinstance(body[at - 1], ast.Assign | ast.AnnAssign)
            if documents and isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                docstrings.add(id(one.value))
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Text(path, line, "docstring" if id(node) in docstrings else "string", node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield Text(path, line, "name", node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield Text(path, line, "name", node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield Text(path, line, "name", node.attr)
        elif isinstance(node, ast.arg):
            yield Text(path, line, "name", node.arg)
        elif isinstance(node, ast.keyword) and node.value and node.arg == "hidden":
            yield Text(path, node.value.lineno, "flag", node.arg)
        name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else ""
        if name == "hidden":
            yield Text(path, line, "flag", name)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(path, token.start[0], "comment", token.string.lstrip("#: "))
    yield Text(path, 1, "module", Path(path).stem)


def texts_of_page(path: str, source: str) -> Iterator[Text]:
    """The text of a Markdown page without its code; lines that belong together stay together."""
    plain = _CODE.sub(" ", _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), source))
    yield Text(path, 1, "page", plain)


def look_through(texts: Iterable[Text], wanted: list[Phrase]) -> list[Finding]:
    """All phrases of the list in these texts, sorted by file and line."""
    found = set()
    for text in texts:
        words = " ".join(_WORD.findall(text.words)) if text.kind in {"name", "module", "flag"} else text.words
        for phrase in wanted:
            if phrase.kinds and text.kind not in phrase.kinds:
                continue
            for match in phrase.pattern.finditer(words):
                line = text.line + words.count("\n", 0, match.start())
                if (text.path, phrase.text) in ALLOWED:
                    continue
                found.add(Finding(text.path, line, text.kind, phrase.text, phrase.better))
    return sorted(found)


def own_texts(root: Path = ROOT) -> Iterator[Text]:
    """All text of the project that is checked."""
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(LEFT_OUT):
                texts = texts_of_code(name, path.read_text("utf-8"))
                yield from (text for text in texts if folder == "mailbot" or text.kind != "string")
    for pages in PAGES:
        for path in sorted(root.glob(pages)):
            yield from texts_of_page(path.relative_to(root).as_posix(), path.read_text("utf-8"))
