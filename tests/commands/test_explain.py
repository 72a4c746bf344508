"""``mailbot explain`` as text: what was found and where, what was rejected and why, and an email that cannot be processed."""

from __future__ import annotations

import json
import re
import sys
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from support.memory_desk import KIM, letter

from mailbot import core
from mailbot.commands.annotations import Annotation, bracketed, colored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Done

    Mailbot = Callable[..., Done]

NOW = "2026-11-20T18:00:00Z"


@pytest.fixture
def explained(mailbot: Mailbot, desk: Path) -> Callable[[bytes], str]:
    """The output for one email."""

    def explain(raw: bytes) -> str:
        (desk / "a.eml").write_bytes(raw)
        done = mailbot("explain", "--now", NOW, desk / "a.eml")
        assert done.code == 0, done.err
        return done.out

    return explain


def rejected(out: str) -> dict[str, str]:
    """The rejected strings, each with its place and reason."""
    return dict(re.findall(r"^  not used  (.*?)((?: \(in .*\))?: .*)$", out, re.MULTILINE))


def attached(body: str, name: str, content: bytes, media_type: str) -> bytes:
    """An email with an attachment."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = KIM, "rma@portwell.example", "Returns"
    mail["Message-ID"] = "<attached@client.example>"
    mail.set_content(body)
    main, _, subtype = media_type.partition("/")
    mail.add_attachment(content, maintype=main, subtype=subtype, filename=name)
    return mail.as_bytes()


# ------------------------------------------------------------------ found


def test_an_invalid_template_is_named(mailbot: Mailbot, desk: Path) -> None:
    """If the reply cannot be rendered, explain fails and names the template."""
    template = desk / "templates" / "default" / "en" / "answer.jinja"
    template.write_text("{{ nobody_knows.this }}" + template.read_text(encoding="utf-8"), encoding="utf-8")
    (desk / "a.eml").write_bytes(letter("Serial AH2F104432 has no video."))
    done = mailbot("explain", "--now", NOW, desk / "a.eml")
    assert done.code == 1
    assert "answer.jinja" in done.err
    assert "nobody_knows" in done.err


def test_found_values_are_marked_in_the_text(explained: Callable[[bytes], str]) -> None:
    """Serial number, reason and exclusion are in brackets where the customer wrote them."""
    out = explained(letter("Hello,\n\nserial number AH2F-104432 shows no video. It was dropped from a table.\n\nKim"))
    assert "[serial: AH2F-104432]" in out
    assert re.search(r"\[reason: serial number .*? shows no video\.?\]", out)
    assert re.search(r"\[physical_damage: It was dropped from a table\.?\]", out)


def test_the_subject_is_marked(explained: Callable[[bytes], str]) -> None:
    """A serial number that is only in the subject is marked there, and the unit's line says so."""
    out = explained(letter("Shows no video at all.", subject="RMA for AH2F104432"))
    assert out.startswith("a.eml: RMA for [serial: AH2F104432]\n")
    assert "AH2F104432 (from the subject): issue" in out


def test_a_serial_from_an_attachment_names_the_file(explained: Callable[[bytes], str]) -> None:
    """The unit's line names the attachment."""
    raw = attached("The list is attached.", "list.csv", b"Serial,Fault\nAH2F104432,no video\n", "text/csv")
    assert "AH2F104432 (from list.csv): issue" in explained(raw)


def test_a_purchase_order_is_marked(explained: Callable[[bytes], str]) -> None:
    """The number of a purchase order is marked in the text."""
    out = explained(letter("Your quote is accepted, our PO is 4500118273.", subject="Re: Quote", answers="q@x.example"))
    assert "[order: 4500118273]" in out
    assert "order     4500118273\n" in out


def test_a_unit_in_a_range_is_marked_at_the_range(mailbot: Mailbot, desk: Path) -> None:
    """A unit that is only named as part of a range is marked at the range."""
    with (desk / "registry.csv").open("a", encoding="utf-8") as rows:
        rows.writelines(f"AH2F10443{n},WADE-8013,ipc,2026-03-01,Acme,acme.example,,,,\n" for n in (3, 4))
    (desk / "a.eml").write_bytes(letter("AH2F104432 to AH2F104434 show no video."))
    out = mailbot("explain", "--now", NOW, desk / "a.eml").out
    assert "[serial: AH2F104432 to AH2F104434]" in out or "[serial: [serial: AH2F104432] to" in out
    assert "  unit      AH2F104433: issue" in out


# ------------------------------------------------------------------ rejected


