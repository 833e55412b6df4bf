"""PATCH on simple attributes, names and addresses: with paths, filters, and without (3.5.2)."""

from __future__ import annotations

import pytest

from tests.kit.scim_client import ENTERPRISE, operation, refusal

NAME = {"givenName": "Ann", "familyName": "Weber"}
WORK = {"value": "ann@corp.example", "type": "work", "primary": True}
HOME = {"value": "ann@home.example", "type": "home"}
NUMBERED = {"employeeNumber": "7", "department": "Sales"}


@pytest.fixture
def ann(protocol):
    """A person with a name, two addresses and a department; taken away afterwards."""
    created = protocol.create("ann", name=NAME, emails=[WORK, HOME], **{ENTERPRISE: NUMBERED})
    yield created
    protocol.delete(created["id"])


@pytest.mark.parametrize(
    ("operations", "changed"),
    [
        # One attribute, by path.
        ([operation("add", "title", "Chief")], {"title": "Chief"}),
        ([operation("replace", "title", "Chief")], {"title": "Chief"}),
        ([operation("replace", "displayName", "Anna")], {"displayName": "Anna"}),
        ([operation("remove", "displayName")], {"displayName": None}),
        ([operation("replace", "displayName", None)], {"displayName": None}),
        ([operation("replace", "displayName", "")], {"displayName": None}),
        ([operation("replace", "DISPLAYNAME", "Anna")], {"displayName": "Anna"}),
        ([operation("replace", "externalId", "new")], {"externalId": "new"}),
        ([operation("replace", "userName", "anna")], {"userName": "anna"}),
        ([operation("replace", "userName", " anna ")], {"userName": "anna"}),
        (
            [operation("replace", "urn:ietf:params:scim:schemas:core:2.0:User:title", "Chief")],
            {"title": "Chief"},
        ),
        # A complex attribute, whole and in part.
        ([operation("replace", "name.givenName", "A.")], {"name": NAME | {"givenName": "A."}}),
        ([operation("replace", "name", {"givenName": "A."})], {"name": NAME | {"givenName": "A."}}),
        ([operation("remove", "name.givenName")], {"name": {"familyName": "Weber"}}),
        ([operation("remove", "name")], {"name": None}),
        # Addresses, all and one of them.
        ([operation("replace", "emails", [HOME])], {"emails": [HOME]}),
        (
            [operation("replace", 'emails[type eq "home"].value', "a@b.example")],
            {"emails": [WORK, HOME | {"value": "a@b.example"}]},
        ),
        (
            [operation("replace", 'emails[type eq "HOME"]', {"value": "a@b.example"})],
            {"emails": [WORK, HOME | {"value": "a@b.example"}]},
        ),
        (
            [operation("replace", "emails[primary eq true].value", "a@b.example")],
            {"emails": [WORK | {"value": "a@b.example"}, HOME]},
        ),
        (
            [operation("replace", f'emails[value eq "{HOME["value"]}"].primary', True)],
            {"emails": [WORK | {"primary": False}, HOME | {"primary": True}]},
        ),
        ([operation("remove", 'emails[type eq "home"]')], {"emails": [WORK]}),
        ([operation("remove", "emails")], {"emails": None}),
        (
            [operation("add", "emails", [{"value": "a@b.example", "type": "other"}])],
            {"emails": [WORK, HOME, {"value": "a@b.example", "type": "other"}]},
        ),
        ([operation("add", "emails", [HOME])], {}),
        # Without a path.
        ([operation("replace", None, {"title": "Chief", "displayName": "Anna"})],
         {"title": "Chief", "displayName": "Anna"}),
        ([operation("add", None, {"name": {"givenName": "A."}})],
         {"name": NAME | {"givenName": "A."}}),
        ([operation("replace", None, {"name.givenName": "A."})],
         {"name": NAME | {"givenName": "A."}}),
        ([operation("replace", None, {"displayName": "", "title": "Chief"})],
         {"displayName": None, "title": "Chief"}),
        ([operation("replace", None, {"displayName": None})], {"displayName": None}),
        ([operation("add", None, {"displayName": ""})], {}),
        # The enterprise extension.
        ([operation("replace", f"{ENTERPRISE}:department", "IT")],
         {ENTERPRISE: NUMBERED | {"department": "IT"}}),
        ([operation("replace", None, {ENTERPRISE: {"department": "IT"}})],
         {ENTERPRISE: NUMBERED | {"department": "IT"}}),
        ([operation("remove", f"{ENTERPRISE}:department")],
         {ENTERPRISE: {"employeeNumber": "7"}}),
        # Several in order; what is unknown is left out.
        (
            [
                operation("add", "title", "One"),
                operation("replace", "title", "Two"),
                operation("remove", "displayName"),
                operation("replace", "shoeSize", 42),
                operation("replace", None, {"shoeSize": 42}),
            ],
            {"title": "Two", "displayName": None},
        ),
        # A filter that matches nobody describes whom it wants, or nobody.
        (
            [operation("replace", 'emails[type eq "other"].value', "a@b.example")],
            {"emails": [WORK, HOME, {"value": "a@b.example", "type": "other"}]},
        ),
        ([operation("replace", 'emails[type eq "other"].value', "")], {}),
        ([operation("replace", 'emails[type co "oth"].value', None)], {}),
        ([operation("remove", 'emails[type eq "other"]')], {}),
    ],
    ids=str,
)  # fmt: skip
def test_an_operation_changes_this_and_nothing_else(protocol, ann, operations, changed):
    """RFC 7644 3.5.2, on every attribute the frame maps."""
    expected = ann | changed
    expected = {name: value for name, value in expected.items() if value is not None}
    answered = protocol.patch(ann["id"], *operations)
    for document in (answered, protocol.get(ann["id"])):
        assert _without_ours(document) == _without_ours(expected)
    assert (answered["meta"]["version"] == ann["meta"]["version"]) is not changed


