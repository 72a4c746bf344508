"""``mailbot run``: the daemon, or once."""

from __future__ import annotations

import asyncio
import gc
import signal
from datetime import datetime
from pathlib import Path

import click

from mailbot.commands import options


@click.command()
@options.config
@click.option("--once", is_flag=True, help="Drain INBOX, due dates and the outbox, then end.")
@options.now("Set the clock for everything: mails arrive at this moment, deadlines and backoff count by it.")
def run(config: Path, now: datetime | None, *, once: bool) -> None:
    """Work: take in mail, decide, answer, remind.

    Without --once mailbot stays and works until it gets SIGTERM or Ctrl-C; then it finishes the batch in hand and ends. At
    its first start it answers new mail only (settings: start = "all" takes in what already lies there; --once always does).

    \b
    mailbot run                                   the daemon
    mailbot run --once                            one round, for cron or a look
    mailbot run --once --now 2026-12-20T10:00:00Z the same by a set clock: real mails go out; to try, see explain and rehearse
    """
    import structlog

    from mailbot.commands import loading
    from mailbot.runtime.attachment_process import AttachmentProcess
    from mailbot.runtime.clock import Clock
    from mailbot.runtime.daemon import Daemon
    from mailbot.runtime.logs import configure
    from mailbot.runtime.pipeline import MailboxContext
    from mailbot.runtime.worker import MailboxConnections, Worker
    from mailbot.settings import load, warnings

    configure()
    settings = load(config)
    for warning in warnings(settings):
        structlog.get_logger("mailbot").warning(warning)
    clock = Clock(now)
    policies = loading.policies(settings)  # every error of a person's comes before the state is touched
    gc.freeze()  # what was loaded stays as long as the process: the garbage collector leaves it alone
    servers = [(settings.imap(mailbox), settings.smtp(mailbox)) for mailbox in settings.file.mailbox]
    store, opener = loading.store(settings), AttachmentProcess()
    try:
        registries = loading.registries(settings)
        rooms = {
            a: MailboxContext(policy, registries[a], store, clock, open_attachments=opener)
            for a, policy in policies.items()
        }

        async def work() -> None:
            stations = [MailboxConnections(room, *servers[i]) for i, room in enumerate(rooms.values())]
            worker = Worker(stations, store, clock)
            if once:
                try:
                    await worker.once()
                finally:
                    await worker.close()
                return
            daemon = Daemon(worker, poll_seconds=settings.file.poll_seconds, from_now=settings.file.start == "from now")
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, daemon.stop)
            await daemon.run()

        asyncio.run(work())
    finally:
        opener.close()
        store.close()
