"""Delivery reports: who could not be reached, for good or for now, and which mail of ours it was."""

import pytest
from support.raw_mail import read, saved

DSN = ("Return-Path: <>", "Content-Type: multipart/report; report-type=delivery-status; boundary=b")


def _report(*recipients: str, returned: str = "message/rfc822\n\nMessage-ID: <9@desk.example>\n\nx") -> str:
    groups = "\n".join(f"{each}\n" for each in recipients)
    return (
        "--b\n\nSorry.\nAPPROVE\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        f"{groups}\n--b\nContent-Type: {returned}\n--b--\n"
    )


def _recipient(address: str, action: str, status: str = "5.1.1") -> str:
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}"


def _bounce(*recipients: str, **more: str):
    return read(*DSN, From="MAILER-DAEMON@mx.example", body=_report(*recipients, **more))


def test_B1_a_failure_names_the_address_and_the_mail():
    """A report of failure says who was not reached and which mail it was."""
    message = _bounce(_recipient("a@x.example", "failed"), _recipient("b@x.example", "delivered"))
    assert message.classification.sender_class == "bounce"
    assert message.bounce.recipients == ("a@x.example",)
    assert not message.bounce.temporary
    assert message.bounce.original_id == "9@desk.example"


def test_B1_the_header_alone_may_come_back():
    """A report that returns only the header still names the mail."""
    returned = "text/rfc822-headers\n\nMessage-ID: <9@desk.example>"
    assert _bounce(_recipient("a@x.example", "failed"), returned=returned).bounce.original_id == "9@desk.example"


def test_B3_delays_and_successes_are_no_failures():
    """A delay is temporary; a success is merely automatic."""
    assert _bounce(_recipient("a@x.example", "delayed", "4.4.1")).bounce.temporary
    success = _bounce(_recipient("a@x.example", "relayed", "2.0.0"))
    assert (success.bounce, success.classification.sender_class) == (None, "auto")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("failure notice", "Hi. This is the qmail-send program at x.\n\n<a@x.example>:\nSorry, no mailbox here by that name.\n"),
        ("Undelivered Mail Returned to Sender", "The mail system\n\n<a@x.example>: host mx said: 550 no such user\n"),
        ("Mail delivery failed: returning message to sender", "A message that you sent failed:\n\n  a@x.example\n    unknown\n"),
    ],
)
def test_servers_that_know_no_standard_are_understood(subject, body):
    """Reports in the dialects of old servers are understood too."""
    message = read("Return-Path: <>", From="MAILER-DAEMON@x.example", Subject=subject, body=body)
    assert message.classification.sender_class == "bounce"
    assert message.bounce.recipients == ("a@x.example",)


@pytest.mark.parametrize(
    ("sender", "subject", "body"),
    [
        ("Admin <admin@x.example>", "Delivery Failure", "Could not deliver message to the following recipient(s):\n\na@x.example"),
        ("Postmaster <>", "Undeliverable: a@x.example", "Your message\n\nDid not reach the following recipient: a@x.example"),
        ("Postfach <info@x.example>", "Unzustellbar: RMA", "Ihre Nachricht konnte nicht zugestellt werden an:\n\na@x.example"),
        ("Poste <info@x.example>", "Message non remis", "Votre message n'a pas pu être remis à\n  a@x.example"),
        ("系统 <info@x.example>", "投递失败", "您的邮件无法投递到以下收件人：\n\na@x.example"),
        ("メール <info@x.example>", "配信不能", "次の宛先にメールを配信できませんでした。\n\na@x.example"),
    ],
)  # fmt: skip
def test_servers_that_hide_their_name_are_understood(sender, subject, body):
    """A report without any field of servers is one by its subject, its first sentence and the address it names."""
    message = read(From=sender, Subject=subject, body=body)
    assert message.classification.sender_class == "bounce"
    assert message.bounce.recipients == ("a@x.example",)
    assert not message.bounce.temporary


@pytest.mark.parametrize(
    "body",
    [
        "Delivery of mail to\n\na@x.example\n\nhas been postponed: the mailbox is full.",
        "Your message could not yet be delivered to the following recipient:\na@x.example\nWe will continue to try.",
    ],
)
def test_B3_a_delay_in_a_dialect_is_temporary(body):
    """A server that goes on trying has not failed, whatever its report looks like."""
    bounce = read(From="Postmaster <postmaster@x.example>", Subject="Delivery notification", body=body).bounce
    assert bounce.recipients == ("a@x.example",)
    assert bounce.temporary


@pytest.mark.parametrize(("action", "status"), [("failure", "553"), ("error", "5.0.0"), ("", "5.1.1"), ("failed (by us)", "5.1.1")])
def test_B1_a_servers_own_words_for_a_failure(action, status):
    """A report whose action is no word of the standard still tells a failure."""
    bounce = _bounce(f"Final-Recipient: <a@x.example>\nAction: {action}\nStatus: {status}").bounce
    assert bounce.recipients == ("a@x.example",)
    assert not bounce.temporary


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Undeliverable: parcel", "The parcel could not be delivered to the following address: Main Street. Ask bob@acme.example"),
        ("Mail delivery failed: where is my RMA?", "Your mail could not be delivered to me at kim@acme.example, please resend."),
        ("FW: Undeliverable: RMA", "Your message could not be delivered to bob@acme.example."),
        ("Re: Undeliverable: RMA", "Your message could not be delivered to bob@acme.example, use mine."),
        ("Delivery failure of the replacement", "The carrier was unable to deliver. Contact bob@acme.example."),
    ],
)  # fmt: skip
def test_a_person_may_write_about_deliveries(subject, body):
    """Parcels and mails that did not arrive are what people write about."""
    assert read("In-Reply-To: <9@desk.example>", Subject=subject, body=body).classification.sender_class == "human"


def test_a_report_without_From_is_read():
    """A report that lacks a sender stops nothing."""
    message = read(
        "Return-Path: <>", From="", Subject="failure notice", body="<a@x.example>:\nSorry.\nMessage-ID: <9@desk.example>"
    )
    assert message.bounce.original_id == "9@desk.example"


def test_a_person_may_quote_a_report():
    """Who writes about a returned mail is a person."""
    message = read(Subject="Undeliverable: your answer", body="Your mail came back:\n<a@x.example>: 550 no such user")
    assert (message.bounce, message.classification.sender_class) == (None, "human")


def test_saved_reports():
    """Saved reports name the address as a person would."""
    assert saved("0046").bounce.recipients == ("dstoke@lakecounty.example",)
    assert saved("0031").bounce.temporary
