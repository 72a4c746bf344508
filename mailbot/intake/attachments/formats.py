"""The kinds of files that are read, known by what they hold, and how each is read: CSV, workbooks, PDF, archives, mails."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from mailbot.mail import body, headers, html, mime
from mailbot.mail.charsets import decode, lines
from mailbot.model import Attachment, Table

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterable, Iterator, Sequence

CHARACTERS = 200_000
"""Characters of one attachment that are read."""

PAGES, SHEETS, ROWS, COLUMNS = 20, 10, 2_000, 50
"""Pages of a PDF, sheets of a workbook, rows and columns of a sheet that are read."""

MEMBERS, UNPACKED = 50, 30_000_000
"""Attachments that are taken out of another one, and bytes that they may have together."""

PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
"""How programs begin: for Windows, Linux, macOS (64 and 32 bits), Java, and scripts."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TNEF = b"\x78\x9f\x3e\x22"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TEXTS = {"txt", "text", "md", "log"}
_LISTS = {"csv", "tsv"}


class EncryptedFileError(Exception):
    """The file is encrypted."""


class ReadResult(NamedTuple):
    """What a file says, and the files within it."""

    text: str = ""
    tables: tuple[Table, ...] = ()
    within: tuple[Attachment, ...] = ()


class FileFormat(NamedTuple):
    """A kind of file: how it is read, and whether a hostile one may break what reads it."""

    read: Callable[[Attachment], ReadResult]
    risky: bool = False


def of(attachment: Attachment) -> FileFormat | None:
    """Return what an attachment is: by what it holds, then by its type, then by its name; None for what is not read."""
    head, ending, media_type = attachment.content[:1024], _ending(attachment), attachment.media_type
    if head.lstrip(b"\xef\xbb\xbf\r\n\t \x00").startswith(b"%PDF-"):
        return FileFormat(_pdf, risky=True)
    if head.startswith(_ZIP):
        return FileFormat(_package, risky=True)
    if head.startswith(_OLE) and (ending in {"xls", "xlsx", "xlsm", "xlsb"} or "excel" in media_type):
        return FileFormat(_workbook, risky=True)
    if head.startswith(_TNEF):
        return FileFormat(_winmail, risky=True)
    if media_type == "message/rfc822" or ending == "eml":
        return FileFormat(_mail)
    if ending in _LISTS or media_type in {"text/csv", "text/tab-separated-values"}:
        return FileFormat(_csv)
    if ending in {"htm", "html"} or media_type == "text/html":
        return FileFormat(_page)
    if ending in _TEXTS or media_type == "text/plain":
        return FileFormat(_text)
    return None


def is_text(attachment: Attachment) -> bool:
    """Say whether an attachment is called a text: such a file is read, however it begins, and runs nowhere."""
    return _ending(attachment) in _TEXTS | _LISTS | {"eml"}


def _ending(attachment: Attachment) -> str:
    return attachment.name.lower().rpartition(".")[2]


# ---------------------------------------------------------------- texts and lists


def _text(attachment: Attachment) -> ReadResult:
    return ReadResult(_decoded(attachment.content))


def _decoded(content: bytes) -> str:
    """Text of an unknown charset: with its byte order mark, as UTF-8, else as Windows-1252."""
    head = content[: 4 * CHARACTERS]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return lines(head.decode("utf-16", "replace"))[:CHARACTERS]
    return lines(decode(head, "utf-8").removeprefix("\ufeff"))[:CHARACTERS]


def _page(attachment: Attachment) -> ReadResult:
    page = html.read(decode(attachment.content[: html.MOST], "utf-8"))
    return ReadResult(page.text[:CHARACTERS], page.tables)


def _csv(attachment: Attachment) -> ReadResult:
    return ReadResult(tables=_tables([(attachment.name, separated(_decoded(attachment.content).split("\n")))]))


