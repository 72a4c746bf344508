"""Serial numbers: their registry key, and which strings of a text have the form of one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mailbot.intake.desk import Desk

_SEPARATORS = re.compile(r"[\W_]+")


def serial_key(text: str) -> str:
    """Return the registry key of a serial number: NFKC, uppercase, letters and digits only."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


_NOT_SERIALS = re.compile(
    r"https?://\S{1,500}|www\.\S{1,300}"  # web addresses
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"  # email addresses
    r"|(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"  # MAC addresses
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)"  # IP addresses
    r"|(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w.])\d{1,2}[./]\d{1,2}[./]\d{2,4}(?!\w|\.\w)"  # dates
)
# Cyrillic and Greek capitals that look like Latin ones (Unicode TR 39, confusables).
_CONFUSABLE = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0405\u0408"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_TO_LATIN = str.maketrans(_CONFUSABLE, "ABEKMHOPCTYXISJABEZHIKMNOPTYX")
_CHAR = f"[A-Za-z0-9{_CONFUSABLE}{_CONFUSABLE.lower()}]"
_TOKEN = re.compile(rf"(?<!{_CHAR}){_CHAR}{{1,40}}(?:-{_CHAR}{{1,40}}){{0,5}}(?!{_CHAR})")
_GAP = re.compile(r"[ .\u00a0-]{1,3}")
MAX_JOINED = 3
"""The maximum number of words that may form one serial number."""

MIN_SERIAL, MAX_SERIAL = 5, 24
"""The minimum and maximum number of characters of a serial number."""


_DIGIT = re.compile("[0-9]")


def has_digit(text: str) -> bool:
    """Return whether a text has a digit: without one, it contains no serial number."""
    return _DIGIT.search(text) is not None


def mask_non_serials(sentence: str) -> str:
    """Return a sentence of the same length with everything blanked that is certainly not a serial number."""
    return _NOT_SERIALS.sub(lambda match: " " * len(match[0]), sentence)


def tokens(text: str) -> list[re.Match[str]]:
    """Return the words of a masked sentence that may be serial numbers, or parts of one."""
    return list(_TOKEN.finditer(text))


class SerialSpan(NamedTuple):
    """A string that may be a serial number, and its position in the sentence.

    ``open`` marks the end of a range of which not all members are in the registry.
    """

    text: str
    start: int
    end: int
    open: bool = False

    @property
    def key(self) -> str:
        """The string as a registry key."""
        return serial_key(self.text)


def candidate_spans(sentence: str, desk: Desk, known: Collection[str] = ()) -> Iterator[SerialSpan]:
    """Yield the strings of a sentence that may be serial numbers.

    Adjacent words are combined if together they have the form of a serial number.
    """
    if not has_digit(sentence):
        return
    masked = mask_non_serials(sentence)
    words = tokens(masked)
    with_digit = [has_digit(word[0]) for word in words]
    index = 0
    while index < len(words):
        if True not in with_digit[index : index + MAX_JOINED]:
            index += 1
            continue
        for count in range(min(MAX_JOINED, len(words) - index), 0, -1):
            group = words[index : index + count]
            span = SerialSpan(masked[group[0].start() : group[-1].end()], group[0].start(), group[-1].end())
            if count == 1 or (has_digit(span.text) and _is_single_serial(group, span, desk, known)):
                break
        index += count
        if has_digit(span.text) and MIN_SERIAL <= len(span.key) <= MAX_SERIAL:
            yield span


def _is_single_serial(group: Sequence[re.Match[str]], span: SerialSpan, desk: Desk, known: Collection[str]) -> bool:
    """Return whether separate words form one serial number: never if one of them is a serial number by itself."""
    key = span.key
    if not has_serial_form(key, desk) and not (key.isdigit() and key in known):
        return False
    if any(not _GAP.fullmatch(span.text[a.end() - span.start : b.start() - span.start]) for a, b in pairwise(group)):
        return False
    if any(serial_key(token[0]) in known for token in group):
        return False
    return not key.isdigit() or not any(has_serial_form(token[0], desk) for token in group)


