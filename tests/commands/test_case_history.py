"""`mailbot cases` shows the whole history of a case, in 80 columns and without secrets."""

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
from support.recorded_classes import CLASSES

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

CONVERSATIONS = Path(__file__).parents[1] / "conversations"
CHARGED = "american-portwell/full-life-out-of-warranty.toml"
WIDTH = 80


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logs.configure(logging.ERROR)


@cache
def case_after(name: str) -> Case:
    """The case at the end of a conversation."""
    file = CONVERSATIONS / name
    conversation = load(file)
    played = play(conversation, policy_of(conversation, Resources.at()), file.parent, classifier=CLASSES)
    assert played.failure is None, played.failure
    case = played.steps[-1].case
    assert case is not None
    return case


def history(case: Case) -> str:
    return "\n".join(case_history.wrapped(case_history.case_history(case), case_history.secrets(case)))


def one_line(case: Case) -> str:
    return " ".join(history(case).split())


def store_cases(desk: Path, *cases: Case) -> None:
    store = open_store(f"tinydb:{desk / 'state'}")
    for case in cases:
        store.stage(Step(None, None, case))
    store.commit()
    store.close()


def test_the_whole_history_is_shown() -> None:
    """Quote, order, RMA, receipt, repair and shipment are shown, each with the person and the clauses."""
    case = case_after(CHARGED)
    text = one_line(case)
    [quote] = case.quotes
    assert case.number
    for piece in (
        f"{case.id}: closed, {case.number.text} valid until 2026-12-24",
        "RMA issued by rule AP-17",
        f"quote {quote.number}: USD 150.00, valid until",
        f"PO {quote.order}",
        f"PO {quote.order} for {quote.number}, total USD 150.00",
        "attached: PO-4711.pdf",
        "received 2026-11-30; repair due 2026-12-14",
        "paid by the customer; shipped back 2026-12-04",
        "staff: sender verified by our mail server",
        '"RECEIVED" done for AH2F104432 (AP-25, AP-26)',
        "return shipment: FedEx Ground 794612345678",
        "sent to kim@acme.example: progress shipped",
        "deadline reached: close:end:",
        "policy: american-portwell",
    ):
        assert piece in text, piece


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        (
            "american-portwell/parts-quote-of-the-desk-approved.toml",
            ["parts quote Q-", "sent to a second approver for AH2F104432: above the approval limit"],
        ),
        ("server-technology/unproven-approval-is-asked-about.toml", ["waiting for confirmation", "sender not verified"]),
        ("server-technology/delivery-address-before-the-number.toml", ["ship-to address: "]),
        ("server-technology/shipped-before-received.toml", ["refused: no unit is in a state that allows it"]),
    ],
    ids=["second approver", "confirmation", "address", "too early"],
)
def test_command_results_are_shown(name: str, pieces: list[str]) -> None:
    """Each command shows whether it was done, refused and why, or waits for a confirmation or a second approver."""
    text = one_line(case_after(name))
    assert [piece for piece in pieces if piece not in text] == []


def test_open_points_are_shown() -> None:
    """Credit, fee, shipments and an undeliverable customer are shown."""
    case = structs.replace(
        case_after(CHARGED),
        credit=Price(amount=case_after(CHARGED).quotes[0].total, currency="USD"),
        fee=Price(amount=case_after(CHARGED).quotes[0].total, currency="USD"),
        inbound=ShipmentNotice("UPS", "1Z999AA10123456784"),
        unreachable=True,
    )
    text = one_line(case)
    for piece in (
        "credit approved: USD 150.00",
        "fee approved: USD 150.00",
        "inbound shipment: UPS 1Z999AA10123456784",
        "reminders stopped",
    ):
        assert piece in text, piece


COMPLETE = [
    *(str(file.relative_to(CONVERSATIONS)) for file in sorted(CONVERSATIONS.glob("*/*life*.toml"))),
    "server-technology/several-units-part-by-part.toml",
]


@pytest.mark.parametrize("name", COMPLETE)
def test_history_fits_80_columns(name: str) -> None:
    """No line is wider than 80 columns."""
    assert [line for line in history(case_after(name)).splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("name", ["server-technology/unproven-approval-is-asked-about.toml", CHARGED])
def test_no_token_is_ever_shown(mailbot: Mailbot, desk: Path, name: str) -> None:
    """A one-time token, which lets staff decide by a reply, is in no output: not in text, not in JSON (promise 5)."""
    case = case_after(name)
    secrets = case_history.secrets(case)
    assert secrets
    store_cases(desk, case)
    for words in (["show", case.id], ["show", "--json", case.id], ["list", "--all", "--json"], ["export", "--json"]):
        done = mailbot("cases", *words)
        assert done.code == 0, done.err
        assert [secret for secret in secrets if secret in done.out] == []
    shown = json.loads(mailbot("cases", "show", "--json", case.id).out)
    assert "tokens" not in shown
    assert not re.search(r"rma\+c-", json.dumps([r["raw"] for r in shown["replies"] if r.get("audience") == "staff"]))


def test_export_has_a_row_per_unit(mailbot: Mailbot, desk: Path) -> None:
    """CSV has a row per unit, with its state and dates; JSON has the documented fields."""
    case = case_after(CHARGED)
    store_cases(desk, case)
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
    """Open cases are listed with the date of the next deadline; closed ones only with --all."""
    closed = case_after(CHARGED)
    due = closed.units[0].repair_due
    unit = structs.replace(closed.units[0], state="parts_quoted")
    open_case = structs.replace(closed, id="C-BCDFGHJKMN", number=None, state="parts_quoted", units=(unit,))
    store_cases(desk, structs.replace(closed, replies=()), open_case)
    listed = mailbot("cases", "list").out
    assert "C-BCDFGHJKMN" in listed
    assert "parts_quoted" in listed
    assert str(due) in listed
    assert "1 case\n" in listed
    assert closed.number
    assert closed.number.text in mailbot("cases", "list", "--all").out


def test_a_failed_rehearsal_shows_what_happened(mailbot: Mailbot, tmp_path: Path) -> None:
    """A failure shows the decisions with commands and facts, the state of the case, and the emails sent."""
    text = (CONVERSATIONS / CHARGED).read_text(encoding="utf-8").replace('state = "received"', 'state = "repaired"')
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
    for piece in ("AH2F104432: quote (AP-15, AP-17", "cover none", "does not contain 'no such words'"):
        assert piece in done.out, piece


def test_an_error_in_the_rules_of_a_conversation_is_named(mailbot: Mailbot, tmp_path: Path) -> None:
    """An invalid override is reported as such, with the nearest key, not as an error in the rules file."""
    text = (CONVERSATIONS / CHARGED).read_text(encoding="utf-8")
    file = tmp_path / "one.toml"
    file.write_text(text.replace("[[step]]", "rules = {number = {valid_day = 3}}\n\n[[step]]", 1), encoding="utf-8")
    done = mailbot("rehearse", file)
    assert done.code == 1
    assert "rules, overriding american-portwell" in done.out
    assert "'valid_days'" in done.out
