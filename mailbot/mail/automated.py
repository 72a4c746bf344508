"""Who wrote a mail: a person, or a machine that must not be answered (RFC 3834; L1 to L8).

The rules stand in one table and are tried in order; the first that finds its sign decides and names it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mailbot.mail import addresses, automated_phrases, bounce, reply_markers, reply_text
from mailbot.mail.field_syntax import without_comments
from mailbot.mail.headers import Headers, words
from mailbot.mail.mime import Part
from mailbot.model import Address, Bounce, Classification, SenderClass, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

COMPLAINT = "feedback report"
"""``Classification.because`` of an abuse complaint (RFC 5965)."""


TEXT = 4000
"""Characters of a text that are searched: machines say at once what they are."""


class HeaderFacts(Value, frozen=True):
    """What the rules look at: the header, the tree of parts, the subject, the senders named, our own addresses."""

    head: Headers
    root: Part
    subject: str
    senders: tuple[Address, ...]
    ours: tuple[str, ...]
    text: str

    def own_words(self) -> str:
        """Return the beginning of what stands above a quotation."""
        return _new(self.text[:TEXT], self.subject)

    def token(self, name: str) -> str:
        """Return the first word of a field in lower case, without comments and parameters (RFC 3834 §5.2)."""
        value = without_comments(self.head.first(name) or "")
        return re.split(r"[;,\s]", value.strip().lower(), maxsplit=1)[0]


@lru_cache(maxsize=8)  # several rules look at the same words
def _new(text: str, subject: str) -> str:
    return reply_text.split(text, subject).visible


def classify(root: Part, text: str, *, ours: Collection[str]) -> tuple[Classification, Bounce | None]:
    """Say who wrote a mail and by what sign that is seen, with the delivery report if it is one.

    Args:
        root: the mail, cut into parts.
        text: its body text.
        ours: our own addresses; plus-addresses of them count as ours.
    """
    head = root.headers
    letter = HeaderFacts(
        head=head,
        root=root,
        subject=words(head.first("subject") or ""),
        senders=addresses.every(head.all("from")),
        ours=tuple(ours),
        text=text,
    )
    if any(part.kind == "message/feedback-report" for part in root.walk()) or (
        root.kind == "multipart/report" and root.parameter("report-type").lower() == "feedback-report"
    ):
        return Classification("auto", COMPLAINT), None
    report = bounce.detect(root, text, letter.senders)
    if report is not None:
        return Classification("bounce", "delivery report"), report
    for sort, rule in _RULES:
        sign = rule(letter)
        if sign:
            return Classification(sort, sign), None
    return Classification("human"), None


# ---------------------------------------------------------------- the signs


def _marked_as_spam(letter: HeaderFacts) -> str:
    for name in ("x-spam-flag", "x-spam-status", "x-spam"):
        if letter.token(name) in {"yes", "true", "spam"}:
            return f"{name}: yes"
    if "sfv:spm" in (letter.head.first("x-forefront-antispam-report") or "").lower():
        return "x-forefront-antispam-report: SFV:SPM"
    return ""


def _from_us(letter: HeaderFacts) -> str:
    if any(addresses.is_ours(box.email, letter.ours) for box in letter.senders):
        return "own address"
    loops = " ".join(letter.head.all("x-loop")).lower().replace("<", " ").replace(">", " ").split()
    return "X-Loop" if any(addresses.is_ours(each, letter.ours) for each in loops) else ""


def _report(letter: HeaderFacts) -> str:
    # RFC 8098 receipts; success reports (RFC 3464) and other reports have no person behind them either
    return (
        f"{letter.root.parameter('report-type').lower() or 'some'} report"
        if letter.root.kind == "multipart/report"
        else ""
    )


def _auto_submitted(letter: HeaderFacts) -> str:
    value = letter.token("auto-submitted")
    return f"Auto-Submitted: {value[:40]}" if value not in {"", "no"} else ""


def _answering_machine(letter: HeaderFacts) -> str:
    for name in _ANSWERING_FIELDS:
        if letter.head.has(name) and letter.token(name) not in {"no", "none", "false", "0"}:
            return name
    precedence = letter.token("precedence")
    return f"Precedence: {precedence}" if precedence in {"auto_reply", "auto-reply"} else ""


def _absence(letter: HeaderFacts) -> str:
    """An out-of-office note (L7).

    "Automatic reply: …" no person writes. A subject that merely is "Out of office" needs a second sign, for people have
    such subjects too: a field of machines, an answer whose subject is none, or an absence told in the first person.
    """
    if _AUTOMATIC.match(letter.subject) or _AWAY.match(letter.subject):
        return "subject of an absence note"
    answers = letter.head.has("in-reply-to") and not _ANSWERS.match(letter.subject)
    suppresses = letter.head.has("x-auto-response-suppress")
    if not (answers or suppresses or _PHRASE.match(letter.subject)) or letter.subject.rstrip().endswith(
        ("?", "\uff1f")
    ):
        return ""
    titled = _TITLED.match(letter.subject) is not None
    if titled and (answers or suppresses or _null_sender(letter) or letter.token("precedence") in _BULK):
        return "absence note with a machine's field"
    if _GENERATED.search(letter.own_words()) and _ABSENT.search(letter.own_words()):
        return "absence note that says it is generated"
    absent = len({found[0].lower() for found in _ABSENT.finditer(letter.own_words())})
    needed = 1 if titled else 2
    if _CODE.search(letter.own_words()):
        return ""  # who is away names no device
    return "absence note by its text" if absent >= needed else ""


def _receipt(letter: HeaderFacts) -> str:
    """A receipt in plain text (RFC 8098 speaks of none)."""
    return "read receipt" if _READ.match(letter.subject) and _WAS_READ.search(letter.text[:TEXT]) else ""


def _challenge(letter: HeaderFacts) -> str:
    """A system that wants us to prove that we are people; two signs, for a person may ask us to confirm something."""
    signs = {found.lastgroup for found in _CHALLENGE.finditer(letter.own_words())}
    return "challenge" if len(signs) > 1 else ""


def _ticket(letter: HeaderFacts) -> str:
    """The ticket system of another company: it has us on its list and says under which number.

    A Reply-To that names somebody else is a form's that sends for a person.
    """
    others = {box.email for box in addresses.every(letter.head.all("reply-to"))} - {box.email for box in letter.senders}
    if others or _ANSWERS.match(letter.subject):
        return ""
    said = _ACKNOWLEDGED.search(letter.own_words())
    numbered = said and (_TICKET.search(letter.subject) or _TICKET.search(letter.own_words()))
    return "acknowledgement of a ticket system" if numbered else ""


def _calendar(letter: HeaderFacts) -> str:
    for part in letter.root.walk():
        if part.kind == "text/calendar" and part.disposition != "attachment" and part.parameter("method"):
            return f"calendar: {part.parameter('method').lower()[:20]}"
    return ""


def _list(letter: HeaderFacts) -> str:
    for name in ("list-id", "list-post"):
        if letter.head.has(name):
            return name
    mass = any(letter.head.has(name) for name in _MASS_FIELDS) or _nobody(letter)
    if letter.head.has("list-unsubscribe") and mass:
        return "list-unsubscribe"  # alone it also stands on letters that people send through a mailing service
    return ""


def _bulk(letter: HeaderFacts) -> str:
    precedence = letter.token("precedence")
    return f"Precedence: {precedence}" if precedence in _BULK else ""


def _generated(letter: HeaderFacts) -> str:
    """A program's notice that says so and takes no answer; a person may write either, hardly both."""
    signs = {found.lastgroup for found in _GENERATED.finditer(letter.own_words())}
    return "generated notice" if len(signs) > 1 else ""


