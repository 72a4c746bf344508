"""Send emails by SMTP (RFC 5321): one email, one recipient, one transaction, one result. Nothing else sends email."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Awaitable

import aiosmtplib
from aiosmtplib import SMTPException, SMTPReadTimeoutError, SMTPResponse, SMTPResponseException

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, DeliveryResult, Refused
from mailbot.mail.addresses import valid
from mailbot.runtime.servers import ServerError, Smtp, diagnose, trusted_without_tls

MAX_PER_CONNECTION = 100  # emails
IDLE = 10.0  # seconds after which a connection is checked with NOOP before it is used again
FINAL_DOT_FACTOR = 4  # times the timeout: after the final dot, servers scan for viruses (RFC 5321 §4.5.3.2.6: 10 minutes)
MIN_SPEED = 20_000  # bytes per second; a server that receives an email more slowly counts as hanging
CLOSING = 421  # the server is about to hang up (RFC 5321 §3.8)
SESSION_ERRORS = {503, 530, 534, 535, 538}  # the session or the login is wrong, not the email (RFC 4954 §6)


class OutboxError(ServerError):
    """The server cannot be used: unknown host, bad certificate, no STARTTLS, login refused."""


class _NotSent(Exception):  # noqa: N818 - used for control flow
    """The transaction ended before the final dot. The connection may have been stale."""


class Outbox:
    """Sends emails one after another over one connection. Opens, checks and reopens the connection itself."""

    def __init__(self, server: Smtp) -> None:
        self.server = server
        self._smtp: aiosmtplib.SMTP | None = None
        self._sent = 0
        self._used_at = 0.0
        self._lock = asyncio.Lock()

    async def send(self, raw: bytes | str, sender: str, recipient: str) -> DeliveryResult:
        """Send one email, exactly these bytes: ASCII, every line ended by CRLF. Only cancellation is raised.

        The envelope sender is empty for the null reverse-path (RFC 5321 §4.5.5).
        """
        content = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        try:
            mail_from = valid(sender) if sender else ""
            rcpt_to = valid(recipient)
        except ValueError as error:
            return Refused(0, f"not a valid email address: {error}")
        if not is_transportable(content):
            return Refused(0, "SMTP would change this email: it is not ASCII, or a line does not end with CRLF")
        async with self._lock:
            return await self._send(content, mail_from, rcpt_to)

    async def check(self) -> None:
        """Connect, log in, and send NOOP. Raises OutboxError: the text names host, port and the fix."""
        async with self._lock:
            self._drop()
            smtp = await self._connect()
            try:
                await smtp.noop()
            except (SMTPException, OSError) as error:
                self._drop()
                raise OutboxError(self.server, f"no answer to NOOP: {error}") from error

    async def close(self) -> None:
        """Send QUIT if the server still answers. Never raises."""
        async with self._lock:
            await self._quit()

    # ------------------------------------------------------------ one transaction

    async def _send(self, content: bytes, sender: str, recipient: str) -> DeliveryResult:
        try:
            smtp, is_new = await self._connection()
            try:
                await self._envelope(smtp, content, sender, recipient)
            except _NotSent:
                if is_new:
                    raise
                self._drop()  # the server had closed the idle connection: nothing was sent yet
                smtp = await self._connect()
                await self._envelope(smtp, content, sender, recipient)
            result = await self._data(smtp, content)
        except (OutboxError, _NotSent) as error:
            self._drop()
            return Deferred(str(error), server=True)
        except SMTPResponseException as error:
            await self._reset()
            return result_of(error.code, error.message)
        except BaseException:
            self._drop()  # canceled: a connection in the middle of an email cannot be used again
            raise
        self._sent += 1
        self._used_at = time.monotonic()
        return result

    async def _envelope(self, smtp: aiosmtplib.SMTP, content: bytes, sender: str, recipient: str) -> None:
        """Send MAIL, RCPT and DATA, until the server asks for the content."""
        size = f" SIZE={len(content)}" if smtp.supports_extension("size") else ""
        commands = ((f"MAIL FROM:<{sender}>{size}", {250}), (f"RCPT TO:<{recipient}>", {250, 251}), ("DATA", {354}))
        for command, expected in commands:
            try:
                answer = smtp.execute_command(command.encode("ascii"), timeout=None)
                code, text = await _in_time(answer, self.server.timeout)
            except SMTPResponseException as error:
                code, text = error.code, error.message
            except (SMTPException, OSError) as error:
                raise _NotSent(f"before the content: {error}") from error
            if code not in expected:
                if code != CLOSING and isinstance(result_of(code, text), (Deferred, Refused)):
                    raise SMTPResponseException(code, text)
                raise _NotSent(f"{code} {text}")

    async def _data(self, smtp: aiosmtplib.SMTP, content: bytes) -> DeliveryResult:
        """Send the content, then the final dot. Before the dot, a failure means not sent; after it, the result is unknown."""
        try:
            await self._write(smtp, dot_stuffed(content))
            assert smtp.protocol is not None  # noqa: S101 - _write has just written to it
            smtp.protocol.write(b".\r\n")
        except (SMTPException, OSError) as error:
            raise _NotSent(f"before the end of the content: {error}") from error
        try:
            code, text = await _in_time(smtp.protocol.read_response(), self.server.timeout * FINAL_DOT_FACTOR)
        except (SMTPException, OSError) as error:
            self._drop()
            return Ambiguous(f"the email was sent completely, but the server did not answer: {error}")
        return result_of(code, text)

    async def _write(self, smtp: aiosmtplib.SMTP, content: bytes) -> None:
        """Write the whole content to the network before anything else is written."""
        if smtp.protocol is None or not isinstance(smtp.transport, asyncio.WriteTransport):
            raise ConnectionError("connection lost")
        smtp.protocol.write(content)
        if smtp.transport.get_write_buffer_size():
            async with asyncio.timeout(self.server.timeout + len(content) / MIN_SPEED):
                # asyncio has no event for "everything is written", so poll the size of the buffer.
                while smtp.is_connected and smtp.transport.get_write_buffer_size():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        await asyncio.sleep(0)  # let the event loop notice a lost connection
        if not smtp.is_connected:
            raise ConnectionError("connection lost")

    # ------------------------------------------------------------ the connection

    async def _connection(self) -> tuple[aiosmtplib.SMTP, bool]:
        """Return a connection that is ready for a transaction, and whether it is new."""
        smtp = self._smtp
        if smtp is None or not smtp.is_connected:
            return await self._connect(), True
        if self._sent >= MAX_PER_CONNECTION:
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
            raise OutboxError(self.server, "TLS is required", 'security = "none" is allowed on this machine only')
        smtp = aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            timeout=self.server.timeout,
            use_tls=self.server.security == "tls",
            start_tls=self.server.security == "starttls",  # required: fails if the server does not offer it
            local_hostname=own_name(),
        )
        try:
            await smtp.connect()
            await smtp._ehlo_or_helo_if_needed()  # noqa: SLF001 - its ``mail`` would do it, but takes longer
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
        """Reset a refused transaction, so that the next one can start."""
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


async def _in_time(answer: Awaitable[SMTPResponse], seconds: float) -> SMTPResponse:
    """Return a server's answer. The timeout of aiosmtplib does the same in more rounds of the event loop."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise SMTPReadTimeoutError("Timed out waiting for server response") from error


