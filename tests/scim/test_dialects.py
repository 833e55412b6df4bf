"""What identity providers send, in every form there is; whole cycles are in corpus/."""

from __future__ import annotations

import pytest

from tests.kit.scim_client import CORE, ENTERPRISE, operation, taken, user

TOMBSTONE = "5a6f4c1e6f5b4f5e9a3e2f9f5f0b7a11"


@pytest.fixture
def world(sqlite_world):
    """Words are understood before anything is stored."""
    return sqlite_world


def entra_user(**attributes):
    """A user as Entra ID posts one."""
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Ann.Weber@corp.example",
        "active": "True",
        "displayName": "Ann",
        "emails": [{"primary": True, "type": "work", "value": "ann@corp.example"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Ann Weber", "familyName": "Weber", "givenName": "Ann"},
        "roles": [],
        **attributes,
    }


class TestEntra:
    """https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups"""

    @pytest.fixture
    def ann(self, idp):
        return taken(idp("POST", "/Users", entra_user()), 201)

    def test_words_for_active_are_understood(self, world, idp, ann):
        """The op in any case, the Boolean as a text; "" says nothing (D1, S6)."""
        world.accept("Ann")
        for op, path, value, active in (
            ("Replace", "active", "False", False),
            ("replace", "active", "True", True),
            ("Add", "active", "false", False),
            ("REPLACE", "active", "", False),
            ("Add", None, {"active": "True"}, True),
            ("Replace", None, {"active": ""}, True),
        ):
            assert idp.patch(ann["id"], operation(op, path, value))["active"] is active
            assert world.states() == {"Ann": "active" if active else "dismissed"}

    @pytest.mark.parametrize("form", ["7", {"value": "7"}, [{"value": "7"}], ["7"]], ids=str)
    def test_a_manager_may_be_a_text_an_object_or_a_list(self, idp, ann, form):
        """In POST, in PUT, and in every kind of PATCH."""
        manager = f"{ENTERPRISE}:manager"
        for said in (
            operation("Add", manager, form),
            operation("Replace", f"{manager}.value", form),
            operation("Add", None, {manager: form}),
            operation("Replace", None, {ENTERPRISE: {"manager": form}}),
            operation("Replace", ENTERPRISE, {"manager": form}),
        ):
            assert idp.patch(ann["id"], said)[ENTERPRISE]["manager"]["value"] == "7", said
            assert ENTERPRISE not in idp.patch(ann["id"], operation("Remove", manager)), said
        with_manager = entra_user(**{ENTERPRISE: {"manager": form}})
        assert idp.put(ann["id"], with_manager)[ENTERPRISE]["manager"]["value"] == "7"
        bob = idp.create("bob", **{ENTERPRISE: {"manager": form}})
        assert bob[ENTERPRISE]["manager"]["value"] == "7"

    @pytest.mark.parametrize("nothing", ["", None, [], {"value": ""}], ids=str)
    def test_a_manager_is_taken_away_by_nothing(self, idp, ann, nothing):
        """Add and Replace of "" and null clear, whatever else is in the request."""
        manager = f"{ENTERPRISE}:manager"
        for said in (
            operation("Add", manager, nothing),
            operation("Replace", manager, nothing),
            operation("Replace", f"{manager}.value", nothing),
            operation("Add", None, {manager: nothing}),
            operation("Replace", None, {ENTERPRISE: {"manager": nothing}}),
        ):
            idp.patch(ann["id"], operation("Add", manager, "7"))
            title = operation("Replace", "title", str(said))
            cleared = idp.patch(ann["id"], said, title)
            assert "manager" not in cleared.get(ENTERPRISE, {}), said
            assert cleared["title"] == str(said)
        bob = idp.create("bob", **{ENTERPRISE: {"manager": nothing, "department": "IT"}})
        assert bob[ENTERPRISE] == {"department": "IT"}

    @pytest.mark.parametrize("mark", [TOMBSTONE, TOMBSTONE.upper()])
    def test_a_tombstone_in_a_put_is_no_name_either(self, idp, ann, mark):
        """D1: the mark of a deletion, in any case; the real name stays."""
        body = entra_user(userName=f"{mark}ann.weber@corp.example", active=False)
        assert idp.put(ann["id"], body)["userName"] == "Ann.Weber@corp.example"

    @pytest.mark.parametrize(
        "name",
        [f"{TOMBSTONE}bob@corp.example", TOMBSTONE, f"{TOMBSTONE[1:]}ann.weber@corp.example"],
    )
    def test_another_name_is_a_name(self, idp, ann, name):
        """32 digits before somebody else's name, or alone, or too few of them: a rename."""
        assert idp.patch(ann["id"], operation("Replace", "userName", name))["userName"] == name


def test_a_reference_to_a_manager_is_kept_as_it_was_sent(idp):
    """RFC 7643 4.3: scim2-tester sends one; to who sends none, a relative one is answered."""
    boss = {"value": "7", "$ref": "https://directory.example/Users/7"}
    ann = idp.create("ann", **{ENTERPRISE: {"manager": boss}})
    assert ann[ENTERPRISE]["manager"] == boss
    moved = idp.patch(ann["id"], operation("replace", f"{ENTERPRISE}:manager", "8"))
    assert moved[ENTERPRISE]["manager"] == {"value": "8", "$ref": "../Users/8"}


@pytest.mark.parametrize("was", [True, False])
def test_taking_active_away_changes_nothing(world, idp, was):
    """D1: the attribute has no value any more (RFC 7644 3.5.2.2); what it was holds on."""
    ann = idp.create("ann")
    world.accept("Ann")
    idp.activate(ann["id"], was)
    assert "active" not in idp.patch(ann["id"], operation("remove", "active"))
    assert "active" not in idp.patch(ann["id"], operation("replace", "title", "Chief"))
    quiet = user("ann", active=None)
    assert "active" not in idp.put(ann["id"], quiet)
    assert world.states() == {"Ann": "active" if was else "dismissed"}
    idp.activate(ann["id"], not was)
    assert world.states() == {"Ann": "dismissed" if was else "active"}
