"""The outbox: the only place that sends (SMTP, RFC 5321). One mail, one recipient, one transaction, one result."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, DeliveryResult, Refused
from mailbot.mail.addresses import valid
from mailbot.runtime.servers import ServerError, Smtp, diagnose, trusted_without_tls

MAILS_A_CONNECTION = 100
IDLE = 10.0  # seconds after which a connection is asked whether it still lives
DOT_PATIENCE = 4  # times the timeout: after the final dot servers scan for viruses (RFC 5321 §4.5.3.2.6: 10 minutes)
SLOWEST = 20_000  # bytes a second; a server that takes a mail more slowly has stopped
CLOSING = 421  # the server is about to hang up (RFC 5321 §3.8)
OUR_FAULT = {503, 530, 534, 535, 538}  # the session or the login is wrong, not the mail (RFC 4954 §6)


class OutboxError(ServerError):
    """The server cannot be used as things stand: unknown host, bad certificate, no STARTTLS, refused login."""


class _NotSent(Exception):  # noqa: N818 - a turn in the transaction, not an error
    """The transaction ended before the final dot, on a connection that may have been stale."""


class Outbox:
    """Sends mails one after another over one connection, which it makes, checks and remakes by itself."""

    def __init__(self, server: Smtp) -> None:
        self.server = server
        self._smtp: aiosmtplib.SMTP | None = None
        self._sent = 0
        self._used_at = 0.0
        self._turn = asyncio.Lock()

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> DeliveryResult:
        """Send one mail, exactly these bytes, to one recipient.

        Args:
            raw: the frozen mail: ASCII, every line ended by CRLF.
            sender: the envelope's sender; empty for the null reverse-path (RFC 5321 §4.5.5).
            recipient: the one address it goes to.

        Returns:
            How it ended. Nothing is raised but cancellation, which leaves the end unknown.
        """
        content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        try:
            mail_from = valid(sender) if sender else ""
            rcpt_to = valid(recipient)
        except ValueError as error:
            return Refused(0, f"not an address that mail can go to: {error}")
        if not frozen(content):
            return Refused(0, "not a mail that SMTP carries unchanged: not ASCII, or a line not ended by CRLF")
        async with self._turn:
            return await self._send(content, mail_from, rcpt_to)

    async def check(self) -> None:
        """Connect, log in, NOOP.

        Raises:
            OutboxError: with the host, the port and how to mend it.
        """
        async with self._turn:
            self._drop()
            smtp = await self._connect()
            try:
                await smtp.noop()
            except (SMTPException, OSError) as error:
                self._drop()
                raise OutboxError(self.server, f"no answer to NOOP: {error}") from error

    async def close(self) -> None:
        """Say QUIT if the server still listens; never raises."""
        async with self._turn:
            await self._quit()

    # ------------------------------------------------------------ one transaction

    async def _send(self, content: bytes, sender: str, recipient: str) -> DeliveryResult:
        try:
            smtp, fresh = await self._connection()
            try:
                await self._envelope(smtp, content, sender, recipient)
            except _NotSent:
                if fresh:
                    raise
                self._drop()  # the server had hung up on a connection that lay idle: nothing was sent yet
                smtp = await self._connect()
                await self._envelope(smtp, content, sender, recipient)
            result = await self._data(smtp, content)
        except (OutboxError, _NotSent) as error:
            self._drop()
            return Deferred(str(error), server=True)
        except SMTPResponseException as error:
            await self._reset()
            return judged(error.code, error.message)
        except BaseException:
            self._drop()  # cancelled: nobody may use a connection in the middle of a mail
            raise
        self._sent += 1
        self._used_at = time.monotonic()
        return result

    async def _envelope(self, smtp: aiosmtplib.SMTP, content: bytes, sender: str, recipient: str) -> None:
        """MAIL, RCPT and DATA, until the server asks for the content."""
        size = [f"SIZE={len(content)}"] if smtp.supports_extension("size") else []
        try:
            await smtp.mail(sender, options=size)
            await smtp.rcpt(recipient)
            code, text = await smtp.execute_command(b"DATA")
        except SMTPResponseException as error:
            code, text = error.code, error.message
        except (SMTPException, OSError) as error:
            raise _NotSent(f"before the mail: {error}") from error
        else:
            if code == aiosmtplib.SMTPStatus.start_input:
                return
        if code != CLOSING and isinstance(judged(code, text), (Deferred, Refused)):
            raise SMTPResponseException(code, text)
        raise _NotSent(f"{code} {text}")

    async def _data(self, smtp: aiosmtplib.SMTP, content: bytes) -> DeliveryResult:
        """The content, then the final dot: what fails before it is not sent, what fails after it nobody knows."""
        try:
            await self._pour(smtp, transparent(content))
            assert smtp.protocol is not None  # noqa: S101 - _pour has just written to it
            smtp.protocol.write(b".\r\n")
        except (SMTPException, OSError) as error:
            raise _NotSent(f"before the end of the mail: {error}") from error
        try:
            code, text = await smtp.protocol.read_response(timeout=self.server.timeout * DOT_PATIENCE)
        except (SMTPException, OSError) as error:
            self._drop()
            return Ambiguous(f"the mail was sent whole, and no answer came: {error}")
        return judged(code, text)

    async def _pour(self, smtp: aiosmtplib.SMTP, content: bytes) -> None:
        """Hand the content to the network, all of it, before anything else is written."""
        if smtp.protocol is None or not isinstance(smtp.transport, asyncio.WriteTransport):
            raise ConnectionError("connection lost")
        smtp.protocol.write(content)
        async with asyncio.timeout(self.server.timeout + len(content) / SLOWEST):
            # A transport tells its protocol when it has too much to write, but nobody when it has written everything.
            while smtp.is_connected and smtp.transport.get_write_buffer_size():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await asyncio.sleep(0)  # a connection that has been lost is noticed now
        if not smtp.is_connected:
            raise ConnectionError("connection lost")

    # ------------------------------------------------------------ the connection

    async def _connection(self) -> tuple[aiosmtplib.SMTP, bool]:
        """A connection in which a transaction may begin, and whether it has just been made."""
        smtp = self._smtp
        if smtp is None or not smtp.is_connected:
            return await self._connect(), True
        if self._sent >= MAILS_A_CONNECTION:
            await self._quit()
            return await self._connect(), True
        if time.monotonic() - self._used_at > IDLE:
            try:
                await smtp.noop()
            except (SMTPException, OSError):
                self._drop()
                return await self._connect(), True
        return smtp, False

    async def _connect(self) -> aiosmtplib.SMTP:
        if self.server.security == "none" and not trusted_without_tls(self.server):
            raise OutboxError(self.server, "not without TLS", 'security = "none" is for this machine only')
        smtp = aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            timeout=self.server.timeout,
            use_tls=self.server.security == "tls",
            start_tls=self.server.security == "starttls",  # required: it fails where the server does not offer it
            local_hostname=own_name(),
        )
        try:
            await smtp.connect()
            if self.server.user is not None:
                await smtp.login(self.server.user, self.server.password or "")
        except BaseException as error:
            hang_up(smtp)
            if isinstance(error, (SMTPException, OSError, ValueError)):
                raise OutboxError(self.server, *self._diagnose(error)) from error
            raise
        self._smtp, self._sent, self._used_at = smtp, 0, time.monotonic()
        return smtp

    def _diagnose(self, error: Exception) -> tuple[str, str]:
        match error:
            case aiosmtplib.SMTPAuthenticationError():
                return f"login refused for {self.server.user!r}: {error.code}", "check user and password"
            case aiosmtplib.SMTPConnectError(__cause__=OSError() as cause) if not isinstance(cause, SMTPException):
                return diagnose(self.server, cause)
            case SMTPResponseException():
                return f"the server answers {error.code} {error.message}", "check host and port"
            case SMTPException():
                return error.message, "check port and security"
            case OSError():
                return diagnose(self.server, error)
        return str(error), "check host and port"

    async def _reset(self) -> None:
        """Leave a refused transaction, so that the next may begin."""
        self._used_at = time.monotonic()
        try:
            if self._smtp is not None:
                await self._smtp.rset()
        except BaseException as error:
            self._drop()
            if not isinstance(error, (SMTPException, OSError)):
                raise

    async def _quit(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(SMTPException, OSError):
                await self._smtp.quit(timeout=min(self.server.timeout, 2.0))
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            hang_up(smtp)


def hang_up(smtp: aiosmtplib.SMTP) -> None:
    """Close a connection at once: what has not been written yet never will be."""
    transport = smtp.transport
    smtp.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def judged(code: int, text: str) -> DeliveryResult:
    """What a server's answer means for the mail (RFC 5321 §4.2.1)."""
    if code in OUR_FAULT or 400 <= code < 500:  # noqa: PLR2004 - the hundreds of RFC 5321
        return Deferred(f"{code} {text}")
    if 500 <= code < 600:  # noqa: PLR2004
        return Refused(code, text)
    if 200 <= code < 300:  # noqa: PLR2004
        return Delivered(f"{code} {text}")
    return Ambiguous(f"an answer that means nothing: {code} {text}")


def frozen(content: bytes) -> bool:
    """Whether SMTP carries these bytes unchanged: ASCII, no CR or LF but as CRLF, one of them at the end."""
    lines = content.count(b"\r\n")
    return content.isascii() and content.endswith(b"\r\n") and content.count(b"\r") == lines == content.count(b"\n")


def transparent(content: bytes) -> bytes:
    """The content with a dot before every line that begins with one (RFC 5321 §4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def own_name() -> str:
    """This machine's name for EHLO, without asking the DNS."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name) else "localhost"
