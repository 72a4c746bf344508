"""Reading and understanding alone: messages a second, stage by stage, beside the standard library's reading of the same mails.

``reading.py`` prints the stages and the costliest of the hostile patterns; ``reading.py DIR`` takes the stages of the code in
another working copy (an older commit) in the same run, one process after the other. What is remembered of single texts
(``functools.lru_cache``) is forgotten between mails: each one is seen for the first time.
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

HOUSE = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
STAGES = ("floor", "parse", "read", "understand")
SHOWN = 10


def letters() -> Iterator[tuple[str, bytes]]:
    """Yield the labelled mails, each with the folder it stands in."""
    for folder in ("corpus", "understanding"):
        for path in sorted((HOUSE / "tests" / "data" / folder / "mail").glob("*.eml")):
            yield folder, path.read_bytes()


def registry(folder: str) -> dict[str, Any]:
    """Return the rows of a folder's registry by folded serial; only what reading needs is filled in."""
    from mailbot.intake.entities.serials import serial_key
    from mailbot.model import Unit

    with (HOUSE / "tests" / "data" / folder / "registry.csv").open(encoding="utf-8") as lines:
        return {
            serial_key(row["serial"]): Unit(row["serial"], row["model"], row["family"], date(2026, 1, 1), "", "")
            for row in csv.DictReader(lines)
        }


def forget() -> None:
    """Forget what is remembered of single texts; compiled patterns stay."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mailbot."):
            for memo in vars(module).values():
                if hasattr(memo, "cache_parameters") and memo.cache_parameters()["maxsize"]:
                    memo.cache_clear()


def stages() -> dict[str, float]:
    """Return the processor time of each stage, in milliseconds a mail: the least of the rounds."""
    from mailbot.intake.reading import read_message
    from mailbot.intake.understand import understand
    from mailbot.mail.parse import parse
    from mailbot.model import Mail, Snapshot
    from mailbot.runtime.resources import Resources

    desk = Resources.at().policy("american-portwell").desk
    rows = {folder: registry(folder) for folder in ("corpus", "understanding")}
    mails = list(letters())
    least: dict[str, float] = {}
    for _ in range(ROUNDS + 1):  # the first compiles the words
        forget()
        spent: defaultdict[str, float] = defaultdict(float)

        def timed(stage: str, work: Callable[[], Any], spent: defaultdict[str, float] = spent) -> Any:
            begun = time.process_time()
            try:
                return work()
            finally:
                spent[stage] += time.process_time() - begun

        for folder, raw in mails:
            timed(
                "floor",
                lambda raw=raw: [part.get_payload(decode=True) for part in email.message_from_bytes(raw).walk()],
            )
            with suppress(Exception):  # a sealed mail; an older working copy may fail at others too
                timed("parse", lambda raw=raw: parse(raw, mailbox=desk.address, arrived_at=NOW))
                forget()
                message = timed("read", lambda raw=raw: read_message(Mail(desk.address, raw, NOW), desk))
                units = {code: rows[folder][code] for code in message.codes if code in rows[folder]}
                timed("understand", lambda m=message, u=units: understand(m, None, Snapshot(units=u), desk))
        spent["read"] -= spent["parse"]
        least = {stage: min(least.get(stage, 1e9), 1000 * spent[stage] / len(mails)) for stage in STAGES}
    return least


def elsewhere(house: Path) -> dict[str, float]:
    """Take the stages of the code in a working copy, in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--json"],
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        check=True,
    )
    return {stage: float(spent) for stage, spent in json.loads(told.stdout).items()}


def patterns() -> list[tuple[float, str]]:
    """Return the processor time for a megabyte of each hostile pattern (R4), in milliseconds: the least of three."""
    sys.path.insert(0, str(HOUSE / "tests"))
    from support.growth import KNOWN, desk
    from support.patterns import PATTERNS, mail

    from mailbot.intake.reading import read_message
    from mailbot.intake.understand import understand
    from mailbot.model import Mail

    def once(raw: bytes) -> float:
        forget()
        begun = time.process_time()
        understand(read_message(Mail(desk().address, raw, NOW), desk()), None, KNOWN, desk())
        return 1000 * (time.process_time() - begun)

    megabytes = {name: mail(name, 1_000_000) for name in PATTERNS}
    return sorted(((min(once(raw) for _ in range(3)), name) for name, raw in megabytes.items()), reverse=True)


def expressions() -> list[tuple[float, str]]:
    """Return the processor time that each regular expression takes for its hardest megabyte, in milliseconds.

    The required figure is 100 ms (R4). Texts are tried at a hundredth of the size first; the five slowest are measured in full.
    """
    from support.patterns import MARKUP, REPEATED
    from support.regexes import expressions as every

    def once(work: Callable[[Any], Any], text: Any) -> float:
        begun = time.process_time()
        work(text)
        return 1000 * (time.process_time() - begun)

    found = []
    for one in every()[0]:
        binary = isinstance(one.pattern.pattern, bytes)
        pieces = [piece.encode() if binary else piece for piece in (*REPEATED, *MARKUP)]
        for name, work in one.uses():
            tried = sorted(((once(work, piece * (10_000 // len(piece))), piece) for piece in pieces), reverse=True)[:5]
            most = max(once(work, piece * (1_000_000 // len(piece))) for _, piece in tried)
            found.append((most, f"{one.where}, {name}"))
    return sorted(found, reverse=True)


def show(title: str, spent: dict[str, float]) -> None:
    """Print one line for each stage, and messages a second of all three."""
    whole = spent["parse"] + spent["read"] + spent["understand"]
    print(f"{title}: {1000 / whole:.0f} messages/s, {whole / spent['floor']:.1f} times the floor")
    for stage in STAGES:
        print(f"  {stage:<12} {spent[stage]:7.2f} ms a mail  {spent[stage] / spent['floor']:6.1f}")


def main() -> None:
    """Print the stages here, and in the working copies that are named; then the costliest patterns."""
    if "--json" in sys.argv:
        print(json.dumps(stages()))
        return
    show("parse, read, understand", elsewhere(HOUSE))
    for house in map(Path, sys.argv[1:]):
        show(str(house), elsewhere(house))
    slowest = patterns()
    print(f"a megabyte of one pattern (R4): {len(slowest)} patterns, at most {slowest[0][0]:.0f} ms, the costliest:")
    for spent, name in slowest[:SHOWN]:
        print(f"  {name:<42} {spent:7.0f} ms")
    worst = expressions()
    slow = sum(spent > 100 for spent, _ in worst)
    print(f"a megabyte in each regular expression (R4): {slow} of {len(worst)} take more than 100 ms, the costliest:")
    for spent, name in worst[:SHOWN]:
        print(f"  {name:<60} {spent:7.0f} ms")


if __name__ == "__main__":
    main()
