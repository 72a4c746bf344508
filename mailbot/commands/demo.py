"""`mailbot demo`: the whole product at work on embedded mail servers, nothing configured."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import click

from mailbot.strict_toml import ConfigError


@click.command()
@click.option("--fast", is_flag=True, help="No pauses between the scenes (there are none when the output is piped).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mailbot-demo"),
    show_default=True,
    help="The folder for everything there is to look at. A former demo in it is replaced, nothing else is.",
)
@click.option(
    "--serve", is_flag=True, help="Leave the servers up afterwards, so that you can write to the desk yourself."
)
def demo(*, fast: bool, out: Path, serve: bool) -> None:
    """See the whole product at work, nothing configured.

    A real IMAP and a real SMTP server start on this machine, with the mailboxes of two companies. A dozen customers write:
    about dead boards and broken power strips, too late and too early, in German, in a table, without the serial number.
    mailbot reads, decides by each company's policy, answers, reminds and lets a number expire; five weeks pass in seconds.

    What the terminal tells is read back from the mail server and from the cases; nothing is scripted but what the
    customers write. Afterwards open index.html in the folder: every conversation, every mail, every decision with its
    clauses. Nothing leaves this machine.

    \b
    mailbot demo            watch it, about half a minute
    mailbot demo --fast     a few seconds
    mailbot demo --serve    then write to the desk with your own mail program

    Exit code 1: something that the demo is to show did not happen; the last lines say what.
    """
    from mailbot.demo import session

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without umlauts shows something, and goes on
    try:
        complete = asyncio.run(session.run_demo(out, fast=fast, serve=serve))
    except KeyboardInterrupt:
        raise click.Abort from None
    except session.NotOursError as error:
        raise ConfigError(str(error)) from None
    if not complete:
        sys.exit(1)
