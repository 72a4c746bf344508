"""An SMTP server in this process: aiosmtpd, which takes every mail, remembers it, and puts it into our mailboxes."""

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

MAX_MAIL = 60_000_000  # bytes; more than mailbot itself is willing to fetch

Moment = Literal["MAIL", "RCPT", "DATA"]
DROP = "drop"
KEEP_AND_DROP = "keep and drop"


class ReceivedMail(Value, frozen=True):
    """A mail that the server took over: its envelope, and its bytes as they came."""

    sender: str
    recipient: str
    raw: bytes


def take_all(moment: Moment, sender: str, recipient: str) -> str | None:  # noqa: ARG001
    """The judge of a healthy server: everything is taken."""
    return None


def no_results(mail: ReceivedMail) -> str | None:  # noqa: ARG001
    """The results of a server that authenticates nothing."""
    return None


class SmtpServer:
    """An SMTP server that takes every mail and remembers it.

    Attributes:
        received: the mails, in order; several recipients make several entries.
        judge: asked at MAIL, RCPT and DATA (after the final dot); answers None (go on), a reply ("450 4.2.0 later"),
            ``DROP`` (hang up without an answer), or at DATA ``KEEP_AND_DROP`` (take the mail, but hang up).
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        keep: Callable[[ReceivedMail], Any] | None = None,
        judge: Callable[[Moment, str, str], str | None] = take_all,
    ) -> None:
        self.port = 0
        self.received: list[ReceivedMail] = []
        self.judge = judge
        self.users = dict(users or {})
        self._keep = keep

    def smtp(self, user: str | None = None) -> Smtp:
        """How to reach the server, as this user or as nobody."""
        password = self.users[user] if user else None
        return Smtp(host=HOST, port=self.port, security="none", user=user, password=password, timeout=10.0)

    # aiosmtpd calls these by name.

    async def handle_MAIL(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.2."""
        answer = self._judged(server, "MAIL", address.strip("<>"), "")
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        """RFC 5321 §4.1.1.3."""
        answer = self._judged(server, "RCPT", envelope.mail_from.strip("<>"), address)
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

    def _judged(self, server: SMTP, moment: Moment, sender: str, recipient: str) -> str | None:
        answer = self.judge(moment, sender, recipient)
        if answer == DROP:
            hang_up(server)
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, who: Any) -> AuthResult:
        """RFC 4954, by user and password."""
        known = isinstance(who, LoginPassword) and self.users.get(who.login.decode()) == who.password.decode()
        return AuthResult(success=known, handled=False)


def hang_up(server: SMTP) -> None:
    """Drop the connection without a word."""
    cut(server)
    raise asyncio.CancelledError


def cut(server: SMTP) -> None:
    """Break the connection, if there is one."""
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
    """An SMTP server on a free port of loopback.

    Args:
        mailboxes: where mail for ``addresses`` is put.
        addresses: address (lower case) -> user of ``mailboxes``; a +detail in the local part is passed over.
        users: name -> password, for AUTH, which is offered but not required.
        vouch: says the value of a mail's Authentication-Results header (RFC 8601), or None for no such header.
        now: the clock for trace headers.
        out: a folder that gets every mail as an .eml file, in order of arrival.
    """

    async def keep(mail: ReceivedMail) -> None:
        if out is not None:
            name = "".join(letter if letter.isalnum() or letter in "@.+-" else "_" for letter in mail.recipient)
            (out / f"{len(server.received):04}-{name}.eml").write_bytes(mail.raw)
        user = (addresses or {}).get(without_detail(mail.recipient))
        if mailboxes is not None and user is not None:
            at = now()
            await mailboxes.deliver(user, traced(mail, at, vouch(mail)), at=at)

    server = SmtpServer(users=users, keep=keep)
    loop = asyncio.get_running_loop()
    talks: list[SMTP] = []

    def talk() -> SMTP:
        talks[:] = [smtp for smtp in talks if smtp.transport is not None]
        auth: dict[str, Any] = {"authenticator": server.authenticate, "auth_require_tls": False} if users else {}
        talks.append(SMTP(server, data_size_limit=MAX_MAIL, hostname=NAME, ident="ESMTP", loop=loop, **auth))
        return talks[-1]

    listener = await loop.create_server(talk, HOST, 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for smtp in talks:
            cut(smtp)
        await asyncio.sleep(0)


def without_detail(address: str) -> str:
    """The address in lower case, without a +detail (RFC 5233) in its local part."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def from_domain(raw: bytes) -> str:
    """The domain of the From header, in lower case; empty where there is none."""
    header = BytesHeaderParser().parsebytes(raw)["From"]
    return parseaddr(str(header or ""))[1].rpartition("@")[2].lower()


def traced(mail: ReceivedMail, at: datetime, results: str | None) -> bytes:
    """The mail with what a server writes above it on delivery (RFC 5321 §4.4, RFC 8601)."""
    lines = [
        f"Return-Path: <{mail.sender}>",
        f"Delivered-To: {mail.recipient}",
        *([f"Authentication-Results: {results}"] if results else []),
        f"Received: from localhost ({HOST}) by {NAME} with ESMTP for <{mail.recipient}>;\r\n\t{format_datetime(at)}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace") + mail.raw
