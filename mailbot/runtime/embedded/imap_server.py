"""An in-process IMAP server: pymap, with everything in memory."""

from __future__ import annotations

import asyncio
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Wildcard
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from mailbot.runtime.servers import Imap

HOST = "127.0.0.1"
NAME = "mx.localhost"


class _Folder(MailboxData):
    """A folder that keeps keywords. pymap's own folder keeps the system flags only."""

    @property
    def permanent_flags(self) -> frozenset[Any]:
        return super().permanent_flags | {Wildcard}


class _Folders(MailboxSet):
    """A user's folders."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Folder(self._content_cache, self._thread_cache)

    async def add_mailbox(self, name: str) -> Any:
        async with self._set_lock.write_lock():
            if name in self._set:
                raise ValueError(name)
            self._set[name] = folder = _Folder(self._content_cache, self._thread_cache)
            return folder.mailbox_id


class _Config(Config):
    """pymap's settings, without TLS and without a DNS query for the host name."""

    def __init__(self) -> None:
        super().__init__(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            tls_enabled=False,
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            invalid_user_sleep=0.0,
            demo_data=False,
            demo_user="",
            demo_password="",
        )

    @property
    def greeting(self) -> bytes:
        return NAME.encode()


class _BufferedWriter:
    """A writer that sends when it is drained. pymap writes an email in a dozen small pieces, each a packet otherwise."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []
        self.write = self._pieces.append
        self.close = writer.close
        self.get_extra_info = writer.get_extra_info

    async def drain(self) -> None:
        self._writer.write(b"".join(self._pieces))
        self._pieces.clear()
        await self._writer.drain()


class ImapServer:
    """An IMAP server. Code in its event loop can deliver and read emails directly."""

    def __init__(self) -> None:
        self.port = 0
        self._config = _Config()
        self._login = Login(self._config)

    def add(self, user: str, password: str) -> None:
        """Add a user with an empty mailbox."""
        self._login.users_dict[user] = UserMetadata(self._config, user, password=password)
        self._config.set_cache[user] = (_Folders(), FilterSet())

    def imap(self, user: str) -> Imap:
        """Return the connection parameters of a user's mailbox."""
        password = self._login.users_dict[user].password or ""
        return Imap(host=HOST, port=self.port, security="none", user=user, password=password, timeout=10.0)

    async def deliver(self, user: str, raw: bytes, *, at: datetime | None = None) -> None:
        """Deliver an email to the INBOX. Clients in IDLE are notified."""
        inbox = await self._folders(user).get_mailbox("INBOX")
        await inbox.append(AppendMessage(raw, at or datetime.now(UTC)), recent=True)

    async def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        """Return the emails in a folder, oldest first; an empty list if there is no such folder."""
        try:
            folder = await self._folders(user).get_mailbox(name)
        except KeyError:
            return []
        return [bytes(message._content) async for message in folder.messages()]  # noqa: SLF001

    def _folders(self, user: str) -> Any:
        return self._config.set_cache[user][0]


@asynccontextmanager
async def imap_server(users: Mapping[str, str]) -> AsyncIterator[ImapServer]:
    """Run an IMAP server on a free port of loopback. ``users``: name -> password."""
    server = ImapServer()
    for user, password in users.items():
        server.add(user, password)
    serve: Any = IMAPServer(server._login, server._config)  # noqa: SLF001
    sessions: set[asyncio.Task[Any]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        sessions.add(task)
        try:
            await serve(reader, _BufferedWriter(writer), SocketInfoLocal(writer))
        finally:
            sessions.discard(task)
            writer.close()

    listener = await asyncio.start_server(session, HOST, 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
