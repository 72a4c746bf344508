"""The shipment of a customer to us under one RMA number: the data of all documents."""

from __future__ import annotations

from datetime import date

from mailbot.model import Value
from mailbot.reply.documents.texts import DocumentTexts

LONGEST_NUMBER = 40
"""The longest number that a hand scanner can read as a Code 128 on a 4 inch label, in characters."""

MOST_BOXES = 99


class ShipmentUnit(Value, frozen=True):
    """One unit: serial number, model, reason for return, and country of manufacture (empty if not known)."""

    serial: str
    model: str = ""
    reason: str = ""
    origin: str = ""


class CalendarDate(Value, frozen=True):
    """A date for the calendar file: its kind ("number", "quote", "doa", "repair", ...), the day, and a summary."""

    kind: str
    on: date
    summary: str


class ReturnShipment(Value, frozen=True):
    """Everything that the documents for one RMA number say.

    Text may be anything that a customer wrote: it is printed without control and direction characters, and shortened if it does not
    fit. Dates are days in the company's zone.

    Attributes:
        company: the name of the company, as in the rules.
        number: the RMA number; printable ASCII, because it is encoded in barcodes.
        issued_on: the date of the documents: of the invoice, and the time stamp of the calendar file.
        valid_until: the last valid day of the number.
        ship_to: the lines of the ship-to address, with "Attn: RMA-..." if the policy says so.
        units: the units in the shipment.
        words: headings and labels in the customer's language.
        customer: the customer's name.
        customer_company: the registered company.
        email: the customer's address.
        address: the lines of the customer's postal address, if known.
        boxes: the number of boxes; each gets a label.
        packing: the packing instructions.
        statements: the customs statements of the commercial invoice.
        dates: for the calendar file.

    Raises:
        ValueError: the number cannot be encoded as Code 128, or the number of boxes is not from 1 to `MOST_BOXES`.
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
    address: tuple[str, ...] = ()
    boxes: int = 1
    packing: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    dates: tuple[CalendarDate, ...] = ()

    def __post_init__(self) -> None:
        """Reject values that a label cannot show."""
        if not (self.number.isascii() and self.number.isprintable() and 0 < len(self.number) <= LONGEST_NUMBER):
            raise ValueError(f"number {self.number!r}: 1 to {LONGEST_NUMBER} printable ASCII characters are needed")
        if not 1 <= self.boxes <= MOST_BOXES:
            raise ValueError(f"{self.boxes} boxes: there can be 1 to {MOST_BOXES}")

    @property
    def sender(self) -> tuple[str, ...]:
        """The customer's address lines for a package: company, name, postal address; each once."""
        lines = (self.customer_company, self.customer, *self.address)
        return tuple(dict.fromkeys(line for line in lines if line.strip()))
