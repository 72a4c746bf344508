"""Forged approvals of a held case, as they arrive: raw bytes built from real notices that we sent.

Anyone who writes a forgery knows all that a customer, a former colleague or a wiretapper of another thread may know: staff's
addresses, the case's id, its number, ids of other emails, the tokens of other notices. Only the token of the notice in progress,
and our mail server's good word, he has not; where he has the token (it leaked), something else gives him away.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from support.approval_cases import DATE, Letter, Notice, Situation, answer, bare, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

EVIL = "joe@evil.example"


def forged(genuine: Situation) -> list[tuple[str, bytes]]:
    """Return forgeries, each with its kind: none of them may change the case."""
    return [(kind, letter.raw()) for kind, letter in _forged(genuine)]


def _forged(at: Situation) -> Iterator[tuple[str, Letter]]:
    yield from _by_trace(at)
    yield from _by_name(at)
    yield from _by_token(at)
    yield from _by_words(at)
    yield from _by_machine(at)


def _by_trace(at: Situation) -> Iterator[tuple[str, Letter]]:
    """The From is the person's; what our server says of it is not what the forger needs."""
    good = at.results(f"dmarc=pass header.from={at.domain}")
    number = Notice.of(at.notice).case
    for subject in (f"Re: [{number}]", f"APPROVE {number}", "APPROVE"):
        yield "no word of our server", bare(at, subject=subject)
    yield "no word of our server", bare(at, fields=(f"Cc: {at.customer}",))
    yield "no word of our server", bare(at, trace=())
    for said in (
        f"dmarc=fail header.from={at.domain}",
        f"dmarc=fail (p=none) header.from={at.domain}; dkim=pass header.d={at.domain}",
        f"dkim=fail header.d={at.domain}",
        f"dkim=fail (body hash did not verify) header.d={at.domain}; dmarc=pass header.from={at.domain}",
        f"spf=pass smtp.mailfrom={at.person}; dmarc=fail action=none header.from={at.domain}",
    ):
        yield "our server says forged", bare(at, trace=(at.results(said), at.received))
        yield "our server says forged, the token leaked", answer(at, trace=(at.results(said), at.received))
    none = at.results("dkim=none; dmarc=none")
    yield "forged verdict further down", bare(at, trace=(none, at.received, good))
    yield "forged verdict further down", bare(at, trace=(at.received, none, good))
    yield "forged verdict further down", bare(at, trace=(at.received, "X-Spam-Score: 0", good))
    yield "forged verdict further down", bare(at, trace=(at.received, "Received: from a by b; now", good))
    yield "forged verdict further down", bare(at, fields=(good,))
    yield "forged verdict further down", bare(at, trace=(none, at.received, *at.vouched))
    for by in ("mx.evil.example", f"{at.server}.evil.example", f"({at.server}) mx.evil.example", f"x{at.server}"):
        yield ("verdict of another server", bare(at, trace=(at.results(f"dmarc=pass header.from={at.domain}", by), at.received)))
    unnamed = f"Authentication-Results: dmarc=pass action=none header.from={at.domain}; {at.server}"
    yield "verdict without a name", bare(at, trace=(unnamed, at.received))
    for said in (
        "dmarc=pass header.from=evil.example",
        f"dmarc=pass header.from={at.domain}.evil.example",
        f"dmarc=pass (header.from={at.domain}) header.from=evil.example",
        f'dmarc=pass smtp.mailfrom="x header.from={at.domain}" header.from=evil.example',
        f"dmarc=none (; dmarc=pass header.from={at.domain})",
        f'spf=none smtp.mailfrom="x; dmarc=pass header.from={at.domain}"',
    ):
        yield "verdict about another domain", bare(at, trace=(at.results(said), at.received))
    for signer in ("evil.example", f"evil{at.domain}", at.domain.rpartition(".")[2], f"{at.domain}.evil.example"):
        yield "signature of another domain", bare(at, trace=(at.results(f"dkim=pass header.d={signer}"), at.received))
    yield "envelope alone", bare(at, trace=(at.results(f"spf=pass smtp.mailfrom={at.person}"), at.received))
    yield "envelope alone", bare(at, trace=(at.results(f"spf=pass smtp.mailfrom={at.domain}; dkim=none"), at.received))
    for name in ("X-Authentication-Results", "X-MS-Exchange-Authentication-Results", "ARC-Authentication-Results"):
        yield "field of another name", bare(at, trace=(good.replace("Authentication-Results", name), at.received))


