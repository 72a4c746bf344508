"""A rules file that does not fit stops the start, and its error names the file, the place and the mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.memory_desk import COMPANIES, PORTWELL, SERVERTECH

from mailbot.policy.policy import examples, load_rules
from mailbot.runtime.resources import packaged
from mailbot.strict_toml import ConfigError

TEXTS = {company: (packaged("rules") / f"{company}.toml").read_text(encoding="utf-8") for company in COMPANIES}
CLAUSES = {PORTWELL: [f"AP-{number}" for number in range(1, 49)], SERVERTECH: [f"ST-{number}" for number in range(1, 20)]}
FIRST_HELD = "held = {first = 1, every = 2"


@pytest.mark.parametrize("company", COMPANIES)
def test_the_shipped_rules_hold_every_clause(company: str) -> None:
    """AP-1 to AP-48 and ST-1 to ST-19 are all there, each with its kind, its text and where it stands in the policy."""
    rules, stamp = load_rules(company, TEXTS[company], "rules.toml")
    assert list(rules.clauses) == CLAUSES[company]
    assert all(clause.kind and clause.text.strip() and clause.source.strip() for clause in rules.clauses.values())
    assert stamp.policy == company
    assert stamp.version == rules.policy.version


@pytest.mark.parametrize("company", COMPANIES)
def test_every_decision_says_why_and_where_it_stands(company: str) -> None:
    """A decision without a sentence or a source could not be defended."""
    rules, _ = load_rules(company, TEXTS[company], "rules.toml")
    assert all(rule.says.strip() and rule.source.strip() for rule in rules.decide)
    assert all(inform.says.strip() and inform.moment for inform in rules.inform)
    assert all(family.source for family in rules.families.values())
    assert all(fee.source for fee in rules.fees.values())


@pytest.mark.parametrize("company", COMPANIES)
def test_example_amounts_are_named(company: str) -> None:
    """Amounts and addresses that stand for the company's own are pointed out until they are set."""
    rules, _ = load_rules(company, TEXTS[company], "rules.toml")
    found = examples(rules)
    assert len([line for line in found if line.startswith("fees.")]) == len(rules.fees)
    assert ("ship_to: the address is an example" in found) == (company == SERVERTECH)