@lru_cache(maxsize=64)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms) or r"(?!)", re.IGNORECASE)


def has_serial_form(text: str, desk: Desk) -> bool:
    """Return whether the string has the form of one of the company's serial numbers."""
    return bool(_pattern(desk.serial_forms).fullmatch(serial_key(text)))


def is_model(text: str, desk: Desk) -> bool:
    """Return whether the string is the name of one of the company's models."""
    return bool(_pattern(desk.model_forms).fullmatch(text))


_LIKE_DIGITS = str.maketrans("OQDILSBZ", "00011582")


def nearly_has_serial_form(text: str, desk: Desk) -> bool:
    """Return whether the string has the form of a serial number except for a letter instead of a digit, or one character."""
    return _nearly_fits(serial_key(text), desk.serial_forms)


@lru_cache(maxsize=4096)
def _nearly_fits(key: str, forms: tuple[str, ...]) -> bool:
    fits = _pattern(forms).fullmatch
    if key.isdigit() or not MIN_SERIAL + 2 <= len(key) <= MAX_SERIAL:
        return False
    latin = key.translate(_TO_LATIN)
    if latin != key and fits(latin):
        return True
    swapped = (key[:index] + key[index:].translate(_LIKE_DIGITS) for index in range(1, 6))
    shorter = (key[:index] + key[index + 1 :] for index in range(len(key)))
    longer = (f"{key[:index]}0{key[index:]}" for index in range(len(key) + 1))
    return any(fits(candidate) and not candidate.isdigit() for candidate in (*swapped, *shorter, *longer))


_SWAPPED = str.maketrans("O0I1S5B8", "0O1I5S8B")
_MAX_MISTAKES = 2
"""The maximum number of characters of one serial number that may be mistaken, unless all of its digits are."""

_MAX_LOOKALIKES = 16
_MIN_DIGITS = 3


def lookalikes(text: str, desk: Desk) -> tuple[str, ...]:
    """Return the keys that have a serial number's form after swapping O and 0, I and 1, S and 5, or B and 8.

    They are used to ask "did you mean …?", never to correct a serial number silently.
    """
    return _lookalikes(serial_key(text), desk.serial_forms)


@lru_cache(maxsize=4096)
def _lookalikes(key: str, forms: tuple[str, ...]) -> tuple[str, ...]:
    latin = key.translate(_TO_LATIN)
    if not MIN_SERIAL + 1 <= len(key) <= MAX_SERIAL or sum(map(str.isdigit, latin)) < _MIN_DIGITS:
        return ()
    other = latin.translate(_SWAPPED)
    ambiguous = [index for index, char in enumerate(latin) if other[index] != char]
    choices = [positions for count in range(_MAX_MISTAKES + 1) for positions in combinations(ambiguous[:MAX_SERIAL], count)]
    candidates = [_replaced_at(latin, other, positions) for positions in choices]
    candidates += [latin[:index] + latin[index:].translate(_LIKE_DIGITS) for index in range(3)]
    fits = _pattern(forms).fullmatch
    found = dict.fromkeys(candidate for candidate in candidates if candidate != key and fits(candidate))
    return tuple(found)[:_MAX_LOOKALIKES]


def _replaced_at(text: str, other: str, positions: Collection[int]) -> str:
    """Return the text with the characters of the other text at these positions."""
    return "".join(other[index] if index in positions else char for index, char in enumerate(text))


def hyphenated_parts(token: str) -> Iterator[str]:
    """Yield leading and trailing parts of a hyphenated word that have letters and digits ("SN-AH2F104432")."""
    pieces = token.split("-")
    for index in range(1, len(pieces)):
        for part in ("".join(pieces[index:]), "".join(pieces[:index])):
            if MIN_SERIAL <= len(part) <= MAX_SERIAL and not part.isdigit() and not part.isalpha():
                yield part.upper()
