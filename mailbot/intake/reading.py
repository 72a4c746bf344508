"""Mail -> Message: parsed, with what its attachments say and the strings that may be serials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mailbot.intake.attachments.extraction import AttachmentContents, contents
from mailbot.intake.entities.lookup_keys import codes
from mailbot.intake.text.sentences import sentences, tidy
from mailbot.mail.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailbot.intake.desk import Desk
    from mailbot.model import Attachment, Mail, Message


def read_message(
    mail: Mail, desk: Desk, open_: Callable[[Sequence[Attachment]], AttachmentContents] = contents
) -> Message:
    """Read a mail as it arrived at a desk.

    Args:
        mail: the mail.
        desk: the desk.
        open_: opens the attachments; what they hold themselves (an archive, winmail.dat) is attached to the message too.

    Raises:
        mailbot.mail.parse.Unreadable: the mail is beyond the bounds or has no content here.
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
        found = open_(message.attachments)
        message = msgspec.structs.replace(
            message, documents=found.documents, attachments=(*message.attachments, *found.attachments)
        )
    return msgspec.structs.replace(message, codes=codes(_texts(message), desk))


def _texts(message: Message) -> Iterator[str]:
    """Every line and cell of a mail, the new text first: a cap on look-ups must not cost the request itself."""
    yield tidy(message.subject)
    yield from sentences(message.visible)  # a range may be broken by the end of a line
    for text in (message.visible, *(document.text for document in message.documents), message.quoted):
        yield from tidy(text).split("\n")
    for table in (*message.tables, *(table for document in message.documents for table in document.tables)):
        yield from (tidy(cell) for row in table.rows for cell in row)
    for attachment in message.attachments:
        yield tidy(attachment.name)
