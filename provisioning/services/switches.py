"""Switches an administrator turns for every process at once: brakes, and paused jobs.

They are read in the transaction that would do what they stop: who was told that a brake is on
sees nothing begin after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.domain.errors import BrakeError, PausedError
from provisioning.services.context import Actor, ServiceContext
from provisioning.storage.compiled import run
from provisioning.storage.core import add_row, execute, table_of, this
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.intranets import SwitchRecord

_PAUSED = "job:"
_SEEN = "the switches of this transaction"
_ALL = select(
    SwitchRecord.name, SwitchRecord.on_since, SwitchRecord.on_by, SwitchRecord.comment
).where(this(SwitchRecord.intranet_id))
_OFF = delete(table_of(SwitchRecord)).where(this(SwitchRecord.intranet_id), this(SwitchRecord.name))


@dataclass(frozen=True, slots=True)
class Switch:
    """That something is stopped: since when, by whom, and why."""

    since: datetime
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class BrakeState:
    """A brake, on or off."""

    name: Brake
    sentence: str
    on: Switch | None


def switches_in(session: Session, context: ServiceContext) -> Mapping[str, Switch]:
    """Return what is on, by name, as this transaction sees it; it is looked at once."""
    found: Mapping[str, Switch] | None = session.info.get(_SEEN)
    if found is None:
        rows = execute(session, _ALL, this_intranet_id=context.intranet_id)
        found = session.info[_SEEN] = {row[0]: Switch(*row[1:]) for row in rows}
    return found


def is_on(session: Session, context: ServiceContext, brake: Brake) -> bool:
    """Whether a brake is on."""
    return brake.value in switches_in(session, context)


def require_off(session: Session, context: ServiceContext, brake: Brake) -> None:
    """Refuse what a brake stops.

    Raises:
        BrakeError: It is on.
    """
    on = switches_in(session, context).get(brake.value)
    if on is not None:
        raise BrakeError(brake, on.by, on.comment)


def require_writable(context: ServiceContext) -> None:
    """Refuse early, before anything is read, what no transaction would let happen.

    Raises:
        BrakeError: Nothing may be changed.
    """
    with context.database.read() as session:
        require_off(session, context, Brake.READ_ONLY)


def stops_job(session: Session, context: ServiceContext, job: str) -> bool:
    """Whether a job does not run now: it is paused, or nothing may be changed."""
    on = switches_in(session, context)
    return f"{_PAUSED}{job}" in on or Brake.READ_ONLY.value in on


def require_runnable(session: Session, context: ServiceContext, job: str) -> None:
    """Refuse a job that does not run now.

    Raises:
        PausedError: It is paused.
        BrakeError: Nothing may be changed.
    """
    on = switches_in(session, context).get(f"{_PAUSED}{job}")
    if on is not None:
        raise PausedError(
            f'{on.by} paused the job {job}: "{on.comment}". It runs on no node and was not run '
            f"now; `usher jobs resume {job}` lets it."
        )
    require_off(session, context, Brake.READ_ONLY)


class SwitchService:
    """Turns switches, and says which are on."""

    def __init__(self, context: ServiceContext) -> None:
        """Keep the intranet at hand."""
        self._context = context

    def brakes(self) -> Sequence[BrakeState]:
        """Return every brake."""
        on = self._on()
        return [BrakeState(brake, brake.sentence, on.get(brake.value)) for brake in Brake]

    def pauses(self) -> Mapping[str, Switch]:
        """Return the jobs that are paused, by name."""
        on = self._on().items()
        return {name.removeprefix(_PAUSED): one for name, one in on if name.startswith(_PAUSED)}

    def pull(self, brake: Brake, actor: Actor, comment: str) -> bool:
        """Stop what a brake stops; false if it was on before, which stays as it was."""
        return self._turn_on(brake.value, actor, comment, "brake_on")

    def let_go(self, brake: Brake, actor: Actor, comment: str = "") -> bool:
        """Let it happen again; false if the brake was off."""
        return self._turn_off(brake.value, actor, comment, "brake_off")

    def pause(self, job: str, actor: Actor, comment: str) -> bool:
        """Stop a job on every node; false if it was paused before."""
        return self._turn_on(f"{_PAUSED}{job}", actor, comment, "job_paused")

    def resume(self, job: str, actor: Actor) -> bool:
        """Let a job run again, late if it was due meanwhile; false if it was not paused."""
        return self._turn_off(f"{_PAUSED}{job}", actor, "", "job_resumed")

    def _on(self) -> Mapping[str, Switch]:
        values = {"this_intranet_id": self._context.intranet_id}
        rows = self._context.database.look(lambda connection: run(connection, _ALL, values))
        return {row[0]: Switch(*row[1:]) for row in rows}

    def _turn_on(self, name: str, actor: Actor, comment: str, kind: str) -> bool:
        with self._context.database.write() as session:
            if name in switches_in(session, self._context):
                return False
            session.add(
                SwitchRecord(
                    intranet_id=self._context.intranet_id,
                    name=name,
                    on_since=self._context.now(),
                    on_by=actor.name,
                    comment=comment,
                )
            )
            self._note(session, name, actor, comment, kind)
            return True

    def _turn_off(self, name: str, actor: Actor, comment: str, kind: str) -> bool:
        with self._context.database.write() as session:
            here = {"this_intranet_id": self._context.intranet_id, "this_name": name}
            if execute(session, _OFF, **here).rowcount == 0:
                return False
            self._note(session, name, actor, comment, kind)
            return True

    def _note(self, session: Session, name: str, actor: Actor, comment: str, kind: str) -> None:
        """Write the event; a brake never stops what is said about it."""
        what = name.removeprefix(_PAUSED)
        words = f"{actor.name}: {kind.replace('_', ' ')}, {what}"
        add_row(
            session,
            EventRecord,
            intranet_id=self._context.intranet_id,
            at=self._context.now(),
            actor=actor.name,
            door=actor.door,
            kind=kind,
            because=f"{words}; {comment}" if comment else words,
            after={"name": what, "comment": comment},
        )
