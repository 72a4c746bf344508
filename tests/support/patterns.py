"""Mails of one pattern, repeated to any size: what a sender does who wants to keep the desk busy."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Callable, Iterable

REPEATED = (
    *("S/N ", "S/N 1234567 ", "S/N 1234567\n", "AH2F104432 ", "AH2F104432\n", "AH2F 104 432 ", "O0I1S5B8 ", "A-1-"),
    *("C123-C125 ", "AH2F104432 to AH2F104440, ", "1-2 ", "1 ", "0", "PO 1234 ", "PO 1234\n", "RMA-2024-1 "),
    *(">", "> a\n", "On x wrote:\n", "On x wrote: ", "On Mon 1 Jan 2024 a@b.c wrote:\n> hi\n", "From: a@b.c\n"),
    *("Subject: x\n", "-- \n", "-----Original Message-----\n", "___________\n", "Sent from my phone\n"),
    "-- " * 60 + "On 1.1.2024 10:00 a@b.c wrote:\n> x\n",
    *("a;b", "a;b\n", "a,b,c\n", "| a | b |\n", "serial\tfault\n", "serial;fault\nAH2F104432;dead\n", "a\tb\t", "\t"),
    *("dropped ", "It was dropped on the floor.\n", "was not dropped, ", "not not not ", "was it dropped? ", "if "),
    *("> Was it dropped?\nyes\n", "Serial: AH2F104432\nProblem: dead\n\n", "- AH2F104432: no video\n", "yes\n"),
    *("没有摔过", "故障。", "日本語テスト", "고장 났어요. ", "ﷺ", "é", "\u200b", "x\u0301"),
    *("(", "(a) ", ". ", "? ", "a. ", ":", "-", "'", "a@b.c ", "http://a@", "https://a.example/x?y=z ", "1/2/2024 "),
    *("10:30 ", "1.2.3.4 ", "00:11:22:33:44:55 ", "+1 555 0100 ", " ", "\n", "a\n", "a "),
)
MARKUP = (
    *("<", "<div>", "<table><tr><td>", "<tr><td>1", "<td>AH2F104432", "&amp;", "<p style='", "<br>", "<p>a</p>"),
    *("<blockquote>", "<li>a", "<img src=x>", "<!--", "<table><tr><td>a</td><td>b</td></tr></table>"),
)
Build = Callable[[int], bytes]


def _again(piece: str) -> Build:
    return lambda size: piece.encode() * (size // len(piece.encode()))


def _numbered(form: Callable[[int], str], head: str = "", foot: str = "") -> Build:
    """Lines or words that are all different."""

    def build(size: int) -> bytes:
        left = itertools.count()
        lengths = itertools.accumulate(len(form(n)) for n in left)
        most = sum(1 for _ in itertools.takewhile(lambda total: total < size, lengths))
        return (head + "".join(map(form, range(most))) + foot).encode()

    return build


def _prose(words: str) -> Build:
    chance = random.Random(1)
    chosen = words.split()
    return _numbered(lambda n: f"{n} {' '.join(chance.choice(chosen) for _ in range(12))}. ")


_ROWS = "".join("<tr><td>AH2F{0:06}</td><td>no video {0}</td></tr>")
NUMBERED: tuple[tuple[str, str, Build], ...] = (
    ("serials", "plain", _numbered("AH2F{:06} ".format)),
    ("serials, lines", "plain", _numbered("AH2F{:06}\n".format)),
    ("serials, ranges", "plain", _numbered(lambda n: f"AH2F{n:06} to AH2F{n + 9:06}, ")),
    ("serials, told", "plain", _numbered("AH2F{:06} was dropped and has no video.\n".format)),
    ("serials, forms", "plain", _numbered("Serial: AH2F{0:06}\nProblem: no video {0}\n\n".format)),
    ("serials, table", "plain", _numbered("AH2F{0:06}\tno video {0}\n".format, "Serial\tFault\n")),
    ("serials, values", "plain", _numbered("AH2F{0:06};no video {0}\n".format, "Serial;Fault\n")),
    ("sentences", "plain", _numbered("Unit {0} was dropped by carrier {0}7, it was not my fault. ".format)),
    ("quoted", "plain", _numbered("> Unit AH2F{0:06} was dropped by carrier {0}7.\n".format)),
    (
        "passed on",
        "plain",
        _numbered("Unit AH2F{:06} was dropped.\n".format, "---------- Forwarded message ----------\nFrom: a@b.c\n\n"),
    ),
    ("hexadecimal", "plain", _numbered(lambda n: f"{n * 2654435761 % 2**32:08x} ")),
    ("log lines", "plain", _numbered("2024-01-01 10:00:00 kernel[{0}]: eth0: link down 0x{0:08x}\n".format)),
    ("addresses", "plain", _numbered("kim{0}@acme{0}.example, https://a{0}.example/AH2F{0:06} ".format)),
    ("prose", "plain", _prose("the unit board serial dropped video power no not is was please send rma repair with PO")),
    ("prose, German", "plain", _prose("das Gerät ist defekt nicht bitte Seriennummer gestürzt kein Bild Strom wir RMA")),
    ("base64", "plain", lambda size: base64.encodebytes(random.Random(1).randbytes(size * 3 // 4))),
    ("one long word", "plain", lambda size: base64.b64encode(random.Random(1).randbytes(size * 3 // 4))),
    ("table", "html", _numbered(_ROWS.format, "<table><tr><th>Serial</th><th>Fault</th></tr>", "</table>")),
    ("one row", "html", _numbered("<td>AH2F{:06}</td>".format, "<table><tr>", "</tr></table>")),
    ("tables", "html", _numbered(f"<table><tr><td>Serial</td><td>Fault</td></tr>{_ROWS}</table>".format)),
    (
        "sheet",
        "csv; name=a.csv",
        _numbered("AH2F{0:06},no video {0}\n".format, "Serial,Fault\n"),
    ),
    (
        "wide sheet",
        "csv; name=a.csv",
        _numbered(
            lambda n: f"AH2F{n:06}{',dropped' * 48}\n", f"Serial,{','.join(f'f{n}' for n in range(48))}\n"
        ),
    ),
)  # fmt: skip

PATTERNS: dict[str, tuple[str, Build]] = {
    **{repr(piece)[:40]: ("plain", _again(piece)) for piece in REPEATED},
    **{repr(piece)[:40]: ("html", _again(piece)) for piece in MARKUP},
    **{name: (kind, build) for name, kind, build in NUMBERED},
}


def mail(pattern: str, size: int, fields: Iterable[str] = ()) -> bytes:
    """Write a mail of about ``size`` bytes of a pattern."""
    kind, build = PATTERNS[pattern]
    head = (
        *("From: a@acme.example", "To: rma@portwell.example", "Subject: dead board", "Message-ID: <1@acme.example>"),
        *(f"Content-Type: text/{kind}; charset=utf-8", *fields),
    )
    return "\r\n".join((*head, "", "")).encode() + build(size)
