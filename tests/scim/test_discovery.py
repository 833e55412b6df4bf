"""What the service provider says of itself (RFC 7643 5-7, RFC 7644 4)."""

from __future__ import annotations

import pytest

from provisioning.scim.extension import WRITABLE
from provisioning.scim.limits import MAX_OPERATIONS, ScimLimits
from provisioning.scim.rendering import TOLD_UNASKED
from tests.kit.scim_client import BASE, CORE, ENTERPRISE, GROUP, OURS, operation, taken, user


def everything(document):
    """Every attribute of a schema, sub-attributes included, by its dotted name."""
    for attribute in document["attributes"]:
        yield attribute["name"], attribute
        for part in attribute.get("subAttributes", []):
            yield f"{attribute['name']}.{part['name']}", part


def test_what_is_supported_is_told(protocol):
    """The limits are those that are kept; paging by cursor is told (RFC 9865 4)."""
    config = taken(protocol("GET", "/ServiceProviderConfig"))
    for name in ("patch", "filter", "sort", "etag", "bulk"):
        assert config[name]["supported"] is True
    assert config["changePassword"]["supported"] is False
    assert config["filter"]["maxResults"] == 200
    assert config["bulk"]["maxOperations"] == MAX_OPERATIONS
    assert config["bulk"]["maxPayloadSize"] == ScimLimits().body_bytes
    assert config["pagination"]["cursor"] is config["pagination"]["index"] is True
    schemes = {scheme["type"]: scheme for scheme in config["authenticationSchemes"]}
    assert schemes.keys() == {"oauthbearertoken", "oauth2"}
    assert [kind for kind, scheme in schemes.items() if scheme["primary"]] == ["oauthbearertoken"]
    assert config["meta"]["location"] == f"{BASE}/ServiceProviderConfig"


def test_canaille_hears_of_no_pagination(protocol):
    """canaille 0.3.6: a ServiceProviderConfig with RFC 9865's pagination is thrown away whole."""
    config = taken(protocol("GET", "/ServiceProviderConfig"))
    heard = taken(protocol("GET", "/ServiceProviderConfig", User_Agent="python-httpx/0.28.1"))
    assert heard == {key: value for key, value in config.items() if key != "pagination"}


def test_there_are_users_and_groups(protocol):
    """Each type by itself is the entry of the list."""
    listed = taken(protocol("GET", "/ResourceTypes"))
    assert (listed["totalResults"], listed["itemsPerPage"], listed["startIndex"]) == (2, 2, 1)
    users, groups = listed["Resources"]
    assert (users["id"], users["endpoint"], users["schema"]) == ("User", "/Users", CORE)
    assert (groups["id"], groups["endpoint"], groups["schema"]) == ("Group", "/Groups", GROUP)
    assert {extension["schema"] for extension in users["schemaExtensions"]} == {ENTERPRISE, OURS}
    for kind in (users, groups):
        assert taken(protocol("GET", f"/ResourceTypes/{kind['id']}")) == kind


def test_every_schema_is_there_by_its_name(protocol):
    listed = taken(protocol("GET", "/Schemas"))["Resources"]
    assert {schema["id"] for schema in listed} == {CORE, GROUP, ENTERPRISE, OURS}
    for schema in listed:
        assert taken(protocol("GET", f"/Schemas/{schema['id']}")) == schema
        assert schema["meta"]["location"] == f"{BASE}/Schemas/{schema['id']}"


def test_what_is_answered_is_declared(protocol):
    """Every attribute of an answer, ours included, stands in a schema."""
    schemas = {schema["id"]: schema for schema in taken(protocol("GET", "/Schemas"))["Resources"]}
    declared = {urn: dict(everything(schema)) for urn, schema in schemas.items()}
    ann = protocol.create(
        "ann",
        name={"givenName": "Ann"},
        phoneNumbers=[{"value": "1", "type": "work"}],
        **{
            ENTERPRISE: {"department": "Sales", "manager": "7"},
            OURS: {"mailbox": "a@mail.example"},
        },
    )
    ann = protocol.activate(ann["id"], False)
    common = {"schemas", "id", "externalId", "meta"}
    assert ann.keys() - common - {ENTERPRISE, OURS} <= declared[CORE].keys()
    assert ann[ENTERPRISE].keys() <= declared[ENTERPRISE].keys()
    told = protocol.get(f"{ann['id']}?attributes={OURS}")[OURS]
    assert {"mailbox", "state", "because"} <= told.keys() <= declared[OURS].keys()
    assert declared[CORE]["password"]["returned"] == "never"
    assert declared[GROUP]["members.display"]["mutability"] == "readOnly"


def test_what_became_of_somebody_is_declared_for_who_asks(protocol):
    """RFC 7643 2.2, 7: facts are readOnly, most returned on request; a mailbox may be written."""
    schema = taken(protocol("GET", f"/Schemas/{OURS}"))
    assert schema["name"] == "UsherUser"
    found = {
        attribute["name"]: (attribute["mutability"], attribute["returned"])
        for attribute in schema["attributes"]
    }
    assert [name for name in found if name in WRITABLE] == list(WRITABLE) == ["mailbox"]
    assert found.pop("mailbox") == ("readWrite", "default")
    told = {name for name in found if found[name] == ("readOnly", "default")}
    assert told == set(TOLD_UNASKED)
    assert {found[name] for name in found.keys() - told} == {("readOnly", "request")}
    assert all(attribute["description"] for attribute in schema["attributes"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("displayName", "Anna"),
        ("nickName", "A"),
        ("title", "Chief"),
        ("userType", "Employee"),
        ("preferredLanguage", "de"),
        ("locale", "de-DE"),
        ("timezone", "Europe/Berlin"),
        ("profileUrl", "https://corp.example/ann"),
        ("name", {"formatted": "A", "honorificPrefix": "Dr.", "middleName": "M"}),
        ("emails", [{"value": "a@b.example", "display": "A", "type": "work", "primary": True}]),
        ("phoneNumbers", [{"value": "+49 30 1", "type": "mobile"}]),
        ("ims", [{"value": "ann", "type": "xmpp"}]),
        ("photos", [{"value": "https://corp.example/ann.jpg", "type": "photo"}]),
        ("addresses", [{"streetAddress": "1", "postalCode": "2", "country": "DE"}]),
        ("entitlements", [{"value": "x"}]),
        ("roles", [{"value": "x"}]),
        ("x509Certificates", [{"value": "TUlJ"}]),
        (ENTERPRISE, {"employeeNumber": "7", "division": "D", "organization": "O"}),
        (OURS, {"mailbox": "ann@mail.example"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_declared_is_kept(protocol, name, value):
    """Posted, put and patched: what a schema names comes back as it was sent."""
    ann = protocol.create(f"ann-{len(str(value))}-{name[-5:].lower()}", **{name: value})
    assert ann[name] == value
    plain = user("ann", userName=ann["userName"], externalId=ann["externalId"])
    protocol.put(ann["id"], plain)
    assert protocol.put(ann["id"], plain | {name: value})[name] == value
    protocol.put(ann["id"], plain)
    assert protocol.patch(ann["id"], operation("replace", None, {name: value}))[name] == value
    assert protocol.get(ann["id"])[name] == value
    protocol.delete(ann["id"])
