"""`mailbot rehearse`: the format of conversation files, the incoming emails, and the comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.recorded_classes import CLASSES

from mailbot.commands.rehearse import rehearse
from mailbot.intake.attachments.extraction import contents
from mailbot.mail.parse import parse
from mailbot.model import Message, Reply
from mailbot.rehearsal.conversation_file import (
    AttachmentSpec,
    BounceSpec,
    Conversation,
    ConversationStep,
    ExpectedMail,
    RegistryRow,
    load,
)
from mailbot.rehearsal.expectations import SentMail, compare, filled
from mailbot.rehearsal.incoming_mail import arriving
from mailbot.rehearsal.player import ConversationRun, play, policy_of
from mailbot.runtime.resources import Resources
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAILBOX = "rma@portwell.example"
FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)
UNIT = RegistryRow("AH2F104432", "WADE-8013", "ipc", date(2025, 3, 1), "Acme", "acme.example")
HEAD = 'title = "A conversation for a test"\npolicy = "american-portwell"\n'
STEP = '[[step]]\nat = 2026-11-20T18:00:00Z\nfrom = "kim@acme.example"\n'


@pytest.fixture(scope="module")
def resources() -> Resources:
    return Resources.at()


def write(folder: Path, text: str, name: str = "one.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def unchanged(text: str) -> str:
    return text


def parsed(step: ConversationStep, last: Reply | None = None, beside: Path = Path()) -> Message:
    """The email of a step, parsed."""
    raw = arriving(step, 1, MAILBOX, last.raw if last else "", unchanged, beside)
    return parse(raw, mailbox=MAILBOX, arrived_at=FRIDAY, trusted_authserv_id="mx.portwell.example")


def reply(to: str = "kim@acme.example", subject: str = "Re: dead", text: str = "Hello", cites: Sequence[str] = ()) -> Reply:
    raw = (
        f"From: RMA <{MAILBOX}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <ours.1@portwell.example>\r\n"
        f"References: <first@acme.example>\r\nDate: Fri, 20 Nov 2026 18:00:00 +0000\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    return Reply("ours.1@portwell.example", MAILBOX, to, subject, raw, FRIDAY, "answer", tuple(cites))


def run(resources: Resources, *steps: ConversationStep, **top: object) -> ConversationRun:
    top = {"registry": (UNIT,), **top}
    conversation = Conversation("A conversation for a test", "american-portwell", steps, **top)  # type: ignore[arg-type]
    return play(conversation, policy_of(conversation, resources), Path(), classifier=CLASSES)


def differences(expected: Sequence[ExpectedMail], emails: Sequence[Reply], ignore: Sequence[str] = ()) -> list[str]:
    return compare([filled(each, unchanged) for each in expected], [SentMail.of(mail) for mail in emails], ignore)


# ---------------------------------------------------------------- file format


@pytest.mark.parametrize(
    ("text", "expected_words"),
    [
        (HEAD + STEP + 'bdy = "x"', ["line 6", "'bdy'", "step 1", "'body'"]),
        (HEAD + STEP + '[[step.sent]]\ncontain = "x"', ["'contain'", "step 1", "'contains'"]),
        (HEAD + STEP + '[step.case]\nstat = "held"', ["'stat'", "'state'"]),
        (HEAD + "stuff = []\n" + STEP, ["'stuff'", "'staff'"]),
        (HEAD + 'registry = [{serial = "1", modle = "x"}]\n' + STEP, ["modle", "model"]),
        (HEAD + STEP + "sent = 3", ["step 1", "sent"]),
        (HEAD + STEP + 'body = "x', ["TOML"]),
        (HEAD + "[[step]]\nat = 2026-11-20T18:00:00Z", ["step 1", "nothing happens"]),
        (HEAD + "[[step]]\nat = 2026-11-20T18:00:00\nwait = true", ["step 1", "no time zone"]),
        (HEAD + STEP + "wait = true", ["step 1", "only one of"]),
        (HEAD + STEP + "down = true", ["step 1", "wait = true"]),
        (HEAD + STEP + "[[step]]\nat = 2026-11-19T18:00:00Z\nwait = true", ["step 2", "before"]),
        (HEAD + STEP + 'raw = "x.eml"\nbody = "x"', ["step 1", "whole email"]),
        (HEAD + STEP + 'auth = "maybe"', ["step 1", "auth"]),
    ],
)
def test_an_error_in_a_file_names_place_and_fix(tmp_path: Path, text: str, expected_words: list[str]) -> None:
    """An invalid file is refused; the error names the place and the nearest known key."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert all(word in str(caught.value) for word in expected_words), str(caught.value)


