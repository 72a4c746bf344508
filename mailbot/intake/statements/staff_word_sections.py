"""The sections of a word list for what staff write; each class mirrors one table of the TOML file."""

from __future__ import annotations

from mailbot.intake.statements.phrases import Phrases
from mailbot.intake.statements.word_sections import NONE, WordSection


class StaffWords(WordSection, frozen=True):
    """What staff write when they forward a request, or decide."""

    passed_on: Phrases = NONE
    decided: Phrases = NONE


class FindingWords(WordSection, frozen=True):
    """Inspection findings in free text (AP-14, AP-33, AP-46, ST-9, ST-14)."""

    npf: Phrases = NONE
    abuse: Phrases = NONE
    transit_damage: Phrases = NONE
    not_esd_packed: Phrases = NONE
    bad_packaging: Phrases = NONE
    incomplete: Phrases = NONE
    not_like_new: Phrases = NONE


class CommandWords(WordSection, frozen=True):
    """What staff write. A list named after a command has the words that it begins with.

    - Decisions: ``approve`` states an approval, and ``go_ahead`` orders one. ``issue`` approves only in a reply,
      because forwarded requests say the same. ``bids`` asks the recipients for an approval. ``finding`` are findings
      that are commands by themselves, ``yes`` confirms if it is the whole message, and ``nothing`` begins like a
      command but is not one.
    - After an approval: ``follow`` may come without a comma, ``goes_on`` is what may proceed, ``filler`` has no
      meaning, and ``because`` begins a reason. ``diagnosed_follow`` comes after "diagnosed".
    - Limiting a decision: ``conditions`` (``strict`` also after a refusal), ``contrast``, ``later`` and ``past`` (a
      time other than now), ``doubts``, ``negations``, ``reported`` (what others say), ``others`` (who they are), and
      ``takes_back`` (in the next sentence). ``innocent`` only sounds like a limit. ``speaks`` sounds like a decision.
    - Around a command: ``polite`` may precede it, ``own`` begins the writer's own statement, ``joins`` separates it
      from what is before it, and no line ends with a word of ``dangling``.
    - Arguments: ``money`` and ``fee`` label an amount, ``total`` the sum, and ``roughly`` makes it uncertain.
      ``out_of`` is in "2 of 3"; ``all`` with a count excludes nothing; ``denied`` near serial numbers excludes some.
      ``nowhere`` after a finding denies it. ``days``, ``weeks``, and other ``periods``; ``counts`` are number words in
      order from one.
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
