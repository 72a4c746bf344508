"""An in-process SMTP server: aiosmtpd, which accepts every email, keeps it, and delivers it to the local mailboxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mailbot.model import Value
from mailbot.runtime.embedded.imap_server import HOST, NAME, ImapServer
from mailbot.runtime.servers import Smtp

MAX_MAIL = 60_000_000  # bytes; more than mailbot fetches

Moment = Literal["MAIL", "RCPT", "DATA"]
DROP = "drop"
KEEP_AND_DROP = "keep and drop"


class ReceivedMail(Value, frozen=True):
    """An email that the server accepted: its envelope, and its bytes as received."""

    sender: str
    recipient: str
    raw: bytes


def accept_all(moment: Moment, sender: str, recipient: str) -> str | None:  # noqa: ARG001
    """Return None: a healthy server accepts everything."""
    return None


def no_results(mail: ReceivedMail) -> str | None:  # noqa: ARG001
    """Return None: the server does not authenticate senders."""
    return None


class SmtpServer:
    """An SMTP server that accepts every email and keeps it.

    Attributes:
        received: the emails, in order; an email to several recipients has several entries.
        judge: called at MAIL, RCPT and DATA (after the final dot). It returns None (continue), a reply ("450 4.2.0 later"),
            ``DROP`` (hang up without a reply), or at DATA ``KEEP_AND_DROP`` (accept the email, then hang up).
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        keep: Callable[[ReceivedMail], Any] | None = None,
        judge: Callable[[Moment, str, str], str | None] = accept_all,
    ) -> None:
        self.port = 0
        self.received: list[ReceivedMail] = []
        self.judge = judge
        self.users = dict(users or {})
        self._keep = keep

    def smtp(self, user: str | None = None) -> Smtp:
        """Return the connection parameters, with or without a user."""
        password = self.users[user] if user else None
        return Smtp(host=HOST, port=self.port, security="none", user=user, password=password, timeout=10.0)

    # aiosmtpd calls these methods by name.

    async def handle_MAIL(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.2."""
        answer = self._answer(server, "MAIL", address.strip("<>"), "")
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.3."""
        answer = self._answer(server, "RCPT", envelope.mail_from.strip("<>"), address)
        if answer is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.4."""
        sender = envelope.mail_from.strip("<>")  # the null reverse-path comes as "<>"
        answer = self.judge("DATA", sender, envelope.rcpt_tos[0])
        if answer in {None, KEEP_AND_DROP}:
            for recipient in envelope.rcpt_tos:
                mail = ReceivedMail(sender, recipient, bytes(envelope.original_content))
                self.received.append(mail)
                if self._keep is not None:
                    await self._keep(mail)
        if answer in {DROP, KEEP_AND_DROP}:
            hang_up(server)
        return answer or "250 2.0.0 OK"

    def _answer(self, server: SMTP, moment: Moment, sender: str, recipient: str) -> str | None:
        answer = self.judge(moment, sender, recipient)
        if answer == DROP:
            hang_up(server)
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, who: Any) -> AuthResult:
        """RFC 4954, by user and password."""
        known = isinstance(who, LoginPassword) and self.users.get(who.login.decode()) == who.password.decode()
        return AuthResult(success=known, handled=False)


def hang_up(server: SMTP) -> None:
    """Close the connection without a reply."""
    cut(server)
    raise asyncio.CancelledError


def cut(server: SMTP) -> None:
    """Abort the connection, if there is one."""
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


@asynccontextmanager
async def smtp_server(
    *,
    mailboxes: ImapServer | None = None,
    addresses: Mapping[str, str] | None = None,
    users: Mapping[str, str] | None = None,
    vouch: Callable[[ReceivedMail], str | None] = no_results,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    out: Path | None = None,
) -> AsyncIterator[SmtpServer]:
    """Run an SMTP server on a free port of loopback.

    Args:
        mailboxes: the IMAP server for emails to ``addresses``.
        addresses: address (lower case) -> user of ``mailboxes``. A +detail in the local part is ignored.
        users: name -> password, for AUTH, which is optional.
        vouch: returns the value of an email's Authentication-Results header (RFC 8601), or None for no header.
        now: the clock for the trace headers.
        out: a folder to which every email is written as an .eml file, in order of arrival.
    """

    async def keep(mail: ReceivedMail) -> None:
        if out is not None:
            name = "".join(char if char.isalnum() or char in "@.+-" else "_" for char in mail.recipient)
            (out / f"{len(server.received):04}-{name}.eml").write_bytes(mail.raw)
        user = (addresses or {}).get(without_detail(mail.recipient))
        if mailboxes is not None and user is not None:
            at = now()
            await mailboxes.deliver(user, traced(mail, at, vouch(mail)), at=at)

    server = SmtpServer(users=users, keep=keep)
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions[:] = [smtp for smtp in sessions if smtp.transport is not None]
        auth: dict[str, Any] = {"authenticator": server.authenticate, "auth_require_tls": False} if users else {}
        sessions.append(SMTP(server, data_size_limit=MAX_MAIL, hostname=NAME, ident="ESMTP", loop=loop, **auth))
        return sessions[-1]

    listener = await loop.create_server(session, HOST, 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for smtp in sessions:
            cut(smtp)
        await asyncio.sleep(0)


def without_detail(address: str) -> str:
    """Return an address in lower case, without a +detail (RFC 5233) in its local part."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def from_domain(raw: bytes) -> str:
    """Return the domain of the From header, in lower case; empty if there is none."""
    header = BytesHeaderParser().parsebytes(raw)["From"]
    return parseaddr(str(header or ""))[1].rpartition("@")[2].lower()


def traced(mail: ReceivedMail, at: datetime, results: str | None) -> bytes:
    """Return an email with the header fields that a server adds on delivery (RFC 5321 §4.4, RFC 8601)."""
    lines = [
        f"Return-Path: <{mail.sender}>",
        f"Delivered-To: {mail.recipient}",
        *([f"Authentication-Results: {results}"] if results else []),
        f"Received: from localhost ({HOST}) by {NAME} with ESMTP for <{mail.recipient}>;\r\n\t{format_datetime(at)}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace") + mail.raw
