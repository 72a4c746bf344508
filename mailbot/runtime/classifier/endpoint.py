"""Requests to a server with the interface of OpenAI (Ollama, vLLM, TEI, or a hosted one)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailbot.runtime.classifier.classifier import ClassifierSettings

MAX_ANSWER = 20_000_000
"""Maximum size of an answer, in bytes."""


class EndpointError(Exception):
    """The server cannot be used. The text names it, never the key."""


def post(settings: ClassifierSettings, path: str, body: dict[str, Any]) -> Any:
    """Send a JSON request and return the JSON answer.

    Raises EndpointError: the server cannot be reached, refuses, or answers with something other than JSON.
    """
    url = f"{settings.url.rstrip('/')}/{path}"
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {settings.key}"} if settings.key else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the settings allow only http(s)
    try:
        with urllib.request.urlopen(request, timeout=settings.timeout) as response:  # noqa: S310 - as above
            return json.loads(response.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        raise EndpointError(f"{url}: the server answers {error.code}. Check url, model and key in [reading].") from None
    except (OSError, ValueError) as error:
        raise EndpointError(f"{url}: {type(error).__name__}. Check that the server runs and that url is right.") from None
