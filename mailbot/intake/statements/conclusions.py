"""What the sentences of a message say, each with the units that it is about, and what follows from it.

``RULES_OUT`` is the table from statements to what they rule out. A statement that may rule out a decision and is not
certain is in question: nothing goes out, and a person reads it (promise 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import structs

from mailbot.intake.statements import exclusions, intent
from mailbot.intake.statements.message_sentences import message_sentences
from mailbot.intake.statements.settled import settled
from mailbot.intake.text.normalize import normalize
from mailbot.model.statement import STATEMENT_CLASSES, Exclusion, Guess, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailbot.intake.message_content import MessageContent
    from mailbot.intake.statements.message_sentences import MessageSentence
    from mailbot.model import Request, RequestedUnit

RULES_OUT: Mapping[str, float] = MappingProxyType(
    {
        "damage": 1.0,  # AP-8, ST-9: a quote instead of a number
        "stop": 1.0,  # the customer does not want it, or not yet
        "fine": 1.0,  # the unit works
        "money": 1.0,  # a credit or an exchange instead of a repair
        "rework": 1.0,
        "owner": 1.0,  # AP-5: warranty belongs to the first buyer
        "thirdparty": 1.0,  # something else fails, not the unit
        "decline_quote": 1.0,
        "machine": 1.0,
        "sales": 1.0,
    }
)
"""The classes that rule out a number for a failed unit, each with its weight in the doubt about a sentence."""

_UNLESS_REQUESTED = ("machine", "sales")
"""The classes that count only in messages without a clear failure or request: people tell of absences, and quote tickets."""

DOUBT = 0.2
"""A sentence is in question if the weighted probability that it rules out a number is at least this."""

_WANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"credit": ("money",), "exchange": ("money", "rework"), "rework": ("rework", "money"), "cancel": ("stop",)}
)
"""The classes that rule nothing out, because they are what the message requests anyway."""

_EXPLAINED = frozenset(set(STATEMENT_CLASSES) - set(RULES_OUT) | {"fine"})
"""The classes that leave the draft as it is if staff say so: MEANS fine is said of what works besides the failure."""

_REASON = 0.95
_CLEAR = ("failure", "want", "again", "doa")
_FAILURES = ("failure", "again", "doa")
_LIKELY = 3
"""The number of meanings that staff are offered for a sentence in question."""


def open_sentences(content: MessageContent) -> tuple[str, ...]:
    """Return the sentences that phrases leave open, in the form in which they are classified."""
    texts = (text for sentence in message_sentences(content) if sentence.open for text in (sentence.masked, sentence.open))
    return tuple(dict.fromkeys(texts))


def statements(content: MessageContent, classes: Mapping[str, tuple[Guess, ...]]) -> tuple[Statement, ...]:
    """Return what the sentences of a message say; ``classes`` are the classifier's guesses by masked sentence."""
    found = tuple(_statement(sentence, content, classes) for sentence in message_sentences(content))
    if not _wants(found, content):  # then a question must be answered first
        found = tuple(_asks_first(each, content.desk.certainty) for each in found)
    if not any(each.statement_class in _CLEAR and each.certainty >= content.desk.certainty for each in found):
        return found
    return tuple(unquestioned(each) if _is_only(each, _UNLESS_REQUESTED) else each for each in found)


def _wants(found: Iterable[Statement], content: MessageContent) -> bool:
    """Return whether the message requests a return, in any words."""
    if any(each.statement_class == "want" for each in found):
        return True
    return intent.asks_rma((*content.masked_sentences, content.own_subject), content.lexicons)


def _asks_first(statement: Statement, certainty: float) -> Statement:
    """Return the statement, in question if it is a question by somebody who requests nothing yet."""
    asks = statement.origin == "own" and statement.statement_class == "question" and statement.certainty >= certainty
    return structs.replace(statement, in_question=True) if asks else statement


def _is_only(statement: Statement, classes: tuple[str, ...]) -> bool:
    """Return whether the doubt about a statement comes from these classes alone."""
    doubtful = [label for label in statement.likely if label.partition(" ")[0] in RULES_OUT]
    return bool(doubtful) and all(label.partition(" ")[0] in classes for label in doubtful)


def _statement(sentence: MessageSentence, content: MessageContent, classes: Mapping[str, tuple[Guess, ...]]) -> Statement:
    units = _units(sentence.text, content)
    statement = Statement(sentence.text, sentence.masked, sentence.origin, units=units)
    found = settled(sentence.masked, content.lexicons)
    if found:
        return structs.replace(statement, label=found.label, certainty=1.0, by=found.by)
    guesses = _most_doubtful(classes.get(sentence.masked, ()), classes.get(sentence.open, ()))
    best = _best(guesses)
    damage = exclusions.ordered(exclusions.stated_exclusions(sentence.text, "", content.lexicons))
    if damage and not (_names_other(best, damage) or sentence.text in content.noise):
        return structs.replace(statement, label=f"damage {damage[0]}", certainty=1.0, by="phrase")
    if best is None:
        return structs.replace(statement, in_question=_is_relevant(sentence, content))
    about_part = _is_about_part(sentence, content)
    doubt = _doubt(guess for guess in guesses if guess.label != "fine" or not about_part)
    is_explained = best.own and best.label in _EXPLAINED
    return structs.replace(
        statement,
        label=best.label,
        certainty=best.probability,
        by="staff" if best.own else "classifier",
        in_question=doubt >= DOUBT and not is_explained and _is_relevant(sentence, content),
        likely=tuple(_leaf_labels(guesses))[:_LIKELY],
    )


