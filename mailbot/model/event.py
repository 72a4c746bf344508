"""What happened: the events of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailbot.model.mail import Bounce
from mailbot.model.request import Request
from mailbot.model.values import Value

Proof = Literal["server", "token", "confirmation", "trust", "none", "forged"]
"""By what a member of staff is known: our server's Authentication-Results, the one-time token of a notice or of a question for
confirmation, the settings' word that From is believed, nothing; or our server says that the From is not genuine."""


class MailReference(Value, frozen=True):
    """The mail behind an event: enough to find it again and to answer in its thread.

    ``forged``: our own mail server says that the From is not genuine (a trusted fail, RFC 8601). ``others`` are those beside us
    to whom it went (To, Cc).
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
    """A customer asks for something, first or again."""

    mail: MailReference
    request: Request


class Answered(Value, frozen=True, tag="answered"):
    """A customer supplies what was missing."""

    mail: MailReference
    request: Request


class Ordered(Value, frozen=True, tag="ordered"):
    """A purchase order came."""

    mail: MailReference
    request: Request


class StaffMessage(Value, frozen=True, tag="staff_message"):
    """A member of staff wrote, and by what this is known (see ``Proof``)."""

    mail: MailReference
    request: Request
    proof: Proof = "none"
    token: str = ""


class Bounced(Value, frozen=True, tag="bounced"):
    """A mail of ours could not be delivered."""

    mail: MailReference
    request: Request
    bounce: Bounce


class Ignored(Value, frozen=True, tag="ignored"):
    """A mail that is on record and gets no answer."""

    mail: MailReference
    request: Request
    reason: str


class DeadlinesReached(Value, frozen=True, tag="deadlines_reached"):
    """Deadlines came: their keys, the last of which speaks."""

    at: datetime
    keys: tuple[str, ...]


Event = Requested | Answered | Ordered | StaffMessage | Bounced | Ignored | DeadlinesReached
