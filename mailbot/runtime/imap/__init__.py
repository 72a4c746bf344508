"""IMAP: the connection and the mailbox that email is fetched from."""
