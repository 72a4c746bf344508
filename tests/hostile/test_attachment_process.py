"""The opener: a parser that loops, eats memory or dies takes nobody along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.hostile_attachments import archive, attached, flate, letter, pdf, text_cell, workbook, written
from support.memory_desk import Desk, unit

from mailbot.intake.attachments.extraction import UNREADABLE_NOTE
from mailbot.model import Attachment
from mailbot.runtime.attachment_process import TOO_MUCH, AttachmentProcess, Limits

ORDER = attached("po.pdf", written("PURCHASE ORDER 4711"))


@pytest.fixture(scope="module")
def opener() -> Iterator[AttachmentProcess]:
    """An opener in little patience."""
    with AttachmentProcess(Limits(memory=400_000_000, cpu=1, wait=1.5, mail=3)) as running:
        yield running


def says(opener: AttachmentProcess, *attachments: Attachment) -> list[tuple[str, str]]:
    return [(document.text.strip(), document.note) for document in opener(attachments).documents]


STOPPED = {
    "T2_stacked_flate": ("a.pdf", pdf(*flate(bytes(100_000_000), 4))),
    "T2_endless_page": ("b.pdf", pdf(*flate(b"BT /F1 12 Tf (a) Tj ET\n" * 200_000, 2))),
    "T2_pages_in_a_ring": ("c.pdf", written("x").replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]")),
    "T3_bomb": ("d.xlsx", workbook(b'<row r="1"><c r="A1"><v>1</v></c></row>' * 3_000_000)),
    "T3_far_corner": (
        "e.xlsx",
        workbook(f'<row r="1">{text_cell("A1", "x")}</row><row r="1048576">{text_cell("XFD1048576", "y")}</row>'),
    ),
    "T3_zip_bomb": ("f.zip", archive({"a.txt": bytes(200_000_000)})),
    "T3_objects_without_end": ("winmail.dat", b"\x78\x9f\x3e\x22\1\0" + b"\1\x34\x12\4\0\0\0\0\0\0\0" * 400_000),
}


@pytest.mark.parametrize("case", STOPPED)
def test_T2_T3_a_bomb_is_stopped_and_the_next_file_is_read(opener: AttachmentProcess, case: str) -> None:
    """A file that would fill memory or never end is given up in seconds; the order beside it is read."""
    begun = time.perf_counter()
    (text, note), order = says(opener, attached(*STOPPED[case]), ORDER)
    assert time.perf_counter() - begun < 5
    assert not text
    assert note in {TOO_MUCH, UNREADABLE_NOTE}
    assert order == ("PURCHASE ORDER 4711", "")


def test_T2_a_mail_full_of_bombs_has_an_end(opener: AttachmentProcess) -> None:
    """Twenty bombs in one mail cost no more time than a mail may, and the next mail is read."""
    bomb = attached(*STOPPED["T2_endless_page"])
    begun = time.perf_counter()
    assert {note for _, note in says(opener, *[bomb] * 20)} == {TOO_MUCH}
    assert time.perf_counter() - begun < 8
    assert says(opener, ORDER) == [("PURCHASE ORDER 4711", "")]


def test_T2_the_mail_with_a_bomb_is_worked_on(opener: AttachmentProcess) -> None:
    """A customer whose PDF cannot be read is answered from what the mail says."""
    desk = Desk(units=[unit("AH2F104432", "ipc")])
    desk.context.open_attachments = opener
    step = desk.take(letter("Serial number AH2F104432 shows no video.", STOPPED["T2_endless_page"]))
    assert step.after
    assert step.after.number


def test_a_process_that_is_killed_is_replaced(opener: AttachmentProcess) -> None:
    """Whatever kills the process between two files, the next is read."""
    assert says(opener, ORDER) == [("PURCHASE ORDER 4711", "")]
    process = opener._process
    assert process
    process.kill()
    process.wait()
    assert says(opener, ORDER) == [("PURCHASE ORDER 4711", "")]


def test_it_starts_when_it_is_needed_and_ends_when_closed() -> None:
    """Mails without such attachments cost no process."""
    with AttachmentProcess() as opener:
        assert says(opener, attached("list.txt", b"AH2F104432"), attached("a.png", b"\x89PNG")) == [("AH2F104432", "")]
        assert opener._process is None
        says(opener, ORDER)
        process = opener._process
        assert process
        assert process.poll() is None
    assert process.poll() is not None


def test_it_knows_no_secrets_and_writes_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process gets neither the passwords in the environment nor the right to write (K1)."""
    monkeypatch.setenv("RMA_PASSWORD", "canary" + "-3d1")
    with AttachmentProcess() as opener:
        says(opener, ORDER)
        assert opener._process
        own = Path(f"/proc/{opener._process.pid}")
        assert b"canary-3d1" not in (own / "environ").read_bytes()
        limits = (own / "limits").read_text()
    assert any(line.startswith("Max file size") and line.split()[3] == "0" for line in limits.splitlines())


def test_threads_take_turns(opener: AttachmentProcess) -> None:
    """Two mailboxes at once get each its own answers."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        file = attached("po.pdf", written(f"ORDER {number}"))
        wrong.extend(found for _ in range(10) if (found := says(opener, file)) != [(f"ORDER {number}", "")])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_mailbot_is_killed(how: signal.Signals) -> None:
    """The process ends when mailbot does, also when that was killed; Ctrl-C alone does not end it amid a file."""
    script = (
        "import sys, time\nfrom mailbot.runtime.attachment_process import AttachmentProcess\n"
        "from support.hostile_attachments import attached, written\n"
        "opener = AttachmentProcess()\nopener([attached('po.pdf', written('x'))])\n"
        "print(opener._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    tests = Path(__file__).parents[1]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env) as mailbot:
        assert mailbot.stdout
        child = int(mailbot.stdout.readline())
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGINT)
        time.sleep(0.2)
        assert _lives(child)
        mailbot.send_signal(how)
        mailbot.wait()
    deadline = time.monotonic() + 10
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
