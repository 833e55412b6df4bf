"""An identity provider that pushes people into a whole Usher, without a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provisioning.services.container import Services
from provisioning.storage.models.scim import ScimUserRecord
from tests.kit.nights import ME
from tests.kit.services import PUBLIC_URL
from tests.kit.site import make_site

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
OURS = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
BASE = f"{PUBLIC_URL}/scim/v2"


def user(name: str = "ann", /, **attributes: Any) -> dict[str, Any]:
    """A user as providers post one; None takes a default attribute away."""
    address = f"{name}@corp.example"
    values: dict[str, Any] = {
        "schemas": [CORE],
        "userName": address,
        "externalId": f"x-{name}",
        "displayName": name.title(),
        "emails": [{"value": address, "type": "work", "primary": True}],
        "active": True,
        **attributes,
    }
    return {key: value for key, value in values.items() if value is not None}


def operation(op: str, path: str | None = None, *value: Any) -> dict[str, Any]:
    """One operation of a PATCH; no path if that is None, no value if none is given."""
    whole: dict[str, Any] = {"op": op}
    if path is not None:
        whole["path"] = path
    if value:
        whole["value"] = value[0]
    return whole


class Document(dict[str, Any]):
    """A document that was answered, and whose client can ask for more of it."""

    client: ScimClient | None = None


@dataclass
class ScimClient:
    """Requests with the token of one source."""

    app: Flask
    services: Services
    token: str | None
    source: str = "idp"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        /,
        *,
        raw: bytes | None = None,
        **headers: str,
    ) -> TestResponse:
        """Send a request; a header is named with underscores, and None leaves it away."""
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        answer = self.client.open(
            f"/scim/v2{path}",
            method=method,
            base_url=PUBLIC_URL,
            data=data,
            headers={name: value for name, value in sent.items() if value is not None},
        )
        return self._asked(answer)

    def create(self, name: str = "ann", /, **attributes: Any) -> dict[str, Any]:
        """POST somebody who has to be taken; returns the resource."""
        return taken(self("POST", "/Users", user(name, **attributes)), 201)

    def get(self, id_: str, **headers: str) -> dict[str, Any]:
        """GET a resource that has to be there."""
        return taken(self("GET", f"/Users/{id_}", **headers))

    def put(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """PUT a whole user that has to be taken."""
        return taken(self("PUT", f"/Users/{id_}", body))

    def patch(self, id_: str, *operations: dict[str, Any]) -> dict[str, Any]:
        """PATCH operations that have to be taken; returns the resource."""
        return taken(self.try_patch(id_, *operations))

    def try_patch(self, id_: str, *operations: dict[str, Any], **headers: str) -> TestResponse:
        """PATCH operations, whatever comes of them."""
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self("PATCH", f"/Users/{id_}", body, **headers)

    def activate(self, id_: str, active: Any) -> dict[str, Any]:
        """PATCH `active` alone."""
        return self.patch(id_, operation("replace", "active", active))

    def group(self, name: str, *members: dict[str, Any], **attributes: Any) -> dict[str, Any]:
        """POST a group that has to be taken, with resources as its members."""
        listed = as_members(*members)
        body = {"schemas": [GROUP], "displayName": name, "members": listed, **attributes}
        return taken(self("POST", "/Groups", body), 201)

    def get_group(self, id_: str, query: str = "") -> dict[str, Any]:
        """GET a group that has to be there."""
        return taken(self("GET", f"/Groups/{id_}{query}"))

    def patch_group(self, id_: str, *operations: dict[str, Any]) -> dict[str, Any]:
        """PATCH a group with operations that have to be taken; returns the group."""
        return taken(self.try_patch_group(id_, *operations))

    def try_patch_group(
        self, id_: str, *operations: dict[str, Any], **headers: str
    ) -> TestResponse:
        """PATCH a group, whatever comes of it."""
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self("PATCH", f"/Groups/{id_}", body, **headers)

    def delete(self, id_: str) -> None:
        """DELETE a resource that has to be there."""
        assert self("DELETE", f"/Users/{id_}").status_code == 204

    def find(self, filter: str, **arguments: Any) -> list[dict[str, Any]]:
        """Whom a filter finds."""
        resources: list[dict[str, Any]] = self.list(filter=filter, **arguments)["Resources"]
        return resources

    def list(self, **arguments: Any) -> dict[str, Any]:
        """One page of a list, with the arguments of its query string."""
        return taken(self.try_list(**arguments))

    def told(self, **arguments: Any) -> list[dict[str, Any]]:
        """The resources of a page, each with what became of it."""
        page = self.list(**arguments)["Resources"]
        outcomes = self.list(**arguments, attributes=OURS)["Resources"]
        return [{**one, **more} for one, more in zip(page, outcomes, strict=True)]

    def try_list(self, **arguments: Any) -> TestResponse:
        """A list, whatever comes of it."""
        answer = self.client.get(
            "/scim/v2/Users",
            base_url=PUBLIC_URL,
            query_string=arguments,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        return self._asked(answer)

    def _asked(self, answer: TestResponse) -> TestResponse:
        answer.asked_by = self  # type: ignore[attr-defined]  # read by `taken` alone
        return answer


def taken(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """The document of an answer that has to have this status."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.content_type == "application/scim+json"
    document = Document(answer.get_json(force=True))
    document.client = getattr(answer, "asked_by", None)
    return document


def as_members(*resources: dict[str, Any]) -> list[dict[str, str]]:
    """Resources as the members of a group are sent."""
    return [{"value": resource["id"]} for resource in resources]


def member_ids(group: dict[str, Any]) -> set[str]:
    """The ids of a group's members, each of which has to be there once."""
    listed = [member["value"] for member in group["members"]]
    assert len(listed) == len(set(listed))
    return set(listed)


def refusal(answer: TestResponse, status: int, scim_type: str | None = None) -> str:
    """The sentence of an answer that has to be a SCIM error (RFC 7644 3.12)."""
    error = taken(answer, status)
    assert error["schemas"] == [ERROR]
    assert (error["status"], error.get("scimType")) == (str(status), scim_type), error
    assert "Traceback" not in answer.text
    detail: str = error["detail"]
    assert detail
    return detail


def connect(
    services: Services,
    source: str = "idp",
    *,
    first_run: str = "apply",
    app: Flask | None = None,
) -> ScimClient:
    """A client with a new token of a source; `app` when another client has made it already."""
    token = services.tokens.create(source, ME, first_run=first_run)
    return ScimClient(app or make_site(services), services, token.secret, source)


def outcome(user: dict[str, Any]) -> dict[str, Any]:
    """What became of somebody on the intranet, as their resource tells who asks for it."""
    assert isinstance(user, Document)
    assert user.client
    told = taken(user.client("GET", f"/Users/{user['id']}?attributes={OURS}"))
    found: dict[str, Any] = told[OURS]
    return found


def employee_of(services: Services, user: dict[str, Any]) -> UUID | None:
    """The employee a resource belongs to."""
    with services.context.database.read() as session:
        return session.get_one(ScimUserRecord, UUID(user["id"])).employee_id
