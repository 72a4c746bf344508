"""``mailbot explain`` for people: what was taken from where, what was not and why, and a mail that breaks the program."""

from __future__ import annotations

import json
import re
import sys
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from support.memory_desk import KIM, letter

from mailbot import core
from mailbot.commands.annotations import Annotation, bracketed, coloured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Done

    Mailbot = Callable[..., Done]

NOW = "2026-11-20T18:00:00Z"


@pytest.fixture
def explained(mailbot: Mailbot, desk: Path) -> Callable[[bytes], str]:
    """What a person reads about one mail."""

    def explain(raw: bytes) -> str:
        (desk / "a.eml").write_bytes(raw)
        done = mailbot("explain", "--now", NOW, desk / "a.eml")
        assert done.code == 0, done.err
        return done.out

    return explain


def not_taken(out: str) -> dict[str, str]:
    """What was not taken, with where and why."""
    return dict(re.findall(r"^  not taken (.*?)((?: \(in .*\))?: .*)$", out, re.MULTILINE))


def attached(body: str, name: str, content: bytes, media_type: str) -> bytes:
    """A mail with a file."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = KIM, "rma@portwell.example", "Returns"
    mail["Message-ID"] = "<attached@client.example>"
    mail.set_content(body)
    main, _, sub = media_type.partition("/")
    mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


# ------------------------------------------------------------------ what was taken


def test_a_template_in_error_is_named(mailbot: Mailbot, desk: Path) -> None:
    """A mail whose answer cannot be written ends explain with the template and the mend, not with a decision."""
    template = desk / "templates" / "default" / "en" / "answer.jinja"
    template.write_text("{{ nobody_knows.this }}" + template.read_text(encoding="utf-8"), encoding="utf-8")
    (desk / "a.eml").write_bytes(letter("Serial AH2F104432 has no video."))
    done = mailbot("explain", "--now", NOW, desk / "a.eml")
    assert done.code == 1
    assert "answer.jinja" in done.err
    assert "nobody_knows" in done.err


def test_what_was_taken_is_marked_in_the_text(explained: Callable[[bytes], str]) -> None:
    """Serial, reason and exclusion stand in brackets where the customer wrote them."""
    out = explained(letter("Hello,\n\nserial number AH2F-104432 shows no video. It was dropped from a table.\n\nKim"))
    assert "[serial: AH2F-104432]" in out
    assert re.search(r"\[reason: serial number .*? shows no video\.?\]", out)
    assert re.search(r"\[physical_damage: It was dropped from a table\.?\]", out)


def test_a_subject_is_marked_too(explained: Callable[[bytes], str]) -> None:
    """A serial that stands in the subject alone is marked there, and the unit's line says so."""
    out = explained(letter("Shows no video at all.", subject="RMA for AH2F104432"))
    assert out.startswith("a.eml: RMA for [serial: AH2F104432]\n")
    assert "AH2F104432 (from the subject): issue" in out


def test_a_serial_from_a_file_is_told_with_the_files_name(explained: Callable[[bytes], str]) -> None:
    """Who opens the case knows which attachment to look at."""
    raw = attached("The list is attached.", "list.csv", b"Serial,Fault\nAH2F104432,no video\n", "text/csv")
    assert "AH2F104432 (from list.csv): issue" in explained(raw)


def test_a_purchase_order_is_marked(explained: Callable[[bytes], str]) -> None:
    """The number of an order is shown in the text it was read from."""
    out = explained(letter("Your quote is accepted, our PO is 4500118273.", subject="Re: Quote", answers="q@x.example"))
    assert "[order: 4500118273]" in out
    assert "order     4500118273\n" in out


def test_each_member_of_a_range_is_traced_to_the_range(mailbot: Mailbot, desk: Path) -> None:
    """A unit named only as a part of a range is marked where the range stands."""
    with (desk / "registry.csv").open("a", encoding="utf-8") as rows:
        rows.writelines(f"AH2F10443{n},WADE-8013,ipc,2026-03-01,Acme,acme.example,,,,\n" for n in (3, 4))
    (desk / "a.eml").write_bytes(letter("AH2F104432 to AH2F104434 show no video."))
    out = mailbot("explain", "--now", NOW, desk / "a.eml").out
    assert "[serial: AH2F104432 to AH2F104434]" in out or "[serial: [serial: AH2F104432] to" in out
    assert "  unit      AH2F104433: issue" in out


# ------------------------------------------------------------------ what was not


def test_each_decoy_is_told_with_its_reason(explained: Callable[[bytes], str]) -> None:
    """Orders, other RMA numbers, phones, network cards, models and quoted units say why they were not taken."""
    told = not_taken(
        explained(
            letter(
                "Serial number AH2F104432 (WADE-8013) shows no video. It came with order 4500118273,\n"
                "an earlier one was RMA-260811-07. Its MAC is 00:90:FB:3A:11:02, the host 192.168.10.254.\n\n"
                "Regards\nKim, 415-555-0177\n\n"
                "On Mon, Nov 2, 2026 at 9:00 AM Desk <rma@portwell.example> wrote:\n> AH2F140012 is closed.\n"
            )
        )
    )
    assert told == {
        "WADE-8013": ": a model",
        "4500118273": ": an order number",
        "RMA-260811-07": ": an RMA number",
        "00:90:FB:3A:11:02": ": a MAC address",
        "192.168.10.254": ": an IP address",
        "415-555-0177": ": a phone number",
        "AH2F140012": ": in quoted text",
    }


