"""The one ledger of seats: taken by an update that carries its condition (L1, L2)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.orm import Session

from provisioning.domain.employees import SERVED_BY_ITSELF, EmployeeState
from provisioning.domain.findings import Finding, FindingKind
from provisioning.domain.seats import SEATED, Seats
from provisioning.services.audit import record
from provisioning.services.context import SYSTEM, Actor, ServiceContext
from provisioning.services.findings import close_finding, open_finding
from provisioning.storage.compiled import run
from provisioning.storage.core import execute, table_of, this
from provisioning.storage.models.employees import EmployeeRecord
from provisioning.storage.models.intranets import SeatCounterRecord, SeatDayRecord

_OURS = (this(SeatCounterRecord.intranet_id), SeatCounterRecord.kind == "employee")
_TAKE = (
    update(table_of(SeatCounterRecord))
    .where(
        *_OURS,
        or_(SeatCounterRecord.limit.is_(None), SeatCounterRecord.taken < SeatCounterRecord.limit),
    )
    .values(taken=SeatCounterRecord.taken + 1)
)
_FREE = (
    update(table_of(SeatCounterRecord))
    .where(*_OURS, SeatCounterRecord.taken > 0)
    .values(taken=SeatCounterRecord.taken - 1)
)
_LEDGER = select(
    SeatCounterRecord.taken,
    SeatCounterRecord.limit,
    select(func.count())
    .where(
        this(EmployeeRecord.intranet_id),
        EmployeeRecord.state == EmployeeState.WAITING,
        or_(*(EmployeeRecord.state_reason == reason.value for reason in SERVED_BY_ITSELF)),
    )
    .scalar_subquery()
    .label("queued"),
).where(*_OURS)


def take_seat(session: Session, context: ServiceContext) -> bool:
    """Reserve one seat in this transaction; false when all are taken (L1)."""
    return execute(session, _TAKE, this_intranet_id=context.intranet_id).rowcount == 1


def free_seat(session: Session, context: ServiceContext) -> None:
    """Give one seat back in this transaction; a ledger that is wrong keeps nobody inside."""
    if execute(session, _FREE, this_intranet_id=context.intranet_id).rowcount == 0:
        because = "a seat was freed and the ledger had none taken; the recount corrects it (L7)"
        record(session, context, SYSTEM, "seats_disagree", because)


def read_seats(session: Session, context: ServiceContext) -> Seats:
    """Return the ledger and how many people a free seat would serve first (L3)."""
    session.flush()
    return ledger(session.connection(), context.intranet_id)


def ledger(connection: Connection, intranet_id: UUID) -> Seats:
    """Return the ledger of an intranet as it is in the database."""
    found = run(connection, _LEDGER, {"this_intranet_id": intranet_id}).one()
    return Seats(taken=found.taken, limit=found.limit, queued=found.queued)


class SeatService:
    """Changes and checks the ledger."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def set_limit(self, limit: int | None, actor: Actor) -> bool:
        """Set the licence; lowering it dismisses nobody and opens a finding (L6).

        Returns whether it was another one before.
        """
        with self._context.database.write() as session:
            counter = self._counter(session)
            changed = counter.limit != limit
            if changed:
                record(
                    session,
                    self._context,
                    actor,
                    "seat_limit_changed",
                    f"the licence has {'unlimited' if limit is None else limit} seats (L6)",
                    before={"limit": counter.limit},
                    after={"limit": limit},
                )
                counter.limit = limit
            self._judge(session, counter)
            return changed

    def recount(self, actor: Actor = SYSTEM) -> int:
        """Count the seated again and correct the ledger; returns the difference (L7, L8)."""
        with self._context.database.write() as session:
            counter = self._counter(session)
            seated = session.scalar(
                select(func.count()).where(
                    EmployeeRecord.intranet_id == self._context.intranet_id,
                    EmployeeRecord.state.in_(SEATED),
                )
            )
            difference = (seated or 0) - counter.taken
            if difference:
                record(
                    session,
                    self._context,
                    actor,
                    "seats_corrected",
                    "the recount found another number of seated people (L7)",
                    before={"taken": counter.taken},
                    after={"taken": seated},
                )
                counter.taken = seated or 0
            counter.recounted_at = self._context.now()
            self._remember_today(session, counter.taken)
            self._judge(session, counter)
            return difference

    def _counter(self, session: Session) -> SeatCounterRecord:
        return session.scalars(
            select(SeatCounterRecord)
            .where(
                SeatCounterRecord.intranet_id == self._context.intranet_id,
                SeatCounterRecord.kind == "employee",
            )
            .with_for_update()
        ).one()

    def _remember_today(self, session: Session, taken: int) -> None:
        """Write down how many seats are taken; the last count of a date stands (L8)."""
        today = self._context.intranet_id, self._context.today()
        row = session.get(SeatDayRecord, today)
        if row is None:
            session.add(SeatDayRecord(intranet_id=today[0], day=today[1], taken=taken))
        else:
            row.taken = taken

    def _judge(self, session: Session, counter: SeatCounterRecord) -> None:
        """Open or close `over_seat_limit` (L6)."""
        over = counter.limit is not None and counter.taken > counter.limit
        finding = Finding(
            kind=FindingKind.OVER_SEAT_LIMIT,
            subject="seats",
            evidence=(("taken", str(counter.taken)), ("limit", str(counter.limit))),
        )
        if over:
            open_finding(session, self._context, finding, who=self._context.intranet_name)
        else:
            close_finding(session, self._context, "seats", FindingKind.OVER_SEAT_LIMIT)
