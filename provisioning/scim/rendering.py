"""Answers: the stored text with what only we know spliced in; pydantic is never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from provisioning.scim.urns import EXTENSION
from provisioning.storage.scim_rows import (
    USER,
    GroupRef,
    GroupRow,
    UserRow,
    moment_text,
    uuid_text,
)

TOLD_UNASKED = ("state", "reason", "because", "waitingPosition")
"""Of whoever waits for a seat."""

NOBODY = {"state": "none", "because": "nobody is invited for this resource yet"}


def user_document(
    row: UserRow,
    base_url: str,
    groups: Sequence[GroupRef] = (),
    outcome: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a user as it is answered.

    Args:
        row: The stored resource and its employee.
        base_url: Where resources live.
        groups: The groups they are in; rendered only if there are any.
        outcome: What became of them, for who asks for that.
    """
    refs = [_group_ref(ref, base_url) for ref in groups]
    document = b'%s%s,"meta":%s}' % (
        row.document[:-1],
        b',"groups":' + orjson.dumps(refs) if refs else b"",
        _meta("User", f"{base_url}/Users/{uuid_text(row.id)}", row),
    )
    return document if outcome is None else _with_outcome(document, outcome)


def outcome_of(row: UserRow, position: int | None = None) -> Mapping[str, Any]:
    """Return what became of the client's wish, from the employee's own columns.

    Args:
        row: The stored resource and its employee.
        position: Their place in the waiting list, if they are in it.
    """
    if row.state is None:
        return NOBODY
    facts = {
        "state": row.state,
        "reason": row.reason or None,
        "because": row.because,
        "waitingPosition": position,
        "invitedAt": _moment(row.invited_at),
        "acceptedAt": _moment(row.accepted_at),
        "dismissedAt": _moment(row.dismissed_at),
        "login": row.login,
        "contactEmail": row.contact_email,
        "findings": sorted(set(row.findings.split(","))) if row.findings else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def wait_of(row: UserRow, position: int | None) -> Mapping[str, Any]:
    """Return what is told unasked: that somebody whom the client wants in waits for a seat (L3)."""
    outcome = outcome_of(row, position)
    return {name: outcome[name] for name in TOLD_UNASKED if name in outcome}


def group_document(
    row: GroupRow, base_url: str, members: Sequence[tuple[str, Any]] | None
) -> bytes:
    """Return a group as it is answered.

    Args:
        row: The stored resource.
        base_url: Where resources live.
        members: (kind, id) of each; None leaves the attribute out.
    """
    # authentik needs the list of an empty group, too.
    listed = b"" if members is None else b',"members":[%s]' % _members(members, base_url)
    location = f"{base_url}/Groups/{uuid_text(row.id)}"
    return b'%s%s,"meta":%s}' % (row.document[:-1], listed, _meta("Group", location, row))


def list_document(
    resources: Sequence[bytes], total: int, *, start: int | None, cursors: Mapping[str, str]
) -> bytes:
    """Return a ListResponse; `start` is left out of a page by cursor (RFC 9865 2)."""
    head: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "itemsPerPage": len(resources),
    }
    if start is not None:
        head["startIndex"] = start
    return b'%s,"Resources":[%s]}' % (orjson.dumps(head | dict(cursors))[:-1], b",".join(resources))


def _meta(kind: str, location: str, row: UserRow | GroupRow) -> bytes:
    """Return `meta` as text: of what stands in it, nothing needs escaping."""
    created, modified = moment_text(row.created_at), moment_text(row.modified_at)
    return (
        f'{{"resourceType":"{kind}","created":"{created}","lastModified":"{modified}",'
        f'"location":"{location}","version":"W/\\"{row.version}\\""}}'
    ).encode()


def _group_ref(ref: GroupRef, base_url: str) -> dict[str, str]:
    id_ = uuid_text(ref.id)
    return {
        "value": id_,
        "$ref": f"{base_url}/Groups/{id_}",
        "display": ref.display_name,
        "type": "direct" if ref.direct else "indirect",
    }


def _members(members: Sequence[tuple[str, Any]], base_url: str) -> bytes:
    """Return the entries as text: a hundred thousand of them are no objects."""
    users, groups = f"{base_url}/Users/", f"{base_url}/Groups/"
    return ",".join(
        f'{{"value":"{(id_ := uuid_text(each))}",'
        f'"$ref":"{users if kind == USER else groups}{id_}","type":"{kind}"}}'
        for kind, each in members
    ).encode()


def _with_outcome(document: bytes, outcome: Mapping[str, Any]) -> bytes:
    full: dict[str, Any] = orjson.loads(document)
    if EXTENSION not in full:
        full["schemas"].append(EXTENSION)
    full[EXTENSION] = {**full.get(EXTENSION, {}), **outcome}
    return orjson.dumps(full)


def _moment(value: Any) -> str | None:
    return moment_text(value) if value else None
