"""One evening: the folder, the play as it is told, what is left to look at, and the desk that stays open."""

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
from mailbot.runtime.embedded import HOST
from mailbot.runtime.store import StateError, lock_folder, open_store

MARKER = ".mailbot-demo"
OURS = ("mails", "cases", "state", "index.html", "registry.csv", "mailbot.log")
"""What a demo leaves in its folder, and what the next one takes away."""

PAUSE = 0.55
"""Seconds to look at what has just been told."""

VISITOR = "visitor@demo.example"
VISITORS = "7777"
"""The last digits of the units that a visitor owns."""

LOOK = 0.5
"""Seconds between two looks whether a visitor's mail has come or was answered."""


class NotOursError(Exception):
    """The folder is not a former demo's, or one is still running in it; the text says how to mend it."""


async def run_demo(out: Path, *, fast: bool, serve: bool) -> bool:
    """Play the demo; says whether everything happened that it is to show.

    Raises:
        NotOursError: nothing was begun.
        StateError: the folder cannot be written.
    """
    prepare(out)
    cast = load()
    if serve:
        cast = structs.replace(cast, unit=(*cast.unit, *visitors_units(cast)))
    (out / "registry.csv").write_text(cast.registry(), encoding="utf-8")
    with log_to(out / "mailbot.log"):
        async with demo_environment(out, cast.begins, VISITOR) as here:
            zone = next(iter(here.policies.values())).timezone
            with Narrator(cast, zone) as teller:
                teller.opening(list(here.policies), len(cast.unit))
                pause = 0.0 if fast or not teller.console.is_terminal else PAUSE
                async for moment in Scenario(cast, here).moments():
                    if teller.moment(moment):
                        await asyncio.sleep(pause)
            posts, cases, seen = _lay_out(here, out)
            teller.ending(seen, posts, cases, out)
            if serve:
                await _serve(here, teller, cast, out)
    return all(each.post for each in seen)


def _lay_out(here: DemoEnvironment, out: Path) -> tuple[list[TrafficEntry], list[Case], list[OutcomeSeen]]:
    """Write down everything there is to look at, as it is now."""
    posts, cases = here.post_of(here.store), list(here.store.cases())
    seen = outcomes_seen(posts)
    pages.lay_out(out, posts, cases, seen, here.policies)
    return posts, cases, seen


def prepare(out: Path) -> None:
    """Make the folder, or clear a former demo out of it.

    Raises:
        NotOursError: something else is in it, or a demo still runs in it.
        StateError: the folder cannot be made or cleared.
    """
    if out.exists() and not (out / MARKER).exists() and any(out.iterdir()):
        raise NotOursError(
            f"{out}: there is something in this folder that no demo left there. Name another with --out."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / "state").is_dir():
            lock_folder(out / "state").close()
        for path in (out / name for name in OURS):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (out / MARKER).write_text("The folder of a mailbot demo; the next one replaces it.\n", encoding="utf-8")
    except OSError as error:
        raise StateError(f"{error.filename or out}: {error.strerror}. Name another folder with --out.") from None


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Let the logs, the daemon's and the mail servers', go into a file, so that the terminal is the story's."""
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


# ---------------------------------------------------------------- the desk stays open


def visitors_units(cast: Personas) -> list[ShippedUnit]:
    """Return a unit of each company that a visitor can write about, delivered two months before the real today."""
    models = {shipped.policy: shipped for shipped in reversed(cast.unit)}
    age = (cast.begins - datetime.now(UTC).date()).days + 60
    return [
        structs.replace(
            model,
            serial=model.serial[: -len(VISITORS)] + VISITORS,
            delivered=age,
            extended=0,
            customer="A visitor",
            domain=VISITOR.rpartition("@")[2],
        )
        for model in models.values()
    ]


async def _serve(here: DemoEnvironment, teller: Narrator, cast: Personas, out: Path) -> None:
    """Keep the desk open, by the real clock, until Ctrl-C; tell what comes and goes."""
    closing = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, closing.set)
    theirs = [unit for unit in cast.unit if unit.domain == VISITOR.rpartition("@")[2]]
    teller.serving(
        {
            "IMAP": f"{HOST} port {here.imap.port}, no TLS",
            "SMTP": f"{HOST} port {here.smtp.port}, no TLS",
            "user": f"{VISITOR}, password {PASSWORD}",
            **{f"for {unit.model}": f"{unit.serial} is yours; write to {here.mailbox(unit.policy)}" for unit in theirs},
            "desks": "the two addresses are users too, same password",
        }
    )
    attending = asyncio.create_task(here.attend(closing))
    told = len(here.smtp.received)
    while not attending.done():
        await asyncio.wait({attending}, timeout=LOOK)
        told = _tell_news(here, teller, out, told)
    await attending
    _lay_out(here, out)
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(name)


def _tell_news(here: DemoEnvironment, teller: Narrator, out: Path, told: int) -> int:
    """Tell what has come and gone since; a mail that is still being worked on waits for the next look."""
    if len(here.smtp.received) == told:
        return told
    with contextlib.closing(open_store(f"tinydb:{out / 'state'}", read_only=True)) as store:
        fresh = here.post_of(store, after=told)
    settled = list(itertools.takewhile(lambda post: post.ours or post.record, fresh))
    if settled:
        teller.moment(ScenarioMoment(here.clock.now(), settled))
    return told + len(settled)
