"""Overview: what needs somebody, seats, runs, connections, first steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from provisioning.services.connections import Connection
from provisioning.services.container import Services
from provisioning.services.demo import DEMO
from provisioning.services.reports import SeatReport

RUNS = 30
GAUGE = 1000
"""Width of the seat gauge in its own units."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the seat gauge."""

    name: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps, done or to do."""

    words: str
    done: bool
    link: str


class OverviewPages:
    """The first page."""

    def __init__(self, services: Services, next_run: Callable[[], datetime]) -> None:
        """Keep the services at hand."""
        self._services = services
        self._next_run = next_run

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/", "overview", self.overview)

    def overview(self) -> ResponseReturnValue:
        """Show everything at a glance."""
        seats = self._services.reports.seats()
        runs = self._services.run_reports.runs(limit=RUNS)
        found = self._services.connections()
        return render_template(
            "admin/overview.html",
            seats=seats,
            gauge=gauge(seats),
            outlook=self._services.reports.outlook(),
            stale=len(self._services.reports.stale()) if seats.free == 0 else 0,
            runs=runs,
            held=[run for run in runs if run.state == "held"],
            held_groups=self._services.hold_reports.groups(),
            unreleased=[run for run in runs if run.state == "ready"][:1],
            next_run=self._next_run(),
            connections=found,
            mismatches=sum(self._services.reports.mismatch_counts().values()),
            steps=self._steps(found),
        )

    def _steps(self, found: Sequence[Connection]) -> Sequence[Step]:
        real = [source for source in found if source.name != DEMO]
        heard = [source for source in real if source.last_run or source.last_request_at]
        sends = not self._services.mailer.keeps_letters
        return (
            # Whoever sees this page has done the first step: nothing opens before.
            Step("Choose your own password", done=True, link=url_for("admin.new_password")),
            Step(
                "Connect your directory or identity provider",
                done=bool(heard),
                link=url_for("admin.connections"),
            ),
            Step(
                "Look at its first plan and release it",
                done=any(source.released for source in heard),
                link=url_for("admin.runs"),
            ),
            Step("Let letters leave by SMTP", done=sends, link=url_for("admin.outbox")),
        )


def gauge(seats: SeatReport) -> Sequence[Part]:
    """Return the stretches of the seat gauge, from the left."""
    whole = max(seats.limit or seats.taken, seats.taken, 1)
    parts, start = [], 0.0
    for name, count in (("active", seats.active), ("invited", seats.invited)):
        width = GAUGE * count / whole
        parts.append(Part(name, start, width))
        start += width
    return parts