def test_rejected_strings_have_a_reason(explained: Callable[[bytes], str]) -> None:
    """Orders, other RMA numbers, phone numbers, MAC addresses, models and quoted units have a reason."""
    found = rejected(
        explained(
            letter(
                "Serial number AH2F104432 (WADE-8013) shows no video. It came with order 4500118273,\n"
                "an earlier one was RMA-260811-07. Its MAC is 00:90:FB:3A:11:02, the host 192.168.10.254.\n\n"
                "Regards\nKim, 415-555-0177\n\n"
                "On Mon, Nov 2, 2026 at 9:00 AM Desk <rma@portwell.example> wrote:\n> AH2F140012 is closed.\n"
            )
        )
    )
    assert found == {
        "WADE-8013": ": a model",
        "4500118273": ": an order number",
        "RMA-260811-07": ": an RMA number",
        "00:90:FB:3A:11:02": ": a MAC address",
        "192.168.10.254": ": an IP address",
        "415-555-0177": ": a phone number",
        "AH2F140012": ": in quoted text",
    }


@pytest.mark.parametrize(
    ("sentence", "text", "why"),
    [
        ("AH2F104440 works fine.", "AH2F104440", "the writer excludes it"),
        ("It is not AH2F104440.", "AH2F104440", "the writer retracts it"),
        ("Invoice 90071128 was paid.", "90071128", 'the message calls it "invoice"'),
        ("Photos: https://x.example/AH2F104440/1", "AH2F104440", "part of a web address"),
        ("1905550001 hangs on the wall.", "1905550001", "only digits"),
        ("Everybody here says QX-447133-B to it.", "QX-447133-B", "nothing indicates that it is a serial number"),
    ],
)
def test_a_rejected_string_is_explained(explained: Callable[[bytes], str], sentence: str, text: str, why: str) -> None:
    """A string in a sentence about something else has a line with the reason."""
    found = rejected(explained(letter(f"Serial number AH2F104432 shows no video.\n\n{sentence}\n")))
    assert why in found[text]


def test_a_column_explains_why_its_numbers_are_rejected(explained: Callable[[bytes], str]) -> None:
    """Numbers in another column of a list are shown with the heading and the file."""
    rows = b"Serial,Asset tag,PO,Fault\nAH2F104432,OTA-330112,88213400,no video\n"
    found = rejected(explained(attached("The list is attached.", "list.csv", rows, "text/csv")))
    assert found["OTA-330112"] == ' (in list.csv): under "Asset tag"'
    assert found["88213400"] == " (in list.csv): a purchase order number"


def test_serials_in_an_automatic_reply_are_rejected(explained: Callable[[bytes], str]) -> None:
    """A serial number in an automatic reply is not used, and the reason says so."""
    out = explained(letter("I am away. AH2F104432 can wait.", Auto_Submitted="auto-replied"))
    assert "nothing is requested in a message of the kind auto" in rejected(out)["AH2F104432"]
    assert "[serial" not in out


# ------------------------------------------------------------------ output


def test_a_terminal_shows_colors_and_a_legend(mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, annotations are colors, explained in a line below the text."""
    (desk / "a.eml").write_bytes(letter("Serial number AH2F104432 shows no video."))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    out = mailbot("explain", "--now", NOW, desk / "a.eml").out
    assert "\x1b[1;32mAH2F104432\x1b[0m" in out
    assert "[serial" not in out
    assert re.search(r"marked .*reason.*serial|marked .*serial.*reason", out)


def test_annotations_share_brackets_and_nest() -> None:
    """No text is lost or doubled, however the annotations overlap."""
    annotations = [
        Annotation(0, 19, "liquid"),
        Annotation(0, 19, "reason"),
        Annotation(4, 8, "serial"),
        Annotation(12, 30, "order"),
    ]
    text = "the A123 got wet..."
    assert bracketed(text, annotations) == "[liquid, reason: the [serial: A123] got[order:  wet...]]"
    assert colored(text, annotations).plain == text
    assert bracketed(text, []) == text


def test_control_characters_are_escaped() -> None:
    """An email cannot move the cursor of the terminal (H6)."""
    assert bracketed("a\x1b[2J\nb\u202ec", [Annotation(0, 3, "serial")]) == "[serial: a\\x1b[]2J\nb\\u202ec"
    assert "\x1b" not in colored("a\x1b[2Jb", [Annotation(1, 2, "reason")]).plain


# ------------------------------------------------------------------ an email that cannot be processed


def test_an_error_in_one_email_does_not_stop_the_others(mailbot: Mailbot, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The email is shown as moved to Attention, as the daemon would do, and the next email is explained."""
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
    as_text = mailbot("explain", "--now", NOW, desk / "saved")
    assert as_text.code == 0
    assert "ZeroDivisionError while it was processed" in as_text.out


def test_an_email_that_nobody_can_answer_goes_to_attention_as_in_the_daemon(explained: Callable[[bytes], str]) -> None:
    """A From header with two addresses is shown as moved to Attention, not as decided."""
    out = explained(letter("Serial number AH2F104432 shows no video.", sender=f"{KIM}, lee@acme.example"))
    assert "moved to Attention, staff are notified: there is nobody to answer" in out
