"""Whom our own mail server vouches for."""

import pytest
from support.raw_mail import arrived, mail

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
        ("DKIM=PASS (ok) Header.D=ACME.example", PASS),
        ("dkim=pass\r\n\t(1024-bit key;\r\n\t unprotected)\r\n\theader.d=acme.example", PASS),
        ("dmarc=pass (p=none dis=none) header.from=acme.example; spf=softfail smtp.mailfrom=x.example", PASS),
        ("dmarc/1 = pass header.from=acme.example", PASS),
        ("dmarc=bestguesspass header.from=acme.example", Auth()),
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


@pytest.mark.parametrize(
    ("said", "auth"),
    [
        ("dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example", Auth("fail")),
        ("dmarc=fail (p=none; a list did it) header.from=acme.example", Auth("fail")),
        ("dkim=fail header.d=acme.example", Auth("fail")),
        ("dkim=fail (body hash did not verify) header.d=acme.example; dmarc=pass header.from=acme.example", Auth("fail")),
        ("dmarc=pass header.from=acme.example; dkim=fail header.d=mail.acme.example", Auth("fail")),
        ("dmarc=pass header.from=acme.example; dkim=fail", Auth("fail")),
        ("dkim=fail header.d=acme.example; dkim=pass header.d=mail.acme.example", Auth("fail")),
        ("dkim=fail header.d=acme.example header.s=ed; dkim=pass header.d=acme.example header.s=rsa", PASS),
        ("dkim=fail header.d=x.example; dmarc=pass header.from=acme.example", PASS),
        ("dkim=fail header.d=x.example", Auth()),
        ("dkim=neutral header.d=acme.example; dmarc=pass header.from=acme.example", PASS),
    ],
)
def test_A2_a_fail_of_the_senders_own_domain_wins(said, auth):
    """A broken signature of the sender's domain is no better for DMARC's pass, unless another one of it is sound."""
    assert _auth(_results(said), RECEIVED) == auth


@pytest.mark.parametrize(
    ("said", "auth"),
    [
        ("spf=fail smtp.mailfrom=acme.example", Auth()),
        ("spf=fail smtp.mailfrom=acme.example; dkim=none; dmarc=none", Auth()),
        ("spf=fail smtp.mailfrom=acme.example; dmarc=pass header.from=acme.example", PASS),
        ("spf=fail smtp.mailfrom=acme.example; dmarc=fail header.from=acme.example", Auth("fail")),
    ],
)
def test_A2_the_envelope_alone_decides_nothing(said, auth):
    """SPF fails for every mail that was forwarded; what it means for the sender, DMARC says."""
    assert _auth(_results(said), RECEIVED) == auth


def test_A2_our_server_may_write_several():
    """One field for each filter counts above our Received; below it a second one may be the sender's own."""
    dkim, dmarc = _results("dkim=pass header.d=acme.example"), _results("dmarc=pass header.from=acme.example")
    spf, failed = _results("spf=pass smtp.mailfrom=x.example"), _results("dmarc=fail header.from=acme.example")
    assert _auth(spf, dkim, RECEIVED) == PASS
    assert _auth(spf, RECEIVED, dmarc) == Auth()
    assert _auth(RECEIVED, spf, dmarc) == Auth()
    assert _auth(RECEIVED, "Received-SPF: pass", dmarc) == PASS
    assert _auth(dmarc, failed, RECEIVED) == Auth("fail")
    assert _auth(RECEIVED, dmarc, failed) == Auth("fail")


@pytest.mark.parametrize("name", ["X-Authentication-Results", "ARC-Authentication-Results", "Authentication-Results-Original"])
def test_A2_fields_of_other_names_say_nothing(name):
    """What another server said on the way (RFC 8617), or what we said of an earlier copy, is not our word on this mail."""
    said = _results("dmarc=pass header.from=acme.example").replace("Authentication-Results", name, 1)
    assert _auth(said, RECEIVED) == Auth()
    failed = said.replace("=pass", "=fail")
    assert _auth(failed, _results("dmarc=pass header.from=acme.example"), RECEIVED) == PASS