@pytest.mark.parametrize(
    ("key", "expected_words"), [('policy = "american-portwel"', "american-portwell"), ("rules = {diagnosis = 3}", "diagnosis")]
)
def test_an_unknown_policy_or_rule_is_a_failure_of_the_file(tmp_path: Path, key: str, expected_words: str) -> None:
    """An unknown policy or an invalid override is a failure of this file only."""
    head = HEAD if key.startswith("rules") else HEAD.partition("policy")[0]
    done = CliRunner().invoke(rehearse, [str(write(tmp_path, f"{head}{key}\n{STEP}"))])
    assert done.exit_code == 1
    assert done.output.startswith(f"FAIL {tmp_path / 'one.toml'}: ")
    assert expected_words in done.output


# ---------------------------------------------------------------- incoming emails


@pytest.mark.parametrize("auth", ["pass", "fail", "none"])
def test_our_server_authenticates_the_sender(auth: str) -> None:
    """The verdict is where only our own server can write it; a forged one in the email is ignored."""
    forged = {"Authentication-Results": "mx.portwell.example; dmarc=pass header.from=acme.example"}
    message = parsed(ConversationStep(FRIDAY, "Kim Lee <kim@acme.example>", auth=auth, headers=forged))  # type: ignore[arg-type]
    assert message.auth.result == auth
    assert message.sender is not None
    assert (message.sender.name, message.sender.email) == ("Kim Lee", "kim@acme.example")
    assert message.delivered_to == (MAILBOX,)


def test_non_ascii_names_and_subjects_arrive() -> None:
    """Text that is not printable ASCII is sent as encoded words and decoded correctly."""
    message = parsed(ConversationStep(FRIDAY, "王小明 <wang@acme.example>", subject="主板损坏\r\nBcc: x@y.example " + "损" * 80))
    assert message.sender is not None
    assert message.sender.name == "王小明"
    assert message.subject.startswith("主板损坏")
    assert message.subject.endswith("损" * 80)
    assert [box.email for box in message.to] == [MAILBOX]


def test_headers_of_the_conversation_replace_the_default_ones() -> None:
    """A conversation can set any header field, once or several times."""
    message = parsed(
        ConversationStep(
            FRIDAY, "kim@acme.example", headers={"Message-ID": "<own@acme.example>", "From": ("a@b.example", "c@d.example")}
        )
    )
    assert message.message_id == "own@acme.example"
    assert message.sender is None  # two From fields


@pytest.mark.parametrize(
    "step",
    [
        ConversationStep(FRIDAY, "kim@acme.example", body="Go ahead."),
        ConversationStep(FRIDAY, "kim@acme.example", html="<p>Go ahead.</p>"),
    ],
)
def test_replies_look_like_those_of_mail_clients(step: ConversationStep) -> None:
    """A reply has the thread, the subject, and our text quoted below, which is not read as the customer's text."""
    message = parsed(step, reply(text="To go on we need the serial number."))
    assert message.in_reply_to == ("ours.1@portwell.example",)
    assert message.references == ("first@acme.example", "ours.1@portwell.example")
    assert message.subject == "Re: dead"
    assert message.visible == "Go ahead."
    assert "we need the serial number" in message.quoted


def test_a_reply_goes_to_reply_to() -> None:
    """A reply goes to the Reply-To address of our email, as with every mail client."""
    ours = reply()
    raw = ours.raw.replace("To: ", "Reply-To: rma+token@portwell.example\r\nTo: ", 1)
    message = parsed(ConversationStep(FRIDAY, "kim@acme.example", body="x"), Reply(**{**_fields(ours), "raw": raw}))
    assert [box.email for box in message.to] == ["rma+token@portwell.example"]


