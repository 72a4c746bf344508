"""Delivery reports: RFC 3464, and the dialects of servers that never heard of it."""

from __future__ import annotations

import re
from email.message import Message as StdMessage
from typing import TYPE_CHECKING

from mailbot.mail import addresses, automated_phrases, bounce_phrases, headers, reply_markers
from mailbot.mail.charsets import decode
from mailbot.model import Address, Bounce

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mailbot.mail.headers import Headers
    from mailbot.mail.mime import Part

TEXT = 50_000
"""Bytes of a part that are searched for a dialect."""

RECIPIENTS = 100

_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,64}@[^\s<>@,;:\"()\[\]]{1,255}")
_QUOTED_ID = re.compile(r"^[> \t]{0,20}message-id:[ \t]{0,20}<([^<>\s]{1,990})>", re.IGNORECASE | re.MULTILINE)
_FAILURE = re.compile("|".join(bounce_phrases.UNDELIVERED), re.IGNORECASE)
_REPORTED = re.compile("|".join(bounce_phrases.REPORTED), re.IGNORECASE)
_DELAY = re.compile("|".join(bounce_phrases.DELAYED), re.IGNORECASE)
_TRYING = re.compile("|".join(bounce_phrases.TRYING), re.IGNORECASE)
_NO_MAIL = re.compile("|".join((*bounce_phrases.GOODS, *automated_phrases.CHALLENGE)), re.IGNORECASE)
_SERVER = re.compile(
    r"mail(?:er)?[-_. ]?daemon|\bmdaemon\b|postmaster|mail[-_. ]delivery[-_. ](?:sub)?(?:system|service)"
    r"|system[_. ]administrator|microsoftexchange[0-9a-f]{6}",
    re.IGNORECASE,
)
_STATED = re.compile(
    rf"\W{{0,5}}(?P<address>{_ADDRESS.pattern})\W.{{0,200}}?"
    r"(?:\b5\d\d\b|unknown|no such|not exist|n't exist|\bfull\b|quota|reject|fail|invalid|unbekannt|inconnu)",
    re.IGNORECASE,
)
_PASSED_ON = re.compile(rf"\s*(?:{'|'.join(reply_markers.FORWARD_PREFIXES)})\s?[{reply_markers.COLONS}]", re.IGNORECASE)
_ANSWERS = re.compile(rf"\s*(?:{'|'.join(reply_markers.REPLY_PREFIXES)})\s?[{reply_markers.COLONS}]", re.IGNORECASE)

OPENING = 8
"""Lines with words in which a report says that it is one."""

OPENING_TEXT = 2000
"""Characters of such a beginning."""

LISTED = 15
"""Lines below that sentence in which the recipients stand."""


def detect(root: Part, text: str, senders: Collection[Address]) -> Bounce | None:
    """Read a delivery report about a failure or a delay; None for everything else, also for reports of success (B3)."""
    status = [
        part for part in root.walk() if part.kind in {"message/delivery-status", "message/global-delivery-status"}
    ]
    if status and (root.kind == "multipart/report" or _from_a_server(root, senders)):
        groups = [group for part in status for group in _groups(part)]
        for action in ("failed", "delayed"):  # only a failure is for good (RFC 3464 §2.3.3)
            recipients = [_recipient(group) for group in groups if _action(group) == action]
            if recipients:
                found = tuple(dict.fromkeys(filter(None, recipients)))[:RECIPIENTS] or _named(root)
                return Bounce(found, temporary=action == "delayed", original_id=_original_id(root, text))
        if any(_action(group) for group in groups):
            return None
    return _dialect(root, text, {box.email for box in (*senders, *addresses.every(root.headers.all("to")))})


def _from_a_server(root: Part, senders: Collection[Address]) -> bool:
    """Say whether a mail server wrote this; a person may quote a report at length."""
    path = root.headers.first("return-path")
    null = path is not None and (not path.strip(" <>\t") or _SERVER.match(path.strip(" <\t")) is not None)
    # a server's From is often no address at all: "Postmaster <>"
    named = " ".join((*map(headers.words, root.headers.all("from")), *(box.email.partition("@")[0] for box in senders)))
    return null or root.headers.has("x-failed-recipients") or _SERVER.search(named) is not None


def _dialect(root: Part, text: str, own: Collection[str]) -> Bounce | None:
    """Read a report that follows no standard; ``own`` are the addresses that it is from and to.

    A server's hand is enough with a recipient or with such a subject. Without it both are asked for: a subject and an
    opening sentence as servers write them, and a recipient besides those who exchange this mail.
    """
    subject = headers.words(root.headers.first("subject") or "")
    server = _from_a_server(root, addresses.every(root.headers.all("from")))
    titled = _FAILURE.search(subject) is not None
    if not server and (not titled or not _may_be_a_report(root, subject, text)):
        return None
    opens = _opening(text)
    temporary, permanent = _flufl(root)
    named = _named(root) or permanent or temporary or (_listed(text, opens, own) if opens is not None else ())
    if server and not named and titled:
        named = _others(f"{subject}\n{text[:OPENING_TEXT]}", own)[:1]
    if not (named and (server or opens is not None)) and not (server and titled):
        return None
    trying = bool(temporary) if temporary or permanent else _goes_on(subject, text)
    return Bounce(named, temporary=trying, original_id=_original_id(root, text))


