"""mailbot.toml -> Settings: typed, checked, paths resolved beside the file. Secrets stay out of it and out of every text."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from mailbot.intake.desk import Authority
from mailbot.mail.addresses import valid
from mailbot.mail.authentication import Profile
from mailbot.model import Role, StaffMember
from mailbot.policy.policy import Documents
from mailbot.runtime.servers import Imap, Security, Smtp, trusted_without_tls
from mailbot.strict_toml import ConfigError, convert, parse

COMMAND_SECONDS = 30
"""How long a ``password_command`` may take."""


class SettingsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of mailbot.toml; a key it does not know is an error."""


class ImapTable(SettingsTable, frozen=True):
    """[mailbox.imap]: where mail arrives. The password comes from a file, the environment or a command."""

    host: str
    user: str
    port: int = 993
    security: Security = "tls"
    password_file: str | None = None
    password_env: str | None = None
    password_command: str | None = None
    folder: str = "INBOX"


class SmtpTable(SettingsTable, frozen=True):
    """[mailbox.smtp]: where replies go out. Without a user there is no AUTH."""

    host: str
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    password_command: str | None = None


class StaffTable(SettingsTable, frozen=True):
    """[[mailbox.staff]]: a member of staff, the roles, and the money this person may set in motion."""

    address: str
    roles: tuple[Role, ...]
    limit: Decimal | int | float = 0


class MailboxTable(SettingsTable, frozen=True):
    """[[mailbox]]: one rma@ address, the policy it is run by, its registry, its servers and its staff."""

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


class Folders(SettingsTable, frozen=True):
    """[folders]: ``root`` puts Done, Ignored and Attention below another folder."""

    root: str = ""


class SettingsFile(SettingsTable, frozen=True):
    """mailbot.toml as written."""

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


class _Ways(msgspec.Struct, frozen=True):
    """The keys that can give the password of the state."""

    password_file: str | None
    password_env: str | None
    password_command: str | None


class Settings(msgspec.Struct, frozen=True):
    """The settings, with the folder they stand in."""

    home: Path
    name: str
    file: SettingsFile

    @property
    def state(self) -> str:
        """The address of the state: ``tinydb:`` and an absolute folder, or ``postgresql://user@host/database``."""
        kind, _, folder = self.file.state.partition(":")
        return f"tinydb:{self.home / folder}" if kind == "tinydb" else self.file.state

    @property
    def local(self) -> Path:
        """The folder of what this machine keeps beside the state, such as the index of a registry."""
        return Path(self.state.removeprefix("tinydb:")) if self.state.startswith("tinydb:") else self.home / "state"

    @property
    def state_password(self) -> str | None:
        """The password of PostgreSQL, fetched now; None if no key names one.

        Raises:
            ConfigError: as ``imap``.
        """
        file = self.file
        ways = _Ways(file.state_password_file, file.state_password_env, file.state_password_command)
        return self._secret(ways, "the password of the state")

    def registry(self, mailbox: MailboxTable) -> Path:
        """The registry's CSV of a mailbox."""
        return self.home / mailbox.registry

    def documents(self, mailbox: MailboxTable) -> Documents:
        """What is attached to the letters of a mailbox: as the mailbox says, else as the file says at the top."""
        return mailbox.documents or self.file.documents

    def imap(self, mailbox: MailboxTable) -> Imap:
        """How to reach the mailbox, its password fetched now.

        Raises:
            ConfigError: the password cannot be had; the text names the key and the mend, never the secret.
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
        """How to reach the server that sends, its password fetched now.

        Raises:
            ConfigError: as ``imap``.
        """
        table = mailbox.smtp
        password = self._secret(table, f"mailbox {mailbox.address}: smtp") if table.user else None
        return Smtp(host=table.host, port=table.port, security=table.security, user=table.user, password=password)

    def _secret(self, table: ImapTable | SmtpTable | _Ways, where: str) -> str | None:
        where = f"{self.name}: {where}"
        if table.password_env:
            found = os.environ.get(table.password_env)
            if found is None:
                raise ConfigError(
                    f"{where}: password_env: {table.password_env} is not set. Set it before mailbot starts."
                )
        elif table.password_file:
            found = _from_file(self.home / table.password_file, where)
        elif table.password_command:
            found = _from_command(table.password_command, where)
        else:
            return None
        if not found:
            raise ConfigError(f"{where}: the password is empty. Mend what it comes from.")
        return found


def staff(mailbox: MailboxTable) -> tuple[StaffMember, ...]:
    """Return the staff of a mailbox; where From is believed, nobody of them sets money in motion."""
    believed = mailbox.authority == "insecure-from"
    return tuple(
        StaffMember(s.address.lower(), s.roles, Decimal(0) if believed else Decimal(str(s.limit)))
        for s in mailbox.staff
    )


def warnings(settings: Settings) -> tuple[str, ...]:
    """Return what works as it is set, and is dangerous."""
    return tuple(
        f'{settings.name}: mailbox {mailbox.address}: authority = "insecure-from": whoever writes a member of staff\'s address '
        "into From is obeyed; every limit counts as 0. Delete the line to have unproved commands confirmed."
        for mailbox in settings.file.mailbox
        if mailbox.authority == "insecure-from"
    )


def load(path: Path) -> Settings:
    """Read and check the settings.

    Raises:
        ConfigError: naming file, line or key, and the mend.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file. `mailbot init DIR --policy NAME` lays one out; --config names another place."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    file = convert(parse(text, str(path)), SettingsFile, str(path), text)
    settings = Settings(path.resolve().parent, str(path), file)
    _verify(settings)
    return settings


