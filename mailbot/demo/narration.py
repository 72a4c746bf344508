"""Print the demo on the terminal: every email as it happens, and a summary at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from mailbot.demo.outcomes import DecisionSummary, OutcomeSeen, outcomes, summaries
from mailbot.demo.personas import Personas
from mailbot.demo.scenario import ScenarioMoment
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
    "none": "no action",
    "ignored": "ignored",
    "attention": "moved to Attention",
    "done": "done by staff",
    "second": "second approver asked",
    "asked": "confirmation requested",
    "under_way": "in transit",
    "status": "status",
    "parts_ordered": "parts ordered",
    "parts_declined": "parts declined",
}
WEEK = 7
"""Reminders to staff are summed up and printed once per this many days."""
MARGIN = " " * 18
MAX_WIDTH = 150
"""Maximum width of a decision's text, in columns."""


def word(outcome: str) -> str:
    """Return the words for an outcome."""
    return WORDS.get(outcome, outcome)


class Narrator:
    """Prints the demo: with colors and a progress bar on a terminal, as plain lines otherwise."""

    def __init__(self, personas: Personas, zone: str) -> None:
        self.console = Console(highlight=False)
        self._personas, self._zone = personas, ZoneInfo(zone)
        self._reminders: Counter[str] = Counter()
        self._reminder_days: list[date] = []
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("day {task.completed} of {task.total}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._days = self.bar.add_task("", total=personas.days)

    def start(self, mailboxes: Sequence[str], units: int) -> None:
        """Print the setup."""
        self._line(Text.assemble("IMAP and SMTP server on this machine: ", (", ".join(mailboxes), "bold")))
        people = f"{len(self._personas.customer)} customers, {len(self._personas.staff)} staff"
        self._line(Text(f"{units} units in the registry, {people}, {self._personas.days} days\n"))

    def moment(self, moment: ScenarioMoment) -> bool:
        """Print the emails of one point in time, and return whether anything was printed."""
        local = moment.at.astimezone(self._zone)
        self.bar.update(self._days, description=f"{local:%a %d %b}", completed=(local.date() - self._personas.first_day).days)
        shown = [email for email in moment.emails if not (email.due and email.to_staff)]
        reminders = [email for email in moment.emails if email.due and email.to_staff]
        if reminders:
            self._reminders.update(email.other for email in reminders)
            self._reminder_days.append(local.date())
        if self._reminder_days and (local.date() - self._reminder_days[0]).days >= WEEK:
            self._print_reminders()
        if shown:
            self._emails(shown, local)
        return bool(shown)

    def _emails(self, emails: Sequence[TrafficEntry], local: datetime) -> None:
        sent = {email.message.message_id: email for email in emails if email.outgoing}
        for email in (email for email in emails if not email.outgoing):
            sender = email.message.sender
            who = one_line(sender.name) or sender.email if sender else "(no sender)"
            subject = one_line(email.message.subject)
            self._line(Text.assemble((f"{local:%a %d %b %H:%M}", "dim"), "  ", (who, "bold"), f" to {email.mailbox}: ", subject))
            for summary in summaries(email):
                self._line(Text.assemble(MARGIN, *_summary(summary)))
            for message_id in email.entry.sent if email.entry else ():
                if reply := sent.pop(message_id, None):
                    self._sent(reply)
        groups: dict[tuple[str, str], list[TrafficEntry]] = {}
        for email in sent.values():
            groups.setdefault(_template_and_clause(email), []).append(email)
        for (template, clause), group in groups.items():
            self._line(Text.assemble((f"{local:%a %d %b %H:%M}", "dim"), "  due: ", (template, "bold blue"), f" {clause}"))
            for email in group:
                self._sent(email)

    def _sent(self, email: TrafficEntry) -> None:
        style = "dim" if email.to_staff else ""
        self._line(Text.assemble(MARGIN, ("→ ", "green"), (f"{email.other}: {one_line(email.message.subject)}", style)))

    def _print_reminders(self) -> None:
        """Print one line with the number of reminders to each member of staff since the last such line."""
        if not self._reminders:
            return
        when = f"{self._reminder_days[0]:%d %b} to {self._reminder_days[-1]:%d %b}"
        who = ", ".join(f"{address} ({times})" for address, times in sorted(self._reminders.items()))
        self._line(Text(f"{when:<16}  reminders to staff: {who}", style="dim"))
        self._reminders.clear()
        self._reminder_days.clear()

    def end(self, seen: Sequence[OutcomeSeen], emails: Sequence[TrafficEntry], cases: Sequence[Case], out: Path) -> None:
        """Print the scenarios shown, the totals, the output files, and what is missing."""
        self._print_reminders()
        self.bar.stop()
        self._line(Text("\nScenarios shown", style="bold"))
        for each in seen:
            mark, where = (("✓", "green"), f"email {each.email.number:03}") if each.email else (("✗", "bold red"), "missing")
            self._line(Text.assemble("  ", mark, f" {each.kind:<48} ", (where, "dim")))
        arrived = [email for email in emails if not email.outgoing]
        self._line(Text("\nTotals", style="bold"))
        received = _counted({word(outcome): number for outcome, number in outcomes(emails).items()})
        self._line(Text(f"  {len(arrived)} emails received: {received}"), cut=False)
        staff = sum(email.to_staff for email in emails)
        outgoing = len(emails) - len(arrived)
        self._line(Text(f"  {outgoing} emails sent: {outgoing - staff} to customers, {staff} to staff"))
        self._line(Text(f"  {len(cases)} cases: {_counted(dict(Counter(case.state for case in cases).most_common()))}"))
        self._line(Text("\nOutput files", style="bold"))
        for path, what in (
            ("index.html", "all conversations, with decisions and clauses"),
            ("emails/", f"{len(emails)} emails, each as .eml and as .html"),
            ("cases/", "the cases, as JSON"),
            ("registry.csv", "registry of shipped units"),
            ("state/", "the daemon's state"),
            ("mailbot.log", "the daemon's log"),
        ):
            self._line(Text.assemble("  ", (f"{out}/{path:<13}", "bold"), f"  {what}"))
        if missing := [each.kind for each in seen if each.email is None]:
            self._line(Text(f"\nMissing: {'; '.join(missing)}", style="bold red"), cut=False)

    def serving(self, lines: Mapping[str, str]) -> None:
        """Print how to connect to the servers."""
        self._line(Text("\nThe desk is running; press Ctrl-C to stop", style="bold"))
        for name, value in lines.items():
            self._line(Text.assemble(f"  {name:<14} ", (value, "bold")), cut=False)
        self._line(Text(""))

    def _line(self, line: Text, *, cut: bool = True) -> None:
        """Print a line. On a terminal, cut it to the width unless ``cut`` is False."""
        cut = cut and self.console.is_terminal
        self.console.print(line, no_wrap=cut, overflow="ellipsis" if cut else None, soft_wrap=not self.console.is_terminal)


def _template_and_clause(email: TrafficEntry) -> tuple[str, str]:
    """Return the kind of email that a deadline caused, and the clause for it."""
    return (email.reply.template.split()[0], email.reply.cites[0] if email.reply.cites else "") if email.reply else ("note", "")


def _summary(summary: DecisionSummary) -> tuple[tuple[str, str], ...]:
    return (
        (word(summary.outcome), STYLES.get(summary.outcome, "dim")),
        (f" {' '.join(summary.clauses)}" if summary.clauses else "", ""),
        (f"  {one_line(summary.about, MAX_WIDTH)}" if summary.about else "", "dim"),
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items())
