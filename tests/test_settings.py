"""mailbot.toml: errors name the place and the fix, and secrets are never shown."""

from __future__ import annotations

import stat
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from mailbot import settings
from mailbot.commands.loading import policies
from mailbot.settings import load
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7f3a9c"
TEXT = """\
state = "tinydb:state"
timezone = "America/Los_Angeles"
start = "from now"
poll_seconds = 60

[folders]
root = "Returns"

[[mailbox]]
address = "rma@portwell.example"
policy = "american-portwell"
registry = "registry.csv"
aliases = ["returns@portwell.example"]
trusted_authserv_id = "mx1.portwell.example"
  [mailbox.imap]
  host = "imap.portwell.example"
  port = 993
  security = "tls"
  user = "rma"
  password_env = "RMA_PASSWORD"
  folder = "INBOX"
  [mailbox.smtp]
  host = "smtp.portwell.example"
  port = 587
  security = "starttls"
  user = "rma"
  password_env = "RMA_PASSWORD"
  [[mailbox.staff]]
  address = "Boss@portwell.example"
  roles = ["approver", "desk"]
  limit = 500

[[mailbox]]
address = "rma@servertech.example"
policy = "server-technology"
registry = "../units.csv"
  [mailbox.imap]
  host = "127.0.0.1"
  security = "none"
  user = "rma"
  password_file = "secret"
  [mailbox.smtp]
  host = "localhost"
  security = "none"
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "mailbot.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is read; paths are relative to the file."""
    monkeypatch.setenv("RMA_PASSWORD", CANARY)
    found = load(write(tmp_path))
    portwell, servertech = found.file.mailbox
    imap, smtp = found.imap(portwell), found.smtp(portwell)
    assert found.state == f"tinydb:{tmp_path / 'state'}"
    assert found.registry(servertech) == tmp_path / "../units.csv"
    assert (imap.host, imap.port, imap.user, imap.password, imap.root) == ("imap.portwell.example", 993, "rma", CANARY, "Returns")
    assert (smtp.security, smtp.password) == ("starttls", CANARY)
    [boss] = settings.staff(portwell)
    assert (boss.address, boss.limit) == ("boss@portwell.example", Decimal(500))
    assert found.smtp(servertech).user is None, "without a user there is no AUTH"


def test_documents_are_drawn_unless_they_are_switched_off(tmp_path: Path) -> None:
    """The key at the top applies to every mailbox; the key of a mailbox overrides it."""
    found = load(write(tmp_path))
    assert [found.documents(mailbox) for mailbox in found.file.mailbox] == ["pdf", "pdf"]
    found = load(write(tmp_path, TEXT.replace("poll_seconds = 60", 'documents = "none"')))
    assert [found.documents(mailbox) for mailbox in found.file.mailbox] == ["none", "none"]
    own = TEXT.replace('policy = "server-technology"', 'policy = "server-technology"\ndocuments = "none"')
    found = load(write(tmp_path, own))
    assert [found.documents(mailbox) for mailbox in found.file.mailbox] == ["pdf", "none"]


