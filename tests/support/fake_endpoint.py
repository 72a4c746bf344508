"""A server on this machine with the interface of OpenAI, and faults by name: for the tests of endpoints."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DIMENSIONS = 16


class Endpoint:
    """What the server does and has seen. ``said``: the class that the chat answers for a sentence; default: courtesy."""

    def __init__(self) -> None:
        self.fault = ""
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.said: dict[str, str] = {}
        self.url = self.elsewhere = ""

    def answer(self, path: str, body: Any) -> tuple[int, bytes]:
        if self.fault == "slow":
            time.sleep(3)
        if self.fault == "delay":
            time.sleep(0.4)
        if self.fault.isdigit():
            return int(self.fault), b"{}"
        if self.fault == "no json":
            return 200, b"<html>busy</html>"
        found = self._vectors(body) if path.endswith("/embeddings") else self._chat(body)
        return 200, json.dumps(found).encode()

    def _vectors(self, body: Any) -> dict[str, Any]:
        texts = body["input"][:-1] if self.fault == "count" else body["input"]
        rows = [{"index": index, "embedding": _vector(text)} for index, text in enumerate(texts)]
        if self.fault == "index":
            rows[0]["index"] = 1
        if self.fault == "nan":
            rows[0]["embedding"][0] = float("nan")
        return {"data": rows[::-1] if self.fault == "order" else rows}

    def _chat(self, body: Any) -> dict[str, Any]:
        sentence = json.loads(body["messages"][1]["content"])["sentence"]
        label = self.said.get(sentence, "courtesy")
        content = {"text": f"Sure! It is {label}.", "extra": json.dumps({"class": label, "why": "x"})}.get(
            self.fault, json.dumps({"class": label})
        )
        return {"choices": [{"message": {"content": content}}]}


def _vector(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSIONS]]


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Run the server while the block runs."""
    seen = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.requests.append((self.path, dict(self.headers), body))
            status, content = seen.answer(self.path, body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", seen.elsewhere)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
