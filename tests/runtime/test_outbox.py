"""The outbox: every end of an SMTP transaction has the right result, and the bytes arrive unchanged."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.servers import CERTIFICATE, DROP, KEEP_AND_DROP, PASSWORD, embedded_smtp, free_port, scripted

from mailbot.case.delivery import Ambiguous, Deferred, Delivered, DeliveryResult, Refused
from mailbot.runtime.embedded import ReceivedMail, SmtpServer
from mailbot.runtime.servers import Smtp
from mailbot.runtime.smtp import outbox as module
from mailbot.runtime.smtp.outbox import Outbox, OutboxError, is_transportable

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Background, Session

SENDER, RECIPIENT = "rma@portwell.example", "kim@acme.example"
MAIL = "From: rma@portwell.example\r\nTo: kim@acme.example\r\nSubject: x\r\n\r\nHello\r\n"


def send(server: Smtp, *emails: str, recipient: str = RECIPIENT, sender: str = SENDER) -> list[DeliveryResult]:
    """Send emails one after another with one outbox."""

    async def work() -> list[DeliveryResult]:
        outbox = Outbox(server)
        try:
            return [await outbox.send(mail, sender, recipient) for mail in emails or (MAIL,)]
        finally:
            await outbox.close()

    return asyncio.run(asyncio.wait_for(work(), timeout=20))


def answering(moment: str, *answers: str | None) -> Callable[[str, str, str], str | None]:
    """Return a judge that gives these answers at a moment, one after another, and then accepts everything."""
    left = list(answers)
    return lambda at, _sender, _recipient: left.pop(0) if at == moment and left else None


# ---------------------------------------------------------------- content and addresses


@pytest.mark.parametrize(
    "body",
    ["Hello\r\n", ".\r\n", "..\r\n.\r\n.hidden\r\n", "x\r\n" * 40_000, ("=" + "x" * 900 + "\r\n") * 4_000, "no line\r\n\r\n\r\n"],
    ids=["plain", "a dot", "dots", "many lines", "3.6 MB", "empty lines"],
)
def test_the_bytes_arrive_unchanged(body: str, smtp_server: SmtpServer) -> None:
    """The server receives the email byte for byte, including dots at the start of lines."""
    mail = f"Subject: x\r\n\r\n{body}"
    assert send(smtp_server.smtp(), mail, mail) == [Delivered("250 2.0.0 OK")] * 2
    assert smtp_server.received == [ReceivedMail(SENDER, RECIPIENT, mail.encode())] * 2


def test_a_leading_dot_and_the_null_sender(smtp_server: SmtpServer) -> None:
    """Content can start with a dot, and the sender can be empty (as in replies to automatic emails)."""
    assert send(smtp_server.smtp(), ".x\r\n", sender="") == [Delivered("250 2.0.0 OK")]
    assert smtp_server.received == [ReceivedMail("", RECIPIENT, b".x\r\n")]


@pytest.mark.parametrize(
    "mail", ["no end", "bare\nnewline\r\n", "bare\rreturn\r\n", "umlaut \xfc\r\n", "\ud800\r\n", "x\r\n\n.\r\n"]
)
def test_what_smtp_would_change_is_not_sent(mail: str, smtp_server: SmtpServer) -> None:
    """An email that SMTP would change, or that could smuggle in a second one, is refused before it is sent."""
    assert not is_transportable(mail.encode("utf-8", "surrogatepass"))
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
    """Line breaks, NUL and invalid addresses never reach the server."""
    seen: list[str] = []
    smtp_server.judge = lambda moment, *_: seen.append(moment)  # type: ignore[func-returns-value]
    [result] = send(smtp_server.smtp(), recipient=address)
    assert isinstance(result, Refused)
    assert result.code == 0
    assert seen == []


@pytest.mark.parametrize("address", ["kim@acme.example", "kim.o'hara+rma@ACME.example", "kim@bücher.example", "x@sub.acme.example"])
def test_ordinary_addresses_are_accepted(address: str, smtp_server: SmtpServer) -> None:
    """Plus addresses, apostrophes and domains with umlauts are accepted."""
    assert send(smtp_server.smtp(), recipient=address) == [Delivered("250 2.0.0 OK")]
    local, _, domain = address.partition("@")
    assert smtp_server.received[0].recipient.partition("@")[0] == local
    assert smtp_server.received[0].recipient.partition("@")[2].encode("ascii") == domain.lower().encode("idna")


# ---------------------------------------------------------------- results


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
def test_s3_a_temporary_error_is_deferred(moment: str, smtp_server: SmtpServer) -> None:
    """A temporary error at any point defers the email, and the next email is sent."""
    smtp_server.judge = answering(moment, "450 4.2.0 greylisted")
    assert send(smtp_server.smtp(), MAIL, MAIL) == [Deferred("450 4.2.0 greylisted"), Delivered("250 2.0.0 OK")]
    assert len(smtp_server.received) == 1


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
def test_s4_a_permanent_error_is_refused(moment: str, smtp_server: SmtpServer) -> None:
    """A permanent error means that the email is refused, and the next email is sent."""
    smtp_server.judge = answering(moment, "550 5.1.1 unknown")
    assert send(smtp_server.smtp(), MAIL, MAIL) == [Refused(550, "5.1.1 unknown"), Delivered("250 2.0.0 OK")]


@pytest.mark.parametrize("code", ["530 5.7.0 authentication required", "503 5.5.1 bad sequence"])
def test_session_errors_do_not_refuse_the_email(code: str, smtp_server: SmtpServer) -> None:
    """A missing login does not make a reply undeliverable."""
    smtp_server.judge = answering("MAIL", code)
    assert send(smtp_server.smtp()) == [Deferred(code)]


@pytest.mark.parametrize("moment", ["MAIL", "RCPT"])
def test_a_connection_lost_before_the_content_is_deferred(moment: str, smtp_server: SmtpServer) -> None:
    """Nothing was sent, so the email is deferred."""
    smtp_server.judge = answering(moment, DROP)
    [first, second] = send(smtp_server.smtp(), MAIL, MAIL)
    assert isinstance(first, Deferred)
    assert second == Delivered("250 2.0.0 OK")


@pytest.mark.parametrize(("answer", "kept"), [(DROP, 0), (KEEP_AND_DROP, 1)])
def test_s1_a_connection_lost_after_the_final_dot_is_ambiguous(answer: str, kept: int, smtp_server: SmtpServer) -> None:
    """It is unknown whether the server accepted the email, and the result says so."""
    smtp_server.judge = answering("DATA", answer)
    [first, second] = send(smtp_server.smtp(), MAIL, MAIL)
    assert isinstance(first, Ambiguous)
    assert second == Delivered("250 2.0.0 OK")
    assert len(smtp_server.received) == kept + 1


def smtp_script(**answers: str | None) -> Callable[[Session], None]:
    """Return a script with these answers to commands (None: hang up; empty: no answer), and normal answers otherwise."""

    def answer(session: Session, command: str, usual: str) -> None:
        reply = answers.get(command, usual)
        if reply is None:
            raise ConnectionError
        if reply:
            session.send(*reply.split("\n"))

    def script(session: Session) -> None:
        answer(session, "GREETING", "220 ready")
        while True:
            command = session.receive()[:4].upper()
            if command == "DATA":
                answer(session, "DATA", "354 go on")
                if "CONTENT" in answers:
                    session.connection.recv(10)
                    answer(session, "CONTENT", "")
                while session.receive() != ".":
                    pass
                answer(session, "DOT", "250 taken")
            elif command == "STAR":
                answer(session, "STAR", "220 go on")
                session.start_tls()
            else:
                answer(session, command, {"EHLO": "250-localhost\n250 STARTTLS", "QUIT": "221 bye"}.get(command, "250 ok"))

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
    """Wherever a server fails, hangs up, stops answering or sends nonsense, the result is right."""
    large = MAIL + ("x" * 70 + "\r\n") * 150_000 if "CONTENT" in answers else MAIL
    with scripted(smtp_script(**answers)) as server:
        [result] = send(at(server.port), large)
    assert type(result) is kind, result


def test_s6_a_very_slow_server_times_out(smtp_server: SmtpServer) -> None:
    """A server that sends one byte after another never blocks the outbox for longer than the timeout."""

    def dribble(session: Session) -> None:
        for _ in range(100):
            session.connection.sendall(b"2")
            time.sleep(0.05)

    started = time.monotonic()
    with scripted(dribble) as server:
        assert isinstance(send(at(server.port))[0], Deferred)
        assert time.monotonic() - started < 2


def test_a_server_that_stops_reading_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a server stops reading a large email, the email is deferred: it was certainly not delivered."""
    monkeypatch.setattr(module, "MIN_SPEED", 1_000_000_000)
    large = MAIL + ("x" * 70 + "\r\n") * 150_000

    def stops(session: Session) -> None:
        session.send("220 ready")
        for answer in ("250 localhost", "250 ok", "250 ok", "354 go on"):
            session.receive()
            session.send(answer)
        time.sleep(1.5)

    with scripted(stops) as server:
        assert isinstance(send(at(server.port), large)[0], Deferred)


