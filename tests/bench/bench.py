"""What a mail costs: stages beside their budgets, messages per second, flushes, start-up times, memory.

All times are processor time of the measured process alone: the mail servers run in a process of their own. Numbers of one run
compare with each other. The floor is the same work of the same libraries (fetch, move, send) with nothing in between.

``BENCH_MAILS`` sets the number of mails (500).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
HOUSE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

MAILS = int(os.environ.get("BENCH_MAILS", "500"))
WITH_DOCUMENTS = max(20, MAILS // 5)
WARM_UP = 10
FLUSHED = 50
"""Mails of the run whose flushes are counted."""

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
HEAD = "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure\n"
USER, PASSWORD = "rma", "secret"
SECONDS = 600
"""How long one measured process may take."""

BUDGETS = {
    "read": 1.2,
    "look up": 0.2,
    "understand": 2.0,
    "decide": 0.4,
    "compose: render": 1.1,
    "compose: build": 0.7,
    "compose: rest": 0.3,
    "store": 1.0,
    "IMAP": 0.4,
    "SMTP": 0.5,
    "rest: logs, loop": 0.2,
}
"""Milliseconds of processor time for one mail without documents. Documents have no budget yet."""

START_UP = {"--help": 0.25, "explain one.eml": 0.8, "run --once": 0.9}
"""Seconds of processor time for the whole process."""


def open_state(folder: Path) -> Any:
    """Open the store that the bench writes to."""
    from mailbot.runtime.store import open_store

    return open_store(f"tinydb:{folder}")


# ---------------------------------------------------------------- the meter


class Meter:
    """Processor time by stage; the time of an inner stage does not count for the outer one."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def stage(self, label: str) -> Iterator[None]:
        """Count a block."""
        began = time.process_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            took = time.process_time() - began
            self.spent[label] += took - self._inner.pop()
            self._inner[-1] += took

    def watch(self, owner: Any, name: str, label: str) -> None:
        """Count each call of a function."""
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def outer(*words: Any, **named: Any) -> Any:
            with self.stage(label):
                return inner(*words, **named)

        @wraps(inner)
        async def outer_async(*words: Any, **named: Any) -> Any:
            with self.stage(label):
                return await inner(*words, **named)

        setattr(owner, name, outer_async if asyncio.iscoroutinefunction(inner) else outer)


