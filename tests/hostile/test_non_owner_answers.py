"""What looks like something else: domains, serials, names."""

from __future__ import annotations

import pytest
from support.memory_desk import Desk, letter, unit

DESK = "rma.desk@portwell.example"


@pytest.mark.parametrize(
    "sender",
    [
        "rma.desk@p\u043ertwell.example",  # a Cyrillic o
        "rma.desk@xn--prtwell-6ig.example",
        "rma.desk@portwell.example.evil.example",
        "rma.desk@portwe11.example",
        "rma.desk\u200b@portwell.example",
        "rma.d\u0435sk@portwell.example",
        "rma.desk@\uff50ortwell.example",
        "\u202erma.desk@portwell.example",
        '"rma.desk@portwell.example" <x@evil.example>',
        "=?utf-8?q?rma.desk=40portwell.example?= <x@evil.example>",
        "rma.desk@portwell.example\u0000@evil.example",
    ],
)
def test_U1_a_domain_that_looks_like_ours_is_not_staff(sender: str) -> None:
    """An address that only looks like a colleague's is a stranger's."""
    raw = letter("APPROVE").replace(b"From: kim@acme.example", f"From: {sender}".encode())
    step = Desk().take(raw)
    assert b"From: kim@acme.example" not in raw
    assert step.record
    assert step.record.kind != "staff"
    assert step.after is None or step.after.number is None


def test_U1_a_colleagues_own_address_is_staff() -> None:
    """Capitals make no difference."""
    assert Desk().write("Noted, thanks.", "RMA.Desk@Portwell.example").record.kind == "staff"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "written",
    [
        "ＡＨ２Ｆ１０４４３２",
        "AH2F\u200b104432",
        "A\u200dH2F104432\ufeff",
        "AH2F\u00ad104432",
        "ah2f104432",
        "AH2F-104432",
        "AH2F 104 432",
        "𝐀𝐇𝟐𝐅𝟏𝟎𝟒𝟒𝟑𝟐",
    ],
)
def test_U2_another_form_of_the_same_characters_is_the_same_serial(written: str) -> None:
    """Full width, mathematical letters, invisible characters, hyphens and blanks do not hide a serial."""
    step = Desk(units=[unit("AH2F104432", "ipc")]).write(f"Serial number {written} shows no video since Monday.")
    assert step.after
    assert [item.serial for item in step.after.units] == ["AH2F104432"]
    assert step.after.number


@pytest.mark.parametrize(
    "written", ["\u0410H2F104432", "A\u041d2F104432", "AH2F1O4432", "AH2FI04432", "AH2F\u0661\u0660\u0664\u0664\u0663\u0662"]
)
def test_U2_a_look_alike_is_not_quietly_corrected(written: str) -> None:
    """A Cyrillic letter or an O for a zero gives no number away: the customer is asked, or a person looks."""
    step = Desk(units=[unit("AH2F104432", "ipc")]).write(f"Serial number {written} shows no video since Monday.")
    assert step.decision
    assert step.decision.outcome in {"ask", "staff"}
    assert step.after is None or step.after.number is None
