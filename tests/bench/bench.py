"""Benchmark of the whole program per email: stages with their budgets, messages per second, flushes, start-up times, memory.

All times are the processor time of the measured process; the email servers run in another process. Compare numbers of one run
only. The baseline is the same work of the same libraries (fetch, move, send) without mailbot.

``BENCH_MAILS`` sets the number of emails (default 500).
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
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

EMAILS = int(os.environ.get("BENCH_MAILS", "500"))
WITH_DOCUMENTS = max(20, EMAILS // 5)
WARM_UP = 10
FLUSHED = 500
"""Number of emails in the run that counts flushes: a backlog."""
FLUSH_BUDGET = 0.1

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
HEAD = "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure\n"
USER, PASSWORD = "rma", "secret"
SECONDS = 600
"""Timeout of one measured process."""

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
"""Milliseconds of processor time per email without documents. Documents have no budget yet."""

START_UP = {"--help": 0.25, "explain one.eml": 0.8, "run --once": 0.9}
"""Seconds of processor time for the whole process."""


def open_state(folder: Path) -> Any:
    """Open the store for the benchmark."""
    from mailbot.runtime.store import open_store

    return open_store(f"tinydb:{folder}")


# ---------------------------------------------------------------- the meter


class Meter(threading.local):
    """Measures processor time by stage. The time of an inner stage does not count for the outer one.

    Emails are processed in one thread while others are sent in another; what one does never counts for a stage of the other.
    """

    spent: ClassVar[defaultdict[str, float]] = defaultdict(float)
    outermost: ClassVar[defaultdict[str, int]] = defaultdict(int)

    def __init__(self) -> None:
        self._inner = [0.0]
        self._started = [0.0]

    def begin(self) -> None:
        """Begin a stage."""
        self._inner.append(0.0)
        self._started.append(time.thread_time())

    def end(self, label: str) -> None:
        """End the stage that began last."""
        took = time.thread_time() - self._started.pop()
        self.spent[label] += took - self._inner.pop()
        self._inner[-1] += took
        self.outermost[label] += len(self._inner) == 1

    def own_cost(self) -> float:
        """Return the seconds that measuring has cost outside of every stage."""
        tries, calls = 10_000, sum(self.outermost.values())
        started = time.thread_time()
        for _ in range(tries):
            self.begin()
            self.end("")
        whole = time.thread_time() - started
        return calls * (whole - self.spent.pop("")) / tries

    def watch(self, owner: Any, name: str, label: str) -> None:
        """Measure each call of a function."""
        inner: Callable[..., Any] = getattr(owner, name)

        @wraps(inner)
        def outer(*words: Any, **named: Any) -> Any:
            self.begin()
            try:
                return inner(*words, **named)
            finally:
                self.end(label)

        @wraps(inner)
        async def outer_async(*words: Any, **named: Any) -> Any:
            self.begin()
            try:
                return await inner(*words, **named)
            finally:
                self.end(label)

        setattr(owner, name, outer_async if asyncio.iscoroutinefunction(inner) else outer)


class Watched:
    """A store whose calls are measured, including those that return an iterator."""

    def __init__(self, store: Any, meter: Meter) -> None:
        self._store, self._meter = store, meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*words: Any, **named: Any) -> Any:
            self._meter.begin()
            try:
                answer = found(*words, **named)
            finally:
                self._meter.end("store")
            return self._each(answer) if isinstance(answer, Iterator) else answer

        return call

    def _each(self, answers: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            self._meter.begin()
            answer = next(answers, end)
            self._meter.end("store")
            if answer is end:
                return
            yield answer


# ---------------------------------------------------------------- emails and servers


def emails(count: int) -> Iterator[bytes]:
    """Yield the customers' emails, each from another customer, about another unit, and with another name in each sentence."""
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
    """Run the servers with the emails in the mailbox until standard input is closed; then print how many emails were sent."""
    from mailbot.runtime.embedded import imap_server, smtp_server

    async with imap_server({USER: PASSWORD}) as imap, smtp_server() as smtp:
        for raw in emails(count):
            await imap.deliver(USER, raw)
        print(json.dumps([imap.imap(USER).port, smtp.smtp().port]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(len(smtp.received), flush=True)


class Servers:
    """The servers, in a process of their own."""

    def __init__(self, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "serve", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.ports: list[int] = json.loads(self._process.stdout.readline())

    def close(self) -> int:
        """Stop the servers and return how many emails were sent to them."""
        out, _ = self._process.communicate(timeout=60)
        return int(out)


def addresses(ports: list[int]) -> tuple[Any, Any]:
    """Return the parameters of the servers."""
    from mailbot.runtime.servers import Imap, Smtp

    imap, smtp = ports
    return (
        Imap(host="127.0.0.1", port=imap, security="none", user=USER, password=PASSWORD),
        Smtp(host="127.0.0.1", port=smtp, security="none"),
    )


# ---------------------------------------------------------------- measurements, each in a process of its own


class Result(NamedTuple):
    """Processor time and elapsed time in seconds, processor time by stage, peak resident memory in megabytes."""

    processor: float
    clock: float
    stages: dict[str, float]
    memory: float


async def baseline(imap: Any, smtp: Any) -> Result:
    """Fetch, move and send as many emails without mailbot."""
    from mailbot.runtime.imap.mailbox import Mailbox
    from mailbot.runtime.smtp.outbox import Outbox

    box, outbox = Mailbox(imap), Outbox(smtp)
    await asyncio.to_thread(box.connect)
    started, clock = time.process_time(), time.perf_counter()
    while uids := await asyncio.to_thread(box.waiting, 50):
        fetched = await asyncio.to_thread(box.fetch, uids)
        await asyncio.to_thread(box.move, [f.uid for f in fetched], "Done")
        for incoming_mail in fetched:
            await outbox.send(incoming_mail.raw or b"", "rma@portwell.example", "kim@c.example")
    took, waited = time.process_time() - started, time.perf_counter() - clock
    await asyncio.to_thread(box.close)
    await outbox.close()
    return Result(took, waited, {}, memory())


async def desk(imap: Any, smtp: Any, documents: Any, count: int) -> Result:
    """Process the emails with mailbot."""
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
            [MailboxConnections(mailbot.runtime.pipeline.MailboxContext(policy, registry, store, clock), imap, smtp)], store, clock
        )
        warm_up(policy, registry)
        gc.freeze()  # as ``mailbot run`` does
        meter.spent.clear()
        meter.outermost.clear()
        started, by_clock = time.process_time(), time.perf_counter()
        await worker.once()
        took, waited = time.process_time() - started, time.perf_counter() - by_clock
        took -= meter.own_cost()
        spent = dict(meter.spent)
        await worker.close()
        store.close()
    return Result(took, waited, spent, memory())


def warm_up(policy: Any, registry: Any) -> None:
    """Process a few emails. The first ones compile patterns and templates, which belongs to the start-up."""
    from mailbot.runtime.clock import Clock
    from mailbot.runtime.pipeline import MailboxContext, incoming_mail, process_batch
    from mailbot.runtime.store import open_store

    context = MailboxContext(policy, registry, open_store(), Clock(NOW))
    process_batch([incoming_mail(policy.desk.address, raw, NOW) for raw in emails(WARM_UP)], context)


def memory() -> float:
    """Return the peak resident memory of this process in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(what: str, count: int, *before: str) -> Result:
    """Measure in a new process, with the servers in another one.

    Raises:
        SystemExit: not every email was answered.
    """
    servers = Servers(count)
    command = [*before, sys.executable, __file__, what, *map(str, servers.ports), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    answered = servers.close()
    if done.returncode or answered != count:
        raise SystemExit(f"{what}: {answered} of {count} emails were answered\n{done.stderr[-2000:]}")
    return Result(*json.loads(done.stdout))


def flushes() -> str:
    """Count the flushes to disk (fsync and its relatives)."""
    if not shutil.which("strace"):
        return "not counted: strace is not installed"
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        measure("none", FLUSHED, "strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,msync,syncfs", "-o", str(trace))
        calls = len(re.findall(r"\b(?:fsync|fdatasync|msync|syncfs)\(", trace.read_text(encoding="utf-8")))
    over = "  over" if calls / FLUSHED > FLUSH_BUDGET else ""
    return f"{calls / FLUSHED:.2f} for each email of a backlog of {FLUSHED}, budget {FLUSH_BUDGET:.2f}{over}"


# ---------------------------------------------------------------- start-up of commands


def commands() -> Iterator[tuple[str, float, float]]:
    """Yield each command with the minimum processor time of its runs in seconds, and its peak resident memory in megabytes."""
    servers = Servers(0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "desk"
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "AMERICAN_PORTWELL_PASSWORD": PASSWORD,
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: the modules are compiled once
        mailbot = [sys.executable, "-m", "mailbot"]
        init = [*mailbot, "init", str(home), "--policy", "american-portwell"]
        subprocess.run(init, env=environment, check=True, capture_output=True, timeout=60)
        settings = home / "mailbot.toml"
        text = re.sub(r'host = ".*?"', 'host = "127.0.0.1"', settings.read_text(encoding="utf-8"))
        text = re.sub(r'security = "\w+"', 'security = "none"', text)
        imap, smtp = servers.ports
        text = text.replace("port = 993", f"port = {imap}").replace("port = 587", f"port = {smtp}")
        settings.write_text(text, encoding="utf-8")
        (home / "registry.csv").write_text(HEAD + "AH8K000000,WADE-8017,ipc,2026-01-15,C,c0.example,,,,\n", encoding="utf-8")
        (home / "one.eml").write_bytes(next(emails(1)))
        for words in START_UP:
            runs = [_run([*mailbot, *words.split()], home, environment) for _ in range(5)]
            yield words, min(run[0] for run in runs), max(run[1] for run in runs)
    servers.close()


def _run(command: list[str], home: Path, environment: dict[str, str]) -> tuple[float, float]:
    process = subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


# ---------------------------------------------------------------- tables


def line(name: str, value: float, budget: float | None, share: str = "", *, digits: int = 2) -> None:
    """Print a row: name, value, budget, share."""
    limit = "" if budget is None else f"{budget:.{digits}f}"
    over = "" if budget is None or value <= budget else "  over"
    print(f"  {name:<22} {value:8.{digits}f} {limit:>8} {share:>7}{over}")


def stages(title: str, result: Result, count: int, base: Result, *, budgets: bool) -> None:
    """Print a table of stages and the total."""
    each = {label: 1000 * spent / count for label, spent in result.stages.items()}
    whole = 1000 * result.processor / count
    each["rest: logs, loop"] = whole - sum(each.values())
    print(f"\n{title} ({count} emails): ms of processor time per email")
    print(f"  {'stage':<22} {'ms':>8} {'budget':>8} {'share':>7}")
    for label in dict.fromkeys((*BUDGETS, *each)):
        if label in each and (budgets or each[label] >= 0.005):
            line(label, each[label], BUDGETS.get(label) if budgets else None, f"{each[label] / whole:.1%}")
    line("total", whole, sum(BUDGETS.values()) if budgets else None, "100.0%")
    baseline_each = 1000 * base.processor / EMAILS
    print(f"  {1000 / whole:.0f} messages/s of processor time, {count / result.clock:.0f} elapsed; peak {result.memory:.0f} MB")
    print(f"  baseline: {baseline_each:.2f} ms, {1000 / baseline_each:.0f} messages/s; ratio {whole / baseline_each:.1f}")


def main() -> None:
    """Print all tables, or do one measurement (in the processes that this script starts)."""
    match sys.argv[1:]:
        case ["serve", count]:
            asyncio.run(serve(int(count)))
        case [what, imap, smtp, count]:
            servers = addresses([int(imap), int(smtp)])
            result = asyncio.run(baseline(*servers) if what == "baseline" else desk(*servers, what, int(count)))
            print(json.dumps(result))
        case _:
            base = measure("baseline", EMAILS)
            stages('documents = "none"', measure("none", EMAILS), EMAILS, base, budgets=True)
            stages('documents = "pdf"', measure("pdf", WITH_DOCUMENTS), WITH_DOCUMENTS, base, budgets=False)
            print(f"\nflushes: {flushes()}")
            print("\nstart-up: seconds of processor time for the whole process, peak resident memory")
            for words, seconds, megabytes in commands():
                line(f"mailbot {words}", seconds, START_UP[words], f"{megabytes:.0f} MB")


if __name__ == "__main__":
    main()
