"""Letters to staff: what is asked comes first, every answer is a click away, and no customer ever sees one."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import get_args
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from jinja2 import meta
from msgspec.structs import replace
from support.sample_emails import HOSTILE, sample, shipped, sources

from mailbot.case.lifecycle import TRANSITIONS, states_for
from mailbot.model import CommandName
from mailbot.reply import staff_actions
from mailbot.reply.email_content import CommandLine, EmailContent, StaffAction
from mailbot.reply.render import KINDS
from mailbot.reply.samples import SAMPLES
from mailbot.reply.staff_actions import link
from mailbot.reply.wrap import wrap

LETTERS = shipped()
STAFF = ("notice", "transcript")
OWN = ("rulings", "choices", "facts", "quoted", "sender", "mailbox")
"""What only letters to staff may show."""
ADDRESS = "desk+c-abcdefghij.0123456789abcdef0123456789abcdef@sample.example"
SUBJECT = f"Re: [C-SAMPLE] {HOSTILE}".replace("/", "")
WRITTEN = tuple(text.replace("{currency}", "EUR") for text in staff_actions._WRITTEN.values())

# RFC 6068 §2: mailto: address ? name=value & name=value; what stands for itself, and octets in hexadecimal.
QCHAR = r"(?:[A-Za-z0-9\-._~!$'()*+,;:@]|%[0-9A-F]{2})*"
MAILTO = re.compile(rf"mailto:{QCHAR}(?:\?[a-z]+={QCHAR}(?:&[a-z]+={QCHAR})*)?")


class Anchors(HTMLParser):
    """The links of a page, as a mail program reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attrs))


def words_of(letter: EmailContent) -> str:
    return " ".join(LETTERS.render(letter, "default")[0].split())


def offering(*commands: str, subject: str = "Re: [C-SAMPLE]", kind: str = "transcript", about: str = "done") -> EmailContent:
    """A letter to staff that offers these commands."""
    found = tuple(StaffAction(text, link(ADDRESS, subject, text)) for text in commands)
    return replace(sample(kind, about), choices=found)


@pytest.mark.parametrize("body", [*WRITTEN, "CONFIRM", SUBJECT, "50% & more? #1 + 1 = 2\r\nBcc: x@evil.example", "寄回"])
def test_every_link_is_a_mailto_that_any_mail_program_reads(body: str) -> None:
    """A link names one address, a subject and a body, and nothing in them becomes another field (RFC 6068)."""
    found = link(ADDRESS, SUBJECT, body)
    assert MAILTO.fullmatch(found)
    parts = urlsplit(found)
    assert unquote(parts.path) == ADDRESS
    assert dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)) == {"subject": SUBJECT, "body": body}


@pytest.mark.parametrize("kind", STAFF)
def test_html_and_text_hold_the_same_whole_links(kind: str) -> None:
    """A click in the HTML and a click in the text write the same mail; no line of the text is broken inside a link."""
    letter = offering(*WRITTEN, subject=SUBJECT * 3, kind=kind, about="done" if kind == "transcript" else "held")
    text, html = LETTERS.render(letter, "default")
    wanted = [choice.link for choice in letter.choices]
    assert [anchor["href"] for anchor in Anchors(html).links] == wanted
    assert [line.strip() for line in text.splitlines() if "mailto:" in line] == wanted


def test_a_link_is_never_broken_whatever_stands_around_it() -> None:
    """Wrapping leaves a link whole, however long it is and however deep it stands."""
    found = link(ADDRESS, "寄回 " * 40, "x" * 400)
    assert found in wrap(f"- some words before {found}\n").split()
    assert found in wrap(f"        {found}\n").split()


@pytest.mark.parametrize("kind", STAFF)
def test_T7_a_command_cannot_break_out_of_its_button(kind: str) -> None:
    """Quotes and markup in a command, or in a link, stay inside the attribute and the words they belong to."""
    evil = StaffAction('A" onclick="x()"><script>', 'mailto:a@b.example?body="><script>alert(1)</script>')
    html = LETTERS.render(replace(sample(kind, "done" if kind == "transcript" else "held"), choices=(evil,)), "default")[1]
    page = Anchors(html)
    assert [anchor["href"] for anchor in page.links] == [evil.link]
    assert set(page.links[0]) == {"href", "style"}
    assert "script" not in page.tags


def test_T7_what_a_colleague_wrote_is_never_interpreted() -> None:
    """Markup in a command, in its answer and in the mail itself comes out as the words they are."""
    line = CommandLine(HOSTILE, "quote", "refused", "flaw", flaw=HOSTILE)
    letter = replace(sample("transcript", "unclear"), command_results=(line,), quoted=HOSTILE, sender=HOSTILE)
    text, html = LETTERS.render(letter, "default")
    assert Anchors(html).tags.isdisjoint({"script", "b"})
    assert "{{7*7}} {% raw %} <script>alert(1)</script>" in " ".join(text.split())


