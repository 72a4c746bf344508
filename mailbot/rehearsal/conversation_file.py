"""A conversation file: mails that arrive, time that passes, and what must follow. The form, typed, with strict keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from mailbot.model import Role, StaffMember, State, Unit
from mailbot.strict_toml import ConfigError, convert, parse

Texts = str | tuple[str, ...]
"""One text, or several."""

Times = Literal["?", "+", "*"]
"""None or one, one or more, any number."""


class ConversationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a conversation file; a key it does not know is an error."""


class RegistryRow(Unit, frozen=True, forbid_unknown_fields=True):
    """registry: one unit, with the columns of registry.csv."""


class ConversationStaff(ConversationTable, frozen=True):
    """staff: as ``[[mailbox.staff]]`` of the settings."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal | int | float = 0


class AttachmentSpec(ConversationTable, frozen=True):
    """attach: a file made of its text; the ending of its name says what kind (.pdf, .csv, .txt, .eml, .xlsx …)."""

    name: str
    text: str = ""


class BounceSpec(ConversationTable, frozen=True):
    """bounce: a delivery report (RFC 3464) about the last mail we sent to ``of``; 4.x.x is a delay, 5.x.x a failure."""

    of: str
    status: str = "5.1.1"


class ExpectedMail(ConversationTable, frozen=True):
    """[[step.sent]]: what one of the mails sent must be like."""

    to: str = ""
    subject: str = ""
    contains: Texts = ()
    lacks: Texts = ()
    attachments: Texts = ()
    cites: Texts = ()
    cites_not: Texts = ()
    times: Times | None = None


class ExpectedCase(ConversationTable, frozen=True):
    """[step.case]: how the case that the step touched must stand. An empty number: none has been given out."""

    state: State | None = None
    number: str | None = None
    deadline: date | None = None


class ConversationStep(ConversationTable, frozen=True):
    """[[step]]: a mail that arrives, or time that passes, and what must follow."""

    at: datetime
    from_: str = msgspec.field(name="from", default="")
    to: Texts = ()
    cc: Texts = ()
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    headers: dict[str, Texts] = {}
    attach: tuple[AttachmentSpec, ...] = ()
    raw: str | None = None
    auth: Literal["pass", "fail", "none"] = "pass"
    reply_to_last: bool | str = False
    bounce: BounceSpec | None = None
    wait: bool = False
    down: bool = False
    sent: tuple[ExpectedMail, ...] | None = None
    quiet: bool = False
    case: ExpectedCase | None = None


class Conversation(ConversationTable, frozen=True):
    """A whole file."""

    title: str
    policy: str
    step: tuple[ConversationStep, ...]
    registry: tuple[RegistryRow, ...] = ()
    staff: tuple[ConversationStaff, ...] | None = None
    mailbox: str | None = None
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, Any] = {}

    @property
    def people(self) -> tuple[StaffMember, ...] | None:
        """The staff, where the conversation names its own."""
        if self.staff is None:
            return None
        return tuple(StaffMember(p.address.lower(), p.roles, Decimal(str(p.limit))) for p in self.staff)


def load(path: Path) -> Conversation:
    """Read and check a conversation file.

    Raises:
        ConfigError: naming line or key and the mend; the file's name is left to the caller.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}") from None
    name = str(path)
    try:
        conversation = convert(parse(text, name), Conversation, name, text)
    except ConfigError as error:
        raise ConfigError(_counted(str(error).removeprefix(name))) from None
    _verify(conversation)
    return conversation


def _counted(what: str) -> str:
    """Name the line in words, and count steps as people do, from one."""
    what = re.sub(r"^:(\d+):", r"line \1:", what).removeprefix(":").strip()
    return re.sub(r"\bstep\[(\d+)\]", lambda m: f"step {int(m[1]) + 1}", what)


def _verify(conversation: Conversation) -> None:
    """Check what types alone cannot.

    Raises:
        ConfigError: naming the step and the mend.
    """
    before = datetime.min.replace(tzinfo=UTC)
    for count, step in enumerate(conversation.step, 1):
        for wrong, mend in _slips(step):
            if wrong:
                raise ConfigError(f"step {count}: {mend}")
        if step.at < before:
            raise ConfigError(f"step {count}: at: {step.at.isoformat()} lies before the step above it. Mend the time.")
        before = step.at


def _slips(step: ConversationStep) -> tuple[tuple[bool, str], ...]:
    """Return each slip that a step can contain, whether it is there, and its mend."""
    written = bool(step.from_ or step.raw is not None or step.bounce)
    sources = sum((step.raw is not None, step.bounce is not None, step.wait))
    own = (step.body, step.html, step.subject, step.attach or None, step.headers or None)
    return (
        (step.at.tzinfo is None, f"at: {step.at.isoformat()} has no zone. Write it like 2026-11-20T10:00:00Z."),
        (not written and not step.wait, "nothing happens. Write from (a mail), raw, bounce, or wait = true."),
        (
            sources > 1 or (step.wait and written),
            "a mail or wait, not both; raw or bounce, not both. Make two steps of it.",
        ),
        (step.down and not step.wait, "down goes with wait = true. Add it."),
        (step.quiet and bool(step.sent), "quiet and sent exclude each other. Keep one."),
        (step.raw is not None and any(v is not None for v in own), "raw is the whole mail: leave out its other keys."),
        (step.reply_to_last is True and not step.from_, "reply_to_last needs from. Add who answers."),
    )
