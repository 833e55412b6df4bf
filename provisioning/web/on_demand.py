"""Run for this person only: every step is shown, then a button does it (R9)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, SubmitField
from wtforms.validators import InputRequired

from provisioning.domain.errors import DigestMismatchError, NotFoundError, ProvisioningError
from provisioning.services.container import Services
from provisioning.services.person_report import PersonReport
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs

UNPROCESSABLE = 422


class RunAloneForm(FlaskForm):
    """A button, and what was shown above it."""

    digest = HiddenField(validators=[InputRequired()])
    run = SubmitField("Do it")


class OnDemandPages:
    """The trace of one person of one source, and the button."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        one = "/people/<uuid:employee_id>/run/<source>"
        admin.add_url_rule(one, "run_alone", self.show)
        admin.add_url_rule(one, "do_alone", self.run, methods=["POST"])

    @needs(RoleName.OPERATOR)
    def show(self, employee_id: UUID, source: str) -> ResponseReturnValue:
        """Show what a run would do for this person; nothing is changed."""
        return self._shown(employee_id, source)

    @needs(RoleName.OPERATOR)
    def run(self, employee_id: UUID, source: str) -> ResponseReturnValue:
        """Do what was shown, if it is still what would be done."""
        form = RunAloneForm()
        if not form.validate_on_submit():
            return self._shown(employee_id, source), UNPROCESSABLE
        anchor = _anchor(self._services.person(employee_id), source)
        try:
            trace = self._services.on_demand.run(source, anchor, acting(), digest=form.digest.data)
        except DigestMismatchError as error:
            flash(str(error), "warning")
            return redirect(url_for("admin.run_alone", employee_id=employee_id, source=source), 303)
        flash(f"{source} was run for {trace.name} only: {trace.conclusion}.", "success")
        if not self._is_there(employee_id):
            return redirect(url_for("admin.people"), 303)
        return redirect(url_for("admin.person", employee_id=employee_id), 303)

    def _shown(self, employee_id: UUID, source: str) -> str:
        person = self._services.person(employee_id)
        anchor, trace, failed = _anchor(person, source), None, ""
        try:
            trace = self._services.on_demand.trace(source, anchor, acting())
        except ProvisioningError as error:
            failed = str(error)
        form = RunAloneForm(formdata=None, digest=trace.digest if trace else "")
        return render_template(
            "admin/on_demand.html",
            person=person,
            source=source,
            trace=trace,
            failed=failed,
            form=form,
        )

    def _is_there(self, employee_id: UUID) -> bool:
        try:
            self._services.person(employee_id)
        except NotFoundError:
            return False
        return True


def _anchor(person: PersonReport, source: str) -> str:
    """Return the id by which a source knows somebody."""
    links = (link for link in person.links if link.source == source and not link.hidden)
    link = next(links, None)
    if link is None:
        abort(404, f"{source} does not vouch for {person.display_name}.")
    return link.anchor
