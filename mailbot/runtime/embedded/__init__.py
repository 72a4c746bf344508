"""Mail servers in this process, on loopback, for the demo and the tests: pymap for IMAP, aiosmtpd for SMTP.

They keep everything in memory and live as long as their ``async with`` block. What arrives by SMTP for an address that
has a mailbox here is put into its INBOX with the trace headers of a real server; everything else is "out in the world"
and can be looked at in ``SmtpServer.received``.
"""

from mailbot.runtime.embedded.imap_server import HOST, ImapServer, imap_server
from mailbot.runtime.embedded.smtp_server import (
    DROP,
    KEEP_AND_DROP,
    Moment,
    ReceivedMail,
    SmtpServer,
    from_domain,
    smtp_server,
    traced,
    without_detail,
)

__all__ = [
    "DROP",
    "HOST",
    "KEEP_AND_DROP",
    "ImapServer",
    "Moment",
    "ReceivedMail",
    "SmtpServer",
    "from_domain",
    "imap_server",
    "smtp_server",
    "traced",
    "without_detail",
]
