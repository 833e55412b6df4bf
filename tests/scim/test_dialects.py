"""What identity providers really send, replayed (each as its vendor documents it)."""

from __future__ import annotations

import pytest

from tests.kit.scim_client import CORE, ENTERPRISE, PATCH, operation, outcome, taken, user

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

    def test_adds_to_an_address_that_is_not_there_make_one(self, idp, ann):
        """Several adds with one filter are one entry."""
        changed = idp.patch(
            ann["id"],
            operation("Add", 'emails[type eq "other"].value', "a@b.example"),
            operation("Add", 'emails[type eq "other"].display', "Ann"),
            operation("Add", 'phoneNumbers[type eq "work"].value', "+49 30 1"),
        )
        other = {"value": "a@b.example", "type": "other", "display": "Ann"}
        assert changed["emails"] == [*ann["emails"], other]
        assert changed["phoneNumbers"] == [{"value": "+49 30 1", "type": "work"}]

    def test_keys_without_a_path_may_be_paths(self, idp, ann):
        """Dotted, with a filter, and with the extension's name."""
        changed = idp.patch(
            ann["id"],
            operation(
                "Replace",
                None,
                {
                    "displayName": "Anna",
                    "name.familyName": "Schmidt",
                    'emails[type eq "work"].value': "anna@corp.example",
                    f"{ENTERPRISE}:department": "Sales",
                    f"{ENTERPRISE}:manager": "7",
                },
            ),
        )
        assert changed["displayName"] == "Anna"
        assert changed["name"] == ann["name"] | {"familyName": "Schmidt"}
        assert changed["emails"] == [ann["emails"][0] | {"value": "anna@corp.example"}]
        assert changed[ENTERPRISE]["department"] == "Sales"
        assert changed[ENTERPRISE]["manager"]["value"] == "7"

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

    def test_extras_in_the_body_mean_nothing(self, idp, ann):
        """A PATCH with "name" and "id" beside its operations."""
        body = {
            "schemas": [PATCH],
            "id": "x",
            "name": "addManager",
            "operations": [{"OP": "Replace", "Path": "title", "Value": "Chief"}],
        }
        changed = taken(idp("PATCH", f"/Users/{ann['id']}", body))
        assert (changed["title"], changed["id"]) == ("Chief", ann["id"])

    def test_a_tombstone_dismisses_and_does_not_rename(self, world, idp, ann):
        """D1: the mark of a deletion is no name; the real one stays findable and taken."""
        world.accept("Ann")
        gone = idp.patch(
            ann["id"],
            operation("Replace", "userName", f"{TOMBSTONE}Ann.Weber@corp.example"),
            operation("Replace", "active", "False"),
        )
        assert (gone["userName"], gone["active"]) == ("Ann.Weber@corp.example", False)
        assert outcome(gone)["state"] == "dismissed"
        assert idp.find('userName eq "ann.weber@corp.example"') == [gone]
        put = entra_user(userName=f"{TOMBSTONE.upper()}ann.weber@corp.example", active=False)
        assert idp.put(ann["id"], put)["userName"] == "Ann.Weber@corp.example"

    @pytest.mark.parametrize(
        "name",
        [f"{TOMBSTONE}bob@corp.example", TOMBSTONE, f"{TOMBSTONE[1:]}ann.weber@corp.example"],
    )
    def test_another_name_is_a_name(self, idp, ann, name):
        """32 digits before somebody else's name, or alone, or too few of them: a rename."""
        assert idp.patch(ann["id"], operation("Replace", "userName", name))["userName"] == name

    def test_the_life_of_a_person(self, world, idp):
        """Look up, create, soft delete, restore, delete, and the same person once more (P2)."""
        wanted = 'userName eq "ann.weber@corp.example"'
        assert idp.find(wanted) == []
        ann = taken(idp("POST", "/Users", entra_user()), 201)
        assert idp.find(wanted) == [ann]
        world.accept("Ann")
        idp.patch(ann["id"], operation("Replace", "active", "False"))
        back = idp.patch(ann["id"], operation("Replace", "active", "True"))
        assert outcome(back)["state"] == "active"
        idp.patch(
            ann["id"],
            operation("Replace", "active", "False"),
            operation("Replace", "userName", f"{TOMBSTONE}Ann.Weber@corp.example"),
        )
        idp.delete(ann["id"])
        assert idp.find(wanted) == []
        again = taken(idp("POST", "/Users", entra_user()), 201)
        assert outcome(again)["state"] == "active"
        assert world.states() == {"Ann": "active"}


class TestOkta:
    """https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/"""

    @pytest.fixture
    def ann(self, idp):
        body = {
            "schemas": [CORE],
            "userName": "ann@corp.example",
            "name": {"givenName": "Ann", "familyName": "Weber"},
            "emails": [{"primary": True, "value": "ann@corp.example", "type": "work"}],
            "displayName": "Ann",
            "locale": "en-US",
            "externalId": "00ujl29u0le5T6Aj10h7",
            "groups": [],
            "password": "1mz050nq",
            "active": True,
        }
        return taken(idp("POST", "/Users", body), 201)

    def test_a_person_is_looked_up_in_any_case(self, idp, ann):
        found = idp.list(filter='userName eq "ANN@CORP.EXAMPLE"', startIndex=1, count=100)
        assert (found["totalResults"], found["Resources"]) == (1, [ann])

    def test_active_comes_without_a_path(self, world, idp, ann):
        """D1, S6."""
        world.accept("Ann")
        for active in (False, True):
            changed = idp.patch(ann["id"], operation("replace", None, {"active": active}))
            assert changed["active"] is active
        assert world.states() == {"Ann": "active"}

    def test_a_whole_user_comes_back_with_what_is_ours(self, world, idp, ann):
        """PUT of what GET answered, read-only parts and all, changed in one place."""
        world.accept("Ann")
        whole = idp.get(ann["id"])
        whole["name"] = whole["name"] | {"familyName": "Schmidt"}
        changed = idp.put(ann["id"], whole)
        assert changed["name"]["familyName"] == "Schmidt"
        assert outcome(changed) == outcome(whole)
        assert idp.put(ann["id"], changed) == changed
        assert idp.put(ann["id"], changed | {"active": False})["active"] is False
        assert world.states() == {"Ann": "dismissed"}


def test_a_connection_test_leaves_nothing(make_idp):
    """JumpCloud creates and deletes a user: no seat and no letter are left (I9, D1)."""
    world, idp = make_idp(seats=1)
    probe = idp.create("jumpcloud-test", active=True)
    idp.patch(probe["id"], operation("replace", "active", False))
    idp.delete(probe["id"])
    assert world.services.delivery.deliver_due() == 0
    assert (world.states(), world.services.reports.seats().taken) == ({}, 0)


def test_canaille_finds_by_external_id_and_puts(idp):
    """Look up, POST, look up, PUT, DELETE."""
    wanted = 'externalId eq "x-ann"'
    assert idp.find(wanted) == []
    ann = idp.create("ann")
    assert idp.find(wanted) == [ann]
    assert idp.put(ann["id"], user("ann", displayName="Anna"))["displayName"] == "Anna"
    idp.delete(ann["id"])
    assert idp.find(wanted) == []