def _fields(value: Reply) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


@pytest.mark.parametrize(("status", "temporary"), [("5.1.1", False), ("4.4.1", True)])
def test_a_delivery_report_is_read_as_one(status: str, *, temporary: bool) -> None:
    """A report names the address, whether the failure is permanent, and our email; it has a null return path."""
    step = ConversationStep(FRIDAY, bounce=BounceSpec("kim@acme.example", status))
    message = parsed(step, reply())
    assert message.classification.sender_class == "bounce"
    assert b"Return-Path: <>" in arriving(step, 1, MAILBOX, reply(), unchanged, Path())
    assert message.bounce is not None
    assert message.bounce.recipients == ("kim@acme.example",)
    assert message.bounce.temporary is temporary
    assert message.bounce.original_id == "ours.1@portwell.example"


def test_attachments_are_real_files() -> None:
    """A PDF contains its lines as text, in every conversation; a workbook and a CSV file their rows; an attached email its text."""
    many = "\n".join(f"line {count}" for count in range(1, 101))
    files = (
        AttachmentSpec("PO-4711.pdf", f"PURCHASE ORDER 4711\nTotal: USD 150.00\n采购订单 Größe\n{many}"),
        AttachmentSpec("units.xlsx", "Serial,Reason\nAH2F104432,no <video> & sound"),
        AttachmentSpec("units.csv", "Serial,Reason\nAH2F104433,no power"),
        AttachmentSpec("before.eml", "From: a@b.example\nSubject: earlier\n\nAH2F104434 is dead."),
        AttachmentSpec("note.txt", "Größe"),
    )
    message = parsed(ConversationStep(FRIDAY, "kim@acme.example", body="See the files.", attach=files))
    assert [attachment.name for attachment in message.attachments] == [file.name for file in files]
    order, sheet, rows, mail, note = contents(message.attachments).documents
    assert all(each in order.text for each in ("PURCHASE ORDER 4711\n", "Total: USD 150.00", "采购订单 Größe", "line 100"))
    assert sheet.tables[0].rows == (("Serial", "Reason"), ("AH2F104432", "no <video> & sound"))
    assert rows.tables[0].rows[1] == ("AH2F104433", "no power")
    assert "AH2F104434 is dead." in mail.text
    assert note.text.strip() == "Größe"


def test_a_raw_email_is_read_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """`raw` names a saved email; our own server's verdict is added above it."""
    write(tmp_path, "From: kim@acme.example\nSubject: saved\nMessage-ID: <saved@acme.example>\n\nDead board.\n", "saved.eml")
    message = parsed(ConversationStep(FRIDAY, raw="saved.eml"), beside=tmp_path)
    assert (message.subject, message.message_id, message.auth.result) == ("saved", "saved@acme.example", "pass")


# ---------------------------------------------------------------- comparison


def test_missing_and_unexpected_emails_are_named() -> None:
    """A missing or an unexpected email is named; the order does not matter."""
    kim, lou = reply(), reply("lou@acme.example")
    assert differences([ExpectedMail("lou@acme.example"), ExpectedMail("KIM@acme.example")], [kim, lou]) == []
    assert differences([ExpectedMail("kim@acme.example")], [kim, lou]) == ["unexpected: to lou@acme.example: Re: dead ()"]
    assert differences([ExpectedMail("joe@acme.example")], []) == ["no email to joe@acme.example"]
    assert differences([], [kim]) == ["unexpected: to kim@acme.example: Re: dead ()"]


def test_two_emails_to_one_address_are_matched() -> None:
    """If one email matches two expectations, the other email decides which one it is matched with."""
    wide, narrow = ExpectedMail("kim@acme.example"), ExpectedMail("kim@acme.example", contains="RMA")
    assert differences([wide, narrow], [reply(text="RMA"), reply(text="Hello")]) == []
    assert differences([narrow, wide], [reply(text="RMA"), reply(text="Hello")]) == []
    assert len(differences([narrow, narrow], [reply(text="RMA"), reply(text="Hello")])) == 2


