"""The shipment of a customer to us under one RMA number: the data of all documents."""

from __future__ import annotations

import unicodedata
from datetime import date

from mailbot.model import Value
from mailbot.reply.documents.texts import DocumentTexts

LONGEST = 1000
"""Characters of a text that are used; the rest would not fit on a page."""

LONGEST_NUMBER = 40
"""The longest number that a hand scanner can read as a Code 128 on a 4 inch label, in characters."""


class ShipmentUnit(Value, frozen=True):
    """One unit: serial number, model, reason for return, and country of manufacture (empty if not known)."""

    serial: str
    model: str = ""
    reason: str = ""
    origin: str = ""


class ReturnShipment(Value, frozen=True):
    """Everything that the documents for one RMA number say.

    Text may be anything that a customer wrote: it is printed without control and direction characters, and shortened if it does not
    fit. Dates are days in the company's zone.

    Attributes:
        number: the RMA number; printable ASCII, because it is encoded in barcodes.
        issued_on: the date of the documents: of the invoice, and the time stamp of the calendar file.
        ship_to: the lines of the ship-to address, with "Attn: RMA-..." if the policy says so.
        words: headings and labels in the customer's language.
        customer_company: the registered company.
        packing: the packing instructions.
        statements: the customs statements of the commercial invoice.

    Raises:
        ValueError: the number cannot be encoded as Code 128.
    """

    company: str
    number: str
    issued_on: date
    valid_until: date
    ship_to: tuple[str, ...]
    units: tuple[ShipmentUnit, ...]
    words: DocumentTexts
    customer: str = ""
    customer_company: str = ""
    email: str = ""
    packing: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject values that a label cannot show."""
        if not (self.number.isascii() and self.number.isprintable() and 0 < len(self.number) <= LONGEST_NUMBER):
            raise ValueError(f"number {self.number!r}: 1 to {LONGEST_NUMBER} printable ASCII characters are needed")

    @property
    def sender(self) -> tuple[str, ...]:
        """The company and the name of the customer, as known; each once."""
        return tuple(dict.fromkeys(line for line in (self.customer_company, self.customer) if line.strip()))


def printable(text: str) -> str:
    """Return a text for printing: composed (NFC), in one line, without control, format and direction characters."""
    composed = unicodedata.normalize("NFC", text[:LONGEST])
    kinds = ((char, unicodedata.category(char)) for char in composed)
    kept = (" " if kind in {"Cc", "Zl", "Zp", "Zs"} else char for char, kind in kinds if kind not in {"Cf", "Cs"})
    return " ".join("".join(kept).split())
