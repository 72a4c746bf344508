"""Benchmark of parsing and understanding: messages per second by stage, compared with the standard library's parser.

``reading.py`` prints the stages and the slowest hostile patterns. ``reading.py DIR`` also measures the code in another working
copy (an older commit), in a process of its own. Caches of texts (``functools.lru_cache``) are cleared between emails.
"""

from __future__ import annotations

import csv
import email
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
STAGES = ("floor", "parse", "read", "understand")
TOP = 10


def labeled_emails() -> Iterator[tuple[str, bytes]]:
    """Yield the labeled emails, each with its folder."""
    for folder in ("corpus", "understanding"):
        for path in sorted((ROOT / "tests" / "data" / folder / "mail").glob("*.eml")):
            yield folder, path.read_bytes()


def registry(folder: str) -> dict[str, Any]:
    """Return the rows of a folder's registry by serial key, with only the fields that reading needs."""
    from mailbot.intake.entities.serials import serial_key
    from mailbot.model import Unit

    with (ROOT / "tests" / "data" / folder / "registry.csv").open(encoding="utf-8") as lines:
        return {
            serial_key(row["serial"]): Unit(row["serial"], row["model"], row["family"], date(2026, 1, 1), "", "")
            for row in csv.DictReader(lines)
        }


def clear_caches() -> None:
    """Clear the caches of texts. Compiled patterns stay."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mailbot."):
            for cached in vars(module).values():
                if hasattr(cached, "cache_parameters") and cached.cache_parameters()["maxsize"]:
                    cached.cache_clear()


def stages() -> dict[str, float]:
    """Return the processor time of each stage, in milliseconds per email: the minimum of the rounds."""
    from mailbot.intake.reading import read_message
    from mailbot.intake.understand import understand
    from mailbot.mail.parse import parse
    from mailbot.model import Mail, Snapshot
    from mailbot.runtime.resources import Resources

    desk = Resources.at().policy("american-portwell").desk
    rows = {folder: registry(folder) for folder in ("corpus", "understanding")}
    emails = list(labeled_emails())
    least: dict[str, float] = {}
    for _ in range(ROUNDS + 1):  # the first round compiles the patterns
        clear_caches()
        spent: defaultdict[str, float] = defaultdict(float)

        def measure(stage: str, work: Callable[[], Any], spent: defaultdict[str, float] = spent) -> Any:
            started = time.process_time()
            try:
                return work()
            finally:
                spent[stage] += time.process_time() - started

        for folder, raw in emails:
            measure("floor", lambda raw=raw: [part.get_payload(decode=True) for part in email.message_from_bytes(raw).walk()])
            with suppress(Exception):  # an encrypted email; an older working copy may fail for others too
                measure("parse", lambda raw=raw: parse(raw, mailbox=desk.address, arrived_at=NOW))
                clear_caches()
                message = measure("read", lambda raw=raw: read_message(Mail(desk.address, raw, NOW), desk))
                units = {code: rows[folder][code] for code in message.codes if code in rows[folder]}
                measure("understand", lambda m=message, u=units: understand(m, None, Snapshot(units=u), desk))
        spent["read"] -= spent["parse"]
        least = {stage: min(least.get(stage, 1e9), 1000 * spent[stage] / len(emails)) for stage in STAGES}
    return least


def stages_of(root: Path) -> dict[str, float]:
    """Measure the code of a working copy, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--json"], env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, check=True
    )
    return {stage: float(spent) for stage, spent in json.loads(done.stdout).items()}


def patterns() -> list[tuple[float, str]]:
    """Return the processor time for a megabyte of each hostile pattern (R4), in milliseconds: the less of two."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.growth import KNOWN, desk
    from support.patterns import PATTERNS, mail

    from mailbot.intake.reading import read_message
    from mailbot.intake.understand import understand
    from mailbot.model import Mail

    def once(raw: bytes) -> float:
        clear_caches()
        started = time.process_time()
        understand(read_message(Mail(desk().address, raw, NOW), desk()), None, KNOWN, desk())
        return 1000 * (time.process_time() - started)

    megabytes = {name: mail(name, 1_000_000) for name in PATTERNS}
    return sorted(((min(once(raw) for _ in range(2)), name) for name, raw in megabytes.items()), reverse=True)


def expressions() -> list[tuple[float, str]]:
    """Return the processor time that each regular expression takes for its slowest 100 KB, in milliseconds.

    The limit is 10 ms (R4: 100 ms for a megabyte). A megabyte of each would take many minutes. All texts are tried with 5 KB
    first; the three slowest are measured in full.
    """
    from support.patterns import MARKUP, REPEATED
    from support.regexes import expressions as every

    def once(work: Callable[[Any], Any], text: Any) -> float:
        started = time.process_time()
        work(text)
        return 1000 * (time.process_time() - started)

    found = []
    for one in every()[0]:
        binary = isinstance(one.pattern.pattern, bytes)
        pieces = [piece.encode() if binary else piece for piece in (*REPEATED, *MARKUP)]
        for name, work in one.uses():
            tried = sorted(((once(work, piece * (5_000 // len(piece))), piece) for piece in pieces), reverse=True)[:3]
            most = max(once(work, piece * (100_000 // len(piece))) for _, piece in tried)
            found.append((most, f"{one.where}, {name}"))
    return sorted(found, reverse=True)


def print_stages(title: str, spent: dict[str, float]) -> None:
    """Print one line per stage, and the messages per second of all three."""
    whole = spent["parse"] + spent["read"] + spent["understand"]
    print(f"{title}: {1000 / whole:.0f} messages/s, {whole / spent['floor']:.1f} times the standard library")
    for stage in STAGES:
        print(f"  {stage:<12} {spent[stage]:7.2f} ms per email  {spent[stage] / spent['floor']:6.1f}")


def main() -> None:
    """Print the stages of this working copy and of the given ones, then the slowest patterns."""
    if "--json" in sys.argv:
        print(json.dumps(stages()))
        return
    print_stages("parse, read, understand", stages_of(ROOT))
    for root in map(Path, sys.argv[1:]):
        print_stages(str(root), stages_of(root))
    slowest = patterns()
    print(f"one megabyte of a pattern (R4): {len(slowest)} patterns, at most {slowest[0][0]:.0f} ms, the slowest:")
    for spent, name in slowest[:TOP]:
        print(f"  {name:<42} {spent:7.0f} ms")
    worst = expressions()
    slow = sum(spent > 10 for spent, _ in worst)
    print(f"100 KB in each regular expression (R4): {slow} of {len(worst)} take more than 10 ms, the slowest:")
    for spent, name in worst[:TOP]:
        print(f"  {name:<60} {spent:7.0f} ms")


if __name__ == "__main__":
    main()