# ---------------------------------------------------------------- one connection for many emails


def test_one_connection_sends_many_emails(smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection sends many emails and is replaced after a maximum number."""
    monkeypatch.setattr(module, "MAX_PER_CONNECTION", 3)
    with scripted(smtp_script()) as server:
        assert send(at(server.port), *[MAIL] * 7) == [Delivered("250 taken")] * 7
        assert [sum(line == "DATA" for line in session.received) for session in server.sessions] == [3, 3, 1]
        assert all(session.received[-1] == "QUIT" for session in server.sessions)


@pytest.mark.parametrize("idle", [10.0, -1.0], ids=["noticed by sending", "noticed by NOOP"])
def test_a_connection_closed_by_the_server_is_replaced(idle: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the server hangs up between two emails, both are sent."""
    monkeypatch.setattr(module, "IDLE", idle)

    def one_mail(session: Session) -> None:
        session.send("220 ready")
        for answer in ("250 localhost", "250 ok", "250 ok", "354 go on"):
            session.receive()
            session.send(answer)
        while session.receive() != ".":
            pass
        session.send("250 taken")
        session.receive()
        session.send("421 idle for too long")

    with scripted(one_mail) as server:
        assert send(at(server.port), MAIL, MAIL) == [Delivered("250 taken")] * 2


def test_concurrent_emails_wait_for_each_other(smtp_server: SmtpServer) -> None:
    """Several tasks can share an outbox without mixing their transactions."""

    async def work() -> list[DeliveryResult]:
        outbox = Outbox(smtp_server.smtp())
        results = await asyncio.gather(*(outbox.send(MAIL, SENDER, f"k{n}@acme.example") for n in range(20)))
        await outbox.close()
        return results

    assert asyncio.run(work()) == [Delivered("250 2.0.0 OK")] * 20
    assert [mail.recipient for mail in smtp_server.received] == [f"k{n}@acme.example" for n in range(20)]


def test_the_outbox_works_after_a_canceled_email() -> None:
    """If sending is canceled in the middle of an email, the connection is not used again."""
    answers: dict[str, str | None] = {"DOT": ""}

    def script(session: Session) -> None:
        smtp_script(**answers)(session)  # the answers change during the test

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
        assert len(server.sessions) == 2


# ---------------------------------------------------------------- login and TLS


def check(server: Smtp) -> str:
    """Check the server, and return the error; empty if there is none."""

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


def test_login_with_a_user(background: Background) -> None:
    """With a user in the settings, the outbox logs in; without one, it does not."""
    with embedded_smtp(background, users={"rma": PASSWORD}) as server:
        assert check(server.smtp("rma")) == ""
        assert check(server.smtp()) == ""
        assert send(server.smtp("rma")) == [Delivered("250 2.0.0 OK")]
        wrong = msgspec.structs.replace(server.smtp("rma"), password="not-the-one")
        assert "login refused for 'rma'" in check(wrong)
        assert "not-the-one" not in check(wrong) + repr(wrong)
        assert isinstance(send(wrong)[0], Deferred)


def test_server_errors_are_reported() -> None:
    """A closed port, no answer, and a wrong server give different errors."""
    assert "connection refused" in check(at(free_port()))
    with scripted(smtp_script(GREETING="")) as server:
        assert "ime" in check(at(server.port))
    with scripted(smtp_script(GREETING="554 go away")) as server:
        assert "554 go away" in check(at(server.port))
    with scripted(smtp_script(NOOP="500 what?")) as server:
        assert "NOOP" in check(at(server.port))


def test_s10_no_credentials_without_starttls() -> None:
    """If STARTTLS is required and the server does not offer it, neither the password nor the email is sent."""
    with scripted(smtp_script(EHLO="250-localhost\n250 AUTH PLAIN LOGIN")) as server:
        server_parameters = at(server.port, security="starttls", user="rma", password=PASSWORD)
        assert "STARTTLS" in check(server_parameters)
        assert isinstance(send(server_parameters)[0], Deferred)
        assert {line[:4].upper() for line in server.received} <= {"EHLO", "QUIT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_s10_no_credentials_with_a_bad_certificate(security: str) -> None:
    """An untrusted certificate is refused before a password is sent."""
    with scripted(smtp_script(), tls=security == "tls") as server:
        server_parameters = at(server.port, security=security, user="rma", password=PASSWORD)
        assert "certificate" in check(server_parameters)
        assert {line[:4].upper() for line in server.received} <= {"EHLO", "STAR", "QUIT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_sending_with_a_good_certificate(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a trusted certificate, login and email are sent, with TLS only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    script = smtp_script(EHLO="250-localhost\n250-STARTTLS\n250 AUTH PLAIN", AUTH="235 welcome")
    with scripted(script, tls=security == "tls") as server:
        assert send(at(server.port, security=security, user="rma", password=PASSWORD)) == [Delivered("250 taken")]
        commands = [line[:4].upper() for line in server.received]
        assert commands.index("AUTH") > (commands.index("STAR") if security == "starttls" else 0)


def test_without_tls_only_on_this_machine() -> None:
    """Connections without TLS are only allowed to this machine."""
    away = Smtp(host="192.0.2.1", port=25, security="none", timeout=1)
    assert "TLS is required" in check(away)
    assert isinstance(send(away)[0], Deferred)
