"""What people run. Each command stands in a file of its own and is imported when it is called: cold start counts."""

from __future__ import annotations

import importlib
import sys

import click

from mailbot.strict_toml import ConfigError

COMMANDS = {
    "demo": "See the whole product at work on embedded mail servers, nothing configured.",
    "init": "Lay out a folder with settings, rules and templates to edit.",
    "check": "Look at settings, rules, templates, state and logins; say how to mend each finding.",
    "run": "Work: the daemon, or once.",
    "explain": "Say what would be done with mails, and why; nothing is sent or stored.",
    "rehearse": "Play conversation files against rules and templates.",
    "cases": "Look at the cases.",
    "state": "Verify the state, copy it, or write its cases as files.",
    "lifecycle": "Print what can happen to a unit, and who can do it.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Return the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if name not in COMMANDS:
            return None
        found = getattr(importlib.import_module(f"mailbot.commands.{name}"), name)
        assert isinstance(found, click.Command)  # noqa: S101 - a slip in this package, not of anybody's input
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mailbot", prog_name="mailbot")  # looked up when asked for: it takes a while
def cli() -> None:
    """Turn an rma@ mailbox into a returns desk.

    Customers mail the desk; mailbot reads serial numbers and reasons, decides by the company's own policy, answers with an
    RMA number or a quote, keeps the case and reminds before anything expires. Every answer says which clause decided.

    \b
    See it:      mailbot demo
    Set it up:   mailbot init my-desk --policy american-portwell
                 cd my-desk && $EDITOR mailbot.toml && mailbot check
    Let it work: mailbot run

    Exit codes: 0 good, 1 a problem was found, 2 the command was called wrongly.
    """


def main() -> None:
    """Run mailbot; what a person can mend is one clear line, never a traceback."""
    from mailbot.runtime.errors import StateError
    from mailbot.runtime.registry.registry import RegistryError
    from mailbot.runtime.servers import ServerError

    try:
        cli()
    except (ConfigError, StateError, RegistryError, ServerError) as error:
        click.echo(f"mailbot: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader (head, less) went away
        sys.stderr.close()
        sys.exit(0)
