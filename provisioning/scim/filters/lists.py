"""Multi-valued attributes: a condition on one holds if it holds for any of its entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scim2_models.path import CompareOperator
from sqlalchemy import ColumnElement, literal, select

from provisioning.scim.filters.attributes import Attribute, Kind
from provisioning.scim.filters.comparing import Condition, Hint, Operand
from provisioning.scim.filters.dialects import entries, part
from provisioning.scim.filters.refusing import refused

VALUE = "value"


class Entry(Protocol):
    """One entry of a multi-valued attribute."""

    def operand(self, name: str) -> Operand:
        """Return a sub-attribute; `value` of an entry that is a value is the entry itself.

        Raises:
            ScimError: 400 invalidFilter: there is no such sub-attribute.
        """

    @property
    def operands(self) -> list[Operand]:
        """All sub-attributes."""


class ValueList(Protocol):
    """A multi-valued attribute of a resource."""

    @property
    def name(self) -> str:
        """The attribute's name."""

    def any(self, condition: Callable[[Entry], Condition]) -> Condition:
        """Whether the condition holds for an entry."""

    def there(self) -> Condition:
        """Whether there is any entry."""

    def hint(self, value: str) -> Condition | None:
        """Return what an index knows to be necessary for an entry to have this `value`."""


@dataclass(frozen=True, slots=True)
class PartsEntry:
    """An entry whose sub-attributes are read one by one."""

    name: str
    parts: Mapping[str, Operand]

    def operand(self, name: str) -> Operand:
        """Return a sub-attribute."""
        found = self.parts.get(name.lower())
        if found is None:
            known = ", ".join(self.parts)
            raise refused(f"{self.name} has no {name} to compare, only {known}")
        return found

    @property
    def operands(self) -> list[Operand]:
        """All sub-attributes."""
        return list(self.parts.values())


@dataclass(frozen=True, slots=True)
class JsonList:
    """A multi-valued attribute in a search document."""

    attribute: Attribute
    document: Any
    value_hint: Hint | None = None

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.attribute.name

    def any(self, condition: Callable[[Entry], Condition]) -> Condition:
        """Whether the condition holds for an entry."""
        rows = entries(self.document, self.name)
        holding = condition(self._entry(rows.c.value))
        return select(literal(1)).select_from(rows).where(holding).exists()

    def there(self) -> Condition:
        """Whether there is any entry: an empty list is not stored."""
        return part(self.document, self.name).is_not(None)

    def hint(self, value: str) -> Condition | None:
        """Return what an index knows about an entry's `value`."""
        return self.value_hint(CompareOperator.eq, value) if self.value_hint else None

    def first(self, name: str) -> Operand:
        """Return a sub-attribute of the primary entry, or the first."""
        if self.attribute.kind is not Kind.COMPLEX:
            return Operand(self.attribute, part(self.document, self.name, "0"))
        inner = self.attribute.parts.get(name.lower())
        if inner is None:
            raise refused(f"{self.name} has no {name}")
        return Operand(inner, part(self.document, self.name, "0", inner.name))

    def _entry(self, value: ColumnElement[Any]) -> Entry:
        if self.attribute.kind is not Kind.COMPLEX:
            return PartsEntry(self.name, {VALUE: Operand(self.attribute, part(value))})
        parts = self.attribute.parts
        return PartsEntry(
            self.name,
            {name: Operand(each, part(value, name)) for name, each in parts.items()},
        )
