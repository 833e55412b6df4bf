"""People as a source describes them, before anybody decided anything about them."""

from __future__ import annotations

import hashlib
import marshal
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, Self

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What a source may be called: it stands in commands, addresses of pages and the timeline."""


_WITHOUT_REFERENCES = 2
"""The format of `marshal` that writes equal values equally, whatever else refers to them."""


class DirectoryId(NamedTuple):
    """Who someone is, and who says so.

    `value` is the source's immutable id: entryUUID (RFC 4530), objectGUID, or for SCIM
    our own resource id. Never a DN, a login or a mail address: those get reused.
    """

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class RawPerson:
    """One entry of a directory as it was read: text values by attribute name, nothing decided.

    `anchor` is the immutable id and unique in a snapshot; `where` is the entry's place (a DN)
    for people to read; attribute names are in the source's own spelling, values in the order
    they came. `problem` says why the entry cannot be used (undecodable values, no id), and
    then it is a finding for that person, never a failed run.
    """

    anchor: str
    where: str
    attributes: Mapping[str, tuple[str, ...]]
    problem: str | None = None

    def raw_hash(self) -> str:
        """Return a digest that is equal exactly when the entry is: 32 hexadecimal digits.

        The order of attributes and of values does not matter: servers are free to choose it.
        """
        values = sorted(
            [
                (name, found if len(found) == 1 else tuple(sorted(found)))
                for name, found in self.attributes.items()
            ]
        )
        # Every text with its length, so that no two entries look alike; JSON costs twice as much.
        canonical = marshal.dumps((self.where, self.problem, values), _WITHOUT_REFERENCES)
        return hashlib.blake2b(canonical, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One human a source vouches for.

    `user_name` is the name the directory gives them; `mail` is their corporate address.
    Both change more often than anyone expects, which is why neither is the key.
    """

    id: DirectoryId
    user_name: str
    mail: str | None
    display_name: str
    active: bool = True
    inactive_reason: str = ""
    """Why `active` is false, in words: "disabled in corp-ad", "expired on 2026-11-01"."""

    active_until: datetime | None = None
    """When the directory itself ends the account; aware, and time alone makes it matter."""

    starts_at: datetime | None = None
    given_name: str | None = None
    family_name: str | None = None
    employee_number: str | None = None
    external_id: str | None = None
    department: str | None = None
    title: str | None = None
    phone: str | None = None
    manager: str | None = None
    language: str | None = None
    mailbox: str | None = None
    aliases: tuple[str, ...] = ()
    where: str = ""
    """Where the source keeps them (a DN), for grouping and for people to read."""

    def __post_init__(self) -> None:
        """Refuse a person who could not be told apart from another."""
        if not all(self.id):
            raise ValueError("a person needs a source and an id")
        if not self.user_name or self.user_name != self.user_name.strip():
            raise ValueError(f"user name {self.user_name!r} is empty or not normalised")
        for moment in (self.active_until, self.starts_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("dates of a person need a time zone")

    def is_active_at(self, moment: datetime) -> bool:
        """Whether the source still vouches for them at this moment."""
        return self.active and (self.active_until is None or self.active_until > moment)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready document without empty fields."""
        document: dict[str, Any] = {}
        for name in PERSON_FIELDS:
            value = getattr(self, name)
            if value in (None, "", ()):
                continue
            if isinstance(value, datetime):
                value = value.isoformat()
            document[name] = list(value) if isinstance(value, tuple) else value
        return document

    @classmethod
    def from_json(cls, id: DirectoryId, document: Mapping[str, Any]) -> Self:
        """Return the person whose `to_json` was stored; unknown fields are an error."""
        values = dict(document)
        for name in ("active_until", "starts_at"):
            if name in values:
                values[name] = datetime.fromisoformat(values[name])
        values["aliases"] = tuple(values.get("aliases", ()))
        values.setdefault("mail", None)
        return cls(id=id, **values)


PERSON_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Person) if field.name != "id")
"""What a mapping may fill."""
