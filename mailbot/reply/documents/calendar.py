"""The dates of a shipment as a calendar file (RFC 5545); calendars replace an imported event by one with the same UID."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Alarm, Calendar, Event

from mailbot.reply.documents.printable import printable
from mailbot.reply.documents.return_shipment import CalendarDate, ReturnShipment


def write(shipment: ReturnShipment) -> bytes:
    """Return the file: CRLF line endings, lines folded at 75 octets, the dates in their order."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//mailbot//RMA//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", shipment.words.calendar.name.format(number=shipment.number))
    seen: Counter[str] = Counter()
    for day in shipment.dates:
        seen[day.kind] += 1
        calendar.add_component(_event(shipment, day, seen[day.kind]))
    return bytes(calendar.to_ical())


def _event(shipment: ReturnShipment, day: CalendarDate, nth: int) -> Event:
    """Return an all-day event; its UID is the number and the kind of date, so that a later file replaces it."""
    summary = printable(day.summary)
    event = Event()
    event.add("uid", f"{shipment.number}.{day.kind}" + (f".{nth}" if nth > 1 else ""))
    event.add("dtstamp", datetime.combine(shipment.issued_on, time(), UTC))
    event.add("dtstart", day.on)
    if day.on < date.max:
        event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", summary)
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", timedelta(days=-2))
    alarm.add("description", summary)
    event.add_component(alarm)
    return event
