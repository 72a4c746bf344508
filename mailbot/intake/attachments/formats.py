"""The supported file formats, detected by content, and how each is read: CSV, workbooks, PDF, archives, messages."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from mailbot.mail import body, headers, html, mime
from mailbot.mail.charsets import decode, normalize_lines
from mailbot.model import Attachment, Table

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_CHARACTERS = 200_000
"""The maximum number of characters read from one attachment."""

MAX_PAGES, MAX_SHEETS, MAX_ROWS, MAX_COLUMNS = 20, 10, 2_000, 50
"""The maximum numbers of PDF pages, of workbook sheets, and of rows and columns of a sheet."""

MAX_MEMBERS, MAX_UNPACKED = 50, 30_000_000
"""The maximum number of files extracted from an attachment, and their maximum total size in bytes."""

PROGRAM_SIGNATURES = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
"""The first bytes of programs: Windows, Linux, macOS (64 and 32 bits), Java, and scripts."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TNEF = b"\x78\x9f\x3e\x22"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TEXT_EXTENSIONS = {"txt", "text", "md", "log"}
_LIST_EXTENSIONS = {"csv", "tsv"}


class EncryptedFileError(Exception):
    """The file is encrypted."""


class ReadResult(NamedTuple):
    """The content of a file, and the files inside it."""

    text: str = ""
    tables: tuple[Table, ...] = ()
    within: tuple[Attachment, ...] = ()


class FileFormat(NamedTuple):
    """A supported format: the function that reads it, and whether a hostile file may crash or hang that function."""

    read: Callable[[Attachment], ReadResult]
    risky: bool = False


def detect(attachment: Attachment) -> FileFormat | None:
    """Return the format of an attachment by its content, its media type, or its name; None if it is not supported."""
    head, extension, media_type = attachment.content[:1024], _extension(attachment), attachment.media_type
    if head.lstrip(b"\xef\xbb\xbf\r\n\t \x00").startswith(b"%PDF-"):
        return FileFormat(_pdf, risky=True)
    if head.startswith(_ZIP):
        return FileFormat(_zip, risky=True)
    if head.startswith(_OLE) and (extension in {"xls", "xlsx", "xlsm", "xlsb"} or "excel" in media_type):
        return FileFormat(_workbook, risky=True)
    if head.startswith(_TNEF):
        return FileFormat(_winmail, risky=True)
    if media_type == "message/rfc822" or extension == "eml":
        return FileFormat(_mail)
    if extension in _LIST_EXTENSIONS or media_type in {"text/csv", "text/tab-separated-values"}:
        return FileFormat(_csv)
    if extension in {"htm", "html"} or media_type == "text/html":
        return FileFormat(_html)
    if extension in _TEXT_EXTENSIONS or media_type == "text/plain":
        return FileFormat(_text)
    return None


def is_text(attachment: Attachment) -> bool:
    """Return whether the name of an attachment is that of a text file: it is read as text and cannot be executed."""
    return _extension(attachment) in _TEXT_EXTENSIONS | _LIST_EXTENSIONS | {"eml"}


def _extension(attachment: Attachment) -> str:
    return attachment.name.lower().rpartition(".")[2]


# ---------------------------------------------------------------- texts and lists


def _text(attachment: Attachment) -> ReadResult:
    text = _decode(attachment.content)
    lines = [line for line in text.split("\n")[:MAX_ROWS] if line.strip()]
    is_list = len(lines) > 1 and any(lines[0].count(sign) >= 1 and len({line.count(sign) for line in lines}) == 1 for sign in "|\t")
    return _csv(attachment) if is_list else ReadResult(text)


def _decode(content: bytes) -> str:
    """Decode text of an unknown charset: by its byte order mark, as UTF-8, else as Windows-1252."""
    head = content[: 4 * MAX_CHARACTERS]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return normalize_lines(head.decode("utf-16", "replace"))[:MAX_CHARACTERS]
    return normalize_lines(decode(head, "utf-8").removeprefix("\ufeff"))[:MAX_CHARACTERS]


def _html(attachment: Attachment) -> ReadResult:
    page = html.read_html(decode(attachment.content[: html.MAX_CHARACTERS], "utf-8"))
    return ReadResult(page.text[:MAX_CHARACTERS], page.tables)


def _csv(attachment: Attachment) -> ReadResult:
    return ReadResult(tables=_tables([(attachment.name, parse_separated(_decode(attachment.content).split("\n")))]))


