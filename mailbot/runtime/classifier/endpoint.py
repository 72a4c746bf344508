"""Requests to a server with the interface of OpenAI (Ollama, vLLM, TEI, or a hosted one)."""

from __future__ import annotations

import http.client
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


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would send the key and the sentences to another server."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing, so that the redirect is an error."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def post(settings: ClassifierSettings, path: str, body: dict[str, Any], seconds: float) -> Any:
    """Send a JSON request and return the JSON answer. ``seconds``: the timeout, if it is shorter than that of the settings.

    Raises EndpointError: the server cannot be reached, refuses, or answers with something other than JSON.
    """
    url = f"{settings.url.rstrip('/')}/{path}"
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {settings.key}"} if settings.key else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the settings allow only http(s)
    try:
        with _OPENER.open(request, timeout=max(0.01, min(seconds, settings.timeout))) as response:
            return json.loads(response.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        error.close()
        raise EndpointError(f"{url}: the server answers {error.code}. Check url, model and key in [reading].") from None
    except (OSError, ValueError, http.client.HTTPException, RecursionError) as error:
        raise EndpointError(f"{url}: {type(error).__name__}. Check that the server runs and that url is right.") from None
