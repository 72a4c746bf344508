"""Every conversation is played; every rule of both policies is seen at work, and is missed when it is taken away.

What a rule does is proven from its text: its block is cut out of the rules file, or made to say something else, and a conversation
that came across it must then go wrong.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import msgspec
import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from support.dovecot_server import DOVECOT
from support.recorded_classes import CLASSES
from support.servers import Fresh, embedded_imap

from mailbot.commands import cli
from mailbot.decide import coverage, notices
from mailbot.model import Case, CommandResult, Finding, Reply
from mailbot.policy import facts
from mailbot.policy.policy import Policy, load_rules
from mailbot.policy.rules import AnswerRules, DecisionRule, FindingRule, InformRule
from mailbot.rehearsal.conversation_file import Conversation, ExpectedMail, load
from mailbot.rehearsal.expectations import SentMail, compare, filled, folded
from mailbot.rehearsal.incoming_mail import arriving, bare, parsed, server_of, texts
from mailbot.rehearsal.player import ConversationRun, RehearsalResult, play, policy_of
from mailbot.reply.render import EmailTemplates
from mailbot.runtime import logs
from mailbot.runtime.resources import Resources
from mailbot.runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from support.servers import Background, MailStore

    from mailbot.policy.rules import Rules
    from mailbot.rehearsal.conversation_file import ConversationStep
    from mailbot.runtime.embedded import SmtpServer

HERE = Path(__file__).parent / "conversations"
FILES = sorted(HERE.rglob("*.toml"))
COMPANIES = sorted({file.parent.name for file in FILES})
FEWEST = 120
"""Conversations of both companies together, at least."""


class Entry(NamedTuple):
    """A block of a rules file: of [[decide]] and [[inform]] the key is the place, of [answers.x] and [findings.x] the name."""

    company: str
    table: str
    key: int | str


class Witness(msgspec.Struct):
    """A conversation as it was played, and the entries of the rules that it came across."""

    file: Path
    script: Conversation
    policy: Policy
    play: ConversationRun
    touched: set[Entry]

    @property
    def emails(self) -> Iterator[SentMail]:
        """Every mail that was sent."""
        return (mail for step in self.play.steps for mail in step.sent)


# ---------------------------------------------------------------- plays


@cache
def library() -> Resources:
    """Words and templates, read once."""
    return Resources.at()


@cache
def rules(company: str) -> Rules:
    """The shipped rules of a company."""
    return library().policy(company).rules


@cache
def script(file: Path) -> Conversation:
    return load(file)


class Answering(AnswerRules, frozen=True):
    """[answers] that notice which of them is asked for."""

    def __getattribute__(self, name: str) -> Any:
        asked.add(name)
        return super().__getattribute__(name)


class Inspecting(dict[Finding, FindingRule]):
    """[findings] that notice which of them is asked for."""

    def get(self, name: Finding, default: Any = None) -> Any:
        asked.add(name)
        return super().get(name, default)


asked: set[str] = set()


@cache
def witness(file: Path) -> Witness:
    """Play a conversation once, and note which entries of the rules it came across."""
    decided: list[DecisionRule] = []
    informed: list[InformRule] = []
    decide_unit, notice_to_staff = coverage.decide_unit, notices.to_staff

    def deciding(*args: Any, **kwargs: Any) -> Any:
        verdict, rule = decide_unit(*args, **kwargs)
        decided.extend([rule] if rule else [])
        return verdict, rule

    plain = policy_of(script(file), library())

    class Watching:
        """The facts of a rule; it notes which sentences their facts let through."""

        def __getattr__(self, name: str) -> Any:
            return getattr(facts, name)

        def holds(self, when: Any, seen: Any) -> bool:
            said = facts.holds(when, seen)
            informed.extend(inform for inform in plain.rules.inform if said and inform.when is when)
            return said

    def to_staff(*args: Any, **how: Any) -> Any:
        """Note the sentences of emails to customers, not those of notices to staff."""
        before = list(informed)
        notice = notice_to_staff(*args, **how)
        informed[:] = before
        return notice

    watched = msgspec.structs.replace(
        plain.rules,
        answers=Answering(**{name: getattr(plain.rules.answers, name) for name in AnswerRules.__struct_fields__}),
        findings=Inspecting(plain.rules.findings),
    )
    asked.clear()
    with (
        patch.object(coverage, "decide_unit", deciding),
        patch.object(notices, "to_staff", to_staff),
        patch.object(notices, "vocabulary", Watching()),
    ):
        played = play(script(file), msgspec.structs.replace(plain, rules=watched), file.parent, classifier=CLASSES)
    company = script(file).policy
    touched = {
        *(Entry(company, "decide", place) for place, rule in enumerate(plain.rules.decide) if rule in decided),
        *(Entry(company, "inform", place) for place, inform in enumerate(plain.rules.inform) if inform in informed),
        *(Entry(company, "answers", name) for name in AnswerRules.__struct_fields__ if name in asked),
        *(Entry(company, "findings", name) for name in plain.rules.findings if name in asked),
    }
    return Witness(file, script(file), plain, played, touched)


def of(company: str) -> list[Witness]:
    """Every conversation of a company, played."""
    return [witness(file) for file in FILES if script(file).policy == company]


@pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name}: {script(file).title}" for file in FILES])
def test_conversation(file: Path) -> None:
    """The conversation goes as its file says."""
    failure = witness(file).play.failure
    assert failure is None, "\n".join([f"{file}: step {failure.step}: {failure.what}", *failure.detail])


def test_there_are_conversations_for_everything() -> None:
    """There are at least as many conversations as the two policies need."""
    assert len(FILES) >= FEWEST


def test_each_title_is_a_sentence_of_its_own() -> None:
    """No two conversations of a company bear the same title, and each says something."""
    titles = [(script(file).policy, script(file).title) for file in FILES]
    assert [title for title, times in Counter(titles).items() if times > 1] == []
    assert all(len(title.split()) >= 5 for _, title in titles)


# ---------------------------------------------------------------- every entry of the rules

HEADER = re.compile(r"^\[\[?(\w+)(?:\.(\w+))?\]\]?[ \t]*(?:#.*)?$")


@cache
def text(company: str) -> tuple[str, ...]:
    """The lines of a company's rules file."""
    return tuple((library().rules / f"{company}.toml").read_text(encoding="utf-8").splitlines())


