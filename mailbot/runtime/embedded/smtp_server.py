"""An in-process SMTP server: aiosmtpd, which accepts every email, keeps it, and delivers it to the local mailboxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mailbot.model import Value
from mailbot.runtime.embedded.imap_server import HOST, NAME, ImapServer
from mailbot.runtime.servers import Smtp

MAX_MAIL = 60_000_000  # bytes; more than mailbot fetches


class ReceivedMail(Value, frozen=True):
    """An email that the server accepted: its envelope, and its bytes as received."""

    sender: str
    recipient: str
    raw: bytes


class SmtpServer:
    """An SMTP server that accepts every email and keeps it in ``received``, one entry for each recipient."""

    def __init__(self, keep: Callable[[ReceivedMail], Awaitable[None]], users: Mapping[str, str]) -> None:
        self.port, self.users = 0, users
        self.received: list[ReceivedMail] = []
        self._keep = keep

    def smtp(self) -> Smtp:
        """Return the connection parameters."""
        return Smtp(host=HOST, port=self.port, security="none", timeout=10.0)

    # aiosmtpd calls this method by name.
    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.4."""
        sender = envelope.mail_from.strip("<>")  # the null reverse-path comes as "<>"
        for recipient in envelope.rcpt_tos:
            mail = ReceivedMail(sender, recipient, bytes(envelope.original_content))
            self.received.append(mail)
            await self._keep(mail)
        return "250 2.0.0 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, who: Any) -> AuthResult:
        """RFC 4954, by user and password."""
        known = isinstance(who, LoginPassword) and self.users.get(who.login.decode()) == who.password.decode()
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def smtp_server(
    *,
    mailboxes: ImapServer | None = None,
    addresses: Mapping[str, str] | None = None,
    users: Mapping[str, str] | None = None,
    vouch: Callable[[ReceivedMail], str | None] = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    out: Path | None = None,
    kind: type[SmtpServer] = SmtpServer,
) -> AsyncIterator[SmtpServer]:
    """Run an SMTP server on a free port of loopback.

    Args:
        mailboxes: the IMAP server for emails to ``addresses``.
        addresses: address (lower case) -> user of ``mailboxes``. A +detail in the local part is ignored.
        users: name -> password, for AUTH, which is optional.
        kind: the class of the server.
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

    server = kind(keep, users or {})
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
            if isinstance(smtp.transport, asyncio.WriteTransport):
                smtp.transport.abort()
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
