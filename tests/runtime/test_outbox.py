"""The outbox: every end of an SMTP transaction is told apart, and the bytes arrive as they were frozen."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.servers import CERTIFICATE, PASSWORD, embedded_smtp, free_port, scripted

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, DeliveryResult, Refused
from mailbot.runtime.embedded import DROP, KEEP_AND_DROP, ReceivedMail, SmtpServer
from mailbot.runtime.servers import Smtp
from mailbot.runtime.smtp import outbox as module
from mailbot.runtime.smtp.outbox import Outbox, OutboxError, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Background, Talk

SENDER, RECIPIENT = "rma@portwell.example", "kim@acme.example"
MAIL = "From: rma@portwell.example\r\nTo: kim@acme.example\r\nSubject: x\r\n\r\nHello\r\n"


def send(server: Smtp, *mails: str, recipient: str = RECIPIENT, sender: str = SENDER) -> list[DeliveryResult]:
    """Send these mails one after another over one outbox."""

    async def work() -> list[DeliveryResult]:
        outbox = Outbox(server)
        try:
            return [await outbox.send(mail, sender, recipient) for mail in mails or (MAIL,)]
        finally:
            await outbox.close()

    return asyncio.run(asyncio.wait_for(work(), timeout=20))


def answering(moment: str, *answers: str | None) -> Callable[[str, str, str], str | None]:
    """A judge that gives these answers at a moment, one after another, and takes everything afterwards."""
    left = list(answers)
    return lambda at, _sender, _recipient: left.pop(0) if at == moment and left else None


# ---------------------------------------------------------------- what arrives


@pytest.mark.parametrize(
    "body",
    [
        "Hello\r\n",
        ".\r\n",
        "..\r\n.\r\n.hidden\r\n",
        "x\r\n" * 40_000,
        ("=" + "x" * 900 + "\r\n") * 4_000,
        "no line\r\n\r\n\r\n",
    ],
    ids=["plain", "a dot", "dots", "many lines", "3.6 MB", "empty lines"],
)
def test_the_bytes_arrive_as_they_were_frozen(body: str, smtp_server: SmtpServer) -> None:
    """What the server takes over is byte for byte what was frozen, dots at the beginning of lines included."""
    mail = f"Subject: x\r\n\r\n{body}"
    assert send(smtp_server.smtp(), mail, mail) == [Delivered("250 2.0.0 OK")] * 2
    assert smtp_server.received == [ReceivedMail(SENDER, RECIPIENT, mail.encode())] * 2


def test_a_mail_may_begin_with_a_dot_and_have_the_null_sender(smtp_server: SmtpServer) -> None:
    """Even content that begins with a dot goes through, and the sender may be empty (as for answers to machines)."""
    assert send(smtp_server.smtp(), ".x\r\n", sender="") == [Delivered("250 2.0.0 OK")]
    assert smtp_server.received == [ReceivedMail("", RECIPIENT, b".x\r\n")]


@pytest.mark.parametrize(
    "mail", ["no end", "bare\nnewline\r\n", "bare\rreturn\r\n", "umlaut \xfc\r\n", "\ud800\r\n", "x\r\n\n.\r\n"]
)
def test_what_smtp_would_change_is_not_sent(mail: str, smtp_server: SmtpServer) -> None:
    """A mail that the way would alter, or that could smuggle in a second one, is refused before SMTP sees it."""
    assert not frozen(mail.encode("utf-8", "surrogatepass"))
    [result] = send(smtp_server.smtp(), mail)
    assert isinstance(result, Refused)
    assert result.code == 0
    assert smtp_server.received == []


@pytest.mark.parametrize(
    "address",
    [
        "kim@acme.example\r\nRCPT TO:<all@acme.example>",
        "kim@acme.example\x00",
        "kim\x00@acme.example",
        "kim@acme.example>",
        "kim@acme.example SIZE=1",
        "Kim <kim@acme.example>",
        "kïm@acme.example",
        "kim",
        "",
        "@acme.example",
        "a@b@c.example",
    ],
)
def test_h4_a_hostile_address_is_refused_before_smtp_sees_it(address: str, smtp_server: SmtpServer) -> None:
    """Line breaks, NUL and whatever is no plain address never reach the server."""
    seen: list[str] = []
    smtp_server.judge = lambda moment, *_: seen.append(moment)  # type: ignore[func-returns-value]
    [result] = send(smtp_server.smtp(), recipient=address)
    assert isinstance(result, Refused)
    assert result.code == 0
    assert seen == []


@pytest.mark.parametrize(
    "address", ["kim@acme.example", "kim.o'hara+rma@ACME.example", "kim@bücher.example", "x@sub.acme.example"]
)
def test_ordinary_addresses_are_taken(address: str, smtp_server: SmtpServer) -> None:
    """Plus addresses, apostrophes and domains with umlauts are fine."""
    assert send(smtp_server.smtp(), recipient=address) == [Delivered("250 2.0.0 OK")]
    local, _, domain = address.partition("@")
    assert smtp_server.received[0].recipient.partition("@")[0] == local
    assert smtp_server.received[0].recipient.partition("@")[2].encode("ascii") == domain.lower().encode("idna")


# ---------------------------------------------------------------- how it ends


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
def test_s3_not_now_is_deferred(moment: str, smtp_server: SmtpServer) -> None:
    """A server that says "later" at any moment is asked again later, and the next mail goes out meanwhile."""
    smtp_server.judge = answering(moment, "450 4.2.0 greylisted")
    assert send(smtp_server.smtp(), MAIL, MAIL) == [Deferred("450 4.2.0 greylisted"), Delivered("250 2.0.0 OK")]
    assert len(smtp_server.received) == 1


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
def test_s4_no_is_no(moment: str, smtp_server: SmtpServer) -> None:
    """A server that refuses the mail for good is believed, and the next mail goes out."""
    smtp_server.judge = answering(moment, "550 5.1.1 unknown")
    assert send(smtp_server.smtp(), MAIL, MAIL) == [Refused(550, "5.1.1 unknown"), Delivered("250 2.0.0 OK")]


@pytest.mark.parametrize("code", ["530 5.7.0 authentication required", "503 5.5.1 bad sequence"])
def test_what_is_wrong_with_us_is_not_the_mails_fault(code: str, smtp_server: SmtpServer) -> None:
    """A login that the server misses does not make a reply undeliverable."""
    smtp_server.judge = answering("MAIL", code)
    assert send(smtp_server.smtp()) == [Deferred(code)]


@pytest.mark.parametrize("moment", ["MAIL", "RCPT"])
def test_a_connection_lost_before_the_mail_is_deferred(moment: str, smtp_server: SmtpServer) -> None:
    """Nothing was sent, so nothing is in doubt."""
    smtp_server.judge = answering(moment, DROP)
    [first, second] = send(smtp_server.smtp(), MAIL, MAIL)
    assert isinstance(first, Deferred)
    assert second == Delivered("250 2.0.0 OK")


@pytest.mark.parametrize(("answer", "kept"), [(DROP, 0), (KEEP_AND_DROP, 1)])
def test_s1_a_connection_lost_after_the_final_dot_is_ambiguous(answer: str, kept: int, smtp_server: SmtpServer) -> None:
    """Whether the server took the mail over cannot be known, and that is what is said."""
    smtp_server.judge = answering("DATA", answer)
    [first, second] = send(smtp_server.smtp(), MAIL, MAIL)
    assert isinstance(first, Ambiguous)
    assert second == Delivered("250 2.0.0 OK")
    assert len(smtp_server.received) == kept + 1


def smtp_script(**answers: str | None) -> Callable[[Talk], None]:
    """An SMTP server that answers a command so (None: hangs up; empty: stays silent), and everything else well."""

    def answer(talk: Talk, command: str, usual: str) -> None:
        said = answers.get(command, usual)
        if said is None:
            raise ConnectionError
        if said:
            talk.say(*said.split("\n"))

    def script(talk: Talk) -> None:
        answer(talk, "GREETING", "220 ready")
        while True:
            command = talk.hear()[:4].upper()
            if command == "DATA":
                answer(talk, "DATA", "354 go on")
                if "CONTENT" in answers:
                    talk.connection.recv(10)
                    answer(talk, "CONTENT", "")
                while talk.hear() != ".":
                    pass
                answer(talk, "DOT", "250 taken")
            elif command == "STAR":
                answer(talk, "STAR", "220 go on")
                talk.start_tls()
            else:
                answer(talk, command, {"EHLO": "250-localhost\n250 STARTTLS", "QUIT": "221 bye"}.get(command, "250 ok"))

    return script


def at(port: int, **more: object) -> Smtp:
    return msgspec.structs.replace(Smtp(host="localhost", port=port, security="none", timeout=0.3), **more)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"GREETING": "554 go away"}, Deferred),
        ({"GREETING": "421 busy"}, Deferred),
        ({"GREETING": ""}, Deferred),
        ({"GREETING": None}, Deferred),
        ({"GREETING": "220 " + "x" * 1_000_000}, Deferred),
        ({"GREETING": "nonsense"}, Deferred),
        ({"EHLO": None}, Deferred),
        ({"MAIL": "421 closing"}, Deferred),
        ({"MAIL": ""}, Deferred),
        ({"MAIL": "nonsense"}, Deferred),
        ({"RCPT": None}, Deferred),
        ({"DATA": None}, Deferred),
        ({"DATA": ""}, Deferred),
        ({"DATA": "451 disk full"}, Deferred),
        ({"DATA": "554 no"}, Refused),
        ({"DATA": "250 what?"}, Deferred),
        ({"CONTENT": None}, Deferred),
        ({"DOT": None}, Ambiguous),
        ({"DOT": ""}, Ambiguous),
        ({"DOT": "nonsense"}, Ambiguous),
        ({"DOT": "354 what?"}, Ambiguous),
        ({"DOT": "252 taken"}, Delivered),
        ({"DOT": "421 closing"}, Deferred),
        ({"DOT": "554 spam"}, Refused),
        ({}, Delivered),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_end_of_a_transaction(answers: dict[str, str | None], kind: type) -> None:
    """Wherever a server fails, hangs up, falls silent or talks nonsense, the end of the mail is judged rightly."""
    large = MAIL + ("x" * 70 + "\r\n") * 150_000 if "CONTENT" in answers else MAIL
    with scripted(smtp_script(**answers)) as server:
        [result] = send(at(server.port), large)
    assert type(result) is kind, result


def test_s6_a_server_that_dribbles_is_left(smtp_server: SmtpServer) -> None:
    """A server that sends one byte after another never holds the outbox up for longer than the timeout."""

    def dribble(talk: Talk) -> None:
        for _ in range(100):
            talk.connection.sendall(b"2")
            time.sleep(0.05)

    began = time.monotonic()
    with scripted(dribble) as server:
        assert isinstance(send(at(server.port))[0], Deferred)
        assert time.monotonic() - began < 2


def test_a_server_that_stops_reading_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes no more of a large mail is given up, and the mail has certainly not been delivered."""
    monkeypatch.setattr(module, "SLOWEST", 1_000_000_000)
    large = MAIL + ("x" * 70 + "\r\n") * 150_000

    def stops(talk: Talk) -> None:
        talk.say("220 ready")
        for answer in ("250 localhost", "250 ok", "250 ok", "354 go on"):
            talk.hear()
            talk.say(answer)
        time.sleep(1.5)

    with scripted(stops) as server:
        assert isinstance(send(at(server.port), large)[0], Deferred)


