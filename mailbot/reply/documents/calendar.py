"""The dates of a consignment as a calendar file (RFC 5545), which any calendar takes in and replaces by UID."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Alarm, Calendar, Event

from mailbot.reply.documents.printable import printable
from mailbot.reply.documents.return_shipment import CalendarDate, ReturnShipment


def write(consignment: ReturnShipment) -> bytes:
    """Write the file: CRLF line ends, lines folded at 75 octets; the order of the dates is kept."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//mailbot//RMA//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", consignment.words.calendar.name.format(number=consignment.number))
    seen: Counter[str] = Counter()
    for day in consignment.dates:
        seen[day.kind] += 1
        calendar.add_component(_event(consignment, day, seen[day.kind]))
    return bytes(calendar.to_ical())


def _event(consignment: ReturnShipment, day: CalendarDate, nth: int) -> Event:
    """An all-day event; its UID is the number and the kind of day, so that a later file moves it."""
    summary = printable(day.summary)
    event = Event()
    event.add("uid", f"{consignment.number}.{day.kind}" + (f".{nth}" if nth > 1 else ""))
    event.add("dtstamp", datetime.combine(consignment.issued_on, time(), UTC))
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
