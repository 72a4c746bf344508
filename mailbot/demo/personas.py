"""Who plays, and what they write: the cast as values, read from cast.toml."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from mailbot.model import Unit
from mailbot.strict_toml import convert, parse

SCRIPT = Path(__file__).with_name("cast.toml")

Like = Literal["person", "auto-reply", "bounce", "newsletter"]


class PersonaTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of cast.toml; a key it does not know is an error."""


class ShippedUnit(PersonaTable, frozen=True):
    """A unit: ``delivered`` days before the first day, ``extended`` days of cover from it on (0: no extension)."""

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


class AttachedFile(PersonaTable, frozen=True):
    """An attached text file; its name's ending says of what kind."""

    name: str
    text: str


class WrittenMail(PersonaTable, frozen=True):
    """What somebody writes: a text, or HTML without a text; ``like`` says whether a person writes, or which machine.

    ``to``: whom it is written to, with the company's mailbox in Cc; the mailbox alone where nobody is named.
    """

    subject: str = "Re: {subject}"
    to: str = ""
    text: str = ""
    html: str = ""
    attach: tuple[AttachedFile, ...] = ()
    like: Like = "person"


class FirstMail(WrittenMail, frozen=True, kw_only=True):
    """A mail of one's own accord, on a day of the play (0 is the first) at a time of day in the company's zone."""

    day: int
    time: time


class ReplyToMail(WrittenMail, frozen=True, kw_only=True):
    """An answer to the first mail that holds all the words in ``hears``, some hours after it came.

    ``about``: it follows a mail to this address instead, and answers none: the parcel is here, and our number stands on it.
    """

    hears: tuple[str, ...]
    hours: float
    about: str = ""


class Persona(PersonaTable, frozen=True):
    """Somebody who writes to one of the companies, or works for it."""

    name: str
    address: str
    writes_to: str
    mail: tuple[FirstMail, ...] = ()
    reacts: tuple[ReplyToMail, ...] = ()

    @property
    def domain(self) -> str:
        """The part behind the @."""
        return self.address.rpartition("@")[2]


class Personas(PersonaTable, frozen=True):
    """The whole play: its first day, how many days it lasts, what was shipped, and who writes: customers and colleagues."""

    begins: date
    days: int
    unit: tuple[ShippedUnit, ...]
    person: tuple[Persona, ...]
    colleague: tuple[Persona, ...]

    @property
    def people(self) -> tuple[Persona, ...]:
        """All who write."""
        return (*self.person, *self.colleague)

    @property
    def last_day(self) -> date:
        """The day on which the curtain falls."""
        return self.begins + timedelta(days=self.days)

    def moment(self, opening: FirstMail, zone: str) -> datetime:
        """Return when an opening mail is written, aware, UTC."""
        day = self.begins + timedelta(days=opening.day)
        return datetime.combine(day, opening.time, ZoneInfo(zone)).astimezone(UTC)

    def registry(self) -> str:
        """Return registry.csv, the rows of all companies in one file."""
        out = io.StringIO()
        fields = [field for field in Unit.__struct_fields__ if field not in ("purchased_on", "origin")]
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["policy", *fields])
        for shipped in self.unit:
            unit = shipped.unit(self.begins)
            table.writerow([shipped.policy, *(_cell(getattr(unit, field)) for field in fields)])
        return out.getvalue()


def load(script: Path = SCRIPT) -> Personas:
    """Read the cast.

    Raises:
        ConfigError: naming line or key, and the mend.
    """
    text = script.read_text(encoding="utf-8")
    return convert(parse(text, script.name), Personas, script.name, text)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
