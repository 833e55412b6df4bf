"""/Bulk: many operations in one request, each done or refused on its own (RFC 7644 3.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import orjson

from provisioning.scim.asking import Answer, Asked, ResourceHandler, etag
from provisioning.scim.bodies import named
from provisioning.scim.bulk_ids import in_order, resolved, without
from provisioning.scim.errors import ScimError, error_document, refusal_of
from provisioning.scim.gate import needed_scopes, require_scopes

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS = ("POST", "PUT", "PATCH", "DELETE")

_PATH = re.compile(r"^/?(?P<type>[A-Za-z]+)(?:/(?P<id>[^/?#]+))?/?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation as the client sent it."""

    method: str
    path: str
    bulk_id: str | None
    version: str
    data: Any


class Bulk:
    """Runs the operations of a bulk request through the resource types' own methods."""

    def __init__(self, types: Mapping[str, ResourceHandler], base_url: str) -> None:
        """Keep the resource types by the name of their endpoint, as in `Users`."""
        self._types = types
        self._base_url = base_url

    def run(self, asked: Asked) -> Answer:
        """Do what can be done, in an order that lets references lead forward; 200.

        Raises:
            ScimError: 400: it is no bulk request.
        """
        operations = [_operation(each) for each in _operations(asked.body)]
        limit = _fail_on_errors(asked.body)
        run = _Run(self._types, asked, operations)
        for index in in_order(operations):
            run.do(index)
            if limit and run.errors >= limit:
                break
        else:
            run.complete_circles()
        results = [self._result(operations[index], run.answers[index]) for index in run.answered]
        return Answer(body=orjson.dumps({"schemas": [RESPONSE], "Operations": results}))

    def _result(self, operation: Operation, answer: Answer) -> dict[str, Any]:
        result: dict[str, Any] = {"method": operation.method, "status": str(answer.status.value)}
        if operation.bulk_id is not None:
            result["bulkId"] = operation.bulk_id
        if answer.location:
            result["location"] = answer.location
        elif operation.method != "POST":
            result["location"] = f"{self._base_url}/{operation.path.strip('/')}"
        if answer.version is not None:
            result["version"] = etag(answer.version)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            result["response"] = orjson.loads(answer.body)
        return result


class _Run:
    """What came of the operations so far."""

    def __init__(
        self,
        types: Mapping[str, ResourceHandler],
        asked: Asked,
        operations: Sequence[Operation],
    ) -> None:
        self._types, self._asked, self._operations = types, asked, operations
        self._created: dict[str, str] = {}
        self._announced = [each.bulk_id for each in operations if each.bulk_id is not None]
        self._circles: list[int] = []
        self.answers: dict[int, Answer] = {}
        self.errors = 0

    @property
    def answered(self) -> Iterator[int]:
        """The operations that were tried, in the client's order."""
        return iter(sorted(self.answers))

    def do(self, index: int) -> None:
        """Do one operation; a failure is its own answer."""
        operation = self._operations[index]
        try:
            answer = self._perform(index, operation)
        except Exception as error:  # noqa: BLE001 - what is done already has to be told
            answer = _refused(error)
        self._keep(index, answer)

    def complete_circles(self) -> None:
        """Give those created before what they refer to the rest of what was sent (3.7.1)."""
        for index in self._circles:
            operation, first = self._operations[index], self.answers[index]
            if first.status >= HTTPStatus.BAD_REQUEST:
                continue
            try:
                data = resolved(operation.data, self._created)
                handler, _ = self._target(operation.path)
                id_ = self._created[operation.bulk_id or ""]
                last = handler.replace(id_, self._part(data))
            except Exception as error:  # noqa: BLE001 - as above
                last = replace(_refused(error), location=first.location)
            else:
                last = replace(last, status=first.status)
            self._keep(index, last)

    def _perform(self, index: int, operation: Operation) -> Answer:
        data = operation.data
        if operation.method == "POST":
            if self._announced.count(operation.bulk_id or "") != 1:
                raise _invalid("A POST needs a bulkId that is unique in its request.")
            later = set(self._announced) - self._created.keys() - self._failed()
            data, left_out = without(data, later)
            if left_out:
                self._circles.append(index)
        data = resolved(data, self._created)
        path = resolved(operation.path, self._created)
        handler, resource_id = self._target(path)
        require_scopes(self._asked.caller, needed_scopes(operation.method, path))
        asked = self._part(data or {}, if_match=operation.version)
        return _call(handler, operation.method, resource_id, asked)

    def _part(self, data: dict[str, Any], *, if_match: str = "") -> Asked:
        return replace(
            self._asked, body=data, arguments={}, if_match=if_match, is_part_of_bulk=True
        )

    def _failed(self) -> set[str]:
        """Return the bulkIds of those that were to be created and were not."""
        return {
            self._operations[index].bulk_id or ""
            for index, answer in self.answers.items()
            if answer.status >= HTTPStatus.BAD_REQUEST
        }

    def _target(self, path: str) -> tuple[ResourceHandler, str | None]:
        found = _PATH.match(path)
        handler = self._types.get(found["type"]) if found else None
        if found is None or handler is None:
            raise _invalid(f"path has to be like /Users or /Groups/<id>, not {path[:80]!r}.")
        return handler, found["id"]

    def _keep(self, index: int, answer: Answer) -> None:
        operation = self._operations[index]
        self.answers[index] = answer
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self.errors += 1
        elif operation.method == "POST" and operation.bulk_id and answer.location:
            self._created[operation.bulk_id] = answer.location.rpartition("/")[2]


