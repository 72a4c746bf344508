"""How well labeled emails are understood: the figures that matter, from `mailbot explain --json` against the labels."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
SETTINGS = """\
[[mailbox]]
address = "{address}"
policy = "{policy}"
registry = "{registry}"
  [mailbox.imap]
  host = "127.0.0.1"
  security = "none"
  user = "rma"
  password_env = "UNUSED"
  [mailbox.smtp]
  host = "127.0.0.1"
  security = "none"
{staff}
"""
DESKS = {
    "rma@portwell.example": ("american-portwell", ("rma.desk@portwell.example", "sales@portwell.example")),
    "rma@servertech.example": ("server-technology", ("support@servertech.example",)),
}


@dataclass
class Score:
    """Figures over a set of emails; what went wrong is in ``misses`` as (file, field, wanted, got)."""

    emails: int = 0
    right: dict[str, int] = field(default_factory=dict)
    serials: tuple[int, int, int] = (0, 0, 0)
    exclusions: tuple[int, int, int] = (0, 0, 0)
    """As of the serials: found, invented, missed."""
    decoys: list[tuple[str, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    wrong_issues: list[tuple[str, str]] = field(default_factory=list)
    answered_machines: list[str] = field(default_factory=list)
    misses: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def share(self, name: str) -> float:
        """Return the share of emails in which a field is right."""
        return self.right.get(name, 0) / self.emails

    @property
    def serial_f1(self) -> float:
        hit, over, under = self.serials
        return 2 * hit / (2 * hit + over + under)


def explained(folder: Path, home: Path) -> list[dict[str, Any]]:
    """Run `mailbot explain --json` over a labeled set, in a settings folder made for it."""
    text = ""
    for address, (policy, staff) in DESKS.items():
        people = "\n".join(f'  [[mailbox.staff]]\n  address = "{person}"\n  roles = ["desk"]' for person in staff)
        text += SETTINGS.format(address=address, policy=policy, registry=folder / "registry.csv", staff=people)
    (home / "mailbot.toml").write_text(text, encoding="utf-8")
    words = ["explain", "--json", "--now", "2026-11-20T10:00:00Z", "--config", str(home / "mailbot.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "mailbot", *words, str(folder / "mail")], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def score(labels: list[dict[str, Any]], told: list[dict[str, Any]]) -> Score:
    """Compare what was understood with the labels."""
    by_file = {row["file"]: row for row in told}
    result = Score(emails=len(labels))
    hit = over = under = 0
    for want in labels:
        got = by_file[want["file"]]
        wanted = {serial(unit["serial"]): unit["outcome"] for unit in want["items"]}
        found = {serial(unit["serial"]): unit["outcome"] for unit in got["items"]}
        hit, over, under = (hit + len(wanted.keys() & found), over + len(found.keys() - wanted), under + len(wanted.keys() - found))
        pairs = {name: (want[name], got[name]) for name in ("kind", "intent", "outcome", "language", "po_number", "sender")}
        pairs |= {name: (set(want[name]), set(got[name])) for name in ("missing", "exclusions")}
        pairs["serials"] = (set(wanted), set(found))
        if want["reason_contains"]:
            phrases = [fold(phrase) for phrase in want["reason_contains"]]
            pairs["reason"] = (True, any(phrase in fold(got["reason"]) for phrase in phrases))
        else:
            pairs["reason"] = (True, True)
        for name, (one, other) in pairs.items():
            result.right[name] = result.right.get(name, 0) + (one == other)
            if one != other:
                result.misses.append((want["file"], name, one, other))
        stated, heard = set(want["exclusions"]), set(got["exclusions"])
        right, wrong_, missed = result.exclusions
        result.exclusions = (right + len(stated & heard), wrong_ + len(heard - stated), missed + len(stated - heard))
        taken = {serial(text) for text in want["decoys"]} & found.keys()
        result.decoys += [(want["file"], text) for text in sorted(taken)]
        result.reasons += [got["reason"]] if got["reason"] else []
        wrong = [s for s, outcome in found.items() if outcome == "issue" and wanted.get(s) != "issue"]
        result.wrong_issues += [(want["file"], s) for s in wrong]
        if want["outcome"] == "none" and got["outcome"] != "none":
            result.answered_machines.append(want["file"])
    result.serials = (hit, over, under)
    return result


def labels_of(folder: Path) -> list[dict[str, Any]]:
    """Return the labels of a set."""
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text("utf-8").splitlines() if line.strip()]


def serial(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


def fold(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()