@pytest.mark.parametrize(
    ("operations", "scim_type"),
    [
        ([], "invalidValue"),
        (["replace"], "invalidValue"),
        ([operation("move", "title", "x")], "invalidValue"),
        ([operation("replace", "title")], "invalidValue"),
        ([operation("add", "title")], "invalidValue"),
        ([operation("remove", None)], "noTarget"),
        ([operation("replace", None, "x")], "invalidValue"),
        ([operation("replace", "emails[", "x")], "invalidPath"),
        ([operation("replace", 'emails[type eq "work"', "x")], "invalidPath"),
        ([operation("replace", 'emails[type co "x"].value', "a@b.example")], "noTarget"),
        ([operation("replace", "id", "x")], "mutability"),
        ([operation("replace", "meta", {"version": "x"})], "mutability"),
        ([operation("remove", "userName")], "mutability"),
        ([operation("replace", "userName", "")], "mutability"),
        ([operation("replace", "userName", "  ")], "invalidValue"),
        ([operation("replace", "userName", 5)], "invalidValue"),
        ([operation("replace", "active", "perhaps")], "invalidValue"),
        ([operation("replace", "active", [False])], "invalidValue"),
        ([operation("replace", "emails", "a@b.example")], "invalidValue"),
    ],
    ids=str,
)
def test_an_operation_that_means_nothing_is_refused_with_all_others(
    protocol, ann, operations, scim_type
):
    """RFC 7644 3.12: 400 in one line, with the keyword; the operation before it is not kept."""
    before = [operation("replace", "title", "Chief")] if operations else []
    detail = refusal(protocol.try_patch(ann["id"], *before, *operations), 400, scim_type)
    assert "\n" not in detail
    assert "pydantic" not in detail
    assert protocol.get(ann["id"]) == ann


def _without_ours(document):
    """A document without what every change moves: times and version."""
    return {name: value for name, value in document.items() if name not in ("meta", "schemas")}
