"""HTML to text: what a reader would see, blocks as lines, quotations marked with ">", tables kept as rows."""

from __future__ import annotations

import itertools
import re
from typing import Any

from mailbot.mail.charsets import lines
from mailbot.model import Table, Value

MOST, TAGS = 1_000_000, 40_000
"""Characters of HTML that are read, and tags, opening and closing, however short they are (R4)."""

ELEMENTS = 15_000
"""Elements that are looked at; the longest letters have half of it."""

TABLES = 100
ROWS, COLUMNS = 2000, 50

_HIDDEN = {"head", "script", "style", "template", "title", "noscript", "object", "svg", "select", "datalist"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
    *("table", "tbody", "tfoot", "thead", "tr", "ul", "figure", "caption"),
}
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "blockquote"}
_INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])", re.IGNORECASE
)
_INDENT = re.compile(r"border\s*:\s*(?:none|0)", re.IGNORECASE)
_SPACES = re.compile(" {2,}")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_SIGNATURES = {"gmail_signature", "moz-signature"}


class HtmlText(Value, frozen=True):
    """What an HTML body says: its text and its data tables."""

    text: str
    tables: tuple[Table, ...] = ()


def read(source: str) -> HtmlText:
    """Read HTML as well as can be; never raises. Time is linear in its size."""
    source = "<".join(source[:MOST].split("<", TAGS)[:TAGS]).replace("\x00", "")
    if not source.strip():
        return HtmlText("")
    from lxml.etree import HTML, HTMLParser, LxmlError  # only a mail with HTML needs it

    try:
        # bytes, because lxml refuses text that carries an encoding declaration
        parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = HTML(source.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError, AssertionError):
        root = None
    if root is None:
        return HtmlText(lines(re.sub(r"<[^<>]*>", " ", source)))
    walk = _Walk(_hiding(root))
    walk.over(root)
    return HtmlText(walk.text(), tuple(walk.tables))


class _Walk:
    """One pass over the tree with a stack of its own: depth is no danger."""

    def __init__(self, hiding: frozenset[str] = frozenset()) -> None:
        self.hiding = hiding
        self.out: list[str] = []
        self.line: list[str] = []
        self.tables: list[Table] = []
        self.written = False  # whether the line holds more than white space
        self.quotes = 0
        self.verbatim = 0

    def over(self, root: Any) -> None:
        stack: list[tuple[Any, str]] = [(root, "")]
        left = ELEMENTS
        while stack and left:
            node, entered = stack.pop()
            if entered:
                self.leave(node, entered)
                self.words(node.tail)
                continue
            left -= 1
            tag = node.tag
            if not isinstance(tag, str):
                tag = "template"
            if tag == "br":
                self.end_line(even_empty=True)
                self.words(node.tail)
                continue
            if tag in _HIDDEN or self.hides(node):
                self.words(node.tail)
                continue
            self.enter(node, tag)
            stack.append((node, tag))
            stack += [(child, "") for child in reversed(node)]

    def hides(self, node: Any) -> bool:
        """Say whether nobody sees this element: by its own style, or by a rule of the page for its class or id."""
        if _hidden(node):
            return True
        names = {f".{name}" for name in (node.get("class") or "")[:2000].split()} | {f"#{node.get('id')}"}
        return not self.hiding.isdisjoint(names)

    def enter(self, node: Any, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_line(blank=tag in _SPACED)
        if tag == "blockquote" and _quotes(node):
            self.quotes += 1
        elif tag == "pre":
            self.verbatim += 1
        elif tag == "li":
            self.line.append("- ")
        elif tag == "hr":
            self.line.append("_" * 32)
            self.end_line()
        elif tag in {"td", "th"} and self.written:
            self.line.append("\t")
        elif tag == "table" and not self.quotes and len(self.tables) < TABLES:
            self.table(node)
        if node.keys() and not _SIGNATURES.isdisjoint((node.get("class") or "").split()):
            self.end_line()
            self.line.append("-- ")
            self.end_line()
        self.words(node.text)

    def leave(self, node: Any, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_line(blank=tag in _SPACED)
        if tag == "blockquote" and _quotes(node):
            self.quotes -= 1
        elif tag == "pre":
            self.verbatim -= 1

    def words(self, text: str | None) -> None:
        if not text:
            return
        self.written = self.written or not text.isspace()
        if self.verbatim:
            first, *others = text.split("\n")
            self.line.append(first)
            for other in others:
                self.end_line(even_empty=True)
                self.line.append(other)
        else:
            self.line.append(_SPACE.sub(" ", text))

    def end_line(self, *, blank: bool = False, even_empty: bool = False) -> None:
        self.written = False
        if not (self.line or blank or even_empty):
            return
        text = "".join(self.line)
        if not self.verbatim and text != "-- ":
            text = (_SPACES.sub(" ", text) if "  " in text else text).strip(" ")
        self.line = []
        mark = "> " * self.quotes
        if text and not text.isspace():
            self.out.append(f"{mark}{text}")
        elif even_empty:
            self.out.append(mark.rstrip())
        if blank and self.out and self.out[-1].strip("> "):
            self.out.append(mark.rstrip())

    def table(self, node: Any) -> None:
        """Keep the rows of a data table: no table within it, and more than one column."""
        if next(node.iterdescendants("table"), None) is not None:
            return
        rows: list[tuple[str, ...]] = []
        for row in itertools.islice(node.iterdescendants("tr"), ROWS):
            some = itertools.islice(row.iterchildren("td", "th"), COLUMNS)
            cells = () if self.hides(row) else tuple(_cell(cell, self.hiding) for cell in some)
            if any(cells):
                rows.append(cells)
        if max(map(len, rows), default=0) > 1:
            self.tables.append(Table(rows=tuple(rows), source="html"))

    def text(self) -> str:
        self.end_line()
        return re.sub(r"\n{3,}", "\n\n", lines("\n".join(self.out))).strip("\n")


def _cell(node: Any, hiding: frozenset[str]) -> str:
    walk = _Walk(hiding)
    if not len(node) and not walk.hides(node):
        return " ".join(lines(node.text or "").split())
    walk.over(node)
    return " ".join(walk.text().split())


_RULE = re.compile(r"([^{}]{1,200})\{([^{}]{0,500})\}")
_NAME = re.compile(r"(?:[a-z][a-z0-9]{0,9})?([.#][\w-]{1,80})", re.IGNORECASE)
_STYLES = 100_000
"""Characters of style sheets that are read."""


def _hiding(root: Any) -> frozenset[str]:
    """The classes and ids that the page's own style sheet hides from everybody; a rule for some media is none."""
    sheet = "\n".join(style.text or "" for style in itertools.islice(root.iter("style"), TABLES))[:_STYLES]
    sheet = re.sub(r"@media[^{}]{0,200}\{(?:[^{}]{0,200}\{[^{}]{0,500}\}\s{0,20}){0,200}\}", "", sheet)
    return frozenset(
        name[1]
        for rule in _RULE.finditer(sheet)
        if _INVISIBLE.search(rule[2])
        for selector in rule[1].split(",")
        if (name := _NAME.fullmatch(selector.strip()))
    )


def _hidden(node: Any) -> bool:
    return bool(node.keys()) and (
        node.get("hidden") is not None or bool(_INVISIBLE.search((node.get("style") or "")[:2000]))
    )


def _quotes(node: Any) -> bool:
    """Say whether a blockquote quotes a mail; programs use it for plain indenting too."""
    return node.get("type") == "cite" or not _INDENT.search((node.get("style") or "")[:2000])
