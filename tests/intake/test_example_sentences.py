"""Example sentences: the packaged ones are whole, and each error in a file names its line and the fix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from mailbot.intake.statements.example_sentences import own_examples, packaged_examples
from mailbot.model.statement import STATEMENT_CLASSES, SUB_CLASSES
from mailbot.runtime.resources import load_examples
from mailbot.strict_toml import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_class_and_sub_class_has_examples_in_every_language() -> None:
    """At least 4,000 sentences in 16 languages; none has fewer than three of any class, and all sub-classes occur in each."""
    packaged = load_examples()["packaged"]
    counts = Counter(example.language for example in packaged)
    languages = [language for language, count in counts.items() if count >= 100]  # of others there are a few absence notes
    assert len(packaged) >= 4_000
    assert len(languages) == 16
    by_class = Counter((example.statement_class, example.language) for example in packaged)
    assert not [(name, language) for name in STATEMENT_CLASSES for language in languages if by_class[name, language] < 3]
    by_sub_class = Counter((example.sub_class, example.language) for example in packaged)
    wanted = [(sub, language) for subs in SUB_CLASSES.values() for sub in subs for language in languages]
    assert not [pair for pair in wanted if not by_sub_class[pair]]


def test_packaged_files_are_named_by_their_class() -> None:
    """A packaged file holds the sentences of one class; empty lines and comments do not count."""
    found = packaged_examples({"stop": "# when not to issue\n\nhold\ten\tPlease wait.\r\ncancel\tde\tHat sich erledigt.\n"})
    assert [tuple(example) for example in found] == [
        ("stop", "hold", "en", "Please wait."),
        ("stop", "cancel", "de", "Hat sich erledigt."),
    ]
    assert found[0].row == "stop\thold\ten\tPlease wait."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fine\ten\tWorks.", "own.tsv:2: 3 fields instead of 4"),
        ("fime\t\ten\tWorks.", "own.tsv:2: there is no class 'fime' (did you mean 'fine'?)"),
        ("fine\tcancel\ten\tWorks.", "own.tsv:2: the sub-class 'cancel' is not right for fine: it takes no sub-class"),
        ("stop\t\ten\tWait.", "own.tsv:2: the sub-class '' is not right for stop: it takes one of cancel, hold, info"),
        ("fine\t\tEnglish\tWorks.", "own.tsv:2: 'English' is not a language code"),
        ("fine\t\ten\t ", "own.tsv:2: the sentence has 0 characters"),
        (f"fine\t\ten\t{'x' * 601}", "own.tsv:2: the sentence has 601 characters"),
        ("failure\t\ten\tNO PICTURE.", "own.tsv:2: 'NO PICTURE.' is also in own.tsv:1"),
    ],
)
def test_an_error_names_the_line_and_the_fix(line: str, said: str) -> None:
    """The person who edits the file finds the line."""
    with pytest.raises(ConfigError) as error:
        own_examples(f"failure\t\ten\tNo picture.\n{line}\n", "own.tsv")
    assert said in str(error.value)


def test_a_company_has_its_own_examples(tmp_path: Path) -> None:
    """rules/examples.tsv of a settings folder is read beside the packaged files."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "examples.tsv").write_text("fine\t\tde\tPasst so.\n", encoding="utf-8")
    found = load_examples(tmp_path)
    assert [example.text for example in found["own"]] == ["Passt so."]
    assert found["packaged"] == load_examples()["packaged"]