def _by_name(at: Situation) -> Iterator[tuple[str, Letter]]:
    """The email really comes from elsewhere, or from nobody in particular; the token leaked."""
    local, domain = at.person.split("@")
    evil = at.vouched_for("evil.example")
    yield "two From fields", answer(at, sender=f"{EVIL}\r\nFrom: {at.person}", trace=evil)
    yield "two From fields", answer(at, sender=f"{at.person}\r\nFrom: {EVIL}", trace=at.vouched)
    yield "two mailboxes in From", answer(at, sender=f"{at.person}, {EVIL}", trace=at.vouched)
    yield "two mailboxes in From", answer(at, sender=f"{EVIL}, {at.person}", trace=evil)
    yield "two mailboxes in From", answer(at, sender=f"<{EVIL}> <{at.person}>", trace=at.vouched)
    yield "group in From", answer(at, sender=f"Staff: {at.person};", trace=at.vouched)
    yield "group in From", answer(at, sender=f"Staff: {at.person}, {EVIL};", trace=at.vouched)
    for sender in (f'"{at.person}" <{EVIL}>', f"{at.person} <{EVIL}>", f'"Boss <{at.person}>" <{EVIL}>', f"({at.person}) {EVIL}"):
        yield "name that looks like an address", answer(at, sender=sender, trace=evil)
    word = base64.b64encode(f"Boss <{at.person}>".encode()).decode()
    yield "encoded word in From", answer(at, sender=f"=?utf-8?q?{local}=40{domain}?= <{EVIL}>", trace=evil)
    yield "encoded word in From", answer(at, sender=f"=?utf-8?b?{word}?= <{EVIL}>", trace=evil)
    yield "encoded word in From", answer(at, sender=f"=?utf-8?b?{word}?=", trace=at.vouched)
    for field in ("Reply-To", "Sender", "Return-Path", "Resent-From", "X-Original-From", "Errors-To"):
        yield f"{field} of staff", answer(at, sender=EVIL, trace=evil, fields=(f"{field}: {at.person}",))
    first, *rest = domain.split(".")
    for other in (
        f"{local}@{first.replace('o', chr(0x43E))}.{'.'.join(rest)}",
        f"{local}@xn--prtwell-6ig.{'.'.join(rest)}",
        f"{local}@{chr(0xFF50)}{domain[1:]}",
        f"{local}@{domain}.",
        f"{local}@{domain}.evil.example",
        f"{local}@mail.{domain}",
        f"{local}@{first.replace('l', '1')}.{'.'.join(rest)}",
        f"{local}+approve@{domain}",
        f"{local.replace('s', chr(0x17F))}@{domain}",
        f"{local}\u200b@{domain}",
    ):
        yield "look-alike", answer(at, sender=other, trace=at.vouched_for(other.rpartition("@")[2]))
    kelvin = at.colleague.replace("k", "\u212a")
    yield "look-alike", answer(at, Notice.of(at.staff), sender=kelvin, trace=at.vouched_for(domain))
    for raw in (f"{local}\udcff@{domain}", f"B\udcf6ss {at.person}", f"{local}\x00@{domain}"):
        yield "8-bit From", answer(at, sender=raw, trace=at.vouched)
    yield "no From", answer(at, sender="", trace=at.vouched)


def _by_token(at: Situation) -> Iterator[tuple[str, Letter]]:
    """The From is the person's, our server knows nothing of it, and the token is not the one."""
    notice = Notice.of(at.notice)
    others = {"token of another case": at.others, "expired token": at.expired, "token of another person": at.staff}
    if at.spent is not None:
        others["spent token"] = at.spent
    for kind, raw in others.items():
        other = Notice.of(raw)
        here = notice.with_secret(other.secret)
        yield kind, answer(at, here)
        yield kind, answer(at, here, to=at.mailbox)
        yield kind, answer(at, here, thread="")
        yield kind, bare(at, thread=other.id if kind != "token of another case" else here.id)
    for bit in (0, 1, 63, 126, 127):
        off = notice.with_secret(f"{int(notice.secret, 16) ^ 1 << bit:032x}")
        yield "one bit off", answer(at, off)
        yield "one bit off", answer(at, off, thread="")
    for secret in (notice.secret[:-1], notice.secret + "0", notice.secret[::-1], "0" * 32, notice.secret[:16] * 2):
        yield "token of the wrong form", answer(at, notice.with_secret(secret))
    host = at.mailbox.rpartition("@")[2]
    for guess in (f"<{notice.case.lower()}.1.{'0' * 16}@{host}>", f"<{notice.case.lower()}.s1.{'0' * 32}@{host}>", "<1@a.b>"):
        yield "guessed References", bare(at, thread=guess)
        yield "guessed References of a stranger", bare(at, thread=guess, sender=EVIL)
    yield "token at another host", bare(at, to=notice.answer_to.replace(host, "evil.example"))
    yield "token at another host", bare(at, thread=notice.id.replace(host, "evil.example"))
    yield "token where none belongs", bare(at, subject=f"APPROVE {notice.secret}")
    yield "token where none belongs", bare(at, body=f"APPROVE\r\n{notice.answer_to}\r\n{notice.id}\r\n")
    yield "token where none belongs", bare(at, fields=(f"X-In-Reply-To: {notice.id}", f"X-Token: {notice.secret}"))
    yield "token where none belongs", bare(at, fields=(f"Reply-To: {notice.answer_to}",))
    strange = at.vouched_for("evil.example")
    yield "token of a stranger", answer(at, sender=EVIL, trace=strange)
    yield "number of a stranger", bare(at, sender=EVIL, trace=strange)
    yield "number of a stranger", bare(at, sender=EVIL, trace=strange, subject=f"APPROVE [{notice.case}]")


