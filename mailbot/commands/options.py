"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("mailbot.toml"),
    show_default="./mailbot.toml",
    help="The settings file.",
)


class TimeOption(click.ParamType[datetime]):
    """A date and time in ISO 8601. Without a time zone it is UTC."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time in UTC, or fail with an example of the format."""
        if isinstance(value, datetime):
            return value
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a valid date and time. Use a format like 2026-11-20T10:00:00Z.", param, ctx)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)


def now(help_text: str) -> Callable[[F], F]:
    """Return the option --now."""
    return click.option("--now", type=TimeOption(), default=None, help=help_text)
