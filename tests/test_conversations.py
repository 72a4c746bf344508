"""Every conversation is played; every rule of both policies is seen at work, and is missed when it is taken away."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec
import pytest

from mailbot.policy import decide
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Inform, Rule
from mailbot.reply import sentences
from mailbot.shell.conversation import Conversation, load
from mailbot.shell.expectation import folded
from mailbot.shell.library import Library
from mailbot.shell.rehearsal import Play, play, policy_of

if TYPE_CHECKING:
    from mailbot.policy.rules import Rules

HERE = Path(__file__).parent / "conversations"
FILES = sorted(HERE.rglob("*.toml"))
COMPANIES = sorted({file.parent.name for file in FILES})


class Witness(msgspec.Struct):
    """A conversation as it was played, with the rules that decided and the sentences that were said."""

    script: Conversation
    policy: Policy
    play: Play
    decided: list[Rule]
    informed: list[Inform]


@cache
def library() -> Library:
    """Words and templates, read once."""
    return Library.at()


@cache
def rules(company: str) -> Rules:
    """The shipped rules of a company."""
    return library().policy(company).rules


@cache
def script(file: Path) -> Conversation:
    return load(file)


@cache
def witness(file: Path) -> Witness:
    """Play a conversation once, and note which rules decided and which sentences were called for."""
    decided: list[Rule] = []
    informed: list[Inform] = []
    decide_unit, belongs = decide.decide_unit, sentences._belongs

    def deciding(*args: Any, **kwargs: Any) -> Any:
        verdict, rule = decide_unit(*args, **kwargs)
        decided.extend([rule] if rule else [])
        return verdict, rule

    def informing(inform: Inform, *args: Any) -> bool:
        said = belongs(inform, *args)
        informed.extend([inform] if said else [])
        return said

    policy = policy_of(script(file), library())
    with patch.object(decide, "decide_unit", deciding), patch.object(sentences, "_belongs", informing):
        return Witness(script(file), policy, play(script(file), policy, file.parent), decided, informed)


def of(company: str) -> list[Path]:
    return [file for file in FILES if script(file).policy == company]


@pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name}: {script(file).title}" for file in FILES])
def test_conversation(file: Path) -> None:
    """The conversation goes as its file says."""
    failure = witness(file).play.failure
    assert failure is None, "\n".join([f"{file}: step {failure.step}: {failure.what}", *failure.detail])


def test_each_title_is_a_sentence_of_its_own() -> None:
    """No two conversations of a company bear the same title, and each says something."""
    titles = [(script(file).policy, script(file).title) for file in FILES]
    assert len(set(titles)) == len(titles)
    assert all(len(title.split()) >= 5 for _, title in titles)


DECISIONS = [(company, index) for company in COMPANIES for index in range(len(rules(company).decide))]


def _name(company: str, index: int) -> str:
    rule = rules(company).decide[index]
    when = ", ".join(f"{fact} {condition}" for fact, condition in rule.when.items()) or "whatever is left"
    return f"{rule.clause}: {rule.then} where {when}"


@pytest.mark.parametrize(("company", "index"), DECISIONS, ids=[_name(*each) for each in DECISIONS])
def test_every_decision_is_taken_in_a_conversation(company: str, index: int) -> None:
    """Each [[decide]] entry decides for a unit somewhere."""
    rule = rules(company).decide[index]
    assert any(rule in witness(file).decided for file in of(company))


REMOVABLE = [(company, index) for company, index in DECISIONS if index < len(rules(company).decide) - 1]


@pytest.mark.parametrize(("company", "index"), REMOVABLE, ids=[_name(*each) for each in REMOVABLE])
def test_a_decision_taken_away_is_missed(company: str, index: int) -> None:
    """Without a [[decide]] entry at least one conversation goes wrong."""
    rule = rules(company).decide[index]
    for file in of(company):
        seen = witness(file)
        if rule not in seen.decided:
            continue
        left = tuple(each for each in seen.policy.rules.decide if each != rule)
        without = msgspec.structs.replace(seen.policy.rules, decide=left)
        if play(seen.script, msgspec.structs.replace(seen.policy, rules=without), file.parent).failure:
            return
    pytest.fail("no conversation notices that it is gone")


INFORMS = [(company, index) for company in COMPANIES for index in range(len(rules(company).inform))]


def _sentence(company: str, index: int) -> str:
    inform = rules(company).inform[index]
    return f"{inform.clause} {' '.join(inform.moment)}: {inform.says[:50]}"


@pytest.mark.parametrize(("company", "index"), INFORMS, ids=[_sentence(*each) for each in INFORMS])
def test_every_sentence_is_read_by_somebody(company: str, index: int) -> None:
    """Each [[inform]] entry stands in a mail of some conversation, and its clause is on record for that mail."""
    inform = rules(company).inform[index]
    # Placeholders become whatever they were filled with.
    pattern = re.compile(".+".join(re.escape(folded(part)) for part in re.split(r"\{\w+\}", inform.says)))
    assert any(
        pattern.search(folded(mail.text)) and inform.clause in mail.reply.cites
        for file in of(company)
        if inform in witness(file).informed
        for step in witness(file).play.steps
        for mail in step.sent
    )


@pytest.mark.parametrize("company", COMPANIES)
def test_every_cited_clause_exists(company: str) -> None:
    """No mail cites a clause that the policy does not have, and no conversation expects one."""
    known = set(rules(company).clauses)
    for file in of(company):
        cited = {clause for step in witness(file).play.steps for mail in step.sent for clause in mail.reply.cites}
        expected = {
            clause
            for step in script(file).step
            for sent in step.sent or ()
            for clauses in (sent.cites, sent.cites_not)
            for clause in ([clauses] if isinstance(clauses, str) else clauses)
        }
        assert cited | expected <= known, file


@pytest.mark.parametrize("company", COMPANIES)
def test_a_stranger_reads_word_for_word_what_an_unknown_serial_brings(company: str) -> None:
    """Whoever asks for somebody else's unit cannot tell from any mail that it exists (promise 7)."""
    seen = witness(HERE / company / "stranger-is-answered-like-an-unknown-serial.toml")
    cases = [step.case for step in seen.play.steps if step.case]
    own = "|".join({name for case in cases for name in (case.id, *(item.serial for item in case.items))})
    mails: dict[str, list[str]] = {}
    for mail in (mail for step in seen.play.steps for mail in step.sent):
        mails.setdefault(mail.reply.to, []).append(re.sub(own, "#", mail.text))
    joe, jane = mails["joe@elsewhere.example"], mails["jane@elsewhere.example"]
    assert [folded(text) for text in joe] == [folded(text) for text in jane]
