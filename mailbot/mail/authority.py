"""What our own mail server says of the sender: Authentication-Results (RFC 8601), trusted by its place (A1 to A5).

Anybody can write such a field. Ours is the topmost with our server's id that stands directly above or below our
server's topmost Received; everything further down came with the mail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailbot.mail.scan import scan
from mailbot.model import Address, Auth, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.mail.headers import Headers

_BESIDE = {
    "authentication-results",
    "received-spf",
    "dkim-filter",
    "arc-authentication-results",
    "arc-seal",
    "arc-message-signature",
}
"""Fields that a server writes together with its Authentication-Results, in any order."""

_METHOD = re.compile(r"\s*([A-Za-z0-9-]{1,40})\s*(?:/\s*\d+\s*)?=\s*([A-Za-z0-9-]{1,40})(.*)", re.DOTALL)
_PROPERTY = re.compile(r"(?<!\S)([A-Za-z0-9-]{1,20}\.[A-Za-z0-9-]{1,40})\s*=\s*(\S+)")


class Result(Value, frozen=True):
    """One verdict: ``method`` (dkim, dmarc, spf …), ``result`` (pass, fail …), the properties it speaks of."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a property in lower case, or an empty string."""
        return next((value for key, value in self.properties if key == name), "")


def authenticate(head: Headers, sender: Address | None, trusted_authserv_id: str | None) -> Auth:
    """Say whether our server vouches for the From domain.

    ``pass``: DMARC passed for exactly that domain, or a DKIM signature of it or of its parent or subdomain did.
    ``fail``: DMARC failed, or DKIM did and nothing passed. ``none``: everything else.
    """
    if sender is None or not trusted_authserv_id:
        return Auth()
    results = _trusted(head, trusted_authserv_id.lower())
    passed = any(_vouches(result, sender.domain) for result in results)
    failed = {result.method for result in results if result.result == "fail"}
    if "dmarc" in failed or ("dkim" in failed and not passed):
        return Auth("fail")
    return Auth("pass", sender.domain) if passed else Auth()


def _vouches(result: Result, domain: str) -> bool:
    if result.result != "pass":
        return False
    if result.method == "dmarc":
        return result.get("header.from").rpartition("@")[2] == domain  # A3
    signed_by = result.get("header.d") or result.get("header.i").rpartition("@")[2]
    return result.method == "dkim" and _aligned(signed_by, domain)


def _aligned(one: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1.1): the same domain, or one above the other, never a bare top-level domain."""
    return "." in one and "." in other and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def _trusted(head: Headers, authserv_id: str) -> tuple[Result, ...]:
    for value in _near_topmost_received(head):
        named, results = read(value)
        if named == authserv_id:
            return results
    return ()


def _near_topmost_received(head: Headers) -> Iterator[str]:
    """Yield the Authentication-Results above the topmost Received, and those directly below it (A2)."""
    names = [name for name, _ in head.fields]
    if "received" not in names:
        return
    topmost = names.index("received")
    end = topmost + 1
    while end < len(names) and names[end] in _BESIDE:
        end += 1
    yield from (value for name, value in head.fields[:end] if name == "authentication-results")


def read(value: str) -> tuple[str, tuple[Result, ...]]:
    """Read a field into the server's id and its verdicts; comments say nothing, quotes hide nothing (RFC 8601 §2.2)."""
    first, *others = _statements(value)
    named = first.split()[:1]
    results = []
    for statement in others:
        found = _METHOD.fullmatch(statement)
        if found is not None:
            pairs = tuple((key.lower(), said.lower()) for key, said in _PROPERTY.findall(found[3]))
            results.append(Result(found[1].lower(), found[2].lower(), pairs))
    return (named[0].lower() if named else ""), tuple(results)


def _statements(value: str) -> list[str]:
    """Split at the semicolons, leaving comments out; what is quoted can neither separate nor name anything."""
    plain = "".join(
        char if layer == "plain" or char.isalnum() or char in "@.-_+" else "_"
        for char, layer in scan(value)
        if layer != "comment"
    )
    return plain.split(";")
