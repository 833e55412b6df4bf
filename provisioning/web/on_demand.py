"""Run a source for one person only: every step is shown, then a button does it (R9)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, SubmitField
from wtforms.validators import InputRequired, Length

from provisioning.domain.errors import DigestMismatchError, NotFoundError, ProvisioningError
from provisioning.services.container import Services
from provisioning.services.traces import Trace
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs

LONGEST_NAME = 1_000
"""Characters of what somebody may be called: a DN is long."""


class RunAloneForm(FlaskForm):
    """A button, whom it is about, and what was shown above it."""

    who = HiddenField(validators=[InputRequired(), Length(max=LONGEST_NAME)])
    digest = HiddenField(validators=[InputRequired()])
    run = SubmitField("Do it")


class OnDemandPages:
    """The trace of one person of one source, and the button."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        page = "/connections/<source>/person"
        admin.add_url_rule(page, "run_alone", self.show)
        admin.add_url_rule(page, "do_alone", self.run, methods=["POST"])

    @needs(RoleName.OPERATOR)
    def show(self, source: str) -> ResponseReturnValue:
        """Ask for a name, or show what a run would do for whoever has it; nothing is changed."""
        return self._shown(source, request.args.get("who", "").strip()[:LONGEST_NAME])

    @needs(RoleName.OPERATOR)
    def run(self, source: str) -> ResponseReturnValue:
        """Do what was shown, if it is still what would be done."""
        form = RunAloneForm()
        if not form.validate_on_submit():
            return self._shown(
                source, (form.who.data or "")[:LONGEST_NAME]
            ), HTTPStatus.UNPROCESSABLE_ENTITY
        who = form.who.data
        try:
            trace = self._services.on_demand.run(source, who, acting(), digest=form.digest.data)
        except DigestMismatchError as error:
            flash(str(error), "warning")
            return redirect(
                url_for("admin.run_alone", source=source, who=who), HTTPStatus.SEE_OTHER
            )
        flash(f"{source} was run for {trace.name} only: {trace.conclusion}.", "success")
        return redirect(self._after(trace), HTTPStatus.SEE_OTHER)

    def _shown(self, source: str, who: str) -> str:
        self._services.on_demand.require_read(source)
        trace, failed = None, ""
        try:
            trace = self._services.on_demand.trace(source, who, acting()) if who else None
        except ProvisioningError as error:
            failed = str(error)
        one = trace.entry if trace else None
        form = RunAloneForm(
            formdata=None, who=one.id if one else who, digest=trace.digest if trace else ""
        )
        return render_template(
            "admin/on_demand.html", source=source, who=who, trace=trace, failed=failed, form=form
        )

    def _after(self, trace: Trace) -> str:
        """Return the page of whoever it was about, if they are still somebody here."""
        entry = trace.entry
        try:
            employee = self._services.reports.find(entry.id if entry else trace.asked)
        except NotFoundError:
            return url_for("admin.people")
        return url_for("admin.person", employee_id=employee)
