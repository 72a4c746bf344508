"""What happened: the events of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailbot.model.mail import Bounce
from mailbot.model.request import Request
from mailbot.model.values import Value

Proof = Literal["server", "token", "confirmation", "trust", "none", "forged"]
"""How a member of staff was authenticated.

"server": by the Authentication-Results of our mail server (RFC 8601). "token": by the one-time token of a notice. "confirmation":
by the one-time token of a request for confirmation. "trust": by the From header alone, because the settings allow it. "none": not
authenticated. "forged": our mail server reports that the From header is not genuine.
"""


class MailReference(Value, frozen=True):
    """The email behind an event: enough to find it again and to reply in its thread.

    ``identity``: see ``Message.identity``; empty if there was no email. ``answer_to``: the address that a reply may go to;
    empty if there is none. ``at``: when it was processed, aware, UTC. ``text``: the beginning of what the sender wrote.
    ``attachments``: file names. ``forged``: our own mail server reports that the From header is not genuine (a trusted fail,
    RFC 8601). ``other_recipients``: the addresses in To and Cc, except ours.
    """

    identity: str
    message_id: str | None
    sender: str
    answer_to: str
    subject: str
    at: datetime
    name: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    attachments: tuple[str, ...] = ()
    forged: bool = False
    other_recipients: tuple[str, ...] = ()


class Requested(Value, frozen=True, tag="requested"):
    """A customer requests something, for the first time or again."""

    mail: MailReference
    request: Request


class Answered(Value, frozen=True, tag="answered"):
    """A customer writes while the case waits for information or for staff."""

    mail: MailReference
    request: Request


class Ordered(Value, frozen=True, tag="ordered"):
    """A purchase order arrived."""

    mail: MailReference
    request: Request


class StaffMessage(Value, frozen=True, tag="staff_message"):
    """An email from the address of a member of staff. ``proof``: how the sender was authenticated. ``token``: the secret used."""

    mail: MailReference
    request: Request
    proof: Proof = "none"
    token: str = ""


class Bounced(Value, frozen=True, tag="bounced"):
    """An outgoing email could not be delivered."""

    mail: MailReference
    request: Request
    bounce: Bounce


class Ignored(Value, frozen=True, tag="ignored"):
    """An email that is recorded and not answered."""

    mail: MailReference
    request: Request
    reason: str


class DeadlinesReached(Value, frozen=True, tag="deadlines_reached"):
    """Deadlines of a case were reached. ``keys``: the keys of these deadlines."""

    at: datetime
    keys: tuple[str, ...]


Event = Requested | Answered | Ordered | StaffMessage | Bounced | Ignored | DeadlinesReached
