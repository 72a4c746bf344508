"""The decision on one trigger."""

from __future__ import annotations

from mailbot.model.change import Change
from mailbot.model.mail import Role
from mailbot.model.notice import Notice
from mailbot.model.request import MessageOutcome
from mailbot.model.values import Value
from mailbot.model.verdict import CommandResult, Fact, PolicyStamp, Verdict


class Decision(Value, frozen=True):
    """What follows from one trigger: outcome, clauses, facts, the changes to the case and the notices to send.

    ``clauses`` decided; ``facts`` are what they saw; ``stamp`` is the policy version. ``answer_key`` names the entry of the
    rules' [answers] that the customer is answered with if no unit is decided on, or what a member of staff is told.
    ``command_results`` say what became of the commands of staff. ``notify`` are the roles that are notified. ``changes`` are
    applied in order (see ``case.apply``); ``notices`` are rendered one by one (see ``reply.compose``).
    """

    outcome: MessageOutcome
    clauses: tuple[str, ...]
    why: str
    stamp: PolicyStamp
    facts: tuple[Fact, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    notify: tuple[Role, ...] = ()
    asks: tuple[str, ...] = ()
    says: str = ""
    command_results: tuple[CommandResult, ...] = ()
    answer_key: str = ""
    changes: tuple[Change, ...] = ()
    notices: tuple[Notice, ...] = ()
