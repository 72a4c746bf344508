"""A connection to an IMAP server, with TLS as set, and logged in. Credentials are never sent before TLS is established."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError, LoginError, ProtocolError

from mailbot.runtime.servers import Imap, ServerError, diagnose, trusted_without_tls

LOGOUT_SECONDS = 2.0  # timeout for the answer to LOGOUT
TEMPORARY = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]")  # temporary reasons to refuse a login (RFC 5530, RFC 9051)


class MailboxError(ServerError):
    """The mailbox cannot be used: login refused, bad certificate, no STARTTLS, missing folder."""


class Disconnected(MailboxError):  # noqa: N818 - a state rather than an error
    """The connection is lost, or failed for a reason that may be temporary: try again later."""


class Denied(MailboxError):  # noqa: N818 - an answer of the server
    """The server answered a command with NO or BAD. The connection can still be used."""


class Connection:
    """A connection that can be opened again after it was lost. One thread can use it at a time."""

    def __init__(self, server: Imap) -> None:
        self.server = server
        self._client: IMAPClient | None = None
        self._lock = threading.RLock()

    def open(self) -> None:
        """Connect again, start TLS, log in.

        Raises MailboxError: the text names host, port and the fix; ``Disconnected`` if another try may help.
        """
        with self._lock:
            self.close()
            try:
                self._client = connect(self.server)
                start_tls(self._client, self.server)
                log_in(self._client, self.server)
            except BaseException as error:
                self._shut_down()
                if isinstance(error, ssl.SSLError):
                    raise MailboxError(self.server, *diagnose(self.server, error)) from error
                if isinstance(error, OSError):
                    raise Disconnected(self.server, *diagnose(self.server, error)) from error
                if isinstance(error, (IMAPClientError, ValueError)):
                    raise Disconnected(self.server, f"no answer from an IMAP server: {error}", "check host and port") from error
                raise

    @contextlib.contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """Yield the client, to send commands with.

        Raises:
            Disconnected: the connection is lost.
            Denied: the server answered NO or BAD.
        """
        with self._lock:
            if self._client is None:
                raise Disconnected(self.server, "not connected")
            try:
                yield self._client
            except IMAPClientReadOnlyError as error:
                self._shut_down()
                raise MailboxError(self.server, f"the folder is read-only: {error}", "give this user write access") from error
            except (OSError, IMAPClientAbortError, ProtocolError, ValueError) as error:
                # imaplib and imapclient raise ValueError for invalid answers. The connection must not be used after that,
                # because the next answer could belong to another command.
                self._shut_down()
                raise Disconnected(self.server, f"connection lost: {error}") from error
            except IMAPClientError as error:
                raise Denied(self.server, f"the server refused a command: {error}") from error

    def close(self) -> None:
        """Log out if the server still answers. Never raises."""
        with self._lock:
            if self._client is not None:
                with contextlib.suppress(OSError, IMAPClientError):
                    self._client.socket().settimeout(min(self.server.timeout, LOGOUT_SECONDS))
                    self._client.logout()
            self._shut_down()

    def _shut_down(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, IMAPClientError):
                client.shutdown()


def connect(server: Imap) -> IMAPClient:
    """Connect, with TLS from the start if ``security`` is "tls". Without TLS only to this machine.

    Raises MailboxError: ``security`` is "none", and the server is not on this machine.
    """
    if server.security == "none" and not trusted_without_tls(server):
        raise MailboxError(server, "TLS is required", 'security = "none" is allowed on this machine only')
    return IMAPClient(
        server.host,
        port=server.port,
        ssl=server.security == "tls",
        ssl_context=ssl.create_default_context() if server.security == "tls" else None,
        timeout=server.timeout,
    )


def start_tls(client: IMAPClient, server: Imap) -> None:
    """Start TLS if ``security`` is "starttls".

    Raises MailboxError: the server does not offer STARTTLS, or skips the login.
    """
    if b"PREAUTH" in client.welcome[:10].upper():
        # RFC 8314 §4.1: STARTTLS is impossible after PREAUTH, and the mailbox may belong to somebody else.
        raise MailboxError(server, "the server skips the login (PREAUTH)", "use tls: possible man-in-the-middle attack")
    if server.security == "starttls":
        if not client.has_capability("STARTTLS"):
            raise MailboxError(server, "the server does not offer STARTTLS", "try tls on port 993")
        client.starttls(ssl.create_default_context())
        client.socket().settimeout(server.timeout)


def log_in(client: IMAPClient, server: Imap) -> None:
    """Log in with user and password, with AUTHENTICATE PLAIN (RFC 4616) if offered, because it allows any character.

    Raises MailboxError: the login was refused; ``Disconnected`` if it was refused temporarily.
    """
    plain = client.has_capability("AUTH=PLAIN")
    if client.has_capability("LOGINDISABLED") and not plain:
        raise MailboxError(server, "the server does not allow a login on this connection (LOGINDISABLED)", "try tls or starttls")
    log_in: Callable[[str, str], object] = client.plain_login if plain else client.login
    try:
        log_in(server.user, server.password)
    except (LoginError, UnicodeError) as error:
        if isinstance(error.__context__, IMAPClientAbortError) or any(code in str(error).upper() for code in TEMPORARY):
            raise Disconnected(server, "the login is temporarily unavailable") from error
        raise MailboxError(server, f"login refused for {server.user!r}", "check user and password") from error
