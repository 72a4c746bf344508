"""An outgoing email, frozen when it is committed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailbot.model.values import Value

ReplyState = Literal["queued", "sending", "sent", "deferred", "ambiguous", "failed", "held"]


class Reply(Value, frozen=True):
    """An outgoing email, frozen at commit: the bytes (ASCII, CRLF), one recipient, a stable Message-ID.

    ``at``: when it was written, aware, UTC. ``template``: kind and variant of the notice, such as "reminder quote".
    ``cites``: the clauses that are recorded with it. ``direct``: it replies to an email and counts toward the daily limit.
    ``attempts``: SMTP transactions begun, the first at ``tried_at``. ``ambiguous_attempts``: transactions whose result is
    unknown. ``due_at``: when the next transaction may begin; None: now. ``note``: the server's last response, or why the
    email is not sent.
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
