"""The demo shows every kind of outcome, from emails and cases that are really read back, and writes its output files."""

from __future__ import annotations

import contextlib
import re
import signal
import smtplib
import subprocess
import sys
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner
from support.browser import BROWSERS, measure

from mailbot.commands.demo import demo
from mailbot.demo import pages, personas, session
from mailbot.demo.outcomes import KINDS
from mailbot.demo.traffic import TrafficEntry
from mailbot.mail.parse import parse
from mailbot.model import Case
from mailbot.runtime.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterator


class DemoRun:
    """A finished demo: its output folder, terminal output, exit code, and duration in seconds."""

    def __init__(self, out: Path) -> None:
        started = time.monotonic()
        result = CliRunner().invoke(demo, ["--fast", "--out", str(out)], catch_exceptions=False)
        self.out, self.output, self.code, self.seconds = (out, result.output, result.exit_code, time.monotonic() - started)
        self.emails = sorted(out.glob("emails/*.eml"))


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    return DemoRun(tmp_path_factory.mktemp("demo") / "out")


def test_every_kind_of_outcome_is_shown(demo_run: DemoRun) -> None:
    """Every kind of outcome occurs, from the request to the return shipment, and the exit code is 0."""
    assert [kind for kind in KINDS if f"✓ {kind} " not in demo_run.output] == []
    assert "✗" not in demo_run.output
    assert demo_run.code == 0


def test_it_takes_seconds(demo_run: DemoRun) -> None:
    """With --fast, five weeks take less than half a minute."""
    assert demo_run.seconds < 30


def test_the_terminal_shows_emails_decisions_and_replies(demo_run: DemoRun) -> None:
    """Each email is shown with date, sender and subject, then the outcome with clauses and unit, then the reply."""
    number = r"RMA-2026\d+"
    expected = (
        r"Mon 02 Mar 09:04  Dana Whitfield to rma@portwell\.example: RUBY-D718 dead, robot cell 4 is down\n"
        r" +RMA number AP-1  AK3D207714\n"
        rf" +→ dana\.whitfield@harbor-robotics\.example: Re: .*\[{number}\]\n"
    )
    assert re.search(expected, demo_run.output)
    assert re.search(r"due: expired AP-25\n +→ dana\.whitfield@harbor-robotics\.example", demo_run.output)


def test_printed_replies_are_real_emails(demo_run: DemoRun) -> None:
    """Each printed reply is one of the emails in the folder, by recipient and subject."""
    printed = set(re.findall(r"^ +→ (\S+): (.+)$", demo_run.output, re.MULTILINE))
    opened = [message_from_bytes(mail.read_bytes(), policy=policy.default) for mail in demo_run.emails]
    assert printed
    assert printed <= {(str(mail["To"]), str(mail["Subject"])) for mail in opened}


def test_every_email_is_written_twice(demo_run: DemoRun) -> None:
    """Each email can be opened with mail programs and in a browser."""
    assert len(demo_run.emails) > 60
    assert [mail for mail in demo_run.emails if not mail.with_suffix(".html").exists()] == []
    assert f"{len(demo_run.emails)} emails" in demo_run.output


def test_placeholders_are_filled(demo_run: DemoRun) -> None:
    """Customers find the values that they copy from mailbot's emails, such as the number of a quote."""
    opened = [message_from_bytes(mail.read_bytes(), policy=policy.default) for mail in demo_run.emails]
    texts = [str(part.get_content()) for mail in opened for part in mail.walk() if part.get_content_type() == "text/plain"]
    assert [text for text in texts if re.search(r"\{\w+\}", text)] == []
    assert any("PO-88213 for your quotation Q-" in text for text in texts)


def test_cases_are_exported_with_history(demo_run: DemoRun) -> None:
    """Each case is exported with its whole history."""
    cases = [msgspec.json.decode(file.read_bytes(), type=Case) for file in demo_run.out.glob("cases/*.json")]
    assert len(cases) > 8
    assert all(case.history for case in cases)


def test_both_companies_complete_a_return(demo_run: DemoRun) -> None:
    """One case of each company goes from the request to the return shipment; one of them has two quotes and two orders."""
    cases = [msgspec.json.decode(file.read_bytes(), type=Case) for file in demo_run.out.glob("cases/*.json")]
    complete = [case for case in cases if case.state == "closed" and all(unit.shipped_on for unit in case.units)]
    assert {case.policy for case in complete} == {"american-portwell", "server-technology"}
    [charged] = [case for case in complete if len(case.quotes) > 1]
    assert [quote.parts for quote in charged.quotes] == [False, True]
    assert all(quote.order for quote in charged.quotes)
    assert charged.inbound
    assert charged.outbound


def test_staff_approve_in_an_email_to_the_customer(demo_run: DemoRun) -> None:
    """An approval in an email to the customer is shown as a staff command, and the page shows the recipients."""
    expected = r"Support to rma@servertech\.example: .*\n +done by staff ST-12.* “Approved\. Recertification fee USD 60\.00\.”"
    assert re.search(expected, demo_run.output)
    index = (demo_run.out / "index.html").read_text(encoding="utf-8")
    assert "staff, to chloe@solstice-media.example, rma@servertech.example in Cc" in index


