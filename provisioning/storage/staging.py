"""Staging: what a reading tells is written down whole before anything is planned (R2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import MappingError
from provisioning.domain.mapping import PersonMapping
from provisioning.domain.people import RawPerson
from provisioning.storage.base import Database
from provisioning.storage.compiled import run
from provisioning.storage.core import table_of, this
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import (
    RunActionRecord,
    RunPersonRecord,
)
from provisioning.storage.presence import Presence
from provisioning.storage.registry import STREAM_ROWS

T = TypeVar("T")

BATCH = 1_000
"""People compared and written at a time."""

_LINK = table_of(LinkRecord)
_LINKED = (
    this(_LINK.c.source_id),
    # Whoever was replaced or deleted is somebody new until they are placed again.
    _LINK.c.hidden.is_(False),
)
_SAID_BEFORE = select(
    _LINK.c.anchor,
    _LINK.c.raw_hash,
    _LINK.c.mapping_version,
    _LINK.c.review_at,
    _LINK.c.missing_since,
).where(*_LINKED)
_ASKED = func.json_each(bindparam("anchors", type_=Text)).table_valued("value")
_OF_SQLITE = _SAID_BEFORE.where(_LINK.c.anchor.in_(select(_ASKED.c.value)))
_OF_POSTGRESQL = _SAID_BEFORE.where(
    _LINK.c.anchor == any_(bindparam("anchors", type_=ARRAY(_LINK.c.anchor.type)))
)
_ANCHORS = select(_LINK.c.anchor).where(*_LINKED).order_by(_LINK.c.anchor)


class Staged(NamedTuple):
    """How many people a reading told of, and about how many there is something to decide."""

    read: int
    rows: int


class _Known(NamedTuple):
    raw_hash: str
    mapping_version: str
    review_at: datetime | None
    missing_since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stager:
    """Writes down whom a reading has news of; of the others, only that they are there.

    in the reading  linked              ->  is written down
    --------------  ------------------  --  ---------------------------------
    as before       yes                     nowhere
    as before       marked as missing       as present
    changed         yes                     mapped
    yes             no                      mapped
    twice           anything                as unreadable
    no              yes                     as missing, by a complete reading
    no              dismissed               nowhere
    """

    database: Database
    run_id: int
    source_id: UUID
    source: str
    mapping: PersonMapping
    now: datetime
    presence: Presence

    def stage(self, people: Iterable[RawPerson]) -> Staged:
        """Stage everyone who is read, a transaction a batch."""
        read = rows = 0
        for batch in _batches(people, BATCH):
            read += len(batch)
            self.presence.add([raw.anchor for raw in batch])
            rows += self._write(self._news(batch))
        twice = self.presence.twice()
        for some in _batches(twice, BATCH):
            self._write([self._blank(anchor) | _twice(anchor) for anchor in some])
        return Staged(read, rows)

    def stage_missing(self) -> None:
        """Stage everyone who is linked and was not read: only after the proven end (R2)."""
        with self.database.read() as session:
            known = session.scalars(
                _ANCHORS,
                {"this_source_id": self.source_id},
                execution_options={"yield_per": STREAM_ROWS},
            )
            for some in _batches(self.presence.absent(known), BATCH):
                self.stage_gone(some)

    def stage_gone(self, anchors: Sequence[str]) -> None:
        """Stage those of some people who are linked and not dismissed: they are missing."""
        for some in _batches(anchors, BATCH):
            with self.database.read() as session:
                here = session.scalars(
                    select(LinkRecord.anchor)
                    .join(EmployeeRecord, EmployeeRecord.id == LinkRecord.employee_id)
                    .where(
                        LinkRecord.source_id == self.source_id,
                        LinkRecord.anchor.in_(some),
                        LinkRecord.hidden.is_(False),
                        EmployeeRecord.state != EmployeeState.DISMISSED,
                    )
                ).all()
            blank = {"vouched": False, "missing": True}
            self._write([self._blank(anchor) | blank for anchor in here])

    def _news(self, batch: Sequence[RawPerson]) -> list[dict[str, Any]]:
        known = self._known([raw.anchor for raw in batch])
        rows: dict[str, dict[str, Any]] = {}
        for raw in batch:
            said, raw_hash = known.get(raw.anchor), raw.raw_hash()
            changed = said is None or self._changed(said, raw_hash)
            if said is None or changed or said.missing_since is not None:
                rows[raw.anchor] = self._blank(raw.anchor) | {"raw_hash": raw_hash}
            if changed:
                self._map(raw, rows[raw.anchor], is_new=said is None)
        return list(rows.values())

    def _write(self, rows: Sequence[dict[str, Any]]) -> int:
        if rows:
            with self.database.write() as session:
                _insert(session, self.database.is_sqlite, rows)
        return len(rows)

    def _known(self, anchors: Sequence[str]) -> dict[str, _Known]:
        sqlite = self.database.is_sqlite
        statement = _OF_SQLITE if sqlite else _OF_POSTGRESQL
        values = {
            "this_source_id": self.source_id,
            "anchors": json.dumps(anchors) if sqlite else anchors,
        }
        rows = self.database.look(lambda connection: run(connection, statement, values))
        return {row[0]: _Known(*row[1:]) for row in rows}

    def _blank(self, anchor: str) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "anchor": anchor,
            "raw_hash": "",
            "vouched": True,
            "missing": False,
            "person": None,
            "problem": None,
            "user_name_key": None,
            "mail_key": None,
            "employee_number_key": None,
        }

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
    """Return how many people a run read something new of."""
    query = select(func.count()).where(
        RunPersonRecord.run_id == run_id, RunPersonRecord.missing.is_(False)
    )
    return session.scalar(query) or 0


def drop_staged(session: Session, run_id: int) -> None:
    """Forget a run's staged snapshot."""
    session.execute(delete(RunPersonRecord).where(RunPersonRecord.run_id == run_id))


