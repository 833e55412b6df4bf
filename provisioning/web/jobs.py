"""Jobs: the schedule with its history, pause and run now; and the brakes (R6)."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.exc import SQLAlchemyError
from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired, Length

from provisioning.domain.brakes import Brake
from provisioning.services.container import Services
from provisioning.services.jobs import HISTORY_COLUMNS, JobDesk, JobRun, history_cells
from provisioning.services.switches import BrakeState
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import PAGE, asked_number, csv_file, json_file

BRAKES = "any({})".format(", ".join(f"'{brake.value}'" for brake in Brake))

BATCH = 1_000
"""Rows of the history that are read at once for a file."""


class ReasonForm(FlaskForm):
    """Why something is stopped."""

    comment = StringField("Why", validators=[InputRequired("Say why."), Length(max=500)])
    stop = SubmitField("Stop")


class ConfirmForm(FlaskForm):
    """A button."""


class JobPages:
    """The list of jobs, their history, and the switches."""

    def __init__(self, services: Services, desk: JobDesk) -> None:
        """Keep services and schedule at hand."""
        self._services = services
        self._desk = desk

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes, and tell every page which brakes are on."""
        admin.add_url_rule("/jobs", "jobs", self.jobs)
        admin.add_url_rule("/jobs.csv", "jobs_csv", self.jobs_csv)
        admin.add_url_rule("/jobs.json", "jobs_json", self.jobs_json)
        for name, view in (("run", self.run), ("pause", self.pause), ("resume", self.resume)):
            admin.add_url_rule(f"/jobs/<job>/{name}", f"{name}_job", view, methods=["POST"])
        for name, view in (("on", self.brake_on), ("off", self.brake_off)):
            path = f"/brakes/<{BRAKES}:brake>/{name}"
            admin.add_url_rule(path, f"brake_{name}", view, methods=["POST"])
        admin.context_processor(lambda: {"brakes_on": self._brakes_on})

    def jobs(self) -> ResponseReturnValue:
        """Show every job, the history of all or of one, and the brakes."""
        job = request.args.get("job") or None
        before = asked_number("before") or None
        rows = self._desk.history(job, before=before, limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.jobs", job=job, before=rows[PAGE - 1][0])
        return render_template(
            "admin/jobs.html",
            jobs=self._desk.jobs(),
            nodes=self._desk.nodes(),
            brakes=self._services.switches.brakes(),
            job=job,
            rows=rows[:PAGE],
            following=following,
            reason=ReasonForm(formdata=None),
            confirm=ConfirmForm(formdata=None),
        )

    def jobs_csv(self) -> Response:
        """Send the history of all jobs, or of one, as CSV."""
        job, zone = request.args.get("job") or None, self._services.context.time_zone
        # A name that is none has to be told before the file begins.
        self._desk.history(job, limit=1)
        rows = (history_cells(number, run, zone) for number, run in self._whole_history(job))
        return csv_file("jobs", HISTORY_COLUMNS, rows)

    def jobs_json(self) -> Response:
        """Send every job with its next and last run as JSON."""
        return json_file("jobs", self._desk.jobs())

    def _whole_history(self, job: str | None) -> Iterator[tuple[int, JobRun]]:
        before: int | None = None
        while rows := self._desk.history(job, before=before, limit=BATCH):
            yield from rows
            before = rows[-1][0]

    @needs(RoleName.OPERATOR)
    def run(self, job: str) -> ResponseReturnValue:
        """Ask the schedule to do a job within seconds."""
        if ConfirmForm().validate_on_submit():
            self._desk.ask(job, acting())
            words = f"{job} is asked for; a scheduler does it within seconds."
            if not any(node.lives for node in self._desk.nodes()):
                words = f"{job} is asked for and waits: no scheduler runs."
            flash(words, "success")
        return _back()

    @needs(RoleName.OPERATOR)
    def pause(self, job: str) -> ResponseReturnValue:
        """Stop a job on every node."""
        form = ReasonForm()
        if not form.validate_on_submit():
            return _without_reason()
        self._desk.pause(job, acting(), form.comment.data)
        flash(f"{job} is paused: it runs on no node.", "success")
        return _back()

    @needs(RoleName.OPERATOR)
    def resume(self, job: str) -> ResponseReturnValue:
        """Let a job run again."""
        if ConfirmForm().validate_on_submit():
            self._desk.resume(job, acting())
            flash(f"{job} runs again; what was due meanwhile is done within a minute.", "success")
        return _back()

    @needs(RoleName.ADMIN)
    def brake_on(self, brake: str) -> ResponseReturnValue:
        """Pull a brake."""
        form = ReasonForm()
        if not form.validate_on_submit():
            return _without_reason()
        self._services.switches.pull(Brake(brake), acting(), form.comment.data)
        return _back()

    @needs(RoleName.ADMIN)
    def brake_off(self, brake: str) -> ResponseReturnValue:
        """Let go of a brake: what waited goes on."""
        if ConfirmForm().validate_on_submit():
            self._services.let_go(Brake(brake), acting())
            flash(f"The brake {brake} is off.", "success")
        return _back()

    def _brakes_on(self) -> list[BrakeState]:
        """Return the brakes that are on, for the banner of every page; looked up once a request.

        A page that says that the database is gone has to be made without it.
        """
        if "brakes_on" not in g:
            try:
                found = self._services.switches.brakes() if current_user.is_authenticated else ()
            except SQLAlchemyError:
                found = ()
            g.brakes_on = [one for one in found if one.on is not None]
        on: list[BrakeState] = g.brakes_on
        return on


def _without_reason() -> ResponseReturnValue:
    flash("Say why: everybody who meets it will see it. Nothing was stopped.", "danger")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("admin.jobs"), HTTPStatus.SEE_OTHER)