@cache
def blocks(company: str) -> dict[Entry, tuple[int, int]]:
    """Where each entry of the rules file begins and ends: from its header to the next."""
    heads = [(line, found) for line, said in enumerate(text(company)) if (found := HEADER.match(said))]
    ends = [line for line, _ in heads[1:]] + [len(text(company))]
    places: Counter[str] = Counter()
    parts: dict[Entry, tuple[int, int]] = {}
    for (line, head), end in zip(heads, ends, strict=True):
        table, name = head[1], head[2]
        parts[Entry(company, table, name or places[table])] = line, end
        places[table] += 1
    return parts


def entries(*tables: str) -> list[Entry]:
    return [entry for company in COMPANIES for entry in blocks(company) if entry.table in tables]


def name_of(entry: Entry) -> str:
    """What an entry is about, to be read in a list of tests."""
    found: Any = getattr(rules(entry.company), entry.table)
    if isinstance(found, tuple):
        found = found[int(entry.key)]
        when = ", ".join(f"{fact} {condition}" for fact, condition in found.when.items())
        what = f"then {found.then}" if isinstance(found, DecisionRule) else f"at {' '.join(found.moment)}: {found.says[:40]}"
        return f"{found.clause} {what} {'where ' + when if when else ''}".strip()
    return f"{entry.table}.{entry.key}"


@cache
def disabled(entry: Entry) -> str:
    """Return the rules text without an entry; where it must be there, with one in its place that says nothing to the point."""
    lines, (begin, end) = list(text(entry.company)), blocks(entry.company)[entry]
    last = entry == Entry(entry.company, "decide", len(rules(entry.company).decide) - 1)
    if entry.table != "answers" and not last:
        return "\n".join([*lines[:begin], *lines[end:]])
    block = "\n".join(lines[begin:end])
    cited = set(re.findall(r"\b[A-Z]{2}-\d+\b", block))
    other = next(clause for clause in rules(entry.company).clauses if clause not in cited)
    kept = [line for line in block.splitlines() if re.match(r"\[|then\b|ask\b|notify\b", line)]
    return "\n".join([*lines[:begin], *kept, f'clause = "{other}"', 'says = "-"', 'source = "-"', "", *lines[end:]])


