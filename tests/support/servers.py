"""Mail servers for tests: the embedded ones in a thread, and scripted ones that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from aiosmtpd.smtp import SMTP
from msgspec import structs

from mailbot.runtime.embedded import ImapServer, ReceivedMail, SmtpServer, imap_server, smtp_server
from mailbot.runtime.servers import Imap, Smtp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping

T = TypeVar("T")
PASSWORD = "secret"
CERTIFICATE = Path(__file__).parents[1] / "data" / "localhost.pem"


class MailStore(Protocol):
    """What tests need of an IMAP server: users with empty mailboxes, delivering emails, and reading folders."""

    def imap(self, user: str) -> Imap: ...
    def deliver(self, user: str, raw: bytes) -> None: ...
    def folder(self, user: str, name: str = "INBOX") -> list[bytes]: ...


class Background:
    """An event loop in a thread, for tests that have no event loop or their own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=20)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5)
        self.loop.close()


class Embedded:
    """The embedded IMAP server for one test. A user is created when it is first used."""

    def __init__(self, server: ImapServer, background: Background) -> None:
        self.server = server
        self._background = background
        self._users: set[str] = set()

    def _created(self, user: str) -> str:
        if user not in self._users:
            self._users.add(user)
            self.server.add(user, PASSWORD)
        return user

    def imap(self, user: str) -> Imap:
        return self.server.imap(self._created(user))

    def deliver(self, user: str, raw: bytes) -> None:
        self._background.call(self.server.deliver(self._created(user), raw))

    def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        return self._background.call(self.server.folder(self._created(user), name))


@contextlib.contextmanager
def embedded_imap(background: Background) -> Iterator[Embedded]:
    context = imap_server({})
    server = background.call(context.__aenter__())
    try:
        yield Embedded(server, background)
    finally:
        background.call(context.__aexit__(None, None, None))


Moment = Literal["MAIL", "RCPT", "DATA"]
DROP = "drop"
KEEP_AND_DROP = "keep and drop"


class FaultyServer(SmtpServer):
    """The embedded SMTP server with faults.

    Attributes:
        judge: called at MAIL, RCPT and DATA (after the final dot). It returns None (continue), a reply ("450 4.2.0 later"),
            ``DROP`` (hang up without a reply), or at DATA ``KEEP_AND_DROP`` (accept the email, then hang up).
    """

    def __init__(self, keep: Callable[[ReceivedMail], Awaitable[None]], users: Mapping[str, str]) -> None:
        super().__init__(keep, users)
        self.judge: Callable[[Moment, str, str], str | None] = lambda *_: None

    def smtp(self, user: str | None = None) -> Smtp:
        return structs.replace(super().smtp(), user=user, password=self.users[user] if user else None)

    async def handle_MAIL(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        answer = self._answer(server, "MAIL", address.strip("<>"), "")
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        answer = self._answer(server, "RCPT", envelope.mail_from.strip("<>"), address)
        if answer is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = self.judge("DATA", envelope.mail_from.strip("<>"), envelope.rcpt_tos[0])
        done = await super().handle_DATA(server, session, envelope) if answer in {None, KEEP_AND_DROP} else ""
        if answer in {DROP, KEEP_AND_DROP}:
            hang_up(server)
        return answer or done

    def _answer(self, server: SMTP, moment: Moment, sender: str, recipient: str) -> str | None:
        answer = self.judge(moment, sender, recipient)
        if answer == DROP:
            hang_up(server)
        return answer


def hang_up(server: SMTP) -> None:
    """Close the connection without a reply."""
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()
    raise asyncio.CancelledError


@contextlib.contextmanager
def embedded_smtp(background: Background, **options: Any) -> Iterator[SmtpServer]:
    context = smtp_server(**options, kind=FaultyServer)
    server = background.call(context.__aenter__())
    try:
        yield server
    finally:
        background.call(context.__aexit__(None, None, None))


class Fresh:
    """A server shared by many tests, with separate users for one test."""

    _serial = itertools.count(1)

    def __init__(self, server: MailStore) -> None:
        self._server = server
        self._user_prefix = f"t{next(self._serial)}-{os.getpid()}-"

    def imap(self, user: str) -> Imap:
        return self._server.imap(self._user_prefix + user)

    def deliver(self, user: str, raw: bytes) -> None:
        self._server.deliver(self._user_prefix + user, raw)

    def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        return self._server.folder(self._user_prefix + user, name)


class Session:
    """One connection to a scripted server. The received lines are kept."""

    def __init__(self, connection: socket.socket) -> None:
        self.received: list[str] = []
        self._use(connection)

    def _use(self, connection: socket.socket) -> None:
        self.connection = connection
        self._lines = connection.makefile("rb")

    def send(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def receive(self) -> str:
        """Return the next line.

        Raises:
            ConnectionError: the client has disconnected.
        """
        try:
            line = self._lines.readline()
        except ValueError:  # closed by the test
            line = b""
        if not line:
            raise ConnectionError("the client has disconnected")
        self.received.append(line.decode().rstrip("\r\n"))
        return self.received[-1]

    def start_tls(self) -> None:
        self._use(server_tls().wrap_socket(self.connection, server_side=True))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self.connection.close()


class Scripted:
    """A server on loopback that follows a test's script."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sessions: list[Session] = []

    @property
    def received(self) -> list[str]:
        """All lines that clients sent, in order."""
        return [line for session in self.sessions for line in session.received]


@contextlib.contextmanager
def scripted(script: Callable[[Session], None], *, tls: bool = False) -> Iterator[Scripted]:
    """Run a server that follows ``script`` with each client, one after another, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(10)
                with contextlib.suppress(OSError):
                    session = Session(server_tls().wrap_socket(connection, server_side=True) if tls else connection)
                    server.sessions.append(session)
                    with contextlib.closing(session):
                        script(session)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        for session in server.sessions:
            session.close()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
