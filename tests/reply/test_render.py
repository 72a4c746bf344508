"""Letters: what a customer reads, as text and as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from support.sample_emails import CHINESE, HOSTILE, hard_letters, sample, shipped, sources

from mailbot.reply.email_content import ClauseSentence, EmailContent, UnitBlock
from mailbot.reply.render import EmailTemplates, TemplateError
from mailbot.reply.samples import SAMPLES
from mailbot.reply.wrap import COLUMNS, wrap

LETTERS = shipped()
EVERY = [*SAMPLES, *hard_letters()]
VOID = {"meta", "br", "hr"}


def text_of(letter: EmailContent) -> str:
    return LETTERS.render(letter, "default")[0]


def words_of(letter: EmailContent) -> str:
    """The text as one line, so that a line break does not matter."""
    return " ".join(text_of(letter).split())


class Reader(HTMLParser):
    """What an email program sees: words and elements; complains about elements that are not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.open, self.seen = "", [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open and "title" not in self.open:
            self.words += data


def test_the_shipped_templates_have_no_problem():
    """Every shipped template is sound, and every letter says its number, its address and its clauses."""
    assert LETTERS.check() == []


@pytest.mark.parametrize("letter", EVERY)
def test_text_is_created_for_any_mail_program(letter):
    """Lines are short, without trailing spaces and without gaps, and the text ends with one line end."""
    text = text_of(letter)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    for line in text.splitlines():
        assert line == line.rstrip()
        assert len(line) <= COLUMNS or "://" in line or line.startswith("  mailto:")


@pytest.mark.parametrize("letter", EVERY)
def test_html_is_sound_and_brings_nothing_from_outside(letter):
    """The HTML is closed properly, names its language, and holds no script, picture, form or link to a page."""
    html = LETTERS.render(letter, "default")[1]
    reader = Reader(html)
    tags = {tag for tag, _ in reader.seen}
    assert reader.open == []
    assert ("html", {"lang": "en"}) in reader.seen
    assert tags.isdisjoint({"script", "img", "link", "form", "iframe", "b"})
    assert all(attributes["href"].startswith("mailto:") for tag, attributes in reader.seen if tag == "a")
    assert "url(" not in html


@pytest.mark.parametrize("letter", SAMPLES)
def test_no_letter_shouts(letter):
    """No letter holds an exclamation mark."""
    assert "!" not in text_of(letter)


@pytest.mark.parametrize("letter", EVERY)
def test_text_and_html_say_the_same(letter):
    """Anyone who reads the HTML reads the words of the text, and the other way round."""
    text, html = LETTERS.render(letter, "default")
    text = re.sub(r"^  mailto:.*", "", text, flags=re.MULTILINE)
    shown = Reader(html.replace("<li", " <li").replace("<br>", " ")).words
    plain = "".join(re.findall(r"\w+", shown))
    assert "".join(re.findall(r"\w+", text)) == plain


def test_T7_what_a_customer_writes_is_never_interpreted():
    """Template code, markup and line breaks in a reason come out as the words they are."""
    text, html = LETTERS.render(hard_letters()[0], "default")
    assert "{{7*7}} {% raw %} <script>alert(1)</script>" in " ".join(text.split())
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#34;quoted&#34; &amp;" in html
    assert "\nBcc:" not in text
    for unseen in "\x1b\u202e":
        assert unseen not in text + html


def test_an_issued_number_comes_first():
    """The first sentence gives the number and the day until which the unit must be shipped."""
    assert "Your RMA number is N-SAMPLE. Please ship the unit by 8 May 2031." in words_of(SAMPLES[0])


def test_what_is_here_already_is_not_asked_for_again():
    """Who asks again for a unit that has arrived gets its number, and is not told to ship it."""
    arrived = next(letter for letter in SAMPLES if letter.kind == "answer" and letter.units[0].state == "received")
    assert "You already have the RMA number N-SAMPLE for the unit." in words_of(arrived)
    assert "Please ship" not in words_of(arrived)


def test_a_quote_says_the_amount_and_asks_for_the_order():
    """A chargeable unit is answered with the total and what the purchase order must quote."""
    quoted = next(letter for letter in SAMPLES if letter.quote)
    order = "please answer this mail with a copy of your purchase order over EUR 15.00, quoting Q-SAMPLE."
    assert f"is charged: EUR 15.00. To go ahead, {order}" in words_of(quoted)


def test_what_is_missing_is_asked_for_unit_by_unit():
    """Each unit has its own line to fill in, with nothing else on it."""
    unit = UnitBlock("SAMPLE-9", "ask", asks=("reason",))
    other = UnitBlock("", "ask", reason="no link", asks=("serial",))
    text = text_of(replace(sample("answer"), units=(unit, other), asks=("reason", "serial"), number="", ship_to=()))
    assert "    What is wrong with SAMPLE-9:\n" in text
    assert '    Serial number of the unit with "no link":\n' in text


def test_P1_an_unmatched_serial_gets_the_same_words_anyone_who_asks():
    """The question about a serial number that we cannot match depends on nothing but that number."""
    unit = UnitBlock(
        "SAMPLE-4", "ask", (ClauseSentence("X-3", "We need a serial number that we can match."),), asks=("known_serial",)
    )
    words = words_of(replace(sample("answer"), units=(unit,), asks=("known_serial",), number="", ship_to=()))
    assert (
        "We could not match the serial number SAMPLE-4. Please check the number on the label, or send us the proof of "
        "purchase; a person looks at it." in words
    )
    assert words.count("could not match") == 1


def test_a_mixed_request_names_the_next_step_of_every_unit():
    """With several outcomes in one mail each serial number is next to what comes next for it."""
    words = words_of(hard_letters()[0])
    assert "Your RMA number for 1 of your 5 units is N-SAMPLE." in words
    assert "SAMPLE-2: please answer this mail with a copy of your purchase order" in words
    assert "SAMPLE-3: please answer our questions below." in words
    assert "SAMPLE-4: nothing to do now; a colleague will look at it and answer you." in words
    assert "SAMPLE-5: we are sorry, not accepted; the reason stands below." in words


@pytest.mark.parametrize("letter", [letter for letter in SAMPLES if letter.kind in ("answer", "reminder", "expired", "closed")])
def test_no_letter_promises_which_remedy_comes(letter):
    """Before a unit has been examined, repair, replacement or credit is the company's choice: the templates never name one."""
    assert not re.search(r"\b(repair|replac|credit|refund)", text_of(replace(letter, units=(), clauses=())))


def test_a_company_and_a_language_go_before_the_default():
    """The customer's language goes first, the company's own template before the default; English serves where both lack."""
    letters = EmailTemplates.of(
        sources()
        | {
            "acme/en/closed.txt": "acme english",
            "default/de/closed.txt": "default german",
            "acme/de/expired.txt": "acme german",
            "default/de/_phrases.jinja": sources()["default/en/_phrases.jinja"].replace('"en"', '"de"'),
        }
    )
    closed, expired = sample("closed"), sample("expired")
    german = replace(closed, language="de")
    assert letters.render(closed, "acme")[0] == "acme english\n"
    assert letters.render(german, "acme")[0] == "default german\n"
    assert letters.render(german, "other")[0] == "default german\n"
    assert letters.render(replace(expired, language="de"), "acme")[0] == "acme german\n"
    assert letters.render(expired, "acme")[0] == text_of(expired)
    assert letters.render(replace(closed, language="fr"), "other")[0] == text_of(closed)
    assert '<html lang="de">' in letters.render(german, "other")[1]


@pytest.mark.parametrize(
    ("path", "source", "line", "what", "fix"),
    [
        ("acme/en/closed.jinja", "fine\n{{ numbr }}", 2, "'numbr' is not known here", "did you mean 'number'?"),
        ("acme/en/closed.jinja", "{% if no %}\n{{ contact.compny }}", 2, "", "fix the syntax there"),
        ("acme/en/closed.jinja", "\n\n{{ contact.compny }}", 3, "'compny' is not known here", "did you mean 'company'?"),
        ("acme/en/closed.jinja", "{{ number|uper }}", 1, "No filter named 'uper'.", "did you mean 'upper'?"),
        ("acme/en/closed.jinja", "\n{{ 1 / 0 }}", 2, "division by zero", "fix the expression there"),
        ("acme/en/closed.jinja", "\n{% include '_pats' %}", 2, "there is no template '_pats.txt'", "add it, or fix its name"),
        ("acme/en/closed.jinja", "{{ ().__class__ }}", 1, "access to attribute '__class__'", "fix the expression there"),
        ("acme/en/closd.jinja", "", 0, "no kind of email is called 'closd'", "did you mean 'closed'?"),
        ("acme/closed.jinja", "", 0, "not a template", "name it"),
        ("acme/en/expired.txt", "No longer valid.", 0, "the email does not contain 'N-SAMPLE'", "add it"),
    ],
)
def test_a_template_in_error_is_found_before_the_first_mail(path, source, line, what, fix):
    """An error in a template is found by the check, with file, line and how to fix it."""
    found = EmailTemplates.of({**sources(), path: source}).check()
    assert any((p.template, p.line) == (path, line) and what in p.what and fix in p.fix for p in found), found
    assert all(str(p).startswith(path) for p in found)


def test_a_template_in_error_stops_the_letter_and_says_where():
    """A letter is never sent half written: the failure names file, line and fix."""
    letters = EmailTemplates.of({**sources(), "acme/en/closed.jinja": "\n{{ numbr }}"})
    with pytest.raises(TemplateError) as failure:
        letters.render(sample("closed"), "acme")
    assert str(failure.value) == "acme/en/closed.jinja, line 2: 'numbr' is not known here; did you mean 'number'?"


def test_letters_without_templates_say_so():
    """An empty folder of templates is a problem with a name."""
    assert "there is no template" in str(EmailTemplates.of({}).check()[0])


def test_filling_keeps_addresses_and_unbroken_links():
    """Margins, list items and web addresses survive; Chinese is broken between characters, not before a comma."""
    link = "https://sample.example/" + "a" * 100
    filled = wrap(f"- {'word ' * 30}{link}\n\n\n\n    Street 1\n    Town\n| {'quoted ' * 20}\n{CHINESE}   \n\n")
    lines = filled.splitlines()
    assert f"  {link}" in lines
    assert lines[1].startswith("  word")
    assert "    Street 1\n    Town\n" in filled
    assert sum(line.startswith("| quoted") for line in lines) == 2
    assert not any(line.startswith(("，", "。")) for line in lines)
    assert all(len(line) <= COLUMNS // 2 + 1 for line in lines[-5:])
    assert "".join(lines).endswith(CHINESE[-3:])
    assert HOSTILE.split()[0] in wrap(HOSTILE)
