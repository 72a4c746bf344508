"""Mail to Message: parsed, with the contents of its attachments and the strings that may be serial numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mailbot.intake.attachments.extraction import AttachmentContents, contents
from mailbot.intake.entities.lookup_keys import lookup_keys
from mailbot.intake.text.sentences import sentences, tidy
from mailbot.mail.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Attachment, Mail, Message


def read_message(mail: Mail, desk: Desk, open_: Callable[[Sequence[Attachment]], AttachmentContents] = contents) -> Message:
    """Read an email that arrived at a desk. Files that ``open_`` finds inside attachments are added to the message.

    Raises:
        mailbot.mail.parse.UnreadableError: the email exceeds the limits or does not contain its content.
    """
    message = parse(
        mail.raw,
        mailbox=mail.mailbox,
        arrived_at=mail.arrived_at,
        ours=(desk.address, *desk.aliases),
        trusted_authserv_id=desk.trusted_authserv_id,
        profile=desk.authentication_results,
    )
    if message.classification.sender_class == "human":
        opened = open_(message.attachments)
        message = msgspec.structs.replace(
            message, documents=opened.documents, attachments=(*message.attachments, *opened.attachments)
        )
    return msgspec.structs.replace(message, codes=lookup_keys(_searchable_texts(message), desk))


def _searchable_texts(message: Message) -> Iterator[str]:
    """Yield every line and cell of a message, new text first, so that the limit on lookups cuts less important text."""
    yield tidy(message.subject)
    yield from sentences(message.visible)  # a range may be wrapped over two lines
    for text in (message.visible, *(document.text for document in message.documents), message.quoted):
        yield from tidy(text).split("\n")
    for table in (*message.tables, *(table for document in message.documents for table in document.tables)):
        yield from (tidy(cell) for row in table.rows for cell in row)
    for attachment in message.attachments:
        yield tidy(attachment.name)
