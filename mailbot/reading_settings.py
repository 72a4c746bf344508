"""The table [reading] of mailbot.toml: what classifies the sentences of emails."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from mailbot.runtime.classifier.classifier import Kind
from mailbot.runtime.servers import Server, trusted_without_tls
from mailbot.strict_toml import TomlTable


class ReadingTable(TomlTable, frozen=True):
    """[reading]: what classifies the sentences that phrases leave open.

    ``classifier``: "local": a language model on this machine. "embeddings", "chat": a server with the interface of OpenAI at
    ``url``; the customers' sentences are sent to it. "phrases": none. ``key_env``: the environment variable with the key of the
    server. ``certainty``: the probability, 0.5 to 0.99, from which on a class is certain. ``timeout``: seconds that an email may
    wait for the server.
    """

    classifier: Kind = "local"
    url: str = ""
    model: str = ""
    key_env: str = ""
    certainty: float = 0.83
    timeout: float = 10.0


def reading_problems(table: ReadingTable) -> Iterator[str]:
    """Yield what the types cannot check, and how to fix it."""
    at_server = table.classifier in ("embeddings", "chat")
    if at_server and not (table.url and table.model):
        yield f'classifier = "{table.classifier}" needs url and model, such as url = "http://127.0.0.1:11434/v1".'
    if not at_server and (table.url or table.model or table.key_env):
        yield f'url, model and key_env have no effect with classifier = "{table.classifier}". Delete them.'
    parts = urlsplit(table.url)
    if table.url and (parts.scheme not in ("http", "https") or not parts.hostname):
        yield f"url: {table.url!r} is not a web address. Use one such as https://example.com/v1."
    elif parts.scheme == "http" and not trusted_without_tls(
        Server(host=parts.hostname or "", port=parts.port or 80, security="none")
    ):
        yield "url: http is allowed on this machine only. Use https."
    if not 0.5 <= table.certainty <= 0.99:  # noqa: PLR2004 - as the text says
        yield f"certainty: {table.certainty} is not from 0.5 to 0.99."
    if not 0 < table.timeout <= 120:  # noqa: PLR2004 - as the text says
        yield f"timeout: {table.timeout} is not from 0 to 120 seconds."
