"""Where the attributes of a user and of a group are found: columns, documents, other tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim2_models.path import AttrPath, CompareOperator
from sqlalchemy import ColumnElement, String, and_, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from provisioning.domain.addresses import address_key
from provisioning.scim.filters.attributes import (
    ENTERPRISE_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    USER_ATTRIBUTES,
    USHER_ATTRIBUTES,
    Attribute,
    Kind,
)
from provisioning.scim.filters.comparing import Condition, Hint, Operand
from provisioning.scim.filters.dialects import bytewise, part
from provisioning.scim.filters.folding import ENTERPRISE_PART, USHER_PART, email_key
from provisioning.scim.filters.lists import JsonList, ValueList
from provisioning.scim.filters.memberships import Groups, Members, uuid_of
from provisioning.scim.filters.outcomes import outcome
from provisioning.scim.filters.refusing import refused
from provisioning.scim.urns import CORE, ENTERPRISE, EXTENSION, GROUP
from provisioning.storage.models.scim import ScimEmailRecord, ScimGroupRecord, ScimUserRecord

_LAST_CODE_POINT = chr(0x10FFFF)
_BEFORE_SURROGATES, _AFTER_SURROGATES = chr(0xD7FF), chr(0xE000)
_MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Complex:
    """A single value with sub-attributes."""

    attribute: Attribute
    parts: Mapping[str, Operand]


Place = Operand | Complex | ValueList


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource type: its attributes, and where the unusual ones are."""

    name: str
    record: Any
    schema: str
    attributes: Mapping[str, Attribute]
    lists: Mapping[str, ValueList]
    hints: Mapping[str, Hint]

    def find(self, path: AttrPath) -> Place:
        """Return where an attribute is, its sub-attribute not yet looked at.

        Raises:
            ScimError: 400 invalidFilter: there is no such attribute.
        """
        schema, name = (path.uri or self.schema).lower(), path.attr.lower()
        found: Place | None = None
        if schema == self.schema.lower():
            found = self._own(name)
            if path.uri is None and found is None and name == _MANAGER:
                # Entra leaves the schema away.
                schema = ENTERPRISE.lower()
        if self.record is ScimUserRecord and schema == ENTERPRISE.lower():
            found = self._placed(ENTERPRISE_ATTRIBUTES.get(name), ENTERPRISE_PART)
        elif self.record is ScimUserRecord and schema == EXTENSION.lower():
            found = self._placed(USHER_ATTRIBUTES.get(name), USHER_PART) or outcome(name)
        if found is None:
            raise refused(f"{self.name} has no attribute {path} that can be compared")
        return found

    def _own(self, name: str) -> Place | None:
        attribute = self.attributes.get(name)
        if name in self.lists:
            return self.lists[name]
        if attribute is not None and name == "meta":
            return Complex(attribute, self._meta(attribute.parts))
        return self._placed(attribute)

    def _placed(self, attribute: Attribute | None, *inside: str) -> Place | None:
        document = self.record.search
        if attribute is None:
            return None
        if attribute.is_multi:
            return JsonList(attribute, document, self.hints.get(f"{attribute.name}.value"))
        path = (*inside, attribute.name)
        if attribute.kind is Kind.COMPLEX:
            parts = attribute.parts.items()
            return Complex(
                attribute,
                {name: Operand(each, part(document, *path, name)) for name, each in parts},
            )
        hint = None if inside else self.hints.get(attribute.name)
        return Operand(attribute, part(document, *path), hint)

    def _meta(self, parts: Mapping[str, Attribute]) -> Mapping[str, Operand]:
        """Return what is known of a resource; its location is asked for by its id."""
        version = literal('W/"').concat(cast(self.record.version, String)).concat('"')
        places: Mapping[str, ColumnElement[Any]] = {
            "resourcetype": literal(self.name),
            "created": self.record.created_at,
            "lastmodified": self.record.modified_at,
            "version": bytewise(version),
        }
        return {
            name: Operand(parts[name], place, is_certain=True) for name, place in places.items()
        }


def _equals(column: InstrumentedAttribute[Any]) -> Hint:
    """Use an index on a column that has what the document has."""

    def hint(op: CompareOperator, value: str) -> Condition | None:
        return column == value if op is CompareOperator.eq and value else None

    return hint


def _folded_equals(column: InstrumentedAttribute[Any]) -> Hint:
    """Use an index on a column that has it without the blanks around."""

    def hint(op: CompareOperator, value: str) -> Condition | None:
        return column == address_key(value) if op is CompareOperator.eq and value else None

    return hint


def _id_equals(column: InstrumentedAttribute[Any]) -> Hint:
    def hint(op: CompareOperator, value: str) -> Condition | None:
        return column == uuid_of(value) if op is CompareOperator.eq else None

    return hint


def _user_name(op: CompareOperator, value: str) -> Condition | None:
    """Use the index for the whole name or its beginning."""
    column = ScimUserRecord.user_name_key
    if op is not CompareOperator.sw or not value:
        return _folded_equals(column)(op, value)
    end = _next_beginning(value)
    return column >= value if end is None else and_(column >= value, column < end)


def _next_beginning(text: str) -> str | None:
    """Return the first text behind all that begin with this one, None if nothing can be."""
    last = text[-1]
    if last == _LAST_CODE_POINT:
        return None
    after = _AFTER_SURROGATES if last == _BEFORE_SURROGATES else chr(ord(last) + 1)
    return text[:-1] + after


def _email(op: CompareOperator, value: str) -> Condition | None:
    if op is not CompareOperator.eq or not value:
        return None
    found = select(ScimEmailRecord.user_id).where(ScimEmailRecord.value_key == email_key(value))
    return ScimUserRecord.id.in_(found)


USERS = Resource(
    name="User",
    record=ScimUserRecord,
    schema=CORE,
    attributes=USER_ATTRIBUTES,
    lists={"groups": Groups()},
    hints={
        "id": _id_equals(ScimUserRecord.id),
        "externalid": _equals(ScimUserRecord.external_id),
        "username": _user_name,
        "displayname": _folded_equals(ScimUserRecord.display_name_key),
        "emails.value": _email,
    },
)

GROUPS = Resource(
    name="Group",
    record=ScimGroupRecord,
    schema=GROUP,
    attributes=GROUP_ATTRIBUTES,
    lists={"members": Members()},
    hints={
        "id": _id_equals(ScimGroupRecord.id),
        "externalid": _equals(ScimGroupRecord.external_id),
        "displayname": _folded_equals(ScimGroupRecord.display_name_key),
    },
)