def missed(entry: Entry, seen: Witness) -> bool:
    """Whether a conversation goes wrong once an entry of the rules is gone."""
    changed, stamp = load_rules(entry.company, disabled(entry), f"{entry.company}.toml", seen.script.rules)
    policy = msgspec.structs.replace(seen.policy, rules=changed, stamp=stamp)
    return play(seen.script, policy, seen.file.parent, classifier=CLASSES).failure is not None


def says(entry: Entry) -> re.Pattern[str]:
    """The sentence of an entry, folded; placeholders are whatever they were filled with."""
    table: Any = getattr(rules(entry.company), entry.table)
    found: Any = getattr(table, str(entry.key)) if isinstance(table, AnswerRules) else table[entry.key]
    return re.compile(".+".join(re.escape(folded(part)) for part in re.split(r"\{\w+\}", found.says)))


def reads(entry: Entry, seen: Witness) -> bool:
    """Whether somebody reads the sentence of an entry, or a letter of its name."""
    pattern = says(entry)
    return any(mail.reply.template == f"progress {entry.key}" or pattern.search(folded(mail.text)) for mail in seen.emails)


ENTRIES = entries("decide", "inform", "answers", "findings")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda each: f"{each.company}: {name_of(each)}")
def test_an_entry_of_the_rules_that_is_gone_is_missed(entry: Entry) -> None:
    """Each decision, answer, finding and sentence is reached by a conversation, which goes wrong without it."""
    found = [seen for seen in of(entry.company) if entry in seen.touched and seen.play.failure is None]
    assert found, "no conversation reaches it"
    found = [seen for seen in found if reads(entry, seen)] or found
    found.sort(key=lambda seen: len(seen.script.step))
    assert any(missed(entry, seen) for seen in found), f"none of {len(found)} conversations notices that it is gone"


@pytest.mark.parametrize("entry", entries("inform"), ids=lambda each: f"{each.company}: {name_of(each)}")
def test_every_sentence_is_read_by_somebody(entry: Entry) -> None:
    """Each [[inform]] entry is in an email from some conversation, and its clause is on record for that mail."""
    clause, pattern = rules(entry.company).inform[int(entry.key)].clause, says(entry)
    assert any(
        pattern.search(folded(mail.text)) and clause in mail.reply.cites
        for seen in of(entry.company)
        if entry in seen.touched
        for mail in seen.emails
    )


# ---------------------------------------------------------------- every clause of the policies


def clauses(*kinds: str) -> list[tuple[str, str]]:
    """Every clause of both policies that is of one of these kinds."""
    return [
        (company, clause)
        for company in COMPANIES
        for clause, about in rules(company).clauses.items()
        if set(kinds) & set(about.kind.split(", "))
    ]


def expectations(company: str) -> Iterator[ExpectedMail]:
    return (sent for seen in of(company) for step in seen.script.step for sent in step.sent or ())


def is_cited(company: str, clause: str) -> bool:
    """Whether a conversation expects an email that cites the clause."""
    return any(clause in texts(sent.cites) for sent in expectations(company))


def is_missing_elsewhere(company: str, clause: str) -> bool:
    """Whether a conversation forbids the clause in an email, or a letter of the same kind goes out without it.

    What belongs to every letter to a customer is looked for among the letters to staff.
    """
    if any(clause in texts(sent.cites_not) for sent in expectations(company)):
        return True
    emails = [mail.reply for seen in of(company) for mail in seen.emails]
    kinds = {mail.template for mail in emails if clause in mail.cites}
    if any("every" in inform.moment for inform in rules(company).inform if inform.clause == clause):
        return all(clause not in mail.cites for mail in emails if mail.audience == "staff")
    return any(mail.template in kinds and clause not in mail.cites for mail in emails)


@pytest.mark.parametrize(("company", "clause"), clauses("D", "I"))
def test_a_clause_is_cited_where_it_holds_and_nowhere_else(company: str, clause: str) -> None:
    """Each clause that mailbot decides on, or informs of, is cited in one conversation, and is not in another that is like it."""
    assert is_cited(company, clause), "no conversation expects it to be cited"
    assert is_missing_elsewhere(company, clause), "no conversation shows where it does not hold"


