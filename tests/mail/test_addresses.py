"""Which addresses can be written to, and that the check changes nothing outside of mailbot."""

from __future__ import annotations

import json
import subprocess
import sys

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.mail import addresses
from mailbot.mail.addresses import PRIVATE_DOMAINS, deliverable, valid

GLOBALS = """
import copy, json, sys
import email_validator

def state():
    return {name: copy.deepcopy(value) for name, value in vars(email_validator).items() if name.isupper()}

before = state()
import mailbot.mail.addresses as addresses
addresses.valid("kim@mail.local")
addresses.deliverable("kim@localhost")
print(json.dumps({"before": before, "after": state(), "imported": "mailbot.mail.addresses" in sys.modules}))
"""


def test_the_settings_of_the_library_are_left_unchanged() -> None:
    """Reading addresses changes no setting that another program in the same process relies on."""
    done = subprocess.run([sys.executable, "-c", GLOBALS], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["imported"]
    assert {"local", "invalid", "test"} <= set(seen["before"]["SPECIAL_USE_DOMAIN_NAMES"])
    assert seen["after"] == seen["before"]


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("Kim@Acme.example", "kim@acme.example"),
        ("kim@mail.local", "kim@mail.local"),
        ("Kim@MAIL.LOCAL", "kim@mail.local"),
        ("kim@local", "kim@local"),
        ("kim@mail.\uff4c\uff4f\uff43\uff41\uff4c", "kim@mail.local"),
        ("kim@mail\u3002local", "kim@mail.local"),
        ("kim@nowhere.invalid", "kim@nowhere.invalid"),
        ("kim@invalid", "kim@invalid"),
        ("kim@local.invalid", "kim@local.invalid"),
        ("kim@mail.test", "kim@mail.test"),
        ("kim@test", "kim@test"),
        ("kim@mailserver", "kim@mailserver"),
        ("kim@b\u00fccher.local", "kim@xn--bcher-kva.local"),
        ("kim@b\u00fccher.example", "kim@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_written_in_one_form(address: str, wanted: str) -> None:
    """Addresses in public domains, private networks, and trial runs are accepted and written in lower case."""
    assert valid(address) == wanted


@pytest.mark.parametrize(
    "address",
    [
        "kim@localhost",
        "kim@mail.localhost",
        "kim@x.onion",
        "kim@1.arpa",
        "kim@.local",
        "kim@-.local",
        "@mail.local",
        "kim",
        "local",
        "k im@mail.local",
        "Kim <kim@mail.local>",
        '"k im"@mail.local',
        "j\u00fcrgen@mail.local",
        f"kim@{'a' * 64}.local",
        "kim@[127.0.0.1]",
    ],
)
def test_an_address_that_no_mail_can_reach_is_refused(address: str) -> None:
    """Reserved names, missing parts, blanks, and addresses that are too long are refused."""
    assert deliverable(address) is None


def test_a_refused_private_address_says_why() -> None:
    """The reason given for a private address is about the fault in it, not about the private domain."""
    with pytest.raises(ValueError, match="display name"):
        valid("Kim <kim@mail.local>")


def test_the_replacement_of_a_private_domain_has_its_length() -> None:
    """The limits on the length of an address apply to private domains as to all others."""
    assert PRIVATE_DOMAINS
    assert all(len(label) == len(other) and label != other for label, other in PRIVATE_DOMAINS.items())


PIECES = ("a", "B", "9", "_", "+", "-", ".", "@", "com", "xn--a", "ab--c", "x" * 62, "example", "info", "\n", " ", "é", "[1.2.3.4]")
ENDS = ("", ".com", ".test", ".local", ".Invalid", ".arpa", ".onion", ".localhost", ".c", ".1", "-", ".")


def asked(address: str) -> str | None:
    """What the full check says."""
    try:
        return addresses._validate_with_library(address)
    except ValueError:
        return None


@given(
    st.tuples(
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
        st.sampled_from(ENDS),
    ).map(lambda parts: f"{parts[0]}@{parts[1]}{parts[2]}")
)
@example("kim@acme.example")
@example(f"{'x' * 65}@acme.example")
@example(f"x@{'a.' * 130}com")
def test_an_address_is_judged_as_by_the_library(address: str) -> None:
    """Whether or not the library is asked, the answer is the same."""
    assert addresses.deliverable(address) == asked(address)


@pytest.mark.parametrize("domain", email_validator.SPECIAL_USE_DOMAIN_NAMES)
def test_a_special_domain_takes_no_mail(domain: str) -> None:
    """The domains of RFC 6761 that are for no mail are refused, the private ones are not."""
    private = domain in ("local", "test", "invalid")
    assert addresses.deliverable(f"kim@acme.{domain}") == (f"kim@acme.{domain}" if private else None)
