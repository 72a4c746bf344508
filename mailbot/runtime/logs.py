"""Logging: one record per line on standard error. Untrusted text is escaped; secrets are never logged."""

from __future__ import annotations

import json
import logging
import sys
import unicodedata
from typing import Any

import structlog

_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode
_ESCAPED = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def configure(level: int = logging.INFO) -> None:
    """Log to standard error: readable text on a terminal, JSON otherwise."""
    terminal = sys.stderr.isatty()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its messages about broken PDFs are noise
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _escape,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(lambda record, **_: _encode(record)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _escape(_logger: Any, _method: str, record: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: escaped(value) if isinstance(value, str) else value for key, value in record.items()}


def escaped(text: str) -> str:
    """Return the text on one line, with control, format and direction characters as escape sequences."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c) not in _ESCAPED else c.encode("unicode_escape").decode() for c in text)


def as_json(value: Any, indent: int | None = None) -> str:
    """Return JSON in which only control, format and direction characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(json.dumps(c)[1:-1] if c != "\n" and unicodedata.category(c) in _ESCAPED else c for c in text)
