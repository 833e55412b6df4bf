"""What identity providers really send, replayed; each cycle names where its shapes are public."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from provisioning.domain.policy import Policy, WhenFull
from provisioning.services.context import InvitationTimes
from tests.kit.corpus import Replay, cycles, requests

CYCLES = cycles()
PROVIDERS = (
    "authentik",
    "canaille",
    "entra",
    "google",
    "jumpcloud",
    "keycloak",
    "midpoint",
    "okta",
    "onelogin",
    "ping",
    "sailpoint",
)
ROWS = {
    # What a request means for the employee.
    "meaning.post-invites": "POST: a new resource, correlated, then invited",
    "meaning.post-waits": "POST: or waiting",
    "meaning.post-hires-back": "POST: or hired back",
    "meaning.post-conflict": "POST: 409 for a visible resource, naming the id",
    "meaning.first-approval": "POST: the letters of a new source are held",
    "meaning.inactive-dismisses": "active false, in any dialect: dismissed",
    "meaning.inactive-stays-findable": "active false: readable, findable, the name taken",
    "meaning.active-hires-back": "active true: hired back through the seat gate",
    "meaning.delete-hides": "DELETE: dismissed and hidden, in no filter and no group",
    "meaning.delete-then-post": "DELETE, then POST: a new id for the same employee",
    "meaning.seats-full": "seats full: 201, active, waiting and why",
    "meaning.seats-full-means-no": "seats full and when_full reject: 403 with a sentence",
    "meaning.held": "held by the breaker: the answer shows what was set",
    "meaning.active-silence": "active null or absent: never a dismissal",
    "meaning.patch": "PATCH: 200 with the resource",
    "meaning.unknown-member": "an unknown member: ignored",
    "meaning.no-match-created": "a value filter of eq and and that matches nothing: created",
    "meaning.no-match-refused": "another value filter that matches nothing: 400 noTarget",
    "meaning.no-match-empty": "nothing for a value filter that matches nothing: nothing",
    # Entra ID.
    "entra.op-case": "op in any case",
    "entra.boolean-texts": "texts for Booleans",
    "entra.entry-created": "an address by its type when there is none of that type",
    "entra.one-entry": "several adds with one filter make one entry",
    "entra.dotted-keys": "dotted keys without a path",
    "entra.urn-keys": "keys with a schema without a path",
    "entra.manager-text": "the manager as a text",
    "entra.manager-object": "as an object",
    "entra.manager-list": "as a list",
    "entra.manager-in-post": "in POST too",
    "entra.manager-cleared": "cleared with nothing",
    "entra.remove-with-values": "Remove with values must not empty the group",
    "entra.extras": "name and id beside the operations",
    "entra.foreign-group-schema": "a second, foreign group schema",
    "entra.nested-groups": "groups in groups",
    "entra.names-in-any-case": "names in any case",
    "entra.unquoted": "unquoted things ignored with 200",
    "entra.misspelled": "misspelled things ignored with 200",
    "entra.lookup-user-name": "lookup by user name",
    "entra.lookup-address": "lookup by the work address",
    "entra.lookup-members": "lookup by id and member",
    "entra.lookup-manager": "lookup by id and manager",
    "entra.lookup-no-quotes": "lookup by one word without quotes",
    "entra.without-members": "excludedAttributes=members",
    "entra.soft-delete": "soft delete, later DELETE",
    "entra.tombstone": "the tombstone's name dismisses and does not rename",
    # The others.
    "okta.lookup-any-case": "lookup by user name in any case",
    "okta.page": "startIndex and count",
    "okta.put-whole": "PUT of the whole user with its read-only parts",
    "okta.pathless-active": "active without a path",
    "okta.group-id-and-name": "a group's id and displayName in one value",
    "okta.remove-and-add": "members out and in with one request",
    "okta.error-detail": "a detail that is shown to administrators",
    "authentik.max-operations": "bulk.maxOperations, even where bulk is off",
    "authentik.empty-members": "members: [] on an empty group",
    "authentik.pathless-group": "a whole group replaced without a path",
    "authentik.no-quotes": "lookup by user name without quotes",
    "jumpcloud.test-connection": "a connection test leaves no letter and no seat",
    "canaille.by-external-id": "lookup by externalId, POST, PUT, DELETE",
    "onelogin.wrong-schemas": "schemas that never were",
    "others.put-and-patch": "PUT plus PATCH like Entra's",
    "others.emails-eq": "emails eq",
    "others.add-without-path": "add without a path",
    "others.id-eq": "id eq",
    "others.probe": "the probe count=1",
    "extension.kept": "data of a declared schema is kept and returned",
    "extension.unknown-ignored": "unknown attributes are ignored",
    "token.bare": "a bare token in the header",
}
"""The rows of the tables of meanings and dialects, as tags of steps; rates are for benchmarks."""


@pytest.mark.parametrize("name", CYCLES)
def test_a_recorded_cycle_does_what_it_says_and_nothing_else(make_idp, name):
    """S3, D1: after every request all resources, employees, letters and seats are as told."""
    cycle = CYCLES[name]
    world, idp = make_idp(**choices(cycle.get("world", {})))
    replay = Replay(world, idp, cycle.get("headers", {}))
    for number, step in enumerate(cycle["steps"], 1):
        if difference := replay.difference(step):
            pytest.fail(f"{name}, step {number}: {step['say']}\n{difference}", pytrace=False)


def test_the_corpus_is_large_and_leaves_nothing_out():
    """Every provider, every row of both tables, and the public origin of every shape."""
    sent = Counter({name: len(requests(cycle)) for name, cycle in CYCLES.items()})
    assert sent.total() >= 240
    assert {name.partition("/")[0] for name in CYCLES} == set(PROVIDERS)
    tags = {
        tag for cycle in CYCLES.values() for step in cycle["steps"] for tag in step.get("tags", ())
    }
    assert tags == set(ROWS)
    for name, cycle in CYCLES.items():
        assert cycle["provider"] == name.partition("/")[0]
        assert all(source.startswith("https://") for source in cycle["source"]), name
        assert cycle["source"], name


def choices(world):
    """The choices of a cycle as those of a world."""
    when_full = WhenFull(world.get("when_full", "wait"))
    return {
        "seats": world.get("seats"),
        "release": world.get("release", "apply"),
        "policy": Policy(missing_grace_nights=0, when_full=when_full),
        "times": InvitationTimes(grace=timedelta(minutes=world.get("grace_minutes", 0))),
    }
