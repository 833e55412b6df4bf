"""canaille, an identity provider others have written, pushes a company into a served Usher."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from scim2_models import SearchRequest

from tests.kit.canaille import running_canaille
from tests.kit.provider import running_provider
from tests.kit.scim_client import OURS
from tests.kit.world import make_world


@pytest.fixture
def pushed(tmp_path, postgresql_url):
    """A canaille that provisions to a served Usher, and everything Usher has."""
    world = make_world(postgresql_url)
    with (
        closing(world.services.context.database),
        running_provider(tmp_path, postgresql_url) as provider,
        running_canaille(tmp_path, provider.url, provider.token) as canaille,
        provider.scim() as scim,
    ):
        scim.discover()
        yield canaille, scim, world


def test_a_real_provider_creates_changes_and_deletes(pushed):
    """S3, D1, L3: people and groups, from an administrator's pages to the intranet."""
    canaille, scim, world = pushed

    def listed(kind):
        return {
            found.display_name or found.user_name: found.model_dump()
            for found in scim.query(scim.get_resource_model(kind)).resources or []
        }

    def told():
        asked = SearchRequest(attributes=["displayName", OURS])
        people = scim.query(scim.get_resource_model("User"), query_parameters=asked)
        return next(one for one in people.resources if one.display_name == "Ann").model_dump()[OURS]

    def state():
        return told()["state"]

    # Somebody comes: the administrator's first form, and an invitation.
    canaille.fill(
        "/profile",
        user_name="ann",
        given_name="Ann",
        family_name="Ash",
        display_name="Ann",
        **{"emails-0": "ann@corp.example"},
    )
    ann = listed("User")["Ann"]
    assert (told()["state"], told()["contactEmail"]) == ("invited", "ann@corp.example")
    assert ann["userName"] == "ann"
    world.accept("Ann")
    assert state() == "active"

    # Changed.
    canaille.fill("/profile/ann", action="edit-profile", title="Chief")
    assert listed("User")["Ann"]["title"] == "Chief"

    # A group is made; she comes in and goes out again.
    canaille.fill("/groups/add", display_name="sales")
    assert listed("Group")["sales"].get("members", []) == []
    settings = canaille.page("/profile/ann/settings")
    group = re.search(r'<option value="([^"]+)">sales', settings)[1]
    canaille.fill("/profile/ann/settings", action="edit-settings", groups=group)
    assert [member["value"] for member in listed("Group")["sales"]["members"]] == [ann["id"]]
    assert [entry["display"] for entry in listed("User")["Ann"]["groups"]] == ["sales"]
    canaille.fill("/groups/sales", action="remove-member", member=ann["externalId"])
    assert listed("Group")["sales"].get("members", []) == []
    canaille.fill("/groups/sales", action="delete")
    assert listed("Group") == {}

    # Locked and unlocked: dismissed and hired back.
    canaille.fill("/profile/ann/settings", action="lock-execute")
    assert state() == "dismissed"
    canaille.fill("/profile/ann/settings", action="unlock")
    assert state() == "active"

    # Deleted: dismissed, and gone.
    canaille.fill("/profile/ann/settings", action="delete-execute")
    assert listed("User") == {}
    assert world.states() == {"Ann": "dismissed"}
    assert "failed" not in canaille.log.read_text()
