"""A purchase order in a message: whether it is attached, its total, and the quote it names (AP-17, AP-20)."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from mailbot.intake.attachments.extraction import is_program
from mailbot.intake.entities.amounts import amounts
from mailbot.intake.entities.references import file_names_as_text, mentions_order
from mailbot.intake.entities.serials import mask_non_serials, serial_key
from mailbot.intake.text.normalize import normalize
from mailbot.intake.text.sentences import tidy
from mailbot.model import Price, PurchaseOrder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailbot.intake.entities.amounts import Amount
    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.statements.word_lists import LanguageWords
    from mailbot.model import Attachment, Document

_QUOTE_NUMBER = re.compile(r"(?<![A-Z0-9])Q-[BCDFGHJKMNPQRSTV]{10}-\d{1,6}(?![A-Z0-9])", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:pdf|jpe?g|png|gif|tiff?|bmp|heic|webp)$", re.IGNORECASE)
_LOGO = re.compile(r"(?:image|img|logo|icon|sig|signature|outlook-?)[\w-]{0,12}\.(?:png|gif|jpe?g|bmp)$", re.IGNORECASE)
_MAX_LINES, _MAX_TOTALS = 2_000, 8


def order(content: MessageContent, number: str | None) -> PurchaseOrder | None:
    """Return the purchase order of a message: by ``number``, from the text or a file name, or attached; else None."""
    documents = [attached for attached in _possible_orders(content) if _is_order(attached, number, content)]
    if number is None and not documents:
        return None
    if documents:
        totals = _totals([line for _, attached in documents if attached for line in _lines(attached)], content)
    else:
        totals = _totals(list(content.own_sentences), content, body=True)
    return PurchaseOrder(number or "", copy=bool(documents), totals=totals, quotes=_quotes(content))


def _possible_orders(content: MessageContent) -> Iterator[tuple[Attachment, Document | None]]:
    """Yield the attachments that may be an order, each with its readable content; programs are left out."""
    readable = {document.name: document for document in content.message.documents}
    for attachment in content.message.attachments:
        if is_program(attachment):
            continue
        document = readable.get(attachment.name)
        yield attachment, document if document and (document.text.strip() or document.tables) else None


def _is_order(attached: tuple[Attachment, Document | None], number: str | None, content: MessageContent) -> bool:
    attachment, document = attached
    stem = file_names_as_text([attachment.name])
    is_named = mentions_order(stem, content.lexicons) or bool(number and serial_key(number) in serial_key(attachment.name))
    if not is_named and any(one.orders.ours.search(normalize(text)) for text in stem for one in content.lexicons):
        return False
    if document is not None:
        lines = _lines(document)
        has_number = bool(number and serial_key(number) in serial_key(" ".join(lines)))
        return is_named or has_number or mentions_order(lines, content.lexicons)
    if not (_PICTURE.search(attachment.name) or attachment.media_type.startswith("image/")):
        return False
    said = (one.orders.attached.search(normalize(text)) for text in content.own_sentences if text for one in content.lexicons)
    return is_named or (not _LOGO.match(attachment.name) and any(said))


def _lines(document: Document) -> list[str]:
    """Return the lines of a document and the rows of its tables."""
    rows = ("  ".join(row) for table in document.tables for row in table.rows)
    return [line for line in islice((*tidy(document.text).split("\n"), *map(tidy, rows)), _MAX_LINES) if line.strip()]


def _quotes(content: MessageContent) -> tuple[str, ...]:
    """Return our quote numbers: from documents and new text, else from the subject, else from quoted text."""
    document_lines = [line for document in content.message.documents for line in (document.name, *_lines(document))]
    files = [tidy(attachment.name).replace("_", " ") for attachment in content.message.attachments]
    labeled = dict.fromkeys(number for text in document_lines for number in _labeled_numbers(text, content.lexicons))
    for place in (
        (*document_lines, *files, *content.own_sentences),
        (content.subject.text,),
        tidy(content.message.quoted).split("\n")[:_MAX_LINES],
    ):
        found = dict.fromkeys(match[0].upper() for text in place for match in _QUOTE_NUMBER.finditer(text))
        if found or labeled:
            return tuple(found or labeled)
    return ()


_NUMBER = re.compile(r"\W{0,6}((?=[A-Za-z0-9./-]{0,30}\d)[A-Za-z0-9][A-Za-z0-9./-]{2,30})")


def _labeled_numbers(text: str, lexicons: Sequence[LanguageWords]) -> Iterator[str]:
    """Yield the numbers after the word for a quote in any form: an order may refer to someone else's quote."""
    normalized = normalize(text)
    for one in lexicons:
        for _, end in one.orders.quote.spans(normalized):
            if number := _NUMBER.match(normalized, end):
                yield number[1].upper().strip("./-")


# ------------------------------------------------------------------ totals


def _totals(lines: Sequence[str], content: MessageContent, *, body: bool = False) -> tuple[Price, ...]:
    """Return possible totals of the order, the most likely first: from a labeled line, then other amounts of money.

    ``body``: the lines are sentences of the message, where a number without currency or label is not an amount.
    """
    ranked: list[tuple[int, int, Price]] = []
    previous_rank = _NO_LABEL
    for index, line in enumerate(lines):
        own_rank = _rank(line, content.lexicons)
        found = _line_amount(line, content.desk.currency)
        rank = min(own_rank, previous_rank) if not re.search(r"[^\W\d_]{4}", line) or own_rank < _NO_LABEL else own_rank
        if found and (rank < _NO_LABEL or found.named or (not body and re.search(r"[.,]\d\d$", found.written))):
            ranked.append((rank, index if rank >= _NO_LABEL else -index, Price(found.value or 0, found.currency)))  # type: ignore[arg-type]
        previous_rank = own_rank if own_rank < _NO_LABEL and not found else _NO_LABEL
    ranked.sort(key=lambda one: one[:2])
    return tuple(islice(dict.fromkeys(price for *_, price in ranked), _MAX_TOTALS))


_GRAND, _TOTAL, _NO_LABEL, _PARTIAL = range(4)


def _rank(line: str, lexicons: Sequence[LanguageWords]) -> int:
    """Return how likely a line has the total: labeled as grand total, as total, not at all, or otherwise."""
    normalized = normalize(line)
    rest = normalized
    for one in lexicons:
        if one.orders.grand.search(normalized):
            return _GRAND
        rest = one.orders.partial.without(rest)
    if any(one.orders.partial.search(normalized) for one in lexicons):
        return _PARTIAL
    return _TOTAL if any(one.orders.total.search(rest) for one in lexicons) else _NO_LABEL


def _line_amount(line: str, home: str) -> Amount | None:
    """Return the amount of a line: the last one with a currency, else the last with decimals, else the last number."""
    masked = _QUOTE_NUMBER.sub(" ", mask_non_serials(line))
    found = [one for one in amounts(masked, home=home) if one.value]
    with_currency = [one for one in found if one.named]
    exact = [one for one in found if re.search(r"[.,]\d\d$", one.written)]
    return next(iter([*reversed(with_currency), *reversed(exact), *reversed(found)]), None)
