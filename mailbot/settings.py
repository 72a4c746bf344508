"""Load and check mailbot.toml.

Paths are relative to the file. Passwords are never part of the settings: they are fetched when they are needed, and no error
text contains one.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import structs

from mailbot.intake.desk import Authority
from mailbot.mail.addresses import valid
from mailbot.mail.authentication import Profile
from mailbot.model import Role, StaffMember
from mailbot.policy.policy import Documents
from mailbot.reading_settings import ReadingTable, reading_problems
from mailbot.runtime.classifier.classifier import ClassifierSettings
from mailbot.runtime.servers import Imap, Security, Server, Smtp, trusted_without_tls
from mailbot.strict_toml import ConfigError, TomlTable, convert, parse

COMMAND_SECONDS = 30
"""Timeout of a ``password_command``, in seconds."""


class PasswordKeys(TomlTable, frozen=True, kw_only=True):
    """Where a password comes from: a file, the environment or a command."""

    password_file: str | None = None
    password_env: str | None = None
    password_command: str | None = None


class ImapTable(PasswordKeys, frozen=True):
    """[mailbox.imap]: the server that receives mail."""

    host: str
    user: str
    port: int = 993
    security: Security = "tls"
    folder: str = "INBOX"


class SmtpTable(PasswordKeys, frozen=True):
    """[mailbox.smtp]: the server that sends replies. Without a user, mailbot does not log in."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str | None = None


class StaffTable(TomlTable, frozen=True):
    """[[mailbox.staff]]: a member of staff, the roles, and the approval limit per command, in the policy's currency."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal | int | float = 0

    @property
    def member(self) -> StaffMember:
        """The member of staff. An address is compared in lower case."""
        return StaffMember(self.address.lower(), self.roles, Decimal(str(self.limit)))


class MailboxTable(TomlTable, frozen=True):
    """[[mailbox]]: one rma@ address with its policy, registry, servers and staff."""

    address: str
    policy: str
    registry: str
    imap: ImapTable
    smtp: SmtpTable
    staff: tuple[StaffTable, ...] = ()
    aliases: tuple[str, ...] = ()
    trusted_authserv_id: str | None = None
    authentication_results: Profile = "standard"
    authority: Authority = "confirm"
    i_accept_forged_approvals: bool = False
    documents: Documents | None = None


class Folders(TomlTable, frozen=True):
    """[folders]: Done, Ignored and Attention are created below ``root``."""

    root: str = ""


class SettingsFile(TomlTable, frozen=True):
    """The content of mailbot.toml, with defaults for missing keys."""

    mailbox: tuple[MailboxTable, ...]
    state: str = "tinydb:state"
    state_password_file: str | None = None
    state_password_env: str | None = None
    state_password_command: str | None = None
    keep_sent_days: int = 30
    timezone: str | None = None
    start: Literal["from now", "all"] = "from now"
    poll_seconds: int = 60
    documents: Documents = "pdf"
    folders: Folders = Folders()
    reading: ReadingTable = ReadingTable()

    @property
    def password_keys(self) -> PasswordKeys:
        """Where the password of the state comes from."""
        return PasswordKeys(
            password_file=self.state_password_file,
            password_env=self.state_password_env,
            password_command=self.state_password_command,
        )


class Settings(msgspec.Struct, frozen=True):
    """The settings, the folder of mailbot.toml, and the name of the file for error texts."""

    home: Path
    name: str
    file: SettingsFile

    @property
    def state(self) -> str:
        """The URL of the state: ``tinydb:`` and an absolute folder, or ``postgresql://user@host/database``."""
        kind, _, folder = self.file.state.partition(":")
        return f"tinydb:{self.home / folder}" if kind == "tinydb" else self.file.state

    @property
    def local(self) -> Path:
        """The folder for files that are local to this machine, such as the index of a registry."""
        return Path(self.state.removeprefix("tinydb:")) if self.state.startswith("tinydb:") else self.home / "state"

    @property
    def state_password(self) -> str | None:
        """The password for PostgreSQL, fetched now; None if no key is set.

        Raises:
            ConfigError: as ``imap``.
        """
        return self._secret(self.file.password_keys, "the password of the state")

    def registry(self, mailbox: MailboxTable) -> Path:
        """Return the path of a mailbox's registry (CSV)."""
        return self.home / mailbox.registry

    def documents(self, mailbox: MailboxTable) -> Documents:
        """Return what is attached to the emails of a mailbox. The mailbox's own key overrides the one at the top."""
        return mailbox.documents or self.file.documents

    def imap(self, mailbox: MailboxTable) -> Imap:
        """Return the IMAP server of a mailbox, with the password fetched now.

        Raises:
            ConfigError: the password is not available. The text names the key and the fix, never the secret.
        """
        table = mailbox.imap
        return Imap(
            host=table.host,
            port=table.port,
            security=table.security,
            user=table.user,
            password=self._secret(table, f"mailbox {mailbox.address}: imap") or "",
            folder=table.folder,
            root=self.file.folders.root,
        )

    def smtp(self, mailbox: MailboxTable) -> Smtp:
        """Return the SMTP server of a mailbox, with the password fetched now.

        Raises:
            ConfigError: as ``imap``.
        """
        table = mailbox.smtp
        password = self._secret(table, f"mailbox {mailbox.address}: smtp") if table.user else None
        return Smtp(host=table.host, port=table.port, security=table.security, user=table.user, password=password)

    @property
    def classifier(self) -> ClassifierSettings:
        """How sentences are classified, with the key of the server fetched now.

        Raises:
            ConfigError: the key is not available. The text names the variable, never the secret.
        """
        table = self.file.reading
        key = os.environ.get(table.key_env, "") if table.key_env else ""
        if table.key_env and not key:
            raise ConfigError(f"{self.name}: reading: key_env: {table.key_env} is not set. Set it before mailbot starts.")
        return ClassifierSettings(table.classifier, table.url, table.model, key, table.timeout, str(self.local))

    def _secret(self, table: PasswordKeys, where: str) -> str | None:
        where = f"{self.name}: {where}"
        if table.password_env:
            found = os.environ.get(table.password_env)
            if found is None:
                raise ConfigError(
                    f"{where}: password_env: {table.password_env} is not set. Set this environment variable before mailbot starts."
                )
        elif table.password_file:
            found = _from_file(self.home / table.password_file, where)
        elif table.password_command:
            found = _from_command(table.password_command, where)
        else:
            return None
        if not found:
            raise ConfigError(f"{where}: the password is empty. Check its source.")
        return found