def forget_undone(session: Session, run_id: int, fresh_id: int) -> None:
    """Let the next reading look again at whom only a fresh plan has something to do for.

    Their staged rows are applied with a run that does nothing about them; without this, what
    they say now would be remembered as done.
    """
    done, wanted = (
        select(RunActionRecord.anchor).where(RunActionRecord.run_id == each)
        for each in (run_id, fresh_id)
    )
    session.execute(
        update(RunPersonRecord)
        .where(
            RunPersonRecord.run_id == run_id,
            RunPersonRecord.anchor.in_(wanted),
            RunPersonRecord.anchor.not_in(done),
        )
        .values(raw_hash=""),
        execution_options={"synchronize_session": False},
    )


def remember_reading(
    session: Session, run_id: int, source_id: UUID, mapping_version: str
) -> Sequence[UUID]:
    """Write down what a complete reading says of people for whom nothing was to be done.

    Entries that changed without consequence are remembered by their new hash, and the mark
    of people who are back is taken away: back in time, nothing happened (D2). Returns the
    employees who are back.
    """
    staged = RunPersonRecord
    read = select(staged.anchor).where(staged.run_id == run_id)
    without_action = ~exists().where(
        RunActionRecord.run_id == run_id, RunActionRecord.anchor == LinkRecord.anchor
    )
    back = session.scalars(
        update(LinkRecord)
        .where(
            LinkRecord.source_id == source_id,
            LinkRecord.missing_since.is_not(None),
            LinkRecord.anchor.in_(read.where(staged.vouched.is_(True), staged.problem.is_(None))),
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
            LinkRecord.anchor.in_(read.where(staged.person.is_not(None))),
            without_action,
        )
        .values(
            raw_hash=select(staged.raw_hash)
            .where(staged.run_id == run_id, staged.anchor == LinkRecord.anchor)
            .scalar_subquery(),
            mapping_version=mapping_version,
        ),
        execution_options={"synchronize_session": False},
    )
    return back


def _insert(session: Session, is_sqlite: bool, rows: Sequence[dict[str, Any]]) -> None:  # noqa: FBT001
    dialect: Any = sqlite if is_sqlite else postgresql
    statement = dialect.insert(table_of(RunPersonRecord))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "anchor"],
            set_={name: statement.excluded[name] for name in ("person", "problem", "vouched")},
        ),
        rows,
    )


def _twice(anchor: str) -> dict[str, Any]:
    return {"person": None, "problem": f"two entries of the directory have {anchor}"}


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
