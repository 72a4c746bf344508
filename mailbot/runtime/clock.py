"""The clock: the one place that knows what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """Wall clock in UTC; set once, it stands still there (``--now``) until it is set again."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the moment, aware, UTC."""
        return self.at or datetime.now(UTC)