def decided_by_staff(seen: Witness) -> Iterator[tuple[RehearsalResult, set[str]]]:
    """Yield each step in which a command of staff was carried out, and the clauses on which it stood."""
    staff = {person.address for person in seen.policy.desk.staff}
    for step in seen.play.steps:
        if bare(step.step.from_) not in staff or step.case is None:
            continue
        last = step.case.history[-1]
        done: list[CommandResult] = [ruling for ruling in last.decision.command_results if ruling.result == "done"]
        if done:
            yield step, {clause for ruling in done for clause in ruling.clauses}


@pytest.mark.parametrize(("company", "clause"), clauses("S"))
def test_a_person_decides_where_the_policy_wants_one(company: str, clause: str) -> None:
    """Each clause that is for a person to decide on is decided on by staff in a conversation, by mail, and is on record for it."""
    assert any(
        clause in stood or any(clause in texts(sent.cites) for sent in step.step.sent or ())
        for seen in of(company)
        for step, stood in decided_by_staff(seen)
    )


@pytest.mark.parametrize("company", COMPANIES)
def test_every_cited_clause_exists(company: str) -> None:
    """No mail cites a clause that the policy does not have, and no conversation expects one."""
    known = set(rules(company).clauses)
    expected = {clause for sent in expectations(company) for clause in (*texts(sent.cites), *texts(sent.cites_not))}
    assert expected <= known
    for seen in of(company):
        assert {clause for mail in seen.emails for clause in mail.reply.cites} <= known, seen.file


# ---------------------------------------------------------------- what holds for every mail


def letters(company: str) -> Iterator[tuple[Witness, SentMail]]:
    """Every letter to a customer, in every conversation of a company."""
    return ((seen, mail) for seen in of(company) for mail in seen.emails if mail.reply.audience == "customer")


@pytest.mark.parametrize("company", COMPANIES)
def test_every_letter_names_who_can_be_asked_and_the_version_of_the_policy(company: str) -> None:
    """Every letter has the contact block, and the version with the digest under which it was decided (AP-48, ST-18, ST-19)."""
    for seen, mail in letters(company):
        version = f"{seen.policy.stamp.version} ({seen.policy.stamp.digest[:8]})"
        missing = [line for line in (*rules(company).contact.lines, version) if folded(line) not in folded(mail.text)]
        assert missing == [], f"{seen.file}: {mail.reply.subject}"


@pytest.mark.parametrize("company", COMPANIES)
def test_a_number_in_a_letter_is_in_its_subject(company: str) -> None:
    """Whatever letter names an RMA number bears one in its subject, so that all correspondence does (AP-31, ST-11)."""
    for seen, mail in letters(company):
        number = re.compile(seen.policy.desk.number_form, re.IGNORECASE)
        if number.search(mail.text):
            assert number.search(mail.reply.subject), f"{seen.file}: {mail.reply.subject}"


@pytest.mark.parametrize("company", COMPANIES)
def test_a_number_is_given_once_and_it_is_on_record_by_whom(company: str) -> None:
    """No number stands for two cases, and each names the rule or the person that issued it (AP-25, ST-4)."""
    for seen in of(company):
        cases = [step.case for step in seen.play.steps if step.case]
        given = {(case.number.text, case.id): case.number.issued_by for case in cases if case.number}
        assert len({number for number, _ in given}) == len(given), seen.file
        issuers = {f"rule {clause}" for clause in rules(company).clauses} | {p.address for p in seen.policy.desk.staff}
        assert set(given.values()) <= issuers, seen.file


@pytest.mark.parametrize("company", COMPANIES)
def test_what_is_for_the_first_letter_is_said_once(company: str) -> None:
    """A sentence for the first answer is in no second letter of the same case (ST-2)."""
    own = [entry for entry in entries("inform") if entry.company == company]
    patterns = [says(entry) for entry in own if rules(company).inform[int(entry.key)].moment == ("first",)]
    said: Counter[tuple[Path, str, int]] = Counter()
    for seen, mail in letters(company):
        case = mail.reply.message_id.partition(".")[0]
        said.update((seen.file, case, place) for place, sentence in enumerate(patterns) if sentence.search(folded(mail.text)))
    assert [where for where, times in said.items() if times > 1] == []


def label_of(mail: SentMail) -> str:
    """Return what is on the label that goes with a letter; nothing where there is none."""
    papers = {part.get_filename(): part for part in parsed(mail.reply.raw).iter_attachments()}
    label = papers.get("label.pdf")
    if label is None:
        return ""
    pages = PdfReader(io.BytesIO(label.get_content())).pages
    return folded(" ".join(page.extract_text() for page in pages))