def _may_be_a_report(root: Part, subject: str, text: str) -> bool:
    """Rule out who passes a report on or answers one, who writes of parcels, and a machine that asks who we are."""
    threaded = root.headers.has("in-reply-to") or root.headers.has("references")
    answers = _PASSED_ON.match(subject) or (threaded and _ANSWERS.match(subject))
    return not answers and _NO_MAIL.search(text[:OPENING_TEXT]) is None


def _opening(text: str) -> int | None:
    """Return the line by which a text says, at its beginning, that it reports on a mail; None where it does not."""
    worded = 0
    for at, line in enumerate(text[:TEXT].split("\n")):
        if any(char.isalpha() for char in line[:200]):
            worded += 1
            if _REPORTED.search(line[:500]):
                return at
        if worded == OPENING:
            break
    return None


def _listed(text: str, at: int, own: Collection[str]) -> tuple[str, ...]:
    """Return the addresses in, below or right above the opening sentence, else those a line says something bad of."""
    lines = text[:TEXT].split("\n")
    found: list[str] = []
    for line in lines[at : at + LISTED]:
        here = _others(line[:1000], own)
        if found and not here and line.strip():
            break
        found.extend(here)
    if not found:
        found.extend(_others("\n".join(lines[max(0, at - 3) : at])[:1000], own))
    if not found:
        stated = (_STATED.match(line[:500]) for line in lines[:400])
        found.extend(each for line in stated if line is not None for each in _others(line["address"], own))
    return tuple(dict.fromkeys(found))[:RECIPIENTS]


def _others(text: str, own: Collection[str]) -> tuple[str, ...]:
    """Return the addresses in a text but those of ``own`` and of servers."""
    found = (each.lower().rstrip(".'") for each in _ADDRESS.findall(text))
    return tuple(dict.fromkeys(each for each in found if each not in own and not _SERVER.match(each)))


def _goes_on(subject: str, text: str) -> bool:
    """Say whether delivery is still tried."""
    delayed = _DELAY.search(subject) is not None and "fail" not in subject.lower()
    return delayed or _TRYING.search(text[:3000]) is not None


def _named(root: Part) -> tuple[str, ...]:
    return tuple(box.email for box in addresses.every(root.headers.all("x-failed-recipients")))[:RECIPIENTS]


def _flufl(root: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(_plain_copy(root))
    except Exception:  # noqa: BLE001  (seventeen foreign heuristics on hostile text: whatever they raise, they found nothing)
        return (), ()
    return _texts(temporary), _texts(permanent)


def _texts(found: Collection[bytes]) -> tuple[str, ...]:
    decoded = sorted(decode(each).lower().strip("<> ") for each in found)
    return tuple(each for each in decoded if _ADDRESS.fullmatch(each))[:RECIPIENTS]


def _plain_copy(part: Part) -> StdMessage:
    """Give the library the shape of the mail with short contents, never the raw header (it may be hostile)."""
    copy = StdMessage()
    copy["From"] = (part.headers.first("from") or "nobody@invalid")[:500]
    copy["Subject"] = (part.headers.first("subject") or "")[:500]
    if (mailer := part.headers.first("x-mailer")) is not None:
        copy["X-Mailer"] = mailer[:200]
    if (described := part.headers.first("content-description")) is not None:
        copy["Content-Description"] = described[:200]
    copy["Content-Type"] = part.kind
    if part.children:
        for child in part.children:
            copy.attach(_plain_copy(child))
    else:
        copy.set_payload(
            decode(part.content[:TEXT], part.charset).encode("ascii", "replace").decode("ascii").replace("\r\n", "\n")
        )
    return copy


def _groups(part: Part) -> Iterator[Headers]:
    """Yield the groups of fields of a delivery-status part; the first speaks of the message as a whole."""
    for block in re.split(rb"\n(?:[ \t]*\r?\n)+", part.content[: 4 * TEXT].lstrip()):
        yield headers.read(block)


def _action(group: Headers) -> str:
    """Return what became of the mail for one recipient (RFC 3464 §2.3.3), also where the word is a server's own."""
    action = (group.first("action") or "").partition(";")[0].partition("(")[0].strip().lower()
    if action.startswith(("fail", "error")):
        return "failed"
    if action or not (group.has("final-recipient") or group.has("original-recipient")):
        return action
    return {"5": "failed", "4": "delayed", "2": "delivered"}.get((group.first("status") or "").strip()[:1], "")


def _recipient(group: Headers) -> str:
    """Return the address that we wrote to, as far as the report knows it (RFC 3464 §2.3.1)."""
    for name in ("original-recipient", "final-recipient"):
        kind, _, address = headers.words(group.first(name) or "").rpartition(";")
        found = None if kind.strip().lower() == "x400" else _ADDRESS.search(address)
        if found is not None:
            return found[0].lower()
    return ""


def _original_id(root: Part, text: str) -> str | None:
    """Return the Message-ID of the mail that came back: from its copy, else from the text or the thread."""
    for part in root.walk():
        returned = None
        if part.kind in {"message/rfc822", "message/global"} and part.children:
            returned = part.children[0].headers
        elif part.kind in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}:
            returned = headers.read(part.content[: 4 * TEXT])
        if returned is not None and (found := headers.own_id(returned.first("message-id"))) is not None:
            return found
    quoted = _QUOTED_ID.search(text)
    if quoted is not None:
        return quoted[1]
    return next(iter(headers.ids(root.headers.first("in-reply-to"))), None)
