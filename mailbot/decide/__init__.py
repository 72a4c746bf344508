"""The decision on each trigger: customer emails, staff commands, due dates, bounces, unreadable emails."""

from mailbot.decide.deliveries import decide_unreadable
from mailbot.decide.triggers import decide

__all__ = ["decide", "decide_unreadable"]
