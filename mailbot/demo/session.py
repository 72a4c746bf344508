"""Run the demo: prepare the output folder, run and narrate the scenario, write the output, and keep the desk running."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
from msgspec import structs

from mailbot.demo import pages
from mailbot.demo.environment import PASSWORD, DemoEnvironment, demo_environment
from mailbot.demo.narration import Narrator
from mailbot.demo.outcomes import OutcomeSeen, outcomes_seen
from mailbot.demo.personas import Personas, ShippedUnit, load
from mailbot.demo.scenario import Scenario, ScenarioMoment
from mailbot.demo.traffic import TrafficEntry
from mailbot.model import Case
from mailbot.runtime.daemon import Daemon
from mailbot.runtime.embedded import HOST
from mailbot.runtime.store import StateError, lock_folder, open_store

MARKER = ".mailbot-demo"
CONTENTS = ("emails", "cases", "state", "index.html", "registry.csv", "mailbot.log")
"""The files and folders that a demo creates and that the next one deletes."""

PAUSE = 0.55
"""Pause after the emails of one point in time, in seconds."""

VISITOR = "visitor@demo.example"
VISITOR_DIGITS = "7777"
"""The last digits of the serial numbers of the visitor's units."""

POLL_SECONDS = 0.5
"""How often to check for new emails while the desk keeps running."""


async def run_demo(out: Path, *, fast: bool, serve: bool) -> bool:
    """Run the demo and return whether it showed every kind of outcome.

    Raises:
        StateError: as ``prepare``.
    """
    prepare(out)
    personas = load()
    if serve:
        personas = structs.replace(personas, unit=(*personas.unit, *visitor_units(personas)))
    (out / "registry.csv").write_text(personas.registry(), encoding="utf-8")
    with log_to(out / "mailbot.log"):
        async with demo_environment(out, personas.first_day, VISITOR) as environment:
            zone = next(iter(environment.policies.values())).timezone
            narrator = Narrator(personas, zone)
            with narrator.bar:
                narrator.start(list(environment.policies), len(personas.unit))
                pause = 0.0 if fast or not narrator.console.is_terminal else PAUSE
                async for moment in Scenario(personas, environment).moments():
                    if narrator.moment(moment):
                        await asyncio.sleep(pause)
            emails, cases, seen = _write_output(environment, out)
            narrator.end(seen, emails, cases, out)
            if serve:
                await _serve(environment, narrator, personas, out)
    return all(each.email for each in seen)


def _write_output(environment: DemoEnvironment, out: Path) -> tuple[list[TrafficEntry], list[Case], list[OutcomeSeen]]:
    """Write the output files for everything that has happened so far."""
    emails, cases = environment.traffic(environment.store), list(environment.store.cases())
    seen = outcomes_seen(emails)
    pages.write_pages(out, emails, cases, seen, environment.policies)
    return emails, cases, seen


def prepare(out: Path) -> None:
    """Create the output folder, or delete an earlier demo from it.

    Raises:
        StateError: the folder contains files that are not from a demo (nothing was changed), it cannot be created or cleared, or
            another demo is running in it.
    """
    if out.exists() and not (out / MARKER).exists() and any(out.iterdir()):
        raise StateError(f"{out}: this folder contains files that are not from a demo. Choose another folder with --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / "state").is_dir():
            lock_folder(out / "state").close()
        for path in (out / name for name in CONTENTS):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (out / MARKER).write_text("This folder was created by mailbot demo; the next demo replaces it.\n", encoding="utf-8")
    except OSError as error:
        raise StateError(f"{error.filename or out}: {error.strerror}. Choose another folder with --out.") from None


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Write the logs of the daemon and of the mail servers to a file, so that the terminal shows the narration only."""
    with path.open("w", encoding="utf-8") as file:
        servers = logging.StreamHandler(file)
        logging.getLogger().addHandler(servers)
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            logger_factory=structlog.WriteLoggerFactory(file),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
            logging.getLogger().removeHandler(servers)


# ---------------------------------------------------------------- --serve


def visitor_units(personas: Personas) -> list[ShippedUnit]:
    """Return one unit of each company for the visitor, delivered 60 days before the real current date."""
    models = {shipped.policy: shipped for shipped in reversed(personas.unit)}
    age = (personas.first_day - datetime.now(UTC).date()).days + 60
    return [
        structs.replace(
            model,
            serial=model.serial[: -len(VISITOR_DIGITS)] + VISITOR_DIGITS,
            delivered=age,
            extended=0,
            customer="A visitor",
            domain=VISITOR.rpartition("@")[2],
        )
        for model in models.values()
    ]


async def _serve(environment: DemoEnvironment, narrator: Narrator, personas: Personas, out: Path) -> None:
    """Keep the desk running with the real clock until Ctrl-C, and print incoming and outgoing emails."""
    environment.clock.at = None
    daemon = Daemon(environment.worker, poll_seconds=2, from_now=False)
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, daemon.stop)
    visitor_owns = [unit for unit in personas.unit if unit.domain == VISITOR.rpartition("@")[2]]
    narrator.serving(
        {
            "IMAP": f"{HOST} port {environment.imap.port}, no TLS",
            "SMTP": f"{HOST} port {environment.smtp.port}, no TLS",
            "user": f"{VISITOR}, password {PASSWORD}",
            **{
                f"for {unit.model}": f"{unit.serial} is your unit; write to {environment.mailbox(unit.policy)}"
                for unit in visitor_owns
            },
            "desks": "both desk addresses are users too, with the same password",
        }
    )
    running = asyncio.create_task(daemon.run())
    printed = len(environment.smtp.received)
    while not running.done():
        await asyncio.wait({running}, timeout=POLL_SECONDS)
        printed = _print_new(environment, narrator, out, printed)
    await running
    _write_output(environment, out)


def _print_new(environment: DemoEnvironment, narrator: Narrator, out: Path, printed: int) -> int:
    """Print the emails after number ``printed`` and return the new count. An email still being processed is printed later."""
    if len(environment.smtp.received) == printed:
        return printed
    with contextlib.closing(open_store(f"tinydb:{out / 'state'}", read_only=True)) as store:
        new = environment.traffic(store, after=printed)
    finished = list(itertools.takewhile(lambda email: email.outgoing or email.record, new))
    if finished:
        narrator.moment(ScenarioMoment(environment.clock.now(), finished))
    return printed + len(finished)
