"""A fuzzer for what strangers write: bytes go through read and understand, and everything that comes out has its cap.

    pip install atheris
    python tests/fuzz/fuzz.py tests/fuzz/found tests/data/mail -max_total_time=600 -timeout=5 -max_len=60000

The folders are libFuzzer's corpora: what it finds goes into the first. A crash, or an input that takes longer than the
timeout, is left as a file in the current folder; ``python tests/fuzz/fuzz.py FILE`` plays it again.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailbot"]):
    from mailbot.intake import reading, understand  # noqa: F401 - imported to be instrumented

sys.path.append(str(Path(__file__).parents[1]))

from support.growth import look_through

SCRAPS = (
    *(b"From: ", b"Subject: =?utf-8?b?", b"?=", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n--b\r\n", b"--b--"),
    *(b"Content-Type: text/html\r\n", b"Content-Type: message/rfc822\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n"),
    *(b"Content-Transfer-Encoding: quoted-printable\r\n", b"charset=gb2312", b"charset=utf-7", b"charset=iso-2022-jp"),
    *(b"multipart/report; report-type=delivery-status", b"message/delivery-status", b"Final-Recipient: rfc822; a@b.c"),
    *(b"Auto-Submitted: auto-replied\r\n", b"Reply-To: ", b"In-Reply-To: <x@y>\r\n", b"filename*0*=utf-8''%e2%80%ae"),
    *(b"AH2F104432", b"S/N: ", b"PO 4500123", b"RMA-2600001", b"<table><tr><td>", b"<blockquote>", b"\n> ", b"\n-- \n"),
    *(b"On Mon, 1 Jan 2026 at 10:00, x wrote:\n", b"-----Original Message-----\n", b"From: a\nSent: b\nTo: c\nSubject: d\n"),
    *("\u202e".encode(), "\u200b".encode(), "故障".encode(), "ﬁ".encode(), b"\x00", b"\x1b$B", b"\xff\xfe", b"\r", b"\r\n\r\n"),
)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Put scraps of mail in, take pieces out, say a piece again and again; now and then leave it to libFuzzer."""
    chance = random.Random(seed)
    if chance.random() < 0.4:
        return atheris.Mutate(data, most)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((1, 8, 64, 512)))
        data = chance.choice(
            (
                data[:at] + chance.choice(SCRAPS) + data[at:],
                data[:at] + data[end:],
                data[:at] + data[at:end] * chance.randint(2, 40) + data[end:],
                data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
            )
        )
    return data[:most]


if __name__ == "__main__":
    atheris.Setup(sys.argv, look_through, custom_mutator=mutate)
    atheris.Fuzz()