_LIKELY_KIND = 0.6
"""The probability from which on a kind of damage is likely."""


def _names_other(best: Guess | None, damage: Sequence[Exclusion]) -> bool:
    """Return whether the classifier names another kind of damage than the phrases."""
    return (
        best is not None and best.probability >= _LIKELY_KIND and best.label.startswith("damage ") and best.label[7:] not in damage
    )


def _most_doubtful(whole: tuple[Guess, ...], part: tuple[Guess, ...]) -> tuple[Guess, ...]:
    """Return the guesses about a sentence, or those about the part that phrases leave open, if these rule out more."""
    return part if _doubt(part) > max(_doubt(whole), DOUBT) else whole


def _doubt(guesses: Iterable[Guess]) -> float:
    return sum(RULES_OUT.get(guess.label, 0.0) * guess.probability for guess in guesses)


def _is_about_part(sentence: MessageSentence, content: MessageContent) -> bool:
    """Return whether a sentence names a part of the unit, or the rest of the units: that these work rules nothing out."""
    text = normalize(sentence.masked)
    return any(
        one.reasons.parts.search(text) or one.sheets.rest.search(text) or any(True for _ in one.symptoms.spans(text))
        for one in content.lexicons
    )


def _is_relevant(sentence: MessageSentence, content: MessageContent) -> bool:
    """Return whether a sentence is about the units of the request: what is said about other units decides nothing."""
    return sentence.text not in content.sentences_about_others


def _best(guesses: Sequence[Guess]) -> Guess | None:
    """Return the most likely class, with its most likely sub-class."""
    best = next((guess for guess in guesses if " " not in guess.label), None)
    if best is None:
        return None
    return next((guess for guess in guesses if guess.label.startswith(f"{best.label} ")), best)


def _leaf_labels(guesses: Iterable[Guess]) -> Iterable[str]:
    """Yield the labels without the classes that have sub-classes, the most likely first."""
    guesses = tuple(guesses)
    parents = {guess.label.partition(" ")[0] for guess in guesses if " " in guess.label}
    return (guess.label for guess in sorted(guesses, key=lambda one: -one.probability) if guess.label not in parents)


def _units(text: str, content: MessageContent) -> tuple[str, ...]:
    """Return the keys of the units that a sentence is about; none if it is about all of them."""
    if text in content.sentences_about_others:
        return tuple(mention.key for mention in content.mentions if content.sentences[mention.sentence] == text)
    if len(content.units) <= 1:
        return ()
    named = tuple(unit.key for unit in content.units if normalize(unit.serial) in normalize(text))
    about = named or tuple(unit.key for unit in content.units if text in (*unit.sentences, unit.list_text))
    return about if len(about) < len(content.units) else ()


# ------------------------------------------------------------------ conclusions


def concluded(request: Request, keys: Mapping[str, str], certainty: float) -> Request:
    """Return a request with what follows from its statements: exclusions of its units, and what stays in question.

    ``keys``: the registry keys of its units by serial number.
    """
    wanted = _WANTED.get(request.intent, ())
    units = tuple(_with_damage(unit, keys[unit.serial], request.statements, certainty) for unit in request.units)
    answered = tuple(
        structs.replace(each, in_question=False)
        if each.statement_class in wanted or each.certain_damage(certainty) or _is_excluded(each, units, keys)
        else each
        for each in request.statements
    )
    return structs.replace(request, statements=answered, units=units)


def _is_excluded(statement: Statement, units: Sequence[RequestedUnit], keys: Mapping[str, str]) -> bool:
    """Return whether a statement tells of damage to units that are excluded anyway."""
    about = [unit for unit in units if not statement.units or keys[unit.serial] in statement.units]
    return statement.statement_class == "damage" and bool(about) and all(unit.exclusions for unit in about)


def _with_damage(unit: RequestedUnit, key: str, statements: Iterable[Statement], certainty: float) -> RequestedUnit:
    found = tuple(
        each.damage
        for each in statements
        if each.damage and each.certain_damage(certainty) and (key in each.units if each.units else True)
    )
    return structs.replace(unit, exclusions=tuple(dict.fromkeys((*unit.exclusions, *found)))) if found else unit


def explained(statement: Statement, label: str) -> Statement:
    """Return the statement as a member of staff explains it: it stays in question only if it rules the draft out."""
    name = label.partition(" ")[0]
    return structs.replace(statement, label=label, certainty=1.0, by="staff", in_question=name not in _EXPLAINED, likely=(label,))


def unquestioned(statement: Statement) -> Statement:
    """Return the statement, not in question: nothing depends on it."""
    return structs.replace(statement, in_question=False)


def failure_texts(found: Iterable[Statement]) -> tuple[str, ...]:
    """Return the sentences that describe a failure according to the classifier: it takes more certainty to be a reason."""
    return tuple(
        each.text for each in found if each.statement_class in _FAILURES and each.by == "classifier" and each.certainty >= _REASON
    )


def certain_labels(found: Iterable[Statement], certainty: float) -> frozenset[str]:
    """Return the labels that the classifier is certain of."""
    return frozenset(each.label for each in found if each.by == "classifier" and each.certainty >= certainty)


def wants_return(found: Iterable[Statement], certainty: float) -> bool:
    """Return whether a sentence certainly requests an RMA or a repair."""
    told = (each for each in found if not each.text.rstrip().endswith(("?", "？")))  # noqa: RUF001 - a question may only ask how
    return "want" in certain_labels(told, certainty)
