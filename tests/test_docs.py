"""What the docs leave out does not exist: every command, option, setting and fact is named, and every clause cited is one."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import click
import msgspec
import pytest
from support import module_table
from support.memory_desk import COMPANIES, PORTWELL, Desk, library, policy, unit
from support.recorded_classes import CLASSES

from mailbot import settings
from mailbot.commands import COMMANDS, cli
from mailbot.model import CommandName, Finding, StaffMessage
from mailbot.policy.facts import FACTS, domains
from mailbot.policy.rule_checks import PLACEHOLDERS
from mailbot.policy.rules import AnswerRules, Deadlines, DecisionRule, FindingRule, Moment
from mailbot.reading_settings import ReadingTable
from mailbot.rehearsal.conversation_file import load
from mailbot.rehearsal.player import play, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.model import Step

HOME = Path(__file__).parents[1]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (HOME / "README.md", *sorted((HOME / "docs").glob("*.md")))}
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
    options = {name for _, command in ALL for each in command.params for name in each.opts} | {"--help", "--version", "-h"}
    for name, text in DOCS.items():
        code = " ".join(re.findall(r"`mailbot [^`]*`|^ {4}mailbot .*$", text, re.MULTILINE))
        for word in re.findall(r"(?<!\S)\[?(--[a-z]+)", code):
            assert word in options, f"{name} names {word}"
        for word in re.findall(r"\bmailbot ([a-z]+)\b", code):
            assert word in COMMANDS, f"{name} names mailbot {word}"


TABLES: dict[str, Any] = {
    "At the top": settings.SettingsFile,
    "[folders]": settings.Folders,
    "[reading]": ReadingTable,
    "[[mailbox]]": settings.MailboxTable,
    "[mailbox.imap] and [mailbox.smtp]": (settings.ImapTable, settings.SmtpTable),
    "[[mailbox.staff]]": settings.StaffTable,
}


@pytest.mark.parametrize(("heading", "types"), TABLES.items(), ids=TABLES)
def test_every_setting_is_in_the_docs_with_its_default(heading: str, types: Any) -> None:
    """docs/settings.md has a row for each key, and no row for a key that is none; a default stands as it is."""
    section = DOCS["settings.md"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = {cells[1].strip(" `"): cells[2] for line in section.splitlines() if (cells := line.split("|"))[1:] and "`" in cells[1]}
    fields = [field for each in (types if isinstance(types, tuple) else (types,)) for field in msgspec.structs.fields(each)]
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
    tables = {each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, settings.TomlTable)}
    assert tables - {settings.TomlTable, settings.PasswordKeys} == known


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


def test_no_company_is_in_the_code() -> None:
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
    files = [path for path in (HOME / folder).rglob("*") if path.suffix in (".py", ".toml", ".md", ".jinja", ".txt", ".html")]
    assert [str(path) for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_and_its_answers_are_in_the_docs(fact: str) -> None:
    """Anyone who edits a rules file finds each word that a condition may be made of."""
    [row] = [line for line in DOCS["rules.md"].splitlines() if line.startswith(f"| `{fact}` |")]
    families = set(policy(COMPANIES[0]).rules.families)
    shown = {word.strip() for word in row.split("|")[2].split(",")}
    assert set(domains(policy(COMPANIES[0]).rules)[fact]) - families == shown - {"the names in [families]"}


def test_every_moment_placeholder_and_ask_is_in_the_docs() -> None:
    """So are the moments at which a sentence can be said, and the places that are filled in."""
    asks = get_args(get_args(get_type_hints(DecisionRule)["ask"])[0])
    words = [f"`{word}`" for word in (*get_args(Moment), *asks)] + [f"`{{{name}}}`" for name in PLACEHOLDERS]
    assert [word for word in words if word not in DOCS["rules.md"]] == []


def test_every_answer_finding_and_deadline_is_in_the_docs() -> None:
    """So is what is said where no unit is decided on, what the bench can find, and what is reminded."""
    then = get_args(get_type_hints(FindingRule)["then"])
    words = [*AnswerRules.__struct_fields__, *get_args(Finding), *then, *Deadlines.__struct_fields__[1:], "renew_days"]
    assert [word for word in words if not re.search(rf"`(?:[\w.]*\.)?{word}`", DOCS["rules.md"])] == []


# ------------------------------------------------------------------ what the pages for people say is tried out

BOSS = "boss@portwell.example"
_CODE = re.compile(r"`([^`]+)`")


def held() -> Desk:
    """A desk with a case that waits for an approver."""
    desk = Desk(units=[unit("AM5E300471", "platform", date(2026, 11, 10))])
    desk.write("We ordered one too many and would like to return AM5E300471 for credit.")
    assert desk.case.state == "held"
    return desk


def said(text: str) -> StaffMessage:
    """What a colleague's mail about that case is understood as."""
    desk = held()
    event = desk.write(text, BOSS, subject=f"[{desk.case.id}]").event
    assert isinstance(event, StaffMessage)
    return event