EDGE = (
    "Received: from mail.acme.example (192.0.2.7) by\r\n BN1PEPF00004687.mail.protection.outlook.com (10.167.243.132) with"
    "\r\n Microsoft SMTP Server (version=TLS1_2) id\r\n 15.20.8534.20 via Frontend Transport; now"
)
HOPS = (
    "Received: from BN1PR10CA0002.namprd10.prod.outlook.com (2001:db8::7)\r\n by DM4PR12MB6448.namprd12.prod.outlook.com with; now",
    "Received: from BN1PEPF00004687.namprd05.prod.outlook.com\r\n (2001:db8::b7) by BN1PR10CA0002.outlook.office365.com with; now",
)
MICROSOFT = (
    "Authentication-Results: spf=pass (sender IP is 192.0.2.7)\r\n smtp.mailfrom=acme.example; dkim=pass (signature was"
    " verified)\r\n header.d=acme.example;dmarc=pass action=none\r\n header.from=acme.example;compauth=pass reason=100"
)


def _microsoft(*top, sender="kim@acme.example"):
    raw = "".join(f"{field}\r\n" for field in top).encode() + mail(From=sender)
    return arrived(raw, profile="microsoft-365").auth


def test_microsoft_365_writes_no_id():
    """Its field stands beside the Received of its edge, whatever hops the mail made inside."""
    assert _microsoft(*HOPS, MICROSOFT, "Received-SPF: Pass", EDGE) == PASS
    assert _microsoft(MICROSOFT, EDGE) == PASS
    assert _auth(*HOPS, MICROSOFT, EDGE) == Auth(), "only where the settings say so"


@pytest.mark.parametrize(
    ("change", "auth"),
    [
        (("dmarc=pass action=none", "dmarc=fail action=oreject"), Auth("fail")),
        (("dmarc=pass action=none", "dmarc=bestguesspass action=none"), PASS),
        (("header.from=acme.example", "header.from=evil.example"), PASS),
        (("(signature was verified)", "(;dmarc=fail;)"), PASS),
        (("dkim=pass", "dkim=fail"), Auth("fail")),
    ],
)
def test_microsoft_365_is_read_like_any_other(change, auth):
    """Comments, folds, missing blanks and words of its own do not matter; the signature counts too."""
    assert _microsoft(*HOPS, MICROSOFT.replace(*change), EDGE) == auth


def test_microsoft_365_guesses_are_no_verdict():
    """Its composite verdict goes by reputation too: neither its pass nor its fail says anything of the sender."""
    for said in ("pass reason=109", "fail reason=001", "softpass reason=202"):
        field = f"Authentication-Results: spf=none; dkim=none header.d=none;dmarc=none action=none;compauth={said}"
        assert _microsoft(*HOPS, field, EDGE) == Auth()


@pytest.mark.parametrize(
    "top",
    [
        (EDGE, MICROSOFT),
        (*HOPS, EDGE.replace("mail.acme.example", "x.prod.outlook.com"), MICROSOFT, "Received: from x by y; then"),
        (*HOPS, "Received: from evil.example by x.prod.outlook.com; now", MICROSOFT, "Received: from x by y; then"),
        (*HOPS, "Received: from x.prod.outlook.com by evil.example; now", MICROSOFT, "Received: from x by y; then"),
        (*HOPS, EDGE, "X-Other: 1", MICROSOFT),
        (*HOPS, EDGE, "Received: from x by y; then", MICROSOFT),
        (*HOPS, EDGE, HOPS[0], MICROSOFT),
        (*HOPS, EDGE.replace("mail.acme.example", "x.prod.outlook.com"), HOPS[1], MICROSOFT),
        (*HOPS, "Received: from x by y.outlook.com.evil.example; now", "X-Other: 1", MICROSOFT),
        (*HOPS, MICROSOFT.replace("=pass", "=none"), EDGE, MICROSOFT),
        (*HOPS, MICROSOFT.replace("spf=", "mx.evil.example; spf="), EDGE),
        (*HOPS, MICROSOFT.replace("Auth", "X-MS-Exchange-Auth"), EDGE),
        (*HOPS, MICROSOFT),
        (MICROSOFT,),
    ],
)
def test_A2_what_came_with_the_mail_is_not_microsofts(top):
    """Below the edge's Received the sender writes, hops of Microsoft's name included; and a named field is another's."""
    assert _microsoft(*top) == Auth()


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