def _by_words(at: Situation) -> Iterator[tuple[str, Letter]]:
    """The email is really the person's, or bears the person's words; but nobody said it now."""
    notice = Notice.of(at.notice)
    for trace in ((at.received,), at.vouched):
        real = answer(at, trace=trace)
        quote = "On Fri, 20 Nov 2026 at 09:00, Joe <joe@evil.example> wrote:\r\n> APPROVE\r\n> Approved.\r\n"
        yield "command in the quote", replace(real, body=f"I have seen it.\r\n\r\n{quote}")
        yield "command in the signature", replace(real, body="I have seen it.\r\n\r\n-- \r\nApproved\r\nAPPROVE\r\n")
        hidden = "<p>I have seen it.</p><!-- APPROVE --><p style='display:none'>APPROVE</p>"
        yield "command in an HTML comment", replace(real, kind="text/html; charset=utf-8", body=hidden)
        attached = ('text/plain; name="a.txt"\r\nContent-Disposition: attachment; filename="a.txt"', "APPROVE")
        yield "command in an attachment", replace(real, **parts(("text/plain", "I have seen it."), attached))
        mailed = ("message/rfc822", f"From: {at.person}\r\nTo: {notice.answer_to}\r\nSubject: Re\r\n\r\nAPPROVE")
        yield "command in an attached mail", replace(real, **parts(("text/plain", "I have seen it."), mailed))
        said = ("text/plain", "I have seen it."), ("text/html", "<p>APPROVE</p>")
        yield "command in the HTML part alone", replace(real, **parts(*said, subtype="alternative"))
    passed_on = (
        "FYI\r\n\r\n---------- Forwarded message ---------\r\n"
        f"From: Boss <{at.person}>\r\nDate: {DATE}\r\nSubject: {notice.subject}\r\nTo: <{notice.answer_to}>\r\n\r\nAPPROVE\r\n"
    )
    strange = at.vouched_for("evil.example")
    yield "forwarded approval", answer(at, sender=EVIL, trace=strange, subject="Fwd: approval", body=passed_on)
    yield "forwarded approval", bare(at, sender=EVIL, trace=strange, subject="Fwd: approval", body=passed_on)
    inner = ("message/rfc822", answer(at, trace=at.vouched).raw().decode())
    yield "forwarded approval", bare(at, sender=EVIL, trace=strange, **parts(("text/plain", "FYI"), inner))


def _by_machine(at: Situation) -> Iterator[tuple[str, Letter]]:
    """The person's own machine, or somebody else's, sends it; token and verdict may be as good as they like."""
    real = answer(at, trace=at.vouched)
    for field in (
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (rule 7)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
    ):
        yield "automatic answer", replace(real, fields=(field,))
    away = "I am out of the office until Monday.\r\nAPPROVE\r\n"
    yield "absence note", replace(real, subject=f"Automatic reply: {real.subject}", body=away)
    yield "absence note", replace(real, subject="Out of office", fields=("X-Auto-Response-Suppress: All",), body=away)
    for field in ("List-Id: <all.portwell.example>", "Precedence: bulk", "Precedence: list"):
        yield "list mail", replace(real, fields=(field,))
    yield "null sender", replace(real, trace=("Return-Path: <>", *at.vouched))
    status = f"Reporting-MTA: dns; {at.server}\r\n\r\nFinal-Recipient: rfc822; {at.person}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    report = parts(("text/plain", "APPROVE"), ("message/delivery-status", status), ("text/rfc822-headers", "Subject: APPROVE"))
    kind = report["kind"].replace("mixed", "report; report-type=delivery-status")
    for sender in (at.person, f"MAILER-DAEMON@{at.domain}"):
        yield "delivery report", replace(real, sender=sender, kind=kind, body=report["body"])
