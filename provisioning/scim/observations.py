"""What is noticed while a request is answered, for the inbound log; collected per thread."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from provisioning.services.inbound_rows import InboundRequest
from provisioning.services.token_checks import Caller

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Quirk(StrEnum):
    """What a client did otherwise than the RFCs say, and was understood nevertheless."""

    STRING_BOOLEAN = "string_boolean"
    """A boolean as a text or a number: Entra's "True" and "False"."""

    EMPTY_ACTIVE = "empty_active"
    """`active` as "": nobody's wish."""

    NO_SCHEMAS = "no_schemas"
    """A resource or PATCH without its own schema."""

    OP_CASE = "op_case"
    """"Add", "Replace", "Remove" (RFC 7644 3.5.2 writes them small)."""

    MEMBER_CASE = "member_case"
    """Members such as "operations" or "Path" in another case than the RFC's."""

    PATCH_EXTRAS = "patch_extras"
    """Members beside the operations, or of one that has none such: Entra's "id" and "name"."""

    SCHEMAS_IN_PATCH = "schemas_in_patch"
    """An operation on `schemas`: which a resource has follows from its attributes."""

    PADDED_PATH = "padded_path"
    """Blanks around a path."""

    UNREADABLE_PATH = "unreadable_path"
    """A path whose filter has no quotes or a misspelled name: the operation is ignored."""

    FILTER_CREATES = "filter_creates"
    """A filter that finds nothing to write to: what it describes is made (RFC 7644: noTarget)."""

    DOTTED_PATH = "dotted_path"
    """A value without a path whose keys are paths: "name.familyName"."""

    URN_PATH = "urn_path"
    """A value without a path whose keys begin with the URN of an extension."""

    FILTER_PATH = "filter_path"
    """A value without a path whose keys carry a filter: emails[type eq "work"].value."""

    REPLACE_WITH_NOTHING_REMOVES = "replace_with_nothing_removes"
    """"" or null where the RFC has "remove"."""

    ADD_OF_NOTHING = "add_of_nothing"
    """`add` of "" or null, which changes nothing."""

    REMOVE_WITH_VALUE = "remove_with_value"
    """`remove` with a value: these entries, not all."""

    SINGLE_MEMBER = "single_member"
    """`members` as one object, without a list around it."""

    MEMBER_AS_STRING = "member_as_string"
    """A member as its id alone, without an object around it."""

    ADD_TO_FILTER = "add_to_filter"
    """`add` of members with a filter in its path, which is not looked at."""

    UNKNOWN_MEMBER = "unknown_member"
    """A member this source has not; left out."""

    READ_ONLY_PART = "read_only_part"
    """What is ours to write, or never changes once it is there; left as it is."""

    MANAGER_WITHOUT_SCHEMA = "manager_without_schema"
    """`manager` as a path, without the extension it belongs to."""

    MANAGER_AS_STRING = "manager_as_string"
    """`manager` as a text."""

    MANAGER_AS_LIST = "manager_as_list"
    """`manager` as a list."""

    MANAGER_WITHOUT_REFERENCE = "manager_without_reference"
    """`manager` without the $ref RFC 7643 4.3 asks for."""

    TOMBSTONE_RENAME = "tombstone_rename"
    """Entra's mark for somebody deleted: 32 hex digits before the userName."""

    UNKNOWN_ATTRIBUTE = "unknown_attribute"
    """Attributes no schema here has; they are ignored."""

    UNQUOTED_VALUE = "unquoted_value"
    """A text in a filter without its quotes: userName eq ann, members[value eq 2819c223]."""

    BARE_TOKEN = "bare_token"  # noqa: S105 - the name of a habit
    """A token in the Authorization header without "Bearer"."""


@dataclass(slots=True)
class Observed:
    """One request so far."""

    began: float = field(default_factory=perf_counter)
    body: Any = None
    """The parsed body; a text in its place says why there is none."""

    quirks: set[Quirk] = field(default_factory=set)
    caller: Caller | None = None
    kept: set[str] = field(default_factory=set)
    """URNs of schemas that are not ours and whose data is kept, in small letters."""

    rejected: str | None = None
    """Why a good token was turned away."""

    user_id: UUID | None = None
    employee_id: UUID | None = None

    def entry(
        self, environ: WSGIEnvironment, *, at: datetime, path: str, status: int, shown: str | None
    ) -> InboundRequest:
        """Return the request as it is noted, without what its kind knows more of.

        Args:
            environ: How it came.
            at: When it was answered.
            path: As the log has it.
            status: Of the answer.
            shown: Which token or client it named, if that was no good one.
        """
        caller = self.caller
        return InboundRequest(
            source_id=caller.source_id if caller else None,
            token_id=caller.token_id if caller else shown,
            at=at,
            method=environ["REQUEST_METHOD"],
            path=path,
            status=status,
            duration_ms=(perf_counter() - self.began) * 1000,
            scim_user_id=self.user_id,
            employee_id=self.employee_id,
            remote_address=environ.get("REMOTE_ADDR"),
            rejected=self.rejected if caller else None,
        )


_CURRENT: ContextVar[Observed | None] = ContextVar("observed", default=None)


def begin_observing() -> Observed:
    """Forget the thread's last request, and collect what is noticed from here on."""
    observed = Observed()
    _CURRENT.set(observed)
    return observed


def end_observing() -> Observed:
    """Return what was noticed, and notice nothing more."""
    observed = _CURRENT.get() or Observed()
    _CURRENT.set(None)
    return observed


def used(*quirks: Quirk) -> None:
    """Notice quirks of the request; outside of one nobody listens."""
    if (observed := _CURRENT.get()) is not None:
        observed.quirks.update(quirks)


def speaks_for(caller: Caller) -> None:
    """Notice whose good token came, also where it is not let in."""
    if (observed := _CURRENT.get()) is not None:
        observed.caller = caller


def turned_away(why: str) -> None:
    """Notice that a good token is refused, and why: "lacks the scope users:write"."""
    if (observed := _CURRENT.get()) is not None:
        observed.rejected = why


def came_with(body: Any) -> None:
    """Notice the parsed body, or a text that says why there is none."""
    if (observed := _CURRENT.get()) is not None:
        observed.body = body


def keeps(urns: Iterable[str]) -> None:
    """Notice that the data of schemas that are not ours is kept."""
    if (observed := _CURRENT.get()) is not None:
        observed.kept.update(urn.lower() for urn in urns)


def about_user(id_: Any, employee_id: Any) -> None:
    """Notice which user the request concerns, and who that is on the intranet.

    Args:
        id_: The resource's id, as the driver gives it: SQLite has 32 digits.
        employee_id: The same of the employee; None if there is none.
    """
    if (observed := _CURRENT.get()) is not None:
        observed.user_id = _uuid(id_)
        observed.employee_id = _uuid(employee_id)


def _uuid(value: Any) -> UUID | None:
    return UUID(value) if isinstance(value, str) else value
