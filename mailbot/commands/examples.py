"""``mailbot examples``: the example sentences, packaged and the company's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from mailbot.intake.statements.example_sentences import Example
from mailbot.model.statement import STATEMENT_CLASSES
from mailbot.runtime.resources import OWN_EXAMPLES, load_examples


@click.group()
def examples() -> None:
    """List or export the example sentences, each with the class of what it says.

    They are packaged; a company adds its own in rules/examples.tsv beside mailbot.toml, one in a line: class, sub-class,
    language and sentence, separated by tabs.

    \b
    mailbot examples list                         # how many there are of each class and language
    mailbot examples list --class damage --language de
    mailbot examples export > all.tsv
    """


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
    found = load_examples(config.parent)
    if name is None and language is None:
        for line in _table([example for group in found.values() for example in group]):
            click.echo(line)
        click.echo(f"{len(found['packaged'])} packaged, {len(found['own'])} of your own")
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
    for group in load_examples(config.parent).values():
        for example in group:
            click.echo(example.row)


def _table(found: list[Example]) -> Iterator[str]:
    """Yield the numbers of examples: a line for each class, a column for each language."""
    counts = Counter((example.statement_class, example.language) for example in found)
    languages = [language for language, _ in Counter(example.language for example in found).most_common()]
    yield "".join((f"{'class':14}", *(f"{language:>5}" for language in languages), f"{'all':>7}"))
    for name in STATEMENT_CLASSES:
        row = [counts[name, language] for language in languages]
        yield "".join((f"{name:14}", *(f"{count:5}" for count in row), f"{sum(row):7}"))
