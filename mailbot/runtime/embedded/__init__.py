"""In-process mail servers on loopback, for the demo and the tests: pymap for IMAP, aiosmtpd for SMTP.

They keep everything in memory and run as long as their ``async with`` block. An email sent by SMTP to an address with a mailbox
here is delivered to its INBOX, with the trace headers of a real server. All emails sent are in ``SmtpServer.received``.
"""

from mailbot.runtime.embedded.imap_server import HOST, ImapServer, imap_server
from mailbot.runtime.embedded.smtp_server import ReceivedMail, SmtpServer, from_domain, smtp_server, without_detail

__all__ = ["HOST", "ImapServer", "ReceivedMail", "SmtpServer", "from_domain", "imap_server", "smtp_server", "without_detail"]
