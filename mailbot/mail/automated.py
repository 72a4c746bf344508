"""Classify the sender of a message: a person, or a machine that must not get a reply (RFC 3834).

The rules are in one table and are tried in order; the first match decides and is named in ``Classification.reason``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from mailbot.mail import addresses, automated_phrases, bounce, reply_text
from mailbot.mail.headers import Headers, decode_words, without_comments
from mailbot.mail.mime import Part
from mailbot.mail.reply_markers import COLONS, REPLY_PREFIXES, REPLY_SUBJECT, alternatives
from mailbot.model import Address, Bounce, Classification, SenderClass, Value

COMPLAINT = "feedback report"
"""``Classification.reason`` of an abuse complaint (RFC 5965)."""


MAX_TEXT = 4000
"""The number of characters of the body that are searched: automated messages identify themselves at the beginning."""


class HeaderFacts(Value, frozen=True):
    """The input of the rules: header, MIME tree, decoded subject, From addresses, our own addresses, and body text."""

    head: Headers
    root: Part
    subject: str
    senders: tuple[Address, ...]
    ours: tuple[str, ...]
    text: str

    def new_text(self) -> str:
        """Return the beginning of the text above the quoted message."""
        return reply_text.split(self.text[:MAX_TEXT], self.subject).visible

    def token(self, name: str) -> str:
        """Return the first word of a field in lowercase, without comments and parameters (RFC 3834 §5.2)."""
        value = without_comments(self.head.first(name) or "")
        return re.split(r"[;,\s]", value.strip().lower(), maxsplit=1)[0]


def classify(root: Part, text: str, *, ours: Collection[str]) -> tuple[Classification, Bounce | None]:
    """Return who wrote a message and why, with the delivery report if it is one.

    ``text`` is the body text; ``ours`` are our own addresses, whose plus-addresses count as ours.
    """
    head = root.headers
    facts = HeaderFacts(
        head=head,
        root=root,
        subject=decode_words(head.first("subject") or ""),
        senders=addresses.all_mailboxes(head.all("from")),
        ours=tuple(ours),
        text=text,
    )
    if any(part.kind == "message/feedback-report" for part in root.walk()) or (
        root.kind == "multipart/report" and root.parameter("report-type").lower() == "feedback-report"
    ):
        return Classification("auto", COMPLAINT), None
    report = bounce.detect(root, text, facts.senders)
    if report is not None:
        return Classification("bounce", "delivery report"), report
    for sender_class, rule in _RULES:
        reason = rule(facts)
        if reason:
            return Classification(sender_class, reason), None
    return Classification("human"), None


# ---------------------------------------------------------------- the rules


def _spam(facts: HeaderFacts) -> str:
    for name in ("x-spam-flag", "x-spam-status", "x-spam"):
        if facts.token(name) in {"yes", "true", "spam"}:
            return f"{name}: yes"
    if "sfv:spm" in (facts.head.first("x-forefront-antispam-report") or "").lower():
        return "x-forefront-antispam-report: SFV:SPM"
    return ""


def _own_address(facts: HeaderFacts) -> str:
    if any(addresses.is_ours(mailbox.email, facts.ours) for mailbox in facts.senders):
        return "own address"
    loops = " ".join(facts.head.all("x-loop")).lower().replace("<", " ").replace(">", " ").split()
    return "X-Loop" if any(addresses.is_ours(phrase, facts.ours) for phrase in loops) else ""


def _report(facts: HeaderFacts) -> str:
    # Receipts (RFC 8098), success reports (RFC 3464), and other reports are not written by people either.
    return f"{facts.root.parameter('report-type').lower() or 'some'} report" if facts.root.kind == "multipart/report" else ""


def _auto_submitted(facts: HeaderFacts) -> str:
    value = facts.token("auto-submitted")
    return f"Auto-Submitted: {value[:40]}" if value not in {"", "no"} else ""


def _auto_reply_field(facts: HeaderFacts) -> str:
    for name in _AUTO_REPLY_FIELDS:
        if facts.head.has(name) and facts.token(name) not in {"no", "none", "false", "0"}:
            return name
    precedence = facts.token("precedence")
    return f"Precedence: {precedence}" if precedence in {"auto_reply", "auto-reply"} else ""


def _absence(facts: HeaderFacts) -> str:
    """Recognize an out-of-office note.

    No person writes the subject "Automatic reply: …". A subject that is merely "Out of office" needs a second sign,
    because people write such subjects too: a field that machines add, a reply without a reply subject, or an absence
    stated in the first person.
    """
    if _AUTOMATIC_SUBJECT.match(facts.subject) or _AWAY_SUBJECT.match(facts.subject):
        return "subject of an absence note"
    is_reply = facts.head.has("in-reply-to") and not REPLY_SUBJECT.match(facts.subject)
    suppresses = facts.head.has("x-auto-response-suppress")
    if not (is_reply or suppresses or _ABSENCE_SUBJECT.match(facts.subject)) or facts.subject.rstrip().endswith(("?", "\uff1f")):
        return ""
    is_absence_subject = _ABSENCE_SUBJECT_ONLY.match(facts.subject) is not None
    if is_absence_subject and (is_reply or suppresses or _null_sender(facts) or facts.token("precedence") in _BULK):
        return "absence note with a machine's field"
    if _GENERATED.search(facts.new_text()) and _ABSENT.search(facts.new_text()):
        return "absence note that says it is generated"
    absence_count = len({found[0].lower() for found in _ABSENT.finditer(facts.new_text())})
    needed = 1 if is_absence_subject else 2
    if _DEVICE_CODE.search(facts.new_text()):
        return ""  # an out-of-office note does not name a serial number
    return "absence note by its text" if absence_count >= needed else ""


def _receipt(facts: HeaderFacts) -> str:
    """Recognize a read receipt in plain text, which RFC 8098 does not cover."""
    return "read receipt" if _READ_SUBJECT.match(facts.subject) and _WAS_READ.search(facts.text[:MAX_TEXT]) else ""


def _challenge(facts: HeaderFacts) -> str:
    """Recognize a challenge-response system; two signs are required, because people may ask for confirmation too."""
    signs = {found.lastgroup for found in _CHALLENGE.finditer(facts.new_text())}
    return "challenge" if len(signs) > 1 else ""


def _ticket(facts: HeaderFacts) -> str:
    """Recognize another company's ticket system: it acknowledges our message and gives a ticket number.

    A Reply-To with a different address indicates a web form that sends on behalf of a person.
    """
    others = {mailbox.email for mailbox in addresses.all_mailboxes(facts.head.all("reply-to"))} - {
        mailbox.email for mailbox in facts.senders
    }
    if others or REPLY_SUBJECT.match(facts.subject):
        return ""
    acknowledged = _ACKNOWLEDGED.search(facts.new_text())
    has_number = acknowledged and (_TICKET_NUMBER.search(facts.subject) or _TICKET_NUMBER.search(facts.new_text()))
    return "acknowledgement of a ticket system" if has_number else ""


def _calendar(facts: HeaderFacts) -> str:
    for part in facts.root.walk():
        if part.kind == "text/calendar" and part.disposition != "attachment" and part.parameter("method"):
            return f"calendar: {part.parameter('method').lower()[:20]}"
    return ""


def _list(facts: HeaderFacts) -> str:
    for name in ("list-id", "list-post"):
        if facts.head.has(name):
            return name
    is_mass_mail = any(facts.head.has(name) for name in _MASS_FIELDS) or _no_reply(facts)
    if facts.head.has("list-unsubscribe") and is_mass_mail:
        return "list-unsubscribe"  # alone, it also appears in personal email sent through a mailing service
    return ""


def _bulk(facts: HeaderFacts) -> str:
    precedence = facts.token("precedence")
    return f"Precedence: {precedence}" if precedence in _BULK else ""


def _generated(facts: HeaderFacts) -> str:
    """Recognize a notice that says it is generated and that replies are not read; a person rarely writes both."""
    signs = {found.lastgroup for found in _GENERATED.finditer(facts.new_text())}
    return "generated notice" if len(signs) > 1 else ""


def _null_sender(facts: HeaderFacts) -> str:
    value = facts.head.first("return-path")
    return "null Return-Path" if value is not None and not value.strip(" <>\t") else ""


def _daemon(facts: HeaderFacts) -> str:
    locals_ = {mailbox.email.partition("@")[0] for mailbox in facts.senders}
    return "mailer-daemon" if locals_ & {"mailer-daemon", "mail-daemon", "maildaemon", "mailerdaemon"} else ""


def _no_reply(facts: HeaderFacts) -> str:
    """Recognize a no-reply sender, unless Reply-To names someone who does take replies (a web form)."""
    if facts.head.has("reply-to") or not facts.senders:
        return ""
    return "no-reply sender" if all(_NO_REPLY_ADDRESS.match(mailbox.email) for mailbox in facts.senders) else ""


_BULK = {"bulk", "list", "junk"}
_MASS_FIELDS = ("list-unsubscribe-post", "x-campaign", "x-campaignid", "x-campaign-id", "x-mc-user", "x-csa-complaints")
_AUTO_REPLY_FIELDS = (
    *("x-autoreply", "x-auto-reply", "x-autoreply-from", "x-autorespond", "x-autoresponder", "x-autoresponse"),
    *("x-mail-autoreply", "x-autogenerated", "x-vacation", "x-fc-machinegenerated"),
    *("x-ms-exchange-generated-message-source",),
)
_NO_REPLY_ADDRESS = re.compile(r"(?:no|do-?_?\.?not|dont)[-_.]?reply\b|(?:no|do-?not)[-_.]?(?:response|answer)\b", re.IGNORECASE)


_COLON = rf"\s?[{COLONS}]"
_AUTOMATIC_SUBJECT = re.compile(rf"\s*\[?(?:{alternatives(automated_phrases.AUTOMATIC)})(?:\]|{_COLON})", re.IGNORECASE)
_AWAY_SUBJECT = re.compile(
    rf"\s*\[?(?:{alternatives(automated_phrases.AWAY)})\]?(?:(?:{_COLON})?\s*(?:{alternatives(REPLY_PREFIXES)}){_COLON}"
    rf"|\s*(?:{alternatives(automated_phrases.UNTIL)})\s+[^,;?!]{{0,30}}$)",
    re.IGNORECASE,
)
_ABSENCE_SUBJECT = re.compile(
    rf"\s*\[?(?:{alternatives((*automated_phrases.AUTOMATIC, *automated_phrases.AWAY))})(?!\w)", re.IGNORECASE
)
_ABSENCE_SUBJECT_ONLY = re.compile(rf"{_ABSENCE_SUBJECT.pattern}\]?\s*(?:[{COLONS}]|$)", re.IGNORECASE)
_ABSENT = re.compile("|".join(automated_phrases.ABSENT), re.IGNORECASE)
_READ_SUBJECT = re.compile(rf"\s*\[?(?:{alternatives(automated_phrases.READ)})(?:{_COLON}|\]|\s*$|\s*\()", re.IGNORECASE)
_WAS_READ = re.compile("|".join(automated_phrases.WAS_READ), re.IGNORECASE)
_CHALLENGE = re.compile("|".join(f"(?P<sign{n}>{phrase})" for n, phrase in enumerate(automated_phrases.CHALLENGE)), re.IGNORECASE)
_DEVICE_CODE = re.compile(r"(?<![\w@./-])(?=[A-Z0-9-]{0,12}[A-Z])(?=(?:[A-Z-]*\d){5})[A-Z0-9]{2,12}(?:-[A-Z0-9]{3,12})?(?![\w@])")
_GENERATED = re.compile(
    f"(?P<machine>{'|'.join(automated_phrases.GENERATED)})|(?P<mute>{'|'.join(automated_phrases.MUTE)})", re.IGNORECASE
)
_ACKNOWLEDGED = re.compile("|".join(automated_phrases.ACKNOWLEDGED), re.IGNORECASE)
_TICKET_NUMBER = re.compile(
    rf"(?:{alternatives(automated_phrases.TICKET)})[ \w°º№.-]{{0,16}}[:：#№\s(\[【]{{0,4}}(?:[A-Z]{{2,10}}-?)?\d{{3,}}"  # noqa: RUF001
    r"|\[[\w -]{0,20}#\s?\d{2,}\]|##\s?\d{3,}\s?##",
    re.IGNORECASE,
)

_RULES: tuple[tuple[SenderClass, Callable[[HeaderFacts], str]], ...] = (
    ("spam", _spam),
    ("auto", _own_address),
    ("auto", _report),
    ("auto", _auto_submitted),
    ("auto", _auto_reply_field),
    ("auto", _absence),
    ("auto", _receipt),
    ("auto", _calendar),
    ("list", _list),
    ("auto", _challenge),
    ("auto", _ticket),
    ("auto", _generated),
    ("list", _bulk),
    ("auto", _null_sender),
    ("auto", _daemon),
    ("auto", _no_reply),
)
