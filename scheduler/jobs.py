"""What runs when: each job is one call of a service (R6).

job          when                    does
-----------  ----------------------  ------------------------------------------------------
nightly      once per local date     a full run of every source that is read
changes      every few minutes       applies what changed in directories that can tell
delivery     every few seconds       hands over what is due in the outbox
alarms       every minute            tells administrators of what came about (R7)
digest       once per local date     writes the daily letter, if there is something to say
reminders    every upkeep interval   reminds once of invitations nobody accepted yet (I4)
invitations  every upkeep interval   expires invitations whose time is over, and gives their
                                     seats to those who wait (I4, L3)
waiting      every upkeep interval   gives free seats to those who wait (L3)
seats        every hour              counts the seated again (L7)
findings     every hour              looks at every address again (E5)
tokens       every hour              tells administrators of tokens that end soon, and forgets
                                     access tokens that did
inbound      every upkeep interval   forgets requests of providers that are old enough
history      every day               forgets slots that nobody asks for any more
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from provisioning.domain.errors import BusyError, ProvisioningError
from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.services.quarantine import is_quarantined

T = TypeVar("T")

ACTOR = Actor("scheduler", "job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When things happen; what an administrator may set."""

    nightly_at: time = time(2, 0)
    """Local time of the intranet."""

    digest_at: time = time(7, 0)
    """Local time of the intranet."""

    changes: timedelta = timedelta(minutes=5)
    """Between looks at what changed in directories that can tell."""

    delivery: timedelta = timedelta(seconds=5)
    upkeep: timedelta = timedelta(minutes=15)
    inbound_kept: timedelta = timedelta(days=30)
    """How long requests of identity providers stay in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A named piece of work and how often it is looked at."""

    name: str
    words: str
    every: timedelta
    tick: Callable[[], object]
    """Does the work if it is due; called every `every`."""

    now: Callable[[], Sequence[str]]
    """Does the work at once, due or not, and says what came of it: `usher jobs run NAME`."""


def jobs(services: Services, schedule: Schedule) -> Mapping[str, Job]:
    """Return every job by name."""
    hour = timedelta(hours=1)
    forget_requests = partial(services.inbound.forget_old, schedule.inbound_kept)
    by_interval = (
        ("reminders", "reminds of invitations", schedule.upkeep, services.invitations.remind_due),
        ("invitations", "expires invitations", schedule.upkeep, partial(_expire, services)),
        ("waiting", "serves the waiting list", schedule.upkeep, services.waiting.serve),
        ("seats", "counts the seated again", hour, services.seats.recount),
        ("findings", "looks at every address again", hour, services.findings.refresh_all),
        ("tokens", "tells of tokens that end soon", hour, partial(_tokens, services)),
        ("inbound", "forgets old requests of providers", schedule.upkeep, forget_requests),
        ("history", "forgets old slots of jobs", 24 * hour, services.slots.forget_old),
    )
    made = [
        Job(
            name="nightly",
            words=f"reads every source at {schedule.nightly_at:%H:%M} local time",
            every=timedelta(minutes=1),
            tick=partial(nightly, services, schedule.nightly_at),
            now=partial(read_sources, services),
        ),
        Job(
            name="changes",
            words="applies what changed in directories that can tell",
            every=schedule.changes,
            tick=partial(changes, services, schedule.changes),
            now=partial(_each, _telling(services), partial(_apply_changes, services)),
        ),
        Job(
            name="delivery",
            words="hands over letters",
            every=schedule.delivery,
            tick=services.delivery.deliver_due,
            now=partial(_call, services.delivery.require_delivered),
        ),
        Job(
            name="digest",
            words=f"writes the daily letter at {schedule.digest_at:%H:%M} local time",
            every=timedelta(minutes=1),
            tick=partial(digest, services, schedule.digest_at),
            now=partial(_call, lambda: services.digest.write(services.context.now())),
        ),
        Job(
            name="alarms",
            words="tells administrators of what needs them",
            every=timedelta(minutes=1),
            tick=services.alarms.look,
            now=partial(_call, services.alarms.look),
        ),
    ]
    made += [
        Job(
            name=name,
            words=words,
            every=period,
            tick=_once_a_period(services, name, period, work),
            now=partial(_call, work),
        )
        for name, words, period, work in by_interval
    ]
    return {job.name: job for job in made}