# ---------------------------------------------------------------- one connection for many mails


def test_many_mails_go_over_one_connection(smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection serves many mails and is exchanged after so many."""
    monkeypatch.setattr(module, "MAILS_A_CONNECTION", 3)
    with scripted(smtp_script()) as server:
        assert send(at(server.port), *[MAIL] * 7) == [Delivered("250 taken")] * 7
        assert [sum(line == "DATA" for line in talk.heard) for talk in server.talks] == [3, 3, 1]
        assert all(talk.heard[-1] == "QUIT" for talk in server.talks)


@pytest.mark.parametrize("idle", [10.0, -1.0], ids=["found out by sending", "found out by asking"])
def test_a_connection_that_the_server_has_closed_is_made_anew(idle: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs up between two mails costs neither of them anything."""
    monkeypatch.setattr(module, "IDLE", idle)

    def one_mail(talk: Talk) -> None:
        talk.say("220 ready")
        for answer in ("250 localhost", "250 ok", "250 ok", "354 go on"):
            talk.hear()
            talk.say(answer)
        while talk.hear() != ".":
            pass
        talk.say("250 taken")
        talk.hear()
        talk.say("421 idle for too long")

    with scripted(one_mail) as server:
        assert send(at(server.port), MAIL, MAIL) == [Delivered("250 taken")] * 2


def test_mails_sent_at_the_same_time_wait_for_each_other(smtp_server: SmtpServer) -> None:
    """Several senders share an outbox without getting into each other's transaction."""

    async def work() -> list[DeliveryResult]:
        outbox = Outbox(smtp_server.smtp())
        results = await asyncio.gather(*(outbox.send(MAIL, SENDER, f"k{n}@acme.example") for n in range(20)))
        await outbox.close()
        return results

    assert asyncio.run(work()) == [Delivered("250 2.0.0 OK")] * 20
    assert [mail.recipient for mail in smtp_server.received] == [f"k{n}@acme.example" for n in range(20)]


def test_a_cancelled_mail_leaves_a_clean_outbox() -> None:
    """When mailbot stops in the middle of a mail, the connection is not used again."""
    answers: dict[str, str | None] = {"DOT": ""}

    def script(talk: Talk) -> None:
        smtp_script(**answers)(talk)  # as the answers are by then

    async def work(port: int) -> DeliveryResult:
        outbox = Outbox(at(port, timeout=5))
        sending = asyncio.create_task(outbox.send(MAIL, SENDER, RECIPIENT))
        await asyncio.sleep(0.3)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        answers["DOT"] = "250 taken"
        result = await outbox.send(MAIL, SENDER, RECIPIENT)
        await outbox.close()
        return result

    with scripted(script) as server:
        assert asyncio.run(work(server.port)) == Delivered("250 taken")
        assert len(server.talks) == 2


# ---------------------------------------------------------------- login and TLS


def check(server: Smtp) -> str:
    """Check the server, and say what is wrong with it, if anything."""

    async def work() -> None:
        outbox = Outbox(server)
        try:
            await outbox.check()
        finally:
            await outbox.close()

    try:
        asyncio.run(asyncio.wait_for(work(), timeout=20))
    except OutboxError as error:
        return str(error)
    return ""


def test_with_a_user_one_logs_in(background: Background) -> None:
    """A user in the settings is logged in; without one nothing is sent that looks like a login."""
    with embedded_smtp(background, users={"rma": PASSWORD}) as server:
        assert check(server.smtp("rma")) == ""
        assert check(server.smtp()) == ""
        assert send(server.smtp("rma")) == [Delivered("250 2.0.0 OK")]
        wrong = msgspec.structs.replace(server.smtp("rma"), password="not-the-one")
        assert "login refused for 'rma'" in check(wrong)
        assert "not-the-one" not in check(wrong) + repr(wrong)
        assert isinstance(send(wrong)[0], Deferred)


def test_what_is_wrong_with_a_server_is_said() -> None:
    """Nothing there, no answer, not a mail server: `mailbot check` tells them apart."""
    assert "nothing listens there" in check(at(free_port()))
    with scripted(smtp_script(GREETING="")) as server:
        assert "ime" in check(at(server.port))
    with scripted(smtp_script(GREETING="554 go away")) as server:
        assert "554 go away" in check(at(server.port))
    with scripted(smtp_script(NOOP="500 what?")) as server:
        assert "NOOP" in check(at(server.port))


def test_s10_no_starttls_on_offer_no_credentials() -> None:
    """Where STARTTLS is required and stripped from the offer, neither password nor mail is sent."""
    with scripted(smtp_script(EHLO="250-localhost\n250 AUTH PLAIN LOGIN")) as server:
        where = at(server.port, security="starttls", user="rma", password=PASSWORD)
        assert "STARTTLS" in check(where)
        assert isinstance(send(where)[0], Deferred)
        assert {line[:4].upper() for line in server.heard} <= {"EHLO", "QUIT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_s10_a_bad_certificate_no_credentials(security: str) -> None:
    """A certificate that nobody vouches for is refused before a password is sent."""
    with scripted(smtp_script(), tls=security == "tls") as server:
        where = at(server.port, security=security, user="rma", password=PASSWORD)
        assert "certificate" in check(where)
        assert {line[:4].upper() for line in server.heard} <= {"EHLO", "STAR", "QUIT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_good_certificate_and_then_the_mail(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a certificate that is vouched for, login and mail go out, under TLS only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    script = smtp_script(EHLO="250-localhost\n250-STARTTLS\n250 AUTH PLAIN", AUTH="235 welcome")
    with scripted(script, tls=security == "tls") as server:
        assert send(at(server.port, security=security, user="rma", password=PASSWORD)) == [Delivered("250 taken")]
        said = [line[:4].upper() for line in server.heard]
        assert said.index("AUTH") > (said.index("STAR") if security == "starttls" else 0)


def test_in_clear_only_on_this_machine() -> None:
    """Without TLS only a server on this very machine is spoken to."""
    away = Smtp(host="192.0.2.1", port=25, security="none", timeout=1)
    assert "not without TLS" in check(away)
    assert isinstance(send(away)[0], Deferred)
