"""The decision on one trigger."""

from __future__ import annotations

from msgspec import structs

from mailbot.model.change import Change
from mailbot.model.mail import Role
from mailbot.model.notice import Notice
from mailbot.model.request import MessageOutcome
from mailbot.model.values import Value
from mailbot.model.verdict import CommandResult, Fact, PolicyStamp, Verdict


class Decision(Value, frozen=True):
    """The result of deciding on one trigger: outcome, clauses, facts, the changes to the case and the notices to send.

    ``clauses``: the clauses that decided. ``facts``: the facts that they were applied to. ``stamp``: the policy version. ``why``:
    the reason, for staff and the record. ``answer_key``: if no unit is decided on, the entry of the rules' [answers] that answers
    the customer; for a staff email, the kind of transcript. ``asks``: what the customer must supply. ``says``: the sentence of the
    rule, with placeholders. ``command_results``: one result for each staff command. ``notify``: the staff roles to notify.
    ``changes`` are applied in order (see ``case.apply``); ``notices`` are rendered one by one (see ``reply.compose``).
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

    @property
    def full_notices(self) -> tuple[Notice, ...]:
        """The notices, each with its verdicts; they are stored once, with the decision."""
        return tuple(
            structs.replace(notice, verdicts=self.verdicts, as_decided=False) if notice.as_decided else notice
            for notice in self.notices
        )
