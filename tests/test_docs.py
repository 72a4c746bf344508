"""What the docs leave out does not exist: every command, option, setting and fact is named, and every clause cited is one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import click
import msgspec
import pytest
from desk import COMPANIES, policy

from mailbot import settings
from mailbot.commands import COMMANDS, cli
from mailbot.policy.facts import FACTS, domains
from mailbot.policy.policy import PLACEHOLDERS
from mailbot.policy.rules import Moment, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).parents[1]
DOCS = {
    path.name: path.read_text(encoding="utf-8") for path in (HOME / "README.md", *sorted((HOME / "docs").glob("*.md")))
}
SOURCES = sorted((HOME / "mailbot").rglob("*.py"))


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its words."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", each) for sub, each in command.commands.items())
        elif command is not None:
            yield name, command


ALL = list(commands())


@pytest.mark.parametrize(("words", "command"), ALL, ids=[words for words, _ in ALL])
def test_every_command_and_option_is_in_the_docs(words: str, command: click.Command) -> None:
    """docs/commands.md has a line for each command that names each of its options."""
    lines = [line for line in DOCS["commands.md"].splitlines() if line.startswith(f"| `mailbot {words}")]
    assert len(lines) == 1, f"docs/commands.md has no line for mailbot {words}"
    for option in (each for each in command.params if isinstance(each, click.Option)):
        longest = max(option.opts, key=len)
        where = DOCS["commands.md"] if longest == "--config" else lines[0]
        assert longest in where, f"docs/commands.md does not say {longest} for mailbot {words}"


def test_the_docs_name_no_command_or_option_that_is_none() -> None:
    """What was renamed or removed is gone from README and docs too."""
    options = {name for _, command in ALL for each in command.params for name in each.opts} | {
        "--help",
        "--version",
        "-h",
    }
    for name, text in DOCS.items():
        code = " ".join(re.findall(r"`mailbot [^`]*`|^ {4}mailbot .*$", text, re.MULTILINE))
        for word in re.findall(r"(?<!\S)\[?(--[a-z]+)", code):
            assert word in options, f"{name} names {word}"
        for word in re.findall(r"\bmailbot ([a-z]+)\b", code):
            assert word in COMMANDS, f"{name} names mailbot {word}"


TABLES: dict[str, Any] = {
    "At the top": settings.File,
    "[folders]": settings.Folders,
    "[[mailbox]]": settings.MailboxTable,
    "[mailbox.imap] and [mailbox.smtp]": (settings.ImapTable, settings.SmtpTable),
    "[[mailbox.staff]]": settings.StaffTable,
}


@pytest.mark.parametrize(("heading", "types"), TABLES.items(), ids=TABLES)
def test_every_setting_is_in_the_docs_with_its_default(heading: str, types: Any) -> None:
    """docs/settings.md has a row for each key, and no row for a key that is none; a default stands as it is."""
    section = DOCS["settings.md"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = {
        cells[1].strip(" `"): cells[2]
        for line in section.splitlines()
        if (cells := line.split("|"))[1:] and "`" in cells[1]
    }
    fields = [
        field for each in (types if isinstance(types, tuple) else (types,)) for field in msgspec.structs.fields(each)
    ]
    assert set(rows) == {field.name for field in fields}
    for field in fields:
        if field.required:
            assert "required" in rows[field.name] or field.name == "mailbox"
        elif isinstance(field.default, str | int) and field.default is not msgspec.NODEFAULT:
            shown = json.dumps(field.default)  # TOML writes strings, numbers and truth as JSON does
            assert shown in rows[field.name], field.name


def test_every_settings_table_is_documented() -> None:
    """A new table of mailbot.toml needs a table in docs/settings.md."""
    known = {each for types in TABLES.values() for each in (types if isinstance(types, tuple) else (types,))}
    tables = {each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, settings.Table)}
    assert tables - {settings.Table} == known


@pytest.mark.parametrize("name", [name for name in DOCS if name != "README.md"])
def test_the_readme_leads_to_every_page(name: str) -> None:
    """Who begins with README.md finds everything."""
    assert f"docs/{name}" in DOCS["README.md"]


def test_links_in_the_docs_lead_somewhere() -> None:
    """A link to a file of the project has that file behind it."""
    for name, text in DOCS.items():
        folder = HOME if name == "README.md" else HOME / "docs"
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert (folder / target).exists(), f"{name}: {target}"


CLAUSE = re.compile(r"\b(?:AP|ST)-\d+\b")


def test_every_clause_that_the_code_cites_exists() -> None:
    """A clause named in a comment or docstring is one of the two policies' clauses."""
    known = {clause for company in COMPANIES for clause in policy(company).rules.clauses}
    cited = {(path.name, clause) for path in SOURCES for clause in CLAUSE.findall(path.read_text(encoding="utf-8"))}
    assert cited, "the code cites its clauses"
    assert {(name, clause) for name, clause in cited if clause not in known} == set()


def test_no_company_stands_in_the_code() -> None:
    """Sentences, amounts and addresses of the companies are data: no Python file names one."""
    text = {path: path.read_text(encoding="utf-8") for path in SOURCES if "demo" not in path.parts}
    for company in COMPANIES:
        rules = policy(company).rules
        for piece in (rules.policy.company, *rules.ship_to.lines[1:3], rules.policy.phone):
            assert [path.name for path, source in text.items() if piece in source] == []


@pytest.mark.parametrize("folder", ["mailbot", "rules", "templates", "docs", "tests"])
def test_no_file_knows_this_machine(folder: str) -> None:
    """Nothing in the project points to where it was written."""
    pattern = re.compile("/" + "work/|/tmp" + "/v/")
    files = [
        path for path in (HOME / folder).rglob("*") if path.suffix in (".py", ".toml", ".md", ".jinja", ".txt", ".html")
    ]
    assert [str(path) for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_and_its_answers_are_in_the_docs(fact: str) -> None:
    """Whoever edits a rules file finds each word that a condition may be made of."""
    [row] = [line for line in DOCS["rules.md"].splitlines() if line.startswith(f"| `{fact}` |")]
    families = set(policy(COMPANIES[0]).rules.families)
    shown = {word.strip() for word in row.split("|")[2].split(",")}
    assert set(domains(policy(COMPANIES[0]).rules)[fact]) - families == shown - {"the names in [families]"}


def test_every_moment_placeholder_and_ask_is_in_the_docs() -> None:
    """So are the moments at which a sentence can be said, and the places that are filled in."""
    asks = get_args(get_args(get_type_hints(Rule)["ask"])[0])
    words = [f"`{word}`" for word in (*get_args(Moment), *asks)] + [f"`{{{name}}}`" for name in PLACEHOLDERS]
    assert [word for word in words if word not in DOCS["rules.md"]] == []
