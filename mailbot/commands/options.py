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
    help="The settings.",
)


class TimeOption(click.ParamType[datetime]):
    """A moment in ISO 8601; without a zone it is UTC."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the moment, or say how one is written."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment. Write one like 2026-11-20T10:00:00Z.", param, ctx)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def now(help_text: str) -> Callable[[F], F]:
    """Return the option --now."""
    return click.option("--now", type=TimeOption(), default=None, help=help_text)
