"""The sections of a word list for what staff write; each class mirrors one table of the TOML file."""

from __future__ import annotations

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_sections import NONE, WordSection


class StaffWords(WordSection, frozen=True):
    """What staff write when they pass a request on, or decide."""

    passed_on: Phrases = NONE
    decided: Phrases = NONE


class FindingWords(WordSection, frozen=True):
    """What is found at inspection, in free text (AP-14, AP-33, AP-46, ST-9, ST-14)."""

    npf: Phrases = NONE
    abuse: Phrases = NONE
    transit_damage: Phrases = NONE
    not_esd_packed: Phrases = NONE
    bad_packaging: Phrases = NONE
    incomplete: Phrases = NONE
    not_like_new: Phrases = NONE


class CommandWords(WordSection, frozen=True):
    """What staff write. The lists named as a command hold the words that it begins with.

    - ``approve`` states an approval, ``go_ahead`` gives one as an order, ``issue`` does so only in an answer: a request that is
      passed on says the same. ``bids`` asks for one, from whom the mail is addressed to. ``finding`` are findings that are a
      command by themselves, ``yes`` what confirms as a whole mail, ``nothing`` what begins like a command and is none.
    - Behind an approval: ``follow`` may come without a comma, ``goes_on`` is what one may tell us to go ahead with, ``filler``
      says nothing, ``because`` begins a reason. ``diagnosed_follow`` comes behind "diagnosed".
    - Taking a decision back: ``conditions`` (``strict`` also behind a refusal), ``contrast``, ``later`` and ``past`` (another
      time than now), ``doubts``, ``negations``, ``reported`` (what others say) and ``others`` (who they are), ``takes_back`` (in
      the next sentence). ``innocent`` only sounds like it. ``speaks`` sounds like a decision.
    - Around a command: ``polite`` may stand before it, ``own`` begins what the writer says himself, ``joins`` sets it apart from
      what is before; no line ends with a word of ``dangling``.
    - Arguments: ``money`` and ``fee`` name an amount, ``total`` the sum, ``roughly`` makes it uncertain; ``out_of`` stands in
      "2 of 3", ``all`` beside a count that leaves out none; ``denied`` around serials leaves some out; ``nowhere`` behind a
      finding denies it; ``days``, ``weeks`` and other ``periods``, numbers spelled in ``counts``, in order from one.
    """

    approve: Phrases = NONE
    go_ahead: Phrases = NONE
    issue: Phrases = NONE
    reject: Phrases = NONE
    quote: Phrases = NONE
    received: Phrases = NONE
    diagnosed: Phrases = NONE
    finding: Phrases = NONE
    repaired: Phrases = NONE
    not_repairable: Phrases = NONE
    shipped: Phrases = NONE
    ship_to: Phrases = NONE
    extend: Phrases = NONE
    hold: Phrases = NONE
    close: Phrases = NONE
    note: Phrases = NONE
    help: Phrases = NONE
    confirm: Phrases = NONE
    yes: Phrases = NONE
    force: Phrases = NONE
    polite: Phrases = NONE
    filler: Phrases = NONE
    follow: Phrases = NONE
    goes_on: Phrases = NONE
    speaks: Phrases = NONE
    conditions: Phrases = NONE
    contrast: Phrases = NONE
    later: Phrases = NONE
    past: Phrases = NONE
    because: Phrases = NONE
    denied: Phrases = NONE
    nowhere: Phrases = NONE
    doubts: Phrases = NONE
    negations: Phrases = NONE
    reported: Phrases = NONE
    takes_back: Phrases = NONE
    innocent: Phrases = NONE
    dangling: Phrases = NONE
    joins: Phrases = NONE
    money: Phrases = NONE
    fee: Phrases = NONE
    total: Phrases = NONE
    roughly: Phrases = NONE
    out_of: Phrases = NONE
    days: Phrases = NONE
    weeks: Phrases = NONE
    counts: Phrases = NONE
    others: Phrases = NONE
    strict: Phrases = NONE
    diagnosed_follow: Phrases = NONE
    nothing: Phrases = NONE
    periods: Phrases = NONE
    all: Phrases = NONE
    own: Phrases = NONE
    bids: Phrases = NONE
    findings: FindingWords = FindingWords()
