"""The commands: output, exit codes, and no secrets."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest
from support.memory_desk import Desk, letter, unit

from mailbot.commands import COMMANDS, cli
from mailbot.model import Case, CaseUnit, Step
from mailbot.runtime import worker
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Done

    Mailbot = Callable[..., Done]

CANARY = "canary-7f3a9c"
NOW = "2026-11-20T18:00:00Z"
HOSTILE = "a\x1b[31mred\x07 \u202egnp.exe\u2028next\x7f"


def commands() -> Iterator[tuple[list[str], click.Command]]:
    """Yield every command and subcommand with its arguments."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield [name], command
        if isinstance(command, click.Group):
            yield from (([name, sub], each) for sub, each in command.commands.items())


ALL = list(commands())


@pytest.mark.parametrize("arguments", [arguments for arguments, _ in ALL], ids=[" ".join(arguments) for arguments, _ in ALL])
def test_every_help_has_examples(mailbot: Mailbot, arguments: list[str]) -> None:
    """The help of each command has an example and a line for every option."""
    done = mailbot(*arguments, "--help")
    assert done.code == 0
    example = f"mailbot {' '.join(arguments)}"
    examples = [line.strip() for line in done.out.splitlines() if line.strip().startswith(example)]
    assert examples, f"no line begins with {example!r}"
    options = [line for line in done.out.partition("Options:")[2].splitlines() if line.strip().startswith("-")]
    assert all(len(line.split("  ")) > 2 or "--help" in line for line in options)
    assert mailbot(*arguments, "-h").out == done.out