WRITTEN = [
    text for row in re.findall(r"(?m)^\| (`.*?) \|", DOCS["staff.md"].split("## What is never")[0]) for text in _CODE.findall(row)
]
NEVER = _CODE.findall(DOCS["staff.md"].split("## What is never")[1].split("## To tell")[0])


@pytest.mark.parametrize("text", WRITTEN)
def test_what_a_colleague_is_notified_to_write_is_understood(text: str) -> None:
    """Each example of docs/staff.md is one command, without a flaw, and nothing in it is unclear."""
    request = said(text).request
    assert [command.flaw for command in request.commands] == [""]
    assert request.unclear == ()


def test_every_command_is_on_the_page_for_staff() -> None:
    """Nothing that can be commanded is left out, the question for confirmation included."""
    names = {command.name for text in (*WRITTEN, "CONFIRM") for command in said(text).request.commands}
    assert names == set(get_args(CommandName))


@pytest.mark.parametrize("text", NEVER)
def test_what_is_never_read_as_a_command_changes_nothing(text: str) -> None:
    """A question, a condition, a negation, a plan, somebody else's word, free text: nothing follows."""
    assert said(text).request.commands == ()


def test_the_other_ways_of_the_page_are_understood() -> None:
    """Serials behind a command, a reason behind FORCE, an approval in plain words, two commands in one line."""
    assert said("RECEIVED AM5E300471").request.commands[0].serials == ("AM5E300471",)
    assert said("RECEIVED FORCE: came without a number").request.commands[0].force == "came without a number"
    plain = "I spoke to the first owner, all fine. Please go ahead and issue the RMA."
    assert [command.name for command in said(plain).request.commands] == ["approve"]
    both = "REPAIRED. SHIPPED UPS 1Z8R76E40399988877"
    assert both in DOCS["README.md"]
    assert [command.name for command in said(both).request.commands] == ["repaired", "shipped"]


CUSTOMERS = {
    "Serial number AH2F104432 shows no video.": ("", "authorized"),
    "It is AH2F104432.": ("One of our boards shows no video.", "authorized"),
    "Sorry, the serial is AH2F104433, not AH2F104434.": ("Serial number AH2F104434 shows no video.", "authorized"),
    "Please add AH2F104499 as well, it has no power.": ("Serial number AH2F104432 shows no video.", "authorized"),
    "OK, please go ahead.": ("Serial number AH2F104410 shows no video.", "quoted"),
    "Too expensive, please cancel.": ("Serial number AH2F104410 shows no video.", "withdrawn"),
    "Please cancel the RMA.": ("Serial number AH2F104432 shows no video.", "withdrawn"),
    "Shipped today with UPS, tracking number 1Z999AA10123456784.": ("Serial number AH2F104432 shows no video.", "in_transit"),
    "What is the status?": ("Serial number AH2F104432 shows no video.", "status"),
    "The number has expired. May we have a new one?": ("Serial number AH2F104432 shows no video.", "authorized"),
    "Can you ship it back by overnight express?": ("Serial number AH2F104432 shows no video.", "staff"),
    "Please send it back to another address: Acme Lab, 5 Side Street, Springfield, IL 62701.": (
        "Serial number AH2F104432 shows no video.",
        "staff",
    ),
    "Do you also sell fans?": ("Serial number AH2F104432 shows no video.", "staff"),
    "Thank you!": ("Serial number AH2F104432 shows no video.", "nothing"),
}
"""Each example of docs/customers.md: what was written before it, and what becomes of it."""