def test_another_delivery_address_is_on_the_label() -> None:
    """The address that staff gave for one return is on its new label, and on no other (ST-10, ST-11)."""
    seen = witness(HERE / "server-technology" / "another-delivery-address.toml")
    labels = [label for mail in seen.emails if (label := label_of(mail))]
    assert ["77 dock street" in label for label in labels] == [False, True, False]
    assert ["1040 sandhill drive" in label for label in labels] == [True, False, True]


@pytest.mark.parametrize("company", COMPANIES)
def test_a_non_owner_reads_word_for_word_what_an_unknown_serial_brings(company: str) -> None:
    """Anyone who asks for somebody else's unit cannot tell from any mail that it exists (promise 7)."""
    seen = witness(HERE / company / "stranger-is-answered-like-an-unknown-serial.toml")
    cases = [step.case for step in seen.play.steps if step.case]
    own = "|".join({name for case in cases for name in (case.id, *(item.serial for item in case.units))})
    emails: dict[str, list[str]] = {}
    for mail in seen.emails:
        emails.setdefault(mail.reply.to, []).append(re.sub(own, "#", mail.text))
    joe, jane = emails["joe@elsewhere.example"], emails["jane@elsewhere.example"]
    assert [folded(mail) for mail in joe] == [folded(mail) for mail in jane]


# ---------------------------------------------------------------- the same through real servers

SETTINGS = """
state = "tinydb:state"
timezone = "{zone}"
[[mailbox]]
address = "{address}"
policy = "{policy}"
registry = "registry.csv"
trusted_authserv_id = "{server}"
  [mailbox.imap]
  host = "{imap.host}"
  port = {imap.port}
  security = "none"
  user = "{imap.user}"
  password_env = "MAILBOX_PASSWORD"
  [mailbox.smtp]
  host = "127.0.0.1"
  port = {port}
  security = "none"
"""
PERSON = """
  [[mailbox.staff]]
  address = "{0.address}"
  roles = {1}
  limit = {0.limit}
"""


