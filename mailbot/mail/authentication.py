"""What our own mail server says of the sender: Authentication-Results (RFC 8601), trusted by its place (A1 to A5).

Anybody can write such a field. Ours is the topmost with our server's id that stands directly above or below our
server's topmost Received; everything further down came with the mail. That holds as long as the server writes one for
every mail or removes those that come with its own id (RFC 8601 §5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from mailbot.mail.field_syntax import split_field, without_comments
from mailbot.model import Address, Auth, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailbot.mail.headers import Headers

Profile = Literal["standard", "microsoft-365"]
"""How our server writes the field: with its id as RFC 8601 asks, or without one."""

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
_HOP = re.compile(r"\s*from\s+(\S+)\s.*?\bby\s+([^\s;]+)", re.IGNORECASE | re.DOTALL)
_MICROSOFT = (".outlook.com", ".office365.com")
_EDGE = ".mail.protection.outlook.com"


class AuthenticationResult(Value, frozen=True):
    """One verdict: ``method`` (dkim, dmarc, spf …), ``result`` (pass, fail …), the properties it speaks of."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a property in lower case, or an empty string."""
        return next((value for key, value in self.properties if key == name), "")


def authenticate(
    head: Headers, sender: Address | None, trusted_authserv_id: str | None, profile: Profile = "standard"
) -> Auth:
    """Say whether our server vouches for the From domain.

    ``fail``: DMARC failed, or a DKIM signature of the From domain (or of one that is not named) did; it wins over every pass,
    for a mail whose SPF is in order and whose signature is broken may have been altered. Only a valid signature of the very
    same domain beside it makes up for a broken one: many sign twice, with an algorithm that not every server knows (RFC 6376
    §6.1, RFC 8463). A broken signature of somebody else's says nothing of the sender.

    ``pass``: DMARC passed for exactly that domain, or a DKIM signature of it or of its parent or subdomain did.

    ``none``: everything else. SPF alone is neither: it speaks of the envelope (RFC 7208 §2.4), fails for every mail that was
    forwarded, and passes for whoever puts an address of his own there. What it means for From, DMARC says. So does
    Microsoft's compauth, which otherwise guesses.
    """
    if sender is None or not (trusted_authserv_id or profile == "microsoft-365"):
        return Auth()
    wanted = "" if profile == "microsoft-365" else (trusted_authserv_id or "").lower()
    heard, vouching = _trusted(head, wanted, profile)
    sound = {_signer(result) for result in vouching if result.method == "dkim" and result.result == "pass"}
    if any(_denies(result, sender.domain, sound) for result in heard):
        return Auth("fail")
    passed = any(_vouches(result, sender.domain) for result in vouching)
    return Auth("pass", sender.domain) if passed else Auth()


def _denies(result: AuthenticationResult, domain: str, sound: set[str]) -> bool:
    if result.result != "fail":
        return False
    signer = _signer(result)
    broken = result.method == "dkim" and ("." not in signer or (_aligned(signer, domain) and signer not in sound))
    return broken or result.method == "dmarc"


def _vouches(result: AuthenticationResult, domain: str) -> bool:
    if result.result != "pass":
        return False
    if result.method == "dmarc":
        return result.get("header.from").rpartition("@")[2] == domain  # A3
    return result.method == "dkim" and _aligned(_signer(result), domain)


def _signer(result: AuthenticationResult) -> str:
    return result.get("header.d") or result.get("header.i").rpartition("@")[2]


def _aligned(one: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1.1): the same domain, or one above the other, never a bare top-level domain."""
    return "." in one and "." in other and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def _trusted(
    head: Headers, authserv_id: str, profile: Profile
) -> tuple[list[AuthenticationResult], list[AuthenticationResult]]:
    """Return all verdicts that bear our server's id in the place where it writes, and those of them that can vouch.

    Above the topmost Received our servers alone have written, in one field or several (one for each filter). Below it the
    second field of that id may be the first line of the mail itself, and can only speak against it.
    """
    heard: list[AuthenticationResult] = []
    vouching: list[AuthenticationResult] = []
    found = False
    for value, above in _near_topmost_received(head, profile):
        named, results = read(value)
        if named == authserv_id:
            heard += results
            vouching += results if above or not found else ()
            found = True
    return heard, vouching


def _near_topmost_received(head: Headers, profile: Profile) -> Iterator[tuple[str, bool]]:
    """Yield the Authentication-Results above the topmost Received and, with False, those directly below it (A2).

    Within Microsoft 365 a mail makes hops of its own; the topmost Received is there that of the edge, below theirs. The edge
    writes above it only.
    """
    traces = (
        place for place, (name, value) in enumerate(head.fields) if name == "received" and not _inner(value, profile)
    )
    topmost = next(traces, None)
    if topmost is None:
        return
    for place, (name, value) in enumerate(head.fields):
        if place > topmost and (name not in _BESIDE or profile == "microsoft-365"):
            return
        if name == "authentication-results":
            yield value, place < topmost


def _inner(received: str, profile: Profile) -> bool:
    """Say whether a Received tells of a hop between two servers of Microsoft 365, behind its edge."""
    hop = _HOP.match(without_comments(received)) if profile == "microsoft-365" else None
    if hop is None:
        return False
    sent_by, taken_by = hop[1].lower(), hop[2].lower()
    return sent_by.endswith(_MICROSOFT) and taken_by.endswith(_MICROSOFT) and not taken_by.endswith(_EDGE)


def read(value: str) -> tuple[str, tuple[AuthenticationResult, ...]]:
    """Read a field into the server's id, empty where there is none, and its verdicts (RFC 8601 §2.2).

    Comments say nothing, quotes hide nothing.
    """
    first, *others = _statements(value)
    named = first.split()[:1]
    if "=" in first:  # Microsoft begins with a verdict
        named, others = [], [first, *others]
    results = []
    for statement in others:
        found = _METHOD.fullmatch(statement)
        if found is not None:
            pairs = tuple((key.lower(), said.lower()) for key, said in _PROPERTY.findall(found[3]))
            results.append(AuthenticationResult(found[1].lower(), found[2].lower(), pairs))
    return (named[0].lower() if named else ""), tuple(results)


def _statements(value: str) -> list[str]:
    """Split at the semicolons, leaving comments out; what is quoted can neither separate nor name anything."""
    plain = "".join(
        char if layer == "plain" or char.isalnum() or char in "@.-_+" else "_"
        for char, layer in split_field(value)
        if layer != "comment"
    )
    return plain.split(";")
