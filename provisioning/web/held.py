"""Held: what identity providers asked for and a guard stopped, with the buttons (D4, D6, S7)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, SubmitField
from wtforms.validators import AnyOf, InputRequired, Length, Regexp

from provisioning.domain.actions import HoldReason
from provisioning.services.container import Services
from provisioning.services.files import HELD_COLUMNS, held_cells
from provisioning.services.holding import RULES
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import NUMBER, PAGE, asked_number, csv_file, json_file


class OneForm(FlaskForm):
    """The decision about one person."""

    comment = StringField("Why", validators=[InputRequired("Say why."), Length(max=500)])
    approve = SubmitField("Approve")
    reject = SubmitField("Reject")


class AllForm(OneForm):
    """The decision about everybody of one source, for one reason."""

    source = HiddenField(validators=[InputRequired()])
    reason = HiddenField(validators=[AnyOf([reason.value for reason in RULES])])
    number = StringField(
        "Type how many are held",
        validators=[Regexp(r"^\s*[0-9]{1,9}\s*$", message="Type how many are held.")],
    )
    approve = SubmitField("Approve all")
    reject = SubmitField("Reject all")


class HeldPages:
    """The list of what is held, and the decisions."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/held", "held", self.held)
        admin.add_url_rule("/held.csv", "held_csv", self.held_csv)
        admin.add_url_rule("/held.json", "held_json", self.held_json)
        admin.add_url_rule("/held/all", "decide_all_held", self.decide_all, methods=["POST"])
        one = f"/held/<{NUMBER}:number>"
        admin.add_url_rule(one, "decide_held", self.decide, methods=["POST"])

    def held(self) -> ResponseReturnValue:
        """Show what is held, by source and reason, the oldest first."""
        reports = self._services.hold_reports
        rows = reports.held(after=asked_number("after"), limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.held", after=rows[PAGE - 1].id)
        return render_template(
            "admin/held.html",
            rows=rows[:PAGE],
            groups=reports.groups(),
            following=following,
            one=OneForm(formdata=None),
            every=AllForm(formdata=None),
        )

    def held_csv(self) -> Response:
        """Send the list as CSV."""
        everything = self._services.hold_reports.everything()
        return csv_file("held", HELD_COLUMNS, map(held_cells, everything))

    def held_json(self) -> Response:
        """Send the list as JSON."""
        return json_file("held", self._services.hold_reports.everything())

    @needs(RoleName.APPROVER)
    def decide(self, number: int) -> ResponseReturnValue:
        """Approve or reject what is held of one person."""
        form = OneForm()
        if not form.validate_on_submit():
            return self._refused(form)
        holds, comment = self._services.holds, form.comment.data
        if form.approve.data:
            end = holds.approve(number, acting(), comment)
            flash(f"What was held under {number} is {end.value}.", "success")
        else:
            holds.reject(number, acting(), comment)
            flash(f"What was held under {number} is rejected.", "success")
        return redirect(url_for("admin.held"), HTTPStatus.SEE_OTHER)

    @needs(RoleName.APPROVER)
    def decide_all(self) -> ResponseReturnValue:
        """Approve or reject everything of one source and reason, whose number was typed."""
        form = AllForm()
        if not form.validate_on_submit():
            return self._refused(form)
        holds = self._services.holds
        decide = holds.approve_all if form.approve.data else holds.reject_all
        decided = decide(
            form.source.data,
            HoldReason(form.reason.data),
            int(form.number.data),
            acting(),
            form.comment.data,
        )
        words = f"{decided.done:,} decided."
        flash(" ".join((words, *decided.left[:3])), "danger" if decided.left else "success")
        return redirect(url_for("admin.held"), HTTPStatus.SEE_OTHER)

    def _refused(self, form: FlaskForm) -> ResponseReturnValue:
        """Say what is missing; nothing was decided."""
        found = [str(error) for errors in form.errors.values() for error in errors]
        flash(f"Nothing was decided. {' '.join(found)}", "danger")
        return redirect(url_for("admin.held"), HTTPStatus.SEE_OTHER)
