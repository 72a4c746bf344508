"""Bytes to text for the charsets that email really uses, whatever it declares.

Declared charsets are often wrong: gb2312 means gb18030, iso-8859-1 means windows-1252, and us-ascii may hold anything.
"""

from __future__ import annotations

import codecs
import re

ACTUAL_CODECS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "cp950",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "iso2022_jp": "iso2022_jp_ext",
}
"""The codec that a declaration really means, by the codec's own name; each is a superset of the declared one."""

ALIASES = {
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "x-ms-cp932": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "ks_c_5601-1987": "cp949",
    "x-big5": "cp950",
    "x-mac-roman": "mac_roman",
    "cp-850": "cp850",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "unicode-1-1-utf-7": "utf-7",
}
"""Charset names that mail programs use and Python does not know."""

EXCLUDED_CODECS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "utf-8-sig"}
"""Python codecs that are not email charsets; some take quadratic time."""

MULTIBYTE = {
    *("gb18030", "hz", "cp932", "cp949", "cp950", "big5hkscs", "euc_jp", "johab"),
    *("iso2022_jp_ext", "iso2022_kr", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
}

_LONGEST_NAME = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI_CONTROL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")


def codec(declared: str | None) -> str | None:
    """Return the name of the codec that ``declared`` means, or None for an unknown charset."""
    name = (declared or "").strip(" \t\"'").lower()
    if not name or len(name) > _LONGEST_NAME or not name.isascii() or not name.isprintable():
        return None
    try:
        found = codecs.lookup(ALIASES.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return None if found in EXCLUDED_CODECS else ACTUAL_CODECS.get(found, found)


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode ``data`` as well as possible; never raises, never returns a lone surrogate."""
    codec_name = codec(declared)
    if b"\x1b$" in data and codec_name in {None, "cp1252", "utf-8"}:
        codec_name = "iso2022_jp_ext"  # 7-bit Japanese declared as another charset
    if codec_name is None and _decode_strictly(data, "utf-8") is None:
        codec_name = _guess_charset(data)
    order = [codec_name, "utf-8"] if codec_name in MULTIBYTE else ["utf-8", codec_name]
    for name in order:
        if name is not None and (text := _decode_strictly(data, name)) is not None:
            return _fix_cyrillic(data, text, name)
    last = codec_name if codec_name in MULTIBYTE or (codec_name and codec_name != "utf-8") else "cp1252"
    try:
        return _SURROGATE.sub("\ufffd", data.decode(last or "cp1252", "replace"))
    except (LookupError, ValueError):  # a binary codec such as zlib, or one that does not support "replace"
        return data.decode("latin-1")


_HIGH_BYTE, _UPPER_HALF = re.compile(rb"[\x80-\xff]"), re.compile(rb"[\xe0-\xff]")
_LETTER_RUN = re.compile(rb"[\xc0-\xff]{4,}")


def _guess_charset(data: bytes) -> str | None:
    """Guess the charset of text that declares none.

    Only Russian is recognized: its words consist of high bytes, mostly from the half with the lowercase letters.
    """
    words = _LETTER_RUN.findall(data[:20_000])
    letters = b"".join(words)
    if not words or len(letters) * 2 < len(_HIGH_BYTE.findall(data[:20_000])):
        return None
    upper = len(_UPPER_HALF.findall(letters))
    if upper * 4 >= len(letters) * 3:
        return "cp1251"
    return "koi8-r" if upper * 4 <= len(letters) else None


_SWAPPED_CHARSETS = {"koi8-r": "cp1251", "koi8-u": "cp1251", "cp1251": "koi8-r"}
_CYRILLIC_WORD = re.compile(r"[\u0400-\u045f]{3,}")


def _fix_cyrillic(data: bytes, text: str, name: str) -> str:
    """Correct Russian text that declares the other Russian charset.

    Decoded with the wrong one, uppercase and lowercase letters are swapped.
    """
    other = _SWAPPED_CHARSETS.get(name)
    words = _CYRILLIC_WORD.findall(text[:20_000]) if other else []
    swapped = [word for word in words if word[0].islower() and word[1:].isupper()]
    uppercase = [word for word in words if word.isupper()]
    if not other or not swapped or 2 * (len(swapped) + len(uppercase)) < len(words):
        return text
    return _decode_strictly(data, other) or text


def _decode_strictly(data: bytes, name: str) -> str | None:
    try:
        text = data.decode(name)
    except (LookupError, ValueError):
        return None
    return None if _SURROGATE.search(text) else text


def one_line(text: str, limit: int = 500) -> str:
    """Return ``text`` as one safe line: no control characters, no bidirectional overrides, single spaces."""
    return _SPACE.sub(" ", _CONTROL.sub(" ", _BIDI_CONTROL.sub("", text))).strip()[:limit].rstrip()


def normalize_lines(text: str) -> str:
    """Normalize line endings to LF and drop control characters and bidirectional overrides; tabs are kept."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", _BIDI_CONTROL.sub("", text)).replace("\xa0", " ")
