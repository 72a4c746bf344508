"""The terminal: what happens as it happens, and at the end what there was to see and where it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from mailbot.demo.outcomes import OutcomeSeen, outcomes
from mailbot.demo.personas import Personas
from mailbot.demo.scenario import ScenarioMoment
from mailbot.demo.summary import DecisionSummary, summaries
from mailbot.demo.traffic import TrafficEntry
from mailbot.mail.charsets import one_line
from mailbot.model import Case

STYLES = {
    "done": "bold green",
    "parts_ordered": "bold green",
    "issue": "bold green",
    "quote": "bold yellow",
    "ask": "bold cyan",
    "staff": "bold magenta",
    "decline": "bold red",
    "attention": "bold red",
    "undeliverable": "bold red",
    "refused": "bold red",
    "second": "bold magenta",
    "withdrawn": "bold red",
}
WORDS = {
    "issue": "RMA number",
    "quote": "quote",
    "ask": "question",
    "staff": "held for staff",
    "decline": "declined",
    "none": "on record",
    "ignored": "ignored",
    "attention": "set aside",
    "done": "done by staff",
    "second": "second approver asked",
    "asked": "to be confirmed",
    "under_way": "on its way",
    "status": "where it stands",
    "parts_ordered": "parts ordered",
    "parts_declined": "parts declined",
}
WEEK = 7
"""Days after which it is told how often staff were reminded of what is held."""
MARGIN = " " * 18
WIDEST = 150
"""Columns beyond which a subject is cut."""


class Narrator:
    """Tells the story, with colours and a progress bar on a terminal, in plain lines elsewhere."""

    def __init__(self, personas: Personas, zone: str, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._personas, self._zone = personas, ZoneInfo(zone)
        self._reminders: Counter[str] = Counter()
        self._reminder_days: list[date] = []
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("day {task.completed} of {task.total}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._days = self._bar.add_task("", total=personas.days)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def opening(self, mailboxes: Sequence[str], units: int) -> None:
        """Say what is set up."""
        self._line(Text.assemble("An IMAP and an SMTP server on this machine, ", (", ".join(mailboxes), "bold")))
        people = f"{len(self._personas.customer)} customers, {len(self._personas.staff)} colleagues"
        self._line(Text(f"{units} units in the registry, {people}, {self._personas.days} days\n"))

    def moment(self, moment: ScenarioMoment) -> bool:
        """Tell a moment; says whether there was something to look at."""
        local = moment.at.astimezone(self._zone)
        self._bar.update(self._days, description=f"{local:%a %d %b}", completed=(local.date() - self._personas.first_day).days)
        told = [email for email in moment.email if not (email.due and email.to_staff)]
        reminders = [email for email in moment.email if email.due and email.to_staff]
        if reminders:
            self._reminders.update(email.other for email in reminders)
            self._reminder_days.append(local.date())
        if self._reminder_days and (local.date() - self._reminder_days[0]).days >= WEEK:
            self._print_reminders()
        if told:
            self._tell(told, local)
        return bool(told)

    def _tell(self, emails: Sequence[TrafficEntry], local: datetime) -> None:
        sent = {email.message.message_id: email for email in emails if email.outgoing}
        for email in (email for email in emails if not email.outgoing):
            self._arrived(email, local)
            for short in summaries(email):
                self._line(Text.assemble(MARGIN, *_decided(short)))
            for message_id in email.entry.sent if email.entry else ():
                if answer := sent.pop(message_id, None):
                    self._sent(answer)
        groups: dict[tuple[str, str], list[TrafficEntry]] = {}
        for email in sent.values():
            groups.setdefault(_letter(email), []).append(email)
        for (letter, clause), together in groups.items():
            self._line(
                Text.assemble((f"{local:%a %d %b %H:%M}", "dim"), "  due: ", (letter, "bold blue"), f" {clause}")
            )
            for email in together:
                self._sent(email)

    def _arrived(self, email: TrafficEntry, local: datetime) -> None:
        sender = email.message.sender
        who = one_line(sender.name) or sender.email if sender else "nobody"
        self._line(
            Text.assemble(
                (f"{local:%a %d %b %H:%M}", "dim"),
                "  ",
                (who, "bold"),
                f" to {email.mailbox}: ",
                one_line(email.message.subject),
            )
        )

    def _sent(self, email: TrafficEntry) -> None:
        style = "dim" if email.to_staff else ""
        self._line(Text.assemble(MARGIN, ("→ ", "green"), (f"{email.other}: {one_line(email.message.subject)}", style)))

    def _print_reminders(self) -> None:
        """Tell in one line how often staff were reminded of what waits for them since something else was told."""
        if not self._reminders:
            return
        when = f"{self._reminder_days[0]:%d %b} to {self._reminder_days[-1]:%d %b}"
        who = ", ".join(f"{address} ({times})" for address, times in sorted(self._reminders.items()))
        self._line(Text(f"{when:<16}  staff reminded of what waits for them: {who}", style="dim"))
        self._reminders.clear()
        self._reminder_days.clear()

    def ending(
        self, seen: Sequence[OutcomeSeen], emails: Sequence[TrafficEntry], cases: Sequence[Case], out: Path
    ) -> None:
        """Say what there was to see, and where it lies."""
        self._print_reminders()
        self._bar.stop()
        self._line(Text("\nThere was to see", style="bold"))
        for each in seen:
            mark, where = (
                (("✓", "green"), f"mail {each.email.number:03}") if each.email else (("✗", "bold red"), "did not happen")
            )
            self._line(Text.assemble("  ", mark, f" {each.kind:<48} ", (where, "dim")))
        arrived = [email for email in emails if not email.outgoing]
        states: dict[str, int] = dict(Counter(case.state for case in cases).most_common())
        self._line(Text("\nIn figures", style="bold"))
        self._line(Text(f"  {len(arrived)} mails came in: {_counted(_worded(outcomes(emails)))}"), cut=False)
        staff = sum(email.to_staff for email in emails)
        outgoing = len(emails) - len(arrived)
        self._line(Text(f"  {outgoing} mails went out: {outgoing - staff} to customers, {staff} to staff"))
        self._line(Text(f"  {len(cases)} cases: {_counted(states)}"))
        self._line(Text("\nTo look at", style="bold"))
        for path, what in (
            ("index.html", "every conversation, with its decisions and clauses"),
            ("mails/", f"{len(emails)} mails, each as .eml and as .html"),
            ("cases/", "the cases, as JSON"),
            ("registry.csv", "what the companies had shipped"),
            ("state/", "the store, as the daemon leaves it"),
            ("mailbot.log", "what the daemon logged"),
        ):
            self._line(Text.assemble("  ", (f"{out}/{path:<13}", "bold"), f"  {what}"))
        if lacking := [each.kind for each in seen if each.email is None]:
            self._line(
                Text(f"\nThis did not happen, and should have: {'; '.join(lacking)}", style="bold red"), cut=False
            )

    def serving(self, lines: Mapping[str, str]) -> None:
        """Say how to take part."""
        self._line(Text("\nThe desk is open; Ctrl-C closes it", style="bold"))
        for name, value in lines.items():
            self._line(Text.assemble(f"  {name:<14} ", (value, "bold")), cut=False)
        self._line(Text(""))

    def _line(self, line: Text, *, cut: bool = True) -> None:
        """Print a line; a terminal cuts what of the story does not fit, so that it stays a column to look down."""
        cut = cut and self.console.is_terminal
        self.console.print(
            line, no_wrap=cut, overflow="ellipsis" if cut else None, soft_wrap=not self.console.is_terminal
        )


def _letter(email: TrafficEntry) -> tuple[str, str]:
    """Return what kind of mail a due date sent, and the clause it stands on."""
    return (
        (email.reply.letter.split()[0], email.reply.cites[0] if email.reply.cites else "") if email.reply else ("note", "")
    )


def _decided(short: DecisionSummary) -> tuple[tuple[str, str], ...]:
    return (
        (WORDS.get(short.outcome, short.outcome), STYLES.get(short.outcome, "dim")),
        (f" {' '.join(short.clauses)}" if short.clauses else "", ""),
        (f"  {one_line(short.about, WIDEST)}" if short.about else "", "dim"),
    )


def _worded(counts: dict[str, int]) -> dict[str, int]:
    return {WORDS.get(word, word): number for word, number in counts.items()}


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items())
