"""What mapping expressions can call, besides what CEL has: all of it knows Unicode.

CEL's own `lowerAscii` leaves Cyrillic alone, and its `matches` is the only pattern function.
An argument that is missing is "", and so is an answer that cannot be given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import phonenumbers
import re2

MAX_TEXT = 10_000
"""Characters a function may return; more is a mistake, not a name."""

_LAST_DAY = 2_932_896
"""The last day of the year 9999; whatever ends later never does."""

_QUIET = re2.Options()
_QUIET.log_errors = False

_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d",
     "Ð": "D", "þ": "th", "Þ": "Th", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ı": "i"}
)  # fmt: skip
"""Latin letters that Unicode does not take apart."""

_PASSPORT = dict(zip("абвгдезийклмнопрстуфыэіґў", "abvgdeziiklmnoprstufyeigu", strict=True)) | {
    "ё": "e", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "ie",
    "ь": "", "ю": "iu", "я": "ia", "ї": "i", "є": "ie", "ä": "ae", "ö": "oe", "ü": "ue",
}  # fmt: skip
"""Letters as passports write them (ICAO Doc 9303 part 3, section 6)."""


def title(text: str) -> str:
    """Begin every word with a capital letter."""
    return text.title()


def split(text: str, separator: str) -> list[str]:
    """Return the parts between separators."""
    return text.split(separator)


def replace(text: str, old: str, new: str) -> str:
    """Replace every occurrence."""
    if not old:
        raise ValueError("replace needs something to look for")
    return _bounded(text.replace(old, new))


def join_non_empty(parts: Sequence[str], separator: str) -> str:
    """Join the parts that say something.

    >>> join_non_empty(["Sales", " ", "Berlin"], ", ")
    'Sales, Berlin'
    """
    return _bounded(separator.join(part for part in parts if part.strip()))


def first_non_empty(parts: Sequence[str]) -> str:
    """Return the first part that says something, or "" if none does."""
    return next((part for part in parts if part.strip()), "")


def domain(address: str) -> str:
    """Return what is behind the last @."""
    return address.rpartition("@")[2] if "@" in address else ""


def local(address: str) -> str:
    """Return what is in front of the last @."""
    return address.rpartition("@")[0]


def strip_diacritics(text: str) -> str:
    """Leave the bare Latin letters.

    >>> strip_diacritics("Müller Łukasz Žižková")
    'Muller Lukasz Zizkova'
    """
    taken_apart = unicodedata.normalize("NFD", text)
    bare = "".join(
        character
        for index, character in enumerate(taken_apart)
        if not (unicodedata.combining(character) and _is_latin(taken_apart, index))
    )
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def translit(text: str) -> str:
    """Write a name in the Latin letters of a passport.

    >>> translit("Щукина Юлия, МЮЛЛЕР, Jörg Weiß")
    'Shchukina Iuliia, MIULLER, Joerg Weiss'
    """
    text = unicodedata.normalize("NFC", text)
    written = []
    for index, letter in enumerate(text):
        latin = _PASSPORT.get(letter.lower(), letter)
        if latin != letter and letter.isupper():
            neighbours = text[index + 1 : index + 2] or text[max(index - 1, 0) : index]
            latin = latin.upper() if neighbours.isupper() else latin.capitalize()
        written.append(latin)
    return strip_diacritics("".join(written))


def phone_e164(text: str, region: str = "") -> str:
    """Return a telephone number as +4930123456, or "" if it cannot be one.

    >>> phone_e164("030 / 123 456-7", "DE"), phone_e164("+49 30 1234567"), phone_e164("ext. 12")
    ('+49301234567', '+49301234567', '')
    """
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def epoch_days(text: str) -> str:
    """Return the beginning of a day that is counted from 1970, as in shadowExpire (RFC 2307).

    Nothing, 0 and less mean never: some systems take 0 for an account that does not expire.

    >>> epoch_days("20783"), epoch_days("-1"), epoch_days("0")
    ('2026-11-26T00:00:00+00:00', '', '')
    """
    days = int(text or "0")
    if not 0 < days < _LAST_DAY:
        return ""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()


def has_bit(text: str, bit: int) -> bool:
    """Whether a number has a bit set, as in userAccountControl; no number has none.

    >>> has_bit("514", 2), has_bit("512", 2), has_bit("", 2)
    (True, False, False)
    """
    return bool(int(text or "0") & bit)


def regex_replace(text: str, pattern: str, replacement: str) -> str:
    r"""Replace what an RE2 pattern matches; \1 is its first group.

    RE2 takes linear time whatever the pattern; Python's own `re` can take forever.

    >>> regex_replace("Weber, Anna", "^(.*), (.*)$", r"\2 \1")
    'Anna Weber'
    """
    try:
        return _bounded(re2.compile(pattern, _QUIET).sub(replacement, text))
    except re2.error as error:
        raise ValueError(f"{pattern!r} is not a pattern of RE2") from error


def _is_latin(text: str, index: int) -> bool:
    """Whether a mark stands on a Latin letter: й is not и with an ornament."""
    while index and unicodedata.combining(text[index]):
        index -= 1
    return unicodedata.name(text[index], "").startswith("LATIN")


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text of more than {MAX_TEXT} characters")
    return text
