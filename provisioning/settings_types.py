"""What one setting may be: each kind of value with the sentence that refuses another."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import re2
from pydantic import AfterValidator, Field, SecretStr
from sqlalchemy import make_url

from provisioning.domain.addresses import address_key
from provisioning.domain.people import SOURCE_NAME

People = Annotated[int, Field(ge=0, le=1_000_000_000)]
Days = Annotated[int, Field(ge=1, le=3_650)]
Nights = Annotated[int, Field(ge=0, le=3_650)]
Minutes = Annotated[int, Field(ge=0, le=525_600)]
Interval = Annotated[int, Field(ge=1, le=86_400)]

_SHORTEST_KEY = 32

Percent = Annotated[float, Field(ge=0, le=100)]
Folded = Annotated[str, AfterValidator(address_key)]
_QUIET = re2.Options()
_QUIET.log_errors = False


def _expression(text: str) -> str:
    try:
        re2.compile(text, _QUIET)
    except re2.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'"{name}" is not a time zone such as "Europe/Berlin"') from None
    return name


def _public_url(url: str) -> str:
    if not re.match(r"https?://[^/]", url):
        raise ValueError("write the whole address, such as https://intranet.corp.example")
    return url.rstrip("/")


def _sender(text: str) -> str:
    if not text.isprintable() or "@" not in parseaddr(text)[1]:
        raise ValueError('write an address, such as "Intranet <intranet@corp.example>"')
    return text


def _secret_key(key: SecretStr) -> SecretStr:
    if 0 < len(key.get_secret_value()) < _SHORTEST_KEY:
        raise ValueError(f"needs {_SHORTEST_KEY} random characters or more")
    return key


def _source_name(name: str) -> str:
    if not SOURCE_NAME.fullmatch(name):
        raise ValueError("sources are called by small letters, digits and hyphens")
    return name


def _database_url(url: str) -> str:
    if not re.match(r"(sqlite|postgres(ql)?(\+psycopg)?)://", url):
        raise ValueError("write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    try:
        make_url(url)
    except ValueError as error:
        raise ValueError(
            "is no address: the port has to be a number, and signs in a password are written like "
            "%40 for @"
        ) from error
    return url


Expression = Annotated[str, AfterValidator(_expression)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
Sender = Annotated[str, AfterValidator(_sender)]
SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]
SourceName = Annotated[str, AfterValidator(_source_name)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
