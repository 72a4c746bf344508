"""What `mailbot check` says of a registry that can be read and cannot be meant."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs

from mailbot.model import Unit
from mailbot.policy.registry_checks import implausible_rows
from mailbot.runtime.resources import Resources

RULES = Resources.at().policy("american-portwell").rules
GOOD = Unit("AH7K900101", "WADE-8017", "ipc", date(2026, 1, 15), "Larkspur Controls", "larkspur.example")
TODAY = date(2026, 11, 20)


def test_a_sound_registry_raises_no_doubt():
    """Nothing is said of units that the rules cover."""
    assert implausible_rows([GOOD], RULES, TODAY) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"family": "icp"}, "family"),
        ({"customer_domain": "kim@larkspur.example"}, "customer_domain"),
        ({"customer_domain": ""}, "customer_domain"),
        ({"delivered_on": date(2035, 1, 1)}, "future"),
        ({"serial": "X-12"}, "serial"),
    ],
)
def test_each_doubt_names_how_many_units_and_the_first(change, word):
    """A row that cannot be meant is named once, with its count and its mend."""
    odd = structs.replace(GOOD, **change)
    [told] = implausible_rows([GOOD, odd, odd], RULES, TODAY)
    assert told.startswith(f"2 of 3 units, first {odd.serial}: ")
    assert word in told


def test_an_empty_registry_is_named():
    """A registry without units makes every serial unknown, and check says so."""
    assert "is empty" in implausible_rows([], RULES, TODAY)[0]
