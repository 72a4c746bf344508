"""Delivery reports: RFC 3464, and the dialects of servers that never heard of it."""

from __future__ import annotations

import re
from email.message import Message as StdMessage
from typing import TYPE_CHECKING

from mailbot.mail import addresses, headers, phrases
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
_FAILURE = re.compile("|".join(phrases.UNDELIVERED), re.IGNORECASE)
_DAEMONS = {"mailer-daemon", "postmaster", "mail-daemon", "maildaemon", "mailerdaemon"}
_DELAY = re.compile("|".join(phrases.DELAYED), re.IGNORECASE)


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
    if not _from_a_server(root, senders):
        return None
    return _dialect(root, text)


def _from_a_server(root: Part, senders: Collection[Address]) -> bool:
    """Say whether a mail server wrote this; a person may quote a report at length."""
    path = root.headers.first("return-path")
    null = path is not None and not path.strip(" <>\t")
    return null or root.headers.has("x-failed-recipients") or any(_is_daemon(box) for box in senders)


def _is_daemon(box: Address) -> bool:
    local = box.email.partition("@")[0]
    return local in _DAEMONS or local.startswith("microsoftexchange")  # …329e71ec88ae4615bbc36ab6ce41109e


def _dialect(root: Part, text: str) -> Bounce | None:
    subject = headers.words(root.headers.first("subject") or "")
    named = _named(root)
    if not named:
        temporary, permanent = _flufl(root)
        if temporary and not permanent:
            return Bounce(temporary, temporary=True, original_id=_original_id(root, text))
        named = permanent
    if not named and not _FAILURE.search(subject):
        return None
    if not named:
        named = tuple(dict.fromkeys(each.lower().rstrip(".") for each in _ADDRESS.findall(text[:2000])))[:1]
    delayed = _DELAY.search(subject) is not None and "fail" not in subject.lower()
    return Bounce(named, temporary=delayed, original_id=_original_id(root, text))


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
    action = (group.first("action") or "").partition(";")[0].partition("(")[0].strip().lower()
    if action or not group.has("final-recipient"):
        return action
    return {"5": "failed", "4": "delayed", "2": "delivered"}.get((group.first("status") or "").strip()[:1], "")


def _recipient(group: Headers) -> str:
    """Return the address that we wrote to, as far as the report knows it (RFC 3464 §2.3.1)."""
    for name in ("original-recipient", "final-recipient"):
        found = _ADDRESS.search(headers.words((group.first(name) or "").partition(";")[2]))
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