class Links(HTMLParser):
    """The links and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_pages_are_self_contained(demo_run: DemoRun) -> None:
    """No page has a script or an external resource, and no link is broken."""
    for page in (demo_run.out / "index.html", *demo_run.out.glob("emails/*.html")):
        read = Links(page.read_text(encoding="utf-8"))
        assert not read.tags & {"script", "img", "link", "object"}, page
        for link in (link.partition("#")[0] for link in read.links if not link.startswith(("mailto:", "https:"))):
            assert (page.parent / link).exists(), (page, link)
        assert all(not link.startswith("http") for link in read.links) or page.parent.name == "emails"


def test_the_index_links_every_email_and_case(demo_run: DemoRun) -> None:
    """The index links every email and every case."""
    links = set(Links((demo_run.out / "index.html").read_text(encoding="utf-8")).links)
    files = {str(file.relative_to(demo_run.out)) for file in (*demo_run.out.glob("emails/*.html"), *demo_run.out.glob("cases/*"))}
    assert files <= links


@pytest.mark.skipif(not BROWSERS, reason="needs Chromium")
def test_pages_fit_a_phone(demo_run: DemoRun) -> None:
    """The index and an email of each kind fit the screens of a phone and of a desktop."""
    emails = [next(demo_run.out.glob(f"emails/{start}*.html")) for start in ("001", "002", "004", "009")]
    seen = measure(BROWSERS[0], {page.name: page.read_text(encoding="utf-8") for page in (demo_run.out / "index.html", *emails)})
    assert len(seen) == 10
    assert [(page["name"], page["width"], page["over"]) for page in seen if float(page["over"]) > 0] == []


def test_the_demo_is_reproducible(demo_run: DemoRun, tmp_path: Path) -> None:
    """Two runs exchange the same emails, byte for byte."""
    again = DemoRun(tmp_path / "again")
    assert [mail.name for mail in again.emails] == [mail.name for mail in demo_run.emails]
    assert [mail.read_bytes() for mail in again.emails] == [mail.read_bytes() for mail in demo_run.emails]


def test_only_an_existing_demo_is_replaced(tmp_path: Path) -> None:
    """A demo deletes the output of an earlier demo, but no other files."""
    out = tmp_path / "demo"
    session.prepare(out)
    (out / "emails").mkdir()
    (out / "emails" / "old.eml").touch()
    (out / "notes.txt").write_text("mine")
    session.prepare(out)
    assert sorted(path.name for path in out.iterdir()) == [session.MARKER, "notes.txt"]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """A folder with other files is refused and not changed; the error says how to fix it."""
    (tmp_path / "thesis.tex").write_text("years of work")
    result = CliRunner().invoke(demo, ["--fast", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "--out" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_missing_outcomes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If an outcome is missing, the demo names it and exits with 1."""
    fewer = msgspec.structs.replace(personas.load(), days=2)
    monkeypatch.setattr(session, "load", lambda: fewer)
    result = CliRunner().invoke(demo, ["--fast", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    missing = result.output.partition("\nMissing:")[2]
    assert "RMA expired" in missing
    assert "RMA number issued" not in missing


def test_personas_are_consistent() -> None:
    """Every policy with units has customers, and each serial number appears once."""
    loaded = personas.load()
    assert {unit.policy for unit in loaded.unit} == {person.writes_to for person in loaded.customer}
    assert len({unit.serial for unit in loaded.unit}) == len(loaded.unit)


def test_untrusted_html_is_inert(tmp_path: Path) -> None:
    """Untrusted HTML is escaped in a sandboxed frame that neither runs scripts nor loads anything."""
    raw = (
        b"From: <v@evil.example>\r\nTo: rma@portwell.example\r\nSubject: <script>alert(1)</script>\r\n"
        b'Content-Type: text/html\r\n\r\n<p>hello</p><script>alert(2)</script><img src="https://evil.example/x">'
    )
    now = datetime(2026, 3, 2, tzinfo=UTC)
    message = parse(raw, mailbox="rma@portwell.example", arrived_at=now)
    entry = TrafficEntry(1, now, outgoing=False, mailbox=message.mailbox, other="v@evil.example", message=message, raw=raw)
    policies = {"rma@portwell.example": Resources.at().policy("american-portwell")}
    pages.write_pages(tmp_path, [entry], [], [], policies)
    for page in (tmp_path / "index.html", tmp_path / "emails" / f"{entry.name}.html"):
        text = page.read_text(encoding="utf-8")
        assert not Links(text).tags & {"script", "img"}
    assert 'sandbox=""' in text
    assert "default-src" in text


@contextlib.contextmanager
def serving_demo(out: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a demo with --serve; yield its process and its output up to the instructions. The process is always stopped."""
    command = [sys.executable, "-u", "-c", "from mailbot.commands import main; main()"]
    with subprocess.Popen(
        [*command, "demo", "--fast", "--serve", "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout
            output = ""
            for line in process.stdout:
                output += line
                if line.strip() == "" and "The desk is running" in output:
                    break
            yield process, output
        finally:
            process.kill()


def test_a_visitor_can_write_to_the_desk(tmp_path: Path) -> None:
    """With --serve the desk answers emails from a real mail program, and Ctrl-C stops it cleanly."""
    with serving_demo(tmp_path / "out") as (process, output):
        assert process.stdout
        port = re.search(r"SMTP +127\.0\.0\.1 port (\d+)", output)
        serial = re.search(r"(A\S+) is your unit; write to rma@portwell", output)
        assert port
        assert serial
        with smtplib.SMTP("127.0.0.1", int(port[1])) as mail:
            text = f"From: visitor@demo.example\r\nSubject: my board\r\n\r\nMy board {serial[1]} shows no video.\r\n"
            mail.sendmail("visitor@demo.example", ["rma@portwell.example"], text)
        answered = next(line for line in process.stdout if "→ visitor@demo.example" in line)
        assert "RMA-" in answered
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=15) == 0
    assert list((tmp_path / "out" / "emails").glob("*-from-visitor-demo-example.html"))
