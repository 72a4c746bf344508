"""Connection parameters of mail servers, and the error for a server that cannot be used."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from typing import Literal

import msgspec

Security = Literal["tls", "starttls", "none"]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Host, port and security of a server. ``timeout`` is in seconds, per answer."""

    host: str
    port: int
    security: Security
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host}:{self.port}, {self.security})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Return the fields that Rich may print. Without this method it would print the password, too."""
        return [("host", self.host), ("port", self.port), ("security", self.security)]


class Imap(Server, frozen=True, kw_only=True):
    """An IMAP mailbox. Mail arrives in ``folder``; Done, Ignored and Attention are created below ``root`` if it is set."""

    user: str
    password: str
    folder: str = "INBOX"
    root: str = ""


class Smtp(Server, frozen=True, kw_only=True):
    """An SMTP submission server. Without ``user``, mailbot does not log in."""

    user: str | None = None
    password: str | None = None


class ServerError(Exception):
    """A server cannot be used. The text names host, port, the reason, and the fix."""

    def __init__(self, server: Server, reason: str, fix: str = "") -> None:
        self.host, self.port, self.reason = server.host, server.port, reason
        super().__init__(f"{server.host}:{server.port}: {reason}" + (f" ({fix})" if fix else ""))


def trusted_without_tls(server: Server) -> bool:
    """Whether a connection without TLS is allowed: only to this machine."""
    try:
        return ipaddress.ip_address(server.host).is_loopback
    except ValueError:
        return server.host.lower() == "localhost"


def diagnose(server: Server, error: OSError) -> tuple[str, str]:
    """Return the reason of a connection error, and the fix."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"certificate not accepted: {error.verify_message}",
            "the host must match the name in the certificate; set SSL_CERT_FILE for a private certificate authority",
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error}", "check whether the port uses TLS from the start (tls) or STARTTLS (starttls)"
    if isinstance(error, TimeoutError):
        return f"no answer within {server.timeout:g} s", "check host, port and firewall"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused", "check the port, and that the server is running"
    if isinstance(error, socket.gaierror):
        return "host not found", "check the spelling of the host and this machine's DNS"
    return f"{error}", "check host and port"
