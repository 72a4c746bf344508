"""What a customer sends to us under one number: the value that every paper is drawn from."""

from __future__ import annotations

from datetime import date

from mailbot.model import Value
from mailbot.reply.documents.texts import DocumentTexts

LONGEST_NUMBER = 40
"""Characters of a number that a Code 128 across a 4 inch label can hold so that a hand scanner reads it."""

MOST_BOXES = 99


class ShipmentUnit(Value, frozen=True):
    """One unit: serial, model, why it comes back, and the country it was made in (empty where not known)."""

    serial: str
    model: str = ""
    reason: str = ""
    origin: str = ""


class CalendarDate(Value, frozen=True):
    """A day to keep: what kind of day it is ("number", "quote", "doa", "repair" …), when, and in a sentence."""

    kind: str
    on: date
    summary: str


class ReturnShipment(Value, frozen=True):
    """All that the papers of one number say.

    Texts may be whatever a customer wrote: the papers show them as they are, without control characters and marks that
    turn the reading direction, shortened where they do not fit. Dates are days in the company's zone.

    Attributes:
        company: the company's name, as it stands in the rules.
        number: the RMA number; printable ASCII, for it stands in the barcodes as it is.
        issued_on: the day the papers are written: the invoice's date, and the stamp of the calendar file.
        valid_until: the number's last valid day.
        ship_to: the address lines as they are to be printed, "Attn: RMA-…" among them where the policy says so.
        address: the customer's own address lines, as far as known.
        boxes: how many boxes are sent; a label each.
        packing: the company's sentences on packing.
        statements: what the commercial invoice must say.
        dates: the days of the calendar file.
        words: headings and labels in the customer's language.

    Raises:
        ValueError: the number cannot stand in a Code 128, or there is no box, or more than `MOST_BOXES`.
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
        """Refuse what a label could only show wrong."""
        if not (self.number.isascii() and self.number.isprintable() and 0 < len(self.number) <= LONGEST_NUMBER):
            raise ValueError(f"number {self.number!r}: 1 to {LONGEST_NUMBER} printable ASCII characters are needed")
        if not 1 <= self.boxes <= MOST_BOXES:
            raise ValueError(f"{self.boxes} boxes: there can be 1 to {MOST_BOXES}")

    @property
    def sender(self) -> tuple[str, ...]:
        """The customer's lines as they stand on a parcel: company, name, address; each once."""
        lines = (self.customer_company, self.customer, *self.address)
        return tuple(dict.fromkeys(line for line in lines if line.strip()))
