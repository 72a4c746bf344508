"""HTML to text: the visible text, block elements as lines, quotes marked with ">", and tables as rows."""

from __future__ import annotations

import itertools
import re
from typing import Any

from mailbot.mail.charsets import normalize_lines
from mailbot.model import Table, Value

MAX_CHARACTERS, MAX_TAGS = 1_000_000, 40_000
"""The maximum number of characters of HTML, and of opening and closing tags, that are read."""

MAX_ELEMENTS = 15_000
"""The maximum number of elements that are visited; the longest real messages have half as many."""

MAX_TABLES = 100
MAX_ROWS, MAX_COLUMNS = 2000, 50

_SKIPPED_TAGS = {"head", "script", "style", "template", "title", "noscript", "object", "svg", "select", "datalist"}
_BLOCK_TAGS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
    *("table", "tbody", "tfoot", "thead", "tr", "ul", "figure", "caption"),
}
_PARAGRAPH_TAGS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "blockquote"}
_INVISIBLE_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])", re.IGNORECASE
)
_NO_BORDER = re.compile(r"border\s*:\s*(?:none|0)", re.IGNORECASE)
_SPACES = re.compile(" {2,}")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_SIGNATURE_CLASSES = {"gmail_signature", "moz-signature"}


class HtmlText(Value, frozen=True):
    """The content of an HTML body: its text and its data tables."""

    text: str
    tables: tuple[Table, ...] = ()


def read_html(source: str) -> HtmlText:
    """Read HTML as well as possible; never raises. The time is linear in the size."""
    source = "<".join(source[:MAX_CHARACTERS].split("<", MAX_TAGS)[:MAX_TAGS]).replace("\x00", "")
    if not source.strip():
        return HtmlText("")
    from lxml.etree import HTML, HTMLParser, LxmlError  # imported only for messages with HTML

    try:
        # bytes, because lxml refuses text with an encoding declaration
        parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = HTML(source.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError, AssertionError):
        root = None
    if root is None:
        return HtmlText(normalize_lines(re.sub(r"<[^<>]*>", " ", source)))
    walker = _TreeWalker(_invisible_selectors(root))
    walker.visit(root)
    return HtmlText(walker.text(), tuple(walker.tables))


