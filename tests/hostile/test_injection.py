"""What strangers write into headers never becomes a header, a command or a line of ours."""

from __future__ import annotations

import base64
import inspect
import json
import re
from email import policy
from email.parser import BytesParser

import pytest
import structlog
from support.memory_desk import Desk, letter, parsed, part, unit

from mailbot.mail.addresses import deliverable
from mailbot.runtime.imap import mailbox
from mailbot.runtime.logs import configure

EVIL = "Hello\r\nBcc: x@evil.example\r\n\r\nA new body \x1b[2J \u202egnp.exe\x00\u2028next"
BODY = "Serial number AH2F104432 shows no video since Monday."


def desk() -> Desk:
    return Desk(units=[unit("AH2F104432", "ipc")])


def encoded(text: str, how: str) -> str:
    raw = text.encode()
    if how == "b":
        return f"=?utf-8?b?{base64.b64encode(raw).decode()}?="
    if how == "q":
        return "=?utf-8?q?" + "".join(f"={byte:02X}" for byte in raw) + "?="
    if how == "twice":
        return encoded(encoded(text, "b"), "b")
    return "=?utf-7?q?" + "".join(f"={byte:02X}" for byte in text.encode("utf-7")) + "?="


def mail(**fields: str) -> bytes:
    usual = {"From": "Kim <kim@acme.example>", "To": "rma@portwell.example", "Subject": "A board", "Message-ID": "<1@c.example>"}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in (usual | fields).items())
    return f"{head}\r\n{BODY}\r\n".encode()


@pytest.mark.parametrize("how", ["b", "q", "twice", "utf-7"])
def test_H1_H2_a_subject_that_decodes_to_header_syntax_stays_one_line(how: str) -> None:
    """Whatever a subject decodes to, what we send has one clean Subject and no header of the stranger's."""
    step = desk().take(mail(Subject=encoded(EVIL, how)))
    assert step.replies
    for reply in step.replies:
        again = BytesParser(policy=policy.default).parsebytes(reply.raw.encode("ascii"))
        assert len(again.get_all("Subject")) == 1
        assert again["Bcc"] is None
        assert str(again["Subject"]).isprintable()
        assert re.fullmatch(r"[^\r\n]*", str(again["To"]))
        assert not again.defects


@pytest.mark.parametrize("how", ["b", "q", "twice", "utf-7"])
def test_H3_a_display_name_that_decodes_to_header_syntax_is_a_name(how: str) -> None:
    """A sender's name with line breaks brings neither an exception nor another recipient."""
    step = desk().take(mail(From=f"{encoded(EVIL, how)} <kim@acme.example>"))
    assert {reply.to for reply in step.replies if reply.audience == "customer"} == {"kim@acme.example"}
    assert step.replies
    for reply in step.replies:
        found = parsed(reply)
        assert found["Bcc"] is None
        assert len(found["To"].addresses) == 1
        assert "\x1b" not in part(reply, "plain")


@pytest.mark.parametrize(
    "address", ["a\r\nb@x.example", "a@x.example\nDATA", "a\0@x.example", "a@x\0.example", "<a@x.example>", "a@x.example>"]
)
def test_H4_an_address_that_could_carry_a_command_is_none(address: str) -> None:
    """An address with line breaks, NUL or brackets never reaches SMTP."""
    assert deliverable(address) is None
    coded = encoded(address, "q")
    step = desk().take(mail(Reply_To=coded))
    assert step.record
    assert step.replies
    assert all(deliverable(reply.to) == reply.to for reply in step.replies)
    assert not {"\r", "\n", "\0", "<", ">"} & {char for reply in step.replies for char in reply.to}


@pytest.mark.parametrize("evil", ["<x\r\nA1 LOGOUT@c.example>", "<x\rA1 LOGOUT\0@c.example>", '<x" UID 1:* {5}\r\n@c.example>'])
def test_H5_a_message_id_carries_no_command(evil: str) -> None:
    """An id with line breaks is kept as one line and never repeated; mails are asked for by numbers and dates alone."""
    step = desk().take(mail(Message_ID=evil, In_Reply_To=evil, References=evil))
    assert step.record
    assert (step.record.message_id or "").isprintable()
    assert step.replies
    for reply in step.replies:
        found = parsed(reply)
        assert "LOGOUT" not in f"{found['References']}{found['In-Reply-To']}"
        assert not found.defects
    asked = re.findall(r"client\.(?:search|sort|thread)\((.*)\)", inspect.getsource(mailbox))
    assert asked
    assert all(re.match(r'\["SINCE", day\]|f"\{window\} NOT DELETED"', each) for each in asked)


def test_H6_what_is_logged_of_a_mail_is_one_escaped_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A mail whose every field holds escapes and line breaks makes one harmless line in the log."""
    before = structlog.get_config()
    try:
        configure()
        evil = encoded(EVIL, "b")
        desk().take(mail(Subject=evil, From=f"{evil} <kim@acme.example>", Message_ID="<a\x1b@c.example>"))
        desk().take(mail(From="kim\x1b[2J@acme.example", Return_Path="<\x1b]0;x\x07@y.example>"))
        _, err = capsys.readouterr()
    finally:
        structlog.configure(**before)
    assert len(err.splitlines()) == 2
    for line in err.splitlines():
        assert json.loads(line)["event"] == "email processed"
        assert not set(line) & set("\x1b\x00\x07\u202e\u2028")


def test_T7_a_reason_is_no_template() -> None:
    """Words that a template engine would calculate stand in our answer as they were written, escaped in HTML."""
    evil = "Serial number AH2F104432: the board shows {{7*7}} {% raw %} ${7*7} <script>alert(1)</script> on boot, no video."
    step = desk().write(evil)
    assert step.replies
    assert "{{7*7}}" in part(step.replies[0], "plain")
    assert "&lt;script&gt;" in part(step.replies[0], "html")
    for reply in step.replies:
        for kind in ("plain", "html"):
            assert "49" not in re.sub(r"\d{3,}", "", part(reply, kind))
        assert "<script>" not in part(reply, "html")


def test_U3_direction_marks_are_removed_from_subject_and_file_name() -> None:
    """A name that is written backwards to look like another is shown as it is."""
    raw = letter(BODY, subject="invoice \u202efdp.exe").replace(b"\r\n\r\n", b"\r\nX-Name: \xe2\x80\xae\r\n\r\n", 1)
    step = desk().take(raw)
    assert step.record
    assert step.record.subject == "invoice fdp.exe"
    assert step.replies
    assert not any("\u202e" in part(reply, kind) for reply in step.replies for kind in ("plain", "html"))
