"""The mailbox with real servers: nothing is marked as read, nothing is lost, and no password is sent without TLS."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from imapclient import IMAPClient
from support.dovecot_server import DOVECOT, dovecot
from support.servers import CERTIFICATE, PASSWORD, embedded_imap, free_port, scripted

from mailbot.runtime.imap import mailbox as module
from mailbot.runtime.imap.mailbox import FOLDERS, Disconnected, Fetched, Mailbox, MailboxError
from mailbot.runtime.servers import Imap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.servers import Background, MailStore, Scripted, Session


def mail(name: str, size: int = 0) -> bytes:
    return f"From: kim@acme.example\r\nSubject: {name}\r\n\r\n{'x' * size}.\r\n".encode()


@pytest.fixture
def mailbox(imap_server: MailStore) -> Iterator[Mailbox]:
    """A connected mailbox of the user rma."""
    box = Mailbox(imap_server.imap("rma"))
    box.connect()
    yield box
    box.close()


def set_flags(server: MailStore, *flags: bytes) -> None:
    """Set flags on all emails, as another mail client does."""
    with client(server) as other:
        other.select_folder("INBOX")
        other.add_flags(other.search("ALL"), list(flags))


def client(server: MailStore) -> IMAPClient:
    server_parameters = server.imap("rma")
    other = IMAPClient(server_parameters.host, port=server_parameters.port, ssl=False, timeout=10)
    other.login(server_parameters.user, server_parameters.password)
    return other


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Make the server lack some of its capabilities."""
    has = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: name not in missing and has(self, name))


# ---------------------------------------------------------------- folders


def test_folders_are_created_once(mailbox: Mailbox, imap_server: MailStore) -> None:
    """Done, Ignored and Attention exist after the first connection, and a second one changes nothing."""
    with client(imap_server) as other:
        first = {name for _, _, name in other.list_folders()}
        mailbox.connect()
        assert {name for _, _, name in other.list_folders()} == first == {"INBOX", *FOLDERS}
        assert {name for _, _, name in other.list_sub_folders()} >= set(FOLDERS)


def test_folders_are_created_below_the_root(imap_server: MailStore) -> None:
    """With folders.root in the settings, the folders are created below it."""
    imap_server.deliver("rma", mail("one"))
    box = Mailbox(msgspec.structs.replace(imap_server.imap("rma"), root="Returns/Bot"))
    box.connect()
    box.move(box.waiting(10), "Done")
    assert box.path("Done") == "Returns/Bot/Done"
    box.close()
    assert imap_server.folder("rma", "Returns/Bot/Done") == [mail("one")]


@pytest.mark.parametrize("root", ["", "Returns"])
def test_folders_are_created_in_the_servers_namespace(root: str) -> None:
    """If the server requires the prefix INBOX and dots as delimiters, the folders have them."""
    below = f"{root}." if root else ""
    if DOVECOT:
        with dovecot(prefix="INBOX.", separator=".") as server:
            server.deliver("rma", mail("one"))
            box = Mailbox(msgspec.structs.replace(server.imap("rma"), root=root))
            box.connect()
            box.move(box.waiting(10), "Attention")
            assert server.folder("rma", f"INBOX.{below}Attention") == [mail("one")]
            box.close()
    box = Mailbox(Imap(host="127.0.0.1", port=1, security="none", user="rma", password="", root=root))
    box._prefix, box._delimiter = "INBOX.", "."
    assert box.path("Attention") == f"INBOX.{below}Attention"


def test_a_deleted_folder_is_created_again(mailbox: Mailbox, imap_server: MailStore) -> None:
    """An email can be moved even if somebody has deleted the folder."""
    imap_server.deliver("rma", mail("one"))
    with client(imap_server) as other:
        other.delete_folder("Done")
    mailbox.move(mailbox.waiting(10), "Done")
    assert imap_server.folder("rma", "Done") == [mail("one")]


# ---------------------------------------------------------------- waiting emails


def test_emails_that_were_read_are_waiting_too(mailbox: Mailbox, imap_server: MailStore) -> None:
    """An email that staff have read in the mailbox is processed like any other; a deleted one is not."""
    imap_server.deliver("rma", mail("read"))
    set_flags(imap_server, rb"\Seen", rb"\Flagged")
    imap_server.deliver("rma", mail("unread"))
    assert [fetched.raw for fetched in mailbox.fetch(mailbox.waiting(10))] == [mail("read"), mail("unread")]
    set_flags(imap_server, rb"\Deleted")
    assert mailbox.waiting(10) == []