@pytest.mark.parametrize(("times", "fits"), [(None, [1]), ("?", [0, 1]), ("+", [1, 2, 3]), ("*", [0, 1, 2, 3])])
def test_times(times: str | None, fits: list[int]) -> None:
    """Once by default; "?" zero or one, "+" one or more, "*" any number."""
    expected = [ExpectedMail("kim@acme.example", times=times)]  # type: ignore[arg-type]
    assert [count for count in range(4) if not differences(expected, [reply()] * count)] == fits


def test_ignored_addresses_count_if_they_are_named() -> None:
    """Emails to ignored addresses are ignored, unless the step names the address."""
    kim, boss = reply(), reply("boss@portwell.example")
    ignore = ["Boss@portwell.example"]
    assert differences([ExpectedMail("kim@acme.example")], [kim, boss], ignore) == []
    assert differences([ExpectedMail("boss@portwell.example")], [boss, boss], ignore) != []
    assert differences([], [boss], ignore) == []


def test_case_white_space_and_subject() -> None:
    """Case and white space are ignored in text and subject; extra clauses are allowed."""
    mail = reply(subject="Re: Board", text="Your RMA\nnumber is\n| quoted by\n| staff", cites=["AP-1", "AP-5"])
    to = "kim@acme.example"
    good = ExpectedMail(
        to, subject="board", contains=("your rma NUMBER", "quoted by staff", "re: board"), lacks="USD", cites="AP-1"
    )
    assert differences([good], [mail]) == []
    for bad in (
        ExpectedMail(to, subject="other"),
        ExpectedMail(to, contains="USD"),
        ExpectedMail(to, lacks="rma number"),
        ExpectedMail(to, cites="AP-2"),
        ExpectedMail(to, cites_not="AP-5"),
        ExpectedMail(to, attachments="label"),
    ):
        assert len(differences([bad], [mail])) == 2


# ---------------------------------------------------------------- conversations


def test_numbers_amounts_and_braces(resources: Resources) -> None:
    """{rma1} is replaced by the first RMA number once it is issued; other braces are the customer's text."""
    ask = ConversationStep(
        FRIDAY, "kim@acme.example", body="AH2F104432 does not boot {{7*7}} {x}.", sent=(ExpectedMail(contains="{{7*7}} {x}"),)
    )
    assert run(resources, ask).failure is None
    early = run(resources, ConversationStep(FRIDAY, "kim@acme.example", subject="{rma1}"))
    assert early.failure is not None
    assert "{rma1}" in early.failure.what


def test_a_reply_to_an_email_that_was_not_sent_is_a_failure(resources: Resources) -> None:
    """reply_to_last and bounce need an email that was sent."""
    for step in (
        ConversationStep(FRIDAY, "joe@acme.example", reply_to_last=True),
        ConversationStep(FRIDAY, bounce=BounceSpec("joe@acme.example")),
    ):
        failure = run(resources, step).failure
        assert failure is not None
        assert failure.step == 1
        assert "joe@acme.example" in failure.what
    missing = run(resources, ConversationStep(FRIDAY, raw="no-such.eml")).failure
    assert missing is not None
    assert "no-such.eml" in missing.what


def test_quiet_means_no_email_at_all(resources: Resources) -> None:
    """`quiet` includes ignored addresses, `sent = []` does not. Without both, emails are not compared."""
    unknown_sender = {"from_": "joe@elsewhere.example", "body": "Serial number AH2F104432 does not boot."}
    ignore = ("boss@portwell.example", "joe@elsewhere.example")
    assert run(resources, ConversationStep(FRIDAY, **unknown_sender, quiet=True), ignore=ignore).failure is not None
    assert run(resources, ConversationStep(FRIDAY, **unknown_sender, sent=()), ignore=ignore).failure is None
    assert run(resources, ConversationStep(FRIDAY, **unknown_sender), ignore=()).failure is None


