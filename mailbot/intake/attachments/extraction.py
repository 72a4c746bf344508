"""The contents of the attachments of a message, as Documents, within limits.

An attachment that cannot be read gives an empty Document with a note. Parsing a file from an unknown sender relies on
libraries that may loop or use up memory; ``risky`` identifies those files. The functions here parse all files in this
process; the runtime passes a ``look`` of its own that does it in a separate process with limits.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mailbot.intake.attachments import formats
from mailbot.mail.mime import UnreadableError
from mailbot.model import Attachment, Document, Table, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_ATTACHMENTS = 20
"""The maximum number of attachments of one message that are opened, including those inside others."""

MAX_DEPTH = 3
"""The maximum nesting depth at which attachments are opened."""

MAX_SIZE = 10_000_000
"""The maximum size in bytes of an attachment that is read."""

MAX_TEXT, MAX_CELLS, MAX_CELL = 400_000, 100_000, 1_000
"""Limits for all attachments of a message: characters of text, cells of tables, and characters of one cell."""

MAX_UNPACKED = 30_000_000
"""The maximum total size in bytes of attachments found inside others."""

PROGRAM_NOTE = "a program, not a document"
UNREADABLE_NOTE = "could not be read"
TRUNCATED_NOTE = "only its beginning was read"


class OpenedAttachment(Value, frozen=True):
    """The content of one attachment, and the attachments inside it (archive, winmail.dat, attached message)."""

    document: Document
    within: tuple[Attachment, ...] = ()


class AttachmentContents(Value, frozen=True):
    """The contents of the attachments of a message, and the attachments found inside them."""

    documents: tuple[Document, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def look(attachment: Attachment) -> OpenedAttachment:
    """Open one attachment in this process; any error gives an empty Document with a note."""
    file_format = formats.detect(attachment)
    if file_format is None:
        return OpenedAttachment(Document(attachment.name))
    try:
        read = file_format.read(attachment)
    except formats.EncryptedFileError:
        note = "encrypted"
    except UnreadableError as error:
        note = error.reason
    except Exception:  # noqa: BLE001 - a library parses an untrusted file here; no exception may stop the message
        note = UNREADABLE_NOTE
    else:
        return OpenedAttachment(Document(attachment.name, read.text, read.tables), read.within)
    return OpenedAttachment(Document(attachment.name, note=note))


def risky(attachment: Attachment) -> bool:
    """Return whether this file is parsed by a library that a hostile file may crash or hang."""
    file_format = formats.detect(attachment)
    return file_format is not None and file_format.risky


def is_program(attachment: Attachment) -> bool:
    """Return whether an attachment is a program, whatever its name."""
    return attachment.content.startswith(formats.PROGRAM_SIGNATURES) and not formats.is_text(attachment)


def contents(attachments: Sequence[Attachment], look: Callable[[Attachment], OpenedAttachment] = look) -> AttachmentContents:
    """Open the attachments of a message and those inside them, level by level, within the limits above.

    Args:
        attachments: the attachments in order. Pictures and other unsupported files give no Document.
        look: opens one attachment.
    """
    allowance = _Allowance()
    documents: list[Document] = []
    within: list[Attachment] = []
    queue = deque((attachment, 1) for attachment in attachments)
    opened_count = skipped_count = 0
    while queue:
        attachment, depth = queue.popleft()
        program = is_program(attachment)
        if not program and formats.detect(attachment) is None:
            continue
        if opened_count == MAX_ATTACHMENTS:
            skipped_count += 1
            continue
        opened_count += 1
        if program:
            documents.append(Document(attachment.name, note=PROGRAM_NOTE))
        elif len(attachment.content) > MAX_SIZE:
            documents.append(Document(attachment.name, note=f"too large to be read ({len(attachment.content)} bytes)"))
        else:
            found = allowance.cut(look(attachment))
            documents.append(found.document)
            within += found.within
            if depth < MAX_DEPTH:
                queue.extend((inner, depth + 1) for inner in found.within)
    if skipped_count:
        documents.append(
            Document("", note=f"the first {MAX_ATTACHMENTS} attachments were looked at, {skipped_count} more were not")
        )
    return AttachmentContents(tuple(documents), tuple(within))


class _Allowance:
    """The remaining part of ``MAX_TEXT``, ``MAX_CELLS``, and ``MAX_UNPACKED``."""

    def __init__(self) -> None:
        self.text, self.cells, self.within = MAX_TEXT, MAX_CELLS, MAX_UNPACKED

    def cut(self, found: OpenedAttachment) -> OpenedAttachment:
        """Cut an opened attachment to the remaining allowance, and subtract it."""
        document = found.document
        text = document.text[: self.text]
        self.text -= len(text)
        tables = tuple(map(self._table, document.tables))
        within = tuple(self._within(found.within))
        if (text, tables, within) == (document.text, document.tables, found.within):
            return found
        return OpenedAttachment(Document(document.name, text, tables, document.note or TRUNCATED_NOTE), within)

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
            rows.append(tuple(cell[:MAX_CELL] for cell in row))
        return Table(tuple(rows), table.source)
