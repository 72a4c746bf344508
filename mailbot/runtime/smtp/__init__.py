"""SMTP: the outbox, the only place that sends."""