def staff(mailbox: MailboxTable) -> tuple[StaffMember, ...]:
    """Return the staff of a mailbox. If From alone is trusted (``insecure-from``), every approval limit is 0."""
    members = (person.member for person in mailbox.staff)
    return tuple(structs.replace(each, limit=Decimal(0)) if mailbox.authority == "insecure-from" else each for each in members)


def warnings(settings: Settings) -> tuple[str, ...]:
    """Return warnings about settings that are valid but dangerous."""
    return tuple(
        f'{settings.name}: mailbox {mailbox.address}: authority = "insecure-from": anyone can send commands by '
        "putting a staff address into From; every approval limit is 0. Delete the line so that such commands must be confirmed."
        for mailbox in settings.file.mailbox
        if mailbox.authority == "insecure-from"
    )


def load(path: Path) -> Settings:
    """Load and check the settings.

    Raises:
        ConfigError: the text names the file, the line or key, and the fix.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: file not found. Create one with `mailbot init DIR --policy NAME`, or pass --config FILE."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    file = convert(parse(text, str(path)), SettingsFile, str(path), text)
    for problem in _problems(file):
        raise ConfigError(f"{path}: {problem}")
    return Settings(path.resolve().parent, str(path), file)


def _problems(file: SettingsFile) -> Iterator[str]:
    """Yield what the types cannot check, and how to fix it."""
    if not file.mailbox:
        yield "no [[mailbox]] found. Add one."
    yield from _state_problems(file)
    yield from (f"reading: {problem}" for problem in reading_problems(file.reading))
    if file.timezone is not None:
        try:
            ZoneInfo(file.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            yield f"timezone: {file.timezone!r} is not a valid time zone. Use a name such as America/Los_Angeles."
    if file.poll_seconds < 1:
        yield f"poll_seconds: {file.poll_seconds} is too small. Use 1 or more."
    addresses = [mailbox.address.lower() for mailbox in file.mailbox]
    for mailbox in file.mailbox:
        where = f"mailbox {mailbox.address}"
        if addresses.count(mailbox.address.lower()) > 1:
            yield f"{where}: is listed twice. Use one [[mailbox]] per address."
        yield from (f"{where}: {problem}" for problem in _mailbox_problems(mailbox))


def _state_problems(file: SettingsFile) -> Iterator[str]:
    if not file.state.startswith(("tinydb:", "postgresql://")):
        kind = file.state.partition(":")[0]  # the rest may contain a password
        yield f'state: "{kind}:…" is not supported. Use "tinydb:FOLDER" or "postgresql://user@host/database".'
    keys = [f"state_{key}" for key in _set_keys(file.password_keys)]
    if file.state.startswith("postgresql://") and ":" in file.state.removeprefix("postgresql://").rpartition("@")[0]:
        yield "state: contains a password. Remove it and set state_password_file, state_password_env or state_password_command."
    if len(keys) > 1:
        yield f"{' and '.join(keys)} are both set. Keep one."
    if keys and file.state.startswith("tinydb:"):
        yield f"{keys[0]}: a state in a folder needs no password. Delete the key."
    if file.keep_sent_days < 0:
        yield f"keep_sent_days: {file.keep_sent_days} is negative. Use 0 or more."


def _mailbox_problems(mailbox: MailboxTable) -> Iterator[str]:
    for address in (mailbox.address, *mailbox.aliases, *(person.address for person in mailbox.staff)):
        try:
            valid(address)
        except ValueError as error:
            yield f"{address!r} is not a valid email address. {error}"
    for person in (each.member for each in mailbox.staff):
        if not (person.limit.is_finite() and person.limit >= 0):
            yield f"staff {person.address}: limit: {person.limit} is not an amount. Use a number such as 500."
    if mailbox.authority == "insecure-from" and not mailbox.i_accept_forged_approvals:
        yield (
            'authority = "insecure-from" lets anyone send commands by putting a staff address into From. '
            "Delete the line, or add i_accept_forged_approvals = true."
        )
    if mailbox.authentication_results == "microsoft-365" and mailbox.trusted_authserv_id:
        yield "trusted_authserv_id: Microsoft 365 does not write an authserv-id. Delete this key or authentication_results."
    for name, table in (("imap", mailbox.imap), ("smtp", mailbox.smtp)):
        yield from (f"{name}: {problem}" for problem in _server_problems(table))


def _server_problems(table: ImapTable | SmtpTable) -> Iterator[str]:
    if not table.host.strip() or not 1 <= table.port <= 65535:  # noqa: PLR2004 - the ports of TCP
        yield f"{table.host}:{table.port} is not a valid server. Enter a host name and a port from 1 to 65535."
    keys = _set_keys(table)
    if len(keys) > 1:
        yield f"{' and '.join(keys)} are both set. Keep one."
    if table.user and not keys:
        yield "user is set, but no password. Add password_file, password_env or password_command."
    if table.security == "none" and not trusted_without_tls(Server(host=table.host, port=table.port, security="none")):
        yield 'security = "none" is allowed on this machine only. Use "tls" or "starttls".'


def _set_keys(table: PasswordKeys) -> list[str]:
    """Return the names of the password keys that are set."""
    return [key for key in ("password_file", "password_env", "password_command") if getattr(table, key)]


def _from_file(path: Path, where: str) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise ConfigError(f"{where}: password_file: {path} is readable by other users. Fix: chmod 600 {path}")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{where}: password_file: {path}: {error.strerror}.") from None


def _from_command(command: str, where: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, from the operator's own file
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ConfigError(f"{where}: password_command failed: {type(error).__name__}. Run it by hand to see why.") from None
    return done.stdout.rstrip("\r\n")
