"""How servers are described, and what is said when they cannot be reached."""

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
    """Whatever prints a server's settings, the password is not among them."""
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
    """A password in clear goes to no other machine, however it is called."""
    assert trusted_without_tls(Smtp(host=host, port=25, security="none")) is here


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "this host is not known"),
        (ConnectionRefusedError(111, "refused"), "nothing listens there"),
        (TimeoutError(), "no answer within 30 s"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_every_failure_to_connect_comes_with_its_mend(error: OSError, reason: str) -> None:
    """Whoever reads the message knows what is wrong and what to look at."""
    said, mend = diagnose(IMAP, error)
    assert reason in said
    assert mend
