"""The waiting list: who gets the next seats, changing the line, stale invitations (L3, L5)."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField, SubmitField
from wtforms.validators import InputRequired, Length, NumberRange

from provisioning.services.container import Services
from provisioning.services.files import WAITING_COLUMNS, waiting_cells
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import LARGEST, PAGE, asked_number, csv_file, json_file

SHOWN = 20
"""Stale invitations by name; the others as a number."""


class MoveForm(FlaskForm):
    """Another place for somebody."""

    position = IntegerField(
        "Place",
        validators=[
            InputRequired("Say which place."),
            NumberRange(min=1, max=LARGEST, message="Places begin at 1."),
        ],
    )
    move = SubmitField("Move")


class TakeOutForm(FlaskForm):
    """Somebody is not to get a seat."""

    comment = StringField("Why", validators=[InputRequired("Say why."), Length(max=500)])
    take_out = SubmitField("Take out")


class WaitingListPages:
    """The line for a seat."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/waitlist", "waitlist", self.waitlist)
        admin.add_url_rule("/waitlist.csv", "waitlist_csv", self.waitlist_csv)
        admin.add_url_rule("/waitlist.json", "waitlist_json", self.waitlist_json)
        post = ["POST"]
        one = "/waitlist/<uuid:employee_id>"
        admin.add_url_rule(f"{one}/move", "move_in_line", self.move, methods=post)
        admin.add_url_rule(f"{one}/remove", "take_out_of_line", self.take_out, methods=post)
        admin.add_url_rule("/waitlist/reset", "reset_line", self.reset, methods=post)
        admin.add_url_rule("/waitlist/stale", "remove_stale", self.remove_stale, methods=post)

    def waitlist(self) -> ResponseReturnValue:
        """Show who gets the next seats, and who waits for something else (L3)."""
        offset = max(asked_number("after"), 0)
        reports = self._services.reports
        rows = reports.waitlist(offset=offset, limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.waitlist", after=offset + PAGE)
        return render_template(
            "admin/waitlist.html",
            rows=rows[:PAGE],
            seats=reports.seats(),
            stale=reports.stale(),
            shown=SHOWN,
            outlook=reports.outlook(),
            priority=self._services.context.policy.seat_priority,
            following=following,
            moving=MoveForm(formdata=None),
            taking_out=TakeOutForm(formdata=None),
            confirm=FlaskForm(formdata=None),
        )

    def waitlist_csv(self) -> Response:
        """Send the whole list as CSV."""
        rows = self._services.reports.waitlist()
        return csv_file("waitlist", WAITING_COLUMNS, map(waiting_cells, rows))

    def waitlist_json(self) -> Response:
        """Send the whole list as JSON."""
        return json_file("waitlist", self._services.reports.waitlist())

    @needs(RoleName.OPERATOR)
    def move(self, employee_id: UUID) -> ResponseReturnValue:
        """Give somebody another place."""
        form = MoveForm()
        if not form.validate_on_submit():
            return _refused(form)
        place = self._services.line.move(employee_id, form.position.data, acting())
        flash(f"Moved to place {place:,}.", "success")
        return _back()

    @needs(RoleName.OPERATOR)
    def take_out(self, employee_id: UUID) -> ResponseReturnValue:
        """Take somebody out of the line."""
        form = TakeOutForm()
        if not form.validate_on_submit():
            return _refused(form)
        self._services.line.take_out(employee_id, acting(), form.comment.data)
        flash("Taken out of the line. They can be invited again on their page.", "success")
        return _back()

    @needs(RoleName.OPERATOR)
    def reset(self) -> ResponseReturnValue:
        """Let the rules order the line again."""
        _require_fresh()
        placed = self._services.line.forget_places(acting())
        flash(f"The rules order the line again; {placed:,} place(s) were given by hand.", "success")
        return _back()

    @needs(RoleName.OPERATOR)
    def remove_stale(self) -> ResponseReturnValue:
        """Remove every stale invitation; their seats go to those who wait (L5)."""
        _require_fresh()
        removed = self._services.remove_stale_invitations(acting())
        flash(f"{removed:,} invitation(s) removed; their seats go to the line.", "success")
        return _back()


def _require_fresh() -> None:
    if not FlaskForm().validate_on_submit():
        abort(HTTPStatus.UNPROCESSABLE_ENTITY, "The form was too old. Nothing was changed.")


def _refused(form: FlaskForm) -> ResponseReturnValue:
    found = [str(error) for errors in form.errors.values() for error in errors]
    flash(f"Nothing was changed. {' '.join(found)}", "danger")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("admin.waitlist"), HTTPStatus.SEE_OTHER)
