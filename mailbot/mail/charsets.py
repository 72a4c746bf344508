"""Bytes to text for the charsets that mail really carries, whatever it declares.

Declared charsets are often wrong: gb2312 means gb18030, iso-8859-1 means windows-1252, us-ascii may hold anything.
"""

from __future__ import annotations

import codecs
import re

MEANT = {
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
"""Codec that a declaration means, by the codec's own name; each is a superset of what was declared."""

SPELLINGS = {
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
"""Names that mail programs use and Python does not know."""

NO_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "utf-8-sig"}
"""Python codecs that are no charsets of mail; some take quadratic time."""

MULTIBYTE = {
    *("gb18030", "hz", "cp932", "cp949", "cp950", "big5hkscs", "euc_jp", "johab"),
    *("iso2022_jp_ext", "iso2022_kr", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"),
}

_LONGEST_NAME = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_DISGUISE = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")


def codec(declared: str | None) -> str | None:
    """Return the codec that ``declared`` means, or None for a charset nobody knows."""
    name = (declared or "").strip(" \t\"'").lower()
    if not name or len(name) > _LONGEST_NAME or not name.isascii() or not name.isprintable():
        return None
    try:
        found = codecs.lookup(SPELLINGS.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return None if found in NO_CHARSETS else MEANT.get(found, found)


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode ``data`` as well as can be; never raises, never returns a lone surrogate."""
    meant = codec(declared)
    if b"\x1b$" in data and meant in {None, "cp1252", "utf-8"}:
        meant = "iso2022_jp_ext"  # 7-bit Japanese under another flag
    if meant is None and _strictly(data, "utf-8") is None:
        meant = _undeclared(data)
    order = [meant, "utf-8"] if meant in MULTIBYTE else ["utf-8", meant]
    for name in order:
        if name is not None and (text := _strictly(data, name)) is not None:
            return _cyrillic(data, text, name)
    last = meant if meant in MULTIBYTE or (meant and meant != "utf-8") else "cp1252"
    try:
        return _SURROGATE.sub("\ufffd", data.decode(last or "cp1252", "replace"))
    except (LookupError, ValueError):  # a binary codec such as zlib, or one that has no "replace"
        return data.decode("latin-1")


_HIGH, _UPPER = re.compile(rb"[\x80-\xff]"), re.compile(rb"[\xe0-\xff]")
_RUN = re.compile(rb"[\xc0-\xff]{4,}")


def _undeclared(data: bytes) -> str | None:
    """The charset of text that declares none: Russian, where whole words are high bytes of the small letters' half."""
    words = _RUN.findall(data[:20_000])
    letters = b"".join(words)
    if not words or len(letters) * 2 < len(_HIGH.findall(data[:20_000])):
        return None
    upper = len(_UPPER.findall(letters))
    if upper * 4 >= len(letters) * 3:
        return "cp1251"
    return "koi8-r" if upper * 4 <= len(letters) else None


_TWINS = {"koi8-r": "cp1251", "koi8-u": "cp1251", "cp1251": "koi8-r"}
_WORD = re.compile(r"[\u0400-\u045f]{3,}")


def _cyrillic(data: bytes, text: str, name: str) -> str:
    """Russian under the flag of the other Russian charset: there capitals and small letters change places."""
    twin = _TWINS.get(name)
    words = _WORD.findall(text[:20_000]) if twin else []
    swapped = [word for word in words if word[0].islower() and word[1:].isupper()]
    shouted = [word for word in words if word.isupper()]
    if not twin or not swapped or 2 * (len(swapped) + len(shouted)) < len(words):
        return text
    return _strictly(data, twin) or text


def _strictly(data: bytes, name: str) -> str | None:
    try:
        text = data.decode(name)
    except (LookupError, ValueError):
        return None
    return None if _SURROGATE.search(text) else text


def one_line(text: str, limit: int = 500) -> str:
    """Make one harmless line of ``text``: no controls, no bidi overrides, single spaces (H1, H6, U3)."""
    return _SPACE.sub(" ", _CONTROL.sub(" ", _DISGUISE.sub("", text))).strip()[:limit].rstrip()


def lines(text: str) -> str:
    """Normalise line ends to LF and drop controls and bidi overrides; tabs and line feeds stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", _DISGUISE.sub("", text)).replace("\xa0", " ")