ERRORS: list[tuple[str, str, list[str]]] = [
    ('start = "from now"', 'sart = "from now"', [":3:", "'sart'", "'start'"]),
    ("poll_seconds = 60", "poll_second = 60", [":4:", "'poll_second'", "'poll_seconds'"]),
    ('root = "Returns"', 'rooot = "Returns"', [":7:", "'rooot'", "folders", "'root'"]),
    ('address = "rma@portwell.example"', 'adress = "rma@portwell.example"', [":10:", "'adress'", "'address'", "mailbox[0]"]),
    ("  port = 587", "  prot = 587", [":24:", "'prot'", "'port'", "mailbox[0].smtp"]),
    ('  password_file = "secret"', '  password_flie = "secret"', [":41:", "'password_flie'", "mailbox[1].imap"]),
    ('  host = "localhost"', '  host = "localhost"\n  port = "587"', [":44:", "mailbox[1].smtp.port", "int"]),
    ('  folder = "INBOX"', '  password = "canary-7f3a9c"', ["'password'", "'password_"]),
    ('  security = "tls"', '  security = "ssl"', [":18:", "'ssl'", "tls"]),
    ('roles = ["approver", "desk"]', 'roles = ["aprover", "desk"]', [":30:", "'aprover'", "'approver'"]),
    ('policy = "server-technology"\n', "", ["mailbox[1]", "'policy'"]),
    ('"rma@portwell.example"', '"rma.portwell.example"', ["'rma.portwell.example'", "not a valid email address"]),
    ('"rma@portwell.example"', '"rma@portwell.example\\r\\nBcc: x@y.example"', ["not a valid email address"]),
    ('"Boss@portwell.example"', '"Boss"', ["'Boss'", "not a valid email address"]),
    ('"Boss@portwell.example"', '"boss@pоrtwell.example evil@x.example"', ["not a valid email address"]),
    ('"returns@portwell.example"', '"returns@"', ["'returns@'", "not a valid email address"]),
    ('"rma@servertech.example"', '"RMA@Portwell.example"', ["listed twice"]),
    ('timezone = "America/Los_Angeles"', 'timezone = "California"', ["timezone", "'California'", "America/Los_Angeles"]),
    ("poll_seconds = 60", 'documnets = "none"', [":4:", "'documnets'", "'documents'"]),
    ("poll_seconds = 60", 'documents = "pfd"', ["documents", "'pfd'"]),
    ("poll_seconds = 60", "poll_seconds = 0", ["poll_seconds", "1 or more"]),
    ('"tinydb:state"', '"sqlite:state"', ["state", '"sqlite:…"', "tinydb:"]),
    ("  port = 993", "  port = 99300", ["imap", "99300", "65535"]),
    ("  port = 993", "  port = -1", ["imap", "65535"]),
    ('host = "imap.portwell.example"', 'host = ""', ["imap", "host"]),
    ("limit = 500", "limit = nan", ["boss@portwell.example", "limit"]),
    ("limit = 500", "limit = -5", ["boss@portwell.example", "limit"]),
    ('host = "127.0.0.1"', 'host = "imap.servertech.example"', ["imap", 'security = "none"', "tls"]),
    ('host = "localhost"', 'host = "10.0.0.1"', ["smtp", 'security = "none"']),
    ('host = "localhost"', 'host = "localhost.evil.example"', ["smtp", 'security = "none"']),
    ('host = "127.0.0.1"', 'host = "127.0.0.1.evil.example"', ["imap", 'security = "none"']),
    ('  password_file = "secret"', '  password_file = "secret"\n  password_env = "X"', ["are both set"]),
    ('  password_file = "secret"\n', "", ["imap", "no password"]),
    (
        "trusted_authserv_id =",
        'authority = "insecure-from"\ntrusted_authserv_id =',
        ["rma@portwell.example", "insecure-from", "i_accept_forged_approvals = true"],
    ),
    (
        "trusted_authserv_id =",
        'authority = "insecure"\ntrusted_authserv_id =',
        ["mailbox[0].authority", "'insecure'", "insecure-from"],
    ),
    (
        "trusted_authserv_id =",
        'authentication_results = "microsoft-356"\ntrusted_authserv_id =',
        ["mailbox[0].authentication_results", "'microsoft-356'", "'microsoft-365'"],
    ),
    (
        "trusted_authserv_id =",
        'authentication_results = "microsoft-365"\ntrusted_authserv_id =',
        ["rma@portwell.example", "trusted_authserv_id", "Delete"],
    ),
    ("trusted_authserv_id =", "i_accept_forged_approval = true\ntrusted_authserv_id =", ["'i_accept_forged_approvals'"]),
    ("[folders]", "[folders", ["not valid TOML", "line 6"]),
]


@pytest.mark.parametrize(("right", "wrong", "names"), ERRORS, ids=[wrong.strip()[:40] for _, wrong, _ in ERRORS])
def test_an_error_names_place_and_fix(tmp_path: Path, right: str, wrong: str, names: list[str]) -> None:
    """The error names the file, the line or key, and the fix, but never a secret."""
    assert right in TEXT
    path = write(tmp_path, TEXT.replace(right, wrong, 1))
    with pytest.raises(ConfigError) as error:
        load(path)
    message = str(error.value)
    assert message.startswith(str(path))
    for name in names:
        assert name in message
    assert CANARY not in message


def test_insecure_from_must_be_accepted_and_sets_limits_to_0(tmp_path: Path) -> None:
    """The insecure mode needs two keys, sets every limit to 0, and gives a warning; other mailboxes are not affected."""
    assert settings.warnings(load(write(tmp_path))) == ()
    lines = 'authority = "insecure-from"\ni_accept_forged_approvals = true\ntrusted_authserv_id ='
    found = load(write(tmp_path, TEXT.replace("trusted_authserv_id =", lines)))
    portwell, servertech = found.file.mailbox
    assert [person.limit for person in settings.staff(portwell)] == [Decimal(0)]
    assert servertech.authority == "confirm"
    [warning] = settings.warnings(found)
    assert "rma@portwell.example" in warning
    assert "insecure-from" in warning
    desk = policies(found)["rma@portwell.example"].desk
    assert (desk.authority, desk.staff[0].limit) == ("insecure-from", Decimal(0))


