"""Matching: people nobody could place, both sides with the evidence, and the decision (P3, P5)."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.exc import OperationalError
from wtforms import HiddenField, validators

from provisioning.domain.errors import NotFoundError
from provisioning.domain.matching import Decision
from provisioning.services.container import Services
from provisioning.services.files import MATCH_COLUMNS, match_cells
from provisioning.services.person_report import PersonReport
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import NUMBER, PAGE, asked_number, csv_file, json_file

LONGEST_KEY = 200


class MatchForm(FlaskForm):
    """Which of the three buttons, and who they are."""

    decision = HiddenField(validators=[validators.AnyOf([decision.value for decision in Decision])])
    employee = HiddenField(validators=[validators.Optional(), validators.UUID()])


class MatchingPages:
    """The matching queue and the page of each question."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/matching", "matching", self.matching)
        admin.add_url_rule("/matching.csv", "matching_csv", self.matching_csv)
        admin.add_url_rule("/matching.json", "matching_json", self.matching_json)
        one, post = f"/matching/<{NUMBER}:match>", ["POST"]
        admin.add_url_rule(one, "match", self.match)
        admin.add_url_rule(f"{one}/decide", "decide_match", self.decide, methods=post)
        admin.add_url_rule(f"{one}/reopen", "reopen_match", self.reopen, methods=post)
        admin.context_processor(lambda: {"open_matches": self._open_questions})

    def matching(self) -> ResponseReturnValue:
        """Show a page of open questions, or of those that were decided."""
        decided = _decided()
        rows = self._services.matches.rows(
            decided=decided, after=asked_number("after"), limit=PAGE + 1
        )
        following = None
        if len(rows) > PAGE:
            last = rows[PAGE - 1].id
            following = url_for("admin.matching", decided=_mark(decided), after=last)
        return render_template(
            "admin/matching.html",
            rows=rows[:PAGE],
            decided=decided,
            mark=_mark(decided),
            following=following,
            form=MatchForm(formdata=None),
        )

    def matching_csv(self) -> Response:
        """Send exactly this list as CSV."""
        found = self._services.matches.everything(decided=_decided())
        return csv_file("matching", MATCH_COLUMNS, map(match_cells, found))

    def matching_json(self) -> Response:
        """Send exactly this list as JSON."""
        return json_file("matches", self._services.matches.everything(decided=_decided()))

    def match(self, match: int) -> ResponseReturnValue:
        """Show one question, who is likely, and what "same person" would do before it is said."""
        row = self._services.matches.one(match)
        named = self._named() if row.decision is None else None
        form = MatchForm(formdata=None)
        return render_template("admin/match.html", row=row, named=named, form=form)

    @needs(RoleName.APPROVER)
    def decide(self, match: int) -> ResponseReturnValue:
        """Decide, and do it at once."""
        form = MatchForm()
        names_somebody = bool(form.employee.data)
        same = form.decision.data == Decision.SAME_PERSON
        if not form.validate_on_submit() or names_somebody != same:
            flash("The form was too old or incomplete. Nothing was changed.", "danger")
            return redirect(url_for("admin.match", match=match), HTTPStatus.SEE_OTHER)
        try:
            outcome = self._services.matching.decide(
                match,
                Decision(form.decision.data),
                acting(),
                employee_id=UUID(form.employee.data) if same else None,
            )
        except NotFoundError as error:
            flash(f"{error}.", "danger")
        else:
            flash(f"{outcome}.", "success")
        return redirect(url_for("admin.matching"), HTTPStatus.SEE_OTHER)

    @needs(RoleName.APPROVER)
    def reopen(self, match: int) -> ResponseReturnValue:
        """Ask again about somebody who was ignored."""
        if FlaskForm().validate_on_submit():
            self._services.matching.reopen(match, acting())
            flash("The question is open again.", "success")
        return redirect(url_for("admin.match", match=match), HTTPStatus.SEE_OTHER)

    def _open_questions(self) -> int:
        """Return how many wait for a decision, counted once a page, even for a page of an error."""
        if "open_matches" not in g:
            try:
                g.open_matches = self._services.matches.open_questions()
            except OperationalError:
                g.open_matches = 0
        count: int = g.open_matches
        return count

    def _named(self) -> PersonReport | None:
        """Return the employee the address names as the same person; a flash if there is none."""
        key = request.args.get("same", "").strip()[:LONGEST_KEY]
        if not key:
            return None
        try:
            return self._services.person(self._services.reports.find(key))
        except NotFoundError as error:
            flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "danger")
            return None


def _decided() -> bool:
    return request.args.get("decided") == "1"


def _mark(decided: bool) -> str | None:  # noqa: FBT001 - what the address says
    return "1" if decided else None
