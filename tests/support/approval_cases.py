"""Approvals of a held case as they arrive, built from real notices of ours: the genuine ones; the forged are in ``forgeries``."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE = "Fri, 20 Nov 2026 10:00:00 -0800"


@dataclass(frozen=True)
class Situation:
    """A case that waits for a decision, and the mails that were sent about it.

    Attributes:
        mailbox: our address.
        server: our mail server's authserv-id.
        person: whose approval counts.
        customer: whose case it is.
        notice: what the person was sent, its token good.
        colleagues: what another approver was sent about the same case.
        others: what the person was sent about another case.
        expired: what the person was sent about this case more than seven days ago.
        spent: what the person was sent before the latest decision in this case; None where there was none.
    """

    mailbox: str
    server: str
    person: str
    colleague: str
    customer: str
    notice: bytes
    colleagues: bytes
    others: bytes
    expired: bytes
    spent: bytes | None = None

    @property
    def domain(self) -> str:
        return self.person.rpartition("@")[2]

    @property
    def received(self) -> str:
        return f"Received: from out.sender.example by {self.server} with ESMTPS for <{self.mailbox}>; {DATE}"

    def results(self, said: str, by: str | None = None) -> str:
        return f"Authentication-Results: {by or self.server}; {said}"

    @property
    def vouched(self) -> tuple[str, ...]:
        """What our server writes above a genuine mail of the person's."""
        return self.results(f"dmarc=pass header.from={self.domain}"), self.received

    def vouched_for(self, domain: str) -> tuple[str, ...]:
        """What our server writes above a mail that really comes from that domain."""
        return self.results(f"dmarc=pass header.from={domain}; dkim=pass header.d={domain}"), self.received


@dataclass(frozen=True)
class Notice:
    """A notice of ours as its recipient's mail program sees it."""

    answer_to: str
    id: str
    subject: str
    text: str

    @classmethod
    def of(cls, raw: bytes) -> Notice:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        text = " ".join(str(body.get_content()).split())[:300]
        return cls(str(mail["Reply-To"]), str(mail["Message-ID"]), str(mail["Subject"]), text)

    @property
    def secret(self) -> str:
        found = re.search(r"\.([0-9a-f]{32})@", self.answer_to) or re.search(r"\.([0-9a-f]{32})@", self.id)
        assert found, "a notice carries a token"
        return found[1]

    @property
    def case(self) -> str:
        found = re.search(r"\bc-[a-z]{10}\b", f"{self.answer_to} {self.id}")
        assert found, "a notice names its case"
        return found[0].upper()

    def with_secret(self, secret: str) -> Notice:
        """The same notice with another token."""
        return replace(self, answer_to=self.answer_to.replace(self.secret, secret), id=self.id.replace(self.secret, secret))


@dataclass(frozen=True)
class Letter:
    """A mail as it arrives: the trace on top, then what its author wrote."""

    sender: str
    to: str
    subject: str
    body: str = "APPROVE\r\n"
    trace: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    thread: str = ""
    kind: str = "text/plain; charset=utf-8"

    def raw(self) -> bytes:
        lines = [*self.trace, f"From: {self.sender}" if self.sender else "", f"To: {self.to}", f"Subject: {self.subject}"]
        lines += [f"Date: {DATE}", f"In-Reply-To: {self.thread}\r\nReferences: {self.thread}" if self.thread else ""]
        lines += [*self.fields, "MIME-Version: 1.0", f"Content-Type: {self.kind}"]
        text = "\r\n".join(line for line in lines if line)
        own = hashlib.sha256(f"{text}\r\n\r\n{self.body}".encode("utf-8", "surrogateescape")).hexdigest()[:20]
        return f"{text}\r\nMessage-ID: <{own}@mail.example>\r\n\r\n{self.body}".encode("utf-8", "surrogateescape")


def answer(at: Situation, notice: Notice | None = None, **changed: object) -> Letter:
    """An answer to a notice, as a mail program writes it: it has the token."""
    to = notice or Notice.of(at.notice)
    letter = Letter(at.person, to.answer_to, f"Re: {to.subject}", trace=(at.received,), thread=to.id)
    return replace(letter, **changed)  # type: ignore[arg-type]


def bare(at: Situation, **changed: object) -> Letter:
    """A mail about the case that answers nothing: it has no token, but the case's id in its subject."""
    notice = Notice.of(at.notice)
    letter = Letter(at.person, at.mailbox, f"Re: {notice.subject} [{notice.case}]", trace=(at.received,))
    return replace(letter, **changed)  # type: ignore[arg-type]


def quoted(notice: Notice, above: str) -> str:
    return f"{above}\r\n\r\nOn Fri, 20 Nov 2026 at 10:00, Returns <{notice.answer_to}> wrote:\r\n> {notice.text}\r\n"


def parts(*parts: tuple[str, str], subtype: str = "mixed") -> dict[str, str]:
    body = "".join(f"--=b\r\nContent-Type: {kind}\r\n\r\n{text}\r\n" for kind, text in parts)
    return {"kind": f'multipart/{subtype}; boundary="=b"', "body": f"{body}--=b--\r\n"}


