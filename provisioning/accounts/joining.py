"""Joining: the link of an invitation shows who invites whom; only a POST accepts (I3, I6)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SubmitField
from wtforms.validators import EqualTo, InputRequired, Length

from provisioning.domain.errors import BrakeError, CredentialsError, InvitationError, PasswordError
from provisioning.services.container import Services
from provisioning.services.credentials import MAX_PASSWORD, MIN_PASSWORD

LONGEST_ADDRESS = 254
"""RFC 5321 4.5.3.1.3."""


class JoinForm(FlaskForm):
    """An address to sign in with, and a password typed twice."""

    address = EmailField(
        "Address you sign in with",
        validators=[InputRequired(), Length(max=LONGEST_ADDRESS)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        f"Password, {MIN_PASSWORD} characters or more",
        validators=[InputRequired(), Length(max=MAX_PASSWORD)],
        render_kw={"autocomplete": "new-password"},
    )
    repeat = PasswordField(
        "The same password again",
        validators=[InputRequired(), EqualTo("password", "The two passwords differ.")],
        render_kw={"autocomplete": "new-password"},
    )
    accept = SubmitField("Join")


def create_accounts_blueprint(services: Services) -> Blueprint:
    """Return the employees' pages of one intranet."""
    accounts = Blueprint("accounts", __name__, template_folder="templates")
    joining = Joining(services)
    accounts.add_url_rule("/", "home", _home)
    accounts.add_url_rule("/join/<token>", "show_invitation", joining.show)
    accounts.add_url_rule("/join/<token>", "accept_invitation", joining.accept, methods=["POST"])
    accounts.register_error_handler(InvitationError, joining.refused)
    accounts.register_error_handler(BrakeError, joining.closed)
    return accounts


class Joining:
    """The two requests of an invitation's link."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def show(self, token: str) -> Response:
        """Show what the link opens; mail scanners follow links, so nothing is accepted here."""
        invitation, employee = self._services.invitations.find(token)
        form = JoinForm(address=invitation.address)
        return self._page("join.html", form=form, employee=employee, invitation=invitation)

    def accept(self, token: str) -> Response:
        """Make or bind the account; the employee is active from here on."""
        invitation, employee = self._services.invitations.find(token)
        form = JoinForm()
        if form.validate_on_submit() and self._accepted(token, form):
            return self._page("joined.html", employee=employee)
        page = self._page("join.html", form=form, employee=employee, invitation=invitation)
        page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return page

    def refused(self, error: InvitationError) -> Response:
        """Say why a link opens nothing: 404 if it never did, 410 if it did."""
        page = self._page("refused.html", sentence=str(error))
        unknown = error.reason == "unknown"
        page.status_code = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.GONE
        return page

    def closed(self, _: BrakeError) -> Response:
        """Say that nobody can join for a while; the link stays good."""
        sentence = (
            "Nobody can join at the moment: an administrator stopped all changes for a while. "
            "Nothing was changed, and your link stays good. Try again later."
        )
        page = self._page("refused.html", sentence=sentence, heading="Not at the moment")
        page.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return page

    def _accepted(self, token: str, form: JoinForm) -> bool:
        address = form.address.data.strip()
        try:
            self._services.accounts.accept(token, address, form.password.data)
        except PasswordError as error:
            form.password.errors = [str(error)]
            return False
        except CredentialsError as error:
            form.address.errors = [str(error)]
            return False
        return True

    def _page(self, template: str, **facts: object) -> Response:
        name = self._services.context.intranet_name
        return _private(make_response(render_template(f"accounts/{template}", name=name, **facts)))


def _home() -> ResponseReturnValue:
    """Lead whoever comes without a link to the administrators' pages."""
    return redirect(url_for("admin.overview"))


def _private(response: Response) -> Response:
    """Keep the link out of caches and out of other sites' logs."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
