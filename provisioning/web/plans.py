"""Runs and plans: what was done, what is held, and the decision about it (R4)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from provisioning.domain.actions import REMOVALS, ActionKind
from provisioning.services.container import Services
from provisioning.services.run_reports import PlanReport
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.runs import RunState
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import NUMBER, PAGE, asked_choice, asked_number

RUNS = 100


class DecisionForm(FlaskForm):
    """What is decided about which plan, and why."""

    digest = HiddenField(validators=[InputRequired()])
    comment = StringField(
        "Why (stays with the run)", validators=[InputRequired("Say why."), Length(max=500)]
    )
    number = StringField("Type the number of people it removes")
    approve = SubmitField("Approve and apply")
    reject = SubmitField("Reject")


class ConfirmForm(FlaskForm):
    """A button."""


class PlanPages:
    """The list of runs, the plan of each, and the buttons."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/runs", "runs", self.runs)
        admin.add_url_rule(f"/runs/<{NUMBER}:run>", "run", self.run)
        for name, view in (
            ("decide", self.decide),
            ("apply", self.apply),
            ("undo", self.undo),
            ("release", self.release),
        ):
            admin.add_url_rule(
                f"/runs/<{NUMBER}:run>/{name}", f"{name}_run", view, methods=["POST"]
            )

    def runs(self) -> ResponseReturnValue:
        """Show the latest runs."""
        return render_template("admin/runs.html", runs=self._services.run_reports.runs(limit=RUNS))

    def run(self, run: int) -> ResponseReturnValue:
        """Show one run: what it would do or did, what is held and why."""
        return self._show(run, DecisionForm(formdata=None))

    @needs(RoleName.APPROVER)
    def decide(self, run: int) -> ResponseReturnValue:
        """Approve the plan that was shown, or reject it."""
        form = DecisionForm()
        report = self._services.run_reports.plan(run, limit=0)
        valid = form.validate_on_submit()
        if form.approve.data and not self._knows_number(form, report):
            valid = False
        if not valid:
            return self._show(run, form), 422
        if form.approve.data:
            state = self._services.runs.approve(
                run, acting(), digest=form.digest.data, comment=form.comment.data
            )
            flash(f"Run {run} was approved and is {state.value}.", "success")
        else:
            self._services.runs.reject(run, acting(), form.comment.data)
            flash(f"Run {run} was rejected; nothing was changed.", "success")
        return redirect(url_for("admin.run", run=run), 303)

    @needs(RoleName.OPERATOR)
    def apply(self, run: int) -> ResponseReturnValue:
        """Do what is not held, after planning afresh."""
        if not ConfirmForm().validate_on_submit():
            return self._show(run, DecisionForm(formdata=None)), 422
        state = self._services.runs.apply(run, acting())
        flash(f"Run {run} is {state.value}.", "success")
        return redirect(url_for("admin.run", run=run), 303)

    @needs(RoleName.OPERATOR)
    def undo(self, run: int) -> ResponseReturnValue:
        """Plan what takes a run back, and show it (D8)."""
        if not ConfirmForm().validate_on_submit():
            return self._show(run, DecisionForm(formdata=None)), 422
        made = self._services.undoing.plan(run, acting())
        flash(f"This is what takes run {run} back. Nothing is changed yet.", "success")
        return redirect(url_for("admin.run", run=made), 303)

    @needs(RoleName.APPROVER)
    def release(self, run: int) -> ResponseReturnValue:
        """Let the source of a run act and its letters leave (I10)."""
        if not ConfirmForm().validate_on_submit():
            return self._show(run, DecisionForm(formdata=None)), 422
        source = self._services.run_reports.plan(run, limit=0).source
        self._services.invitations.release(source, acting())
        flash(f"{source} is released. Apply the run when you are ready.", "success")
        return redirect(url_for("admin.run", run=run), 303)

    def _knows_number(self, form: DecisionForm, report: PlanReport) -> bool:
        """Whether whoever approves removals has seen how many; the form says so if not."""
        wanted = removals(report)
        if not wanted or (form.number.data or "").strip() == str(wanted):
            return True
        form.number.errors = [f"This plan removes {wanted} people: type {wanted} to confirm."]
        return False

    def _show(self, run: int, form: DecisionForm) -> str:
        kind = asked_choice("kind", ActionKind)
        only_held = request.args.get("held") == "1"
        report = self._services.run_reports.plan(
            run, kind=kind, only_held=only_held, after=asked_number("after", -1), limit=PAGE + 1
        )
        following = None
        if len(report.actions) > PAGE:
            held = "1" if only_held else None
            last = report.actions[PAGE - 1].seq
            following = url_for("admin.run", run=run, after=last, kind=kind, held=held)
        form.digest.data = form.digest.data or report.digest
        return render_template(
            "admin/run.html",
            plan=report,
            actions=report.actions[:PAGE],
            kind=kind,
            only_held=only_held,
            following=following,
            form=form,
            confirm=ConfirmForm(formdata=None),
            removals=removals(report),
            mapping_version=self._services.mappings.versions.of_run(run),
            released=self._is_released(report.source),
            other_plan=self._other_plan(report),
        )

    def _other_plan(self, report: PlanReport) -> int | None:
        """Return the plan to look at instead of the one a letter spoke of; None: it is that one.

        The digest in the letter's link says which plan it was (R4).
        """
        asked = request.args.get("digest")
        if not asked or (asked == report.digest and report.state != RunState.EXPIRED):
            return None
        held = (run for run in self._services.run_reports.runs(limit=RUNS, source=report.source))
        return next((run.run for run in held if run.state == RunState.HELD), report.run)

    def _is_released(self, source: str) -> bool:
        return any(
            found.name == source and found.released for found in self._services.connections()
        )


def removals(report: PlanReport) -> int:
    """Return how many people a plan would take out."""
    return sum(report.counts.get(kind.value, 0) for kind in REMOVALS)
