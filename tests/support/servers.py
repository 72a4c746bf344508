"""Mail servers for the tests: the embedded ones in a thread of their own, and scripted ones that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mailbot.runtime.embedded import ImapServer, SmtpServer, imap_server, smtp_server
from mailbot.runtime.servers import Imap

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")
PASSWORD = "secret"
CERTIFICATE = Path(__file__).parents[1] / "data" / "localhost.pem"


class MailStore(Protocol):
    """What a test needs of an IMAP server: users with empty mailboxes, mail put in, mail looked at."""

    def imap(self, user: str) -> Imap: ...
    def deliver(self, user: str, raw: bytes) -> None: ...
    def folder(self, user: str, name: str = "INBOX") -> list[bytes]: ...


class Background:
    """An event loop in a thread; what runs in it is called from tests that have no loop, or their own."""

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
    """The embedded IMAP server, for one test; a user exists as soon as it is named."""

    def __init__(self, server: ImapServer, background: Background) -> None:
        self.server = server
        self._background = background
        self._users: set[str] = set()

    def _known(self, user: str) -> str:
        if user not in self._users:
            self._users.add(user)
            self.server.add(user, PASSWORD)
        return user

    def imap(self, user: str) -> Imap:
        return self.server.imap(self._known(user))

    def deliver(self, user: str, raw: bytes) -> None:
        self._background.call(self.server.deliver(self._known(user), raw))

    def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        return self._background.call(self.server.folder(self._known(user), name))


@contextlib.contextmanager
def embedded_imap(background: Background) -> Iterator[Embedded]:
    context = imap_server({})
    server = background.call(context.__aenter__())
    try:
        yield Embedded(server, background)
    finally:
        background.call(context.__aexit__(None, None, None))


@contextlib.contextmanager
def embedded_smtp(background: Background, **traits: Any) -> Iterator[SmtpServer]:
    context = smtp_server(**traits)
    server = background.call(context.__aenter__())
    try:
        yield server
    finally:
        background.call(context.__aexit__(None, None, None))


class Fresh:
    """A server shared by many tests, as one of them sees it: its users are nobody else's."""

    _serial = itertools.count(1)

    def __init__(self, server: MailStore) -> None:
        self._server = server
        self._mark = f"t{next(self._serial)}-{os.getpid()}-"

    def imap(self, user: str) -> Imap:
        return self._server.imap(self._mark + user)

    def deliver(self, user: str, raw: bytes) -> None:
        self._server.deliver(self._mark + user, raw)

    def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        return self._server.folder(self._mark + user, name)


class Talk:
    """One connection of a scripted server: what it heard is remembered line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self.heard: list[str] = []
        self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        self.connection = connection
        self._lines = connection.makefile("rb")

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def hear(self) -> str:
        """The next line; a server whose client has gone ends here."""
        try:
            line = self._lines.readline()
        except ValueError:  # closed from the other side of the test
            line = b""
        if not line:
            raise ConnectionError("the client has gone")
        self.heard.append(line.decode().rstrip("\r\n"))
        return self.heard[-1]

    def start_tls(self) -> None:
        self._take(server_tls().wrap_socket(self.connection, server_side=True))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self.connection.close()


class Scripted:
    """A server on loopback that says what a test wants."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.talks: list[Talk] = []

    @property
    def heard(self) -> list[str]:
        """Everything that clients said, in order."""
        return [line for talk in self.talks for line in talk.heard]


@contextlib.contextmanager
def scripted(script: Callable[[Talk], None], *, tls: bool = False) -> Iterator[Scripted]:
    """A server that follows ``script`` with each client, one after another, and then hangs up."""
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
                    talk = Talk(server_tls().wrap_socket(connection, server_side=True) if tls else connection)
                    server.talks.append(talk)
                    with contextlib.closing(talk):
                        script(talk)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        for talk in server.talks:
            talk.close()
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
