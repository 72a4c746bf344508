"""Run commands in this process, and a desk folder as `mailbot init` creates it."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
import structlog

from mailbot.commands import cli, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS = """\
serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure
AH2F104432,WADE-8013,ipc,2026-03-01,Acme Robotics,acme.example,,,,
AH2F104440,WADE-8013,ipc,2012-03-01,Acme Robotics,acme.example,,,,
"""


class Done(NamedTuple):
    """The result of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def mailbot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """Run mailbot with these arguments."""
    before = structlog.get_config()

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["mailbot", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exited:
            code = exited.code if isinstance(exited.code, int) else 0 if exited.code is None else 1
        return Done(code, *capsys.readouterr())

    yield run
    structlog.configure(**before)


@pytest.fixture(scope="session")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `mailbot init` creates it, with units, and with servers at a closed port of this machine."""
    folder = tmp_path_factory.mktemp("initialized") / "my-desk"
    cli.main(["init", str(folder), "--policy", "american-portwell"], standalone_mode=False)
    (folder / "registry.csv").write_text(ROWS, encoding="utf-8")
    settings = folder / "mailbot.toml"
    text = settings.read_text(encoding="utf-8")
    for old, new in [
        ('"imap.portwell.example"', '"127.0.0.1"'),
        ('"smtp.portwell.example"', '"127.0.0.1"'),
        ("port = 993", "port = 1"),
        ("port = 587", "port = 1"),
        ('"tls" ', '"none"'),
        ('"starttls"', '"none"'),
    ]:
        assert old in text
        text = text.replace(old, new)
    settings.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def desk(initialized: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder for one test; it is the current folder, and the password is set."""
    folder = tmp_path / "my-desk"
    shutil.copytree(initialized, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AMERICAN_PORTWELL_PASSWORD", "canary-7f3a9c")
    return folder
