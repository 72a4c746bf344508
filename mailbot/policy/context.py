"""The context of a step: the policy, the snapshot, and the time."""

from __future__ import annotations

from datetime import date, datetime

from mailbot.model import Snapshot, Value
from mailbot.policy.dates import today
from mailbot.policy.policy import Policy
from mailbot.policy.rules import AnswerRules


class Context(Value, frozen=True):
    """The policy of the mailbox, the snapshot for this step, and the time ``now`` (aware, UTC)."""

    policy: Policy
    snapshot: Snapshot
    now: datetime

    @property
    def day(self) -> date:
        """Today in the company's time zone."""
        return today(self.now, self.policy.timezone)

    @property
    def answers(self) -> AnswerRules:
        """The entries of the rules' [answers]."""
        return self.policy.rules.answers
