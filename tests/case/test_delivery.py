"""What becomes of a reply after each attempt to send it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import structs

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, Refused, after_attempt
from mailbot.model import Reply

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
REPLY = Reply(
    message_id="1@portwell.example",
    mailbox="rma@portwell.example",
    to="kim@acme.example",
    subject="x",
    raw="Subject: x\r\n\r\n",
    at=NOW,
    template="ask",
)


def begin_attempt(reply: Reply, now: datetime) -> Reply:
    """The reply as the store claims it."""
    return structs.replace(reply, state="sending", attempts=reply.attempts + 1, tried_at=reply.tried_at or now)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_a_delivered_reply_is_sent() -> None:
    """What the server took over is not sent again."""
    reply = after_attempt(begin_attempt(REPLY, NOW), Delivered("250 ok"), NOW)
    assert (reply.state, reply.attempts, reply.due_at, reply.raw) == ("sent", 1, None, REPLY.raw)


def test_a_refused_reply_has_failed() -> None:
    """What the server does not want is not offered again, and the record says why."""
    reply = after_attempt(begin_attempt(REPLY, NOW), Refused(550, "unknown"), NOW)
    assert (reply.state, reply.due_at, reply.note) == ("failed", None, "550 unknown")


def test_s3_a_deferred_reply_waits_longer_each_time_and_is_given_up_after_five_days() -> None:
    """5, 10, 20, 40 and then every 70 minutes, until five days have passed."""
    now, waits, reply = NOW, [], REPLY
    while reply.state != "failed":
        reply = after_attempt(begin_attempt(reply, now), Deferred("450 later"), now)
        if reply.due_at is not None:
            waits.append((reply.due_at - now) / minutes(1))
            now = reply.due_at
    assert waits[:7] == [5, 10, 20, 40, 70, 70, 70]
    assert set(waits[4:]) == {70}
    assert timedelta(days=5) <= now - NOW < timedelta(days=5) + minutes(70)
    assert "450 later" in reply.note


def test_a_reply_that_lay_for_a_week_still_gets_its_five_days() -> None:
    """The five days begin with the first attempt, not with the day on which the reply was written."""
    later = NOW + timedelta(days=7)
    assert after_attempt(begin_attempt(REPLY, later), Deferred("no route"), later).state == "deferred"


def test_s1_an_ambiguous_reply_is_repeated_three_times_and_then_held() -> None:
    """Uncertain the identical mail goes out again after a quarter of an hour, at most three times; then staff decide."""
    now, reply = NOW, REPLY
    for attempt in (1, 2, 3):
        reply = after_attempt(begin_attempt(reply, now), Ambiguous("no answer"), now)
        assert (reply.state, reply.ambiguous_attempts, reply.raw) == ("ambiguous", attempt, REPLY.raw)
        assert reply.due_at is not None
        assert reply.due_at - now >= minutes(15)
        now = reply.due_at
    reply = after_attempt(begin_attempt(reply, now), Ambiguous("no answer"), now)
    assert (reply.state, reply.due_at) == ("held", None)


def test_deferrals_do_not_use_up_the_repeats() -> None:
    """A reply that was greylisted for a day is still repeated when its end is uncertain."""
    now, reply = NOW, REPLY
    for _ in range(10):
        reply = after_attempt(begin_attempt(reply, now), Deferred("450 later"), now)
    assert after_attempt(begin_attempt(reply, now), Ambiguous("no answer"), now).state == "ambiguous"
