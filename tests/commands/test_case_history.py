"""`mailbot cases` on whole lives: everything that happened is told, in 80 columns, and no secret is."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from mailbot.commands import case_history
from mailbot.model import Case, Price, ShipmentNotice, Step
from mailbot.rehearsal.conversation_file import load
from mailbot.rehearsal.player import play, policy_of
from mailbot.runtime import logs
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Done

    Mailbot = Callable[..., Done]

LIVES = Path(__file__).parents[1] / "conversations"
CHARGED = "american-portwell/full-life-out-of-warranty.toml"
WIDTH = 80


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logs.configure(logging.ERROR)


@cache
def lived(name: str) -> Case:
    """The case of a conversation when it is over."""
    file = LIVES / name
    script = load(file)
    played = play(script, policy_of(script, Resources.at()), file.parent)
    assert played.failure is None, played.failure
    case = played.steps[-1].case
    assert case is not None
    return case


def told(case: Case) -> str:
    return "\n".join(case_history.laid_out(case_history.case_history(case), case_history.secrets(case)))


def flat(case: Case) -> str:
    return " ".join(told(case).split())


def stored(desk: Path, *cases: Case) -> None:
    store = open_store(f"tinydb:{desk / 'state'}")
    for case in cases:
        store.stage(Step(None, None, case))
    store.commit()
    store.close()


def test_a_whole_life_is_told() -> None:
    """Quote, order, number, receipt, repair, shipment and end stand in the story, each with who did it and by which clause."""
    case = lived(CHARGED)
    text = flat(case)
    [quote] = case.quotes
    assert case.number
    for piece in (
        f"{case.id}: closed, {case.number.text} valid until 2026-12-24",
        "the number was given by rule AP-17",
        f"quote {quote.number}: USD 150.00, valid until",
        f"ordered by {quote.order}",
        f"purchase order {quote.order} over USD 150.00 for {quote.number}",
        "attached: PO-4711.pdf",
        "received 2026-11-30; repair due 2026-12-14",
        "paid by the customer; shipped back 2026-12-04",
        "staff: our mail server vouches for it",
        '"RECEIVED" done for AH2F104432 (AP-25, AP-26)',
        "sent back: FedEx Ground 794612345678",
        "sent to kim@acme.example: progress shipped",
        "came due: close:end:",
        "policy: american-portwell",
    ):
        assert piece in text, piece


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        (
            "american-portwell/parts-quote-of-the-desk-approved.toml",
            ["parts quote Q-", "put before a second approver for AH2F104432: above the limit"],
        ),
        ("server-technology/unproven-approval-is-asked-about.toml", ["to be confirmed first", "nothing shows that"]),
        ("server-technology/delivery-address-before-the-number.toml", ["to be sent to: "]),
        ("server-technology/shipped-before-received.toml", ["refused: no unit is in a state for it"]),
    ],
    ids=["second approver", "confirmation", "address", "too early"],
)
def test_what_became_of_a_command_is_told(name: str, pieces: list[str]) -> None:
    """Done, refused and why, to be confirmed, or waiting for a second approver: each command says its end."""
    text = flat(lived(name))
    assert [piece for piece in pieces if piece not in text] == []


def test_what_stands_open_is_told() -> None:
    """Credit and fee, parcels and a customer that cannot be reached are told too."""
    case = structs.replace(
        lived(CHARGED),
        credit=Price(amount=lived(CHARGED).quotes[0].total, currency="USD"),
        fee=Price(amount=lived(CHARGED).quotes[0].total, currency="USD"),
        inbound=ShipmentNotice("UPS", "1Z999AA10123456784"),
        unreachable=True,
    )
    text = flat(case)
    for piece in (
        "credit approved: USD 150.00",
        "fee that goes with it: USD 150.00",
        "on its way to us: UPS 1Z999AA10123456784",
        "reminders have stopped",
    ):
        assert piece in text, piece


WHOLE = [
    *(str(file.relative_to(LIVES)) for file in sorted(LIVES.glob("*/*life*.toml"))),
    "server-technology/several-units-part-by-part.toml",
]


@pytest.mark.parametrize("name", WHOLE)
def test_a_story_is_readable_in_80_columns(name: str) -> None:
    """No line is wider than a terminal, whatever a case has been through."""
    assert [line for line in told(lived(name)).splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("name", ["server-technology/unproven-approval-is-asked-about.toml", CHARGED])
def test_no_token_is_ever_shown(mailbot: Mailbot, desk: Path, name: str) -> None:
    """What lets a colleague decide by answering a mail stands in no output: not in the story, not in JSON (promise 5)."""
    case = lived(name)
    secrets = case_history.secrets(case)
    assert secrets
    stored(desk, case)
    for words in (["show", case.id], ["show", "--json", case.id], ["list", "--all", "--json"], ["export", "--json"]):
        done = mailbot("cases", *words)
        assert done.code == 0, done.err
        assert [secret for secret in secrets if secret in done.out] == []
    shown = json.loads(mailbot("cases", "show", "--json", case.id).out)
    assert "tokens" not in shown
    assert not re.search(r"rma\+c-", json.dumps([r["raw"] for r in shown["replies"] if r.get("audience") == "staff"]))


def test_export_has_each_units_own_way(mailbot: Mailbot, desk: Path) -> None:
    """A line a unit, with its state and dates; JSON keeps its form."""
    case = lived(CHARGED)
    stored(desk, case)
    [row] = csv.DictReader(io.StringIO(mailbot("cases", "export").out))
    assert (row["state"], row["serial"], row["outcome"]) == ("closed", "AH2F104432", "issue")
    assert (row["unit_state"], row["received_on"], row["repair_due"], row["shipped_on"]) == (
        "closed",
        "2026-11-30",
        "2026-12-14",
        "2026-12-04",
    )
    [shown] = json.loads(mailbot("cases", "export", "--json").out)
    assert set(shown) == {"id", "number", "state", "sender", "items"}


def test_the_list_names_states_and_dates(mailbot: Mailbot, desk: Path) -> None:
    """Open cases with the day until which something must come; what is over only with --all."""
    over = lived(CHARGED)
    due = over.units[0].repair_due
    unit = structs.replace(over.units[0], state="parts_quoted")
    here = structs.replace(over, id="C-BCDFGHJKMN", number=None, state="parts_quoted", units=(unit,))
    stored(desk, structs.replace(over, replies=()), here)
    listed = mailbot("cases", "list").out
    assert "C-BCDFGHJKMN" in listed
    assert "parts_quoted" in listed
    assert str(due) in listed
    assert "1 case\n" in listed
    assert over.number
    assert over.number.text in mailbot("cases", "list", "--all").out


def test_a_failed_rehearsal_tells_what_came_instead(mailbot: Mailbot, tmp_path: Path) -> None:
    """Who reads a failure sees what was decided on which command and facts, how the case stands, and the mails sent."""
    text = (LIVES / CHARGED).read_text(encoding="utf-8").replace('state = "received"', 'state = "repaired"')
    file = tmp_path / "one.toml"
    file.write_text(text, encoding="utf-8")
    done = mailbot("rehearse", file)
    assert done.code == 1
    assert f"FAIL {file}: step 4: the case is received, not repaired" in done.out
    for piece in ('"RECEIVED" done for AH2F104432 (AP-25, AP-26)', "AH2F104432: received", "sent to kim@acme.example"):
        assert piece in done.out, piece
    first = text.replace('contains = ["quote {quote1}"', 'contains = ["no such words", "quote {quote1}"')
    file.write_text(first, encoding="utf-8")
    done = mailbot("rehearse", file)
    for piece in ("AH2F104432: quote (AP-15, AP-17", "cover none", "does not say 'no such words'"):
        assert piece in done.out, piece


def test_a_slip_in_a_rule_laid_over_is_the_conversations(mailbot: Mailbot, tmp_path: Path) -> None:
    """A value laid over the rules that does not fit is named as that, with the nearest key, not as a fault of the file."""
    text = (LIVES / CHARGED).read_text(encoding="utf-8")
    file = tmp_path / "one.toml"
    file.write_text(text.replace("[[step]]", "rules = {number = {valid_day = 3}}\n\n[[step]]", 1), encoding="utf-8")
    done = mailbot("rehearse", file)
    assert done.code == 1
    assert "rules, laid over american-portwell" in done.out
    assert "'valid_days'" in done.out
