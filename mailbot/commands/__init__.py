"""The command line. Each command is a module of its own, imported only when it is called, so that mailbot starts fast."""

from __future__ import annotations

import importlib
import sys

import click

from mailbot.strict_toml import ConfigError

COMMANDS = {
    "demo": "Run the whole product on embedded mail servers, without configuration.",
    "init": "Create a folder with editable settings, rules, and templates.",
    "check": "Check settings, rules, templates, state, and logins; explain how to fix each problem.",
    "run": "Run the daemon, or a single pass.",
    "explain": "Dry run: show what would be done with emails, and why.",
    "rehearse": "Test conversation files against rules and templates.",
    "examples": "List or export the example sentences that say what customers mean.",
    "cases": "List, show, or export cases.",
    "state": "Check the state, copy it, or export its cases as files.",
    "lifecycle": "Print the states of a unit, the events, and who can cause them.",
}


class LazyGroup(click.Group):
    """A command group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the command names in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        """Import a command."""
        if name not in COMMANDS:
            return None
        found = getattr(importlib.import_module(f"mailbot.commands.{name}"), name)
        assert isinstance(found, click.Command)  # noqa: S101 - an error in this package, not in user input
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mailbot", prog_name="mailbot")  # looked up only for --version: it is slow
def cli() -> None:
    """Turn an rma@ mailbox into a returns desk.

    Customers send an email; mailbot reads serial numbers and reasons, decides by the company's own policy, answers with an
    RMA number or a quote, tracks the case, and sends reminders before anything expires. Every decision names its clauses.

    \b
    Try it:    mailbot demo
    Set it up: mailbot init my-desk --policy american-portwell
               cd my-desk && $EDITOR mailbot.toml && mailbot check
    Run it:    mailbot run

    Exit codes: 0 success, 1 problem found, 2 usage error.
    """


def main() -> None:
    """Run mailbot. An error that the user can fix is printed as one line, without a traceback."""
    from mailbot.runtime.errors import StateError
    from mailbot.runtime.registry.registry import RegistryError
    from mailbot.runtime.servers import ServerError

    try:
        cli()
    except (ConfigError, StateError, RegistryError, ServerError) as error:
        click.echo(f"mailbot: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of the pipe (head, less) has exited
        sys.stderr.close()
        sys.exit(0)
