"""Fixtures that many tests share: mail servers on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.dovecot_server import DOVECOT, dovecot
from support.postgres_server import NoPostgresError, postgres
from support.servers import Background, Fresh, embedded_imap, embedded_smtp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.dovecot_server import Dovecot
    from support.postgres_server import Postgres
    from support.servers import MailStore

    from mailbot.runtime.embedded import SmtpServer


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """An event loop in a thread, for servers that tests without a loop talk to."""
    running = Background()
    yield running
    running.close()


@pytest.fixture(scope="session")
def a_dovecot() -> Iterator[Dovecot]:
    """One Dovecot for the whole run."""
    with dovecot() as server:
        yield server


@pytest.fixture(params=["pymap", *(["dovecot"] if DOVECOT else [])])
def imap_server(request: pytest.FixtureRequest, background: Background) -> Iterator[MailStore]:
    """An IMAP server whose users nobody has used before: the embedded one, and Dovecot where it is installed."""
    if request.param == "dovecot":
        yield Fresh(request.getfixturevalue("a_dovecot"))
        return
    with embedded_imap(background) as server:
        yield server


@pytest.fixture
def smtp_server(background: Background) -> Iterator[SmtpServer]:
    """An SMTP server that takes every mail and remembers it."""
    with embedded_smtp(background) as server:
        yield server


@pytest.fixture(scope="session")
def a_postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; without one the test is skipped, with the reason."""
    try:
        context = postgres()
        server = context.__enter__()
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL: {error}")
    yield server
    context.__exit__(None, None, None)
