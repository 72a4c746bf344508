"""Server parameters, and the errors for servers that cannot be reached."""

from __future__ import annotations

import socket
import ssl

import pytest
from rich.pretty import pretty_repr

from mailbot.runtime.servers import Imap, ServerError, Smtp, diagnose, trusted_without_tls

IMAP = Imap(host="mail.portwell.example", port=993, security="tls", user="rma", password="canary")
SMTP = Smtp(host="mail.portwell.example", port=587, security="starttls", user="rma", password="canary")


@pytest.mark.parametrize("server", [IMAP, SMTP])
def test_k1_a_password_is_never_shown(server: Imap | Smtp) -> None:
    """No representation of a server's parameters contains the password."""
    shown = f"{server} {server!r} {[server]} {pretty_repr(server)} {ServerError(server, 'x', 'y')}"
    assert "canary" not in shown
    assert "mail.portwell.example" in shown


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("192.168.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_only_this_machine_is_trusted_without_tls(host: str, here: bool) -> None:  # noqa: FBT001
    """A password is never sent without TLS to another machine, whatever its name is."""
    assert trusted_without_tls(Smtp(host=host, port=25, security="none")) is here


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "host not found"),
        (ConnectionRefusedError(111, "refused"), "connection refused"),
        (TimeoutError(), "no answer within 30 s"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS failed"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_every_connection_error_has_a_fix(error: OSError, reason: str) -> None:
    """The message says what is wrong and how to fix it."""
    message, fix = diagnose(IMAP, error)
    assert reason in message
    assert fix