@pytest.mark.parametrize(("name", "text"), staff_actions._WRITTEN.items())
def test_every_offer_says_what_it_does_or_what_is_to_be_filled_in(name: CommandName, text: str) -> None:
    """No button stands there without a word beside it; one that is not complete says so on its face."""
    text = text.replace("{currency}", "EUR")
    letter = LETTERS.render(offering(text), "default")[0]
    offered = letter.partition("What you can answer:")[2]
    label, _, beside = next(line[2:] for line in offered.splitlines() if line.startswith("- ")).partition(": ")
    incomplete = name in ("reject", "quote", "diagnosed", "shipped")
    assert beside
    assert label.endswith("…") == beside.startswith("fill in ") == incomplete
    assert incomplete or label == text


@pytest.mark.parametrize("name", get_args(CommandName))
def test_O2_force_is_offered_where_it_helps(name: CommandName) -> None:
    """A refused command names FORCE only where the lifecycle lets it be forced."""
    line = CommandLine(name.upper(), name, "refused", "state", states=states_for(name))
    forced = any(way.command == name and way.forced for way in TRANSITIONS)
    assert ("FORCE" in words_of(replace(sample("transcript", "done"), command_results=(line,)))) == forced


DONE = CommandLine("RECEIVED", "received", "done")
SECOND = CommandLine("QUOTE 900 EUR", "quote", "second", "limit")
REFUSED = CommandLine("SHIPPED by us", "shipped", "refused", "flaw", flaw="carrier")
HELP = CommandLine("HELP", "help", "done")


@pytest.mark.parametrize(
    ("rulings", "lead"),
    [
        ((DONE,), "Done."),
        ((HELP,), "Here is what you can write."),
        ((DONE, HELP), "Done."),
        ((DONE, REFUSED), "Done in part: please see what could not be done."),
        ((DONE, SECOND), "Done in part: for the rest a second approver has been asked."),
        ((SECOND,), "Nothing has changed yet: a second approver has been asked."),
        ((REFUSED,), "Nothing has changed: it could not be done."),
        ((REFUSED, SECOND), "Nothing has changed yet: a second approver has been asked, and the rest could not be done."),
    ],
)
def test_a_transcript_begins_with_what_came_of_it(rulings: tuple[CommandLine, ...], lead: str) -> None:
    """The first sentence says whether all, some or nothing of it was done."""
    words = words_of(replace(sample("transcript", "done"), command_results=rulings))
    assert words.startswith(lead + " ")
    assert ("All commands:" in words) == (HELP in rulings)


@pytest.mark.parametrize("about", ["held", "second", "passed_on", "repair_due", "repair_overdue", "told", "undeliverable"])
def test_a_notice_asks_first_then_tells_then_offers(about: str) -> None:
    """What is asked of the reader comes first, then the facts, then the buttons; the clauses stand at the end."""
    letter = next(each for each in SAMPLES if (each.kind, each.about) == ("notice", about) and each.choices)
    text = LETTERS.render(letter, "default")[0]
    places = [text.index(word) for word in ("Case:", "SAMPLE-", "What you can answer:", "mailto:", "Policy version:")]
    assert places == sorted(places)
    assert places[0] > 20


def test_a_notice_of_a_date_does_not_claim_that_somebody_was_answered() -> None:
    """Where no mail came, nobody was answered: the notice says that a date has passed."""
    words = words_of(replace(sample("notice", "told"), quoted=""))
    assert words.startswith("For your information: a date of this case has passed.")
    assert "answered" not in words


def _read(name: str, seen: set[str]) -> set[str]:
    """The facts that a template reads, and all that it extends or imports."""
    room, files = LETTERS.scopes["default", "en"], sources()
    path = next(p for p in (f"default/en/{name}.jinja", f"default/en/{name}.html") if p in files)
    tree = room.parse(files[path])
    found = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        if other and other not in seen:
            found |= _read(other, seen | {other})
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in STAFF])
def test_promise_7_no_letter_to_a_customer_can_show_what_is_for_staff(kind: str) -> None:
    """Templates for customers do not even look at commands, buttons, facts of the registry or a colleague's words."""
    assert _read(kind, set()).isdisjoint(OWN)
    assert "choices" in _read("notice", set())
    for letter in (each for each in SAMPLES if each.kind == kind):
        full = replace(
            letter,
            command_results=(CommandLine("SECRET", "approve", "done"),),
            choices=(StaffAction("SECRET", "mailto:secret@sample.example"),),
            facts=(("secret", "SECRET"),),
            quoted="SECRET",
            sender="secret@sample.example",
        )
        assert LETTERS.render(full, "default") == LETTERS.render(letter, "default")
