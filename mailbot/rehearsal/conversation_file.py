"""Load and check conversation files: emails that arrive, time that passes, and what is expected in each step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from mailbot.model import StaffMember, State, Unit
from mailbot.settings import StaffTable
from mailbot.strict_toml import ConfigError, TomlTable, convert, parse

Texts = str | tuple[str, ...]
"""One text, or several."""

Times = Literal["?", "+", "*"]
"""How often an email is expected: zero or one, one or more, any number."""


class RegistryRow(Unit, frozen=True, forbid_unknown_fields=True):
    """registry: one unit, with the columns of registry.csv."""


class AttachmentSpec(TomlTable, frozen=True):
    """attach: a file made from a text. The extension of its name decides the kind (.pdf, .csv, .txt, .eml, .xlsx …)."""

    name: str
    text: str = ""


class BounceSpec(TomlTable, frozen=True):
    """bounce: a delivery report (RFC 3464) about the last email sent to ``of``; 4.x.x is a delay, 5.x.x a failure."""

    of: str
    status: str = "5.1.1"


class ExpectedMail(TomlTable, frozen=True):
    """[[step.sent]]: what is expected of one of the emails sent."""

    to: str = ""
    subject: str = ""
    contains: Texts = ()
    lacks: Texts = ()
    attachments: Texts = ()
    cites: Texts = ()
    cites_not: Texts = ()
    times: Times | None = None


class ExpectedCase(TomlTable, frozen=True):
    """[step.case]: what is expected of the case that the step changed. An empty number means that no RMA was issued."""

    state: State | None = None
    number: str | None = None
    deadline: date | None = None


class ConversationStep(TomlTable, frozen=True):
    """[[step]]: an email that arrives, or time that passes, and what is expected."""

    at: datetime
    from_: str = msgspec.field(name="from", default="")
    to: Texts = ()
    cc: Texts = ()
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    headers: Mapping[str, Texts] = msgspec.field(default_factory=dict)
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


class Conversation(TomlTable, frozen=True):
    """The content of a conversation file."""

    title: str
    policy: str
    step: tuple[ConversationStep, ...]
    registry: tuple[RegistryRow, ...] = ()
    staff: tuple[StaffTable, ...] | None = None
    mailbox: str | None = None
    ignore: tuple[str, ...] = ()
    rules: Mapping[str, Any] = {}

    @property
    def people(self) -> tuple[StaffMember, ...] | None:
        """The conversation's own staff; None to use the policy's demo staff."""
        return None if self.staff is None else tuple(person.member for person in self.staff)


def load(path: Path) -> Conversation:
    """Load and check a conversation file.

    Raises:
        ConfigError: the text names the line or key, and the fix, but not the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}") from None
    name = str(path)
    try:
        conversation = convert(parse(text, name), Conversation, name, text)
    except ConfigError as error:
        raise ConfigError(_readable(str(error).removeprefix(name))) from None
    before = datetime.min.replace(tzinfo=UTC)
    for count, step in enumerate(conversation.step, 1):
        for found, what in _errors(step):
            if found:
                raise ConfigError(f"step {count}: {what}")
        if step.at < before:
            raise ConfigError(
                f"step {count}: at: {step.at.isoformat()} is before the previous step. Steps must be in order of time."
            )
        before = step.at
    return conversation


def _readable(what: str) -> str:
    """Rewrite an error text: "line 3" instead of ":3:", and steps counted from 1."""
    what = re.sub(r"^:(\d+):", r"line \1:", what).removeprefix(":").strip()
    return re.sub(r"\bstep\[(\d+)\]", lambda m: f"step {int(m[1]) + 1}", what)


def _errors(step: ConversationStep) -> tuple[tuple[bool, str], ...]:
    """Return every error that a step can contain: whether it is present, and what it is and how to fix it."""
    has_email = bool(step.from_ or step.raw is not None or step.bounce)
    sources = sum((step.raw is not None, step.bounce is not None, step.wait))
    email_keys = (step.body, step.html, step.subject, step.attach or None, step.headers or None)
    return (
        (step.at.tzinfo is None, f"at: {step.at.isoformat()} has no time zone. Use a format like 2026-11-20T10:00:00Z."),
        (not has_email and not step.wait, "nothing happens. Set from (an email), raw, bounce, or wait = true."),
        (
            sources > 1 or (step.wait and has_email),
            "only one of an email and wait is allowed, and only one of raw and bounce. Use two steps.",
        ),
        (step.down and not step.wait, "down needs wait = true. Add it."),
        (step.quiet and bool(step.sent), "quiet and sent cannot be combined. Keep one."),
        (step.raw is not None and any(v is not None for v in email_keys), "raw is the whole email. Remove its other keys."),
        (step.reply_to_last is True and not step.from_, "reply_to_last = true needs from. Add the sender."),
    )
