"""What a conversation expects of the mails sent, laid beside those that were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailbot.model import Reply, Value
from mailbot.rehearsal.conversation_file import ExpectedMail
from mailbot.rehearsal.incoming_mail import Fill, bare, body_of, opened, texts


class SentMail(Value, frozen=True):
    """A mail of ours, opened by its recipient."""

    reply: Reply
    text: str
    attachments: tuple[str, ...] = ()

    @classmethod
    def of(cls, reply: Reply) -> SentMail:
        """Open a mail by parsing the bytes that were sent."""
        mail = opened(reply)
        names = tuple(part.get_filename() or "" for part in mail.iter_attachments())
        return cls(reply, f"{mail['Subject']}\n{body_of(mail)}", names)


class MailExpectation(Value, frozen=True):
    """One expectation with the texts filled in. ``needs`` it is to be met once; ``many`` mails may meet it."""

    to: str
    subject: str
    contains: tuple[str, ...]
    lacks: tuple[str, ...]
    attachments: tuple[str, ...]
    cites: tuple[str, ...]
    cites_not: tuple[str, ...]
    needs: bool
    many: bool

    @classmethod
    def of(cls, expected: ExpectedMail, fill: Fill) -> MailExpectation:
        """Fill the placeholders of an expectation.

        Raises:
            KeyError: the conversation does not know a number or an amount yet.
        """
        lists = {name: tuple(map(fill, texts(getattr(expected, name)))) for name in _LISTS}
        return cls(
            to=bare(expected.to),
            subject=fill(expected.subject),
            needs=expected.times in (None, "+"),
            many=expected.times in ("+", "*"),
            **lists,
        )

    @property
    def name(self) -> str:
        """Name the expectation in a few words."""
        wanted = [*self.contains, *([f"subject {self.subject}"] if self.subject else []), *self.cites]
        return f"to {self.to or 'anybody'}" + (f" ({', '.join(wanted)})" if wanted else "")


_LISTS = ("contains", "lacks", "attachments", "cites", "cites_not")


_QUOTE_MARK = re.compile(r"(?m)^[ \t]*[|>][ \t]")


def folded(text: str) -> str:
    """Fold case and white space, as all comparisons of a conversation do; a quote mark at a line's beginning is space."""
    return " ".join(_QUOTE_MARK.sub(" ", text).split()).casefold()


def misses(order: MailExpectation, mail: SentMail) -> list[str]:
    """Say in what a mail differs from an expectation; nothing where it meets it."""
    text, subject = folded(mail.text), folded(mail.reply.subject)
    names = folded(" ".join(mail.attachments))
    cites = mail.reply.cites
    return [
        *([f"it went to {mail.reply.to}"] if order.to and mail.reply.to.lower() != order.to else []),
        *([f"its subject is {mail.reply.subject!r}"] if folded(order.subject) not in subject else []),
        *(f"it does not say {each!r}" for each in order.contains if folded(each) not in text),
        *(f"it says {each!r}" for each in order.lacks if folded(each) in text),
        *(f"no attachment is named {each!r}" for each in order.attachments if folded(each) not in names),
        *(f"it does not cite {each}" for each in order.cites if each not in cites),
        *(f"it cites {each}" for each in order.cites_not if each in cites),
    ]


def compare(orders: Sequence[MailExpectation], mails: Sequence[SentMail], ignore: Sequence[str]) -> list[str]:
    """Say what is missing and what is too much, each in one line; nothing where these and only these mails were sent.

    Args:
        orders: what is expected.
        mails: what was sent.
        ignore: addresses whose mails count only where an expectation names them.
    """
    silent = {bare(address) for address in ignore} - {order.to for order in orders}
    mails = [mail for mail in mails if mail.reply.to.lower() not in silent]
    # One place for each time an expectation may be met; those that must be filled come first.
    needed = [order for order in orders if order.needs]
    places = needed + [order for order in orders for _ in range(_spare(order, len(mails)))]
    fits = [[mail for mail, each in enumerate(mails) if not misses(order, each)] for order in places]
    homes = [[place for place, fitting in enumerate(fits) if mail in fitting] for mail in range(len(mails))]
    filled: dict[int, int] = {}  # place -> mail
    placed: dict[int, int] = {}  # mail -> place
    # First the needed places, then every mail: what is filled or placed stays so (Mendelsohn and Dulmage).
    missing = [place for place in range(len(needed)) if not _pair(place, fits, filled, placed, set())]
    extra = [mail for mail in range(len(mails)) if mail not in placed and not _pair(mail, homes, placed, filled, set())]
    free = [mails[mail] for mail in extra] or mails
    return [
        *(_missing(places[place], free) for place in missing),
        *(f"unexpected: {_title(mails[mail])}" for mail in extra),
    ]


def _spare(order: MailExpectation, mails: int) -> int:
    """Return how many mails may meet an expectation beyond the one that must."""
    return mails if order.many else 0 if order.needs else 1


def _pair(one: int, options: Sequence[list[int]], ours: dict[int, int], theirs: dict[int, int], seen: set[int]) -> bool:
    """Pair one with an option of its own, moving others to another option where that frees it (an augmenting path)."""
    for other in options[one]:
        if other not in seen:
            seen.add(other)
            if other not in theirs or _pair(theirs[other], options, ours, theirs, seen):
                ours[one], theirs[other] = other, one
                return True
    return False


def _missing(order: MailExpectation, free: Sequence[SentMail]) -> str:
    """Name what was not sent, and what the nearest mail lacks."""
    mine = [mail for mail in free if not order.to or mail.reply.to.lower() == order.to]
    if not mine:
        return f"no mail {order.name}"
    nearest = min(mine, key=lambda mail: len(misses(order, mail)))
    lacking = "; ".join(misses(order, nearest)) or "it is expected once"
    return f"no mail {order.name}; nearest {nearest.reply.subject!r}: {lacking}"


def _title(mail: SentMail) -> str:
    return f"to {mail.reply.to}: {mail.reply.subject} ({', '.join(mail.reply.cites)})"


def describe(mail: SentMail, lines: int | None = 6) -> Iterator[str]:
    """Tell what was sent: recipient, subject, clauses, attachments, and the first lines."""
    yield f"sent {_title(mail)}"
    if mail.attachments:
        yield f"  with {', '.join(mail.attachments)}"
    body = [line for line in mail.text.partition("\n")[2].splitlines() if line.strip() or lines is None]
    yield from (f"  | {line}" for line in body[:lines])
