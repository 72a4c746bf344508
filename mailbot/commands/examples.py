"""``mailbot examples``: the example sentences, packaged and the company's own."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailbot.intake.statements.example_sentences import Example, own_examples
from mailbot.model.statement import STATEMENT_CLASSES
from mailbot.runtime.logs import configure
from mailbot.runtime.resources import OWN_EXAMPLES, load_examples, packaged_doubts

if TYPE_CHECKING:
    from mailbot.model import Guess
    from mailbot.runtime.classifier.classifier import ClassifierProcess, ClassifierSettings


@click.group()
def examples() -> None:
    """List or export the example sentences, each with the class of what it says.

    They are packaged; a company adds its own in rules/examples.tsv beside mailbot.toml, one in a line: class, sub-class,
    language and sentence, separated by tabs.

    \b
    mailbot examples list                         # how many there are of each class and language
    mailbot examples list --class damage --language de
    mailbot examples check                        # examples that contradict others
    mailbot examples learn                        # prepare the classifier for an embeddings server
    mailbot examples test labeled.tsv --json      # how well other sentences are classified
    mailbot examples export > all.tsv
    """
    configure(logging.ERROR)


_CONFIG = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("mailbot.toml"),
    show_default=True,
    help="Settings file; its folder may have rules/" + OWN_EXAMPLES + ".",
)


@examples.command("list")
@_CONFIG
@click.option("--class", "name", type=click.Choice(STATEMENT_CLASSES), metavar="CLASS", help="Print the sentences of this class.")
@click.option("--language", help="Print the sentences in this language, such as de.")
def list_examples(config: Path, name: str | None, language: str | None) -> None:
    """Count the examples by class and language, or print those of a class or a language.

    \b
    mailbot examples list
    mailbot examples list --class damage --language de
    """
    found = _sources(config)
    if name is None and language is None:
        for line in _table([example for group in found.values() for example in group]):
            click.echo(line)
        taught = sum(len(group) for source, group in found.items() if source not in ("packaged", "own"))
        click.echo(f"{len(found['packaged'])} packaged, {len(found['own'])} of your own, {taught} taught by staff")
        return
    chosen = [
        (source, example)
        for source, group in found.items()
        for example in group
        if name in (None, example.statement_class) and language in (None, example.language)
    ]
    for source, example in chosen:
        click.echo(f"{example.row}{'' if source == 'packaged' else f'  ({source})'}")
    if not chosen:
        raise click.ClickException(f"there is no example of {name or 'any class'} in {language or 'any language'}.")


@examples.command()
@_CONFIG
def export(config: Path) -> None:
    """Print all examples, one in a line: class, sub-class, language and sentence, separated by tabs.

    \b
    mailbot examples export > all.tsv
    """
    for group in _sources(config).values():
        for example in group:
            click.echo(example.row)


@examples.command()
@_CONFIG
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write certainty against accuracy to this SVG file.")
def test(config: Path, file: Path, plot: Path | None, *, as_json: bool) -> None:
    """Classify labeled sentences and count how many are right, unsure, and wrong.

    FILE has a sentence in each line: class, sub-class, language and sentence, separated by tabs. A sentence is right or wrong
    only if its class is certain (setting: certainty).

    \b
    mailbot examples test labeled.tsv
    mailbot examples test labeled.tsv --json
    """
    from mailbot.runtime.classifier import scoring
    from mailbot.runtime.classifier.classifier import ClassifierProcess
    from mailbot.runtime.logs import as_json as dumped

    settings, certainty = _reading(config)
    labeled = own_examples(file.read_text(encoding="utf-8"), str(file))
    with ClassifierProcess(settings) as classifier:
        guesses = _guesses(classifier, [each.text for each in labeled], load_examples(config.parent)["own"])
    found = scoring.scored(labeled, guesses)
    totals = scoring.totals(found, certainty)
    if plot:
        from mailbot.commands.calibration_plot import plotted

        plot.write_text(plotted(scoring.calibration(found)), encoding="utf-8")
    if as_json:
        click.echo(dumped(totals))
        return
    click.echo(f"{'':14}{'n':>6}{'right':>7}{'unsure':>8}{'wrong':>7}")
    groups: list[tuple[str, Any]] = [*totals["by_class"].items(), *totals["by_language"].items(), ("all", totals)]  # type: ignore[attr-defined]
    for name, counts in groups:
        click.echo(f"{name:14}{counts['n']:6}{counts['right']:7}{counts['unsure']:8}{counts['wrong']:7}")


@examples.command()
@_CONFIG
def check(config: Path) -> None:
    """Name examples that contradict the others: without them, the model is certain of another class.

    The packaged examples were checked when the model was trained. Your own and taught ones are checked now, one by one.
    Exit code 1 if there is one of yours.

    \b
    mailbot examples check
    """
    from mailbot.runtime.classifier import scoring
    from mailbot.runtime.classifier.classifier import ClassifierProcess

    settings, _ = _reading(config)
    own = _own_and_taught(config)
    contradictions = []
    with ClassifierProcess(settings) as classifier:
        for index, example in enumerate(own):
            others = (*own[:index], *own[index + 1 :])
            label, certainty = scoring.best_label(_guesses(classifier, [example.text], others).get(example.text, ()))
            if label and label != example.label and certainty >= _CONTRADICTION:
                contradictions.append(f"{example.row}: without it, {label} ({certainty:.0%})")
    for line in contradictions:
        click.echo(line)
    doubts = packaged_doubts()
    for line in doubts:
        click.echo(f"packaged: {line}")
    click.echo(f"{len(own)} of your own checked, {len(contradictions)} contradict others; {len(doubts)} packaged ones do")
    if contradictions:
        raise SystemExit(1)


@examples.command()
@_CONFIG
def learn(config: Path) -> None:
    """Learn the packaged examples with the vectors of the server in the settings (classifier = "embeddings").

    The daemon does that as well when it starts; until then people read what phrases leave open. `mailbot run --once` is too short
    for it. It takes minutes, once for each version of mailbot and each model.

    \b
    mailbot examples learn
    """
    from msgspec import structs

    from mailbot.runtime.classifier.embedders import EndpointEmbedder
    from mailbot.runtime.classifier.endpoint import EndpointError
    from mailbot.runtime.classifier.vector_guesser import LEARN_SECONDS, trained

    settings, _ = _reading(config)
    if settings.kind != "embeddings":
        click.echo(f'classifier = "{settings.kind}" needs no learning')
        return
    try:
        trained(EndpointEmbedder(structs.replace(settings, timeout=LEARN_SECONDS)), Path(settings.folder))
    except EndpointError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"learned with {settings.model} at {settings.url}")


@examples.command()
@_CONFIG
@click.option("--mailbox", required=True, metavar="ADDRESS", help="The mailbox that it was taught at.")
@click.argument("sentence")
def remove(config: Path, mailbox: str, sentence: str) -> None:
    """Remove a sentence that staff taught by MEANS. Stop the daemon first if the state is a folder.

    \b
    mailbot examples remove --mailbox rma@example.com "It took a swim."
    """
    from mailbot.commands import loading
    from mailbot.runtime import taught
    from mailbot.settings import load

    with closing(loading.store(load(config))) as store:
        if not taught.forget(store, mailbox.lower(), sentence):
            raise click.ClickException(f"{mailbox} was not taught {sentence!r}. mailbot examples list --class CLASS shows them.")
        store.commit()
    click.echo("removed")


_BATCH = 40
"""Sentences that are classified together."""

_PATIENCE = 60.0
"""How long the classifier may need to start and to learn your own examples, in seconds."""

_CONTRADICTION = 0.8
"""The probability from which on another class contradicts an example."""


def _guesses(classifier: ClassifierProcess, texts: list[str], own: tuple[Example, ...]) -> dict[str, tuple[Guess, ...]]:
    """Return the guesses about sentences. Raises ClickException: the classifier gives no answer."""
    if classifier.settings.kind == "phrases":
        raise click.ClickException("the classifier is switched off in the settings.")
    found: dict[str, tuple[Guess, ...]] = {}
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        found |= classifier.classify(batch, own)
        if classifier.problem and classifier.prepare(own, _PATIENCE):
            found |= classifier.classify(batch, own)
        if classifier.problem:
            raise click.ClickException(f"the classifier gives no answer: {classifier.problem}")
    return found


def _reading(config: Path) -> tuple[ClassifierSettings, float]:
    """Return how sentences are classified, and the required certainty, by the settings or their defaults."""
    from mailbot.reading_settings import ReadingTable
    from mailbot.runtime.classifier.classifier import ClassifierSettings
    from mailbot.settings import load

    if config.is_file():
        settings = load(config)
        return settings.classifier, settings.file.reading.certainty
    return ClassifierSettings(), ReadingTable().certainty


def _own_and_taught(config: Path) -> tuple[Example, ...]:
    """Return the company's own examples, and those that staff taught at its mailboxes."""
    return tuple(example for source, group in _sources(config).items() if source != "packaged" for example in group)


def _sources(config: Path) -> dict[str, tuple[Example, ...]]:
    """Return all examples by source: packaged, own, and taught at each mailbox."""
    from mailbot.commands import loading
    from mailbot.runtime import taught
    from mailbot.settings import load

    found = load_examples(config.parent)
    if config.is_file():
        settings = load(config)
        with closing(loading.store(settings, read_only=True)) as store:
            for mailbox in settings.file.mailbox:
                if group := taught.examples(store, mailbox.address.lower()):
                    found[f"taught at {mailbox.address}"] = group
    return found


def _table(found: list[Example]) -> Iterator[str]:
    """Yield the numbers of examples: a line for each class, a column for each language."""
    counts = Counter((example.statement_class, example.language) for example in found)
    languages = [language for language, _ in Counter(example.language for example in found).most_common()]
    yield "".join((f"{'class':14}", *(f"{language:>5}" for language in languages), f"{'all':>7}"))
    for name in STATEMENT_CLASSES:
        row = [counts[name, language] for language in languages]
        yield "".join((f"{name:14}", *(f"{count:5}" for count in row), f"{sum(row):7}"))
