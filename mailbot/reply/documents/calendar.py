"""The last valid day of a number as a calendar file (RFC 5545); calendars replace an imported event by one with the same UID."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from icalendar import Alarm, Calendar, Event

from mailbot.reply.documents.return_shipment import ReturnShipment, printable


def write_calendar(shipment: ReturnShipment) -> bytes:
    """Return the file: an all-day event with an alarm two days before; CRLF line endings, lines folded at 75 octets."""
    words = shipment.words.calendar
    summary = printable(words.ship_by.format(number=shipment.number))
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//mailbot//RMA//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", words.name.format(number=shipment.number))
    event = Event()
    event.add("uid", f"{shipment.number}.number")
    event.add("dtstamp", datetime.combine(shipment.issued_on, time(), UTC))
    event.add("dtstart", shipment.valid_until)
    if shipment.valid_until < date.max:
        event.add("dtend", shipment.valid_until + timedelta(days=1))
    event.add("summary", summary)
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", timedelta(days=-2))
    alarm.add("description", summary)
    event.add_component(alarm)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
