"""A connection to an IMAP server, protected as the settings say, and logged in: before TLS no credentials, ever."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from imapclient import IMAPClient
from imapclient.exceptions import (
    IMAPClientAbortError,
    IMAPClientError,
    IMAPClientReadOnlyError,
    LoginError,
    ProtocolError,
)

from mailbot.runtime.servers import Imap, ServerError, diagnose, trusted_without_tls

FAREWELL = 2.0  # seconds for an answer to LOGOUT
PASSING = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]")  # reasons to refuse a login that go away (RFC 5530, RFC 9051)


class MailboxError(ServerError):
    """The mailbox cannot be used as things stand: refused login, bad certificate, no STARTTLS, missing folder."""


class Disconnected(MailboxError):  # noqa: N818 - the state one finds oneself in, not a fault of anybody's
    """The connection is gone, or could not be made for a reason that may pass: try again after a while."""


class Denied(MailboxError):  # noqa: N818 - an answer, not a fault
    """The server answered a command with NO or BAD; the connection is as good as before."""


class Connection:
    """A connection that can be made, used by one thread at a time, lost, and made again."""

    def __init__(self, server: Imap) -> None:
        self.server = server
        self._client: IMAPClient | None = None
        self._turn = threading.RLock()

    def open(self) -> None:
        """Connect anew, protect the connection, log in.

        Raises:
            MailboxError: with the host, the port and how to mend it; ``Disconnected`` where another try may help.
        """
        with self._turn:
            self.close()
            try:
                self._client = reach(self.server)
                protect(self._client, self.server)
                log_in(self._client, self.server)
            except BaseException as error:
                self._leave()
                if isinstance(error, ssl.SSLError):
                    raise MailboxError(self.server, *diagnose(self.server, error)) from error
                if isinstance(error, OSError):
                    raise Disconnected(self.server, *diagnose(self.server, error)) from error
                if isinstance(error, (IMAPClientError, ValueError)):
                    raise Disconnected(
                        self.server, f"no IMAP server answers: {error}", "check host and port"
                    ) from error
                raise

    @contextlib.contextmanager
    def talk(self) -> Iterator[IMAPClient]:
        """The client, to give commands to.

        Raises:
            Disconnected: the connection is gone.
            Denied: the server answered NO or BAD.
        """
        with self._turn:
            if self._client is None:
                raise Disconnected(self.server, "not connected")
            try:
                yield self._client
            except IMAPClientReadOnlyError as error:
                self._leave()
                raise MailboxError(self.server, f"only to be read: {error}", "let this user write there") from error
            except (OSError, IMAPClientAbortError, ProtocolError, ValueError) as error:
                # ValueError: what imaplib and imapclient raise on answers that make no sense. Who has lost the thread
                # of the conversation must not go on: the next answer would be taken for another.
                self._leave()
                raise Disconnected(self.server, f"the connection broke: {error}") from error
            except IMAPClientError as error:
                raise Denied(self.server, f"the server refuses: {error}") from error

    def close(self) -> None:
        """Log out if the server still listens; never raises."""
        with self._turn:
            if self._client is not None:
                with contextlib.suppress(OSError, IMAPClientError):
                    self._client.socket().settimeout(min(self.server.timeout, FAREWELL))
                    self._client.logout()
            self._leave()

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, IMAPClientError):
                client.shutdown()


def reach(server: Imap) -> IMAPClient:
    """Connect, under TLS at once where the settings say so, in clear only on this machine."""
    if server.security == "none" and not trusted_without_tls(server):
        raise MailboxError(server, "not without TLS", 'security = "none" is for this machine only')
    client = IMAPClient(
        server.host,
        port=server.port,
        ssl=server.security == "tls",
        ssl_context=ssl.create_default_context() if server.security == "tls" else None,
        timeout=server.timeout,
    )
    # APPEND goes out in three small writes; Nagle's algorithm would hold the last one back for 40 ms.
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def protect(client: IMAPClient, server: Imap) -> None:
    """Bring the connection under TLS where the settings say STARTTLS, and never go on without it."""
    if b"PREAUTH" in client.welcome[:10].upper():
        # RFC 8314 §4.1: STARTTLS is impossible then, and nobody knows whose mailbox this is.
        raise MailboxError(server, "the server skips the login (PREAUTH)", "use tls: somebody may be in between")
    if server.security == "starttls":
        if not client.has_capability("STARTTLS"):
            raise MailboxError(server, "the server does not offer STARTTLS", "try tls on port 993")
        client.starttls(ssl.create_default_context())
        client.socket().settimeout(server.timeout)


def log_in(client: IMAPClient, server: Imap) -> None:
    """Log in with user and password, by AUTHENTICATE PLAIN (RFC 4616) where on offer: it carries any character."""
    plain = client.has_capability("AUTH=PLAIN")
    if client.has_capability("LOGINDISABLED") and not plain:
        raise MailboxError(server, "the server takes no password here (LOGINDISABLED)", "try tls or starttls")
    log_in: Callable[[str, str], object] = client.plain_login if plain else client.login
    try:
        log_in(server.user, server.password)
    except (LoginError, UnicodeError) as error:
        if isinstance(error.__context__, IMAPClientAbortError) or any(code in str(error).upper() for code in PASSING):
            raise Disconnected(server, "the login is not available just now") from error
        raise MailboxError(server, f"login refused for {server.user!r}", "check user and password") from error
