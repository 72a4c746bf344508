"""Every branch of every template is written by a sample: no sentence is written for the first time to a customer."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from jinja2 import nodes
from support.sample_emails import shipped, sources

from mailbot.reply.render import EmailTemplates
from mailbot.reply.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.reply.email_content import EmailContent

STATEMENT = re.compile(r"\{%[-+]?\s*(if|elif|for|macro|call)\b")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


class Branch(NamedTuple):
    """One way through a template: where it begins, and what has to be true to get there."""

    path: str
    line: int
    what: str
    number: int

    def __str__(self) -> str:
        """The branch as a line of an error."""
        return f"{self.path}:{self.line}: {self.what}"


class Branches:
    """The branches of templates, and those of them that were written. It marks them in the templates' syntax trees."""

    def __init__(self, letters: EmailTemplates) -> None:
        self.of: dict[str, list[Branch]] = {}
        self.taken: set[Branch] = set()
        self.statements: Counter[str] = Counter()
        self.room = letters.scopes["default", "en"]
        parse = self.room._parse

        def marked(source: str, name: str | None, filename: str | None) -> nodes.Template:
            tree = parse(source, name, filename)
            self._mark(tree, filename or "")
            return tree

        # The compiler calls these two attributes of the Jinja environment.
        self.room._parse = marked  # type: ignore[method-assign]
        self.room.branch_taken = self._take  # type: ignore[attr-defined]

    def _take(self, path: str, number: int, value: object = "") -> object:
        self.taken.add(self.of[path][number])
        return value

    @property
    def all(self) -> list[Branch]:
        """The branches of all templates."""
        return [branch for found in self.of.values() for branch in found]

    def missed(self) -> list[str]:
        """The branches that were not written, in the order of the templates."""
        return [str(branch) for branch in sorted(set(self.all) - self.taken)]

    def _mark(self, tree: nodes.Template, path: str) -> None:
        """Note the branches of a template, and let each report itself when it is written."""
        found: list[Branch] = []

        def branch(node: nodes.Node, what: str, line: int = 0) -> Branch:
            found.append(Branch(path, line or node.lineno, what, len(found)))
            return found[-1]

        def begin(body: list[nodes.Node], one: Branch) -> list[nodes.Node]:
            report = nodes.ExprStmt(self._report(one), lineno=one.line)
            return [report, *body]

        conditions = list(tree.find_all(nodes.If))
        elifs = {id(each) for node in conditions for each in node.elif_}
        for node in conditions:
            if id(node) in elifs:
                continue
            tests = [(node, "if"), *((each, "elif") for each in node.elif_)]
            for each, word in tests:
                each.body = begin(each.body, branch(each, word))
            what = "else" if node.else_ else f"the {tests[-1][1]} is false"
            line = node.else_[0].lineno if node.else_ else tests[-1][0].lineno
            node.else_ = begin(node.else_, branch(node, what, line))
        for loop in list(tree.find_all(nodes.For)):
            loop.body = begin(loop.body, branch(loop, "for"))
            if loop.else_:
                loop.else_ = begin(loop.else_, branch(loop, "for, else", loop.else_[0].lineno))
        for part in list(tree.find_all((nodes.Macro, nodes.CallBlock))):
            word = type(part).__name__.replace("CallBlock", "call").lower()
            part.body = begin(part.body, branch(part, f"{word} {getattr(part, 'name', '')}".strip()))
        for choice in list(tree.find_all(nodes.CondExpr)):
            choice.expr1 = self._report(branch(choice, "x if …"), choice.expr1)
            choice.expr2 = self._report(branch(choice, "… else x"), choice.expr2 or nodes.Const("", lineno=choice.lineno))
        known = self.of.setdefault(path, found)
        assert known == found, f"{path} has other branches in HTML than in text"
        self.statements[path] = sum(
            one.what.split()[0] in {"if", "elif", "for", "macro", "call"} and one.what != "for, else" for one in found
        )

    @staticmethod
    def _report(one: Branch, value: nodes.Expr | None = None) -> nodes.Call:
        given = [nodes.Const(one.path), nodes.Const(one.number), *([value] if value else [])]
        call = nodes.Call(nodes.EnvironmentAttribute("branch_taken"), given, [], None, None, lineno=one.line)
        return call.set_lineno(one.line)


def written(letters: EmailTemplates, samples: Iterable[EmailContent]) -> Branches:
    """The branches of all templates, after these samples have been written."""
    branches = Branches(letters)
    for path, source in letters.sources.items():
        branches.room._parse(source, path.rpartition("/")[2], path)
    for sample in samples:
        letters.render(sample, "default")
    return branches


@pytest.fixture(scope="module")
def branches() -> Branches:
    return written(shipped(), SAMPLES)


def test_every_branch_of_every_template_is_written_by_some_sample(branches: Branches) -> None:
    """An error in a sentence that is needed once a year is found in time, because a sample email has that sentence."""
    missed = branches.missed()
    assert not missed, "\n".join(missed)


def test_every_statement_of_every_template_is_watched(branches: Branches) -> None:
    """No template is left out, and in each of them every statement that can be skipped is counted."""
    templates = {path: source for path, source in sources().items() if not path.endswith(".toml")}
    assert len(templates) >= 15
    wanted = {path: len(STATEMENT.findall(COMMENT.sub("", source))) for path, source in templates.items()}
    assert {path: branches.statements[path] for path in wanted} == wanted
    assert sum(wanted.values()) > 300
    assert len(branches.all) > 400


def test_watching_changes_no_email() -> None:
    """The emails that are watched are the emails that customers get."""
    letters, watched = shipped(), shipped()
    Branches(watched)
    assert SAMPLES
    for sample in SAMPLES:
        assert watched.render(sample, "default") == letters.render(sample, "default")


PLANTED = """\
{% if number %}a{% elif fee %}b{% else %}c{% endif %}
{% if case_id %}d{% endif %}
{% for unit in ["x"] %}e{% else %}f{% endfor %}
{% macro never() %}g{% endmacro %}
{{ "h" if number else "i" }}{{ "j" if fee }}
{% macro quiet() %}k{% endmacro %}
{% call quiet() %}l{% endcall %}
"""


def test_a_branch_that_no_sample_writes_is_named() -> None:
    """Each kind of branch is reported with its file and line when no sample has written it."""
    path = "default/en/closed.jinja"
    quiet = PLANTED.replace("quiet() %}k", "quiet() %}{% if not number %}{{ caller() }}{% endif %}")
    letters = EmailTemplates.of({**sources(), path: quiet})
    closed = next(sample for sample in SAMPLES if sample.kind == "closed" and sample.number and not sample.fee)
    missed = [line.removeprefix(f"{path}:") for line in written(letters, [closed]).missed() if line.startswith(path)]
    assert missed == [
        "1: elif",
        "1: else",
        "2: the if is false",
        "3: for, else",
        "4: macro never",
        "5: x if …",
        "5: … else x",
        "6: if",
        "7: call",
    ]
