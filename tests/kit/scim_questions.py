"""Filters nobody would write by hand, and what scim2-models says to them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scim2_models import Group, SCIMException, ScimFilter
from sqlalchemy import select

from provisioning.scim.filters import group_condition, user_condition
from provisioning.storage.base import Database
from provisioning.storage.models.scim import ScimGroupRecord, ScimUserRecord
from tests.kit.scim_client import CORE, ENTERPRISE, OURS
from tests.kit.scim_crowd import GROUP, START, WORDS, Crowd
from tests.kit.scim_reference import ReferenceUser

TEXT, BOOLEAN, MOMENT, BINARY, NODE = "text", "boolean", "moment", "binary", "node"
EQUALITY = ("eq", "ne")
ORDER = ("gt", "ge", "lt", "le")
OPERATORS = {
    TEXT: (*EQUALITY, "co", "sw", "ew", *ORDER),
    BOOLEAN: EQUALITY,
    MOMENT: (*EQUALITY, *ORDER),
    BINARY: EQUALITY,
}
ENTRY = {"value": TEXT, "display": TEXT, "type": TEXT, "primary": BOOLEAN}

USER_PATHS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "userName", "USERNAME", "externalId", "displayName", "nickName", "title", "locale",
            "id", "name.familyName", "name.givenName", "NAME.honorificPrefix", "profileUrl",
            "emails", "emails.value", "emails.type", "emails.display", "phoneNumbers.value",
            "roles", "addresses.country", "schemas", "groups", "groups.value", "groups.display",
            "groups.type", "meta.resourceType", "meta.version", "photos.value",
            f"{CORE}:userName", f"{CORE}:name.familyName", f"{CORE.upper()}:emails.value",
            f"{ENTERPRISE}:department", f"{ENTERPRISE}:manager.value",
            f"{ENTERPRISE.lower()}:employeeNumber", f"{OURS}:state", f"{OURS}:reason",
            f"{OURS}:because", f"{OURS}:contactEmail", f"{OURS}:mailbox",
        ),
        TEXT,
    ),
    **dict.fromkeys(("active", "emails.primary", "roles.primary"), BOOLEAN),
    **dict.fromkeys(
        ("meta.created", "meta.lastModified", f"{OURS}:acceptedAt", f"{OURS}:dismissedAt"), MOMENT
    ),
    **dict.fromkeys(("x509Certificates", "x509Certificates.value"), BINARY),
    **dict.fromkeys(("name", "meta", f"{ENTERPRISE}:manager", "addresses"), NODE),
}  # fmt: skip
USER_LISTS: Mapping[str, Mapping[str, str]] = {
    "emails": ENTRY,
    f"{CORE}:emails": ENTRY,
    "phoneNumbers": ENTRY,
    "roles": ENTRY,
    "addresses": {"country": TEXT, "locality": TEXT, "type": TEXT},
    "groups": {"value": TEXT, "display": TEXT, "type": TEXT},
    "schemas": {"value": TEXT},
}
GROUP_PATHS: Mapping[str, str] = {
    **dict.fromkeys(
        ("displayName", "externalId", "id", "members", "members.value", "members.type", "schemas",
         f"{GROUP}:displayName", "meta.version"),
        TEXT,
    ),
    "meta.lastModified": MOMENT,
    "meta": NODE,
}  # fmt: skip
GROUP_LISTS: Mapping[str, Mapping[str, str]] = {"members": {"value": TEXT, "type": TEXT}}
DEPTH = 3


@dataclass(frozen=True)
class Questions:
    """What can be asked of one resource type, and two who answer."""

    crowd: Crowd
    chance: random.Random
    of_groups: bool = False

    def one(self, depth: int = DEPTH) -> str:
        """A filter."""
        paths = GROUP_PATHS if self.of_groups else USER_PATHS
        lists = GROUP_LISTS if self.of_groups else USER_LISTS
        kind = self.chance.random()
        if depth and kind < 0.2:
            operator = self.chance.choice((" and ", " or "))
            terms = (f"({self.one(depth - 1)})" for _ in range(self.chance.choice((2, 2, 3))))
            return operator.join(terms)
        if depth and kind < 0.3:
            return f"not ({self.one(depth - 1)})"
        if kind < 0.45:
            path = self.chance.choice(list(lists))
            inner = self._inner(path, lists[path])
            if self.chance.random() < 0.3:
                return f"{path}[{inner}].{self._leaf(*self._part(lists[path]), path)}"
            return f"{path}[{inner}]"
        path = self.chance.choice(list(paths))
        return self._leaf(path, paths[path], path)

    def expected(self, text: str) -> set[str] | None:
        """Whom scim2-models finds, None if it refuses."""
        model, everyone = (
            (Group, self.crowd.groups) if self.of_groups else (ReferenceUser, self.crowd.users)
        )
        try:
            asked = ScimFilter[model](text)
            return {resource.id for resource in everyone if asked.match(resource, strict=True)}
        except SCIMException:
            return None

    def found(self, database: Database, text: str) -> set[str]:
        """Whom a database finds."""
        record, condition = (
            (ScimGroupRecord, group_condition(text))
            if self.of_groups
            else (ScimUserRecord, user_condition(text))
        )
        query = select(record.id).where(condition)
        with database.read() as session:
            return {str(id_) for id_ in session.scalars(query)}

    def _inner(self, path: str, parts: Mapping[str, str]) -> str:
        leaf = self._leaf(*self._part(parts), path)
        kind = self.chance.random()
        if kind < 0.2:
            return f"not ({leaf})"
        if kind < 0.5:
            other = self._leaf(*self._part(parts), path)
            return f"{leaf} {self.chance.choice(('and', 'or'))} {other}"
        return leaf

    def _part(self, parts: Mapping[str, str]) -> tuple[str, str]:
        return self.chance.choice(list(parts.items()))

    def _leaf(self, path: str, kind: str, whole: str) -> str:
        if kind == NODE or self.chance.random() < 0.1:
            return f"{path} pr"
        operator = self.chance.choice(OPERATORS[kind])
        if operator in EQUALITY and self.chance.random() < 0.08:
            return f"{path} {operator} null"
        if self.chance.random() < 0.1:
            operator = operator.upper()
        return f"{path} {operator} {self._value(kind, path, whole)}"

    def _value(self, kind: str, path: str, whole: str) -> str:
        if kind == BOOLEAN:
            return self.chance.choice(("true", "false"))
        if kind == BINARY:
            return self.chance.choice(('"aGVsbG8="', '"AAEC"', '""'))
        if kind == MOMENT:
            hour = self.chance.randrange(8)
            moments = (
                START.replace(hour=hour).isoformat(),
                START.replace(hour=hour, microsecond=self.chance.randrange(3)).isoformat(),
                f"2026-11-01T{hour:02}:00:00Z",
                f"2026-11-01T{hour + 5:02}:45:00.000001+05:45",
            )
            return ScimFilter.quote(self.chance.choice(moments))
        known = self._known(whole) if path == whole else self._known(f"{whole}.{path}")
        value = self.chance.choice(known) if known and self.chance.random() < 0.7 else None
        return ScimFilter.quote(self._changed(value or self.chance.choice(WORDS)))

    def _changed(self, value: str) -> str:
        kind = self.chance.random()
        if kind < 0.3:
            return value
        if kind < 0.5:
            return self.chance.choice((value.upper(), value.lower(), value.swapcase()))
        if kind < 0.6:
            return unicodedata.normalize("NFD", value)
        start = self.chance.randrange(len(value) + 1)
        return value[start : start + self.chance.randrange(4)] if kind < 0.8 else value[:start]

    def _known(self, path: str) -> Sequence[str]:
        """Values the crowd has there."""
        resources = self.crowd.groups if self.of_groups else self.crowd.documents
        resource = self.chance.choice(resources)
        if not isinstance(resource, dict):
            resource = resource.model_dump(mode="json", by_alias=True)
        for urn in (CORE, ENTERPRISE, OURS, GROUP):
            if path.lower().startswith(f"{urn}:".lower()):
                resource = resource.get(urn, resource)
                path = path[len(urn) + 1 :]
        head, _, inner = path.partition(".")
        value = next((v for k, v in resource.items() if k.lower() == head.lower()), None)
        entries = value if isinstance(value, list) else [value]
        found = [
            entry.get(inner or "value") if isinstance(entry, dict) else entry for entry in entries
        ]
        return [each for each in found if isinstance(each, str)]


def disagreements(
    questions: Questions, databases: Mapping[str, Database], number: int
) -> list[str]:
    """Ask `number` questions; returns what a database answers otherwise than scim2-models."""
    wrong: list[str] = []
    asked = 0
    while asked < number:
        text = questions.one()
        expected = questions.expected(text)
        if expected is None:
            continue
        asked += 1
        for name, database in databases.items():
            found = questions.found(database, text)
            if found != expected:
                wrong.append(
                    f"{name}: {text}: without {expected - found or '-'}, "
                    f"with {found - expected or '-'}"
                )
        if len(wrong) > 10:
            break
    return wrong
