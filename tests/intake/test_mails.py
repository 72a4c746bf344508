"""Intake against mails as people write them."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailbot.intake.desk import Desk
from mailbot.intake.read import read
from mailbot.intake.serials import fold
from mailbot.intake.understand import understand
from mailbot.intake.words import Words, load
from mailbot.model import Known, Mail, Message, Request, Staff, Unit

HERE = Path(__file__).parent
MAILS: list[dict[str, Any]] = tomllib.loads((HERE / "mails.toml").read_text("utf-8"))["mail"]

TOLD: list[dict[str, Any]] = tomllib.loads((HERE / "told.toml").read_text("utf-8"))["told"]


@pytest.fixture(scope="session")
def words() -> Words:
    folder = HERE.parents[1] / "rules" / "words"
    return load({path.stem: path.read_text("utf-8") for path in folder.glob("*.toml")})


@pytest.fixture(scope="session")
def desk(words: Words) -> Desk:
    return Desk(
        "rma@maker.example",
        words,
        staff=(Staff("desk@maker.example", ("desk",)),),
        serial_forms=(r"A[A-Z]\d[A-Z0-9]\d{6}", r"PDU\d{4}-?\d{7}", r"\d{10}", r"\d{7}"),
        model_forms=(r"NB-\d+",),
    )


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


def unit(serial: str) -> Unit:
    return Unit(serial, "NB-1", "ipc", date(2026, 1, 1), "Acme", "acme.example")


def understood(mail: dict[str, Any], desk: Desk) -> tuple[Message, Request]:
    message = read(Mail(desk.address, raw(mail), datetime(2026, 11, 20, tzinfo=UTC)), desk)
    registry = {fold(serial): unit(serial) for serial in mail.get("known", ())}
    known = Known(units={code: registry[code] for code in message.codes if code in registry})
    return message, understand(message, None, known, desk)


@pytest.mark.parametrize("mail", MAILS, ids=[mail["says"] for mail in MAILS])
def test_a_mail_is_understood(mail: dict[str, Any], desk: Desk) -> None:
    """Kind, wish, units, what is missing and what is excluded are read from a mail as a person would."""
    _, request = understood(mail, desk)
    got = {
        "kind": request.kind,
        "intent": request.intent,
        "items": [item.serial for item in request.items],
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
    for name in ("po_number", "support_case"):
        assert getattr(request, name) == mail.get(name)
    if "wishes" in mail:
        assert list(request.wishes) == mail["wishes"]
    told = " ".join((request.reason, *(item.reason for item in request.items)))
    assert mail.get("reason", "") in told


@pytest.mark.parametrize("told", TOLD, ids=[told["body"] for told in TOLD])
def test_what_was_done_to_a_unit_is_heard(told: dict[str, Any], desk: Desk) -> None:
    """An admitted drop, spill, surge, misuse, change or damage in shipment is heard; a denied one is not."""
    mail = {"subject": "RMA", "body": told["body"].format(serial="AH2F104432"), "known": ["AH2F104432"]}
    _, request = understood(mail, desk)
    assert [item.serial for item in request.items] == ["AH2F104432"]
    assert list(request.exclusions) == told["exclusions"]
    assert request.intent == told.get("intent", "repair")
    assert request.reason
    assert not request.missing