def parse_separated(lines: Sequence[str]) -> list[list[str]]:
    """Return the rows of separated values.

    The separator is the one of ``; , tab |`` that occurs most evenly in the first lines.
    """
    head = [line for line in lines[:20] if line.strip()]
    separator = max(
        ";\t,|", key=lambda sign: (min((line.count(sign) for line in head), default=0), head[0].count(sign) if head else 0)
    )
    rows = csv.reader((line[:10_000] for line in lines[:MAX_ROWS]), delimiter=separator)
    return [[cell.strip() for cell in row[:MAX_COLUMNS]] for row in rows]


def _tables(sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> tuple[Table, ...]:
    return tuple(Table(tuple(tuple(row) for row in rows if any(row)), source=name) for name, rows in sheets)


def _mail(attachment: Attachment) -> ReadResult:
    root = mime.parse_parts(attachment.content)
    content = body.read_body(root)
    subject = headers.decode_words(root.headers.first("subject") or "")
    return ReadResult(f"{subject}\n\n{content.text}"[:MAX_CHARACTERS], content.tables, content.attachments[:MAX_MEMBERS])


# ---------------------------------------------------------------- PDF and workbooks


def _pdf(attachment: Attachment) -> ReadResult:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(attachment.content))
    if reader.is_encrypted and not _opens_without_password(reader.decrypt):
        raise EncryptedFileError
    pages = [page.extract_text() for page in reader.pages[:MAX_PAGES]]
    fields = "\n".join(f"{name}: {value}" for name, value in (reader.get_form_text_fields() or {}).items() if value)
    return ReadResult(normalize_lines("\n\n".join((*pages, fields)))[:MAX_CHARACTERS])


def _opens_without_password(decrypt: Callable[[str], int]) -> bool:
    """Try the empty password: a file with printing restrictions only has an empty one."""
    try:
        return bool(decrypt(""))
    except Exception:  # noqa: BLE001 - an unsupported cipher is like an unknown password
        return False


def _workbook(attachment: Attachment) -> ReadResult:
    """Read the values that a workbook shows. Formulas are not evaluated, and XML entities are not resolved."""
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(attachment.content))
    except PasswordError:
        raise EncryptedFileError from None
    sheets = ((name, book.get_sheet_by_name(name)) for name in book.sheet_names[:MAX_SHEETS])
    return ReadResult(tables=_tables((name, _cells(sheet.iter_rows())) for name, sheet in sheets))


def _cells(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number >= MAX_ROWS:
            return
        yield [_cell(value) for value in row[:MAX_COLUMNS]]


def _cell(value: object) -> str:
    """Return a cell as its reader sees it: a serial number stored as a number gets no decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


# ---------------------------------------------------------------- files within files


def _zip(attachment: Attachment) -> ReadResult:
    """Read a ZIP file: a workbook as such, and an archive as its members of a supported format."""
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
        EncryptedFileError: a member is encrypted.
        ValueError: they hold more than ``MAX_UNPACKED`` bytes, whatever the directory says.
    """
    remaining = MAX_UNPACKED
    for member in members[:MAX_MEMBERS]:
        if member.flag_bits & 1:
            raise EncryptedFileError
        with package.open(member) as file:
            content = file.read(remaining + 1)
        remaining -= len(content)
        if remaining < 0:
            raise ValueError("unpacks to too much")
        yield Attachment(mime.clean_name(member.filename) or "unnamed", "application/octet-stream", content)


def _winmail(attachment: Attachment) -> ReadResult:
    """Read Outlook's winmail.dat (TNEF): the body and the attachments."""
    from tnefparse import TNEF

    packed = TNEF(attachment.content, do_checksum=False)
    within = tuple(
        Attachment(mime.clean_name(_as_text(file.long_filename())) or "unnamed", "application/octet-stream", bytes(file.data))
        for file in packed.attachments[:MAX_MEMBERS]
    )
    text = normalize_lines(_as_text(packed.body or b""))
    page = html.read_html(_as_text(packed.htmlbody or b"")) if not text.strip() else html.HtmlText(text)
    return ReadResult(page.text.strip()[:MAX_CHARACTERS], page.tables, within)


def _as_text(value: object) -> str:
    """Return a property as text: the library returns bytes, text, or a list of one of them."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    return (decode(value) if isinstance(value, bytes) else str(value)).strip("\x00")
