"""A whole Usher on a database, made for one test, with a clock that obeys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.outbox_only.mailer import OutboxOnlyMailer
from provisioning.domain.policy import Policy
from provisioning.ports import Clock, Mailer, Webhook
from provisioning.services.container import Services, ensure_intranet, ensure_sources
from provisioning.services.context import (
    Actor,
    ConfiguredSource,
    InvitationTimes,
    ServiceContext,
)
from provisioning.storage.base import Database

PUBLIC_URL = "https://intranet.example"


class FakeClock:
    """A clock that stands still until told otherwise, and only goes forward."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock shows aware times")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError("time goes forward")
        self._now += by


def make_services(
    database_url: str,
    *,
    clock: Clock | None = None,
    seat_limit: int | None = None,
    policy: Policy | None = None,
    times: InvitationTimes | None = None,
    sources: Mapping[str, ConfiguredSource] | None = None,
    mailer: Mailer | None = None,
    slug: str = "main",
    time_zone: str = "UTC",
    webhooks: Mapping[str, Webhook] | None = None,
    seats_free_below: int = 0,
) -> Services:
    """Compose the services of one intranet as app.py does; close `.context.database` afterwards."""
    clock = clock or FakeClock()
    sources = sources or {}
    database = Database(database_url)
    intranet_id = ensure_intranet(database, slug=slug, name="Corp", time_zone=time_zone)
    ensure_sources(database, intranet_id, sources, clock)
    context = ServiceContext(
        database=database,
        clock=clock,
        intranet_id=intranet_id,
        intranet_name="Corp",
        time_zone=ZoneInfo(time_zone),
        policy=policy or Policy(),
        times=times or InvitationTimes(),
        public_url=PUBLIC_URL,
        secret_key=b"a secret of this test and no other",
        sender="Corp <intranet@corp.example>",
        webhooks=tuple(webhooks or ()),
        seats_free_below=seats_free_below,
    )
    services = Services.build(context, sources, mailer or OutboxOnlyMailer(), webhooks or {})
    services.seats.set_limit(seat_limit, Actor("test", "cli"))
    return services
