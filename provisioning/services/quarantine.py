"""How well each source is: written down with every reading, obeyed by the schedule (R7)."""

from __future__ import annotations

from datetime import datetime

from provisioning.domain.errors import MarkError, SourceError
from provisioning.domain.quarantine import Health, after_failure, after_success
from provisioning.services.context import ServiceContext
from provisioning.services.sources import find_source
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunKind


def health_of(source: SourceRecord) -> Health:
    """Return how a source failed since it last was well."""
    return Health(
        failures=source.failures,
        failing_since=source.failing_since,
        everyone_failed=source.everyone_failed,
        quarantines=source.quarantines,
        quarantined_until=source.quarantined_until,
    )


def note_success(source: SourceRecord, kind: RunKind) -> None:
    """Write down that a source was read to its end: it comes back by itself."""
    _write(source, after_success(health_of(source), everyone=kind is not RunKind.CHANGES))


def note_failure(source: SourceRecord, kind: RunKind, error: Exception, now: datetime) -> None:
    """Write down that a reading failed, if the source is to blame.

    That changes cannot be told is no failure: everyone is read instead.
    """
    if isinstance(error, SourceError) and not isinstance(error, MarkError):
        everyone = kind is not RunKind.CHANGES
        _write(source, after_failure(health_of(source), now, everyone=everyone))


def is_quarantined(context: ServiceContext, name: str) -> bool:
    """Whether the schedule leaves a source alone now; commands and pages do not ask.

    Raises:
        NotFoundError: There is no such source.
    """
    with context.database.read() as session:
        source = find_source(session, context, name)
    return health_of(source).is_quarantined_at(context.now())


def _write(source: SourceRecord, health: Health) -> None:
    source.failures = health.failures
    source.failing_since = health.failing_since
    source.everyone_failed = health.everyone_failed
    source.quarantines = health.quarantines
    source.quarantined_until = health.quarantined_until
