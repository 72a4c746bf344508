"""Letters in a real browser: readable on a phone and on a desk, nothing over the edge."""

from __future__ import annotations

import pytest
from support import browser
from support.sample_emails import hard_letters, shipped

from mailbot.reply.samples import SAMPLES

LETTERS = shipped()
PAGES = {
    f"{index:02}-{letter.kind}-{letter.about or 'all'}": LETTERS.render(letter, "default")[1]
    for index, letter in enumerate([*hard_letters(), *SAMPLES])
}


@pytest.mark.parametrize("program", browser.BROWSERS)
def test_every_letter_fits_a_phone_and_a_desk(program):
    """No letter scrolls sideways at 390 or 1000 pixels, and no words are smaller than 15 pixels."""
    seen = browser.measure(program, PAGES)
    assert len(seen) == len(PAGES) * len(browser.WIDTHS)
    assert [page for page in seen if page["over"] > 0] == []
    assert [page for page in seen if page["smallest"] < 15] == []


@pytest.mark.parametrize("program", browser.BROWSERS)
def test_the_hardest_letter_can_be_looked_at(program, tmp_path):
    """A picture of a letter is made at both widths, side by side."""
    name, html = next(iter(PAGES.items()))
    page = tmp_path / f"{name}.html"
    page.write_text(html, encoding="utf-8")
    [picture] = browser.render_pages([page], tmp_path / "pictures", program)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("program", browser.BROWSERS)
def test_a_page_that_does_not_fit_is_noticed(program):
    """The measure itself is sound: what is too wide or too small is seen."""
    page = "<p style='width:500px;font-size:9px'>wide</p>"
    phone, desk = browser.measure(program, {"wide": page})
    assert phone["over"] > 100
    assert desk["over"] <= 0
    assert desk["smallest"] == 9
