"""What an administrator does with the line for a seat: reorder it, take somebody out (L3)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from provisioning.domain.employees import SERVED_BY_ITSELF, EmployeeState, WaitingReason
from provisioning.domain.errors import NotFoundError, NotInLineError
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.waiting import waiting_list
from provisioning.storage.core import table_of
from provisioning.storage.locks import take_turn, turn_of
from provisioning.storage.models.employees import EmployeeRecord

_EMPLOYEE = table_of(EmployeeRecord)
_PLACE = (
    update(_EMPLOYEE)
    .where(_EMPLOYEE.c.id == bindparam("employee"))
    .values(line_place=bindparam("place"))
)


class LineService:
    """Places people on the waiting list, on top of the rules that order it."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def move(self, employee_id: UUID, position: int, actor: Actor) -> int:
        """Give somebody a place, from 1; past the end means the last. Returns the place.

        Those before it get their places for good, too: whoever comes later, whatever the rules
        say of them, comes after the last one who was placed.

        Raises:
            NotFoundError: This intranet has no such employee.
            NotInLineError: A free seat would not serve them; nothing was changed.
        """
        with self._context.database.write() as session:
            employee, ids = self._in_line(session, employee_id)
            old, new = ids.index(employee_id) + 1, max(1, min(position, len(ids)))
            moved = [one for one in ids if one != employee_id]
            moved.insert(new - 1, employee_id)
            until = max(new, self._placed(session) + (employee.line_place is None))
            places = [{"employee": id_, "place": n} for n, id_ in enumerate(moved[:until], 1)]
            session.connection().execute(_PLACE, places)
            record(
                session,
                self._context,
                actor,
                "moved_in_line",
                f"{actor.name} moved {employee.display_name} to place {new} (L3)",
                employee_id=employee_id,
                before={"place": old},
                after={"place": new},
            )
            return new

    def forget_places(self, actor: Actor) -> int:
        """Let the rules order the whole line again; returns how many had been given a place."""
        with self._context.database.write() as session:
            self._take_turn(session)
            placed = self._placed(session)
            if placed:
                ours = _EMPLOYEE.c.intranet_id == self._context.intranet_id
                session.execute(update(_EMPLOYEE).where(ours).values(line_place=None))
                because = f"{actor.name} let the rules order the waiting list again (L3)"
                record(session, self._context, actor, "line_ordered", because)
            return placed

    def take_out(self, employee_id: UUID, actor: Actor, comment: str) -> None:
        """Take somebody out of the line: no seat is for them until they are invited again (S2).

        They stay registered: their source still vouches for them, and the next run would bring
        them back.

        Raises:
            NotFoundError: This intranet has no such employee.
            NotInLineError: A free seat would not serve them; nothing was changed.
        """
        with self._context.database.write() as session:
            employee, ids = self._in_line(session, employee_id)
            reason, place = employee.state_reason, ids.index(employee_id) + 1
            employee.state_reason = WaitingReason.TAKEN_OUT
            employee.line_place = None
            employee.because = f"{actor.name} took them out of the line: {comment} (L3)"
            record(
                session,
                self._context,
                actor,
                "taken_out",
                employee.because,
                employee_id=employee_id,
                before={"reason": reason, "place": place},
                after={"reason": employee.state_reason},
            )

    def _in_line(
        self, session: Session, employee_id: UUID
    ) -> tuple[EmployeeRecord, Sequence[UUID]]:
        """Return somebody, locked, and everybody in the line, in order."""
        self._take_turn(session)
        employee = session.get(EmployeeRecord, employee_id, with_for_update=True)
        if employee is None or employee.intranet_id != self._context.intranet_id:
            raise NotFoundError("employee", employee_id)
        waits = employee.state is EmployeeState.WAITING
        if not waits or employee.state_reason not in SERVED_BY_ITSELF:
            reason = employee.state_reason.replace("_", " ") if waits else ""
            state = ": ".join(filter(None, (employee.state.value, reason)))
            raise NotInLineError(employee.display_name, state)
        return employee, session.scalars(waiting_list(self._context)).all()

    def _take_turn(self, session: Session) -> None:
        take_turn(session, turn_of(uuid5(self._context.intranet_id, "line")))

    def _placed(self, session: Session) -> int:
        """Return how many of those in the line were given a place."""
        placed = waiting_list(self._context).where(EmployeeRecord.line_place.is_not(None))
        return session.scalar(select(func.count()).select_from(placed.subquery())) or 0
