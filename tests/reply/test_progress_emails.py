"""Letters that follow a return: right for one unit and for several, and nothing said twice."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from msgspec.structs import replace
from support.sample_emails import sample, shipped

from mailbot.model import State
from mailbot.reply.email_content import Bill, ChargeLine, ClauseSentence, EmailContent, QuoteBlock, UnitBlock
from mailbot.reply.samples import SAMPLES

LETTERS = shipped()
ABOUT = tuple(dict.fromkeys(letter.about for letter in SAMPLES if letter.kind == "progress"))
SAID = ClauseSentence("X-9", "The rules have a sentence for this.")
ONE = UnitBlock("SAMPLE-1", "issue", (SAID,), "Model One", "no video", state="received")
TWO = replace(ONE, serial="SAMPLE-2", reason="no link")
OFFER = QuoteBlock("Q-1", (ChargeLine("Repair", "EUR 9.00"),), "EUR 9.00", "9 May 2031")


def letter(about: str, *units: UnitBlock, **facts: object) -> EmailContent:
    """A letter about these units under a number."""
    base = sample("progress", "received")
    plain = {"carrier": "", "tracking": "", "informs": (), "clauses": (), "bill": None}
    return replace(base, about=about, units=units, **(plain | facts))


def words(one: EmailContent) -> str:
    return " ".join(LETTERS.render(one, "default")[0].split()).partition(" Kind regards")[0]


@pytest.mark.parametrize("about", ABOUT)
def test_nothing_is_said_twice(about: str) -> None:
    """The policy's sentence, the number and each serial number stand in the letter once, however many units there are."""
    for units in ((ONE,), (ONE, TWO)):
        said = words(letter(about, *units))
        sentences = re.findall(r"[A-Z][^.:]{12,}\.", said)
        assert len(sentences) == len(set(sentences))
        assert said.count("N-SAMPLE") == 1
        assert [said.count(unit.serial) for unit in units] == [1] * len(units)
        assert said.count(SAID.text) <= 1


@pytest.mark.parametrize("about", ABOUT)
def test_the_policy_speaks_in_every_letter(about: str) -> None:
    """The sentence that the company has written for this moment is in the letter."""
    assert SAID.text in words(letter(about, ONE, TWO))


@pytest.mark.parametrize("about", ABOUT)
def test_one_unit_is_not_several(about: str) -> None:
    """One unit is "it", several are "they": also where the rules have no sentence."""
    one, several = (words(letter(about, *(replace(unit, says=()) for unit in units))) for units in ((ONE,), (ONE, TWO)))
    assert not re.search(r"\b[Tt]he units\b|\bYour units\b|\bunits (is|has)\b", one)
    assert not re.search(r"\b[Tt]he unit\b|\bYour unit:|\bunit (are|have)\b", several)


def test_units_with_findings_of_their_own_keep_them() -> None:
    """Where units differ each is told its own sentence beside its serial number."""
    other = ClauseSentence("X-8", "This one was opened.")
    said = words(letter("charged", ONE, replace(TWO, says=(other,))))
    assert f"SAMPLE-1, Model One: no video – {SAID.text} (X-9) - SAMPLE-2" in said
    assert f"SAMPLE-2, Model One: no link – {other.text} (X-8)" in said


def test_a_unit_with_two_findings_is_named_once() -> None:
    """Two findings of one unit are two sentences, and one unit."""
    other = ClauseSentence("X-8", "It was opened, too.")
    said = words(letter("charged", ONE, replace(ONE, says=(other,))))
    assert said.count("SAMPLE-1") == 1
    assert "Your unit:" in said
    assert SAID.text in said
    assert other.text in said


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_is_told_in_plain_words(state: State) -> None:
    """A customer who asks is not answered in the words of the machine."""
    said = words(letter("status", replace(ONE, says=(), state=state)))
    told = said.partition("SAMPLE-1, Model One: ")[2]
    assert len(told) > 5
    assert "_" not in told
    assert not re.search(r"\b(held|asking|authorized|in transit|diagnosed)\b", told)


def test_more_time_says_until_when_and_what_to_do() -> None:
    """Whoever gets more time reads the new day and the one thing to do by then."""
    number = words(letter("extended", ONE, valid_until="8 June 2031"))
    assert "Your RMA number N-SAMPLE is now valid until 8 June 2031. Please ship the unit by then." in number
    quote = words(letter("extended", ONE, quote=OFFER))
    assert "Quote Q-1 is now valid until 9 May 2031. To go ahead, please answer this mail with a copy" in quote
    asked = words(letter("extended", replace(ONE, asks=("reason",)), number=""))
    assert "To go on we still need the reason for return; simply answer this mail." in asked


def test_a_shipment_names_carrier_and_tracking_number_where_they_are_known() -> None:
    """The tracking number is there to be copied; what is not known is not mentioned."""
    said = words(letter("shipped", ONE, carrier="Sample Parcel", tracking="1Z9"))
    assert "Carrier: Sample Parcel Tracking number: 1Z9" in said
    assert "Carrier" not in words(letter("shipped", ONE, tracking="1Z9"))
    assert "Carrier" not in words(letter("received", ONE, carrier="Sample Parcel"))


def test_a_bill_of_one_line_needs_no_total() -> None:
    """A total stands below several charges, not below one."""
    line = ChargeLine("Diagnosis", "EUR 5.00")
    assert "Charged: Diagnosis: EUR 5.00 Your unit" in words(letter("charged", ONE, bill=Bill((line,), "EUR 5.00")))
    assert "Total: EUR 10.00" in words(letter("charged", ONE, TWO, bill=Bill((line, line), "EUR 10.00")))


@pytest.mark.parametrize("one", [each for each in SAMPLES if each.kind not in ("notice", "transcript")])
def test_a_value_that_is_missing_leaves_no_hole(one: EmailContent) -> None:
    """No letter to a customer holds an empty bracket, a stray comma, a placeholder or a word that only staff use."""
    unknown = {"number": "", "carrier": ""} if one.kind == "progress" else {}
    said = words(replace(one, greeting="", case_id="", **unknown))
    assert not re.search(r"\(\s*\)|\bNone\b|\s[,.;:!?](\s|$)|[{}]|\.\.|,\.|;\.|: [,.;]", said)
    assert not re.search(r"\b(verdict|approver|role|limit|command|outcome)\b", said)
