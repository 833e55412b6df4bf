"""People: lists by state, and one person with the why and the timeline."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from provisioning.domain.employees import EmployeeState
from provisioning.services.container import Services
from provisioning.services.files import PEOPLE_COLUMNS, people_cells
from provisioning.services.photos import photo_of
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import PAGE, asked_choice, asked_number, csv_file, json_file

LONGEST_SEARCH = 200

PHOTO_POLICY = "default-src 'none'; sandbox"
"""Whatever a photo really is, opened by itself it does nothing."""


class PeoplePages:
    """The lists of employees and the page of each."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/people", "people", self.people)
        admin.add_url_rule("/people.csv", "people_csv", self.people_csv)
        admin.add_url_rule("/people.json", "people_json", self.people_json)
        one = "/people/<uuid:employee_id>"
        admin.add_url_rule(one, "person", self.person)
        admin.add_url_rule(f"{one}/photo", "photo", self.photo)
        admin.add_url_rule(f"{one}/invite", "invite_person", self.invite, methods=["POST"])

    def people(self) -> ResponseReturnValue:
        """Show a page of the list; state, search and place are in the address."""
        chosen = _chosen()
        reports = self._services.reports
        rows = reports.people(**chosen, after=asked_number("after"), limit=PAGE + 1)
        following = (
            url_for("admin.people", **_query(after=rows[PAGE - 1].number))
            if len(rows) > PAGE
            else None
        )
        return render_template(
            "admin/people.html",
            rows=rows[:PAGE],
            chosen=chosen,
            query=_query(),
            seats=reports.seats(),
            attention=reports.needing_attention(),
            following=following,
        )

    def people_csv(self) -> Response:
        """Send exactly this list as CSV."""
        everyone = self._services.reports.everyone(**_chosen())
        return csv_file("people", PEOPLE_COLUMNS, map(people_cells, everyone))

    def people_json(self) -> Response:
        """Send exactly this list as JSON."""
        return json_file("people", self._services.reports.everyone(**_chosen()))

    def person(self, employee_id: UUID) -> ResponseReturnValue:
        """Show one person: why, addresses, findings, tasks, timeline."""
        person = self._services.person(employee_id)
        readable = [
            link
            for link in person.links
            if not link.hidden and self._services.on_demand.can_ask(link.source)
        ]
        return render_template(
            "admin/person.html", person=person, readable=readable, form=FlaskForm(formdata=None)
        )

    def photo(self, employee_id: UUID) -> Response:
        """Send somebody's photo, as what it is and nothing else."""
        photo = photo_of(self._services.context, employee_id)
        response = Response(photo.content, mimetype=photo.content_type)
        response.headers["Content-Security-Policy"] = PHOTO_POLICY
        return response

    @needs(RoleName.OPERATOR)
    def invite(self, employee_id: UUID) -> ResponseReturnValue:
        """Invite somebody again who has not joined (I4)."""
        if not FlaskForm().validate_on_submit():
            abort(HTTPStatus.UNPROCESSABLE_ENTITY, "The form was too old. Nothing was sent.")
        state = self._services.invite_again(employee_id, acting())
        flash(f"Asked for another invitation: {state.value}.", "success")
        return redirect(url_for("admin.person", employee_id=employee_id), HTTPStatus.SEE_OTHER)


def _chosen() -> dict[str, Any]:
    """Return what the address asks for, as the reports take it."""
    return {
        "state": asked_choice("state", EmployeeState),
        "search": request.args.get("q", "").strip()[:LONGEST_SEARCH],
        "attention": request.args.get("attention") == "1",
        "manager": asked_number("manager") or None,
    }


def _query(**more: Any) -> dict[str, Any]:
    """Return the query string of this list, to lead to another part of it."""
    kept = {
        name: request.args[name]
        for name in ("state", "q", "attention", "manager")
        if request.args.get(name)
    }
    return {**kept, **more}
