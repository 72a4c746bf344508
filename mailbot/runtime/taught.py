"""The example sentences that staff taught by MEANS: small facts in the store, one for each sentence of a mailbox."""

from __future__ import annotations

import hashlib

from mailbot.intake.statements.example_sentences import Example, own_examples
from mailbot.model import Step
from mailbot.runtime.store import Store


def remember(store: Store, mailbox: str, step: Step) -> None:
    """Remember the examples of a step with the next commit; a sentence that was taught before gets its new meaning."""
    for each in step.decision.taught if step.decision else ():
        name, _, sub_class = each.label.partition(" ")
        row = "\t".join((name, sub_class, each.language, " ".join(each.text.split())))
        store.set_fact(_name(mailbox, each.text), row)


def examples(store: Store, mailbox: str) -> tuple[Example, ...]:
    """Return the examples that staff taught at a mailbox."""
    rows = "\n".join(store.facts(_prefix(mailbox)))
    return own_examples(rows, f"taught at {mailbox}")


def forget(store: Store, mailbox: str, text: str) -> bool:
    """Remove a taught example with the next commit. Return whether there was one."""
    known = store.get_fact(_name(mailbox, text)) is not None
    if known:
        store.remove_fact(_name(mailbox, text))
    return known


def _prefix(mailbox: str) -> str:
    return f"example {mailbox} "


def _name(mailbox: str, text: str) -> str:
    """Return the name of the fact: the same sentence, in any capitals, has one."""
    folded = " ".join(text.split()).casefold()
    return f"{_prefix(mailbox)}{hashlib.sha256(folded.encode()).hexdigest()[:32]}"
