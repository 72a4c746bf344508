"""``mailbot run``: run the daemon, or a single pass."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from datetime import datetime
from pathlib import Path

import click

from mailbot.commands import options


@click.command()
@options.config
@click.option("--once", is_flag=True, help="Process INBOX, due dates, and the outbox once, then exit.")
@options.now("Use this time instead of the clock, for arriving emails, deadlines and retries.")
def run(config: Path, now: datetime | None, *, once: bool) -> None:
    """Process incoming mail: decide, answer, and send reminders.

    Without --once, mailbot runs until it gets SIGTERM or Ctrl-C, then finishes the current batch and exits. On its first
    start it answers new mail only (with start = "all" in the settings also existing mail; --once always does).

    \b
    mailbot run                                   run the daemon
    mailbot run --once                            run a single pass, for example from cron
    mailbot run --once --now 2026-12-20T10:00:00Z run at another time; it sends real emails (for a dry run, use explain)
    """
    import structlog

    from mailbot.commands import loading
    from mailbot.runtime.clock import Clock
    from mailbot.runtime.daemon import Daemon
    from mailbot.runtime.logs import configure
    from mailbot.runtime.worker import MailboxConnections, Worker
    from mailbot.settings import load, warnings

    configure()
    settings = load(config)
    for warning in warnings(settings):
        structlog.get_logger("mailbot").warning(warning)
    clock = Clock(now)
    policies = loading.policies(settings)  # errors in settings and rules must show before the state is opened
    gc.freeze()  # what was loaded lives as long as the process: keep the garbage collector from scanning it
    servers = [(settings.imap(mailbox), settings.smtp(mailbox)) for mailbox in settings.file.mailbox]
    store, processes = loading.store(settings), loading.Processes(settings.classifier)
    try:
        contexts = loading.contexts(settings, store, clock, processes, policies=policies)

        async def work() -> None:
            connections = [MailboxConnections(context, *servers[i]) for i, context in enumerate(contexts.values())]
            worker = Worker(connections, store, clock)
            if once:
                try:
                    await worker.once()
                finally:
                    await worker.close()
                return
            daemon = Daemon(worker, poll_seconds=settings.file.poll_seconds, from_now=settings.file.start == "from now")
            for context in contexts.values():  # emails that arrive soon do not wait for what it learns
                threading.Thread(target=processes.classifier.prepare, args=(context.examples(),), daemon=True).start()
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, daemon.stop)
            await daemon.run()

        asyncio.run(work())
    finally:
        processes.close()
        store.close()
