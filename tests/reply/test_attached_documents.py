"""The setting ``documents``: what goes with a letter, and what the letters say of it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.memory_desk import Desk, letter, parsed, policy, to_customer, unit, words

if TYPE_CHECKING:
    from mailbot.model import Reply

BOSS = "boss@portwell.example"
NAMES = ["label.pdf", "packing-sheet.pdf", "deadlines.ics"]


def desk(documents: str) -> Desk:
    """A desk with this setting and one unit under warranty."""
    return Desk(replace(policy("american-portwell"), documents=documents), [unit("AH2F104432", "ipc")])


def files(reply: Reply) -> list[str | None]:
    """The names of what is attached."""
    return [part.get_filename() for part in parsed(reply).iter_attachments()]


@pytest.mark.parametrize(("documents", "names"), [("pdf", NAMES), ("names", NAMES), ("none", [])])
def test_what_goes_with_a_number(documents: str, names: list[str]) -> None:
    """Documents are attached, or only named for a look at the mail, or left out; the letter is the same."""
    first = to_customer(desk(documents).write("Serial number AH2F104432 shows no video."))
    assert files(first) == names
    assert words(first) == words(to_customer(desk("pdf").write("Serial number AH2F104432 shows no video.")))


@pytest.mark.parametrize(("documents", "warned"), [("pdf", 1), ("none", 0)])
def test_a_letter_speaks_of_a_label_only_where_there_is_one(documents: str, warned: int) -> None:
    """Another address makes an earlier label wrong; without documents nobody has one."""
    one = desk(documents)
    one.write("Serial number AH2F104432 shows no video.")
    notice = f"[{one.case.id}]"
    one.write("HELP", BOSS, subject=notice)
    answer = one.steps[-1].replies[0]
    command = "SHIP TO: Acme Lab, 5 Side Street, Springfield, IL 62701"
    address = str(parsed(answer)["Reply-To"])
    step = one.take(letter(command, BOSS, to=address, subject=notice, answers=answer.message_id))
    moved = to_customer(step)
    assert "5 Side Street" in words(moved)
    assert words(moved).count("label that we sent you before") == warned


def test_a_mail_without_documents_loads_no_library_for_them() -> None:
    """What draws documents is imported when one is drawn."""
    code = (
        "import sys; sys.path.insert(0, 'tests'); sys.path.insert(0, 'tests/reply'); from test_attached_documents import desk\n"
        "desk('none').write('Serial number AH2F104432 shows no video.')\n"
        "print([name for name in ('reportlab', 'icalendar', 'lxml', 'pypdf', 'holidays') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
