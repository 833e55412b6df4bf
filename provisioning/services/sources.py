"""Sources as the database knows them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.services.context import ConfiguredSource, ServiceContext
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunKind, RunRecord, RunState

_UNDONE = "undone:"
"""Stands before a run's number where the rules of a source are: no rules are spelled so."""


def find_source(
    session: Session, context: ServiceContext, name: str, *, for_update: bool = False
) -> SourceRecord:
    """Return a source of this intranet by name.

    Raises:
        NotFoundError: There is none; the others are named.
    """
    query = select(SourceRecord).where(
        SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == name
    )
    source = session.scalars(query.with_for_update() if for_update else query).one_or_none()
    if source is None:
        raise _no_source(session, context, name)
    return source


def _no_source(session: Session, context: ServiceContext, name: str) -> NotFoundError:
    others = session.scalars(
        select(SourceRecord.name).where(SourceRecord.intranet_id == context.intranet_id)
    ).all()
    return NotFoundError("source", f'"{name}"', hint=f"there are: {', '.join(others) or 'none'}")


def is_known(session: Session, context: ServiceContext, name: str) -> bool:
    """Whether the intranet has a source of this name, configured here or not."""
    query = select(SourceRecord.id).where(
        SourceRecord.intranet_id == context.intranet_id, SourceRecord.name == name
    )
    return session.scalar(query) is not None


def remember_reading_of(source: SourceRecord, run: RunRecord) -> None:
    """Write down where the next reading begins; committed with the changes it follows.

    What a guard doubts is not what the next reading is compared with, and changes are no count
    of everyone.
    """
    if run.kind is not RunKind.CHANGES and run.state is not RunState.HELD:
        source.last_read = run.read
    source.mark = (run.proof or {}).get("mark") or None
    source.rules = run.rules


def undone_run(source: SourceRecord) -> int | None:
    """Return the run whose undo nobody looked past yet; None if there is none (D8)."""
    number = source.rules.removeprefix(_UNDONE)
    return int(number) if number != source.rules else None


def remember_undone(source: SourceRecord, run_id: int) -> None:
    """Let the next run read everyone, and only plan: it would do again what was undone (D8)."""
    source.rules, source.mark = f"{_UNDONE}{run_id}", None


def configured_source(
    context: ServiceContext, sources: Mapping[str, ConfiguredSource], name: str
) -> ConfiguredSource:
    """Return a source that can be read, as the configuration has it.

    Raises:
        NotFoundError: There is no such source; the others are named.
        ConfigurationError: It sends its people by itself.
    """
    found = sources.get(name)
    if found is not None:
        return found
    with context.database.read() as session:
        if is_known(session, context, name):
            raise ConfigurationError(
                f"{name} is a SCIM source: it sends its people by itself and cannot be "
                "read. Nothing was done."
            )
    names = ", ".join(sorted(sources)) or "none is configured"
    raise NotFoundError("source", f'"{name}"', hint=f"there are: {names}")
