"""The project's text is plain American English: code, docs and messages use none of the listed phrases."""

from __future__ import annotations

from collections import Counter

import pytest
from click import Command, Context, Group
from support.wording import Text, look_through, own_texts, phrases, texts_of_code, texts_of_page

from mailbot.commands import cli

WANTED = phrases()

PLANTED = '''\
"""Says how to mend it."""

LIMIT = 3
"""Nobody is written to."""


class Dossier:
    """A file."""

    def shown(self, *, hidden: bool) -> str:
        # whoever reads this
        mended_rows = 1
        raise ValueError(f"{mended_rows} is no date")
'''


def help_texts(command: Command, name: str = "mailbot") -> list[Text]:
    """The help of a command and of all commands below it."""
    context = Context(command, info_name=name)
    found = [Text(f"{name} --help", 1, "help", command.get_help(context))]
    if isinstance(command, Group):
        for below in command.list_commands(context):
            each = command.get_command(context, below)
            assert each, below
            found += help_texts(each, f"{name} {below}")
    return found


def test_code_and_docs_use_none_of_the_listed_phrases() -> None:
    """Customers, staff and developers read plain American English."""
    found = look_through(own_texts(), WANTED)
    files = Counter(one.path for one in found)
    lines = "\n".join(map(str, found))
    assert not found, f"{len(found)} phrases in {len(files)} files:\n{lines}"


def test_the_help_of_the_commands_uses_none_of_the_listed_phrases() -> None:
    """The help on the command line is plain American English."""
    helps = help_texts(cli)
    assert len(helps) >= 8
    found = look_through(helps, WANTED)
    assert not found, "\n".join(map(str, found))


def test_the_check_reads_the_whole_project() -> None:
    """Every kind of text is checked, in code, in tests and in the docs."""
    texts = list(own_texts())
    assert {text.kind for text in texts} >= {"name", "module", "comment", "docstring", "string", "page"}
    paths = {text.path for text in texts}
    assert len([path for path in paths if path.startswith("mailbot/")]) > 80
    assert len([path for path in paths if path.startswith("tests/")]) > 40
    assert {"README.md", "CHANGELOG.md", "docs/staff.md"} <= paths


def test_the_list_is_well_formed() -> None:
    """Each phrase is listed once, with a better one, and the better ones are not themselves on the list."""
    assert 60 <= len(WANTED) <= 120
    assert [text for text, count in Counter(one.text for one in WANTED).items() if count > 1] == []
    assert [one.text for one in WANTED if not one.better] == []
    better = [Text("list", at, "page", one.better) for at, one in enumerate(WANTED)]
    assert look_through(better, WANTED) == []


def test_planted_phrases_are_found_in_code() -> None:
    """A phrase is found in a docstring, an attribute's docstring, a name, a flag, a comment and a message."""
    found = look_through(texts_of_code("mailbot/dossiers.py", PLANTED), WANTED)
    assert {(one.line, one.kind, one.phrase) for one in found} == {
        (1, "docstring", "mend"),
        (1, "module", "dossiers"),
        (4, "docstring", "is written to"),
        (4, "docstring", "nobody is written to"),
        (7, "name", "dossier"),
        (10, "flag", "hidden"),
        (11, "comment", "whoever"),
        (12, "name", "mended"),
        (13, "string", "is no date"),
    }
    assert str(found[0]) == "mailbot/dossiers.py:1: docstring: 'mend' -> 'fix'"


@pytest.mark.parametrize("text", ["It goes\non there.", "# A\n\nIt goes on."])
def test_planted_phrases_are_found_on_a_page(text: str) -> None:
    """A phrase is found on a page, also across the end of a line."""
    assert [one.phrase for one in look_through(texts_of_page("docs/x.md", text), WANTED)] == ["goes on"]


def test_the_code_on_a_page_is_not_checked() -> None:
    """Code on a page is what a command or a file says, and it is checked there."""
    page = "Fix it.\n\n```\nmend\n```\n\nUse `mend` here.\n\nwhoever"
    found = look_through(texts_of_page("docs/x.md", page), WANTED)
    assert [(one.line, one.phrase) for one in found] == [(9, "whoever")]


def test_longer_words_are_not_found() -> None:
    """A listed word within another word is no finding."""
    words = "recommend amendment stranger-free2 marshall understands income_tax"
    assert look_through([Text("x", 1, "string", words)], [one for one in WANTED if " " not in one.text]) == []