class Watched:
    """A store whose calls are counted, those that return an iterator included."""

    def __init__(self, store: Any, meter: Meter) -> None:
        self._store, self._meter = store, meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*words: Any, **named: Any) -> Any:
            with self._meter.stage("store"):
                answer = found(*words, **named)
            return self._each(answer) if isinstance(answer, Iterator) else answer

        return call

    def _each(self, answers: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            with self._meter.stage("store"):
                answer = next(answers, end)
            if answer is end:
                return
            yield answer


# ---------------------------------------------------------------- the mails, and the servers in a process of their own


def mails(count: int) -> Iterator[bytes]:
    """Write the customers' mails: each from another customer, about another unit, with a word of its own in each sentence."""
    from support.server_desk import letter

    for n in range(count):
        plant = "".join(chr(ord("a") + n // 26**place % 26) for place in (2, 1, 0)).capitalize()
        body = (
            f"Hello,\n\nour board at plant {plant} with serial AH8K{n:06} shows no video since Monday, on either port.\n"
            f"We changed the cable, the monitor and the memory in {plant}; it stays dark.\n\n"
            f"Please send an RMA number to {plant}.\n\nRegards\nKim\n"
        )
        yield letter(f"Kim <kim@c{n}.example>", f"Board {n} is dark", body, message_id=f"<m{n}@c{n}.example>")


async def serve(count: int) -> None:
    """Serve mailboxes with the mails until standard input ends; then tell how many mails were sent."""
    from mailbot.runtime.embedded import imap_server, smtp_server

    async with imap_server({USER: PASSWORD}) as imap, smtp_server() as smtp:
        for raw in mails(count):
            await imap.deliver(USER, raw)
        print(json.dumps([imap.imap(USER).port, smtp.smtp().port]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(len(smtp.received), flush=True)


class Servers:
    """The servers' process."""

    def __init__(self, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "serve", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.ports: list[int] = json.loads(self._process.stdout.readline())

    def close(self) -> int:
        """End the servers; return how many mails they were sent."""
        out, _ = self._process.communicate(timeout=60)
        return int(out)


def addresses(ports: list[int]) -> tuple[Any, Any]:
    """Return how to reach the servers."""
    from mailbot.runtime.servers import Imap, Smtp

    imap, smtp = ports
    return (
        Imap(host="127.0.0.1", port=imap, security="none", user=USER, password=PASSWORD),
        Smtp(host="127.0.0.1", port=smtp, security="none"),
    )


# ---------------------------------------------------------------- what is measured, each in a process of its own


class Result(NamedTuple):
    """Seconds of processor time and by the clock, processor time by stage, peak resident memory in megabytes."""

    processor: float
    clock: float
    stages: dict[str, float]
    memory: float


async def floor(imap: Any, smtp: Any) -> Result:
    """Fetch, move and send as many mails with no work in between."""
    from mailbot.runtime.imap.mailbox import Mailbox
    from mailbot.runtime.smtp.outbox import Outbox

    box, outbox = Mailbox(imap), Outbox(smtp)
    await asyncio.to_thread(box.connect)
    began, clock = time.process_time(), time.perf_counter()
    while uids := await asyncio.to_thread(box.waiting, 50):
        fetched = await asyncio.to_thread(box.fetch, uids)
        await asyncio.to_thread(box.move, [f.uid for f in fetched], "Done")
        for incoming_mail in fetched:
            await outbox.send(incoming_mail.raw or b"", "rma@portwell.example", "kim@c.example")
    took, waited = time.process_time() - began, time.perf_counter() - clock
    await asyncio.to_thread(box.close)
    await outbox.close()
    return Result(took, waited, {}, memory())


async def desk(imap: Any, smtp: Any, documents: Any, count: int) -> Result:
    """Let mailbot answer the mails."""
    import mailbot.core
    import mailbot.intake.reading
    import mailbot.reply.compose
    import mailbot.runtime.pipeline
    from mailbot.reply.render import EmailTemplates
    from mailbot.runtime.clock import Clock
    from mailbot.runtime.imap.mailbox import Mailbox
    from mailbot.runtime.logs import configure
    from mailbot.runtime.registry.registry import Registry
    from mailbot.runtime.resources import Resources
    from mailbot.runtime.smtp.outbox import Outbox
    from mailbot.runtime.worker import MailboxConnections, Worker

    configure()
    meter = Meter()
    for name in ("waiting", "fetch", "move"):
        meter.watch(Mailbox, name, "IMAP")
    meter.watch(Outbox, "send", "SMTP")
    meter.watch(mailbot.runtime.pipeline, "read_message", "read")
    meter.watch(mailbot.runtime.pipeline, "find_case", "look up")
    meter.watch(mailbot.runtime.pipeline, "look_up", "look up")
    meter.watch(mailbot.runtime.pipeline, "handle", "decide")
    meter.watch(mailbot.core, "interpret", "understand")
    meter.watch(mailbot.core, "compose", "compose: rest")
    meter.watch(EmailTemplates, "render", "compose: render")
    meter.watch(mailbot.reply.compose, "build", "compose: build")
    meter.watch(mailbot.reply.compose, "documents_for", "compose: documents")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rows = "".join(f"AH8K{n:06},WADE-8017,ipc,2026-01-15,C{n},c{n}.example,,,,\n" for n in range(count))
        (home / "registry.csv").write_text(HEAD + rows, encoding="utf-8")
        policy = Resources.at().policy("american-portwell", documents=documents)
        store: Any = Watched(open_state(home / "state"), meter)
        registry = Registry.open(home / "registry.csv", "american-portwell", home / "state" / "registry.db")
        clock = Clock(NOW)
        worker = Worker(
            [MailboxConnections(mailbot.runtime.pipeline.MailboxContext(policy, registry, store, clock), imap, smtp)],
            store,
            clock,
        )
        warm_up(policy, registry)
        gc.freeze()  # as ``mailbot run`` does
        meter.spent.clear()
        began, by_clock = time.process_time(), time.perf_counter()
        await worker.once()
        took, waited = time.process_time() - began, time.perf_counter() - by_clock
        spent = dict(meter.spent)
        await worker.close()
        store.close()
    return Result(took, waited, spent, memory())


def warm_up(policy: Any, registry: Any) -> None:
    """Take in a few mails: the first ones compile patterns and templates, which is part of the start-up."""
    from mailbot.runtime.clock import Clock
    from mailbot.runtime.pipeline import MailboxContext, incoming_mail, process_batch
    from mailbot.runtime.store import open_store

    room = MailboxContext(policy, registry, open_store(), Clock(NOW))
    process_batch([incoming_mail(policy.desk.address, raw, NOW) for raw in mails(WARM_UP)], room)


def memory() -> float:
    """Return the peak resident memory of this process in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(what: str, count: int, *before: str) -> Result:
    """Measure in a new process, its servers in another one.

    Raises:
        SystemExit: not every mail was answered.
    """
    servers = Servers(count)
    command = [*before, sys.executable, __file__, what, *map(str, servers.ports), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    answered = servers.close()
    if done.returncode or answered != count:
        raise SystemExit(f"{what}: {answered} of {count} mails were answered\n{done.stderr[-2000:]}")
    return Result(*json.loads(done.stdout))


def flushes() -> str:
    """Count the flushes to disk (fsync and its relatives)."""
    if not shutil.which("strace"):
        return "not counted: strace is not installed"
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        measure("none", FLUSHED, "strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,msync,syncfs", "-o", str(trace))
        calls = len(re.findall(r"\b(?:fsync|fdatasync|msync|syncfs)\(", trace.read_text(encoding="utf-8")))
    return f"{calls / FLUSHED:.2f} for each mail ({FLUSHED} mails, from start to end)"


# ---------------------------------------------------------------- the three commands


def commands() -> Iterator[tuple[str, float, float]]:
    """Yield each command with the least processor time of its runs and its peak resident memory in megabytes."""
    servers = Servers(0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "desk"
        environment = os.environ | {
            "PYTHONPATH": str(HOUSE),
            "AMERICAN_PORTWELL_PASSWORD": PASSWORD,
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: the modules are compiled once
        mailbot = [sys.executable, "-m", "mailbot"]
        laid_out = [*mailbot, "init", str(home), "--policy", "american-portwell"]
        subprocess.run(laid_out, env=environment, check=True, capture_output=True, timeout=60)
        settings = home / "mailbot.toml"
        text = re.sub(r'host = ".*?"', 'host = "127.0.0.1"', settings.read_text(encoding="utf-8"))
        text = re.sub(r'security = "\w+"', 'security = "none"', text)
        imap, smtp = servers.ports
        text = text.replace("port = 993", f"port = {imap}").replace("port = 587", f"port = {smtp}")
        settings.write_text(text, encoding="utf-8")
        (home / "registry.csv").write_text(
            HEAD + "AH8K000000,WADE-8017,ipc,2026-01-15,C,c0.example,,,,\n", encoding="utf-8"
        )
        (home / "one.eml").write_bytes(next(mails(1)))
        for words in START_UP:
            runs = [_run([*mailbot, *words.split()], home, environment) for _ in range(5)]
            yield words, min(run[0] for run in runs), max(run[1] for run in runs)
    servers.close()


def _run(command: list[str], home: Path, environment: dict[str, str]) -> tuple[float, float]:
    process = subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


# ---------------------------------------------------------------- the tables


def line(name: str, value: float, budget: float | None, share: str = "", *, digits: int = 2) -> None:
    """Print a row: what it is, its value, its budget, its share."""
    limit = "" if budget is None else f"{budget:.{digits}f}"
    over = "" if budget is None or value <= budget else "  over"
    print(f"  {name:<22} {value:8.{digits}f} {limit:>8} {share:>7}{over}")


def stages(title: str, result: Result, count: int, base: Result, *, budgets: bool) -> None:
    """Print a table of stages, and the whole."""
    each = {label: 1000 * spent / count for label, spent in result.stages.items()}
    whole = 1000 * result.processor / count
    each["rest: logs, loop"] = whole - sum(each.values())
    print(f"\n{title} ({count} mails): ms of processor time for each mail")
    print(f"  {'stage':<22} {'ms':>8} {'budget':>8} {'share':>7}")
    for label in dict.fromkeys((*BUDGETS, *each)):
        if label in each and (budgets or each[label] >= 0.005):
            line(label, each[label], BUDGETS.get(label) if budgets else None, f"{each[label] / whole:.1%}")
    line("whole", whole, sum(BUDGETS.values()) if budgets else None, "100.0%")
    floor_each = 1000 * base.processor / MAILS
    print(
        f"  {1000 / whole:.0f} messages/s of processor time, {count / result.clock:.0f} by the clock; peak {result.memory:.0f} MB"
    )
    print(
        f"  floor: {floor_each:.2f} ms, {1000 / floor_each:.0f} messages/s of processor time; ratio {whole / floor_each:.1f}"
    )


def main() -> None:
    """Print all tables, or measure one thing for the process that does."""
    match sys.argv[1:]:
        case ["serve", count]:
            asyncio.run(serve(int(count)))
        case [what, imap, smtp, count]:
            servers = addresses([int(imap), int(smtp)])
            result = asyncio.run(floor(*servers) if what == "floor" else desk(*servers, what, int(count)))
            print(json.dumps(result))
        case _:
            base = measure("floor", MAILS)
            stages('documents = "none"', measure("none", MAILS), MAILS, base, budgets=True)
            stages('documents = "pdf"', measure("pdf", WITH_DOCUMENTS), WITH_DOCUMENTS, base, budgets=False)
            print(f"\nflushes: {flushes()}")
            print("\nstart-up: seconds of processor time for the whole process, peak resident memory")
            for words, seconds, megabytes in commands():
                line(f"mailbot {words}", seconds, START_UP[words], f"{megabytes:.0f} MB")


if __name__ == "__main__":
    main()
