"""What may be written down of a request: no secret at all, and of a person no more than helps.

what                                                        becomes
----------------------------------------------------------  -----------------------------------
a value whose name says password, secret, token and so on,  (secret)
  in any case and spelling, whole, whatever is inside it
the value of an operation or entry whose path or type does  (secret)
a literal of a filter or path that names such a thing       (secret)
"Bearer ...", "password=...", our tokens, JWTs, in a text   (secret)
a photo, a certificate, a postal address, a birthday, ...   (left out: photos)
a text above 256 characters                                 its beginning and its length
more than 100 entries of a list                             the first 100 and how many more
a body above 8,192 characters                               its beginning and its length

The header Authorization is never looked at, and a body that is no JSON is never kept.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import orjson

SECRET = "(secret)"  # noqa: S105 - what is shown instead of one
MAX_BODY = 8_192
MAX_TEXT = 256
MAX_DETAIL = 1_000
_KEPT_OF_A_TEXT = 64
_MAX_ENTRIES = 100
_MAX_PARTS = 2_000
"""Values one body may have before the rest is left out: the log never costs what a bomb would."""

_MAX_DEPTH = 32
_LONGEST_NAME = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_TELLTALE = (
    "password|passwd|passphrase|passcode|passwort|pwd|secret|token|authorization|credential"
    "|apikey|privatekey"
)
_TELLING_NAME = re.compile(_TELLTALE)
_SECRET_ALONE = frozenset({"pin", "otp", "totp", "pass", "cookie"})
_PRIVATE = frozenset(
    {
        *("photos", "photo", "thumbnailphoto", "jpegphoto", "picture", "avatar"),
        *("addresses", "streetaddress", "postaladdress", "homeaddress", "x509certificates"),
        *("birthdate", "birthday", "dateofbirth", "gender", "sex", "maritalstatus"),
        *("religion", "nationality", "nationalid", "ssn", "taxid", "iban", "bankaccount"),
    }
)
_NAMING = frozenset({"path", "type", "name", "key", "attribute"})
_STRUCTURE = _NAMING | {"op", "method", "bulkid", "schemas", "primary"}
_HINT = re.compile(rf"{_TELLTALE}|pass|pin|otp|cookie|bearer|basic|usher|eyj")
"""What a query string holds, without its signs, if there is anything to be taken out of it."""

_SIGNS = re.compile(r"[^a-z0-9]+")
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"?')
_COMPARED = re.compile(r"(\s(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+)[^\s\"()\[\]]+", re.IGNORECASE)
_TYPED = re.compile(rf'\b(?:{"|".join(_NAMING)})\s+\w\w\s+("[^"]*"?)', re.IGNORECASE)
_HINT_IN_TEXT = re.compile("pass|pwd|secret|token|author|credent|key|bearer|bas|usher_|eyj")
"""What a folded text holds if there is anything to be taken out of it.

