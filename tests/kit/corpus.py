"""Recorded cycles of identity providers, replayed against a whole Usher.

A cycle is a JSON file: `provider`, `title`, `source` (the public pages its shapes come from),
`headers` (what every request of it carries), `world` (seats, when_full, release, grace_minutes)
and `steps`. A step has

    say         what the provider is doing
    tags        rows of the tables of meanings and dialects it proves
    request     method, path with query, headers, body; as they go over the wire
    status      expected
    answer      expected document, where it is not the resource of the path
    part        what a document has to hold at least; "*" is any value (discovery)
    error       expected scimType and words of the detail
    as          the name of the resource a POST creates
    resources   what is different now in which resource: attributes, null for one that is gone,
                null for a whole resource that is hidden
    people      what is different now in the states of employees, null for one who is gone
    letters     to whom letters left
    seats       how many are taken now
    accept      people who opened their letters before the request
    minutes     that passed before the request

What a step does not name may not have changed: after each, every resource is read and compared
whole, and every employee, letter and seat counted. `{ann.id}` stands for the id of a resource,
`{ann.meta.version}` and so on for what was last answered of it, `{token}` for the token. A body
`{"$answer": "ann", ...}` is what was last answered, with other attributes. `usher` stands for
our own extension, which is asked for after each request: state, reason and contactEmail. `groups`
of a user are worked out here.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.kit.scim_client import BASE, CORE, OURS, ScimClient
from tests.kit.world import World

FOLDER = Path(__file__).parents[1] / "scim" / "corpus"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"

_PLACE = re.compile(r"\{(\w+)((?:\.\w+)*)\}")
_OUTCOME = ("state", "reason", "contactEmail")
Document = dict[str, Any]


def cycles() -> dict[str, Document]:
    """Every recorded cycle by its name, such as "entra/life"."""
    return {
        str(path.relative_to(FOLDER).with_suffix("")): json.loads(path.read_text("utf-8"))
        for path in sorted(FOLDER.glob("*/*.json"))
    }


def requests(cycle: Document) -> list[Document]:
    """The steps of a cycle in which the provider sends something."""
    return [step for step in cycle["steps"] if "request" in step]


@dataclass
class Replay:
    """A cycle on its way through a world: what was expected and answered so far."""

    world: World
    client: ScimClient
    headers: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Document | None] = field(default_factory=dict)
    answered: dict[str, Document] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    seats: int = 0
    letters: set[int] = field(default_factory=set)

    def difference(self, step: Document) -> str:
        """Take one step; returns what is not as it says, or nothing."""
        try:
            self.play(step)
        except AssertionError as difference:
            request = step.get("request", {})
            return f"{request.get('method', '')} {request.get('path', '')}\n{difference}"
        return ""

    def play(self, step: Document) -> None:
        """Take one step, and compare everything there is with what it says."""
        self.world.clock.advance(timedelta(minutes=step.get("minutes", 0)))
        self.world.accept(*step.get("accept", []))
        if "request" in step:
            self._request(step)
        else:
            self._expect(step)
        for name in self.kinds:
            self._compare_resource(name)
        self.people |= step.get("people", {})
        self.people = {name: state for name, state in self.people.items() if state}
        _same("people", self.people, self.world.states())
        self.seats = step.get("seats", self.seats)
        _same("seats taken", self.seats, self.world.services.reports.seats().taken)
        _same("letters", sorted(step.get("letters", [])), sorted(self._new_letters()))

    def _request(self, step: Document) -> None:
        request = step["request"]
        body = self._filled(request["body"]) if "body" in request else None
        answer = self.client(
            request["method"],
            self._filled(request["path"]),
            body,
            **self._filled(self.headers | request.get("headers", {})),
        )
        document = answer.get_json(force=True) if answer.data else None
        assert answer.status_code == step["status"], (
            f"{answer.status_code} instead of {step['status']}: {answer.text[:2000]}"
        )
        if document is not None:
            assert answer.content_type == "application/scim+json"
        if "as" in step and document is not None:
            self._named(step["as"], request["path"], document)
        self._expect(step)
        if "error" in step:
            self._compare_error(step["error"], document or {})
        elif "part" in step:
            missing = list(_missing(document, step["part"]))
            assert not missing, f"not in the answer: {', '.join(missing)}"
        elif "answer" in step:
            _same("answer", self._listed(step["answer"]), self._seen(document))
        elif document is not None:
            name = step.get("as") or self._addressed(request["path"])
            _same("answer", self._whole(name), self._seen(document))
            assert answer.headers["ETag"] == document["meta"]["version"]

    def _expect(self, step: Document) -> None:
        """Remember what is to be different from now on."""
        for name, changes in step.get("resources", {}).items():
            before = self.expected.get(name)
            if changes is None:
                self.expected[name] = None
            else:
                after = (before or {}) | self._filled(changes)
                self.expected[name] = {key: part for key, part in after.items() if part is not None}

    def _named(self, name: str, path: str, document: Document) -> None:
        self.kinds[name] = path.strip("/").partition("?")[0]
        self.answered[name] = document
        self.expected[name] = {"id": document["id"]}
        if self.kinds[name] == "Groups":
            self.expected[name] = {"id": document["id"], "members": []}

    def _compare_resource(self, name: str) -> None:
        answer = self.client("GET", f"/{self.kinds[name]}/{self.answered[name]['id']}")
        if self.expected[name] is None:
            assert answer.status_code == 404, f"{name} is still there: {answer.text}"
            return
        assert answer.status_code == 200, f"{name} is not there: {answer.text}"
        self.answered[name] = answer.get_json(force=True)
        _same(name, self._whole(name), self._seen(self.answered[name]))

    def _whole(self, name: str) -> Any:
        """What is expected of a resource, in the form of `_seen`."""
        whole = dict(self.expected[name] or {})
        if self.kinds[name] == "Groups":
            whole["members"] = sorted(self._id(member) for member in whole["members"])
        else:
            groups = sorted(self._groups(name))
            whole |= {"groups": groups} if groups else {}
        return whole

    def _groups(self, name: str) -> Iterator[str]:
        """The ids of all groups somebody is in, directly or through another group."""
        inside, seen = {name}, set[str]()
        while inside - seen:
            seen |= inside
            inside |= {
                group
                for group, expected in self.expected.items()
                if expected and inside & set(expected.get("members", []))
            }
        return (self._id(group) for group in inside - {name})

    def _seen(self, document: Any) -> Any:
        """An answer without what every change moves, and with members by their ids alone."""
        if not isinstance(document, dict):
            return document
        if "Resources" in document:
            found = {key: part for key, part in document.items() if key != "schemas"}
            return found | {"Resources": [self._seen(each) for each in document["Resources"]]}
        seen = {key: part for key, part in document.items() if key not in ("meta", OURS)}
        schemas = seen.pop("schemas")
        assert schemas[0] in (CORE, GROUP), f"the first schema is {schemas[0]}"
        urns = {key for key in document if key.startswith("urn:")}
        assert urns <= set(schemas), f"{schemas} are the schemas of {sorted(urns)}"
        if "meta" in document:
            _same("schemas", sorted({schemas[0], *urns}), sorted(schemas))
            kind = "Groups" if schemas[0] == GROUP else "Users"
            _same("location", f"{BASE}/{kind}/{document['id']}", document["meta"]["location"])
            if kind == "Users":
                seen["usher"] = self._outcome(document["id"])
        for key in ("members", "groups"):
            if key in seen:
                seen[key] = sorted(each["value"] for each in seen[key])
        return {key: part for key, part in seen.items() if key != "groups" or part}

    def _outcome(self, id_: str) -> Document:
        answer = self.client("GET", f"/Users/{id_}?attributes={OURS}")
        ours = answer.get_json(force=True)[OURS]
        return {key: ours[key] for key in _OUTCOME if key in ours}

    def _listed(self, answer: Any) -> Any:
        """An expected answer: names become resources, placeholders what they stand for."""
        if isinstance(answer, str):
            return self._whole(answer)
        if isinstance(answer, dict) and "resource" in answer:
            left_out = answer.get("without", ())
            whole = self._whole(answer["resource"])
            return {key: part for key, part in whole.items() if key not in left_out}
        if isinstance(answer, dict) and "Resources" in answer:
            return answer | {"Resources": [self._listed(each) for each in answer["Resources"]]}
        return self._filled(answer)

    def _compare_error(self, expected: Document, error: Document) -> None:
        _same("scimType", expected.get("scimType"), error.get("scimType"))
        for word in expected.get("words", []):
            assert self._filled(word) in error["detail"], error["detail"]

    def _filled(self, value: Any) -> Any:
        """A value with every placeholder filled in."""
        if isinstance(value, list):
            return [self._filled(part) for part in value]
        if isinstance(value, dict):
            whole = dict(value)
            base = self.answered[whole.pop("$answer")] if "$answer" in whole else {}
            return base | {key: self._filled(part) for key, part in whole.items()}
        return _PLACE.sub(self._placed, value) if isinstance(value, str) else value

    def _placed(self, found: re.Match[str]) -> str:
        name, path = found[1], found[2]
        if name == "token":
            return str(self.client.token)
        value: Any = self.answered[name]
        for part in path.split(".")[1:]:
            value = value[part]
        return str(value)

    def _id(self, name: str) -> str:
        return str(self.answered[name]["id"])

    def _addressed(self, path: str) -> str:
        return path.partition("{")[2].partition(".")[0]

    def _new_letters(self) -> list[str]:
        """To whom letters left since the last step."""
        self.world.services.delivery.deliver_due()
        left = [
            letter
            for letter in self.world.services.outbox.messages(limit=1_000)
            if letter.delivered_at and letter.id not in self.letters
        ]
        self.letters |= {letter.id for letter in left}
        return [letter.to for letter in left if letter.to]


def _missing(whole: Any, part: Any, at: str = "") -> Iterator[str]:
    """What a document does not have, as paths."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for key, inner in part.items():
            yield from _missing(whole.get(key), inner, f"{at}.{key}")
    elif isinstance(part, list) and isinstance(whole, list):
        for inner in part:
            if all(list(_missing(each, inner)) for each in whole):
                yield f"{at}[{inner}]"
    elif part != whole if part != "*" else whole is None:
        yield at


def _same(what: str, expected: Any, actual: Any) -> None:
    """Complain about a difference, line by line."""
    if expected == actual:
        return
    lines = [
        json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
        for value in (expected, actual)
    ]
    difference = "\n".join(difflib.unified_diff(*lines, "expected", "actual", lineterm="", n=2))
    raise AssertionError(f"{what}:\n{difference}")
