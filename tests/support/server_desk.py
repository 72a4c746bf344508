"""A returns desk for tests: a settings folder with real servers, and mailbot in a separate process."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.model import Case
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from datetime import datetime

    from support.servers import MailStore

    from mailbot.runtime.embedded import ReceivedMail, SmtpServer

PORTWELL, SERVERTECH = "rma@portwell.example", "rma@servertech.example"
REGISTRY = """\
policy,serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure
american-portwell,AH7K900101,WADE-8017,ipc,2026-01-15,Larkspur Controls,larkspur.example,,,,
american-portwell,AH7K900102,WADE-8017,ipc,2022-01-15,Larkspur Controls,larkspur.example,,,,
american-portwell,B7001-000201,CAR-3040,platform,2026-05-04,Larkspur Controls,larkspur.example,,,,
server-technology,STV7001-0000301,STV-4501C,pdu,2025-05-04,Hollis Data,hollis.example,,,,
server-technology,7700302,CW-24V2,pdu,2019-05-04,Hollis Data,hollis.example,,,,
"""


@dataclass
class House:
    """A folder with settings, a registry and a state, and two mailboxes on the given servers."""

    home: Path
    imap: MailStore
    smtp: SmtpServer
    registry: str = REGISTRY
    users: dict[str, str] = field(default_factory=lambda: {PORTWELL: "portwell", SERVERTECH: "servertech"})
    extra: str = ""
    state: str = "tinydb:state"

    def __post_init__(self) -> None:
        (self.home / "registry.csv").write_text(self.registry, encoding="utf-8")
        policies = {PORTWELL: "american-portwell", SERVERTECH: "server-technology"}
        staff = {PORTWELL: ("desk@portwell.example", "boss@portwell.example"), SERVERTECH: ("support@servertech.example",) * 2}
        text = f'state = "{self.state}"\ntimezone = "America/Los_Angeles"\npoll_seconds = 1\n{self.extra}'
        for address, user in self.users.items():
            box = self.imap.imap(user)
            desk, boss = staff[address]
            people = f'\n  [[mailbox.staff]]\n  address = "{desk}"\n  roles = ["desk"]'
            people = people + f'\n  [[mailbox.staff]]\n  address = "{boss}"\n  roles = ["approver"]' if desk != boss else people
            text += f"""
[[mailbox]]
address = "{address}"
policy = "{policies[address]}"
registry = "registry.csv"
  [mailbox.imap]
  host = "{box.host}"
  port = {box.port}
  security = "none"
  user = "{box.user}"
  password_env = "DESK_PASSWORD"
  [mailbox.smtp]
  host = "127.0.0.1"
  port = {self.smtp.port}
  security = "none"{people}
"""
        (self.home / "mailbot.toml").write_text(text, encoding="utf-8")

    @property
    def url(self) -> str:
        return f"tinydb:{self.home / 'state'}" if self.state == "tinydb:state" else self.state

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"DESK_PASSWORD": self.imap.imap("any").password}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "mailbot", *words],
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mailbot", *words],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def once(self, now: str | None = None) -> subprocess.CompletedProcess[str]:
        done = self.run("run", "--once", *(("--now", now) if now else ()))
        assert done.returncode == 0, done.stderr
        return done

    def deliver(self, raw: bytes, to: str = PORTWELL) -> None:
        self.imap.deliver(self.users[to], raw)

    def folder(self, name: str = "INBOX", of: str = PORTWELL) -> list[bytes]:
        return self.imap.folder(self.users[of], name)

    def sent(self, to: str | None = None) -> list[ReceivedMail]:
        return [mail for mail in self.smtp.received if to in (None, mail.recipient)]

    def cases(self) -> list[Case]:
        store = open_store(self.url, read_only=True)
        try:
            return list(store.cases())
        finally:
            store.close()

    def export(self) -> list[dict[str, object]]:
        done = self.run("cases", "export", "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout)
        return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with SIGKILL."""
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def letter(
    sender: str,
    subject: str,
    body: str,
    *,
    to: str = PORTWELL,
    message_id: str | None = None,
    date: datetime | None = None,
    answers: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return an email as a customer's mail client writes it; ``answers`` is the email from mailbot that it replies to."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = message_id or f"<{abs(hash((sender, subject, body)))}@client.example>"
    if date:
        mail["Date"] = format_datetime(date)
    if answers:
        earlier = email.message_from_bytes(answers)
        mail["In-Reply-To"] = earlier["Message-ID"]
        mail["References"] = f"{earlier['References'] or ''} {earlier['Message-ID']}".strip()
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(body)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def words(mail: bytes) -> str:
    """Return subject and text of an email from mailbot, with white space folded."""
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    part = parsed.get_body(("plain",))
    assert part is not None
    return " ".join(f"{parsed['Subject']} {part.get_content()}".split())
