"""A purchase order as a mail shows it: is it attached, what does it come to, which quote does it name (AP-17, AP-20)."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from mailbot.intake.attachments.extraction import is_program
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.references import from_file_names, speaks_of_order
from mailbot.intake.entities.serials import covered, serial_key
from mailbot.intake.text.normalize import plain
from mailbot.intake.text.sentences import tidy
from mailbot.model import Price, PurchaseOrder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.entities.amounts import Amount
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Attachment, Document

_QUOTE = re.compile(r"(?<![A-Z0-9])Q-[BCDFGHJKMNPQRSTV]{10}-\d{1,6}(?![A-Z0-9])", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:pdf|jpe?g|png|gif|tiff?|bmp|heic|webp)$", re.IGNORECASE)
_LOGO = re.compile(r"(?:image|img|logo|icon|sig|signature|outlook-?)[\w-]{0,12}\.(?:png|gif|jpe?g|bmp)$", re.IGNORECASE)
_LINES, _TOTALS = 2_000, 8


def order(mail: MessageContent, number: str | None) -> PurchaseOrder | None:
    """The order of a mail.

    Args:
        mail: the mail.
        number: the order number that the mail or a file name gives, if any.

    Returns:
        The order; None where the mail neither names a number nor carries an order.
    """
    papers = [paper for paper in _papers(mail) if _is_order(paper, number, mail)]
    if number is None and not papers:
        return None
    if papers:
        totals = _totals([line for _, paper in papers if paper for line in _lines(paper)], mail)
    else:
        totals = _totals(list(mail.own), mail, body=True)
    return PurchaseOrder(number or "", copy=bool(papers), totals=totals, quotes=_quotes(mail))


def _papers(mail: MessageContent) -> Iterator[tuple[Attachment, Document | None]]:
    """The attachments that may be an order, with what could be read of them: no programs, none of our own papers."""
    read = {document.name: document for document in mail.message.documents}
    for attachment in mail.message.attachments:
        if is_program(attachment):
            continue
        document = read.get(attachment.name)
        yield attachment, document if document and (document.text.strip() or document.tables) else None


def _is_order(paper: tuple[Attachment, Document | None], number: str | None, mail: MessageContent) -> bool:
    attachment, document = paper
    stem = from_file_names([attachment.name])
    named = speaks_of_order(stem, mail.lexicons) or bool(number and serial_key(number) in serial_key(attachment.name))
    if not named and any(one.orders.ours.search(plain(text)) for text in stem for one in mail.lexicons):
        return False
    if document is not None:
        lines = _lines(document)
        return (
            named
            or speaks_of_order(lines, mail.lexicons)
            or bool(number and serial_key(number) in serial_key(" ".join(lines)))
        )
    if not (_PICTURE.search(attachment.name) or attachment.media_type.startswith("image/")):
        return False
    return named or (_says_attached(mail) and not _LOGO.match(attachment.name))


def _says_attached(mail: MessageContent) -> bool:
    """Whether the mail says that the order comes with it."""
    return any(one.orders.attached.search(plain(text)) for text in mail.own if text for one in mail.lexicons)


def _lines(document: Document) -> list[str]:
    """The lines of a document, and the rows of its tables."""
    rows = ("  ".join(row) for table in document.tables for row in table.rows)
    return [line for line in islice((*tidy(document.text).split("\n"), *map(tidy, rows)), _LINES) if line.strip()]


def _quotes(mail: MessageContent) -> tuple[str, ...]:
    """The quote numbers of ours: in the documents and the new text, else in the subject, else in what is quoted."""
    papers = [line for document in mail.message.documents for line in (document.name, *_lines(document))]
    files = [tidy(attachment.name).replace("_", " ") for attachment in mail.message.attachments]
    named = dict.fromkeys(number for text in papers for number in _labelled(text, mail.lexicons))
    for place in ((*papers, *files, *mail.own), (mail.subject.text,), tidy(mail.message.quoted).split("\n")[:_LINES]):
        found = dict.fromkeys(match[0].upper() for text in place for match in _QUOTE.finditer(text))
        if found or named:
            return tuple(found or named)
    return ()


_NUMBER = re.compile(r"\W{0,6}((?=[A-Za-z0-9./-]{0,30}\d)[A-Za-z0-9][A-Za-z0-9./-]{2,30})")


def _labelled(text: str, lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """The numbers behind the word for a quote, whoever gave them: an order may be meant for another offer than ours."""
    low = plain(text)
    for one in lexicons:
        for _, end in one.orders.quote.spans(low):
            if number := _NUMBER.match(low, end):
                yield number[1].upper().strip("./-")


# ------------------------------------------------------------------ totals


def _totals(lines: Sequence[str], mail: MessageContent, *, body: bool = False) -> tuple[Price, ...]:
    """What may be the order's total, the likeliest first: a line labelled so, then other amounts of money.

    ``body``: the lines are the mail's own sentences, where a number without currency or label is no amount.
    """
    ranked: list[tuple[int, int, Price]] = []
    label = _NO_LABEL
    for at, line in enumerate(lines):
        here = _rank(line, mail.lexicons)
        found = _certain(line, mail.desk.currency)
        rank = min(here, label) if not re.search(r"[^\W\d_]{4}", line) or here < _NO_LABEL else here
        if found and (rank < _NO_LABEL or _money(found, body=body)):
            ranked.append((rank, at if rank >= _NO_LABEL else -at, Price(found.value or 0, found.currency)))  # type: ignore[arg-type]
        label = here if here < _NO_LABEL and not found else _NO_LABEL
    ranked.sort(key=lambda one: one[:2])
    return tuple(islice(dict.fromkeys(price for *_, price in ranked), _TOTALS))


_GRAND, _TOTAL, _NO_LABEL, _PARTIAL = range(4)


def _rank(line: str, lexicons: Sequence[LanguageWords]) -> int:
    """How surely a line gives the total: labelled as the grand total, as the total, not at all, as something else."""
    low = plain(line)
    rest = low
    for one in lexicons:
        if one.orders.grand.search(low):
            return _GRAND
        rest = one.orders.partial.without(rest) if one.orders.partial else rest
    if any(one.orders.partial.search(low) for one in lexicons):
        return _PARTIAL
    return _TOTAL if any(one.orders.total.search(rest) for one in lexicons) else _NO_LABEL


def _certain(line: str, home: str) -> Amount | None:
    """The amount of a line: the last with a currency, else the last with decimals, else the last number."""
    open_ = _QUOTE.sub(" ", covered(line))
    found = [one for one in amounts(open_, home=home) if one.value]
    named = [one for one in found if one.named]
    exact = [one for one in found if re.search(r"[.,]\d\d$", one.written)]
    return next(iter([*reversed(named), *reversed(exact), *reversed(found)]), None)


def _money(one: Amount, *, body: bool) -> bool:
    return one.named or (not body and bool(re.search(r"[.,]\d\d$", one.written)))