def separated(lines: Sequence[str]) -> list[list[str]]:
    """Rows of separated values; the separator is the one of ``; , tab |`` that the first lines hold most evenly."""
    head = [line for line in lines[:20] if line.strip()]
    separator = max(
        ";\t,|",
        key=lambda sign: (min((line.count(sign) for line in head), default=0), head[0].count(sign) if head else 0),
    )
    rows = csv.reader((line[:10_000] for line in lines[:ROWS]), delimiter=separator)
    return [[cell.strip() for cell in row[:COLUMNS]] for row in rows]


def _tables(sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> tuple[Table, ...]:
    return tuple(Table(tuple(tuple(row) for row in rows if any(row)), source=name) for name, rows in sheets)


def _mail(attachment: Attachment) -> ReadResult:
    root = mime.cut(attachment.content)
    content = body.read(root)
    subject = headers.words(root.headers.first("subject") or "")
    return ReadResult(f"{subject}\n\n{content.text}"[:CHARACTERS], content.tables, content.attachments[:MEMBERS])


# ---------------------------------------------------------------- PDF and workbooks


def _pdf(attachment: Attachment) -> ReadResult:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(attachment.content))
    if reader.is_encrypted and not _unlocked(reader.decrypt):
        raise EncryptedFileError
    pages = [page.extract_text() for page in reader.pages[:PAGES]]
    fields = "\n".join(f"{name}: {value}" for name, value in (reader.get_form_text_fields() or {}).items() if value)
    return ReadResult(lines("\n\n".join((*pages, fields)))[:CHARACTERS])


def _unlocked(decrypt: Callable[[str], int]) -> bool:
    """Try the empty password: a file that may merely not be printed has it."""
    try:
        return bool(decrypt(""))
    except Exception:  # noqa: BLE001 - a cipher that is not at hand is as good as a password that is not
        return False


def _workbook(attachment: Attachment) -> ReadResult:
    """Read the values that a workbook shows. Formulas are not evaluated, entities are not resolved."""
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(attachment.content))
    except PasswordError:
        raise EncryptedFileError from None
    sheets = ((name, book.get_sheet_by_name(name)) for name in book.sheet_names[:SHEETS])
    return ReadResult(tables=_tables((name, _cells(sheet.iter_rows())) for name, sheet in sheets))


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


# ---------------------------------------------------------------- files within files


def _package(attachment: Attachment) -> ReadResult:
    """Read a ZIP: a workbook by its own means, of an archive the files that are of a kind that is read."""
    from zipfile import ZipFile

    with ZipFile(io.BytesIO(attachment.content)) as package:
        members = [member for member in package.infolist() if not member.is_dir()]
        names = {member.filename for member in members}
        if names & {"xl/workbook.xml", "xl/workbook.bin"} or {"mimetype", "content.xml"} <= names:
            return _workbook(attachment)
        return ReadResult(within=tuple(_unpacked(package, members)))


def _unpacked(package: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> Iterator[Attachment]:
    """Yield the members of an archive.

    Raises:
        Locked: one of them is encrypted.
        ValueError: they hold more than ``UNPACKED`` bytes, whatever the directory says.
    """
    left = UNPACKED
    for member in members[:MEMBERS]:
        if member.flag_bits & 1:
            raise EncryptedFileError
        with package.open(member) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ValueError("unpacks to too much")
        yield Attachment(mime.clean_name(member.filename) or "unnamed", "application/octet-stream", content)


def _winmail(attachment: Attachment) -> ReadResult:
    """Read what Outlook packs as winmail.dat (TNEF): the body, and the attachments."""
    from tnefparse import TNEF

    packed = TNEF(attachment.content, do_checksum=False)
    within = tuple(
        Attachment(
            mime.clean_name(_string(file.long_filename())) or "unnamed", "application/octet-stream", bytes(file.data)
        )
        for file in packed.attachments[:MEMBERS]
    )
    text = lines(_string(packed.body or b""))
    page = html.read(_string(packed.htmlbody or b"")) if not text.strip() else html.HtmlText(text)
    return ReadResult(page.text.strip()[:CHARACTERS], page.tables, within)


def _string(value: object) -> str:
    """Return a property as text: the library gives bytes, text, or a list of one of them."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    return (decode(value) if isinstance(value, bytes) else str(value)).strip("\x00")
