"""Run Dovecot for tests: in a temporary folder, on a free port of loopback, without root privileges."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imapclient import IMAPClient
from support.servers import PASSWORD, free_port

from mailbot.runtime.servers import Imap

if TYPE_CHECKING:
    from collections.abc import Iterator

DOVECOT = shutil.which("dovecot", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))


class Dovecot:
    """A running Dovecot on one port of loopback. Any user can log in with PASSWORD."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home = folder
        self.port = port

    def imap(self, user: str) -> Imap:
        return Imap(host="127.0.0.1", port=self.port, security="none", user=user, password=PASSWORD, timeout=10.0)

    def deliver(self, user: str, raw: bytes) -> None:
        with self._client(user) as client:
            client.append("INBOX", raw)

    def folder(self, user: str, name: str = "INBOX") -> list[bytes]:
        with self._client(user) as client:
            if not client.folder_exists(name):
                return []
            client.select_folder(name, readonly=True)
            found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    @contextlib.contextmanager
    def _client(self, user: str) -> Iterator[IMAPClient]:
        with IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10.0) as client:
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.login(user, PASSWORD)
            yield client


CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{home}/mail/%u
mail_fsync = never
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/home/%u
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = {separator}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


@contextlib.contextmanager
def dovecot(*, prefix: str = "", separator: str = "/") -> Iterator[Dovecot]:
    """Run Dovecot 2.3. It is stopped at the end of the block, and its folder is deleted.

    Raises:
        RuntimeError: the installed Dovecot is not version 2.3, or it does not start.
    """
    assert DOVECOT is not None
    version = subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    if not version.startswith("2.3."):
        raise RuntimeError(f"These tests need Dovecot 2.3, but found {version.strip()}")
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    home = Path(tempfile.mkdtemp(prefix="dove", dir="/tmp"))  # the path of a Unix socket must be short
    port = free_port()
    configuration = home / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(
            home=home,
            port=port,
            prefix=prefix,
            separator=separator,
            password=PASSWORD,
            user=account.pw_name,
            group=grp.getgrgid(account.pw_gid).gr_name,
            uid=account.pw_uid,
            gid=account.pw_gid,
        )
    )
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(home, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=home,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home)},
            **as_user,
        )
    try:
        wait_for(port, process, home)
        yield Dovecot(home, port)
    finally:
        stop(process)
        shutil.rmtree(home, ignore_errors=True)


def wait_for(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            if connection.recv(4) == b"* OK":
                return
        time.sleep(0.02)
    log = "".join(file.read_text() for file in (home / "output", home / "log") if file.exists())
    raise RuntimeError(f"Dovecot does not start: {log}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it has a session of its own, so this kills only its own processes
        process.wait(timeout=5)
