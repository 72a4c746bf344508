"""What our own mail server says about the sender: Authentication-Results (RFC 8601), trusted by its position.

Anyone can write such a field. Ours is the topmost one with our server's authserv-id, directly above or below our
server's topmost Received field; everything further down came with the message. This holds as long as the server adds
one to every message or removes fields that already carry its own id (RFC 8601 §5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from mailbot.mail.headers import Headers, split_field, without_comments
from mailbot.model import Address, Auth, Value

Profile = Literal["standard", "microsoft-365"]
"""How our server writes the field: with its authserv-id as RFC 8601 requires, or without one."""

_ACCOMPANYING_FIELDS = {
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
_RECEIVED_FROM_BY = re.compile(r"\s*from\s+(\S+)\s.*?\bby\s+([^\s;]+)", re.IGNORECASE | re.DOTALL)
_MICROSOFT = (".outlook.com", ".office365.com")
_MICROSOFT_EDGE = ".mail.protection.outlook.com"


class AuthenticationResult(Value, frozen=True):
    """One result: ``method`` (dkim, dmarc, spf …), ``result`` (pass, fail …), and the reported properties."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a property in lowercase, or an empty string."""
        return next((value for key, value in self.properties if key == name), "")


def authenticate(head: Headers, sender: Address | None, trusted_authserv_id: str | None, profile: Profile = "standard") -> Auth:
    """Return whether our server authenticates the From domain.

    ``fail``: DMARC failed, or a DKIM signature of the From domain (or of an unnamed domain) failed. A fail overrides
    every pass, because a message with a valid SPF result and a broken signature may have been altered. A broken
    signature is ignored only if the very same domain also has a valid one: many senders sign twice, with an algorithm
    that not every server supports (RFC 6376 §6.1, RFC 8463). A broken signature of an unrelated domain says nothing
    about the sender.

    ``pass``: DMARC passed for exactly that domain, or a DKIM signature of it, its parent, or its subdomain passed.

    ``none``: everything else. SPF alone decides nothing: it is about the envelope (RFC 7208 §2.4), fails for every
    forwarded message, and passes for anyone who uses an envelope address of their own. DMARC states what SPF means for
    From. Microsoft's compauth is ignored for the same reason: it includes guesses.
    """
    if sender is None or not (trusted_authserv_id or profile == "microsoft-365"):
        return Auth()
    authserv_id = "" if profile == "microsoft-365" else (trusted_authserv_id or "").lower()
    results, passable = _trusted_results(head, authserv_id, profile)
    valid_signers = {_signer(result) for result in passable if result.method == "dkim" and result.result == "pass"}
    if any(_is_fail(result, sender.domain, valid_signers) for result in results):
        return Auth("fail")
    passed = any(_is_pass(result, sender.domain) for result in passable)
    return Auth("pass", sender.domain) if passed else Auth()


def _is_fail(result: AuthenticationResult, domain: str, valid_signers: set[str]) -> bool:
    if result.result != "fail":
        return False
    signer = _signer(result)
    broken = result.method == "dkim" and ("." not in signer or (_is_aligned(signer, domain) and signer not in valid_signers))
    return broken or result.method == "dmarc"


def _is_pass(result: AuthenticationResult, domain: str) -> bool:
    if result.result != "pass":
        return False
    if result.method == "dmarc":
        return result.get("header.from").rpartition("@")[2] == domain
    return result.method == "dkim" and _is_aligned(_signer(result), domain)


def _signer(result: AuthenticationResult) -> str:
    return result.get("header.d") or result.get("header.i").rpartition("@")[2]


def _is_aligned(one: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1.1): the same domain, or one a subdomain of the other, never a bare TLD."""
    return "." in one and "." in other and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def _trusted_results(
    head: Headers, authserv_id: str, profile: Profile
) -> tuple[list[AuthenticationResult], list[AuthenticationResult]]:
    """Return all results with our server's id in a trusted position, and those among them that may count as a pass.

    Above the topmost Received field, only our servers have written, in one field or several (one per filter). Below it,
    the second field with that id may be the first line of the original message, so it can only count as a fail.
    """
    results: list[AuthenticationResult] = []
    passable: list[AuthenticationResult] = []
    found = False
    for value, above in _near_topmost_received(head, profile):
        named_id, field_results = parse_results(value)
        if named_id == authserv_id:
            results += field_results
            passable += field_results if above or not found else ()
            found = True
    return results, passable


def _near_topmost_received(head: Headers, profile: Profile) -> Iterator[tuple[str, bool]]:
    """Yield each Authentication-Results above the topmost Received (True) and directly below it (False).

    Within Microsoft 365 a message makes internal hops. There the topmost Received is the one of the edge server, below
    the internal ones. The edge server writes only above it.
    """
    traces = (
        index for index, (name, value) in enumerate(head.fields) if name == "received" and not _is_internal_hop(value, profile)
    )
    topmost = next(traces, None)
    if topmost is None:
        return
    for index, (name, value) in enumerate(head.fields):
        if index > topmost and (name not in _ACCOMPANYING_FIELDS or profile == "microsoft-365"):
            return
        if name == "authentication-results":
            yield value, index < topmost


def _is_internal_hop(received: str, profile: Profile) -> bool:
    """Return whether a Received field records a hop between two Microsoft 365 servers behind the edge server."""
    hop = _RECEIVED_FROM_BY.match(without_comments(received)) if profile == "microsoft-365" else None
    if hop is None:
        return False
    sent_by, taken_by = hop[1].lower(), hop[2].lower()
    return sent_by.endswith(_MICROSOFT) and taken_by.endswith(_MICROSOFT) and not taken_by.endswith(_MICROSOFT_EDGE)


def parse_results(value: str) -> tuple[str, tuple[AuthenticationResult, ...]]:
    """Parse a field into the authserv-id, empty if there is none, and its results (RFC 8601 §2.2).

    Comments are ignored; quoted text can neither separate statements nor name anything.
    """
    plain = "".join(
        char if layer == "plain" or char.isalnum() or char in "@.-_+" else "_"
        for char, layer in split_field(value)
        if layer != "comment"
    )
    first, *others = plain.split(";")
    authserv = first.split()[:1]
    if "=" in first:  # Microsoft omits the id and begins with a result
        authserv, others = [], [first, *others]
    results = []
    for statement in others:
        found = _METHOD.fullmatch(statement)
        if found is not None:
            pairs = tuple((key.lower(), value.lower()) for key, value in _PROPERTY.findall(found[3]))
            results.append(AuthenticationResult(found[1].lower(), found[2].lower(), pairs))
    return (authserv[0].lower() if authserv else ""), tuple(results)