@pytest.mark.parametrize(
    ("sentence", "decoy", "why"),
    [
        ("AH2F104440 works fine.", "AH2F104440", "the writer excludes it"),
        ("It is not AH2F104440.", "AH2F104440", "the writer retracts it"),
        ("Invoice 90071128 was paid.", "90071128", 'the message calls it "invoice"'),
        ("Photos: https://x.example/AH2F104440/1", "AH2F104440", "part of a web address"),
        ("1905550001 hangs on the wall.", "1905550001", "only digits"),
        ("Everybody here says QX-447133-B to it.", "QX-447133-B", "nothing indicates that it is a serial number"),
    ],
)
def test_a_string_beside_the_serial_is_explained(
    explained: Callable[[bytes], str], sentence: str, decoy: str, why: str
) -> None:
    """A sentence about something else leaves a line that says why it was not taken."""
    told = not_taken(explained(letter(f"Serial number AH2F104432 shows no video.\n\n{sentence}\n")))
    assert why in told[decoy]


def test_a_column_says_why_its_numbers_are_no_serials(explained: Callable[[bytes], str]) -> None:
    """Numbers under another heading of a list are told with the heading and the file."""
    rows = b"Serial,Asset tag,PO,Fault\nAH2F104432,OTA-330112,88213400,no video\n"
    told = not_taken(explained(attached("The list is attached.", "list.csv", rows, "text/csv")))
    assert told["OTA-330112"] == ' (in list.csv): under "Asset tag"'
    assert told["88213400"] == " (in list.csv): a purchase order number"


def test_mail_by_a_machine_says_that_nothing_is_asked(explained: Callable[[bytes], str]) -> None:
    """A serial in an automatic reply is not taken, and that is why."""
    out = explained(letter("I am away. AH2F104432 can wait.", Auto_Submitted="auto-replied"))
    assert "nothing is requested in a message of the kind auto" in not_taken(out)["AH2F104432"]
    assert "[serial" not in out


# ------------------------------------------------------------------ how it is shown


def test_a_terminal_shows_colours_and_a_legend(mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the marks are colours, which a line below the text explains."""
    (desk / "a.eml").write_bytes(letter("Serial number AH2F104432 shows no video."))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    out = mailbot("explain", "--now", NOW, desk / "a.eml").out
    assert "\x1b[1;32mAH2F104432\x1b[0m" in out
    assert "[serial" not in out
    assert re.search(r"marked .*reason.*serial|marked .*serial.*reason", out)


def test_marks_of_one_stretch_share_a_bracket_and_marks_within_marks_nest() -> None:
    """Nothing of the text is lost or doubled, however the marks lie."""
    marks = [
        Annotation(0, 19, "liquid"),
        Annotation(0, 19, "reason"),
        Annotation(4, 8, "serial"),
        Annotation(12, 30, "order"),
    ]
    text = "the A123 got wet..."
    assert bracketed(text, marks) == "[liquid, reason: the [serial: A123] got[order:  wet...]]"
    assert coloured(text, marks).plain == text
    assert bracketed(text, []) == text


def test_control_characters_are_shown_not_sent() -> None:
    """A mail cannot move the cursor of the person who looks at it (H6)."""
    assert bracketed("a\x1b[2J\nb\u202ec", [Annotation(0, 3, "serial")]) == "[serial: a\\x1b[]2J\nb\\u202ec"
    assert "\x1b" not in coloured("a\x1b[2Jb", [Annotation(1, 2, "reason")]).plain


# ------------------------------------------------------------------ a mail that breaks the program


def test_one_mail_that_breaks_the_program_does_not_end_the_run(
    mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as set aside, as the daemon would do, and the next mail is explained."""
    (desk / "saved").mkdir()
    (desk / "saved" / "1.eml").write_bytes(letter("Serial number AH2F104432 shows no video.", subject="breaks"))
    (desk / "saved" / "2.eml").write_bytes(letter("Serial number AH2F104432 shows no video."))
    decide = core.decide

    def broken(case: object, event: object, context: object) -> object:
        if event.mail.subject == "breaks":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return decide(case, event, context)  # type: ignore[arg-type]

    monkeypatch.setattr(core, "decide", broken)
    done = mailbot("explain", "--json", "--now", NOW, desk / "saved")
    assert done.code == 0, done.err
    first, second = (json.loads(line) for line in done.out.splitlines())
    assert (first["kind"], first["outcome"]) == ("other", "none")
    assert first["why"].endswith("ZeroDivisionError while it was processed")
    assert first["message"]["subject"] == "breaks"
    assert list(first) == list(second)
    assert second["outcome"] == "issue"
    people = mailbot("explain", "--now", NOW, desk / "saved")
    assert people.code == 0
    assert "ZeroDivisionError while it was processed" in people.out