It is looked for first, because a search without IGNORECASE is several times as fast. It has no i:
for IGNORECASE a dotless one is the same.
"""

# Our own sentences say "Bearer usher_...": that is no token.
_IN_TEXT = re.compile(
    rf"""((?:{_TELLTALE}|api[-_ ]key|private[-_ ]key)\w*\\*["']?"""
    r"""(?:\s*[:=]\s*|\s+(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+)(?:bearer\s+|basic\s+)?+)"""
    r"""(?!usher_\.\.\.)(\\*"[^"]*"?|'[^']*'?|[^\s,;&"'}]+)"""
    r"|\b((?:bearer|basic)\s+)(?!usher_\.\.\.)[\w.~+/=-]{8,}"
    r"|()(?:\busher_\w+_[\w-]{16,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*)",
    re.IGNORECASE,
)


class _Name(NamedTuple):
    """What a name, a path or a type says of the value it stands for."""

    shown: str
    """The name as it may be kept."""

    is_secret: bool
    private: str | None
    """What is nobody's business here; None if it may be kept."""

    is_naming: bool
    """Whether its value says what the object around it is about."""

    is_structure: bool
    """Whether its value says what the object around it is, and is not what it holds."""


class Redacted(NamedTuple):
    """A body as it may be kept, and what was taken out of it: to be kept nowhere."""

    text: str
    secrets: tuple[str, ...]


def redacted_body(payload: Any, *, with_secrets: bool = True) -> Redacted:
    """Return a parsed body as it may be kept.

    What was taken out has to be known where an error may repeat it; looking for it everywhere
    in a large body costs more than the rest, and so it is left out where there is no error.

    >>> redacted_body({"userName": "ann", "Password": "x"}).text
    '{"userName":"ann","Password":"(secret)"}'
    """
    redaction = _Redaction(with_secrets=with_secrets)
    text = orjson.dumps(redaction.value(payload)).decode()
    if len(text) > MAX_BODY:
        text = f"{text[:MAX_BODY]} ... (cut: {len(text):,} characters)"
    return Redacted(text, tuple(redaction.secrets))


def redacted_text(text: str, secrets: tuple[str, ...] = (), *, longest: int = MAX_DETAIL) -> str:
    """Return a sentence or path without what a body kept secret, and without tokens.

    >>> redacted_text('no "hunter2" here: password=abc', ("hunter2",))
    'no "(secret)" here: password=(secret)'
    """
    for secret in secrets:
        text = text.replace(secret, SECRET)
    return _shortened(_without_tokens(text), longest)


def redacted_filter(text: str) -> str:
    """Return a filter or attribute path; no literal of one that names a secret is kept.

    >>> redacted_filter('userName eq "ann"'), redacted_filter('PassWord eq "x" or a eq 1')
    ('userName eq "ann"', 'PassWord eq "(secret)" or a eq (secret)')
    """
    if _names_a_secret_path(text):
        if "%" in text:
            return SECRET
        return _COMPARED.sub(rf"\g<1>{SECRET}", _LITERAL.sub(f'"{SECRET}"', text))
    return _without_tokens(text)


def redacted_query(query: str) -> str:
    """Return a query string, decoded for people.

    >>> redacted_query("filter=userName+eq+%22ann%22&access_token=abc")
    'filter=userName eq "ann"&access_token=(secret)'
    """
    decoded = unquote_plus(query)
    if not _HINT.search(_SIGNS.sub("", decoded.lower())):
        return _shortened(decoded, MAX_DETAIL)
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        name = unquote_plus(name)
        value = SECRET if is_secret(name) and value else redacted_filter(unquote_plus(value))
        parts.append(f"{name}{equals}{value}")
    return _shortened("&".join(parts), MAX_DETAIL)


def is_secret(name: str) -> bool:
    """Whether a name says that its value is nobody's to read.

    >>> is_secret("PASSWORD"), is_secret("api-key"), is_secret("emails.value"), is_secret("pin")
    (True, True, False, True)
    """
    return (
        len(name) > _LONGEST_NAME
        or bool(_TELLING_NAME.search(_SIGNS.sub("", name.lower())))
        or not _SECRET_ALONE.isdisjoint(map(str.lower, _WORDS.findall(name)))
    )


def storable(text: str) -> str:
    """Return text every database can keep."""
    return text if text.isprintable() else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


class _Redaction:
    """Walks through one body."""

    def __init__(self, *, with_secrets: bool) -> None:
        self.secrets: list[str] = []
        self._with_secrets = with_secrets
        self._left = _MAX_PARTS

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return a part of the body as it may be kept."""
        self._left -= 1
        if isinstance(value, str):
            return _shortened(_without_tokens(value), MAX_TEXT)
        if not isinstance(value, dict | list):
            return value
        if self._left < 0 or depth > _MAX_DEPTH:
            self._take(value)
            return f"(left out: {len(value):,} inside)"
        if isinstance(value, dict):
            return self._object(value, depth)
        kept = [self.value(entry, depth + 1) for entry in islice(value, _MAX_ENTRIES)]
        if len(value) > _MAX_ENTRIES:
            self._take(value[_MAX_ENTRIES:])
            kept.append(f"(and {len(value) - _MAX_ENTRIES:,} more)")
        return kept

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        """Redact by each member's own name, and by what an operation or entry says it is."""
        about = _name(_named(value))
        kept = {}
        for key, inner in value.items():
            name = _name(key)
            if name.is_structure and isinstance(inner, str):
                kept[name.shown] = _name(inner).shown
            elif about.is_secret or name.is_secret:
                kept[name.shown] = self._hidden(inner)
            elif inner and (part := about.private or name.private):
                self._take(inner, secret=True)
                kept[name.shown] = f"(left out: {part})"
            else:
                kept[name.shown] = self.value(inner, depth + 1)
        return kept

    def _hidden(self, value: Any) -> Any:
        """Return what is shown of a secret: only whether there is one."""
        if value is None or value in ("", [], {}):
            return value
        self._take(value, secret=True)
        return SECRET

    def _take(self, value: Any, *, secret: bool = False) -> None:
        """Remember the secrets in what is left out: an error may repeat them."""
        if not self._with_secrets:
            return
        if isinstance(value, dict):
            within = secret or _name(_named(value)).is_secret
            for key, inner in value.items():
                name = _name(key)
                own = within and not (name.is_structure and isinstance(inner, str))
                self._take(inner, secret=secret or own or name.is_secret)
        elif isinstance(value, list):
            for inner in value:
                self._take(inner, secret=secret)
        elif secret and value not in (None, "", True, False):
            self.secrets.append(str(value))


def _named(value: dict[str, Any]) -> str:
    """Return what an operation, a request of a bulk or an entry of a list says it is about."""
    said = [
        inner for key, inner in value.items() if isinstance(inner, str) and _name(key).is_naming
    ]
    return " ".join(said)


def _name(text: str) -> _Name:
    """Return what a name says: the same few come with every request."""
    return _known_name(text) if len(text) <= _LONGEST_NAME else _read_name(text)


def _read_name(text: str) -> _Name:
    folded = text.lower()
    return _Name(
        shown=_shortened(redacted_filter(text), MAX_TEXT),
        is_secret=_names_a_secret_path(text),
        private=next((part for part in _SIGNS.split(folded) if part in _PRIVATE), None),
        is_naming=folded in _NAMING,
        is_structure=folded in _STRUCTURE,
    )


_known_name = lru_cache(maxsize=1_024)(_read_name)


def _names_a_secret_path(name: str) -> bool:
    """Whether an attribute path is about a secret; literals in it do not count."""
    return bool(name) and (
        is_secret(_LITERAL.sub("", name)) or any(map(is_secret, _TYPED.findall(name)))
    )


def _without_tokens(text: str) -> str:
    if not _HINT_IN_TEXT.search(text.casefold()):
        return text
    return _IN_TEXT.sub(lambda found: (found[1] or found[3] or "") + SECRET, text)


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:_KEPT_OF_A_TEXT]}... ({len(text):,} characters)"
