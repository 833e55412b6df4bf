"""Who pushes and who is pulled: every source with its last sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provisioning.domain.errors import ConfigurationError
from provisioning.services.audit import record
from provisioning.services.context import Actor, ServiceContext
from provisioning.services.quarantine import health_of
from provisioning.services.sources import find_source, is_known
from provisioning.services.tokens import NewToken, TokenService
from provisioning.storage.models.intranets import SourceRecord
from provisioning.storage.models.runs import RunRecord, TokenKind, TokenRecord

_VENDOR = "vendor"
"""Where the settings of a source keep whose product pushes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One source as the pages show it."""

    name: str
    kind: str
    released: bool
    """Whether its letters may leave (I10)."""

    vendor: str | None
    """Whose product pushes, if somebody said so."""

    tokens: int
    """Tokens and OAuth clients that open the door now."""

    next_expiry: datetime | None
    """When the first of them stops."""

    last_read: int | None
    """People its last complete reading returned."""

    last_run: int | None
    last_request_at: datetime | None
    last_request_from: str | None
    last_rejected_at: datetime | None
    last_rejected: str | None
    """Why the last rejected request was rejected."""

    failures: int
    """Readings that failed since the source last was well."""

    quarantined_until: datetime | None
    """Until when the schedule leaves it alone; None if it does not (R7)."""


def connections(context: ServiceContext) -> Sequence[Connection]:
    """Return every source of the intranet by name."""
    with context.database.read() as session:
        sources = session.scalars(
            select(SourceRecord)
            .where(SourceRecord.intranet_id == context.intranet_id)
            .order_by(SourceRecord.name)
        ).all()
        return _shown(session, sources, context.now())


def connection(context: ServiceContext, name: str) -> Connection:
    """Return one source.

    Raises:
        NotFoundError: There is none of that name.
    """
    with context.database.read() as session:
        return _shown(session, [find_source(session, context, name)], context.now())[0]


def add_identity_provider(
    context: ServiceContext, tokens: TokenService, name: str, vendor: str, actor: Actor
) -> NewToken:
    """Make a SCIM source and its first token.

    Raises:
        ConfigurationError: The name is taken, or cannot be one. Nothing was made.
    """
    with context.database.read() as session:
        if is_known(session, context, name):
            raise ConfigurationError(
                f'There is a source "{name}" already, and a token is shown only once. Nothing was '
                f"made: choose another name, or make it another token: "
                f"usher token create {name}."
            )
    token = tokens.create(name, actor)
    choose_vendor(context, name, vendor, actor)
    return token


def choose_vendor(context: ServiceContext, name: str, vendor: str, actor: Actor) -> None:
    """Remember whose product pushes into a source; it only decides which guide is shown.

    Raises:
        NotFoundError: There is no such source.
        ConfigurationError: The source is one that Usher reads itself.
    """
    with context.database.write() as session:
        source = find_source(session, context, name, for_update=True)
        if source.kind != "scim":
            raise ConfigurationError(
                f"{name} is a source of type {source.kind}, which Usher reads itself: no identity "
                "provider pushes into it. Nothing was changed."
            )
        source.settings = {**(source.settings or {}), _VENDOR: vendor}
        because = f"{actor.name} said that {name} is {vendor}"
        record(session, context, actor, "vendor_chosen", because)


def _shown(
    session: Session, sources: Sequence[SourceRecord], now: datetime
) -> Sequence[Connection]:
    ids = [source.id for source in sources]
    last_run = dict(
        session.execute(
            select(RunRecord.source_id, func.max(RunRecord.id))
            .where(RunRecord.source_id.in_(ids))
            .group_by(RunRecord.source_id)
        ).all()
    )
    # What an access token notes of its use its client notes, too; there is one for every hour.
    tokens = session.scalars(
        select(TokenRecord).where(
            TokenRecord.source_id.in_(ids), TokenRecord.kind != TokenKind.ACCESS
        )
    ).all()
    return [
        _connection(
            source,
            last_run.get(source.id),
            [token for token in tokens if token.source_id == source.id],
            now,
        )
        for source in sources
    ]


def _connection(
    source: SourceRecord, last_run: int | None, tokens: Sequence[TokenRecord], now: datetime
) -> Connection:
    health = health_of(source)
    good = [token for token in tokens if token.revoked_at is None and token.expires_at > now]
    used = max(
        (token for token in tokens if token.last_used_at),
        key=lambda token: str(token.last_used_at),
        default=None,
    )
    rejected = max(
        (token for token in tokens if token.last_rejected_at),
        key=lambda token: str(token.last_rejected_at),
        default=None,
    )
    return Connection(
        name=source.name,
        kind=source.kind,
        released=source.is_released,
        vendor=(source.settings or {}).get(_VENDOR),
        tokens=len(good),
        next_expiry=min((token.expires_at for token in good), default=None),
        last_read=source.last_read,
        last_run=last_run,
        last_request_at=used.last_used_at if used else None,
        last_request_from=used.last_used_from if used else None,
        last_rejected_at=rejected.last_rejected_at if rejected else None,
        last_rejected=rejected.last_rejected if rejected else None,
        failures=source.failures,
        quarantined_until=health.quarantined_until if health.is_quarantined_at(now) else None,
    )
