"""The demo: everything it promises to show happens, is really read back, and can be looked at afterwards."""

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


class Played:
    """A demo that was played: its folder, what the terminal said, its exit code, and how long it took."""

    def __init__(self, out: Path) -> None:
        begun = time.monotonic()
        result = CliRunner().invoke(demo, ["--fast", "--out", str(out)], catch_exceptions=False)
        self.out, self.told, self.code, self.seconds = out, result.output, result.exit_code, time.monotonic() - begun
        self.mails = sorted(out.glob("mails/*.eml"))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("demo") / "out")


def test_everything_that_it_promises_happens(played: Played) -> None:
    """Every kind of outcome occurs, from the request to the shipment back, and the exit code says so."""
    assert [kind for kind in KINDS if f"✓ {kind} " not in played.told] == []
    assert "✗" not in played.told
    assert played.code == 0


def test_it_takes_seconds(played: Played) -> None:
    """Nobody waits half a minute for five weeks."""
    assert played.seconds < 30


def test_the_terminal_tells_who_wrote_what_was_decided_and_what_went_out(played: Played) -> None:
    """A reader sees date, sender and subject, then outcome with clauses and unit, then the answer with its number."""
    number = r"RMA-2026\d+"
    story = (
        r"Mon 02 Mar 09:04  Dana Whitfield to rma@portwell\.example: RUBY-D718 dead, robot cell 4 is down\n"
        r" +RMA number AP-1  AK3D207714\n"
        rf" +→ dana\.whitfield@harbor-robotics\.example: Re: .*\[{number}\]\n"
    )
    assert re.search(story, played.told)
    assert re.search(r"due: expired AP-25\n +→ dana\.whitfield@harbor-robotics\.example", played.told)


def test_what_is_told_is_what_lies_there(played: Played) -> None:
    """Each told answer is one of the mails in the folder, by recipient and subject."""
    told = set(re.findall(r"^ +→ (\S+): (.+)$", played.told, re.MULTILINE))
    opened = [message_from_bytes(mail.read_bytes(), policy=policy.default) for mail in played.mails]
    assert told
    assert told <= {(str(mail["To"]), str(mail["Subject"])) for mail in opened}


def test_every_mail_lies_there_twice(played: Played) -> None:
    """Each mail can be opened with a mail program and in a browser."""
    assert len(played.mails) > 60
    assert [mail for mail in played.mails if not mail.with_suffix(".html").exists()] == []
    assert f"{len(played.mails)} mails" in played.told


def test_customers_find_what_they_look_for(played: Played) -> None:
    """What a customer copies from our mails (a quote's number, its total) is there to be copied."""
    opened = [message_from_bytes(mail.read_bytes(), policy=policy.default) for mail in played.mails]
    texts = [
        str(part.get_content()) for mail in opened for part in mail.walk() if part.get_content_type() == "text/plain"
    ]
    assert [text for text in texts if re.search(r"\{\w+\}", text)] == []
    assert any("PO-88213 for your quotation Q-" in text for text in texts)


def test_the_cases_are_exported_whole(played: Played) -> None:
    """Each case lies there with its whole history."""
    cases = [msgspec.json.decode(file.read_bytes(), type=Case) for file in played.out.glob("cases/*.json")]
    assert len(cases) > 8
    assert all(case.history for case in cases)


def test_returns_live_to_their_end_at_both_companies(played: Played) -> None:
    """One case of each company goes from the request to the shipment back; one of them with two quotes and two orders."""
    cases = [msgspec.json.decode(file.read_bytes(), type=Case) for file in played.out.glob("cases/*.json")]
    whole = [case for case in cases if case.state == "closed" and all(unit.shipped_on for unit in case.units)]
    assert {case.policy for case in whole} == {"american-portwell", "server-technology"}
    [charged] = [case for case in whole if len(case.quotes) > 1]
    assert [quote.parts for quote in charged.quotes] == [False, True]
    assert all(quote.order for quote in charged.quotes)
    assert charged.inbound
    assert charged.outbound


def test_a_colleague_writes_to_the_customer(played: Played) -> None:
    """The approval in a mail to the customer is told as a colleague's, and the page says to whom it went."""
    said = (
        r"Support to rma@servertech\.example: .*\n +done by staff ST-12.* “Approved\. Recertification fee USD 60\.00\.”"
    )
    assert re.search(said, played.told)
    index = (played.out / "index.html").read_text(encoding="utf-8")
    assert "a colleague, to chloe@solstice-media.example, rma@servertech.example in Cc" in index


