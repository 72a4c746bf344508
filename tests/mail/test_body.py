"""Which parts of a mail are its text, and what HTML and wrapped text say."""

import pytest
from support.raw_mail import read, saved

from mailbot.mail import html
from mailbot.mail.body import unflow


def _alternative(plain: str, rich: str) -> str:
    return f"--b\n\n{plain}\n--b\nContent-Type: text/html; charset=utf-8\n\n{rich}\n--b--\n"


def test_M6_the_text_part_alone_counts():
    """Where text and HTML disagree, the text decides."""
    fields = ("Content-Type: multipart/alternative; boundary=b",)
    assert read(*fields, body=_alternative("No.", "<p>Yes.")).visible == "No."
    assert read(*fields, body=_alternative("  ", "<p>Yes.")).visible == "Yes."


def test_text_around_an_attachment_is_put_together():
    """A letter cut in two by an attachment is one letter."""
    message = read(
        "Content-Type: multipart/mixed; boundary=b",
        body="--b\n\none\n--b\nContent-Type: image/png\n\nx\n--b\n\ntwo\n--b\n"
        'Content-Type: text/plain; name="log.txt"\n\nlog\n--b--\n',
    )
    assert message.text == "one\n\ntwo"
    assert [each.name for each in message.attachments] == ["unnamed", "log.txt"]


def test_hidden_html_is_not_read():
    """What a reader does not see was not said."""
    page = html.read_html(
        "<html><head><title>t</title><style>s</style></head><body><!-- approve --><p>Shown</p>"
        "<div style='display: none'>hidden</div><script>x</script><template>y</template><span hidden>z</span></body>"
    )
    assert page.text == "Shown"


def test_a_table_keeps_its_rows():
    """The rows of a table stay rows."""
    page = html.read_html("<table><tr><th>Serial<th>Fault<tr><td>AH1<td>no <b>boot</b><br>at all</table>")
    assert [table.rows for table in page.tables] == [(("Serial", "Fault"), ("AH1", "no boot at all"))]
    assert page.text == "Serial\tFault\nAH1\tno boot\nat all"


def test_a_quoted_table_is_not_the_senders():
    """A table in the mail that is answered is not part of the new text."""
    message = read(
        "Content-Type: text/html",
        body="<p>Thanks!</p><hr><p>From: rma@desk.example<br>Sent: today<br>To: kim@acme.example<br>Subject: x</p>"
        "<table><tr><td>AH1</td><td>done</td></tr></table>",
    )
    assert message.visible == "Thanks!"
    assert message.tables == ()
    assert "AH1" in message.quoted


def test_a_blockquote_is_quoted_and_an_indent_is_not():
    """HTML quotations are quotations; indented paragraphs are not."""
    page = html.read_html(
        "<p>new<blockquote type=cite>old<br><br>older</blockquote><blockquote style='border:none'>mine</blockquote>"
    )
    assert page.text == "new\n\n> old\n>\n> older\n>\nmine"


@pytest.mark.parametrize(
    ("flowed", "delsp", "text"),
    [
        ("one \ntwo\nthree", False, "one two\nthree"),
        ("Ja \npan", True, "Japan"),
        ("> a \n> b\nc", False, "> a b\nc"),
        ("> a \nb", False, "> a \nb"),
        ("text\n-- \nKim", False, "text\n-- \nKim"),
        (" >stuffed", False, ">stuffed"),
    ],
)
def test_flowed_lines_are_joined(flowed, delsp, text):
    """Lines that a mail program wrapped are whole again (RFC 3676)."""
    assert unflow(flowed, delsp=delsp) == text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0011", "画面に何も表示されません"),
        ("0012", "オフにできません"),
        ("0018", "显示屏不亮"),
        ("0043", "auf voller Drehzahl"),
        ("0044", "沒有輸出電壓"),
    ],
)
def test_M5_saved_mails_in_old_charsets(number, words):
    """Letters in the charsets of East Asia, and a mislabelled one, are read as they were written."""
    assert words in saved(number).visible


def test_a_saved_table_keeps_its_rows():
    """The rows of a saved HTML table are at hand."""
    assert saved("0058").tables[0].rows[0] == ("Item", "Part no.", "Serial", "Fault")
