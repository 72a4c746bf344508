"""`mailbot demo`: the whole product on embedded mail servers, without configuration."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import click


@click.command()
@click.option("--fast", is_flag=True, help="Do not pause between emails. There are no pauses when the output is piped.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mailbot-demo"),
    show_default=True,
    help="The output folder. An existing demo there is replaced; nothing else is touched.",
)
@click.option("--serve", is_flag=True, help="Keep the servers running afterwards, so that you can write to the desk yourself.")
def demo(*, fast: bool, out: Path, serve: bool) -> None:
    """Run the whole product, without configuration.

    The demo starts a real IMAP and a real SMTP server on this machine, with the mailboxes of two companies. A dozen customers
    write about dead boards and broken power strips: in and out of warranty, in German, in a table, without a serial number.
    mailbot reads, decides by each company's policy, answers, sends reminders and expires an RMA. Five weeks pass in seconds.

    Only the emails of customers and staff are scripted. Everything else on the terminal is read back from the mail server and
    from the cases. Afterwards open index.html in the output folder: it shows every conversation, every email, and every
    decision with its clauses. Nothing leaves this machine.

    \b
    mailbot demo            takes about half a minute
    mailbot demo --fast     takes a few seconds
    mailbot demo --serve    afterwards, write to the desk with your own mail program

    Exit code 1: something that the demo should show did not happen. The output names it.
    """
    from mailbot.demo import session

    if isinstance(sys.stdout, io.TextIOWrapper):
        # a terminal that cannot print a character prints "?" instead of failing
        sys.stdout.reconfigure(errors="replace")
    try:
        complete = asyncio.run(session.run_demo(out, fast=fast, serve=serve))
    except KeyboardInterrupt:
        raise click.Abort from None
    if not complete:
        sys.exit(1)
