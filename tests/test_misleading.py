"""Emails made to mislead get no number, and oddly worded good ones are mostly decided without a person.

In the first set a number would be wrong: damage is admitted indirectly, the request is denied, postponed or settled, the unit was
bought used. In the second nothing is wrong but the wording. Each is half of a larger set; the other half is not in the project.
"""

from __future__ import annotations

import json
from datetime import date
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.memory_desk import NOW, Listed, policy
from support.recorded_classes import CLASSES

from mailbot.intake.reading import read_message
from mailbot.model import Unit
from mailbot.runtime import pipeline
from mailbot.runtime.clock import Clock
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from mailbot.model import Decision

FILE = Path(__file__).parent / "data" / "misleading.jsonl"


@cache
def rows(kind: str) -> list[dict[str, Any]]:
    """The emails of one of the two sets."""
    found = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [row for row in found if row["set"] == kind]


def decided(row: dict[str, Any]) -> Decision:
    """What is decided on an email by itself."""
    units = [_unit(**covered) for covered in row["covers"]]
    context = pipeline.MailboxContext(
        policy(row["policy"]), Listed(units), open_store(), Clock(NOW), lambda: "0" * 32, classifier=CLASSES
    )
    desk = context.policy.desk
    mail = EmailMessage()
    mail["From"] = f'"{row["display"]}" <{row["from"]}>'
    mail["To"], mail["Subject"], mail["Message-ID"] = desk.address, row["subject"], f"<{row['id']}@test.example>"
    mail.set_content(row["body"])
    message = read_message(pipeline.incoming_mail(desk.address, mail.as_bytes(), NOW), desk)
    decision = pipeline.step_of(message, context)[0].decision
    assert decision is not None
    return decision


def _unit(**row: str) -> Unit:
    delivered = date.fromisoformat(row["delivered_on"])
    return Unit(row["serial"], "WADE-8013", row["family"], delivered, row["customer"], row["customer_domain"])


@pytest.mark.parametrize("row", rows("misleading"), ids=lambda row: f"{row['id']} {row['kind']}")
def test_an_email_made_to_mislead_gets_no_number(row: dict[str, Any]) -> None:
    """A unit gets a number only where a careful person would give one."""
    allowed = {serial for serial, outcomes in row["items"].items() if "issue" in outcomes}
    issued = {verdict.serial for verdict in decided(row).verdicts if verdict.outcome == "issue"}
    assert issued <= allowed


def test_oddly_worded_emails_are_mostly_decided_without_a_person() -> None:
    """At least four in five: figurative, in dialect, or with words that only sound like damage."""
    outcomes = [decided(row).outcome for row in rows("odd")]
    without = sum(outcome in ("issue", "quote", "ask") for outcome in outcomes)
    assert without >= 0.8 * len(outcomes), f"{without} of {len(outcomes)}"