def wrote(text: str, before: str) -> tuple[Desk, Step]:
    """A customer's mail, in the thread of an earlier one if there was one."""
    units = [unit(serial, "ipc") for serial in ("AH2F104432", "AH2F104433", "AH2F104499")]
    desk = Desk(units=[*units, unit("AH2F104410", "ipc", date(2020, 3, 1))])
    if not before:
        return desk, desk.write(text)
    first = desk.write(before).replies[0].message_id
    for _ in range(40 if "expired" in text else 0):
        desk.later(days=1)
    return desk, desk.write(text, answers=first, subject="Re: A board")


def test_the_page_about_customers_has_no_untried_example() -> None:
    """The examples of docs/customers.md and those tried here are the same."""
    rows = re.findall(r"(?m)^\|[^|]+\| (`.*?) \|", DOCS["customers.md"])
    assert {text for row in rows for text in _CODE.findall(row)} == set(CUSTOMERS)


@pytest.mark.parametrize("text", CUSTOMERS)
def test_what_customers_write_leads_where_the_page_says(text: str) -> None:
    """Each example of docs/customers.md has the consequence that is next to it."""
    before, follows = CUSTOMERS[text]
    desk, step = wrote(text, before)
    if follows == "nothing":
        assert step.replies == ()
        return
    seen = (desk.case.state, step.decision.answer_key, step.decision.outcome) if step.decision else ()
    assert follows in seen
    assert any(reply.audience == "customer" for reply in step.replies)
    assert any(reply.audience == "staff" for reply in step.replies) == (follows in ("staff", "withdrawn"))


def test_the_guide_to_the_policy_works_as_it_is(tmp_path: Path) -> None:
    """The three changes of docs/policy.md make its conversation pass, which fails under the shipped rules."""
    *changes, talk = re.findall(r"```toml\n(.*?)```", DOCS["policy.md"], re.DOTALL)
    overlay: dict[str, Any] = {}
    for change in changes:
        overlay |= tomllib.loads(change)
    shipped = tomllib.loads((HOME / "rules" / f"{PORTWELL}.toml").read_text(encoding="utf-8"))
    overlay["inform"] = [*shipped["inform"], *overlay["inform"]]
    file = tmp_path / "talk.toml"
    file.write_text(talk, encoding="utf-8")
    script = load(file)
    before = play(script, policy_of(script, library()), tmp_path, classifier=CLASSES).failure
    assert before is not None
    assert before.step == 1
    changed = msgspec.structs.replace(script, rules=overlay)
    assert play(changed, policy_of(changed, library()), tmp_path, classifier=CLASSES).failure is None


def test_every_module_is_in_the_architecture_page_once() -> None:
    """docs/architecture.md names each module of the package once, with the first line of its docstring."""
    text = module_table.PAGE.read_text(encoding="utf-8")
    assert text == module_table.page(text), "run: python tests/support/module_table.py"
    for path in SOURCES:
        name = path.relative_to(HOME / "mailbot").as_posix()
        if module_table.is_listed(path):
            package, _, inside = name.partition("/")
            row = f"| `{inside or package}` |"
            assert row in text, f"{name} is not in docs/architecture.md"


REFERENCE = re.compile(r"`([\w/]+\.py): (\w+)(?:\.(\w+))?`")


def test_what_the_architecture_page_names_exists() -> None:
    """Each `file: name` of docs/architecture.md is a file of the package, and the name is defined in it."""
    found = REFERENCE.findall(DOCS["architecture.md"].partition(module_table.MARK)[0])
    assert found, "the page names functions and classes"
    for file, name, member in found:
        paths = [path for path in SOURCES if path.as_posix().endswith(f"/mailbot/{file}") or path.match(f"*/{file}")]
        names = {each for path in paths for each in definitions(ast.parse(path.read_text(encoding="utf-8")))}
        assert (f"{name}.{member}" if member else name) in names, f"{file}: {name}"


def definitions(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """The names of functions, classes, methods (with their class) and constants that a module defines."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            if isinstance(node, ast.ClassDef):
                yield from (f"{node.name}.{name}" for name in definitions(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