def _call(handler: ResourceHandler, method: str, resource_id: str | None, asked: Asked) -> Answer:
    if (method == "POST") == (resource_id is not None):
        raise _invalid("A POST goes to a resource type, everything else to one resource.")
    if resource_id is None:
        return handler.create(asked)
    match method:
        case "PUT":
            return handler.replace(resource_id, asked)
        case "PATCH":
            return handler.patch(resource_id, asked)
        case _:
            return handler.delete(resource_id, asked)


def _refused(error: Exception) -> Answer:
    refusal = refusal_of(error)
    return Answer(status=refusal.status, body=orjson.dumps(error_document(refusal)))


def _operations(body: dict[str, Any]) -> Sequence[Any]:
    operations = named(body, "operations")
    if not isinstance(operations, list) or not operations:
        raise ScimError(
            HTTPStatus.BAD_REQUEST, "A bulk request needs a list of Operations.", "invalidSyntax"
        )
    return operations


def _operation(given: Any) -> Operation:
    members = (
        {key.lower(): value for key, value in given.items()} if isinstance(given, dict) else {}
    )
    method, path = str(members.get("method", "")).upper(), members.get("path")
    data, bulk_id = members.get("data"), members.get("bulkid")
    if method not in METHODS or not isinstance(path, str):
        raise ScimError(
            HTTPStatus.BAD_REQUEST,
            f"An operation needs a method ({', '.join(METHODS)}) and a path. Nothing was done.",
            "invalidSyntax",
        )
    if method != "DELETE" and not isinstance(data, dict):
        raise ScimError(
            HTTPStatus.BAD_REQUEST, f"{method} {path[:80]} needs data. Nothing was done.",
            "invalidSyntax",
        )  # fmt: skip
    return Operation(
        method=method,
        path=path,
        bulk_id=bulk_id if isinstance(bulk_id, str) and bulk_id else None,
        version=str(members.get("version") or ""),
        data=data,
    )


def _fail_on_errors(body: dict[str, Any]) -> int:
    limit = named(body, "failonerrors")
    if limit is None:
        return 0
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ScimError(
            HTTPStatus.BAD_REQUEST, "failOnErrors has to be a number from 1.", "invalidValue"
        )
    return limit


def _invalid(detail: str) -> ScimError:
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidValue")
