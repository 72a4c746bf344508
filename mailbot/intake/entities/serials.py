"""Serial numbers: their key in the registry, and which strings of a text have the form of one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from mailbot.intake.desk import Desk

_SEPARATORS = re.compile(r"[\W_]+")


def serial_key(text: str) -> str:
    """The key of registry look-ups: NFKC, capitals, letters and digits only."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


_HIDDEN = re.compile(
    r"https?://\S{1,500}|www\.\S{1,300}"  # addresses of pages
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"  # of people
    r"|(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"  # of network cards
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)"  # of hosts
    r"|(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])|(?<![\w.])\d{1,2}[./]\d{1,2}[./]\d{2,4}(?!\w|\.\w)"  # dates
)
# Cyrillic and Greek capitals that look like Latin ones (Unicode TR 39, confusables).
_FOREIGN = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0405\u0408"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_LATIN = str.maketrans(_FOREIGN, "ABEKMHOPCTYXISJABEZHIKMNOPTYX")
_CHAR = f"[A-Za-z0-9{_FOREIGN}{_FOREIGN.lower()}]"
_TOKEN = re.compile(rf"(?<!{_CHAR}){_CHAR}{{1,40}}(?:-{_CHAR}{{1,40}}){{0,5}}(?!{_CHAR})")
_GAP = re.compile(r"[ .\u00a0-]{1,3}")
JOINED = 3
"""Words that may be one serial together."""

SHORTEST, LONGEST = 5, 24
"""Characters of a serial."""


_DIGIT = re.compile("[0-9]")


def numbered(text: str) -> bool:
    """Whether a text holds a digit: without one it names no serial."""
    return _DIGIT.search(text) is not None


def covered(sentence: str) -> str:
    """A sentence of the same length without addresses of pages, people, network cards and hosts, and without dates."""
    return _HIDDEN.sub(lambda match: " " * len(match[0]), sentence)


def tokens(text: str) -> list[re.Match[str]]:
    """The words of a covered sentence that may be serials, or a part of one."""
    return list(_TOKEN.finditer(text))


class SerialSpan(NamedTuple):
    """A string that may be a serial, and where it stands in its sentence; ``open``: it ends a range that nobody knows whole."""

    text: str
    start: int
    end: int
    open: bool = False

    @property
    def key(self) -> str:
        """The string as a key of the registry."""
        return serial_key(self.text)


def places(sentence: str, desk: Desk, known: Collection[str] = ()) -> Iterator[SerialSpan]:
    """The strings of a sentence that may be serials; words apart are one where together they have a serial's form."""
    if not numbered(sentence):
        return
    open_ = covered(sentence)
    words = tokens(open_)
    digits = [numbered(word[0]) for word in words]
    index = 0
    while index < len(words):
        if True not in digits[index : index + JOINED]:
            index += 1
            continue
        for count in range(min(JOINED, len(words) - index), 0, -1):
            group = words[index : index + count]
            place = SerialSpan(open_[group[0].start() : group[-1].end()], group[0].start(), group[-1].end())
            if count == 1 or (numbered(place.text) and _is_one(group, place, desk, known)):
                break
        index += count
        if numbered(place.text) and SHORTEST <= len(place.key) <= LONGEST:
            yield place


def _is_one(group: Sequence[re.Match[str]], place: SerialSpan, desk: Desk, known: Collection[str]) -> bool:
    """Whether words that stand apart are one serial: never where one of them is a serial by itself."""
    source = place.text
    if any(not _GAP.fullmatch(source[a.end() - place.start : b.start() - place.start]) for a, b in pairwise(group)):
        return False
    if any(serial_key(token[0]) in known for token in group):
        return False
    if place.key.isdigit():
        return (formed(source, desk) or place.key in known) and not any(formed(token[0], desk) for token in group)
    return formed(source, desk)


@lru_cache(maxsize=64)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms) or r"(?!)", re.IGNORECASE)


def formed(text: str, desk: Desk) -> bool:
    """Whether the string has the form of one of the company's serials."""
    return bool(_pattern(desk.serial_forms).fullmatch(serial_key(text)))


def is_model(text: str, desk: Desk) -> bool:
    """Whether the string is the name of one of the company's models."""
    return bool(_pattern(desk.model_forms).fullmatch(text))


_LIKE_DIGITS = str.maketrans("OQDILSBZ", "00011582")


def nearly_formed(text: str, desk: Desk) -> bool:
    """Whether it would have a serial's form but for a slip: letters typed for digits, a character too many or too few."""
    return _nearly_formed(serial_key(text), desk.serial_forms)


@lru_cache(maxsize=4096)
def _nearly_formed(key: str, forms: tuple[str, ...]) -> bool:
    fits = _pattern(forms).fullmatch
    if key.isdigit() or not SHORTEST + 2 <= len(key) <= LONGEST:
        return False
    latin = key.translate(_LATIN)
    if latin != key and fits(latin):
        return True
    swapped = (key[:at] + key[at:].translate(_LIKE_DIGITS) for at in range(1, 6))
    shorter = (key[:at] + key[at + 1 :] for at in range(len(key)))
    longer = (f"{key[:at]}0{key[at:]}" for at in range(len(key) + 1))
    return any(fits(guess) and not guess.isdigit() for guess in (*swapped, *shorter, *longer))


_TWINS = str.maketrans("O0I1S5B8", "0O1I5S8B")
_SLIPS = 2
"""Characters of one serial that are taken for another, where not all of its digits are."""

_GUESSES = 16
_DIGITS = 3


def lookalikes(text: str, desk: Desk) -> tuple[str, ...]:
    """The keys that would have a serial's form with O for 0, I for 1, S for 5, B for 8 or the reverse.

    They are there to ask "did you mean …?", never to correct a serial into one that gets a number.
    """
    return _lookalikes(serial_key(text), desk.serial_forms)


@lru_cache(maxsize=4096)
def _lookalikes(key: str, forms: tuple[str, ...]) -> tuple[str, ...]:
    latin = key.translate(_LATIN)
    if not SHORTEST + 1 <= len(key) <= LONGEST or sum(map(str.isdigit, latin)) < _DIGITS:
        return ()
    other = latin.translate(_TWINS)
    slips = [at for at, char in enumerate(latin) if other[at] != char]
    chosen = [some for count in range(_SLIPS + 1) for some in combinations(slips[:LONGEST], count)]
    guesses = [_with(latin, other, some) for some in chosen]
    guesses += [latin[:at] + latin[at:].translate(_LIKE_DIGITS) for at in range(3)]
    fits = _pattern(forms).fullmatch
    found = dict.fromkeys(guess for guess in guesses if guess != key and fits(guess))
    return tuple(found)[:_GUESSES]


def _with(text: str, other: str, places: Iterable[int]) -> str:
    """The text with the other text's characters in these places."""
    chars = list(text)
    for at in places:
        chars[at] = other[at]
    return "".join(chars)


def parts(token: str) -> Iterator[str]:
    """Leading and trailing parts of a hyphened word that hold letters and digits ("SN-AH2F104432")."""
    pieces = token.split("-")
    for at in range(1, len(pieces)):
        for part in ("".join(pieces[at:]), "".join(pieces[:at])):
            if SHORTEST <= len(part) <= LONGEST and not part.isdigit() and not part.isalpha():
                yield part.upper()
