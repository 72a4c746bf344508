"""Delivery reports: RFC 3464, and the nonstandard formats of older servers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from email.message import Message as StdMessage

from mailbot.mail import addresses, automated_phrases, headers
from mailbot.mail.charsets import decode
from mailbot.mail.headers import Headers
from mailbot.mail.mime import Part
from mailbot.mail.reply_markers import FORWARD_SUBJECT, REPLY_SUBJECT
from mailbot.model import Address, Bounce

MAX_TEXT = 50_000
"""The number of bytes of a part that are searched for a nonstandard report."""

MAX_RECIPIENTS = 100

_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,64}@[^\s<>@,;:\"()\[\]]{1,255}")
_QUOTED_ID = re.compile(r"^[> \t]{0,20}message-id:[ \t]{0,20}<([^<>\s]{1,990})>", re.IGNORECASE | re.MULTILINE)
_FAILURE = re.compile("|".join(automated_phrases.UNDELIVERED), re.IGNORECASE)
_REPORTED = re.compile("|".join(automated_phrases.REPORTED), re.IGNORECASE)
_DELAY = re.compile("|".join(automated_phrases.DELAYED), re.IGNORECASE)
_TRYING = re.compile("|".join(automated_phrases.TRYING), re.IGNORECASE)
_NOT_A_REPORT = re.compile("|".join((*automated_phrases.GOODS, *automated_phrases.CHALLENGE)), re.IGNORECASE)
_SERVER = re.compile(
    r"mail(?:er)?[-_. ]?daemon|\bmdaemon\b|postmaster|mail[-_. ]delivery[-_. ](?:sub)?(?:system|service)"
    r"|system[_. ]administrator|microsoftexchange[0-9a-f]{6}",
    re.IGNORECASE,
)
_STATED_FAILURE = re.compile(
    rf"\W{{0,5}}(?P<address>{_ADDRESS.pattern})\W.{{0,200}}?"
    r"(?:\b5\d\d\b|unknown|no such|not exist|n't exist|\bfull\b|quota|reject|fail|invalid|unbekannt|inconnu)",
    re.IGNORECASE,
)

OPENING_LINES = 8
"""The number of nonblank lines in which a report must identify itself."""

OPENING_TEXT = 2000
"""The number of characters of such an opening."""

LIST_LINES = 15
"""The number of lines below that sentence that may list the recipients."""


def detect(root: Part, text: str, senders: Collection[Address]) -> Bounce | None:
    """Parse a report of a failure or a delay; return None for everything else, including reports of success."""
    status = [part for part in root.walk() if part.kind in {"message/delivery-status", "message/global-delivery-status"}]
    if status and (root.kind == "multipart/report" or _is_from_server(root, senders)):
        groups = [group for part in status for group in _field_groups(part)]
        for action in ("failed", "delayed"):  # only "failed" is permanent (RFC 3464 §2.3.3)
            recipients = [_recipient(group) for group in groups if _action(group) == action]
            if recipients:
                found = tuple(dict.fromkeys(filter(None, recipients)))[:MAX_RECIPIENTS] or _x_failed_recipients(root)
                return Bounce(found, temporary=action == "delayed", original_id=_original_id(root, text))
        if any(_action(group) for group in groups):
            return None
    return _parse_nonstandard(
        root, text, {mailbox.email for mailbox in (*senders, *addresses.all_mailboxes(root.headers.all("to")))}
    )


def _is_from_server(root: Part, senders: Collection[Address]) -> bool:
    """Return whether an email server wrote this; a person may quote a report at length."""
    return_path = root.headers.first("return-path")
    is_null_sender = return_path is not None and (
        not return_path.strip(" <>\t") or _SERVER.match(return_path.strip(" <\t")) is not None
    )
    # A server's From is often not a valid address: "Postmaster <>".
    recipients = " ".join(
        (*map(headers.decode_words, root.headers.all("from")), *(mailbox.email.partition("@")[0] for mailbox in senders))
    )
    return is_null_sender or root.headers.has("x-failed-recipients") or _SERVER.search(recipients) is not None


def _parse_nonstandard(root: Part, text: str, own: Collection[str]) -> Bounce | None:
    """Parse a nonstandard report; ``own`` holds the addresses it is from and to.

    From a known server, a recipient or a typical subject is enough. From any other sender, both are required: a subject
    and an opening sentence that servers write, and a recipient other than the parties to this message.
    """
    subject = headers.decode_words(root.headers.first("subject") or "")
    server = _is_from_server(root, addresses.all_mailboxes(root.headers.all("from")))
    has_report_subject = _FAILURE.search(subject) is not None
    if not server and (not has_report_subject or not _may_be_report(root, subject, text)):
        return None
    opening = _opening(text)
    delayed, failed = _flufl_recipients(root)
    recipients = (
        _x_failed_recipients(root) or failed or delayed or (_listed_addresses(text, opening, own) if opening is not None else ())
    )
    if server and not recipients and has_report_subject:
        recipients = _other_addresses(f"{subject}\n{text[:OPENING_TEXT]}", own)[:1]
    if not (recipients and (server or opening is not None)) and not (server and has_report_subject):
        return None
    temporary = bool(delayed) if delayed or failed else _is_retrying(subject, text)
    return Bounce(recipients, temporary=temporary, original_id=_original_id(root, text))


def _may_be_report(root: Part, subject: str, text: str) -> bool:
    """Rule out forwarded reports and replies to reports, messages about parcels, and challenge systems."""
    threaded = root.headers.has("in-reply-to") or root.headers.has("references")
    is_reply_or_forward = FORWARD_SUBJECT.match(subject) or (threaded and REPLY_SUBJECT.match(subject))
    return not is_reply_or_forward and _NOT_A_REPORT.search(text[:OPENING_TEXT]) is None


def _opening(text: str) -> int | None:
    """Return the index of the line that identifies the text as a report, or None if there is none."""
    nonblank = 0
    for index, line in enumerate(text[:MAX_TEXT].split("\n")):
        if any(char.isalpha() for char in line[:200]):
            nonblank += 1
            if _REPORTED.search(line[:500]):
                return index
        if nonblank == OPENING_LINES:
            break
    return None


def _listed_addresses(text: str, index: int, own: Collection[str]) -> tuple[str, ...]:
    """Return the addresses in, below, or right above the opening sentence, else those in lines that state a failure."""
    lines = text[:MAX_TEXT].split("\n")
    found: list[str] = []
    for line in lines[index : index + LIST_LINES]:
        here = _other_addresses(line[:1000], own)
        if found and not here and line.strip():
            break
        found.extend(here)
    if not found:
        found.extend(_other_addresses("\n".join(lines[max(0, index - 3) : index])[:1000], own))
    if not found:
        statements = (_STATED_FAILURE.match(line[:500]) for line in lines[:400])
        found.extend(address for line in statements if line is not None for address in _other_addresses(line["address"], own))
    return tuple(dict.fromkeys(found))[:MAX_RECIPIENTS]


def _other_addresses(text: str, own: Collection[str]) -> tuple[str, ...]:
    """Return the addresses in a text except those in ``own`` and those of servers."""
    found = (address.lower().rstrip(".'") for address in _ADDRESS.findall(text))
    return tuple(dict.fromkeys(address for address in found if address not in own and not _SERVER.match(address)))


def _is_retrying(subject: str, text: str) -> bool:
    """Return whether the server is still trying to deliver."""
    delayed = _DELAY.search(subject) is not None and "fail" not in subject.lower()
    return delayed or _TRYING.search(text[:3000]) is not None


def _x_failed_recipients(root: Part) -> tuple[str, ...]:
    return tuple(mailbox.email for mailbox in addresses.all_mailboxes(root.headers.all("x-failed-recipients")))[:MAX_RECIPIENTS]


def _flufl_recipients(root: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(_plain_copy(root))
    except Exception:  # noqa: BLE001  (many heuristics of a library on hostile text: an exception means that nothing was found)
        return (), ()
    return _decode_addresses(temporary), _decode_addresses(permanent)


def _decode_addresses(found: Collection[bytes]) -> tuple[str, ...]:
    decoded = sorted(decode(address).lower().strip("<> ") for address in found)
    return tuple(address for address in decoded if _ADDRESS.fullmatch(address))[:MAX_RECIPIENTS]


def _plain_copy(part: Part) -> StdMessage:
    """Return a copy for flufl.bounce with the structure of the message and short contents.

    The raw header is never copied, because it may be hostile.
    """
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
        text = decode(part.content[:MAX_TEXT], part.parameter("charset"))
        copy.set_payload(text.encode("ascii", "replace").decode("ascii").replace("\r\n", "\n"))
    return copy


def _field_groups(part: Part) -> Iterator[Headers]:
    """Yield the field groups of a delivery-status part; the first one is about the message as a whole."""
    for block in re.split(rb"\n(?:[ \t]*\r?\n)+", part.content[: 4 * MAX_TEXT].lstrip()):
        yield headers.parse_headers(block)


def _action(group: Headers) -> str:
    """Return the action for one recipient (RFC 3464 §2.3.3), also if the server used its own word."""
    action = (group.first("action") or "").partition(";")[0].partition("(")[0].strip().lower()
    if action.startswith(("fail", "error")):
        return "failed"
    if action or not (group.has("final-recipient") or group.has("original-recipient")):
        return action
    return {"5": "failed", "4": "delayed", "2": "delivered"}.get((group.first("status") or "").strip()[:1], "")


def _recipient(group: Headers) -> str:
    """Return the address we sent to, as far as the report states it (RFC 3464 §2.3.1)."""
    for name in ("original-recipient", "final-recipient"):
        kind, _, address = headers.decode_words(group.first(name) or "").rpartition(";")
        found = None if kind.strip().lower() == "x400" else _ADDRESS.search(address)
        if found is not None:
            return found[0].lower()
    return ""


def _original_id(root: Part, text: str) -> str | None:
    """Return the Message-ID of the returned message: from its copy, else from the text or the thread."""
    for part in root.walk():
        returned = None
        if part.kind in {"message/rfc822", "message/global"} and part.children:
            returned = part.children[0].headers
        elif part.kind in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}:
            returned = headers.parse_headers(part.content[: 4 * MAX_TEXT])
        if returned is not None and (found := headers.message_id(returned.first("message-id"))) is not None:
            return found
    quoted = _QUOTED_ID.search(text)
    if quoted is not None:
        return quoted[1]
    return next(iter(headers.message_ids(root.headers.first("in-reply-to"))), None)
