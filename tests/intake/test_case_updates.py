"""What customers write in a running case: orders, parcels, one more unit, corrections, renewals."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailbot.model import Message, Request, ShipmentNotice

Understood = Callable[..., tuple[Message, Request]]
MAILS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("later.toml").read_text("utf-8"))["mail"]
TYPES = {"pdf": ("application", "pdf"), "png": ("image", "png"), "csv": ("text", "csv"), "txt": ("text", "plain")}


def raw(mail: dict[str, Any]) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = "kim@acme.example", "rma@maker.example"
    letter["Subject"] = mail.get("subject", "Re: Your RMA")
    letter["Message-ID"], letter["In-Reply-To"] = "<2@acme.example>", "<1@maker.example>"
    letter.set_content(mail["body"])
    for name, text in mail.get("attach", ()):
        main, sub = TYPES[name.rpartition(".")[2]]
        letter.add_attachment(text.encode(), maintype=main, subtype=sub, filename=name)
    return letter.as_bytes()


@pytest.mark.parametrize("mail", MAILS, ids=[mail["body"][:60] + str(mail.get("attach", ""))[:90] for mail in MAILS])
def test_a_later_mail_is_understood(mail: dict[str, Any], understood: Understood) -> None:
    """What a customer writes after the first mail is understood as a person would."""
    _, request = understood(raw(mail), ["AH2F104432", "AH2F104433"])
    got = {
        "parcel": request.shipment,
        "adds": request.adds_units,
        "corrects": request.corrects_serial,
        "instead": request.corrected_serial,
        "renews": request.renews_number,
        "attention": request.attention,
    }
    assert got == {
        "parcel": ShipmentNotice(*mail["parcel"], tuple(mail.get("aboard", ()))) if "parcel" in mail else None,
        "adds": mail.get("adds", False),
        "corrects": mail.get("corrects", False),
        "instead": mail.get("instead", ""),
        "renews": mail.get("renews", False),
        "attention": mail.get("attention", False),
    }
    assert request.intent not in mail.get("never", ())
    if "items" in mail:
        assert [unit.serial for unit in request.units] == mail["items"]
    if "intent" in mail:
        assert request.intent == mail["intent"]
    assert ("return_address" in request.special_requests) == ("return_address" in mail.get("wishes", ()))
    order = request.order
    if "order" not in mail:
        assert order is None or request.intent == "accept_quote"
        return
    wanted = mail["order"]
    assert order is not None
    assert (order.number, order.copy) == (wanted["number"], wanted.get("copy", False))
    assert list(order.quotes) == wanted.get("quotes", [])
    totals = [f"{total.amount} {total.currency}".strip() for total in order.totals]
    assert totals[:1] == wanted.get("totals", [])
