"""``mailbot state``: check the state, copy it, or export its cases as files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from mailbot.commands import loading, options
from mailbot.runtime import state_tools
from mailbot.runtime.store import Store, open_store
from mailbot.settings import load


@click.group()
def state() -> None:
    """Check the state, copy it between stores, or export every case as a TinyDB file.

    \b
    mailbot state check
    mailbot state copy tinydb:state postgresql://mailbot@localhost/mailbot
    mailbot state export cases-2026-11-20
    """


@state.command()
@options.config
def check(config: Path) -> None:
    """Check the state: schema version, database, the digest of every document, keys, replies.

    Every problem says how to fix it. Exit code 1 if there is a problem. Works while the daemon runs.

    \b
    mailbot state check
    """
    settings = load(config)
    with closing(loading.store(settings, read_only=True)) as opened:
        findings = state_tools.check(opened)
        cases = opened.database.value("SELECT count(*) FROM cases")
    for finding in findings:
        click.echo(f"problem  {finding}")
    if findings:
        raise SystemExit(1)
    click.echo(f"ok       {settings.file.state}: {cases} cases")


@state.command()
@options.config
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(config: Path, source: str, target: str) -> None:
    """Copy a whole state into an empty one. Stop mailbot first.

    FROM and TO have the same format as `state` in mailbot.toml; folders are relative to the current folder. FROM may also be
    a folder that mailbot 0.1 wrote. A password for PostgreSQL comes from the keys state_password_… of mailbot.toml, if that
    file exists.

    \b
    mailbot state copy tinydb:state tinydb:new-state
    mailbot state copy tinydb:state postgresql://mailbot@localhost/mailbot
    """
    with closing(_open(target, config)) as to_store:
        folder = Path(source.removeprefix("tinydb:"))
        if (folder / "meta.json").exists():
            count = state_tools.copy(folder, to_store)
        else:
            with closing(_open(source, config, read_only=True)) as from_store:
                count = state_tools.copy(from_store, to_store)
    click.echo(f"{count} cases copied. Now set state in mailbot.toml, then run `mailbot state check`.")


@state.command()
@options.config
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def export(config: Path, folder: Path) -> None:
    """Export every case as a TinyDB file into a new folder. Works while the daemon runs.

    \b
    mailbot state export cases-2026-11-20
    """
    with closing(loading.store(load(config), read_only=True)) as opened:
        count = state_tools.export(opened, folder)
    click.echo(f"{folder}: {count} cases")


def _open(url: str, config: Path, *, read_only: bool = False) -> Store:
    if not url.startswith(("tinydb:", "postgresql://")):
        raise click.BadParameter(f"{url.partition(':')[0]}: not supported. Use tinydb:FOLDER or postgresql://user@host/database")
    password = load(config).state_password if url.startswith("postgresql://") and config.exists() else None
    return open_store(url, read_only=read_only, password=password)
