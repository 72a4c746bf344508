"""An email to be sent, frozen when it is committed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailbot.model.values import Value

ReplyState = Literal["queued", "sending", "sent", "deferred", "ambiguous", "failed", "held"]


class Reply(Value, frozen=True):
    """A mail to be sent, frozen at commit: the bytes (ASCII, CRLF), one recipient, a stable Message-ID.

    ``cites`` are the clauses on record for this mail. ``direct`` says that it answers a mail (and counts in the day's
    cap). ``attempts`` counts SMTP transactions begun, the first at ``tried_at``; ``ambiguous_attempts`` those whose end is unknown;
    ``due_at`` is when the next may begin.
    """

    message_id: str
    mailbox: str
    to: str
    subject: str
    raw: str
    at: datetime
    template: str
    cites: tuple[str, ...] = ()
    audience: Literal["customer", "staff"] = "customer"
    direct: bool = False
    state: ReplyState = "queued"
    attempts: int = 0
    due_at: datetime | None = None
    note: str = ""
    tried_at: datetime | None = None
    ambiguous_attempts: int = 0
