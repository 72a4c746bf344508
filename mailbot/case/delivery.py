"""What becomes of a reply: the end of one SMTP transaction, and when the next may begin."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from mailbot.model import Reply, Value

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=70)
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321 §4.5.4.1: "at least 4-5 days"
AMBIGUOUS_WAIT = timedelta(minutes=15)
REPEATS = 3


class Delivered(Value, frozen=True, tag="delivered"):
    """The server took the mail over (2xx after the final dot)."""

    response: str


class Deferred(Value, frozen=True, tag="deferred"):
    """The server has certainly not taken the mail: it failed before the final dot, or was answered with 4xx.

    ``server``: the server itself is out of reach, so that other mails need not be tried now.
    """

    reason: str
    server: bool = False


class Ambiguous(Value, frozen=True, tag="ambiguous"):
    """The final dot was sent and no answer came: the mail may be out or not."""

    reason: str


class Refused(Value, frozen=True, tag="refused"):
    """The server does not want this mail (5xx). ``code`` is 0 where we did not even offer it."""

    code: int
    text: str


DeliveryResult = Delivered | Deferred | Ambiguous | Refused


def begin_attempt(reply: Reply, now: datetime) -> Reply:
    """The reply at the start of an SMTP transaction; to be stored before the server is spoken to."""
    return msgspec.structs.replace(
        reply,
        state="sending",
        attempts=reply.attempts + 1,
        tried_at=reply.tried_at or now,
    )


def after_attempt(reply: Reply, result: DeliveryResult, now: datetime) -> Reply:
    """The reply after one SMTP transaction.

    Deferred: again after 5 minutes, doubling to 70, failed when five days have passed since the first try. Ambiguous:
    the identical bytes again after 15 minutes or more, three times at most, then held for staff. Refused: failed.

    Args:
        reply: the reply as ``begin`` left it.
        result: how the transaction ended. A reply that a restart finds in "sending" ended ``Ambiguous``.
        now: aware, UTC.
    """
    match result:
        case Delivered(response):
            return msgspec.structs.replace(reply, state="sent", due_at=None, note=response)
        case Refused(code, text):
            return msgspec.structs.replace(reply, state="failed", due_at=None, note=f"{code or ''} {text}".strip())
        case Deferred(reason=reason):
            if now - (reply.tried_at or reply.at) >= GIVE_UP_AFTER:
                return msgspec.structs.replace(reply, state="failed", due_at=None, note=f"given up: {reason}")
            return msgspec.structs.replace(reply, state="deferred", due_at=now + backoff(reply.attempts), note=reason)
        case Ambiguous(reason):
            doubts = reply.ambiguous_attempts + 1
            if doubts > REPEATS:
                return msgspec.structs.replace(reply, state="held", ambiguous_attempts=doubts, due_at=None, note=reason)
            due = now + max(AMBIGUOUS_WAIT, backoff(doubts))
            return msgspec.structs.replace(reply, state="ambiguous", ambiguous_attempts=doubts, due_at=due, note=reason)


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many transactions: 5, 10, 20, 40 minutes, then 70 each."""
    return min(FIRST_WAIT * (1 << min(max(attempts - 1, 0), 10)), LONGEST_WAIT)