SLIPS: list[tuple[str, str, str, list[str]]] = [
    # company, what stands there, what was typed, what the error must name
    (PORTWELL, 'clause = "AP-3"\nwhen', 'clause = "AP-3"\nwhn', ["'whn'", "'when'", "decide[3]"]),
    (PORTWELL, "diagnosis =", "diagnose =", ["'diagnose'", "'diagnosis'", ":7:"]),
    (PORTWELL, "[revisions]", "[revision]", ["'revision'", "'revisions'"]),
    (PORTWELL, "exchange = {value", "exchange = {val", ["'val'", "'value'", "windows.exchange"]),
    (PORTWELL, 'requester = "stranger"', 'requestor = "stranger"', ["decide AP-3", "'requestor'", "'requester'"]),
    (PORTWELL, 'requester = "stranger"', 'requester = "strange"', ["decide AP-3", "'strange'", "'stranger'"]),
    (PORTWELL, '"misuse", "modified"', '"misuse", "modifed"', ["decide AP-8", "'modifed'", "'modified'"]),
    (PORTWELL, 'family = "ipc", cover', 'family = "icp", cover', ["decide AP-1", "'icp'", "'ipc'"]),
    (PORTWELL, "component = true", 'component = "maybe"', ["decide AP-4", "'maybe'", "yes"]),
    (PORTWELL, 'clause = "AP-3"\n', 'clause = "AP-333"\n', ["decide AP-333", "'AP-333'", "'AP-3"]),
    (PORTWELL, 'also = ["AP-20"]', 'also = ["AP-200"]', ["decide AP-18", "'AP-200'", "'AP-20'"]),
    (PORTWELL, 'warranty_months = 24, clause = "AP-1"', 'warranty_months = 24, clause = "PA-1"', ["families.ipc", "PA-1"]),
    (PORTWELL, 'close = 14, clause = "AP-27"', 'close = 14, clause = "AP-72"', ["deadlines.missing", "'AP-72'"]),
    (PORTWELL, 'charge = ["service"]', 'charge = ["sevice"]', ["decide AP-18", "'sevice'", "'service'"]),
    (PORTWELL, 'charge = ["service"]\n', "", ["decide AP-18", "charge"]),
    (PORTWELL, 'ask = "serial"\n', "", ["decide AP-28", "ask"]),
    (PORTWELL, 'then = "decline"', 'then = "declin"', ["'declin'", "'decline'", "decide[4].then"]),
    (PORTWELL, 'notify = "approver"', 'notify = "aprover"', ["'aprover'", "'approver'"]),
    (PORTWELL, "until {cover_until}.", "until {cover_untill}.", ["decide AP-1", "{cover_untill}", "'cover_until'"]),
    (PORTWELL, "until {cover_until}.", "until {cover_until:%Y}.", ["decide AP-1", "{cover_until}"]),
    (PORTWELL, "until {cover_until}.", "until {cover_until!r}.", ["decide AP-1", "{cover_until}"]),
    (PORTWELL, "until {cover_until}.", "until {cover_until.year}.", ["decide AP-1", "cover_until.year"]),
    (PORTWELL, "until {cover_until}.", "until {}.", ["decide AP-1", "{}"]),
    (PORTWELL, "until {cover_until}.", "until {cover_until.", ["decide AP-1", "braces"]),
    (PORTWELL, "{fee_diagnostic}", "{fee_diagnosis}", ["answers.parts_declined", "{fee_diagnosis}", "'fee_diagnostic'"]),
    (PORTWELL, 'wish = "rush"', 'wish = "rash"', ["inform AP-36", "'rash'", "'rush'"]),
    (PORTWELL, "the RMA number {number}, valid", "the RMA number {numbr}, valid", ["answers.existing", "{numbr}", "'number'"]),
    (PORTWELL, '"Attn: {number}"', '"Attn: {nmber}"', ["ship_to", "{nmber}", "{number}"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{year}{sequence:05}", ["number.format", "{check}"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{year}{check}", ["number.format", "{sequence}"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{yaer}{sequence}{check}", ["number.format", "{year}"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{sequence:xy}{check}", ["number.format"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{sequence{check}", ["number.format"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "RMA-{check}{sequence}", ["number.format", "must end"]),
    (PORTWELL, "RMA-{year}{sequence:05}{check}", "{year}{sequence:05}{check}", ["number.format", "capital letters"]),
    (PORTWELL, '"America/Los_Angeles"', '"America/Los_Angles"', ["policy.timezone", "'America/Los_Angles'"]),
    (PORTWELL, '"America/Los_Angeles"', '"../../etc/passwd"', ["policy.timezone"]),
    (PORTWELL, "'B\\d{10}'", "'B(\\d{10}'", ["serials", "regular expression"]),
    (PORTWELL, "valid_days = {value = 30", 'valid_days = {value = "30"', ["number.valid_days", ":27:"]),
    (PORTWELL, "valid_days = {value = 30", "valid_days = {value = 0", ["number.valid_days", "0"]),
    (PORTWELL, "warranty_months = 24", "warranty_months = -24", ["families.ipc.warranty_months", "-24"]),
    (PORTWELL, "warranty_months = 24", "warranty_months = 240000", ["families.ipc.warranty_months"]),
    (PORTWELL, FIRST_HELD, "held = {first = 1, every = 0", ["deadlines.held.every", "0"]),
    (PORTWELL, FIRST_HELD, "held = {first = 0, every = 2", ["deadlines.held.first"]),
    (PORTWELL, "remind = [3, 7], close = 14", "remind = [3, 14], close = 14", ["deadlines.missing", "reminder"]),
    (PORTWELL, "remind = [3, 7], close = 14", "remind = [0, 7], close = 14", ["deadlines.missing"]),
    (PORTWELL, "hour = {value = 0", "hour = {value = 24", ["deadlines.hour", "24"]),
    (PORTWELL, 'amount = "75.00"', 'amount = "NaN"', ["fees.diagnostic", "NaN"]),
    (PORTWELL, 'amount = "75.00"', 'amount = "-75.00"', ["fees.diagnostic", "-75.00"]),
    (PORTWELL, 'amount = "75.00"', 'amount = "seventy"', ["fees"]),
    (PORTWELL, 'amount = "75.00", currency = "USD"', 'amount = "75.00", currency = "dollars"', ["fees.diagnostic", "dollars"]),
    (PORTWELL, "version = 2026-11-21", 'version = "21st"', ["policy.version"]),
    (PORTWELL, "[policy]", "[policy", ["not valid TOML", "line"]),
    (PORTWELL, 'company = "American', "company = American", ["not valid TOML", "line"]),
]


@pytest.mark.parametrize(("company", "right", "wrong", "names"), SLIPS, ids=[f"{i}: {s[2][:40]}" for i, s in enumerate(SLIPS)])
def test_a_slip_is_named_with_its_mend(company: str, right: str, wrong: str, names: list[str]) -> None:
    """Whatever is mistyped in a rules file: the error names the file, the place and the nearest word that would do."""
    text = TEXTS[company]
    assert right in text
    with pytest.raises(ConfigError) as error:
        load_rules(company, text.replace(right, wrong, 1), "rules/mine.toml")
    said = str(error.value)
    assert said.startswith("rules/mine.toml")
    assert "\n" not in said or "TOML" in said
    for name in names:
        assert name in said


def test_the_line_of_a_slip_is_its_own() -> None:
    """Where a key stands many times in a file, the error names the line where it is wrong, not the first of its kind."""
    text = TEXTS[PORTWELL].replace('then = "decline"', 'then = "declin"', 1)
    line = text[: text.index('"declin"')].count("\n") + 1
    with pytest.raises(ConfigError, match=f"^x.toml:{line}: "):
        load_rules(PORTWELL, text, "x.toml")
    text = TEXTS[SERVERTECH].replace("ST-17 = {kind", "ST-17 = {knd")
    line = text[: text.index("knd")].count("\n") + 1
    with pytest.raises(ConfigError, match=f"^x.toml:{line}: unknown key 'knd'"):
        load_rules(SERVERTECH, text, "x.toml")


def last_decision(text: str) -> str:
    """The entry that catches what is left."""
    return text[text.rindex("[[decide]]") : text.index("# ----", text.rindex("[[decide]]"))]


@pytest.mark.parametrize("company", COMPANIES)
def test_rules_without_a_last_word_are_refused(company: str) -> None:
    """The last decision has no condition and asks a person; without it some case would be left undecided."""
    text = TEXTS[company]
    with pytest.raises(ConfigError, match=r'no condition and then = "staff"'):
        load_rules(company, text.replace(last_decision(text), ""), "rules.toml")
    with pytest.raises(ConfigError, match=r'no condition and then = "staff"'):
        load_rules(company, text.replace(last_decision(text), last_decision(text).replace('"staff"', '"decline"')), "x")


def test_rules_without_any_decision_are_refused() -> None:
    """A file without a [[decide]] decides nothing."""
    text = TEXTS[PORTWELL]
    begin, end = text.index("\n[[decide]]") + 1, text.index("[answers.order]")
    with pytest.raises(ConfigError, match=r"is missing the required key 'decide'"):
        load_rules(PORTWELL, text[:begin] + text[end:], "rules.toml")


def test_a_decision_that_nothing_reaches_is_refused() -> None:
    """What an entry above takes away altogether would look like a rule and never be one."""
    text = TEXTS[PORTWELL]
    catch_all = last_decision(text)
    first = text.index("\n[[decide]]") + 1
    with pytest.raises(ConfigError, match="never reached"):
        load_rules(PORTWELL, text[:first] + catch_all + text[first:], "rules.toml")
    rework = re.search(r'\[\[decide\]\]\nclause = "AP-18".*?\n\n', text, re.DOTALL)
    assert rework
    with pytest.raises(ConfigError, match=r"decide AP-18 .*never reached.*decide AP-18"):
        load_rules(PORTWELL, text.replace(rework[0], rework[0] * 2), "rules.toml")
    narrower = rework[0].replace('when = {intent = "rework"}', 'when = {intent = "rework", doa = false}')
    with pytest.raises(ConfigError, match="never reached"):
        load_rules(PORTWELL, text.replace(rework[0], rework[0] + narrower), "rules.toml")
    load_rules(PORTWELL, text.replace(rework[0], narrower + rework[0]), "rules.toml")


def test_one_quote_cannot_mix_currencies() -> None:
    """Two fees of different currencies in one quote have no sum."""
    text = TEXTS[PORTWELL].replace('amount = "75.00", currency = "USD"', 'amount = "75.00", currency = "EUR"')
    with pytest.raises(ConfigError, match="mix currencies"):
        load_rules(PORTWELL, text.replace('charge = ["service"]', 'charge = ["service", "diagnostic"]'), "x")


def test_the_stamp_changes_with_every_change_of_the_file() -> None:
    """Version and digest tell under which text a decision was taken (ST-18), values laid over it included."""
    text = TEXTS[SERVERTECH]
    _, stamp = load_rules(SERVERTECH, text, "x")
    _, again = load_rules(SERVERTECH, text, "y")
    _, other = load_rules(SERVERTECH, text + "\n# a note\n", "x")
    rules, laid = load_rules(SERVERTECH, text, "x", {"diagnosis": "required", "number": {"valid_days": 14}})
    assert stamp == again
    assert len({stamp.digest, other.digest, laid.digest}) == 3
    assert rules.diagnosis == "required"
    assert rules.number.valid_days.value == 14


def test_a_value_laid_over_is_checked_too() -> None:
    """A slip in what a conversation lays over the rules is found like one in the file."""
    with pytest.raises(ConfigError, match="'diagnos'"):
        load_rules(PORTWELL, TEXTS[PORTWELL], "x", {"diagnos": "required"})
    with pytest.raises(ConfigError, match="diagnosis"):
        load_rules(PORTWELL, TEXTS[PORTWELL], "x", {"diagnosis": "maybe"})


def test_the_words_of_a_policy_name_no_path_of_this_machine() -> None:
    """A rules file travels: nothing in it points outside."""
    for company in COMPANIES:
        assert not re.search(r"/(work|tmp|home|Users)/", TEXTS[company])
        assert Path(packaged("rules") / f"{company}.toml").is_file()
