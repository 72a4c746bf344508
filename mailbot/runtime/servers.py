"""How to reach a mail server: frozen parameters, and the one error that says what is wrong and how to mend it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from typing import Literal

import msgspec

Security = Literal["tls", "starttls", "none"]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is and how its connection is protected; ``timeout`` is in seconds, for one answer."""

    host: str
    port: int
    security: Security
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host}:{self.port}, {self.security})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Rich and its tracebacks would otherwise print every field, the password among them."""
        return [("host", self.host), ("port", self.port), ("security", self.security)]


class Imap(Server, frozen=True, kw_only=True):
    """An IMAP mailbox: ``folder`` is where mail arrives; ``root`` is the folder below which ours are made, or empty."""

    user: str
    password: str
    folder: str = "INBOX"
    root: str = ""


class Smtp(Server, frozen=True, kw_only=True):
    """An SMTP submission server; without ``user`` there is no AUTH."""

    user: str | None = None
    password: str | None = None


class ServerError(Exception):
    """A server cannot be used as things stand: what is wrong, where, and how to mend it."""

    def __init__(self, server: Server, reason: str, mend: str = "") -> None:
        self.host = server.host
        self.port = server.port
        self.reason = reason
        self.mend = mend
        super().__init__(f"{server.host}:{server.port}: {reason}" + (f" ({mend})" if mend else ""))


def trusted_without_tls(server: Server) -> bool:
    """Whether this server may be spoken to in clear: only on this very machine."""
    try:
        return ipaddress.ip_address(server.host).is_loopback
    except ValueError:
        return server.host.lower() == "localhost"


def diagnose(server: Server, error: OSError) -> tuple[str, str]:
    """Say what a failure to connect means and how to mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not accepted: {error.verify_message}",
            "the host must be the name in the certificate; a private authority goes into SSL_CERT_FILE",
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error}", "does the port speak TLS at once (tls) or after STARTTLS (starttls)?"
    if isinstance(error, TimeoutError):
        return f"no answer within {server.timeout:g} s", "check host, port and firewall"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there", "check the port, and that the server runs"
    if isinstance(error, socket.gaierror):
        return "this host is not known", "check the spelling of the host, and the DNS of this machine"
    return f"{error}", "check host and port"
