"""What can be asked for: every attribute with its type and how its texts compare (RFC 7643 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, get_args

from pydantic import EmailStr
from scim2_models import CaseExact, EnterpriseUser, Group, User, default_comparison_key
from scim2_models.base import BaseModel

from provisioning.scim.extension import WRITABLE, UsherUser


class Kind(Enum):
    """How the values of an attribute compare."""

    TEXT = auto()
    BOOLEAN = auto()
    BINARY = auto()
    MOMENT = auto()
    COMPLEX = auto()


_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.BOOLEAN),
    (bytes, Kind.BINARY),
    (datetime, Kind.MOMENT),
    (BaseModel, Kind.COMPLEX),
    (str, Kind.TEXT),
    (EmailStr, Kind.TEXT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute or sub-attribute of a resource."""

    name: str
    """In lower case: names are written in any (RFC 7643 2.1)."""

    kind: Kind = Kind.TEXT
    case_exact: bool = False
    is_multi: bool = False
    parts: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))
    """Its sub-attributes by name, if it is complex."""

    def folded(self, text: str) -> str:
        """Return the form texts of this attribute are compared in, exactly as scim2-models does.

        >>> Attribute(name="username").folded("Müller")
        'müller'
        """
        return default_comparison_key(self, text)


def attributes_of(model: type[BaseModel], *without: str) -> Mapping[str, Attribute]:
    """Return the attributes a model declares, by their names in lower case."""
    found = (_attribute(model, field_name) for field_name in model.model_fields)
    return {each.name: each for each in found if each.name not in without}


def _attribute(model: type[BaseModel], field_name: str) -> Attribute:
    declared = model.model_fields[field_name]
    root: Any = model.get_field_root_type(field_name)
    plain = get_args(root)[0] if hasattr(root, "__metadata__") else root
    kind = next(kind for type_, kind in _KINDS if issubclass(plain, type_))
    return Attribute(
        name=(declared.serialization_alias or field_name.replace("_", "")).lower(),
        kind=kind,
        case_exact=model.get_field_annotation(field_name, CaseExact) is CaseExact.true,
        is_multi=model.get_field_multiplicity(field_name),
        parts=attributes_of(plain) if kind is Kind.COMPLEX else MappingProxyType({}),
    )


USER_ATTRIBUTES = attributes_of(User, "password")
ENTERPRISE_ATTRIBUTES = attributes_of(EnterpriseUser, "schemas")
USHER_ATTRIBUTES = {name: _attribute(UsherUser, name) for name in WRITABLE}
"""What a client writes of our own extension; its facts are in the tables of the employee."""

GROUP_ATTRIBUTES = attributes_of(Group)
