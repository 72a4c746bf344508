"""Intake against emails as people write them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailbot.model import Message, Request

Understood = Callable[..., tuple[Message, Request]]
HERE = Path(__file__).parent
EMAILS: list[dict[str, Any]] = tomllib.loads((HERE / "mails.toml").read_text("utf-8"))["mail"]

TOLD: list[dict[str, Any]] = tomllib.loads((HERE / "told.toml").read_text("utf-8"))["told"]


def raw(mail: dict[str, Any]) -> bytes:
    letter = EmailMessage()
    letter["From"] = mail.get("from", "kim@acme.example")
    letter["To"] = "rma@maker.example"
    letter["Subject"] = mail.get("subject", "RMA")
    letter["Message-ID"] = "<1@acme.example>"
    if mail.get("re"):
        letter["In-Reply-To"] = "<0@maker.example>"
    body = mail["body"]
    if "quoted" in mail:
        quoted = "\n".join(f"> {line}" for line in mail["quoted"].split("\n"))
        body = f"{body}\n\nOn Mon, 16 Nov 2026 at 18:02, RMA <rma@maker.example> wrote:\n{quoted}\n"
    letter.set_content(body)
    if "csv" in mail:
        letter.add_attachment(mail["csv"].encode(), maintype="text", subtype="csv", filename="list.csv")
    return letter.as_bytes()


@pytest.mark.parametrize("mail", EMAILS, ids=[mail["says"] for mail in EMAILS])
def test_an_email_is_understood(mail: dict[str, Any], understood: Understood) -> None:
    """Kind, wish, units, what is missing and what is excluded are read from an email as a person would."""
    _, request = understood(raw(mail), mail.get("known", ()))
    got = {
        "kind": request.kind,
        "intent": request.intent,
        "items": [unit.serial for unit in request.units],
        "missing": list(request.missing),
        "exclusions": list(request.exclusions),
        "language": request.language,
        "vague": request.vague,
    }
    wanted = {
        "kind": mail.get("kind", "request"),
        "intent": mail.get("intent", "repair"),
        "items": mail.get("items", []),
        "missing": mail.get("missing", []),
        "exclusions": mail.get("exclusions", []),
        "language": mail.get("language", "en"),
        "vague": mail.get("vague", False),
    }
    assert got == wanted, request
    assert any(unit.unsure for unit in request.units) == mail.get("unsure", False)
    for name in ("po_number", "support_case"):
        assert getattr(request, name) == mail.get(name)
    if "wishes" in mail:
        assert list(request.special_requests) == mail["wishes"]
    told = " ".join((request.reason, *(unit.reason for unit in request.units)))
    assert mail.get("reason", "") in told


@pytest.mark.parametrize("told", TOLD, ids=[told["body"] for told in TOLD])
def test_what_was_done_to_a_unit_is_heard(told: dict[str, Any], understood: Understood) -> None:
    """An admitted drop, spill, surge, misuse, change or damage in shipment is heard; a denied one is not."""
    mail = {"subject": "RMA", "body": told["body"].format(serial="AH2F104432")}
    _, request = understood(raw(mail), ["AH2F104432"])
    assert [unit.serial for unit in request.units] == ["AH2F104432"]
    assert list(request.exclusions) == told["exclusions"]
    assert request.intent == told.get("intent", "repair")
    assert request.reason
    assert not request.missing
