"""The composition root: settings, connectors and services become a web app and a command."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from connectors.factory import make_mailer, make_readable, make_webhook
from connectors.ldap.pasting import propose
from provisioning.cli.greeting import greet, say
from provisioning.cli.root import create_cli
from provisioning.domain.errors import ConfigurationError, RuleError
from provisioning.logs import configure_logs
from provisioning.ports import ProposedSource
from provisioning.services.container import Services, ensure_intranet, ensure_sources
from provisioning.services.context import (
    Actor,
    ConfiguredSource,
    InvitationTimes,
    ServiceContext,
    SystemClock,
)
from provisioning.services.demo import DEMO, clear_demo
from provisioning.settings import Settings, load_settings, own_rules, rule_mistake
from provisioning.settings_model import SourceSettings
from provisioning.storage import migrate
from provisioning.storage.base import Database
from provisioning.storage.secret_key import deployment_key
from provisioning.web.server import leave_the_terminal, require_free, serve
from scheduler.desk import Desk
from scheduler.local import LocalScheduler
from scheduler.schedule import Schedule

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).parent
CONFIG = Path("data/usher.toml")
"""Read when nothing else is named and the database is the default one; `usher demo` makes it."""


def read_settings() -> Settings:
    """Return the settings of this process: environment over file over default."""
    named = {"USHER_CONFIG", "DATABASE_URL", "DATABASE_URL_FILE"} & os.environ.keys()
    implied = CONFIG if CONFIG.exists() and not named else None
    return load_settings(environ=os.environ, config_path=implied)


def make_services(settings: Settings) -> Services:
    """Compose one intranet; an empty database is migrated, an unknown one refused."""
    configure_logs(settings.log.level, settings.log.format)
    mailer = make_mailer(settings.mail.mode, settings.mail.smtp_url.get_secret_value())
    sources = {name: make_source(source) for name, source in settings.sources.items()}
    webhooks = {
        name: make_webhook(name, one.url, one.secret.get_secret_value(), one.ca_file)
        for name, one in settings.webhooks.items()
    }
    # Whatever is wrong with the settings was told by now: nothing is made for a wrong one.
    url = settings.database.url
    migrate.upgrade(url)
    database, clock = Database(url), SystemClock()
    intranet_id = ensure_intranet(
        database,
        slug=settings.intranet.slug,
        name=settings.intranet.name,
        time_zone=settings.intranet.time_zone,
    )
    ensure_sources(database, intranet_id, sources, clock)
    context = ServiceContext(
        database=database,
        clock=clock,
        intranet_id=intranet_id,
        intranet_name=settings.intranet.name,
        time_zone=ZoneInfo(settings.intranet.time_zone),
        policy=settings.policy(),
        times=InvitationTimes(
            grace=timedelta(minutes=settings.invitations.grace_minutes),
            lifetime=timedelta(days=settings.invitations.expires_days),
            reminder=timedelta(days=settings.invitations.reminder_days),
            cool_down=timedelta(minutes=settings.invitations.cool_down_minutes),
            stale=timedelta(days=settings.seats.stale_after_days),
        ),
        public_url=settings.web.public_url,
        secret_key=deployment_key(settings.web.secret_key.get_secret_value(), url),
        sender=settings.mail.sender,
        department_groups=settings.people.department_groups,
        webhooks=tuple(webhooks),
        seats_free_below=settings.alarms.seats_free_below,
    )
    services = Services.build(context, sources, mailer, webhooks)
    limit, configuration = settings.seats.limit, Actor("configuration", "cli")
    if limit is not None and services.seats.set_limit(limit, configuration):
        services.waiting.serve()
    return services


def make_source(source: SourceSettings) -> ConfiguredSource:
    """Make what the configuration says of one source; nothing is connected yet.

    Raises:
        ConfigurationError: It can never work; the sentence says where it stands.
    """
    made = ConfiguredSource(
        name=source.name,
        kind=source.type,
        first_run=source.first_run,
        authoritative=source.authoritative,
    )
    if source.type == "scim":
        return made
    own, make = own_rules(source), partial(make_readable, made.name, made.kind, source.options)
    try:
        directory, mapping = make(own)
    except RuleError as error:
        raise rule_mistake(source, error) from error
    return replace(made, directory=directory, mapping=mapping, own_rules=own, make=make)


def create_app() -> Flask:
    """Return the web application of a worker process: pages, SCIM and health on one port."""
    from provisioning.web.kept_connections import tell_when_to_hang_up  # noqa: PLC0415 - as below

    leave_the_terminal()
    settings = read_settings()
    return tell_when_to_hang_up(make_app(settings, make_services(settings)))


def make_app(settings: Settings, services: Services) -> Flask:
    """Return the web application over composed services."""
    # Commands do without: pages and SCIM's models are half of what it takes to start them.
    from provisioning.site import create_site  # noqa: PLC0415

    return create_site(
        services,
        public_url=settings.web.public_url,
        trusted_hosts=settings.web.trusted_hosts,
        requests_per_second=settings.scim.requests_per_second,
        body_bytes=settings.scim.body_bytes,
        jobs=Desk(services, schedule_of(settings)),
    )


def schedule_of(settings: Settings) -> Schedule:
    """Return when things happen, as the settings say."""
    chosen = settings.schedule
    return Schedule(
        nightly_at=chosen.nightly_at,
        digest_at=settings.alarms.digest_at,
        changes=timedelta(minutes=chosen.changes_minutes),
        delivery=timedelta(seconds=chosen.delivery_seconds),
        upkeep=timedelta(minutes=chosen.upkeep_minutes),
        inbound_kept=timedelta(days=settings.scim.inbound_log_days),
    )


class Composition:
    """What commands are handed: everything is made when it is first asked for."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process."""
        return read_settings()

    @cached_property
    def _services(self) -> Services:
        return make_services(self.settings)

    def services(self) -> Services:
        """Return the use cases of the configured intranet."""
        return self._services

    def shown_settings(self) -> Sequence[tuple[str, str, str]]:
        """Return every setting as (name, masked value, origin)."""
        return self.settings.shown()

    def upgrade_database(self) -> str:
        """Migrate the database; returns what was done, in words."""
        migrate.upgrade(self.settings.database.url)
        return "the database is at the newest revision"

    def schema_differences(self) -> list[str]:
        """Return what the migrated database lacks of the tables in the code."""
        migrate.upgrade(self.settings.database.url)
        return migrate.differences(self.settings.database.url)

    def jobs(self) -> Desk:
        """Return where jobs are looked at, run, paused and resumed."""
        return Desk(self.services(), schedule_of(self.settings))

    def proposed_source(self, name: str, line: str | Sequence[str]) -> ProposedSource:
        """Return the source that an ldapsearch line describes; nobody is asked."""
        return propose(name, line)

    def serve(self, *, scheduler: bool) -> None:
        """Serve pages, SCIM and, unless told otherwise, the scheduler, until SIGTERM."""
        settings = self.settings
        require_free(settings.web.host, settings.web.port)
        runner = LocalScheduler(self.services(), schedule_of(self.settings)) if scheduler else None
        self._greet()
        sqlite = settings.database.url.startswith("sqlite")
        serve(
            "app:create_app",
            host=settings.web.host,
            port=settings.web.port,
            workers=settings.web.workers,
            blocking_threads=1 if sqlite else 4,
            on_start=runner.start if runner else _nothing,
            on_stop=partial(_leave, runner.stop) if runner else _nothing,
        )

    def run_scheduler(self) -> None:
        """Run only the scheduler, until SIGTERM."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        runner = LocalScheduler(self.services(), schedule_of(self.settings))
        _leave(partial(runner.run_forever, stopping))

    def demo(self, *, clear: bool, serve: bool) -> None:
        """Load the 40 demo people, or take them away again."""
        if clear:
            self._clear_demo()
            return
        if not CONFIG.exists():
            CONFIG.parent.mkdir(parents=True, exist_ok=True)
            template = (ROOT / "config" / "demo.toml").read_text()
            CONFIG.write_text(template.replace("{demo_ldif}", str(ROOT / "config" / "demo.ldif")))
        # Whatever database is named, the demo is configured by its own file, workers included.
        os.environ.setdefault("USHER_CONFIG", str(CONFIG))
        if DEMO not in self.settings.sources:
            raise ConfigurationError(
                f"USHER_CONFIG names a configuration without the demo. Nothing was loaded: "
                f"unset it, or use {CONFIG}."
            )
        services = self.services()
        run = services.runs.sync(DEMO, Actor("demo", "cli"))
        services.delivery.deliver_due()
        report = services.run_reports.plan(run)
        say(f"Run {run} read {report.read} demo people from config/demo.ldif: {_counted(report)}")
        if serve:
            self.serve(scheduler=True)
        else:
            self._greet()

    def _clear_demo(self) -> None:
        """Take the demo people away, their configuration, and the seat limit that came with it."""
        if not CONFIG.exists():
            say(f"There is no {CONFIG} here, so there is no demo to clear. Nothing was removed.")
            return
        count = clear_demo(self.services().context, DEMO)
        CONFIG.unlink()
        self.services().seats.set_limit(None, Actor("demo", "cli"))
        say(
            f"{count} demo people were removed, and with them {CONFIG} and its limit of seats. "
            "Restart what is serving; SEAT_LIMIT sets yours."
        )

    def _greet(self) -> None:
        settings = self.settings
        greet(
            self.services(),
            public_url=settings.web.public_url,
            database=make_url(settings.database.url).render_as_string(),
        )


def _counted(report: Any) -> str:
    counts = [f"{kind.replace('_', ' ')} {n}" for kind, n in report.counts.items() if n]
    return ", ".join(counts) or "nothing to do"


def _leave(stop: Callable[[], bool]) -> None:
    """End the process, even if a job does not: Python would wait for its thread for ever."""
    if not stop():
        os._exit(0)


def _nothing() -> None:
    """Do nothing at a moment where something could be done."""


def main() -> None:
    """Run the `usher` command."""
    create_cli(Composition())()
