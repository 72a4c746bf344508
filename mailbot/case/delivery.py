"""The delivery state of a reply: the result of an SMTP transaction, and when the next one may begin (RFC 5321 §4.5.4.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import structs

from mailbot.model import Reply, Value

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=70)
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321 §4.5.4.1: "at least 4-5 days"
AMBIGUOUS_WAIT = timedelta(minutes=15)
REPEATS = 3


class Delivered(Value, frozen=True, tag="delivered"):
    """The server accepted the message (2xx after the final dot)."""

    response: str


class Deferred(Value, frozen=True, tag="deferred"):
    """The server did not accept the message: the transaction failed before the final dot, or the server replied 4xx.

    ``server``: the server itself is unreachable, so other messages need not be tried now.
    """

    reason: str
    server: bool = False


class Ambiguous(Value, frozen=True, tag="ambiguous"):
    """The final dot was sent and no reply was received: the message may or may not have been accepted."""

    reason: str


class Refused(Value, frozen=True, tag="refused"):
    """The server rejected the message (5xx). ``code``: the SMTP reply code; 0 if the message was not offered to the server."""

    code: int
    text: str


DeliveryResult = Delivered | Deferred | Ambiguous | Refused


def after_attempt(reply: Reply, result: DeliveryResult, now: datetime) -> Reply:
    """Return the reply after one SMTP transaction.

    Deferred: it is retried after 5 minutes, doubling up to 70, and has failed when five days have passed since the first attempt.
    Ambiguous: the identical bytes are sent again after at least 15 minutes, at most three times; then it is held for staff.
    Refused: it has failed. A reply that is found in the state "sending" after a restart is ``Ambiguous``. ``now``: aware, UTC.
    """
    match result:
        case Delivered(response):
            return structs.replace(reply, state="sent", due_at=None, note=response)
        case Refused(code, text):
            return structs.replace(reply, state="failed", due_at=None, note=f"{code or ''} {text}".strip())
        case Deferred(reason=reason):
            if now - (reply.tried_at or reply.at) >= GIVE_UP_AFTER:
                return structs.replace(reply, state="failed", due_at=None, note=f"given up: {reason}")
            return structs.replace(reply, state="deferred", due_at=now + backoff(reply.attempts), note=reason)
        case Ambiguous(reason):
            count = reply.ambiguous_attempts + 1
            if count > REPEATS:
                return structs.replace(reply, state="held", ambiguous_attempts=count, due_at=None, note=reason)
            due = now + max(AMBIGUOUS_WAIT, backoff(count))
            return structs.replace(reply, state="ambiguous", ambiguous_attempts=count, due_at=due, note=reason)


def backoff(attempts: int) -> timedelta:
    """Return the waiting time after a number of transactions: 5, 10, 20, 40 minutes, then 70 each time."""
    return min(FIRST_WAIT * (1 << min(max(attempts - 1, 0), 10)), LONGEST_WAIT)
