"""A check of a source: the connector's own steps, and what a run would make of its people.

step      asks
--------  ----------------------------------------------------------------------------
usable    who has no mail, no name, a value that cannot be read, or another's id or mail
disabled  who would be dismissed if they were here
compare   how many the last complete reading returned
mapping   whose rules these are, if a saved version stands before the configuration's
schedule  until when it leaves the source alone, if it does (R7)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from provisioning.domain.addresses import address_key
from provisioning.domain.errors import MappingError
from provisioning.domain.mapping import PersonMapping
from provisioning.domain.people import Person, RawPerson
from provisioning.ports import CheckOutcome, CheckReport, CheckStep
from provisioning.services.context import ConfiguredSource, ServiceContext
from provisioning.services.quarantine import health_of
from provisioning.services.reading import readable
from provisioning.services.saved_mappings import last_version
from provisioning.services.sources import configured_source, find_source

NAMED = 5
"""People a step names; the rest it counts."""


@dataclass(slots=True)
class _Some:
    """How many there are of a kind, and the first of them by name."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(name)

    def told(self, words: str) -> str:
        more = f" and {self.count - len(self.names):,} more" if self.count > NAMED else ""
        return f"{self.count:,} {words}: {', '.join(self.names)}{more}"


@dataclass(slots=True)
class _Sight:
    """Looks at everybody who passes by, and remembers numbers only."""

    source: str
    mapping: PersonMapping
    now: datetime
    people: int = 0
    with_mail: int = 0
    without_mail: _Some = field(default_factory=_Some)
    unreadable: _Some = field(default_factory=_Some)
    same_id: _Some = field(default_factory=_Some)
    same_mail: _Some = field(default_factory=_Some)
    inactive: _Some = field(default_factory=_Some)
    _ids: set[int] = field(default_factory=set)
    _mails: set[int] = field(default_factory=set)

    def see(self, raw: RawPerson) -> None:
        """Look at one entry."""
        self.people += 1
        if _known(self._ids, raw.anchor):
            self.same_id.add(raw.anchor)
        try:
            person = self.mapping.person(self.source, raw, self.now)
        except MappingError as error:
            self.unreadable.add(f"{raw.where or raw.anchor} ({error})")
            return
        self._see_person(person)

    def _see_person(self, person: Person) -> None:
        if not person.is_active_at(self.now):
            self.inactive.add(person.user_name)
        if person.mail is None:
            self.without_mail.add(person.user_name)
            return
        self.with_mail += 1
        if _known(self._mails, address_key(person.mail)):
            self.same_mail.add(f"{person.user_name} ({person.mail})")

    def usable(self) -> CheckStep:
        """Say whom a run could invite, and who stays out of it."""
        parts = [
            some.told(words)
            for some, words in (
                (self.without_mail, "have none and are not invited"),
                (self.unreadable, "cannot be mapped and are passed over"),
                (self.same_id, "come with an id that somebody else has"),
                (self.same_mail, "come with a mail that somebody else has"),
            )
            if some.count
        ]
        if not self.with_mail:
            parts.append("nobody could be invited: look at the mapping of mail")
        outcome = CheckOutcome.WARNING if parts else CheckOutcome.OK
        return CheckStep(
            name="usable",
            outcome=outcome if self.with_mail else CheckOutcome.FAILED,
            detail="; ".join([f"{self.with_mail:,} have mail", *parts]),
        )

    def disabled(self) -> CheckStep:
        """Say who would be dismissed by what the source says of them."""
        count = self.inactive.count
        if count == self.people:
            return CheckStep(
                name="disabled",
                outcome=CheckOutcome.FAILED,
                detail="everybody is disabled or expired: look at the mapping of active",
            )
        if not count:
            return CheckStep(name="disabled", outcome=CheckOutcome.OK, detail="nobody")
        return CheckStep(
            name="disabled",
            outcome=CheckOutcome.OK,
            detail=self.inactive.told("disabled or expired, dismissed if they are here"),
        )


def check_source(
    context: ServiceContext, sources: Mapping[str, ConfiguredSource], name: str
) -> CheckReport:
    """Check a source that is read; failures are steps, not exceptions.

    Raises:
        NotFoundError: There is no such source.
        ConfigurationError: It sends its people by itself.
    """
    directory, mapping = readable(configured_source(context, sources, name))
    sight = _Sight(name, mapping, context.now())
    report = directory.check(sight.see)
    report = replace(report, steps=[*report.steps, *_quarantined(context, name)])
    if report.failed:
        return report
    more = [sight.usable(), sight.disabled(), _compared(context, name, sight.people)]
    more += _superseded(context, name)
    return replace(report, steps=[*report.steps, *more])


def _compared(context: ServiceContext, name: str, people: int) -> CheckStep:
    with context.database.read() as session:
        last = find_source(session, context, name).last_read
    if not last:
        return CheckStep(name="compare", outcome=CheckOutcome.OK, detail="no run has read it yet")
    share = f"{100 * (people - last) / last:+.1f}" if people != last else "0"
    held = last - people > context.policy.removal_limit(last)
    return CheckStep(
        name="compare",
        outcome=CheckOutcome.WARNING if held else CheckOutcome.OK,
        detail=f"last run saw {last:,} ({share} %)"
        f"{'; a run would hold that many removals' if held else ''}",
    )


def _superseded(context: ServiceContext, name: str) -> Sequence[CheckStep]:
    with context.database.read() as session:
        saved = last_version(session, context, name)
    if saved is None or saved.rules is None:
        return []
    detail = (
        f"version {saved.number}, saved by {saved.saved_by}; what the configuration says of the "
        "mapping does not count"
    )
    return [CheckStep(name="mapping", outcome=CheckOutcome.OK, detail=detail)]


def _quarantined(context: ServiceContext, name: str) -> Sequence[CheckStep]:
    with context.database.read() as session:
        health = health_of(find_source(session, context, name))
    if health.quarantined_until is None or not health.is_quarantined_at(context.now()):
        return []
    until = health.quarantined_until.astimezone(context.time_zone)
    detail = (
        f"in quarantine until {until:%Y-%m-%d %H:%M} after {health.failures} failures; "
        f"`usher sync {name}` reads it now, and ends that if it can be read"
    )
    return [CheckStep(name="schedule", outcome=CheckOutcome.WARNING, detail=detail)]


def _known(seen: set[int], text: str) -> bool:
    """Whether a text was there before; a million hashes cost a tenth of a million texts."""
    digest = hash(text)
    if digest in seen:
        return True
    seen.add(digest)
    return False