class _TreeWalker:
    """One pass over the tree without recursion: nesting depth is not a problem."""

    def __init__(self, invisible: frozenset[str] = frozenset()) -> None:
        self.invisible = invisible
        self.out: list[str] = []
        self.line: list[str] = []
        self.tables: list[Table] = []
        self.has_text = False  # whether the line has more than white space
        self.quote_depth = 0
        self.preformatted = 0

    def visit(self, root: Any) -> None:
        from lxml.etree import iterwalk

        events = iterwalk(root, events=("start", "end"))
        remaining = MAX_ELEMENTS
        for event, node in events:
            if not remaining:
                return
            if event == "end":
                self.leave(node)
            else:
                remaining -= 1
                if node.tag != "br" and node.tag not in _SKIPPED_TAGS and not self.is_invisible(node):
                    self.enter(node)
                    continue
                events.skip_subtree()
                next(events)  # its end
                if node.tag == "br":
                    self.end_line(even_empty=True)
            self.add_text(node.tail)

    def is_invisible(self, node: Any) -> bool:
        """Return whether this element is invisible: by its own style, or by a CSS rule for its class or id."""
        if _has_invisible_style(node):
            return True
        names = {f".{name}" for name in (node.get("class") or "")[:2000].split()} | {f"#{node.get('id')}"}
        return not self.invisible.isdisjoint(names)

    def enter(self, node: Any) -> None:
        tag = node.tag
        if tag in _BLOCK_TAGS:
            self.end_line(blank=tag in _PARAGRAPH_TAGS)
        if tag == "blockquote" and _is_quote(node):
            self.quote_depth += 1
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "li":
            self.line.append("- ")
        elif tag == "hr":
            self.line.append("_" * 32)
            self.end_line()
        elif tag in {"td", "th"} and self.has_text:
            self.line.append("\t")
        elif tag == "table" and not self.quote_depth and len(self.tables) < MAX_TABLES:
            self.table(node)
        if node.keys() and not _SIGNATURE_CLASSES.isdisjoint((node.get("class") or "").split()):
            self.end_line()
            self.line.append("-- ")
            self.end_line()
        self.add_text(node.text)

    def leave(self, node: Any) -> None:
        tag = node.tag
        if tag in _BLOCK_TAGS:
            self.end_line(blank=tag in _PARAGRAPH_TAGS)
        if tag == "blockquote" and _is_quote(node):
            self.quote_depth -= 1
        elif tag == "pre":
            self.preformatted -= 1

    def add_text(self, text: str | None) -> None:
        if not text:
            return
        self.has_text = self.has_text or not text.isspace()
        if self.preformatted:
            first, *others = text.split("\n")
            self.line.append(first)
            for other in others:
                self.end_line(even_empty=True)
                self.line.append(other)
        else:
            self.line.append(_SPACE.sub(" ", text))

    def end_line(self, *, blank: bool = False, even_empty: bool = False) -> None:
        self.has_text = False
        if not (self.line or blank or even_empty):
            return
        text = "".join(self.line)
        if not self.preformatted and text != "-- ":
            text = (_SPACES.sub(" ", text) if "  " in text else text).strip(" ")
        self.line = []
        prefix = "> " * self.quote_depth
        if text and not text.isspace():
            self.out.append(f"{prefix}{text}")
        elif even_empty:
            self.out.append(prefix.rstrip())
        if blank and self.out and self.out[-1].strip("> "):
            self.out.append(prefix.rstrip())

    def table(self, node: Any) -> None:
        """Keep the rows of a data table: one without nested tables and with more than one column."""
        if next(node.iterdescendants("table"), None) is not None:
            return
        rows: list[tuple[str, ...]] = []
        for row in itertools.islice(node.iterdescendants("tr"), MAX_ROWS):
            row_cells = itertools.islice(row.iterchildren("td", "th"), MAX_COLUMNS)
            cells = () if self.is_invisible(row) else tuple(_cell(cell, self.invisible) for cell in row_cells)
            if any(cells):
                rows.append(cells)
        if max(map(len, rows), default=0) > 1:
            self.tables.append(Table(rows=tuple(rows), source="html"))

    def text(self) -> str:
        self.end_line()
        return re.sub(r"\n{3,}", "\n\n", normalize_lines("\n".join(self.out))).strip("\n")


def _cell(node: Any, invisible: frozenset[str]) -> str:
    walker = _TreeWalker(invisible)
    if not len(node) and not walker.is_invisible(node):
        return " ".join(normalize_lines(node.text or "").split())
    walker.visit(node)
    return " ".join(walker.text().split())


_CSS_RULE = re.compile(r"([^{}]{1,200})\{([^{}]{0,500})\}")
_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]{0,9})?([.#][\w-]{1,80})", re.IGNORECASE)
MAX_STYLE_CHARACTERS = 100_000
"""The maximum number of characters of style sheets that are read."""


def _invisible_selectors(root: Any) -> frozenset[str]:
    """Return the classes and ids that the page's style sheet makes invisible; rules for specific media are ignored."""
    sheet = "\n".join(style.text or "" for style in itertools.islice(root.iter("style"), MAX_TABLES))[:MAX_STYLE_CHARACTERS]
    sheet = re.sub(r"@media[^{}]{0,200}\{(?:[^{}]{0,200}\{[^{}]{0,500}\}\s{0,20}){0,200}\}", "", sheet)
    return frozenset(
        name[1]
        for rule in _CSS_RULE.finditer(sheet)
        if _INVISIBLE_STYLE.search(rule[2])
        for selector in rule[1].split(",")
        if (name := _SELECTOR.fullmatch(selector.strip()))
    )


def _has_invisible_style(node: Any) -> bool:
    return bool(node.keys()) and (node.get("hidden") is not None or bool(_INVISIBLE_STYLE.search((node.get("style") or "")[:2000])))


def _is_quote(node: Any) -> bool:
    """Return whether a blockquote quotes a message; programs also use it for plain indentation."""
    return node.get("type") == "cite" or not _NO_BORDER.search((node.get("style") or "")[:2000])
