"""Connections: every source, how to point an identity provider at it, and its first request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from provisioning.domain.errors import ConfigurationError
from provisioning.ports import CheckReport
from provisioning.services.container import Services
from provisioning.services.inbound_rows import ACCESS_PATH
from provisioning.services.tokens import NewToken
from provisioning.storage.models.accounts import RoleName
from provisioning.web.confirming import PasswordForm, is_them
from provisioning.web.entrance import acting, needs
from provisioning.web.guide import guides, pieces

SCIM_PATH = "/scim/v2"
_WHEN = "%H:%M:%S"


def _choices() -> list[tuple[str, str]]:
    return [(guide.vendor, guide.name) for guide in guides().values()]


class NewProviderForm(PasswordForm):
    """A name for the source and whose product pushes into it; its first token is made with it."""

    vendor = SelectField("Identity provider", choices=_choices)
    name = StringField(
        "Name of the source",
        validators=[InputRequired("Give it a name."), Length(max=63)],
        description="Small letters, digits and hyphens. It stays with everybody it vouches for.",
        render_kw={"placeholder": "entra", "autocomplete": "off", "autocapitalize": "none"},
    )
    add = SubmitField("Add it and make a token")


class VendorForm(FlaskForm):
    """Whose product pushes into a source."""

    vendor = SelectField("Identity provider", choices=_choices)
    choose = SubmitField("Show its guide")


class ReleaseForm(FlaskForm):
    """A button."""


class ConnectionPages:
    """The list of sources and the page of each."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        both = ["GET", "POST"]
        admin.add_url_rule("/connections", "connections", self.connections, methods=both)
        admin.add_url_rule("/connections/<source>", "connection", self.connection)
        admin.add_url_rule("/connections/<source>/status.json", "connection_status", self.status)
        for name, view in (
            ("vendor", self.choose_vendor),
            ("release", self.release),
            ("test", self.test),
        ):
            admin.add_url_rule(
                f"/connections/<source>/{name}", f"{name}_connection", view, methods=["POST"]
            )
        admin.add_app_template_filter(pieces)

    def connections(self) -> ResponseReturnValue:
        """Show every source with its last sign of life, or add one."""
        if request.method == "POST":
            answer: ResponseReturnValue = self._add()
            return answer
        return self._list(NewProviderForm(formdata=None))

    @needs(RoleName.ADMIN)
    def _add(self) -> ResponseReturnValue:
        """Make a source with its first token, and show the token this once.

        The answer is the page itself: a secret that waits for a redirect has to be kept
        somewhere meanwhile. Sending the form again is refused, the name is taken by then.
        """
        form = NewProviderForm()
        if form.validate_on_submit() and is_them(self._services, form):
            name = form.name.data.strip()
            try:
                token = self._services.add_identity_provider(name, form.vendor.data, acting())
            except ConfigurationError as error:
                form.name.errors = [str(error)]
            else:
                return self._show(name, token), 201
        return self._list(form), 422

    def connection(self, source: str) -> ResponseReturnValue:
        """Show one source: its last sign of life, and how to connect it."""
        return self._show(source)

    def status(self, source: str) -> Response:
        """Tell a page that waits for the first request whether it came."""
        found = self._services.connection(source)
        return jsonify(
            last_request_at=_local(found.last_request_at),
            last_request_from=found.last_request_from,
            last_rejected_at=_local(found.last_rejected_at),
            last_rejected=found.last_rejected,
        )

    @needs(RoleName.OPERATOR)
    def choose_vendor(self, source: str) -> ResponseReturnValue:
        """Remember whose product pushes, so that its guide is shown."""
        form = VendorForm()
        if not form.validate_on_submit():
            return self._show(source), 422
        self._services.choose_vendor(source, form.vendor.data, acting())
        return redirect(url_for("admin.connection", source=source), 303)

    @needs(RoleName.APPROVER)
    def release(self, source: str) -> ResponseReturnValue:
        """Let the first letters of a source leave (I10)."""
        if not ReleaseForm().validate_on_submit():
            return self._show(source), 422
        count = self._services.invitations.release(source, acting())
        flash(f"{source} is released; {count} letters leave after their grace.", "success")
        return redirect(url_for("admin.connection", source=source), 303)

    @needs(RoleName.OPERATOR)
    def test(self, source: str) -> ResponseReturnValue:
        """Try a source that Usher reads, and show every step with its time.

        The answer is the page itself: what was found is not kept.
        """
        if not ReleaseForm().validate_on_submit():
            return self._show(source), 422
        return self._show(source, report=self._services.check(source))

    def _list(self, form: NewProviderForm) -> str:
        return render_template(
            "admin/connections.html",
            connections=self._services.connections(),
            guides=guides(),
            form=form,
        )

    def _show(
        self, source: str, token: NewToken | None = None, report: CheckReport | None = None
    ) -> str:
        found = self._services.connection(source)
        guide = guides().get(found.vendor or "")
        run = self._services.run_reports.plan(found.last_run, limit=0) if found.last_run else None
        public_url = self._services.context.public_url.rstrip("/")
        url = public_url + SCIM_PATH
        return render_template(
            "admin/connection.html",
            connection=found,
            run=run,
            guide=guide,
            values=guide.filled(url, token.secret if token else "") if guide else [],
            oauth=guide.filled_oauth(public_url + ACCESS_PATH) if guide else [],
            ignored=self._services.ignored(source),
            token=token,
            scim_url=url,
            vendor_form=VendorForm(formdata=None, vendor=found.vendor),
            confirm=ReleaseForm(formdata=None),
            report=report,
        )


def _local(moment: datetime | None) -> str | None:
    shown: Callable[[datetime, str], str] = current_app.jinja_env.filters["local"]
    return shown(moment, _WHEN) if moment else None
