"""Staging: a reading is written down whole before anything is planned (R2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.errors import MappingError
from provisioning.domain.mapping import PersonMapping
from provisioning.domain.people import RawPerson
from provisioning.storage.base import Database
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.runs import (
    RunActionRecord,
    RunPersonRecord,
)

BATCH = 1_000
"""People compared and written at a time."""


class _Known(NamedTuple):
    raw_hash: str
    mapping_version: str
    review_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stager:
    """Writes a reading down, mapping only what changed since it was last applied."""

    database: Database
    run_id: int
    source_id: UUID
    source: str
    mapping: PersonMapping
    now: datetime

    def stage(self, people: Iterable[RawPerson]) -> int:
        """Stage everyone, a transaction a batch; returns how many were read."""
        read = 0
        for batch in _batches(people, BATCH):
            read += len(batch)
            with self.database.write() as session:
                known = self._known(session, [raw.anchor for raw in batch])
                rows = [self._row(raw, known.get(raw.anchor)) for raw in batch]
                _insert(session, self.database.is_sqlite, rows)
        return read

    def _known(self, session: Session, anchors: Sequence[str]) -> dict[str, _Known]:
        query = select(
            LinkRecord.anchor,
            LinkRecord.raw_hash,
            LinkRecord.mapping_version,
            LinkRecord.review_at,
        ).where(
            LinkRecord.source_id == self.source_id,
            LinkRecord.anchor.in_(anchors),
            # Whoever was replaced or deleted is somebody new until they are placed again.
            LinkRecord.hidden.is_(False),
        )
        return {row[0]: _Known(row[1], row[2], row[3]) for row in session.execute(query)}

    def _row(self, raw: RawPerson, known: _Known | None) -> dict[str, Any]:
        raw_hash = raw.raw_hash()
        row: dict[str, Any] = {
            "run_id": self.run_id,
            "anchor": raw.anchor,
            "raw_hash": raw_hash,
            "vouched": True,
            "person": None,
            "problem": None,
            "user_name_key": None,
            "mail_key": None,
            "employee_number_key": None,
        }
        if known is None or self._changed(known, raw_hash):
            self._map(raw, row, is_new=known is None)
        return row

    def _changed(self, known: _Known, raw_hash: str) -> bool:
        return (
            known.raw_hash != raw_hash
            or known.mapping_version != self.mapping.version
            or (known.review_at is not None and known.review_at <= self.now)
        )

    def _map(self, raw: RawPerson, row: dict[str, Any], *, is_new: bool) -> None:
        try:
            person = self.mapping.person(self.source, raw, self.now)
        except MappingError as error:
            row["problem"] = str(error)
            return
        row["person"] = person.to_json()
        row["vouched"] = person.is_active_at(self.now)
        if is_new:
            row["user_name_key"] = address_key(person.user_name)
            row["mail_key"] = address_key(person.mail) if person.mail else None
            number = person.employee_number
            row["employee_number_key"] = address_key(number) if number else None


def count_staged(session: Session, run_id: int) -> int:
    """Return how many people are staged for a run."""
    query = select(func.count()).where(RunPersonRecord.run_id == run_id)
    return session.scalar(query) or 0


def drop_staged(session: Session, run_id: int) -> None:
    """Forget a run's staged snapshot."""
    session.execute(delete(RunPersonRecord).where(RunPersonRecord.run_id == run_id))


def remember_reading(
    session: Session, run_id: int, source_id: UUID, mapping_version: str
) -> Sequence[UUID]:
    """Write down what a complete reading says of people for whom nothing was to be done.

    Entries that changed without consequence are remembered by their new hash, and the mark
    of people who are back is taken away: back in time, nothing happened (D2). Returns the
    employees who are back.
    """
    staged = RunPersonRecord
    mine = (staged.run_id == run_id, staged.anchor == LinkRecord.anchor)
    without_action = ~exists().where(
        RunActionRecord.run_id == run_id, RunActionRecord.anchor == LinkRecord.anchor
    )
    back = session.scalars(
        update(LinkRecord)
        .where(
            LinkRecord.source_id == source_id,
            LinkRecord.missing_since.is_not(None),
            exists().where(*mine, staged.vouched.is_(True), staged.problem.is_(None)),
        )
        .values(missing_since=None, missing_counted=False)
        .returning(LinkRecord.employee_id),
        execution_options={"synchronize_session": False},
    ).all()
    session.execute(
        update(LinkRecord)
        .where(
            LinkRecord.source_id == source_id,
            LinkRecord.missing_since.is_(None),
            exists().where(*mine, staged.person.is_not(None)),
            without_action,
        )
        .values(
            raw_hash=select(staged.raw_hash).where(*mine).scalar_subquery(),
            mapping_version=mapping_version,
        ),
        execution_options={"synchronize_session": False},
    )
    return back


def _insert(session: Session, is_sqlite: bool, rows: list[dict[str, Any]]) -> None:  # noqa: FBT001
    table = RunPersonRecord.__table__
    if not isinstance(table, Table):
        raise TypeError("run_person is a table")
    dialect: Any = sqlite if is_sqlite else postgresql
    unique = {row["anchor"]: row for row in rows}
    twice = [row for row in rows if unique[row["anchor"]] is not row]
    for row in twice:
        unique[row["anchor"]] |= _twice(row["anchor"])
    statement = dialect.insert(table)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "anchor"], set_=_twice("this id")
        ),
        list(unique.values()),
    )


def _twice(anchor: str) -> dict[str, Any]:
    return {"person": None, "problem": f"two entries of the directory have {anchor}"}


def _batches(people: Iterable[RawPerson], size: int) -> Iterator[list[RawPerson]]:
    iterator = iter(people)
    while batch := list(islice(iterator, size)):
        yield batch
