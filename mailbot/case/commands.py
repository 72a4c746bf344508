"""Decisions of staff: what becomes of the commands of a mail, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from mailbot.case import numbers, rulings
from mailbot.case.carry import carry_out, flags
from mailbot.case.lifecycle import HERE, OVER
from mailbot.case.running import about, latest_mail
from mailbot.intake.serials import fold
from mailbot.model import Case, CaseItem, Command, Decision, Known, Outcome, Request, Ruling, Staff, Verdict
from mailbot.policy.decide import by_person, common
from mailbot.policy.policy import Policy
from mailbot.policy.rules import Answer, Flag


def decide(
    case: Case | None,
    commands: Sequence[Command],
    person: Staff,
    known: Known,
    policy: Policy,
    day: date,
) -> Decision:
    """Rule on the commands of a mail, one after another: each meets the case as the one before it left it.

    Args:
        case: the case they are about, if there is one.
        commands: what is to be done.
        person: whose commands they are, as has been shown.
        known: what is known of the world.
        policy: the company's.
        day: today in the company's zone.
    """
    ruled: list[Ruling] = []
    verdicts: list[Verdict] = []
    now = case
    for each in _with_pending(case, commands):
        ruling = _rule(now, each, person, policy)
        if now and ruling.result == "done" and each.name in ("approve", "quote") and _elsewhere(now, ruling, known):
            ruling = Ruling(each, "refused", why="other_case")
        if now and ruling.result == "done":
            found = _judged(now, ruling, known, policy, day)
            ruling = structs.replace(ruling, clauses=_clauses(now, ruling, found, policy))
            verdicts += found
            now = carry_out(now, ruling, person.address, policy, known, day)
        ruled.append(ruling)
    done = [ruling for ruling in ruled if ruling.result == "done"]
    return Decision(
        outcome=common(verdict.outcome for verdict in verdicts),
        clauses=tuple(dict.fromkeys(clause for ruling in done for clause in ruling.clauses)),
        why="; ".join(f"{ruling.command.name}: {ruling.why or ruling.result}" for ruling in ruled),
        stamp=policy.stamp,
        verdicts=tuple(verdicts),
        notify=("approver",) if any(verdict.outcome == "staff" for verdict in verdicts) else (),
        rulings=tuple(ruled),
    )


def _rule(case: Case | None, command: Command, person: Staff, policy: Policy) -> Ruling:
    """Rule on a command; a second approver's refusal refuses what a colleague asked for, and nothing else (A12)."""
    ruling = rulings.rule(case, command, person, policy)
    waiting = case.pending.commands if case and case.pending else ()
    refuses = command.name == "reject" and waiting and all(each.name != "approve" for each in waiting)
    return Ruling(command, "done") if refuses and ruling.why in (None, "state") else ruling


def _elsewhere(case: Case, ruling: Ruling, known: Known) -> bool:
    """Say whether another case has one of these units in hand: there is never a second number for it (ST-4, AP-25)."""
    keys = {fold(serial) for serial in ruling.serials}
    others = (item for other in known.open_cases if other.id != case.id for item in other.items)
    return any(i.known and i.state not in OVER and not i.shipped_on and fold(i.serial) in keys for i in others)


def _with_pending(case: Case | None, commands: Sequence[Command]) -> list[Command]:
    """Put what waits for a second approver in the place of that approver's word (A12)."""
    if case is None or case.pending is None:
        return list(commands)
    waiting = case.pending.commands
    found: list[Command] = []
    for each in commands:
        found += waiting if each.name == "approve" and not each.prices else (each,)
    return found


def _judged(case: Case, ruling: Ruling, known: Known, policy: Policy, day: date) -> list[Verdict]:
    """Return the verdicts that a command brings about: a number, a refusal, an offer."""
    answers, named = policy.rules.answers, {fold(serial) for serial in ruling.serials}
    items = [item for item in case.items if fold(item.serial) in named]
    mail = latest_mail(case)
    if mail is None:
        return []

    def judge(answer: Answer, item: CaseItem, clauses: tuple[str, ...] = (), says: str = "") -> Verdict:
        return by_person(policy, answer, mail, about(case, Request("request")), item, case, known, clauses, says)

    match ruling.command.name:
        case "approve":
            # What was only put on hold under a number that still stands brings no letter: the customer knows it.
            new = numbers.stands(case, day) is None
            back = [item for item in items if item.resumes == "authorized"]
            fresh = [item for item in items if item.resumes is None or (item in back and (new or item.charged))]
            return [
                judge(answers.matches, item, says=answers.approved.says)
                if item.charged
                else judge(answers.approved, item, item.clauses[:1] if item.disguised else item.clauses)
                for item in fresh
            ]
        case "reject":
            found = flags(case, ruling, policy)
            here = any(item.received_on for item in items)
            said = (*(flag.says for flag in found if flag.then == "decline" and here), _sentence(ruling.command.text))
            why = " ".join(dict.fromkeys(text for text in said if text))
            first = tuple(clause for flag in found for clause in (flag.clause, *flag.also))
            return [
                judge(answers.rejected, item, first or _shown(item), why or policy.clause_text(_shown(item)[0]))
                for item in items
            ]
        case "quote":
            parts = any(item.state in HERE for item in items)
            return [judge(answers.parts_quoted if parts else answers.quoted, item) for item in items]
        case "diagnosed":
            return [
                _flagged(judge(answers.parts_quoted, item), flag)
                for item in items
                for flag in flags(case, ruling, policy)[:1]
                if flag.then in _FLAGGED and not (flag.then == "quote" and item.charged)
            ]
    return []


def _flagged(verdict: Verdict, flag: Flag) -> Verdict:
    """Return the verdict that a finding brings: on its own clauses, in its own words."""
    return structs.replace(verdict, outcome=_FLAGGED[flag.then], clauses=(flag.clause, *flag.also), says=flag.says)


def _sentence(text: str) -> str:
    """Return a colleague's words as a sentence that may stand beside others."""
    whole = text.strip()
    return f"{whole[:1].upper()}{whole[1:]}{'' if whole[-1:] in '.!?。…' else '.'}" if whole else ""


def _shown(item: CaseItem) -> tuple[str, ...]:
    """Return the clause that decided, as the customer was shown it: a stranger learns of no other (promise 7)."""
    return item.clauses[1:2] if item.disguised and len(item.clauses) > 1 else item.clauses[:1]


_FLAGGED: dict[str, Outcome] = {"quote": "quote", "decline": "decline", "hold": "staff"}
"""The outcome that a finding brings, where it brings one."""


def _clauses(case: Case, ruling: Ruling, verdicts: list[Verdict], policy: Policy) -> tuple[str, ...]:
    """Return the clauses on which a command stands."""
    answers = policy.rules.answers
    own: dict[str, Answer] = {
        "received": answers.received,
        "not_repairable": answers.unrepairable,
        "shipped": answers.shipped,
        "extend": answers.extended,
        "ship_to": answers.address,
        "close": answers.ended,
    }
    if verdicts:
        return tuple(dict.fromkeys(clause for verdict in verdicts for clause in verdict.clauses))
    if ruling.command.name == "diagnosed":
        return tuple(dict.fromkeys(c for flag in flags(case, ruling, policy) for c in (flag.clause, *flag.also)))
    answer = own.get(ruling.command.name)
    return (answer.clause, *answer.also, *answer.also_for.get(case.intent, ())) if answer else ()
