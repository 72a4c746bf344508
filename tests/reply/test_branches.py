"""What a template can say, a sample letter has said: nothing is written for the first time to a customer."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from support.sample_emails import shipped, sources

from mailbot.reply.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from mailbot.reply.render import EmailTemplates

SPEAKS = re.compile(r"\s*(?:yield (?!None)|t_\d+\.(?:append|extend)\()")
"""What a line of a compiled template looks like that prints something."""


def test_every_branch_of_every_template_is_written_by_some_sample() -> None:
    """A slip in a sentence that is needed once a year is found by `mailbot check`, because a sample letter holds it."""
    letters, ran = shipped(), set[tuple[str, int]]()
    files = sources()

    def watch(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        ran.add((frame.f_code.co_filename, frame.f_lineno))
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        for sample in SAMPLES:
            letters.render(sample, "default")
    finally:
        sys.settrace(before)
    assert sorted(set(_silent(letters, files, ran))) == []


def _silent(letters: EmailTemplates, files: dict[str, str], ran: set[tuple[str, int]]) -> Iterator[str]:
    """The template's lines that print something and were not run, in the order in which they stand."""
    room = letters.rooms["default", "en"]
    for path, source in files.items():
        name = path.rpartition("/")[2].replace(".jinja", ".html")
        if path.endswith(".toml"):
            continue
        compiled = room.compile(source, name, path, raw=True).splitlines()
        for number, line in enumerate(compiled, 1):
            if SPEAKS.match(line) and (path, number) not in ran:
                yield f"{path}, line {room.get_template(name).get_corresponding_lineno(number)}: {line.strip()}"
