"""What the tests of intake share: the word lists, a desk, and an email taken through reading and understanding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support.recorded_classes import CLASSES

from mailbot.intake.desk import Desk
from mailbot.intake.entities.serials import serial_key
from mailbot.intake.message_content import MessageContent
from mailbot.intake.reading import read_message
from mailbot.intake.statements.conclusions import open_sentences
from mailbot.intake.statements.word_lists import WordLists, load
from mailbot.intake.understand import understand
from mailbot.model import Mail, Message, Request, Snapshot, StaffMember, Unit

Understood = Callable[..., tuple[Message, Request]]


@pytest.fixture(scope="session")
def words() -> WordLists:
    folder = Path(__file__).parents[2] / "rules" / "words"
    return load({path.stem: path.read_text("utf-8") for path in folder.glob("*.toml")})


@pytest.fixture(scope="session")
def desk(words: WordLists) -> Desk:
    return Desk(
        "rma@maker.example",
        words,
        staff=(StaffMember("desk@maker.example", ("desk",)),),
        serial_forms=(r"A[A-Z]\d[A-Z0-9]\d{6}", r"PDU\d{4}-?\d{7}", r"\d{10}", r"\d{7}"),
        model_forms=(r"NB-\d+",),
    )


def unit(serial: str) -> Unit:
    return Unit(serial, "NB-1", "ipc", date(2026, 1, 1), "Acme", "acme.example")


@pytest.fixture(scope="session")
def understood(desk: Desk) -> Understood:
    """An email, as bytes, read and understood by a desk whose registry knows these serials."""

    def take(raw: bytes, known: tuple[str, ...] | list[str] = ()) -> tuple[Message, Request]:
        message = read_message(Mail(desk.address, raw, datetime(2026, 11, 20, tzinfo=UTC)), desk)
        registry = {serial_key(serial): unit(serial) for serial in known}
        units = {code: registry[code] for code in message.codes if code in registry}
        classes = CLASSES.classify(open_sentences(MessageContent(message, None, units, desk)))
        return message, understand(message, None, Snapshot(units=units, classes=classes), desk)

    return take
