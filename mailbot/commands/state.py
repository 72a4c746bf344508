"""``mailbot state``: verify the state, copy it, write its cases as files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailbot.commands import options

if TYPE_CHECKING:
    from mailbot.runtime.store import Store


@click.group()
def state() -> None:
    """Verify the state, copy it between stores, or write every case as a TinyDB file.

    \b
    mailbot state check
    mailbot state copy tinydb:state postgresql://mailbot@localhost/mailbot
    mailbot state export cases-of-today
    """


@state.command()
@options.config
def check(config: Path) -> None:
    """Verify the state: schema version, database, every document against its digest, keys, replies.

    Every finding says how to fix it. Exit code 1 if there is one. Works while the daemon runs.

    \b
    mailbot state check
    """
    from mailbot.commands.loading import store
    from mailbot.runtime.state_tools import check as look
    from mailbot.settings import load

    settings = load(config)
    with closing(store(settings, read_only=True)) as opened:
        findings = look(opened)
        cases = sum(opened.states().values())
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
    """Copy a whole state into an empty one. Stop mailbot before.

    FROM and TO are written as in mailbot.toml; folders are relative to the current folder. FROM may also be a folder that
    mailbot 0.1 wrote. A PostgreSQL that needs a password gets it by the keys state_password_… of mailbot.toml, if there is one.

    \b
    mailbot state copy tinydb:state tinydb:new-state
    mailbot state copy tinydb:state postgresql://mailbot@localhost/mailbot
    """
    from mailbot.runtime.state_tools import copy as copied

    with closing(_opened(target, config)) as into:
        folder = Path(source.removeprefix("tinydb:"))
        if (folder / "meta.json").exists():
            count = copied(folder, into)
        else:
            with closing(_opened(source, config, read_only=True)) as out_of:
                count = copied(out_of, into)
    click.echo(f"{count} cases copied. Now set state in mailbot.toml, then run `mailbot state check`.")


@state.command()
@options.config
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def export(config: Path, folder: Path) -> None:
    """Write every case as a TinyDB file into a new folder. Works while the daemon runs.

    \b
    mailbot state export cases-of-today
    """
    from mailbot.commands.loading import store
    from mailbot.runtime.state_tools import export as written
    from mailbot.settings import load

    with closing(store(load(config), read_only=True)) as opened:
        count = written(opened, folder)
    click.echo(f"{folder}: {count} cases")


def _opened(url: str, config: Path, *, read_only: bool = False) -> Store:
    from mailbot.runtime.store import open_store
    from mailbot.settings import load

    if not url.startswith(("tinydb:", "postgresql://")):
        raise click.BadParameter(f"{url.partition(':')[0]}: write tinydb:FOLDER or postgresql://user@host/database")
    password = load(config).state_password if url.startswith("postgresql://") and config.exists() else None
    return open_store(url, read_only=read_only, password=password)
