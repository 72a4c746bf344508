"""The world: mailbox (IMAP), outbox (SMTP), stores, registry, clock, daemon."""