def test_deadlines_before_a_step_are_processed_first(resources: Resources) -> None:
    """Deadlines before a step are processed at their times; with `down`, all are processed at once."""
    ask = ConversationStep(FRIDAY, "kim@acme.example", body="One of our boards does not boot. Please send an RMA number.")
    later = datetime(2026, 11, 28, 18, tzinfo=UTC)
    result = run(resources, ask, ConversationStep(later, "lou@other.example", body="One of our boards does not boot. RMA please."))
    assert [mail.reply.to for mail in result.steps[1].sent] == ["kim@acme.example", "kim@acme.example", "lou@other.example"]
    assert [mail.reply.at.day for mail in result.steps[1].sent] == [23, 27, 28]
    after_outage = run(resources, ask, ConversationStep(later, wait=True, down=True))
    assert [mail.reply.at for mail in after_outage.steps[1].sent] == [later]


def test_mailbox_and_staff_can_be_set(resources: Resources, tmp_path: Path) -> None:
    """A conversation can set its own mailbox and staff."""
    file = write(
        tmp_path,
        HEAD + 'mailbox = "returns@desk.example"\nstaff = [{address = "Ann@desk.example", roles = ["desk"], limit = 500}]\n'
        + STEP + 'body = "Could you tell us your opening hours on Saturday?"\n[[step.sent]]\nto = "kim@acme.example"\n'
        '[[step.sent]]\nto = "ann@desk.example"\n',
    )  # fmt: skip
    conversation = load(file)
    assert play(conversation, policy_of(conversation, resources), tmp_path, classifier=CLASSES).failure is None


# ---------------------------------------------------------------- the command

GOOD = HEAD + STEP + 'body = "One of our boards does not boot."\n[[step.sent]]\nto = "kim@acme.example"\ncites = ["AP-28"]\n'


def test_pass_or_fail_is_printed_for_each_file(tmp_path: Path) -> None:
    """One line per file, with details below a failure; exit code 0 if all pass, 1 if one fails."""
    (tmp_path / "deep").mkdir()
    good = write(tmp_path, GOOD, "a.toml")
    bad = write(tmp_path, GOOD.replace("AP-28", "AP-1"), "deep/b.toml")
    done = CliRunner().invoke(rehearse, [str(tmp_path)])
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert lines[0] == f"PASS {good}"
    assert lines[1].startswith(f"FAIL {bad}: step 1: no email to kim@acme.example (AP-1)")
    assert "does not cite AP-1" in lines[1]
    assert all(line.startswith("     ") for line in lines[2:])
    assert any("Re:" in line and "AP-28" in line for line in lines[2:])
    assert CliRunner().invoke(rehearse, [str(good)]).exit_code == 0


def test_verbose(tmp_path: Path) -> None:
    """-v prints the title and every email sent."""
    done = CliRunner().invoke(rehearse, ["-v", str(write(tmp_path, GOOD))])
    assert "A conversation for a test" in done.stdout
    assert "sent to kim@acme.example" in done.stdout


def test_usage_errors(tmp_path: Path) -> None:
    """No path, a missing path, and a folder without conversations give exit code 2."""
    for arguments in ([], [str(tmp_path / "nothing.toml")], [str(tmp_path)]):
        assert CliRunner().invoke(rehearse, arguments).exit_code == 2


def test_other_rules(tmp_path: Path) -> None:
    """--rules runs the same conversation with another rules file."""
    shipped = Path(__file__).parents[2] / "rules" / "american-portwell.toml"
    rules = tmp_path / "rules"
    rules.mkdir()
    write(
        rules,
        shipped.read_text(encoding="utf-8").replace('also = ["AP-27"]\nwhen = {serial = "missing"}', 'when = {serial = "missing"}'),
        shipped.name,
    )
    file = write(tmp_path, GOOD.replace('["AP-28"]', '["AP-28", "AP-27"]'))
    assert CliRunner().invoke(rehearse, [str(file)]).exit_code == 0
    assert CliRunner().invoke(rehearse, ["--rules", str(rules), str(file)]).exit_code == 1
