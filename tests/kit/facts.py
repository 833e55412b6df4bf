"""What is true of a whole Usher at one moment, and what may become of it in one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from provisioning.domain.seats import SEATED
from provisioning.services.invitations import INVITATION_LETTER
from provisioning.storage.models.accounts import InvitationRecord
from provisioning.storage.models.effects import EventRecord, OutboxRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import SeatCounterRecord
from provisioning.storage.models.scim import ScimUserRecord
from tests.kit.world import World

_SEATED = {state.value for state in SEATED}


@dataclass(frozen=True)
class Employee:
    """One row of the registry."""

    number: int
    state: str
    joined: bool
    dismissed_by: str | None


@dataclass(frozen=True)
class Invitation:
    """An invitation that is open."""

    address: str
    held: bool
    letters: int


@dataclass(frozen=True)
class Facts:
    """Everything that the rules speak of."""

    employees: dict[UUID, Employee]
    invitations: dict[UUID, Invitation]
    links: dict[str, UUID]
    told: dict[UUID, tuple[tuple[str | None, str | None], ...]]
    """By employee: the states before and after, as the timeline tells them."""

    taken: int
    limit: int | None
    names_twice: int
    """User names that two visible resources of one source have."""

    def in_state(self, *states: str) -> list[UUID]:
        """Who is in one of some states, in the order in which they came."""
        found = [(one.number, id_) for id_, one in self.employees.items() if one.state in states]
        return [id_ for _, id_ in sorted(found)]


def look(world: World) -> Facts:
    """Read all of it in one transaction."""
    with world.services.context.database.read() as session:
        employees = {
            row.id: Employee(
                row.seq, row.state.value, row.accepted_at is not None, row.dismissed_by_source
            )
            for row in session.scalars(select(EmployeeRecord))
        }
        letters: dict[str, int] = {}
        for payload in session.scalars(
            select(OutboxRecord.payload).where(OutboxRecord.topic == INVITATION_LETTER)
        ):
            letters[payload["invitation"]] = letters.get(payload["invitation"], 0) + 1
        open_ones = session.scalars(
            select(InvitationRecord).where(InvitationRecord.ended_at.is_(None))
        ).all()
        assert len({one.employee_id for one in open_ones}) == len(open_ones), "I3: two are open"
        counter = session.scalars(select(SeatCounterRecord)).one()
        names = (
            select(func.count())
            .where(ScimUserRecord.hidden_at.is_(None))
            .group_by(ScimUserRecord.source_id, ScimUserRecord.user_name_key)
            .having(func.count() > 1)
        )
        return Facts(
            employees=employees,
            invitations={
                one.employee_id: Invitation(
                    one.address, one.hold_reason is not None, letters.get(str(one.id), 0)
                )
                for one in open_ones
            },
            links={
                f"{link.source_id} {link.anchor}": link.employee_id
                for link in session.scalars(select(LinkRecord))
            },
            told=_timelines(session),
            taken=counter.taken,
            limit=counter.limit,
            names_twice=len(session.execute(names).all()),
        )


def _timelines(session: Any) -> dict[UUID, tuple[tuple[str | None, str | None], ...]]:
    told: dict[UUID, list[tuple[str | None, str | None]]] = {}
    events = select(EventRecord).where(EventRecord.employee_id.is_not(None))
    for event in session.scalars(events.order_by(EventRecord.id)):
        before, after = (event.before or {}).get("state"), (event.after or {}).get("state")
        if before != after:
            told.setdefault(event.employee_id, []).append((before, after))
    return {who: tuple(changes) for who, changes in told.items()}


def require_lawful(before: Facts, after: Facts, door: str) -> None:
    """Hold a step against the rules.

    Args:
        before: What was true.
        after: What is true now.
        door: Whose step it was: a source, or somebody or something else.
    """
    _seats(before, after)
    _people(before, after, door)
    _letters(after)
    _timeline(after)
    assert not after.names_twice, "two visible resources of one source have one user name"


def _seats(before: Facts, after: Facts) -> None:
    assert after.taken == len(after.in_state(*_SEATED)), "L1: the ledger is wrong"
    if after.limit is not None and after.taken > after.limit:
        assert after.taken <= before.taken, "L1, L6: a seat was taken above the limit"


def _people(before: Facts, after: Facts, door: str) -> None:
    for id_, was in before.employees.items():
        now = after.employees.get(id_)
        if now is None:
            assert not was.joined, "S2: somebody who was in is gone"
            continue
        assert now.joined or not was.joined, "S2: it is forgotten that somebody was in"
        if was.state == "dismissed" != now.state and door in ("corp", "idp"):
            assert was.dismissed_by == door, f"S7: {door} revived whom it had not dismissed"
    for key, employee in after.links.items():
        assert before.links.get(key, employee) == employee, "P1: a link leads to somebody else"
        assert employee in after.employees


def _letters(after: Facts) -> None:
    assert set(after.in_state("invited")) == set(after.invitations), "invited without an invitation"
    for invitation in after.invitations.values():
        assert invitation.letters == (0 if invitation.held else 1), "R5: not exactly one letter"


def _timeline(after: Facts) -> None:
    """S4: every change of a state is told exactly once."""
    for id_, changes in after.told.items():
        state = None
        for told_before, told_after in changes:
            assert told_before == state, f"the timeline skips from {state}: {changes}"
            state = told_after
        now = after.employees[id_].state if id_ in after.employees else None
        assert state == now, f"the timeline ends with {state}, they are {now}: {changes}"
    assert after.employees.keys() <= after.told.keys()