def _null_sender(letter: HeaderFacts) -> str:
    value = letter.head.first("return-path")
    return "null Return-Path" if value is not None and not value.strip(" <>\t") else ""


def _daemon(letter: HeaderFacts) -> str:
    locals_ = {box.email.partition("@")[0] for box in letter.senders}
    return "mailer-daemon" if locals_ & {"mailer-daemon", "mail-daemon", "maildaemon", "mailerdaemon"} else ""


def _nobody(letter: HeaderFacts) -> str:
    """A sender that takes no answers, unless Reply-To names somebody who does (a web form)."""
    if letter.head.has("reply-to") or not letter.senders:
        return ""
    return "no-reply sender" if all(_NO_REPLY.match(box.email) for box in letter.senders) else ""


_BULK = {"bulk", "list", "junk"}
_MASS_FIELDS = ("list-unsubscribe-post", "x-campaign", "x-campaignid", "x-campaign-id", "x-mc-user", "x-csa-complaints")
_ANSWERING_FIELDS = (
    *("x-autoreply", "x-auto-reply", "x-autoreply-from", "x-autorespond", "x-autoresponder", "x-autoresponse"),
    *("x-mail-autoreply", "x-autogenerated", "x-vacation", "x-fc-machinegenerated"),
    *("x-ms-exchange-generated-message-source",),
)
_NO_REPLY = re.compile(
    r"(?:no|do-?_?\.?not|dont)[-_.]?reply\b|(?:no|do-?not)[-_.]?(?:response|answer)\b", re.IGNORECASE
)


