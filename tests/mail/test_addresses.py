"""Addresses: the short way to a yes says what the library says."""

from __future__ import annotations

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.mail import addresses

PIECES = (
    "a",
    "B",
    "9",
    "_",
    "+",
    "-",
    ".",
    "@",
    "com",
    "xn--a",
    "ab--c",
    "x" * 62,
    "example",
    "info",
    "\n",
    " ",
    "é",
    "[1.2.3.4]",
)
ENDS = ("", ".com", ".test", ".local", ".Invalid", ".arpa", ".onion", ".localhost", ".c", ".1", "-", ".")


def asked(address: str) -> str | None:
    """What the library says."""
    try:
        found = addresses._library().validate_email(
            address, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False
        )
    except ValueError:
        return None
    return str(found.ascii_email or found.normalized).lower()


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
