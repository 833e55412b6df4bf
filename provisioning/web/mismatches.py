"""Mismatches: every open finding with what helps, as a page and as files (E3, E9)."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue

from provisioning.domain.findings import FindingKind
from provisioning.services.container import Services
from provisioning.services.files import FINDING_COLUMNS, finding_cells
from provisioning.web.listing import PAGE, asked_choice, asked_number, csv_file, json_file


class MismatchPages:
    """The mismatch report in its three shapes."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/mismatches", "mismatches", self.mismatches)
        admin.add_url_rule("/mismatches.csv", "mismatches_csv", self.mismatches_csv)
        admin.add_url_rule("/mismatches.json", "mismatches_json", self.mismatches_json)

    def mismatches(self) -> ResponseReturnValue:
        """Show a page of open findings, oldest first."""
        kind = asked_choice("kind", FindingKind)
        reports = self._services.reports
        rows = reports.mismatches(kind=kind, after=asked_number("after"), limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.mismatches", kind=kind, after=rows[PAGE - 1].id)
        return render_template(
            "admin/mismatches.html",
            rows=rows[:PAGE],
            kind=kind,
            counts=reports.mismatch_counts(),
            following=following,
        )

    def mismatches_csv(self) -> Response:
        """Send the report as CSV."""
        found = self._services.reports.all_mismatches(kind=asked_choice("kind", FindingKind))
        return csv_file("mismatches", FINDING_COLUMNS, map(finding_cells, found))

    def mismatches_json(self) -> Response:
        """Send the report as JSON."""
        found = self._services.reports.all_mismatches(kind=asked_choice("kind", FindingKind))
        return json_file("mismatches", found)