def nightly(services: Services, at: time) -> None:
    """Run every source once per local date, late if it has to be (R6).

    A source that was made after tonight's hour has its first night tomorrow; one in quarantine
    has its night when that is over (R7).
    """
    now = services.context.now()
    due = last_night(now.astimezone(services.context.time_zone), at)

    def one(name: str) -> None:
        if not is_quarantined(services.context, name) and services.slots.is_older_than(
            name, due.astimezone(UTC)
        ):
            services.slots.once(
                "nightly",
                due.date().isoformat(),
                partial(services.runs.sync, name, ACTOR),
                source=name,
            )

    _each(_readable(services), one)


def changes(services: Services, period: timedelta) -> None:
    """Apply what changed since the last reading of every source that can tell, once a period.

    A source that is being read just then is left to whoever reads it, and one in quarantine is
    left alone (R7).
    """
    slot = str(_number(services, period))

    def one(name: str) -> None:
        work = partial(_apply_changes, services, name)
        if not is_quarantined(services.context, name):
            services.slots.once("changes", slot, work, source=name)

    _each(_telling(services), one)


def _apply_changes(services: Services, name: str) -> str:
    try:
        run = services.runs.sync_changes(name, ACTOR)
    except BusyError:
        return f"{name}: somebody else is reading it"
    return f"{name}: nothing to apply" if run is None else _what_ran(name, run)


def _what_ran(name: str, run: int) -> str:
    return f"{name}: run {run}, see `usher plan-show {run}`"


def digest(services: Services, at: time) -> None:
    """Write the letter about the day that ended last, once per local date (R6)."""
    due = last_night(services.context.now().astimezone(services.context.time_zone), at)
    services.slots.once("digest", due.date().isoformat(), partial(services.digest.write, due))


def last_night(local_now: datetime, at: time) -> datetime:
    """Return the latest moment at which a nightly run was due, in local time.

    >>> from zoneinfo import ZoneInfo
    >>> noon = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    >>> last_night(noon, time(2)).isoformat(), last_night(noon, time(23)).isoformat()
    ('2026-11-24T02:00:00+01:00', '2026-11-23T23:00:00+01:00')
    """
    today = datetime.combine(local_now.date(), at, tzinfo=local_now.tzinfo)
    return today if today <= local_now else today - timedelta(days=1)


def next_night(local_now: datetime, at: time) -> datetime:
    """Return when the next nightly run is due, in local time."""
    return last_night(local_now, at) + timedelta(days=1)


def read_sources(services: Services) -> Sequence[str]:
    """Run every source that can be read, now; returns what ran."""
    names = _readable(services)
    return _each(names, lambda name: _what_ran(name, services.runs.sync(name, ACTOR)))


def _each(names: Sequence[str], work: Callable[[str], T]) -> list[T]:
    """Do it for every source: one that fails keeps none of the others waiting.

    Raises:
        ProvisioningError: The first failure, when all had their turn.
    """
    done: list[T] = []
    failures: list[ProvisioningError] = []
    for name in names:
        try:
            done.append(work(name))
        except ProvisioningError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return done


def _readable(services: Services) -> list[str]:
    return [name for name, source in services.sources.items() if source.directory is not None]


def _telling(services: Services) -> list[str]:
    """Return the sources that may tell what changed."""
    return [
        name
        for name, source in services.sources.items()
        if source.directory is not None and source.directory.offers_changes
    ]


def _once_a_period(
    services: Services, name: str, period: timedelta, work: Callable[[], object]
) -> Callable[[], None]:
    def tick() -> None:
        services.slots.once(name, str(_number(services, period)), work)

    return tick


def _number(services: Services, period: timedelta) -> int:
    """Return the number of the period that is now, the same on every node."""
    return int(services.context.now().timestamp() // period.total_seconds())


def _expire(services: Services) -> None:
    services.invitations.expire_due()
    services.waiting.serve()


def _tokens(services: Services) -> None:
    services.token_letters.write_due()
    services.access_tokens.forget_old()


def _call(work: Callable[[], object]) -> Sequence[str]:
    work()
    return ()
