"""Marks of changes in tests: what they lead to, and such as are not right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from connectors.ldap.directory import LdapDirectory
from provisioning.domain.people import RawPerson
from tests.kit.branches import Branch


def uids(branch: Branch, people: Iterable[RawPerson]) -> set[str]:
    """Who some people are in a branch."""
    places = {dn.lower(): uid for uid, dn in branch.people.items()}
    return {places[raw.where.lower()] for raw in people}


def seen(branch: Branch, corp: LdapDirectory, mark: str) -> tuple[set[str], set[str], str]:
    """Who is told of by name, who is gone by anchor, and the following mark."""
    changes = corp.changes(mark)
    told = uids(branch, changes)
    return told, set(changes.proof.gone), changes.proof.mark


def with_value(mark: str, **words: str) -> str:
    """A mark that says something else of the server."""
    return json.dumps(json.loads(mark) | {"value": {**value_of(mark), **words}})


def value_of(mark: str) -> Mapping[str, str]:
    """What a mark says of the server."""
    value: Mapping[str, str] = json.loads(mark)["value"]
    return value
