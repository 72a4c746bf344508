"""Whom our own mail server vouches for."""

import pytest
from letters import arrived, mail

from mailbot.model import Auth

OURS = "mx1.desk.example"
RECEIVED = "Received: from x by mx1.desk.example; now"
PASS = Auth("pass", "acme.example")


def _auth(*top: str, sender: str = "kim@acme.example", trusted: str | None = OURS) -> Auth:
    raw = "".join(f"{field}\r\n" for field in top).encode() + mail(From=sender)
    return arrived(raw, authserv_id=trusted).auth


def _results(said: str, by: str = OURS) -> str:
    return f"Authentication-Results: {by}; {said}"


@pytest.mark.parametrize(
    ("said", "auth"),
    [
        ("dmarc=pass header.from=acme.example", PASS),
        ("dkim=pass header.d=acme.example", PASS),
        ("dkim=pass header.d=mail.acme.example", PASS),
        ("dkim=fail header.d=x.example; dkim=pass header.i=@acme.example", PASS),
        ("dkim=pass header.d=example", Auth()),
        ("dkim=pass header.d=evil.example", Auth()),
        ("dkim=pass header.d=evilacme.example", Auth()),
        ("spf=pass smtp.mailfrom=acme.example", Auth()),
        ("dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example", Auth("fail")),
        ("dkim=fail header.d=acme.example", Auth("fail")),
        ("dkim=none", Auth()),
        ("none", Auth()),
        ("dmarc=fail (dmarc=pass header.from=acme.example) header.from=acme.example", Auth("fail")),
        ("spf=fail (; dmarc=pass header.from=acme.example)", Auth()),
        ('spf=fail smtp.mailfrom="x; dmarc=pass header.from=acme.example"', Auth()),
        ('dmarc=pass smtp.mailfrom="x header.from=acme.example" header.from=evil.example', Auth()),
    ],
)
def test_A2_what_our_server_says_is_read(said, auth):
    """A pass must be about the sender's own domain; comments and quotes say nothing; a failure wins."""
    assert _auth(_results(said), RECEIVED) == auth


def test_A2_only_the_place_beside_our_own_trace_is_trusted():
    """The same words further down came with the mail and mean nothing."""
    said = _results("dmarc=pass header.from=acme.example")
    assert _auth("Return-Path: <x@y.example>", said, RECEIVED) == PASS
    assert _auth(RECEIVED, said, "Received: from y by x; then") == PASS
    assert _auth(RECEIVED, "Received: from y by x; then", said) == Auth()
    assert _auth(RECEIVED, "X-Other: 1", said) == Auth()
    assert _auth(said) == Auth()
    assert _auth(_results("dmarc=fail header.from=acme.example"), RECEIVED, said) == Auth("fail")


def test_A1_without_a_trusted_server_nobody_is_vouched_for():
    """Another server's word, or no configured server, is no word."""
    said = _results("dmarc=pass header.from=acme.example")
    assert _auth(said, RECEIVED, trusted=None) == Auth()
    assert _auth(said, RECEIVED, trusted="mx.other.example") == Auth()
    assert _auth(RECEIVED) == Auth()


def test_A3_a_pass_for_another_domain_is_refused():
    """A pass for somebody else's domain is no pass."""
    assert _auth(_results("dmarc=pass header.from=evil.example"), RECEIVED) == Auth()


def test_A4_nobody_is_vouched_for_under_two_names():
    """Two senders in one field are vouched for by nobody."""
    said = _results("dmarc=pass header.from=acme.example")
    assert _auth(said, RECEIVED, sender="kim@acme.example, boss@acme.example") == Auth()