def hang_up(smtp: aiosmtplib.SMTP) -> None:
    """Close a connection immediately and discard unwritten data."""
    transport = smtp.transport
    smtp.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def result_of(code: int, text: str) -> DeliveryResult:
    """Return the result that a server's answer means (RFC 5321 §4.2.1)."""
    if code in SESSION_ERRORS or 400 <= code < 500:  # noqa: PLR2004 - reply codes of RFC 5321
        return Deferred(f"{code} {text}")
    if 500 <= code < 600:  # noqa: PLR2004
        return Refused(code, text)
    if 200 <= code < 300:  # noqa: PLR2004
        return Delivered(f"{code} {text}")
    return Ambiguous(f"unexpected answer: {code} {text}")


def is_transportable(content: bytes) -> bool:
    """Whether SMTP transports these bytes unchanged: ASCII, only CRLF line ends, CRLF at the end."""
    lines = content.count(b"\r\n")
    return content.isascii() and content.endswith(b"\r\n") and content.count(b"\r") == lines == content.count(b"\n")


def dot_stuffed(content: bytes) -> bytes:
    """Return the content with an extra dot before every line that starts with a dot (RFC 5321 §4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def own_name() -> str:
    """Return this machine's name for EHLO, without a DNS query."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name) else "localhost"