def _verify(settings: Settings) -> None:
    name, file = settings.name, settings.file
    if not file.mailbox:
        raise ConfigError(f"{name}: there is no [[mailbox]]. Add one.")
    _verify_state(name, file)
    if file.timezone is not None:
        try:
            ZoneInfo(file.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigError(
                f"{name}: timezone: {file.timezone!r} is no time zone. Write one like America/Los_Angeles."
            ) from None
    if file.poll_seconds < 1:
        raise ConfigError(f"{name}: poll_seconds: {file.poll_seconds} is too short. Write 1 or more.")
    addresses = [mailbox.address.lower() for mailbox in file.mailbox]
    for mailbox in file.mailbox:
        where = f"{name}: mailbox {mailbox.address}"
        if addresses.count(mailbox.address.lower()) > 1:
            raise ConfigError(f"{where}: stands twice. Give each mailbox one [[mailbox]].")
        _verify_mailbox(mailbox, where)


def _verify_state(name: str, file: SettingsFile) -> None:
    if not file.state.startswith(("tinydb:", "postgresql://")):
        shown = file.state.partition(":")[0]  # the rest may hold a password
        raise ConfigError(
            f'{name}: state: "{shown}:…" is of no known kind. Write "tinydb:FOLDER" or "postgresql://user@host/database".'
        )
    if file.state.startswith("postgresql://") and ":" in file.state.removeprefix("postgresql://").rpartition("@")[0]:
        raise ConfigError(
            f"{name}: state: there is a password in it. Delete it and add state_password_file, state_password_env or "
            "state_password_command."
        )
    ways = ("state_password_file", "state_password_env", "state_password_command")
    given = [key for key in ways if getattr(file, key)]
    if len(given) > 1:
        raise ConfigError(f"{name}: {' and '.join(given)} both give a password. Keep one.")
    if given and file.state.startswith("tinydb:"):
        raise ConfigError(f"{name}: {given[0]}: a folder has no password. Delete it.")
    if file.keep_sent_days < 0:
        raise ConfigError(f"{name}: keep_sent_days: {file.keep_sent_days} is negative. Write 0 or more.")


def _verify_mailbox(mailbox: MailboxTable, where: str) -> None:
    for address in (mailbox.address, *mailbox.aliases, *(s.address for s in mailbox.staff)):
        try:
            valid(address)
        except ValueError as error:
            raise ConfigError(f"{where}: {address!r} is no mail address: {error} Mend it.") from None
    for person in mailbox.staff:
        limit = Decimal(str(person.limit))
        if not (limit.is_finite() and limit >= 0):
            raise ConfigError(
                f"{where}: staff {person.address.lower()}: limit: {limit} is no amount. Write one like 500."
            )
    _verify_authority(mailbox, where)
    for server, table in (("imap", mailbox.imap), ("smtp", mailbox.smtp)):
        _verify_server(f"{where}: {server}", table)


def _verify_authority(mailbox: MailboxTable, where: str) -> None:
    if mailbox.authority == "insecure-from" and not mailbox.i_accept_forged_approvals:
        raise ConfigError(
            f'{where}: authority = "insecure-from" obeys whoever writes a member of staff\'s address into From. Delete it, '
            "or add i_accept_forged_approvals = true."
        )
    if mailbox.authentication_results == "microsoft-365" and mailbox.trusted_authserv_id:
        raise ConfigError(
            f"{where}: trusted_authserv_id: Microsoft 365 writes none. Delete it, or delete authentication_results."
        )


def _verify_server(where: str, table: ImapTable | SmtpTable) -> None:
    if not table.host.strip() or not 1 <= table.port <= 65535:  # noqa: PLR2004 - the ports of TCP
        raise ConfigError(
            f"{where}: {table.host}:{table.port} is no server. Write its host, and a port from 1 to 65535."
        )
    ways = [key for key in ("password_file", "password_env", "password_command") if getattr(table, key)]
    if len(ways) > 1:
        raise ConfigError(f"{where}: {' and '.join(ways)} both give a password. Keep one.")
    if table.user and not ways:
        raise ConfigError(f"{where}: has a user and no password. Add password_file, password_env or password_command.")
    probe = Smtp(host=table.host, port=table.port, security=table.security)
    if table.security == "none" and not trusted_without_tls(probe):
        raise ConfigError(f'{where}: security = "none" is for this machine only. Write "tls" or "starttls".')


def _from_file(path: Path, where: str) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            raise ConfigError(f"{where}: password_file: {path} can be read by others. Mend it: chmod 600 {path}")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{where}: password_file: {path}: {error.strerror}.") from None


def _from_command(command: str, where: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, from the operator's own file
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ConfigError(f"{where}: password_command failed: {type(error).__name__}. Try it by hand.") from None
    return done.stdout.rstrip("\r\n")
