"""The people of a benchmark: the same for every server, and their groups by size."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
GROUP_SIZES = (10, 1_000, 100_000)


def user_name(number: int) -> str:
    return f"given{number}.family{number}@corp.example"


def person(number: int, title: str = "Engineer") -> dict[str, Any]:
    """Return what an identity provider posts for one person."""
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": f"00u{number:09}",
        "userName": user_name(number),
        "name": {
            "givenName": f"Given{number}",
            "familyName": f"Family{number}",
            "formatted": f"Given{number} Family{number}",
        },
        "displayName": f"Given{number} Family{number}",
        "title": title,
        "preferredLanguage": "en-GB",
        "active": True,
        "emails": [{"value": user_name(number), "type": "work", "primary": True}],
        "phoneNumbers": [{"value": f"+44 20 {number:08}", "type": "work"}],
        ENTERPRISE: {"employeeNumber": f"{number:07}", "department": f"Department {number % 40}"},
    }


def ids_of(people: int) -> list[UUID]:
    """Return so many ids, spread like those that are given out and the same in every run."""
    chosen = random.Random(people)
    return [UUID(int=chosen.getrandbits(128), version=4) for _ in range(people)]


def group_sizes(people: int) -> list[int]:
    """Return how large the groups are: half of the people at most, so that others can be added."""
    return sorted({min(size, people // 2) for size in GROUP_SIZES})


def group_id(size: int) -> UUID:
    return UUID(int=size, version=4)


def group(size: int) -> dict[str, Any]:
    """Return a group without its members: the first people are in it."""
    return {"schemas": [GROUP], "displayName": f"Group of {size}", "externalId": f"group-{size}"}
