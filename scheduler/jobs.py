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
held         every upkeep interval   decides anew what the brake no-dismissals held, once it is off
inbound      every upkeep interval   forgets requests of providers that are old enough
history      every day               forgets slots that nobody asks for any more

Every scheduler looks at each of them once a minute, or more often; the slot decides. A job that
is paused, or stopped by the brake read-only, leaves its slot free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from provisioning.domain.errors import BusyError, ProvisioningError, StoppedError
from provisioning.domain.nights import last_night, next_night
from provisioning.services.container import Services
from provisioning.services.context import SCHEDULER
from provisioning.services.quarantine import is_quarantined
from scheduler.schedule import Job, Schedule

T = TypeVar("T")

LOOK = timedelta(minutes=1)
"""Between looks at whether there is something to do: a failed job is tried again so soon."""


def jobs(
    services: Services, schedule: Schedule, is_stopping: Callable[[], bool] = bool
) -> Mapping[str, Job]:
    """Return every job by name.

    Args:
        services: The use cases.
        schedule: When things happen.
        is_stopping: Whether this process was told to end; long work asks between two people.
    """
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
        ("held", "takes up what a brake held", schedule.upkeep, services.holds.take_up_braked),
        ("history", "forgets old slots of jobs", 24 * hour, services.slots.forget_old),
    )
    made = [
        Job(
            name="nightly",
            words=f"reads every source at {schedule.nightly_at:%H:%M} local time",
            every=LOOK,
            tick=partial(nightly, services, schedule.nightly_at, is_stopping),
            following=partial(next_night, at=schedule.nightly_at, zone=services.context.time_zone),
            now=partial(read_sources, services, is_stopping),
        ),
        Job(
            name="changes",
            words="applies what changed in directories that can tell",
            every=min(schedule.changes, LOOK),
            following=partial(_following, schedule.changes),
            tick=partial(changes, services, schedule.changes),
            now=partial(_each, _telling(services), partial(_apply_changes, services)),
        ),
        Job(
            name="delivery",
            words=f"hands over letters, looks every {schedule.delivery.total_seconds():g} s",
            every=schedule.delivery,
            following=lambda now: now + schedule.delivery,
            tick=partial(_deliver, services, is_stopping),
            now=partial(_call, services.delivery.require_delivered),
        ),
        Job(
            name="digest",
            words=f"writes the daily letter at {schedule.digest_at:%H:%M} local time",
            every=LOOK,
            tick=partial(digest, services, schedule.digest_at),
            following=partial(next_night, at=schedule.digest_at, zone=services.context.time_zone),
            now=partial(_call, lambda: services.digest.write(services.context.now())),
        ),
        Job(
            name="alarms",
            words="tells administrators of what needs them",
            every=LOOK,
            tick=services.alarms.look,
            following=lambda now: now + LOOK,
            now=partial(_call, services.alarms.look),
        ),
    ]
    made += [
        Job(
            name=name,
            words=words,
            every=min(period, LOOK),
            following=partial(_following, period),
            tick=_once_a_period(services, name, period, work),
            now=partial(_call, work),
        )
        for name, words, period, work in by_interval
    ]
    return {job.name: job for job in made}


def nightly(services: Services, at: time, is_stopping: Callable[[], bool] = bool) -> None:
    """Run every source once per local date, late if it has to be (R6).

    A source that was made after tonight's hour has its first night tomorrow; one in quarantine
    has its night when that is over (R7).
    """
    due = last_night(services.context.now(), at, services.context.time_zone)

    def one(name: str) -> None:
        if not is_quarantined(services.context, name) and services.slots.is_older_than(
            name, due.astimezone(UTC)
        ):
            services.slots.once(
                "nightly",
                due.date().isoformat(),
                partial(services.runs.sync, name, SCHEDULER, _until(is_stopping)),
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
        run = services.runs.sync_changes(name, SCHEDULER)
    except BusyError:
        return f"{name}: somebody else is reading it"
    return f"{name}: nothing to apply" if run is None else _what_ran(name, run)


def _what_ran(name: str, run: int) -> str:
    return f"{name}: run {run}, see `usher plan-show {run}`"


def digest(services: Services, at: time) -> None:
    """Write the letter about the day that ended last, once per local date (R6)."""
    due = last_night(services.context.now(), at, services.context.time_zone)
    services.slots.once("digest", due.date().isoformat(), partial(services.digest.write, due))


def read_sources(services: Services, is_stopping: Callable[[], bool] = bool) -> Sequence[str]:
    """Run every source that can be read, now; returns what ran."""
    names, sync, until = _readable(services), services.runs.sync, _until(is_stopping)
    return _each(names, lambda name: _what_ran(name, sync(name, SCHEDULER, until)))


def _until(is_stopping: Callable[[], bool]) -> Callable[[int, int], None]:
    """Return what a run asks after each person: whether it has to leave the rest to the next."""

    def ask(done: int, everyone: int) -> None:
        if is_stopping() and done < everyone:
            raise StoppedError(
                f"the process was told to end after {done:,} of {everyone:,} people; the rest is "
                "done by whoever looks next"
            )

    return ask


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


def _following(period: timedelta, now: datetime) -> datetime:
    """Return when the next period begins, the same on every node."""
    return datetime.fromtimestamp(
        (now.timestamp() // period.total_seconds() + 1) * period.total_seconds(), UTC
    )


def _deliver(services: Services, is_stopping: Callable[[], bool]) -> None:
    """Hand over what is due; the history has one row a day for it."""
    today = services.context.today().isoformat()
    deliver = partial(services.delivery.deliver_due, is_stopping)
    services.slots.noting("delivery", today, deliver)


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