def test_microsoft_365_needs_no_authserv_id(tmp_path: Path) -> None:
    """The profile is passed to the desk and replaces the authserv-id."""
    line = 'trusted_authserv_id = "mx1.portwell.example"'
    found = load(write(tmp_path, TEXT.replace(line, 'authentication_results = "microsoft-365"')))
    assert policies(found)["rma@portwell.example"].desk.authentication_results == "microsoft-365"


def test_no_mailbox_is_an_error(tmp_path: Path) -> None:
    """Settings without a mailbox are refused."""
    with pytest.raises(ConfigError, match="mailbox"):
        load(write(tmp_path, 'state = "tinydb:state"\n'))
    with pytest.raises(ConfigError, match=r"\[\[mailbox\]\]"):
        load(write(tmp_path, "mailbox = []\n"))


def test_a_missing_file_is_an_error_with_a_fix(tmp_path: Path) -> None:
    """The error for missing settings names `mailbot init`."""
    with pytest.raises(ConfigError, match="mailbot init"):
        load(tmp_path / "mailbot.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'state = "\xe9"\n')
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "latin.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_loopback_needs_no_tls(tmp_path: Path, host: str) -> None:
    """Security "none" is allowed for loopback, in every notation."""
    assert load(write(tmp_path, TEXT.replace('host = "localhost"', f'host = "{host}"')))


# ------------------------------------------------------------------ secrets


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A password file that group or others can read is refused; the error contains the fix (K2)."""
    found = load(write(tmp_path))
    secret = tmp_path / "secret"
    secret.write_text(CANARY, encoding="utf-8")
    secret.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {secret}") as error:
        found.imap(found.file.mailbox[1])
    assert CANARY not in str(error.value)


def test_a_password_comes_from_a_file_or_a_command(tmp_path: Path) -> None:
    """The line end is not part of the password; spaces are."""
    found = load(write(tmp_path))
    secret = tmp_path / "secret"
    secret.write_text(f" {CANARY} \n", encoding="utf-8")
    secret.chmod(stat.S_IRUSR)
    assert found.imap(found.file.mailbox[1]).password == f" {CANARY} "
    command = TEXT.replace('password_file = "secret"', f'password_command = "echo {CANARY}"')
    found = load(write(tmp_path, command))
    assert found.imap(found.file.mailbox[1]).password == CANARY


@pytest.mark.parametrize(
    "command", [f"sh -c 'echo {CANARY}; echo {CANARY} >&2; exit 3'", f"no-such-program {CANARY}", f"sh -c 'echo \"{CANARY}", "true"]
)
def test_a_failed_password_command_shows_no_secret(tmp_path: Path, command: str) -> None:
    """The error says that the command failed, but shows neither its output nor its arguments."""
    quoted = command.replace("\\", "\\\\").replace('"', '\\"')
    text = TEXT.replace('password_file = "secret"', f'password_command = "{quoted}"')
    found = load(write(tmp_path, text))
    with pytest.raises(ConfigError, match=r"password") as error:
        found.imap(found.file.mailbox[1])
    assert CANARY not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_password_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """An environment variable that is not set or empty is an error before any server is contacted."""
    monkeypatch.delenv("RMA_PASSWORD", raising=False)
    if value is not None:
        monkeypatch.setenv("RMA_PASSWORD", value)
    found = load(write(tmp_path))
    with pytest.raises(ConfigError, match=r"imap: (password_env: RMA_PASSWORD is not set|the password is empty)"):
        found.imap(found.file.mailbox[0])
    with pytest.raises(ConfigError, match="password_file"):
        found.imap(found.file.mailbox[1])


def test_no_representation_of_the_settings_shows_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings or the server parameters shows no password."""
    monkeypatch.setenv("RMA_PASSWORD", CANARY)
    found = load(write(tmp_path))
    imap, smtp = found.imap(found.file.mailbox[0]), found.smtp(found.file.mailbox[0])
    assert CANARY not in f"{found!r} {imap!r} {smtp!r} {imap!s} {smtp!s} {imap.__rich_repr__()}"
