"""What the attachments of a mail say: each a Document, within bounds; what cannot be read is an empty one that says why.

Reading a stranger's file is left to libraries that may loop or fill the memory; ``risky`` names those kinds. Here they are
read where they stand; the shell hands in a ``look`` of its own that does it in a process with limits.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mailbot.intake.attachments import formats
from mailbot.intake.attachments.formats import ROWS, separated
from mailbot.mail.mime import UnreadableError
from mailbot.model import Attachment, Document, Table, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["ROWS", "AttachmentContents", "OpenedAttachment", "contents", "is_program", "look", "risky", "separated"]

MOST = 20
"""Attachments of one mail that are looked at, those within others included."""

DEPTH = 3
"""Levels of attachments within attachments that are opened."""

LARGEST = 10_000_000
"""Bytes of one attachment that are read."""

TEXT, CELLS, CELL = 400_000, 100_000, 1_000
"""Bounds of what all attachments of a mail may say: characters of text, cells of tables, characters of a cell."""

WITHIN = 30_000_000
"""Bytes of all attachments that are found within others."""

PROGRAM = "a program, not a document"
UNREADABLE = "could not be read"
BEGINNING = "only its beginning was read"


class OpenedAttachment(Value, frozen=True):
    """What one attachment says, and the attachments within it (an archive, winmail.dat, an attached mail)."""

    document: Document
    within: tuple[Attachment, ...] = ()


class AttachmentContents(Value, frozen=True):
    """What the attachments of a mail say, and the attachments that were found within them."""

    documents: tuple[Document, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def look(attachment: Attachment) -> OpenedAttachment:
    """Open one attachment here; whatever goes wrong, it is an empty Document that says so."""
    kind = formats.of(attachment)
    if kind is None:
        return OpenedAttachment(Document(attachment.name))
    try:
        read = kind.read(attachment)
    except formats.EncryptedFileError:
        note = "encrypted"
    except UnreadableError as error:
        note = error.reason
    except Exception:  # noqa: BLE001 - a library meets a stranger's file here: whatever it raises, the mail goes on
        note = UNREADABLE
    else:
        return OpenedAttachment(Document(attachment.name, read.text, read.tables), read.within)
    return OpenedAttachment(Document(attachment.name, note=note))


def risky(attachment: Attachment) -> bool:
    """Say whether a library reads this kind that a hostile file may break."""
    kind = formats.of(attachment)
    return kind is not None and kind.risky


def is_program(attachment: Attachment) -> bool:
    """Say whether an attachment is a program, whatever it is called."""
    return attachment.content.startswith(formats.PROGRAMS) and not formats.is_text(attachment)


def contents(
    attachments: Sequence[Attachment], look: Callable[[Attachment], OpenedAttachment] = look
) -> AttachmentContents:
    """Open the attachments of a mail and what is within them, level by level, within the bounds above.

    Args:
        attachments: as they stand in the mail. Pictures and other kinds that are not read give no Document.
        look: opens one.
    """
    rest = _Allowance()
    documents: list[Document] = []
    within: list[Attachment] = []
    waiting = deque((attachment, 1) for attachment in attachments)
    looked = passed = 0
    while waiting:
        attachment, depth = waiting.popleft()
        program = is_program(attachment)
        if not program and formats.of(attachment) is None:
            continue
        if looked == MOST:
            passed += 1
            continue
        looked += 1
        if program:
            documents.append(Document(attachment.name, note=PROGRAM))
        elif len(attachment.content) > LARGEST:
            documents.append(Document(attachment.name, note=f"too large to be read ({len(attachment.content)} bytes)"))
        else:
            found = rest.of(look(attachment))
            documents.append(found.document)
            within += found.within
            if depth < DEPTH:
                waiting.extend((inner, depth + 1) for inner in found.within)
    if passed:
        documents.append(Document("", note=f"the first {MOST} attachments were looked at, {passed} more were not"))
    return AttachmentContents(tuple(documents), tuple(within))


class _Allowance:
    """What may still be said of ``TEXT`` and ``CELLS``, and unpacked of ``WITHIN``."""

    def __init__(self) -> None:
        self.text, self.cells, self.within = TEXT, CELLS, WITHIN

    def of(self, found: OpenedAttachment) -> OpenedAttachment:
        """Cut what was found to what may still be said and unpacked."""
        document = found.document
        text = document.text[: self.text]
        self.text -= len(text)
        tables = tuple(self._table(table) for table in document.tables)
        within = tuple(self._within(found.within))
        if (text, tables, within) == (document.text, document.tables, found.within):
            return found
        return OpenedAttachment(Document(document.name, text, tables, document.note or BEGINNING), within)

    def _within(self, attachments: Sequence[Attachment]) -> Iterator[Attachment]:
        for attachment in attachments:
            if len(attachment.content) > self.within:
                return
            self.within -= len(attachment.content)
            yield attachment

    def _table(self, table: Table) -> Table:
        rows = []
        for row in table.rows:
            if len(row) > self.cells:
                break
            self.cells -= len(row)
            rows.append(tuple(cell[:CELL] for cell in row))
        return Table(tuple(rows), table.source)