class Post:
    """A conversation through an IMAP and an SMTP server: every step is a run of ``mailbot run --once --now``."""

    def __init__(self, seen: Witness, home: Path, imap: MailStore, smtp: SmtpServer) -> None:
        self.script, self.desk, self.home, self.imap, self.smtp = seen.script, seen.policy.desk, home, imap, smtp
        self.beside = seen.file.parent
        self.sent: list[SentMail] = []
        self.numbers: list[str] = []
        self.quotes: list[tuple[str, str]] = []
        self.before: dict[str, int] = {}  # how long the history of each case was
        people = "".join(PERSON.format(each, list(each.roles)).replace("'", '"') for each in self.desk.staff)
        address, box = self.desk.address, imap.imap("desk")
        settings = SETTINGS.format(
            zone=seen.policy.timezone, address=address, policy=seen.policy.name, server=server_of(address), imap=box, port=smtp.port
        )
        (home / "mailbot.toml").write_text(settings + people, encoding="utf-8")
        rows = [msgspec.to_builtins(row) for row in seen.script.registry]
        with (home / "registry.csv").open("w", encoding="utf-8", newline="") as file:
            columns = ["serial", "model", "family", "delivered_on", "customer", "customer_domain", "extended_until"]
            more = dict.fromkeys((*columns, "revision", "repair_shipped_on", "repair_failure", *(k for r in rows for k in r)))
            table = csv.DictWriter(file, list(more), restval="")
            table.writeheader()
            table.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)

    def goes_wrong(self) -> Iterator[str]:
        """Take every step, and yield in what it goes otherwise than the file says."""
        for count, step in enumerate(self.script.step, 1):
            begun = len(self.sent)
            self._pass_time(step)
            if not step.wait:
                self.imap.deliver("desk", self._mail(step, count))
                assert len(self.imap.folder("desk")) == 1
            touched = self._run(step.at)
            assert self.imap.folder("desk") == []
            emails, expected = self.sent[begun:], step.sent or ()
            if step.quiet or step.sent is not None:
                ignored = () if step.quiet else self.script.ignore
                wrong = compare([filled(each, self._fill) for each in expected], emails, ignored)
                yield from (f"step {count}: {each}" for each in wrong)
            state = step.case.state if step.case else None
            if state and touched and state not in [case.state for case in touched]:
                yield f"step {count}: the case is {touched[-1].state}, not {state}"

    def _pass_time(self, step: ConversationStep) -> None:
        """Let come what falls due before the step, each at its time, as a daemon does."""
        while not step.down and (due := self._next_due()) and due < step.at:
            self._run(due)

    def _next_due(self) -> datetime | None:
        return min((each.at for case in self._cases() for each in case.deadlines), default=None)

    def _cases(self) -> list[Case]:
        if not (self.home / "state").exists():
            return []
        store = open_store(f"tinydb:{self.home / 'state'}", read_only=True)
        try:
            return list(store.cases())
        finally:
            store.close()

    def _run(self, at: datetime) -> list[Case]:
        """Run the command once, note what was sent, and return the cases in which something happened."""
        words = ["run", "--once", "--now", at.isoformat(), "--config", str(self.home / "mailbot.toml")]
        seen = len(self.smtp.received)
        done = CliRunner(env={"MAILBOX_PASSWORD": self.imap.imap("desk").password}).invoke(cli, words)
        assert done.exit_code == 0, f"{done.output}{done.exception!r}"
        cases = sorted(self._cases(), key=lambda case: case.number.text if case.number else "")
        replies = {f"<{reply.message_id}>": reply for case in cases for reply in case.replies}
        for mail in self.smtp.received[seen:]:
            raw = mail.raw.decode("ascii")
            plain = Reply("", self.desk.address, mail.recipient, "", raw, at, "")
            read = parsed(plain.raw)
            known = replies.get(str(read["Message-ID"]), plain)
            self.sent.append(SentMail.of(msgspec.structs.replace(known, raw=raw, subject=str(read["Subject"]))))
        self.numbers += [case.number.text for case in cases if case.number and case.number.text not in self.numbers]
        offers = [(quote.number, f"{quote.total:.2f}") for case in cases for quote in case.quotes]
        self.quotes += [offer for offer in offers if offer not in self.quotes]
        touched = [case for case in cases if len(case.history) > self.before.get(case.id, 0)]
        self.before = {case.id: len(case.history) for case in cases}
        return touched

    def _mail(self, step: ConversationStep, count: int) -> bytes:
        whose = step.bounce.of if step.bounce else step.from_ if step.reply_to_last is True else step.reply_to_last or ""
        last = next((mail.reply.raw for mail in reversed(self.sent) if mail.reply.to.lower() == bare(whose)), "")
        return arriving(step, count, self.desk.address, last, self._fill, self.beside)

    def _fill(self, said: str) -> str:
        values = {"rma": self.numbers, "quote": [q for q, _ in self.quotes], "amount": [total for _, total in self.quotes]}
        return re.sub(r"\{(rma|quote|amount)(\d+)\}", lambda found: values[found[1]][int(found[2]) - 1], said)


def sample(company: str, most: int = 10) -> list[Path]:
    """Conversations from all over a company's, those under its rules as they are shipped."""
    plain = [file for file in FILES if script(file).policy == company and not script(file).rules]
    return list(itertools.islice(plain[:: max(1, len(plain) // most)], most))


@pytest.fixture
def mail_server(request: pytest.FixtureRequest, background: Background) -> Iterator[MailStore]:
    """Dovecot where it is installed, else the embedded server."""
    if DOVECOT:
        yield Fresh(request.getfixturevalue("a_dovecot"))
        return
    with embedded_imap(background) as server:
        yield server


SAMPLE = [file for company in COMPANIES for file in sample(company)]


@pytest.mark.parametrize("file", SAMPLE, ids=[f"{file.parent.name}: {script(file).title}" for file in SAMPLE])
def test_conversation_through_real_servers(
    file: Path, tmp_path: Path, mail_server: MailStore, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same conversation goes the same way by the real command between a real IMAP and a real SMTP server."""
    # What no run changes is read once for all of them: words, and templates that every start would write out to look at them.
    monkeypatch.setattr(Resources, "at", lambda _: library())
    monkeypatch.setattr(EmailTemplates, "check", lambda _: [])
    monkeypatch.setattr(logs, "configure", lambda: None)  # it would log to a stream that ends with the run
    assert list(Post(witness(file), tmp_path, mail_server, smtp_server).goes_wrong()) == []
