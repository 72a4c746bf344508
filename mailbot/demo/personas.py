"""The simulated customers and staff, and what they write, read from personas.toml."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from mailbot.model import Unit
from mailbot.rehearsal.conversation_file import AttachmentSpec
from mailbot.strict_toml import TomlTable, convert, parse

FILE = Path(__file__).with_name("personas.toml")

Like = Literal["person", "auto-reply", "bounce", "newsletter"]


class ShippedUnit(TomlTable, frozen=True):
    """A unit in the registry.

    ``delivered`` is the number of days between the delivery and the first day of the demo. ``extended`` is how many days an
    extended warranty still lasts on the first day; 0 means that there is none.
    """

    policy: str
    serial: str
    model: str
    family: str
    delivered: int
    customer: str
    domain: str
    extended: int = 0
    country: str = ""

    def unit(self, first_day: date) -> Unit:
        """Return the row of the registry."""
        return Unit(
            serial=self.serial,
            model=self.model,
            family=self.family,
            delivered_on=first_day - timedelta(days=self.delivered),
            customer=self.customer,
            customer_domain=self.domain,
            extended_until=first_day + timedelta(days=self.extended) if self.extended else None,
            country=self.country or None,
        )


class WrittenMail(TomlTable, frozen=True):
    """The content of an email: text, or HTML only. ``like`` says whether a person or which kind of machine writes it.

    ``to`` is the recipient if it is not the mailbox; the mailbox is then in Cc.
    """

    subject: str = "Re: {subject}"
    to: str = ""
    text: str = ""
    html: str = ""
    attach: tuple[AttachmentSpec, ...] = ()
    like: Like = "person"


class FirstMail(WrittenMail, frozen=True, kw_only=True):
    """An email that answers nothing. ``day`` counts from 0, the first day; ``time`` is in the company's time zone."""

    day: int
    time: time


class ReplyToMail(WrittenMail, frozen=True, kw_only=True):
    """A reply to the first email that contains all the words in ``contains``, ``hours`` after that email arrived.

    If ``received_by`` is set, the email to wait for is one to that address, and this email is not a reply to it. Example: staff
    write that a parcel with the RMA number has arrived.
    """

    contains: tuple[str, ...]
    hours: float
    received_by: str = ""


class Persona(TomlTable, frozen=True):
    """A person who writes to one of the companies or works for it. ``writes_to`` is the name of the company's policy."""

    name: str
    address: str
    writes_to: str
    email: tuple[FirstMail, ...] = ()
    reply: tuple[ReplyToMail, ...] = ()

    @property
    def domain(self) -> str:
        """The domain of the address."""
        return self.address.rpartition("@")[2]


class Personas(TomlTable, frozen=True):
    """The content of personas.toml: the first day, the number of days, the shipped units, the customers and the staff."""

    first_day: date
    days: int
    unit: tuple[ShippedUnit, ...]
    customer: tuple[Persona, ...]
    staff: tuple[Persona, ...]

    @property
    def people(self) -> tuple[Persona, ...]:
        """All customers and staff."""
        return (*self.customer, *self.staff)

    def sent_at(self, first: FirstMail, zone: str) -> datetime:
        """Return when a first email is sent, in UTC. ``zone`` is the company's time zone."""
        day = self.first_day + timedelta(days=first.day)
        return datetime.combine(day, first.time, ZoneInfo(zone)).astimezone(UTC)

    def registry(self) -> str:
        """Return the text of registry.csv, with the units of all companies."""
        out = io.StringIO()
        fields = [field for field in Unit.__struct_fields__ if field not in ("purchased_on", "origin")]
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["policy", *fields])
        for shipped in self.unit:
            unit = shipped.unit(self.first_day)
            table.writerow([shipped.policy, *(getattr(unit, field) for field in fields)])
        return out.getvalue()


def load(file: Path = FILE) -> Personas:
    """Load personas.toml.

    Raises:
        ConfigError: the text names the line or key, and the fix.
    """
    text = file.read_text(encoding="utf-8")
    return convert(parse(text, file.name), Personas, file.name, text)
