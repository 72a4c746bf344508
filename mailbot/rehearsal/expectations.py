"""Compare the emails that were sent with the emails that a conversation expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import structs

from mailbot.model import Reply, Value
from mailbot.rehearsal.conversation_file import ExpectedMail
from mailbot.rehearsal.incoming_mail import Fill, bare, body_of, parsed, texts


class SentMail(Value, frozen=True):
    """An email that mailbot sent, with its subject and text as the recipient reads them."""

    reply: Reply
    text: str
    attachments: tuple[str, ...] = ()

    @classmethod
    def of(cls, reply: Reply) -> SentMail:
        """Parse the bytes that were sent."""
        mail = parsed(reply.raw)
        names = tuple(part.get_filename() or "" for part in mail.iter_attachments())
        return cls(reply, f"{mail['Subject']}\n{body_of(mail)}", names)


def filled(expected: ExpectedMail, fill: Fill) -> ExpectedMail:
    """Return an expectation with its placeholders replaced, and with tuples where one text is allowed too.

    Raises:
        ExpectationFailure: a number or an amount does not exist yet.
    """
    lists = ("contains", "lacks", "attachments", "cites", "cites_not")
    changes = {name: tuple(map(fill, texts(getattr(expected, name)))) for name in lists}
    return structs.replace(expected, to=bare(expected.to), subject=fill(expected.subject), **changes)


_QUOTE_MARK = re.compile(r"(?m)^[ \t]*[|>][ \t]")


def folded(text: str) -> str:
    """Normalize a text for comparison: ignore case, white space, and quote marks at the start of lines."""
    return " ".join(_QUOTE_MARK.sub(" ", text).split()).casefold()


def differences(expected: ExpectedMail, mail: SentMail) -> list[str]:
    """Return how an email differs from an expectation; empty if it matches."""
    text, subject = folded(mail.text), folded(mail.reply.subject)
    names = folded(" ".join(mail.attachments))
    cites = mail.reply.cites
    return [
        *([f"it was sent to {mail.reply.to}"] if expected.to and mail.reply.to.lower() != expected.to else []),
        *([f"its subject is {mail.reply.subject!r}"] if folded(expected.subject) not in subject else []),
        *(f"it does not contain {each!r}" for each in expected.contains if folded(each) not in text),
        *(f"it contains {each!r}" for each in expected.lacks if folded(each) in text),
        *(f"no attachment is named {each!r}" for each in expected.attachments if folded(each) not in names),
        *(f"it does not cite {each}" for each in expected.cites if each not in cites),
        *(f"it cites {each}" for each in expected.cites_not if each in cites),
    ]


def compare(expectations: Sequence[ExpectedMail], emails: Sequence[SentMail], ignore: Sequence[str]) -> list[str]:
    """Return one line for each missing and each unexpected email; empty if all emails match.

    The expectations are ``filled``. Emails to the addresses in ``ignore`` count only if an expectation names the address.
    """
    ignored = {bare(address) for address in ignore} - {expected.to for expected in expectations}
    emails = [mail for mail in emails if mail.reply.to.lower() not in ignored]
    # One slot for each time that an expectation may match; the slots that must be filled come first.
    needed = [expected for expected in expectations if expected.times in (None, "+")]
    more = {"?": 1, "+": len(emails), "*": len(emails)}
    slots = needed + [expected for expected in expectations for _ in range(more.get(expected.times or "", 0))]
    fits = [[mail for mail, each in enumerate(emails) if not differences(expected, each)] for expected in slots]
    options = [[slot for slot, matching in enumerate(fits) if mail in matching] for mail in range(len(emails))]
    mail_of: dict[int, int] = {}  # slot -> mail
    slot_of: dict[int, int] = {}  # mail -> slot
    # Fill the needed slots first, then find a slot for every email. A filled slot stays filled (Mendelsohn and Dulmage).
    missing = [slot for slot in range(len(needed)) if not _pair(slot, fits, mail_of, slot_of, set())]
    extra = [mail for mail in range(len(emails)) if mail not in slot_of and not _pair(mail, options, slot_of, mail_of, set())]
    free = [emails[mail] for mail in extra] or emails
    return [*(_missing(slots[slot], free) for slot in missing), *(f"unexpected: {_title(emails[mail])}" for mail in extra)]


def _pair(one: int, options: Sequence[list[int]], own: dict[int, int], other_side: dict[int, int], seen: set[int]) -> bool:
    """Pair one with one of its options; move others to other options if needed (an augmenting path)."""
    for other in options[one]:
        if other not in seen:
            seen.add(other)
            if other not in other_side or _pair(other_side[other], options, own, other_side, seen):
                own[one], other_side[other] = other, one
                return True
    return False


def _missing(expected: ExpectedMail, free: Sequence[SentMail]) -> str:
    """Describe an email that was not sent, and how the most similar email differs."""
    wanted = [*expected.contains, *([f"subject {expected.subject}"] if expected.subject else []), *expected.cites]
    name = f"to {expected.to or 'anyone'}" + (f" ({', '.join(wanted)})" if wanted else "")
    candidates = [mail for mail in free if not expected.to or mail.reply.to.lower() == expected.to]
    if not candidates:
        return f"no email {name}"
    nearest = min(candidates, key=lambda mail: len(differences(expected, mail)))
    how = "; ".join(differences(expected, nearest)) or "it is expected only once"
    return f"no email {name}; most similar: {nearest.reply.subject!r}: {how}"


def _title(mail: SentMail) -> str:
    return f"to {mail.reply.to}: {mail.reply.subject} ({', '.join(mail.reply.cites)})"


def describe(mail: SentMail, lines: int | None = 6) -> Iterator[str]:
    """Yield recipient, subject, clauses, attachments, and the first lines of an email; all lines if ``lines`` is None."""
    yield f"sent {_title(mail)}"
    if mail.attachments:
        yield f"  with {', '.join(mail.attachments)}"
    body = [line for line in mail.text.partition("\n")[2].splitlines() if line.strip() or lines is None]
    yield from (f"  | {line}" for line in body[:lines])
