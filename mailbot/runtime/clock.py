"""The clock that decisions use; ``--now`` sets it."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """The current time in UTC, or a fixed time (``--now``) while ``at`` is set."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self.at or datetime.now(UTC)
