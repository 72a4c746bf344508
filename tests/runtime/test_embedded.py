"""The embedded mail servers behave like real ones for mailbot and for ordinary mail clients."""

from __future__ import annotations

import asyncio
import smtplib
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from imapclient import IMAPClient
from support.servers import embedded_imap, embedded_smtp

from mailbot.runtime.embedded import HOST, ImapServer, ReceivedMail, from_domain, imap_server, smtp_server, without_detail

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Background

    from mailbot.runtime.embedded import SmtpServer

MAIL = b"From: Kim <kim@acme.example>\r\nTo: rma@portwell.example\r\nSubject: x\r\n\r\nHello\r\n"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def client(server: ImapServer, user: str = "rma") -> IMAPClient:
    server_parameters = server.imap(user)
    connected = IMAPClient(server_parameters.host, port=server_parameters.port, ssl=False, timeout=10)
    connected.login(server_parameters.user, server_parameters.password)
    return connected


def write(server: SmtpServer, *recipients: str, sender: str = "kim@acme.example", mail: bytes = MAIL) -> None:
    """Send an email as mail clients do."""
    with smtplib.SMTP(HOST, server.port, local_hostname="localhost", timeout=10) as smtp:
        smtp.sendmail(sender, recipients, mail)


def test_an_email_to_a_local_address_is_delivered(background: Background) -> None:
    """An email to a local address is delivered to its mailbox with a server's trace headers."""
    with embedded_imap(background) as mailboxes:
        mailboxes.imap("rma")
        with embedded_smtp(
            background,
            mailboxes=mailboxes.server,
            addresses={"rma@portwell.example": "rma"},
            vouch=lambda mail: f"mx1.portwell.example; dmarc=pass header.from={from_domain(mail.raw)}",
            now=lambda: NOON,
        ) as server:
            write(server, "RMA+c3@portwell.example", "else@server_parameters.example")
        assert mailboxes.folder("rma") == [
            b"Return-Path: <kim@acme.example>\r\n"
            b"Delivered-To: RMA+c3@portwell.example\r\n"
            b"Authentication-Results: mx1.portwell.example; dmarc=pass header.from=acme.example\r\n"
            b"Received: from localhost (127.0.0.1) by mx.localhost with ESMTP for <RMA+c3@portwell.example>;\r\n"
            b"\tFri, 20 Nov 2026 12:00:00 +0000\r\n" + MAIL
        ]
        assert server.received == [
            ReceivedMail("kim@acme.example", "RMA+c3@portwell.example", MAIL),
            ReceivedMail("kim@acme.example", "else@server_parameters.example", MAIL),
        ]


def test_without_authentication_there_is_no_header(background: Background) -> None:
    """Without authentication there is no Authentication-Results header, and a bounce has no sender."""
    with embedded_imap(background) as mailboxes:
        mailboxes.imap("rma")
        server_parameters = {"mailboxes": mailboxes.server, "addresses": {"rma@portwell.example": "rma"}}
        with embedded_smtp(background, **server_parameters) as server:
            write(server, "rma@portwell.example", sender="")
        [mail] = mailboxes.folder("rma")
        assert mail.startswith(b"Return-Path: <>\r\nDelivered-To: ")
        assert b"Authentication-Results" not in mail
        assert mail.endswith(MAIL)


def test_emails_can_be_written_to_files(background: Background, tmp_path: Path) -> None:
    """The folder gets one file per email, in order, and no recipient's name leads to another folder."""
    with embedded_smtp(background, out=tmp_path) as server:
        write(server, "kim@acme.example")
        write(server, '"../../x/y"@acme.example', mail=MAIL * 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001-kim@acme.example.eml", "0002-.._.._x_y@acme.example.eml"]
    assert (tmp_path / "0001-kim@acme.example.eml").read_bytes() == MAIL


def test_an_ordinary_mail_client_can_send(background: Background) -> None:
    """The standard library can log in and send an email with an attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "kim@acme.example", "rma@portwell.example", "Grüße"
    message.set_content("Hallo")
    message.add_attachment(bytes(range(256)) * 1_000, maintype="application", subtype="octet-stream", filename="x.bin")
    with (
        embedded_smtp(background, users={"kim": "pass"}) as server,
        smtplib.SMTP(HOST, server.port, local_hostname="localhost", timeout=10) as smtp,
    ):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("kim", "wrong")
        smtp.login("kim", "pass")
        smtp.send_message(message)
        assert len(server.received[0].raw) > 300_000


def test_the_imap_server_supports_what_mailbot_uses(background: Background) -> None:
    """MOVE, UIDPLUS and IDLE are supported, and keywords are kept."""
    with embedded_imap(background) as mailboxes:
        mailboxes.deliver("rma", MAIL)
        with client(mailboxes.server) as one:
            assert {b"MOVE", b"UIDPLUS", b"IDLE"} <= set(one.capabilities())
            assert rb"\*" in one.select_folder("INBOX")[b"PERMANENTFLAGS"]
            one.add_flags(one.search("ALL"), [b"$Handled", rb"\Seen"])
        with client(mailboxes.server) as other:
            other.select_folder("INBOX")
            [found] = other.fetch(other.search("KEYWORD $Handled"), ["FLAGS"]).values()
            assert {b"$Handled", rb"\Seen"} <= set(found[b"FLAGS"])
            other.create_folder("Done")
            other.move(other.search("ALL"), "Done")
            other.select_folder("Done")
            assert len(other.search("KEYWORD $Handled")) == 1


def test_users_do_not_see_each_others_mail(background: Background) -> None:
    """Each mailbox has its own folders and password, and a missing folder is empty."""
    with embedded_imap(background) as mailboxes:
        mailboxes.deliver("rma", MAIL)
        assert mailboxes.folder("staff") == []
        assert mailboxes.folder("rma", "Done") == []
        with client(mailboxes.server, "staff") as staff:
            assert staff.select_folder("INBOX")[b"EXISTS"] == 0
        with IMAPClient(HOST, port=mailboxes.server.port, ssl=False, timeout=10) as nobody, pytest.raises(IMAPClient.Error):
            nobody.login("rma", "wrong")


def test_the_servers_stop_with_open_connections() -> None:
    """Clients that are connected or wait in IDLE do not keep the servers from stopping."""

    async def work() -> float:
        async with imap_server({"rma": "secret"}) as mailboxes, smtp_server(mailboxes=mailboxes) as server:
            waiting = await asyncio.to_thread(client, mailboxes)
            await asyncio.to_thread(waiting.select_folder, "INBOX")
            await asyncio.to_thread(waiting.idle)
            writing = await asyncio.to_thread(smtplib.SMTP, HOST, server.port, "localhost", 10)
            started = time.monotonic()
        waiting.shutdown()
        writing.close()
        return time.monotonic() - started

    assert asyncio.run(asyncio.wait_for(work(), timeout=10)) < 1


def test_delivery_is_fast(background: Background) -> None:
    """Delivering an email takes milliseconds at most, so that the demo is fast."""
    started = time.monotonic()
    with embedded_imap(background) as mailboxes:
        for _ in range(300):
            mailboxes.deliver("rma", MAIL)
        assert len(mailboxes.folder("rma")) == 300
    assert time.monotonic() - started < 5


def test_addresses_are_compared_without_detail_and_case() -> None:
    """rma+token@ is rma@ in any case; an email without From has no domain."""
    assert without_detail("RMA+x+y@Portwell.example") == "rma@portwell.example"
    assert without_detail("rma@portwell.example") == "rma@portwell.example"
    assert from_domain(b"Subject: x\r\n\r\n") == ""