def test_a_backlog_is_listed_in_batches(mailbox: Mailbox, imap_server: MailStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest emails come first, and no answer of the server is too long."""
    monkeypatch.setattr(module, "WINDOW", 2)
    monkeypatch.setattr(module, "MAX_WINDOW", 3)
    for number in range(8):
        imap_server.deliver("rma", mail(str(number)))
    uids = mailbox.waiting(100)
    assert len(uids) == 8
    assert uids == sorted(uids)
    assert mailbox.waiting(2) == uids[:2]
    assert mailbox.waiting(4) == uids[:4]
    assert mailbox.waiting(100, above=uids[1]) == uids[2:]
    assert mailbox.waiting(100, above=uids[6]) == uids[7:]
    assert mailbox.waiting(100, above=uids[7]) == []
    mailbox.move(uids[2:5], "Done")
    assert mailbox.waiting(100) == uids[:2] + uids[5:]


def test_existing_emails_can_be_skipped(mailbox: Mailbox, imap_server: MailStore) -> None:
    """New emails can be distinguished from existing ones."""
    imap_server.deliver("rma", mail("old"))
    start = mailbox.uid_next()
    assert mailbox.waiting(10, above=start - 1) == []
    imap_server.deliver("rma", mail("new"))
    assert [fetched.raw for fetched in mailbox.fetch(mailbox.waiting(10, above=start - 1))] == [mail("new")]
    assert mailbox.uid_validity > 0


# ---------------------------------------------------------------- content


def test_fetching_marks_nothing_as_read(mailbox: Mailbox, imap_server: MailStore) -> None:
    """Staff who open the mailbox still see which emails are new."""
    imap_server.deliver("rma", mail("one"))
    mailbox.fetch(mailbox.waiting(10))
    with client(imap_server) as other:
        other.select_folder("INBOX")
        assert rb"\Seen" not in other.fetch(other.search("ALL"), ["FLAGS"]).popitem()[1][b"FLAGS"]


def test_the_content_arrives_byte_for_byte(mailbox: Mailbox, imap_server: MailStore) -> None:
    """Emails with unusual bytes, with long lines, and without content are fetched unchanged, with their size."""
    emails = [mail("umlaut").replace(b"x", b"\xfc"), mail("long", 200_000), b"\r\n", b'"){3}\r\n({1}\r\n\r\nNIL\r\n']
    for raw in emails:
        imap_server.deliver("rma", raw)
    assert [(fetched.size, fetched.raw) for fetched in mailbox.fetch(mailbox.waiting(10))] == [(len(raw), raw) for raw in emails]


def test_emails_that_no_longer_exist_are_ignored(mailbox: Mailbox, imap_server: MailStore) -> None:
    """An email that somebody deletes during a batch does not stop the others."""
    for name in ("one", "two", "three"):
        imap_server.deliver("rma", mail(name))
    uids = mailbox.waiting(10)
    set_flags(imap_server)
    with client(imap_server) as other:
        other.select_folder("INBOX")
        other.delete_messages([uids[1]])
        other.expunge()
    assert [fetched.uid for fetched in mailbox.fetch([*uids, 999_999])] == [uids[0], uids[2]]
    mailbox.move([*uids, 999_999], "Done")
    assert imap_server.folder("rma", "Done") == [mail("one"), mail("three")]
    assert mailbox.fetch(uids) == []


def test_r3_an_email_over_the_limit_is_never_fetched(imap_server: MailStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an email that is too large, only the size is fetched."""
    asked: list[tuple[list[int], list[str]]] = []
    fetch = IMAPClient.fetch
    monkeypatch.setattr(IMAPClient, "fetch", lambda *given: asked.append(given[1:3]) or fetch(*given))
    box = Mailbox(imap_server.imap("rma"), max_size=1_000)
    box.connect()
    for raw in (mail("small"), mail("large", 2_000), mail("small too")):
        imap_server.deliver("rma", raw)
    uids = box.waiting(10)
    large = len(mail("large", 2_000))
    assert box.fetch(uids)[1] == Fetched(uids[1], large, None)
    assert asked[1:] == [([uids[0], uids[2]], ["BODY.PEEK[]"])]
    box.close()


def test_r1_a_batch_is_bounded_in_bytes(imap_server: MailStore) -> None:
    """Many large emails do not fill the memory: the ones beyond the budget come with the next batch."""
    box = Mailbox(imap_server.imap("rma"), max_size=5_000, budget=2_500)
    box.connect()
    for raw in (mail("a", 1_000), mail("b", 1_000), mail("c", 1_000), mail("d", 4_000), mail("e", 6_000)):
        imap_server.deliver("rma", raw)
    batches = []
    while uids := box.waiting(10):
        batch = box.fetch(uids)
        batches.append([fetched.size // 1_000 for fetched in batch])
        box.move([fetched.uid for fetched in batch], "Done")
    assert batches == [[1, 1], [1], [4, 6]]
    box.close()


def test_an_email_that_the_server_cannot_read_does_not_stop_the_others(
    mailbox: Mailbox, imap_server: MailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One email that is damaged on the server does not keep the others in its batch from being fetched."""
    for name in ("one", "broken", "three"):
        imap_server.deliver("rma", mail(name))
    uids = mailbox.waiting(10)
    fetch = IMAPClient.fetch

    def fails(self: IMAPClient, messages: list[int], data: list[str]) -> object:
        if uids[1] in messages and data == ["BODY.PEEK[]"]:
            raise IMAPClient.Error("fetch failed: [SERVERBUG] Internal error")
        return fetch(self, messages, data)

    monkeypatch.setattr(IMAPClient, "fetch", fails)
    assert [fetched.raw for fetched in mailbox.fetch(uids)] == [mail("one"), None, mail("three")]


# ---------------------------------------------------------------- move and append


def test_processed_emails_are_moved(mailbox: Mailbox, imap_server: MailStore) -> None:
    """A batch is moved to its folder, and only that batch."""
    for number in range(5):
        imap_server.deliver("rma", mail(str(number)))
    uids = mailbox.waiting(10)
    mailbox.move(uids[:3], "Done")
    mailbox.move(uids[3:4], "Ignored")
    mailbox.move([], "Attention")
    assert imap_server.folder("rma", "Done") == [mail("0"), mail("1"), mail("2")]
    assert imap_server.folder("rma", "Ignored") == [mail("3")]
    assert imap_server.folder("rma") == [mail("4")]


@pytest.mark.parametrize("missing", [("MOVE",), ("MOVE", "UIDPLUS")])
def test_s9_a_server_without_move_or_uidplus(
    missing: tuple[str, ...], mailbox: Mailbox, imap_server: MailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old servers work too, and emails that others have flagged as deleted are never expunged."""
    for name in ("theirs", "ours", "next"):
        imap_server.deliver("rma", mail(name))
    theirs, ours, following = mailbox.waiting(10)
    with client(imap_server) as other:
        other.select_folder("INBOX")
        other.add_flags([theirs], [rb"\Deleted"])
    without(monkeypatch, *missing)
    mailbox.move([ours], "Done")
    assert imap_server.folder("rma", "Done") == [mail("ours")]
    assert mailbox.waiting(10) == [following]
    left = [mail("theirs"), mail("next")] if len(missing) == 1 else [mail("theirs"), mail("ours"), mail("next")]
    mailbox.close()
    assert imap_server.folder("rma") == left


# ---------------------------------------------------------------- wait for new mail


def test_new_mail_ends_the_wait(mailbox: Mailbox, imap_server: MailStore) -> None:
    """An email that arrives during the wait is noticed at once."""
    mailbox.waiting(10)
    later = threading.Timer(0.2, imap_server.deliver, ["rma", mail("one")])
    later.start()
    started = time.monotonic()
    assert mailbox.idle(10)
    assert time.monotonic() - started < 3
    later.join()
    assert len(mailbox.waiting(10)) == 1


def test_mail_that_arrived_before_the_wait_ends_it(mailbox: Mailbox, imap_server: MailStore) -> None:
    """An email that arrived between the last check and the wait ends the wait."""
    mailbox.waiting(10)
    imap_server.deliver("rma", mail("one"))
    started = time.monotonic()
    assert mailbox.idle(10)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("missing", [(), ("IDLE",)])
def test_a_wait_has_a_timeout_and_can_be_ended(
    missing: tuple[str, ...], mailbox: Mailbox, imap_server: MailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without IDLE, a wait ends after its timeout, or soon after ``wake``."""
    without(monkeypatch, *missing)
    started = time.monotonic()
    assert not mailbox.idle(0.3)
    assert 0.25 < time.monotonic() - started < 1
    later = threading.Timer(0.2, mailbox.wake)
    later.start()
    started = time.monotonic()
    assert not mailbox.idle(20)
    assert time.monotonic() - started < 3
    later.join()
    assert mailbox.waiting(10) == []


def test_moved_emails_do_not_end_the_wait(mailbox: Mailbox, imap_server: MailStore) -> None:
    """Emails that are moved away, or that were announced before, do not end the wait."""
    imap_server.deliver("rma", mail("one"))
    assert mailbox.idle(5)
    other = Mailbox(imap_server.imap("rma"))
    other.connect()
    later = threading.Timer(0.2, lambda: other.move(other.waiting(10), "Done"))
    later.start()
    assert not mailbox.idle(1.2)
    later.join()
    other.close()


def test_a_server_that_stops_during_the_wait_is_noticed(background: Background) -> None:
    """If the server stops during the wait, this is noticed at once and not after the timeout."""
    with embedded_imap(background) as server:
        box = Mailbox(server.imap("rma"))
        box.connect()
        lost: list[float] = []

        def wait() -> None:
            with pytest.raises(Disconnected):
                box.idle(20)
            lost.append(time.monotonic())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
    ended = time.monotonic()
    waiting.join(timeout=15)
    assert lost[0] - ended < 2


def test_close_from_another_thread(mailbox: Mailbox) -> None:
    """The mailbox can be woken and closed from another thread."""
    ended: list[bool] = []
    waiting = threading.Thread(target=lambda: ended.append(mailbox.idle(20)))
    waiting.start()
    time.sleep(0.3)
    started = time.monotonic()
    mailbox.wake()
    mailbox.close()
    waiting.join(timeout=15)
    assert time.monotonic() - started < 3
    assert ended == [False]


# ---------------------------------------------------------------- connections


def test_a_lost_connection_can_be_opened_again(mailbox: Mailbox, imap_server: MailStore) -> None:
    """A lost connection raises Disconnected, and a new connection finds the same emails."""
    imap_server.deliver("rma", mail("one"))
    uids = mailbox.waiting(10)
    mailbox._connection._client.socket().shutdown(2)
    with pytest.raises(Disconnected):
        mailbox.fetch(uids)
    with pytest.raises(Disconnected, match="not connected"):
        mailbox.fetch(uids)
    mailbox.connect()
    assert mailbox.waiting(10) == uids


def test_s7_a_new_folder_has_another_uidvalidity(imap_server: MailStore) -> None:
    """When the UIDs become invalid, UIDVALIDITY changes, and the emails are listed again."""
    server_parameters = msgspec.structs.replace(imap_server.imap("rma"), folder="Returns")
    with client(imap_server) as other:
        other.create_folder("Returns")
        other.append("Returns", mail("one"))
        box = Mailbox(server_parameters)
        box.connect()
        before = box.uid_validity
        box.close()
        other.delete_folder("Returns")
        time.sleep(1.1)  # servers use the time in seconds
        other.create_folder("Returns")
        other.append("Returns", mail("two"))
    box.connect()
    assert box.uid_validity != before
    assert [fetched.raw for fetched in box.fetch(box.waiting(10))] == [mail("two")]
    box.close()


def test_a_refused_login_is_reported(imap_server: MailStore) -> None:
    """The error for a wrong password names server and user, but not the password."""
    wrong = msgspec.structs.replace(imap_server.imap("rma"), password="not-the-one")
    with pytest.raises(MailboxError, match=r"login refused for '[^']*rma'.*check user and password") as refused:
        Mailbox(wrong).connect()
    assert not isinstance(refused.value, Disconnected)
    assert "not-the-one" not in f"{refused.value} {wrong!r}"
    assert refused.value.port == wrong.port


def test_a_missing_inbox_is_reported(imap_server: MailStore) -> None:
    """A folder that does not exist is named."""
    with pytest.raises(MailboxError, match="no folder 'Retruns'"):
        Mailbox(msgspec.structs.replace(imap_server.imap("rma"), folder="Retruns")).connect()


def test_a_read_only_folder_is_reported() -> None:
    """A mailbox from which nothing can be moved is an error."""
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1", "LIST": '* LIST () "/" Done', "SELECT": "* 0 EXISTS\r\n* OK [READ-ONLY] no"}

    def script(session: Session) -> None:
        session.send("* OK ready")
        while True:
            tag, command, *_ = session.receive().split()
            session.send(answers.get(command, "* OK"), f"{tag} OK done")

    with scripted(script) as server, pytest.raises(MailboxError, match="the folder is read-only") as refused:
        Mailbox(Imap(host="localhost", port=server.port, security="none", user="rma", password="x")).connect()
    assert not isinstance(refused.value, Disconnected)


def test_an_unreachable_server_is_reported() -> None:
    """A closed port and a server that never answers give different errors."""
    nothing = Imap(host="127.0.0.1", port=free_port(), security="none", user="rma", password="x", timeout=0.3)
    with pytest.raises(MailboxError, match="connection refused"):
        Mailbox(nothing).connect()
    with scripted(lambda session: session.receive()) as server, pytest.raises(MailboxError, match=r"no answer within 0\.3 s"):
        Mailbox(msgspec.structs.replace(nothing, port=server.port)).connect()


# ---------------------------------------------------------------- S10: no password without TLS


def imap_script(*capabilities: str, greeting: str = "* OK ready") -> Callable[[Session], None]:
    """An IMAP server that offers these capabilities and refuses every login."""

    def script(session: Session) -> None:
        session.send(greeting)
        while True:
            tag, command, *_ = session.receive().split()
            if command == "CAPABILITY":
                session.send(f"* CAPABILITY IMAP4rev1 {' '.join(capabilities)}", f"{tag} OK done")
            elif command == "STARTTLS":
                session.send(f"{tag} OK begin")
                session.start_tls()
            elif command == "AUTHENTICATE":
                session.send("+ ")
                session.receive()
                session.send(f"{tag} NO no")
            elif command == "LOGOUT":
                session.send("* BYE", f"{tag} OK")
                return
            else:
                session.send(f"{tag} NO no")

    return script


def attempt(server: Scripted, **more: str) -> str:
    """Connect, and return the error."""
    server_parameters = Imap(host="localhost", port=server.port, user="rma", password=PASSWORD, timeout=5, **more)
    with pytest.raises(MailboxError) as refused:
        Mailbox(server_parameters).connect()
    return str(refused.value)


def commands(server: Scripted) -> set[str]:
    return {word for line in server.received for word in line.split()[1:2]}


def test_s10_no_credentials_without_starttls() -> None:
    """If STARTTLS is required and the server does not offer it, no password is sent."""
    with scripted(imap_script("AUTH=PLAIN")) as server:
        assert "does not offer STARTTLS" in attempt(server, security="starttls")
        assert commands(server) <= {"CAPABILITY", "LOGOUT"}


def test_s10_preauth_before_tls_is_refused() -> None:
    """A greeting that skips login and TLS is refused."""
    with scripted(imap_script("STARTTLS", greeting="* PREAUTH welcome")) as server:
        assert "PREAUTH" in attempt(server, security="starttls")
        assert commands(server) <= {"CAPABILITY", "LOGOUT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_s10_no_credentials_with_a_bad_certificate(security: str) -> None:
    """An untrusted certificate is refused before a password is sent."""
    with scripted(imap_script("STARTTLS", "AUTH=PLAIN"), tls=security == "tls") as server:
        assert "certificate not accepted" in attempt(server, security=security)
        assert commands(server) <= {"CAPABILITY", "STARTTLS", "LOGOUT"} if server.received else True


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_login_with_a_good_certificate(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a trusted certificate, the login is sent, with TLS only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with scripted(imap_script("STARTTLS", "AUTH=PLAIN"), tls=security == "tls") as server:
        assert "login refused" in attempt(server, security=security)
        assert "AUTHENTICATE" in commands(server)


def test_without_tls_only_on_this_machine() -> None:
    """Connections without TLS are only allowed to this machine."""
    server_parameters = Imap(host="192.0.2.1", port=143, security="none", user="rma", password="x", timeout=1)
    with pytest.raises(MailboxError, match="TLS is required"):
        Mailbox(server_parameters).connect()


def test_logindisabled_is_respected() -> None:
    """No password is sent if the server announces LOGINDISABLED."""
    with scripted(imap_script("LOGINDISABLED")) as server:
        assert "LOGINDISABLED" in attempt(server, security="none")
        assert commands(server) <= {"CAPABILITY", "LOGOUT"}