class Links(HTMLParser):
    """What a page points at, and the scripts in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_pages_need_nothing_but_themselves(played: Played) -> None:
    """No page has a script or a resource from outside, and no link leads nowhere."""
    for page in (played.out / "index.html", *played.out.glob("mails/*.html")):
        read = Links(page.read_text(encoding="utf-8"))
        assert not read.tags & {"script", "img", "link", "object"}, page
        for link in (link.partition("#")[0] for link in read.links if not link.startswith(("mailto:", "https:"))):
            assert (page.parent / link).exists(), (page, link)
        assert all(not link.startswith("http") for link in read.links) or page.parent.name == "mails"


def test_the_index_shows_every_mail_and_every_case(played: Played) -> None:
    """From the index a visitor reaches every mail and every case."""
    links = set(Links((played.out / "index.html").read_text(encoding="utf-8")).links)
    files = {
        str(file.relative_to(played.out)) for file in (*played.out.glob("mails/*.html"), *played.out.glob("cases/*"))
    }
    assert files <= links


@pytest.mark.skipif(not BROWSERS, reason="no Chromium here to look with")
def test_nothing_sticks_out_on_a_phone(played: Played) -> None:
    """The index and a mail of each kind fit a phone and a desk."""
    mails = [next(played.out.glob(f"mails/{start}*.html")) for start in ("001", "002", "004", "009")]
    seen = measure(
        BROWSERS[0], {page.name: page.read_text(encoding="utf-8") for page in (played.out / "index.html", *mails)}
    )
    assert len(seen) == 10
    assert [(page["name"], page["width"], page["over"]) for page in seen if float(page["over"]) > 0] == []


def test_it_is_the_same_story_every_time(played: Played, tmp_path: Path) -> None:
    """Two runs exchange the same mails, byte for byte."""
    again = Played(tmp_path / "again")
    assert [mail.name for mail in again.mails] == [mail.name for mail in played.mails]
    assert [mail.read_bytes() for mail in again.mails] == [mail.read_bytes() for mail in played.mails]


def test_a_former_demo_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """The next demo clears away what the last one left, but not what somebody else put there."""
    out = tmp_path / "demo"
    session.prepare(out)
    (out / "mails").mkdir()
    (out / "mails" / "old.eml").touch()
    (out / "notes.txt").write_text("mine")
    session.prepare(out)
    assert sorted(path.name for path in out.iterdir()) == [session.MARKER, "notes.txt"]


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    """A folder with anything else in it is refused, with the mend, and stays as it was."""
    (tmp_path / "thesis.tex").write_text("years of work")
    result = CliRunner().invoke(demo, ["--fast", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "--out" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_did_not_happen_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo in which something does not happen says what, and exits 1."""
    fewer = msgspec.structs.replace(personas.load(), days=2)
    monkeypatch.setattr(session, "load", lambda: fewer)
    result = CliRunner().invoke(demo, ["--fast", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    missing = result.output.partition("This did not happen, and should have:")[2]
    assert "number that expired" in missing
    assert "RMA number issued" not in missing


def test_the_cast_can_be_read_as_settings_are() -> None:
    """The cast names only policies, and serials stand once."""
    whole = personas.load()
    assert {unit.policy for unit in whole.unit} == {person.writes_to for person in whole.person}
    assert len({unit.serial for unit in whole.unit}) == len(whole.unit)


def test_a_strangers_html_can_do_nothing(tmp_path: Path) -> None:
    """A visitor's HTML stands escaped in a frame that neither runs nor fetches anything."""
    raw = (
        b"From: <v@evil.example>\r\nTo: rma@portwell.example\r\nSubject: <script>alert(1)</script>\r\n"
        b'Content-Type: text/html\r\n\r\n<p>hello</p><script>alert(2)</script><img src="https://evil.example/x">'
    )
    now = datetime(2026, 3, 2, tzinfo=UTC)
    message = parse(raw, mailbox="rma@portwell.example", arrived_at=now)
    post = TrafficEntry(1, now, ours=False, mailbox=message.mailbox, other="v@evil.example", message=message, raw=raw)
    policies = {"rma@portwell.example": Resources.at().policy("american-portwell")}
    pages.lay_out(tmp_path, [post], [], [], policies)
    for page in (tmp_path / "index.html", tmp_path / "mails" / f"{post.name}.html"):
        text = page.read_text(encoding="utf-8")
        assert not Links(text).tags & {"script", "img"}
    assert 'sandbox=""' in text
    assert "default-src" in text


@contextlib.contextmanager
def served(out: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that stays open, and what its terminal said until then; it is stopped in any case."""
    command = [sys.executable, "-u", "-c", "from mailbot.commands import main; main()"]
    with subprocess.Popen(
        [*command, "demo", "--fast", "--serve", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout
            told = ""
            for line in process.stdout:
                told += line
                if line.strip() == "" and "The desk is open" in told:
                    break
            yield process, told
        finally:
            process.kill()


def test_a_visitor_can_write_to_the_desk(tmp_path: Path) -> None:
    """With --serve the desk answers a visitor's own mail program, and Ctrl-C closes it cleanly."""
    with served(tmp_path / "out") as (process, told):
        assert process.stdout
        port = re.search(r"SMTP +127\.0\.0\.1 port (\d+)", told)
        serial = re.search(r"(A\S+) is yours; write to rma@portwell", told)
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
    assert list((tmp_path / "out" / "mails").glob("*-from-visitor-demo-example.html"))
