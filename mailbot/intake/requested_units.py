"""The units of a request: their reasons and exclusions, and what is missing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mailbot.intake.entities import references
from mailbot.intake.statements import attribution, exclusions, intent, reasons
from mailbot.intake.statements.reasons import Reason
from mailbot.model import RequestedUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailbot.intake.message_content import MessageContent, NamedUnit
    from mailbot.model import Exclusion, Intent, Missing


def with_reasons(
    content: MessageContent,
    units: Sequence[NamedUnit],
    reason: Reason,
    exclusions_by_unit: dict[str, frozenset[Exclusion]],
    intent_: Intent,
) -> tuple[RequestedUnit, ...]:
    """Return the units of a request with their reasons and exclusions (see ``stated_by_unit``)."""
    needs_units = intent_ in intent.NEEDS_UNITS
    has_several = len(units) > 1
    result = []
    unit_exclusions = frozenset().union(*(names for key, names in exclusions_by_unit.items() if key))
    shared_reason = attribution.shared_reason(content, reason, intent_) if has_several else reason
    for unit in units:
        own_reason = attribution.unit_reason(content, unit) if has_several else Reason()
        used_reason = own_reason if own_reason.text else shared_reason
        excluded = (exclusions_by_unit[""] - unit_exclusions) | exclusions_by_unit.get(unit.key, frozenset())
        if not has_several:
            excluded = frozenset().union(*exclusions_by_unit.values())
        result.append(
            RequestedUnit(
                unit.serial,
                reason=used_reason.text if needs_units else "",
                exclusions=exclusions.ordered(excluded) if needs_units else (),
                vague=needs_units and used_reason.is_vague and not excluded,
                symptom=reasons.symptom(used_reason.text, content.lexicons) if needs_units else None,
                revision=references.revision(unit.sentences or content.sentences, content.lexicons),
                suggestion=content.reader.suggestion(unit.serial),
                unsure=unit.unsure,
            )
        )
    return tuple(result)


def stated_by_unit(content: MessageContent) -> dict[str, frozenset[Exclusion]]:
    """Return the stated exclusions by unit key; the empty key is for those of the whole message."""
    overruled = frozenset(
        each.text
        for each in content.statements
        if each.by == "classifier" and exclusions.stated_exclusions(each.text, "", content.lexicons)
    )
    found: dict[str, frozenset[Exclusion]] = {"": exclusions.answered_questions(content.message.text, content.lexicons)}
    unit_sentences: set[str] = set()
    for unit in content.units:
        pairs = [pair for pair in pairwise((*unit.sentences, "")) if not _is_in(pair[0], overruled)]
        found[unit.key] = frozenset().union(
            *(exclusions.stated_exclusions(text, following, content.lexicons) for text, following in pairs)
        )
        answers = (unit.list_text, *(reasons.reason_field(text, content.lexicons) or "" for text in unit.sentences))
        found[unit.key] |= frozenset().union(*(exclusions.short_answer(text, content.lexicons) for text in answers))
        unit_sentences.update(unit.sentences)
    texts = (*content.sentences, content.own_subject)[:600]
    for text, following in zip(texts, (*texts[1:], ""), strict=True):
        if (
            text
            and text not in overruled
            and text not in unit_sentences
            and text not in content.sentences_about_others
            and not attribution.is_part_of(text, unit_sentences)
        ):
            found[""] |= exclusions.stated_exclusions(text, following, content.lexicons)
    for statement in content.statements:
        if statement.damage and statement.certain_damage(content.desk.certainty):
            for key in statement.units or ("",):
                found[key] = found.get(key, frozenset()) | {statement.damage}
    return found


def _is_in(text: str, sentences: frozenset[str]) -> bool:
    """Return whether a text is one of these sentences, or a part of one."""
    return text in sentences or attribution.is_part_of_any(text, sentences)


def missing_information(content: MessageContent, units: Sequence[RequestedUnit], reason: Reason) -> tuple[Missing, ...]:
    """Return what must be asked for, for case and message together (AP-27, AP-28)."""
    case_units = content.case.units if content.case else ()
    has_units = bool(units or case_units)
    lacks_reason = not all(unit.reason for unit in units) or not all(unit.reason for unit in case_units)
    asked_for_serial = content.case is None and content.is_reply and content.asked_for("serial") and not content.asked_for("reason")
    missing: list[Missing] = [] if has_units else ["serial"]
    if (lacks_reason and units) or (not reason.text and (lacks_reason or not has_units) and not asked_for_serial):
        missing.append("reason")
    return tuple(missing)
