"""What attachments say: CSV, XLSX, PDF, plain text and attached mails as Documents. Bounded; unreadable means empty."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from mailbot.mail.charsets import decode
from mailbot.model import Document, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mailbot.model import Attachment

ATTACHMENTS = 20
"""Attachments of one mail that are read (T5)."""

LARGEST = 10_000_000
"""Bytes of one attachment that are read."""

PAGES, SHEETS, ROWS, COLUMNS, CHARACTERS = 20, 10, 2_000, 50, 200_000


def documents(attachments: Sequence[Attachment]) -> tuple[Document, ...]:
    """The attachments as Documents, in their order; a kind that is not read, or cannot be, is an empty one."""
    return tuple(_document(attachment) for attachment in attachments[:ATTACHMENTS])


def _document(attachment: Attachment) -> Document:
    reader = _reader(attachment)
    if reader is None or len(attachment.content) > LARGEST:
        return Document(attachment.name)
    try:
        return reader(attachment)
    except Exception:  # noqa: BLE001 - a library meets a stranger's file here: whatever it raises, the mail goes on
        return Document(attachment.name)


def _reader(attachment: Attachment) -> Callable[[Attachment], Document] | None:
    """The reader for an attachment: by what it is, then by its type, then by its name."""
    ending = attachment.name.lower().rpartition(".")[2]
    if attachment.content.startswith(b"%PDF-"):
        return _pdf
    if attachment.content.startswith(b"PK\x03\x04") and (
        ending in {"xlsx", "xlsm"} or "spreadsheet" in attachment.media_type
    ):
        return _workbook
    if attachment.media_type == "message/rfc822" or ending == "eml":
        return _mail
    if ending in {"csv", "tsv"} or attachment.media_type in {"text/csv", "text/tab-separated-values"}:
        return _csv
    if ending in {"txt", "text", "md", "log"} or attachment.media_type == "text/plain":
        return _text
    return None


def _text(attachment: Attachment) -> Document:
    return Document(attachment.name, text=_decoded(attachment.content))


def _decoded(content: bytes) -> str:
    """Text of an unknown charset: with its byte order mark, as UTF-8, else as Windows-1252."""
    head = content[: 4 * CHARACTERS]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")[:CHARACTERS]
    return decode(head, "utf-8").removeprefix("\ufeff")[:CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")


def _csv(attachment: Attachment) -> Document:
    text = _decoded(attachment.content)
    return Document(attachment.name, tables=_tables([(attachment.name, separated(text.split("\n")))]))


def separated(lines: Sequence[str]) -> list[list[str]]:
    """Rows of separated values; the separator is the one of ``; , tab |`` that the first lines hold most evenly."""
    head = [line for line in lines[:20] if line.strip()]
    separator = max(
        ";\t,|",
        key=lambda sign: (min((line.count(sign) for line in head), default=0), head[0].count(sign) if head else 0),
    )
    rows = csv.reader((line[:10_000] for line in lines[:ROWS]), delimiter=separator)
    return [[cell.strip() for cell in row[:COLUMNS]] for row in rows]


def _workbook(attachment: Attachment) -> Document:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(attachment.content))
    sheets = ((name, book.get_sheet_by_name(name)) for name in book.sheet_names[:SHEETS])
    return Document(attachment.name, tables=_tables((name, _cells(sheet.iter_rows())) for name, sheet in sheets))


def _cells(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number >= ROWS:
            return
        yield [_cell(value) for value in row[:COLUMNS]]


def _cell(value: object) -> str:
    """A cell as its reader sees it: a serial kept as a number is no fraction."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _tables(sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> tuple[Table, ...]:
    return tuple(Table(tuple(tuple(row) for row in rows if any(row)), source=name) for name, rows in sheets)


def _pdf(attachment: Attachment) -> Document:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(attachment.content))
    pages = [page.extract_text() for page in reader.pages[:PAGES]]
    fields = "\n".join(f"{name}: {value}" for name, value in (reader.get_form_text_fields() or {}).items() if value)
    return Document(attachment.name, text="\n\n".join((*pages, fields))[:CHARACTERS])


def _mail(attachment: Attachment) -> Document:
    from mailbot.mail import body
    from mailbot.mail.headers import words
    from mailbot.mail.mime import cut

    root = cut(attachment.content)
    content = body.read(root)
    subject = words(root.headers.first("subject") or "")
    return Document(attachment.name, text=f"{subject}\n\n{content.text}"[:CHARACTERS], tables=content.tables)