def approvals(genuine: Situation) -> list[tuple[str, bytes]]:
    """Return genuine approvals, each with what is particular about it: every one of them carries the decision."""
    return [(kind, letter.raw()) for kind, letter in _genuine(genuine)]


def _genuine(at: Situation) -> Iterator[tuple[str, Letter]]:
    notice = Notice.of(at.notice)
    by_token, by_server = answer(at), bare(at, trace=at.vouched)
    yield "token in address and thread", by_token
    yield "token in the address alone", replace(by_token, thread="")
    yield "token in the thread alone", replace(by_token, to=at.mailbox)
    yield "token, and nothing else of the case", replace(by_token, thread="", subject="ok")
    yield (
        "token in References behind others",
        replace(by_token, to=at.mailbox, thread="", fields=(f"References: <a@b.example>\r\n {notice.id} <c@d.example>",)),
    )
    yield "token in Cc", replace(by_token, to=at.customer, thread="", fields=(f"Cc: Returns <{notice.answer_to}>",))
    yield (
        "token in Delivered-To",
        replace(by_token, to=at.mailbox, thread="", trace=(f"Delivered-To: {notice.answer_to}", at.received)),
    )
    yield ("token, address in capitals", replace(by_token, sender=at.person.upper(), to=notice.answer_to.upper(), thread=""))
    yield ("token, server knows nothing", replace(by_token, trace=(at.results("dmarc=none; dkim=none; spf=none"), at.received)))
    yield (
        "token, envelope failed",
        replace(by_token, trace=(at.results("spf=fail smtp.mailfrom=fw.example; dkim=none; dmarc=none"), at.received)),
    )
    yield "token and server", answer(at, trace=at.vouched)
    yield "server, by the case's id", by_server
    yield "server, with a name", replace(by_server, sender=f'"The Boss" <{at.person}>')
    yield "server, with an encoded name", replace(by_server, sender=f"=?utf-8?q?J=C3=BCrgen_Boss?= <{at.person}>")
    yield "server, with a comment", replace(by_server, sender=f"{at.person} (The Boss)")
    for kind, trace in {
        "signature of the domain": (at.results(f"dkim=pass header.d={at.domain}"), at.received),
        "signature by i=": (at.results(f"dkim=pass header.i=@{at.domain}"), at.received),
        "signature of a subdomain": (at.results(f"dkim=pass header.d=mail.{at.domain}"), at.received),
        "signed twice, one broken": (
            at.results(f"dkim=fail header.d={at.domain} header.s=ed; dkim=pass header.d={at.domain} header.s=rsa"),
            at.received,
        ),
        "another's signature broken": (
            at.results(f"dkim=fail header.d=list.example; dmarc=pass header.from={at.domain}"),
            at.received,
        ),
        "envelope failed on the way": (
            at.results(f"spf=fail smtp.mailfrom=fw.example; dkim=pass header.d={at.domain}; dmarc=pass header.from={at.domain}"),
            at.received,
        ),
        "verdict below": (at.received, "Received-SPF: pass", at.vouched[0]),
        "verdict folded, in capitals": (
            f"AUTHENTICATION-RESULTS: {at.server.upper()}\r\n\t1;\r\n\tDMARC=PASS (x)\r\n\tHeader.From={at.domain.upper()}",
            at.received,
        ),
        "several verdicts": (
            at.results("spf=pass smtp.mailfrom=x.example"),
            at.results(f"dkim=pass header.d={at.domain}"),
            at.results("dmarc=none", "other.example"),
            at.received,
        ),
        "another's verdict further down": (*at.vouched, at.results(f"dmarc=fail header.from={at.domain}", "mx.x.example")),
    }.items():
        yield kind, replace(by_server, trace=trace)
    for words in ("Approved.", "Approve", "approve.\r\n\r\nRegards\r\nThe Boss", "APPROVE:\r\n-- \r\nThe Boss\r\nPortwell"):
        yield "in other words", replace(by_token, body=f"{words}\r\n")
    yield "above the quoted notice", replace(by_token, body=quoted(notice, "APPROVE"))
    yield "HTML alone", replace(by_token, kind="text/html; charset=utf-8", body="<div>APPROVE</div>")
    both = ("text/plain; charset=utf-8", "APPROVE"), ("text/html; charset=utf-8", "<p>APPROVE</p>")
    yield "text and HTML", replace(by_token, **parts(*both, subtype="alternative"))
    coded = base64.b64encode(b"APPROVE\r\n").decode()
    yield "base64", replace(by_token, body=coded, fields=("Content-Transfer-Encoding: base64",))
    yield (
        "quoted-printable",
        replace(by_token, body="=41PPROVE=\r\n\r\n", fields=("Content-Transfer-Encoding: quoted-printable",)),
    )
    yield "suppresses automatic answers, as Exchange does", replace(by_token, fields=("X-Auto-Response-Suppress: OOF",))