def _either(phrases_: tuple[str, ...]) -> str:
    return "|".join(re.escape(each) for each in sorted(phrases_, key=len, reverse=True))


_COLON = rf"\s?[{reply_markers.COLONS}]"
_ANSWERS = re.compile(rf"\s*(?:{_either(reply_markers.REPLY_PREFIXES)}){_COLON}", re.IGNORECASE)
_AUTOMATIC = re.compile(rf"\s*\[?(?:{_either(automated_phrases.AUTOMATIC)})(?:\]|{_COLON})", re.IGNORECASE)
_AWAY = re.compile(
    rf"\s*\[?(?:{_either(automated_phrases.AWAY)})\]?(?:(?:{_COLON})?\s*(?:{_either(reply_markers.REPLY_PREFIXES)}){_COLON}"
    rf"|\s*(?:{_either(automated_phrases.UNTIL)})\s+[^,;?!]{{0,30}}$)",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    rf"\s*\[?(?:{_either((*automated_phrases.AUTOMATIC, *automated_phrases.AWAY))})(?!\w)", re.IGNORECASE
)
_TITLED = re.compile(rf"{_PHRASE.pattern}\]?\s*(?:[{reply_markers.COLONS}]|$)", re.IGNORECASE)
_ABSENT = re.compile("|".join(automated_phrases.ABSENT), re.IGNORECASE)
_READ = re.compile(rf"\s*\[?(?:{_either(automated_phrases.READ)})(?:{_COLON}|\]|\s*$|\s*\()", re.IGNORECASE)
_WAS_READ = re.compile("|".join(automated_phrases.WAS_READ), re.IGNORECASE)
_CHALLENGE = re.compile(
    "|".join(f"(?P<sign{n}>{each})" for n, each in enumerate(automated_phrases.CHALLENGE)), re.IGNORECASE
)
_CODE = re.compile(
    r"(?<![\w@./-])(?=[A-Z0-9-]{0,12}[A-Z])(?=(?:[A-Z-]*\d){5})[A-Z0-9]{2,12}(?:-[A-Z0-9]{3,12})?(?![\w@])"
)
_GENERATED = re.compile(
    f"(?P<machine>{'|'.join(automated_phrases.GENERATED)})|(?P<mute>{'|'.join(automated_phrases.MUTE)})", re.IGNORECASE
)
_ACKNOWLEDGED = re.compile("|".join(automated_phrases.ACKNOWLEDGED), re.IGNORECASE)
_TICKET = re.compile(
    rf"(?:{_either(automated_phrases.TICKET)})[ \w°º№.-]{{0,16}}[:：#№\s(\[【]{{0,4}}(?:[A-Z]{{2,10}}-?)?\d{{3,}}"  # noqa: RUF001
    r"|\[[\w -]{0,20}#\s?\d{2,}\]|##\s?\d{3,}\s?##",
    re.IGNORECASE,
)

_RULES: tuple[tuple[SenderClass, Callable[[HeaderFacts], str]], ...] = (
    ("spam", _marked_as_spam),
    ("auto", _from_us),
    ("auto", _report),
    ("auto", _auto_submitted),
    ("auto", _answering_machine),
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
    ("auto", _nobody),
)