def test_help_lists_every_command(mailbot: Mailbot) -> None:
    """`mailbot --help` names every command and the exit codes."""
    done = mailbot("--help")
    assert all(f"\n  {name} " in done.out for name in COMMANDS)
    assert "0 success, 1 problem found, 2 usage error" in done.out
    assert mailbot("--version").out.startswith("mailbot")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["run", "--ones"],
        ["run", "--now", "yesterday"],
        ["init"],
        ["init", "somewhere"],
        ["init", "somewhere", "--policy", "american-portwel"],
        ["explain"],
        ["explain", "no-such-file.eml"],
        ["explain", "--mailbox", "other@portwell.example", "mailbot.toml"],
        ["rehearse"],
        ["cases", "shw"],
        ["cases", "show"],
        ["check", "too-much"],
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_with_2(mailbot: Mailbot, desk: Path, arguments: list[str]) -> None:
    """A usage error gives exit code 2 and one message, without a traceback."""
    done = mailbot(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.err.strip()


def test_an_unknown_policy_gets_a_suggestion(mailbot: Mailbot, tmp_path: Path) -> None:
    """A misspelled policy gives an error with the nearest name."""
    done = mailbot("init", tmp_path / "x", "--policy", "american-portwel")
    assert "'american-portwell'" in done.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("arguments", [["check"], ["run", "--once"], ["explain", "."], ["cases", "list"]], ids=" ".join)
def test_missing_settings_are_reported_with_a_fix(
    mailbot: Mailbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Without settings, every command that needs them says how to create them and exits with 1."""
    monkeypatch.chdir(tmp_path)
    done = mailbot(*arguments)
    assert done.code == 1
    assert "mailbot init DIR" in done.err
    assert len(done.err.strip().splitlines()) == 1


# ------------------------------------------------------------------ a desk from init to export


def test_init_creates_a_desk_and_overwrites_nothing(mailbot: Mailbot, tmp_path: Path) -> None:
    """Settings, rules, templates, state and registry are created; a second init changes nothing."""
    folder = tmp_path / "deep" / "desk"
    done = mailbot("init", folder, "--policy", "server-technology")
    assert done.code == 0
    for name in ("mailbot.toml", "rules/server-technology.toml", "rules/words/en.toml", "registry.csv", "state"):
        assert (folder / name).exists()
    assert (folder / "templates/default/en/answer.jinja").exists()
    assert (folder / "state").stat().st_mode & 0o077 == 0
    assert not list(folder.rglob("__pycache__"))
    (folder / "registry.csv").write_text("mine", encoding="utf-8")
    again = mailbot("init", folder, "--policy", "american-portwell")
    assert again.code == 1
    assert "nothing was changed" in again.err
    assert (folder / "registry.csv").read_text(encoding="utf-8") == "mine"


def test_examples_are_listed_and_exported_with_the_company_s_own(mailbot: Mailbot, tmp_path: Path) -> None:
    """The packaged examples are not copied into a desk; its own file counts beside them, and an error in it names the line."""
    mailbot("init", tmp_path / "d", "--policy", "american-portwell")
    config, own = ("--config", tmp_path / "d" / "mailbot.toml"), tmp_path / "d" / "rules" / "examples.tsv"
    assert not (tmp_path / "d" / "rules" / "examples").exists()
    counted = mailbot("examples", "list", *config)
    assert counted.out.splitlines()[0].split()[:2] == ["class", "en"]
    assert counted.out.splitlines()[-1].endswith(" packaged, 0 of your own, 0 taught by staff")
    own.write_text("fine\t\tfi\tKaikki toimii taas.\n", encoding="utf-8")
    listed = mailbot("examples", "list", "--class", "fine", "--language", "fi", *config)
    assert listed.out == "fine\t\tfi\tKaikki toimii taas.  (own)\n"
    exported = mailbot("examples", "export", *config).out.splitlines()
    assert f"{len(exported) - 1} packaged" in counted.out
    assert exported[-1] == "fine\t\tfi\tKaikki toimii taas."
    assert mailbot("examples", "list", "--language", "xx", *config).code == 1
    own.write_text("fine\tfi\tKaikki toimii taas.\n", encoding="utf-8")
    wrong = mailbot("examples", "export", *config)
    assert (wrong.code, "examples.tsv:1: 3 fields instead of 4" in wrong.err) == (1, True)


@pytest.mark.parametrize("policy", ["american-portwell", "server-technology"])
def test_a_new_desk_passes_the_check(mailbot: Mailbot, tmp_path: Path, policy: str) -> None:
    """The files that init creates are valid. The check warns about example amounts; warnings alone are not a problem."""
    mailbot("init", tmp_path / "d", "--policy", policy)
    done = mailbot("check", "--offline", "--config", tmp_path / "d" / "mailbot.toml")
    assert done.code == 0, done.out + done.err
    assert "example amount" in done.out
    assert "No problems found (warnings: " in done.out


def test_check_finds_each_thing_that_is_wrong(mailbot: Mailbot, desk: Path) -> None:
    """Errors in rules, templates and registry are all reported in one run, each with its place; the exit code is 1."""
    rules = desk / "rules" / "american-portwell.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace('then = "decline"', 'then = "declin"', 1), encoding="utf-8")
    template = desk / "templates" / "default" / "en" / "answer.jinja"
    template.write_text(template.read_text(encoding="utf-8") + "{{ nmber }}", encoding="utf-8")
    (desk / "registry.csv").write_text("serial,modell\n", encoding="utf-8")
    done = mailbot("check", "--offline")
    assert done.code == 1
    for piece in ("'decline'", "answer.jinja", "nmber", "registry.csv", "Problems found: 3"):
        assert piece in done.out
    assert "Traceback" not in done.out + done.err


def test_A1_insecure_from_is_warned_about_at_every_start(mailbot: Mailbot, desk: Path) -> None:
    """`check` and `run` both explain the insecure mode; without i_accept_forged_approvals both fail."""
    settings = desk / "mailbot.toml"
    lines = 'authority = "insecure-from"\ni_accept_forged_approvals = true\ntrusted_authserv_id ='
    insecure = settings.read_text(encoding="utf-8").replace("trusted_authserv_id =", lines)
    settings.write_text(insecure, encoding="utf-8")
    checked = mailbot("check", "--offline")
    assert checked.code == 0
    assert "anyone can send commands" in checked.out
    done = mailbot("run", "--once")
    assert "anyone can send commands" in done.out + done.err
    settings.write_text(insecure.replace("i_accept_forged_approvals = true", ""), encoding="utf-8")
    for arguments in (["check"], ["run", "--once"]):
        assert "i_accept_forged_approvals = true" in mailbot(*arguments).err


def test_init_check_explain_and_cases_fit_together(mailbot: Mailbot, desk: Path, tmp_path: Path) -> None:
    """In a folder from init, explain and cases work before anything has run; explain stores nothing."""
    assert mailbot("check", "--offline").code == 0
    mail = tmp_path / "a.eml"
    mail.write_bytes(letter("Serial number AH2F104432 shows no video."))
    done = mailbot("explain", "--json", "--now", NOW, mail)
    assert done.code == 0, done.err
    explained = json.loads(done.out)
    assert explained["items"] == [{"serial": "AH2F104432", "known": True, "outcome": "issue", "clauses": ["AP-1"]}]
    assert explained["outcome"] == "issue"
    assert explained["replies"][0]["to"] == "kim@acme.example"
    shown = mailbot("explain", "--now", NOW, mail)
    assert "AP-1" in shown.out
    assert not list((desk / "state").iterdir()), "explain stores nothing"
    assert mailbot("cases", "export", "--json").out.strip() in ("", "[]")


# ------------------------------------------------------------------ explain


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with emails of all kinds: valid ones, unreadable ones, and an mbox file with two."""
    folder = tmp_path / "saved"
    (folder / "below").mkdir(parents=True)
    (folder / "1.eml").write_bytes(letter("Serial number AH2F104432 shows no video."))
    (folder / "2.EML").write_bytes(letter("Serial number AH2F104440 shows no video."))
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(60))
    (folder / "3.eml").write_bytes(b"From: x@y.example\r\nMIME-Version: 1.0\r\n" + nested)
    (folder / "4.eml").write_bytes(b"")
    (folder / "5.eml").write_bytes(bytes(range(256)) * 40)
    (folder / "below" / "6.eml").write_bytes(letter("I am away.", Auto_Submitted="auto-replied"))
    long = "Subject: " + "very " * 60 + "long"
    raw = letter("Serial number AH2F104432 shows no video.\n\nFrom here on nothing works.").replace(
        b"Subject: A board", long.encode()
    )
    (folder / "7.mbox").write_bytes(
        b"From kim Fri Nov 20 10:00:00 2026\n"
        + raw.replace(b"\r\n", b"\n").replace(b"\nFrom here", b"\n>From here")
        + b"\nFrom kim Fri Nov 20 11:00:00 2026\n"
        + letter("What is the status?").replace(b"\r\n", b"\n")
        + b"\n"
    )
    (folder / "notes.txt").write_text("no mail", encoding="utf-8")
    return folder


def test_explain_reads_folders_and_mbox_files(mailbot: Mailbot, desk: Path, saved: Path) -> None:
    """Each email in a folder or an mbox file is one line of JSON; an unreadable one does not stop the others."""
    done = mailbot("explain", "--json", "--now", NOW, saved)
    assert done.code == 0, done.err
    explained = [json.loads(line) for line in done.out.splitlines()]
    assert [one["file"] for one in explained] == ["1.eml", "2.EML", "3.eml", "4.eml", "5.eml", "7.mbox:1", "7.mbox:2", "6.eml"]
    by_name = {one["file"]: one for one in explained}
    assert by_name["1.eml"]["outcome"] == by_name["7.mbox:1"]["outcome"] == "issue"
    assert by_name["7.mbox:1"]["message"]["subject"] == ("very " * 60 + "long")
    assert by_name["2.EML"]["outcome"] == "quote"
    assert "Attention" in by_name["3.eml"]["why"]
    assert by_name["6.eml"]["kind"] == "auto"
    assert by_name["6.eml"]["replies"] == []
    assert all(set(one) == set(explained[0]) for one in explained)
    assert all(set(one["message"]) == set(explained[0]["message"]) for one in explained)
    people = mailbot("explain", "--now", NOW, saved)
    assert people.code == 0
    assert "3.eml" in people.out


def test_an_empty_folder_is_a_problem(mailbot: Mailbot, desk: Path, tmp_path: Path) -> None:
    """A folder without emails is an error."""
    (tmp_path / "empty").mkdir()
    done = mailbot("explain", tmp_path / "empty")
    assert done.code == 1
    assert "no .eml" in done.err


def test_untrusted_text_is_printed_escaped(mailbot: Mailbot, desk: Path, tmp_path: Path) -> None:
    """No control or direction character of an email reaches the terminal, as text or in JSON (H6)."""
    raw = letter("Serial number AH2F104432 shows no video.", subject="SUB").replace(
        b"Subject: SUB", b"Subject: =?utf-8?q?" + "".join(f"={b:02X}" for b in HOSTILE.encode()).encode() + b"?="
    )
    raw = raw.replace(b"no video", b"no video \x1b[2J \xe2\x80\xae x")
    mail = tmp_path / "h.eml"
    mail.write_bytes(raw)
    for arguments in (["explain", mail], ["explain", "--json", mail]):
        done = mailbot(*arguments, "--now", NOW)
        assert done.code == 0
        assert not set(done.out) & set("\x1b\x07\u202e\u2028\x7f\x85")


# ------------------------------------------------------------------ cases


def case_of(state: Path, **fields: object) -> None:
    """Store a case."""
    defaults: dict[str, object] = {
        "id": "C-BCDFGHJKMN",
        "mailbox": "rma@portwell.example",
        "policy": "american-portwell",
        "sender": "kim@acme.example",
        "state": "held",
        "opened_at": datetime(2026, 11, 20, tzinfo=UTC),
    }
    store = open_store(f"tinydb:{state}")
    store.stage(Step(None, None, Case(**defaults | fields)))  # type: ignore[arg-type]
    store.commit()
    store.close()


@pytest.mark.parametrize("sign", ["=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "＝1+1"])
def test_an_export_contains_no_formula(mailbot: Mailbot, desk: Path, sign: str) -> None:
    """A serial number that a spreadsheet would run as a formula is exported as text (T6)."""
    case_of(desk / "state", units=(CaseUnit(sign, "held", "staff", ("AP-5",)),), sender=f"{sign}@x.example")
    done = mailbot("cases", "export")
    assert done.code == 0
    [_, row] = list(csv.reader(io.StringIO(done.out)))
    assert all(cell == "" or cell[0] in "'\\" or cell[0].isalpha() for cell in row)


def test_cases_print_untrusted_text_escaped(mailbot: Mailbot, desk: Path) -> None:
    """Subject, reason and serial number of a case are escaped (H6)."""
    item = CaseUnit(HOSTILE, "held", "staff", ("AP-5",), reason=HOSTILE)
    case_of(desk / "state", subject=HOSTILE, units=(item,), sender=HOSTILE)
    for arguments in (
        ["list"],
        ["list", "--json"],
        ["show", "C-BCDFGHJKMN"],
        ["show", "--json", "c-bcdfghjkmn"],
        ["export", "--json"],
        ["export"],
    ):
        done = mailbot("cases", *arguments)
        assert done.code == 0, done.err
        assert not set(done.out) & set("\x1b\x07\u202e\u2028\x7f"), arguments


def test_a_case_that_does_not_exist_is_a_problem(mailbot: Mailbot, desk: Path) -> None:
    """An unknown case gives exit code 1 and says how to list all cases."""
    case_of(desk / "state")
    done = mailbot("cases", "show", "C-NONE")
    assert done.code == 1
    assert "cases list --all" in done.err


def test_show_prints_the_whole_history(mailbot: Mailbot, desk: Path) -> None:
    """Sender, decisions with clauses and facts, emails sent, and deadlines are all shown."""
    at = Desk(units=[unit("AH2F104432", "ipc")])
    step = at.write("Serial number AH2F104432 shows no video.")
    store = open_store(f"tinydb:{desk / 'state'}")
    store.stage(step)
    store.commit()
    store.close()
    assert step.after
    assert step.after.number
    for name in (step.after.id, step.after.number.text, step.after.number.text.lower()):
        done = mailbot("cases", "show", name)
        for piece in ("kim@acme.example", "AP-1", "cover factory", step.after.number.text, "due 2026-12-"):
            assert piece in " ".join(done.out.split())
    listed = mailbot("cases", "list")
    assert step.after.number.text in listed.out
    assert "1 case\n" in listed.out
    [row] = json.loads(mailbot("cases", "export", "--json").out)
    assert row == {
        "id": step.after.id,
        "number": step.after.number.text,
        "state": "authorized",
        "sender": "kim@acme.example",
        "items": [{"serial": "AH2F104432", "outcome": "issue"}],
    }


def test_reading_works_while_the_daemon_has_the_lock(mailbot: Mailbot, desk: Path) -> None:
    """List and check need no lock, so they work while the daemon runs; a second writer is refused (C6)."""
    case_of(desk / "state")
    held = open_store(f"tinydb:{desk / 'state'}")
    try:
        arguments = [sys.executable, "-m", "mailbot", "cases", "list", "--json"]
        done = subprocess.run(arguments, cwd=desk, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        assert [row["id"] for row in json.loads(done.stdout)] == ["C-BCDFGHJKMN"]
        assert mailbot("check", "--offline").code == 0
        second = mailbot("run", "--once", "--now", NOW)
        assert second.code == 1
        assert "Traceback" not in second.err
        assert "another" in second.err
    finally:
        held.close()


# ------------------------------------------------------------------ secrets


@pytest.mark.parametrize(
    "arguments", [["check"], ["run", "--once"], ["run", "--once", "--now", NOW], ["explain", "a.eml"]], ids=" ".join
)
@pytest.mark.parametrize("source", ["env", "file", "command"])
def test_a_password_is_never_shown(
    mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], source: str
) -> None:
    """If the server refuses the connection, no command shows the password: not in output, log, or state (K1)."""
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    settings = desk / "mailbot.toml"
    text = settings.read_text(encoding="utf-8")
    if source == "file":
        (desk / "secret").write_text(CANARY, encoding="utf-8")
        (desk / "secret").chmod(0o600)
        text = text.replace('password_env = "AMERICAN_PORTWELL_PASSWORD"', 'password_file = "secret"')
    elif source == "command":
        (desk / "ask").write_text(f"#!/bin/sh\necho {CANARY}\n", encoding="utf-8")
        (desk / "ask").chmod(0o700)
        text = text.replace('password_env = "AMERICAN_PORTWELL_PASSWORD"', f'password_command = "{desk}/ask"')
    settings.write_text(text, encoding="utf-8")
    (desk / "a.eml").write_bytes(letter("Serial number AH2F104432 shows no video."))
    done = mailbot(*arguments)
    assert done.code == (0 if arguments[0] == "explain" else 1)
    assert CANARY not in done.out + done.err
    assert "Traceback" not in done.out + done.err
    written = [path for path in desk.rglob("*") if path.is_file() and path.name not in ("secret", "ask")]
    assert all(CANARY.encode() not in path.read_bytes() for path in written)
    if arguments[0] != "explain":
        assert "127.0.0.1" in done.out + done.err


def test_a_missing_password_is_reported_before_the_state_is_opened(
    mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing password stops the start; nothing has been written by then."""
    monkeypatch.delenv("AMERICAN_PORTWELL_PASSWORD")
    done = mailbot("run", "--once")
    assert done.code == 1
    assert "AMERICAN_PORTWELL_PASSWORD is not set" in done.err
    assert not list((desk / "state").iterdir())
    checked = mailbot("check")
    assert checked.code == 1
    assert checked.out.count("AMERICAN_PORTWELL_PASSWORD is not set") == 2
