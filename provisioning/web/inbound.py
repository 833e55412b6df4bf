"""Inbound log: each request of an identity provider, redacted, with what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from provisioning.domain.errors import ConfigurationError
from provisioning.services.container import Services
from provisioning.services.files import INBOUND_COLUMNS, inbound_cells
from provisioning.services.inbound_report import period
from provisioning.services.inbound_rows import ACCESS_PATH
from provisioning.web.listing import NUMBER, PAGE, asked_number, csv_file, json_file

SPANS = ("1h", "1d", "7d")


class InboundPages:
    """The list of requests in its three shapes, and each request."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/inbound", "inbound", self.inbound)
        admin.add_url_rule("/inbound.csv", "inbound_csv", self.inbound_csv)
        admin.add_url_rule("/inbound.json", "inbound_json", self.inbound_json)
        admin.add_url_rule(f"/inbound/<{NUMBER}:id_>", "inbound_request", self.request)

    def inbound(self) -> ResponseReturnValue:
        """Show a page of requests, newest first; what is chosen is in the address."""
        reports, chosen = self._services.inbound_reports, self._chosen()
        before = asked_number("before") or None
        rows = reports.requests(**chosen, before=before, limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.inbound", **_query(before=rows[PAGE - 1].id))
        return render_template(
            "admin/inbound.html",
            rows=rows[:PAGE],
            query=_query(),
            link=_query,
            sources=reports.sources(),
            spans=SPANS,
            person=self._services.person(chosen["person"]) if chosen["person"] else None,
            dropped=reports.dropped(),
            following=following,
        )

    def inbound_csv(self) -> Response:
        """Send exactly this list as CSV."""
        found = self._services.inbound_reports.all_requests(**self._chosen())
        return csv_file("inbound", INBOUND_COLUMNS, map(inbound_cells, found))

    def inbound_json(self) -> Response:
        """Send exactly this list as JSON."""
        found = self._services.inbound_reports.all_requests(**self._chosen())
        return json_file("inbound", found)

    def request(self, id_: int) -> ResponseReturnValue:
        """Show one request with its body and its error."""
        row = self._services.inbound_reports.request(id_)
        return render_template("admin/inbound_request.html", row=row, access_path=ACCESS_PATH)

    def _chosen(self) -> dict[str, Any]:
        """Return what the address asks for, as the reports take it."""
        span, person = request.args.get("since", ""), request.args.get("person", "")
        try:
            since = self._services.context.now() - period(span) if span else None
        except ConfigurationError as error:
            abort(400, str(error))
        try:
            about = UUID(person) if person else None
        except ValueError:
            abort(400, '"person" has to be the id of an employee.')
        return {
            "source": request.args.get("source", ""),
            "failed": request.args.get("failed") == "1",
            "person": about,
            "ignored": request.args.get("ignored", ""),
            "since": since,
        }


def _query(**more: Any) -> dict[str, Any]:
    """Return the query string of this list, to lead to another part of it."""
    names = ("source", "failed", "since", "person", "ignored")
    kept = {name: request.args[name] for name in names if request.args.get(name)}
    return {**kept, **more}
