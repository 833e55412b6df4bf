"""Joining: the link of an invitation shows who invites whom; only a POST accepts (I3, I6)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SubmitField
from wtforms.validators import EqualTo, InputRequired, Length

from provisioning.domain.errors import CredentialsError, InvitationError, PasswordError
from provisioning.services.container import Services
from provisioning.services.credentials import MAX_PASSWORD, MIN_PASSWORD

LONGEST_ADDRESS = 254
"""RFC 5321 4.5.3.1.3."""


class JoinForm(FlaskForm):
    """An address to sign in with, and a password typed twice."""

    address = EmailField(
        "Address you sign in with", validators=[InputRequired(), Length(max=LONGEST_ADDRESS)]
    )
    password = PasswordField(
        f"Password, {MIN_PASSWORD} characters or more",
        validators=[InputRequired(), Length(max=MAX_PASSWORD)],
    )
    repeat = PasswordField(
        "The same password again",
        validators=[InputRequired(), EqualTo("password", "The two passwords differ.")],
    )
    accept = SubmitField("Join")


def create_accounts_blueprint(services: Services) -> Blueprint:
    """Return the employees' pages of one intranet."""
    accounts = Blueprint("accounts", __name__, template_folder="templates")

    @accounts.get("/")
    def home() -> ResponseReturnValue:
        """Lead whoever comes without a link to the administrators' pages."""
        return redirect(url_for("admin.overview"))

    @accounts.get("/join/<token>")
    def show_invitation(token: str) -> ResponseReturnValue:
        """Show what the link opens; mail scanners follow links, so nothing is accepted here."""
        try:
            invitation, employee = services.invitations.find(token)
        except InvitationError as error:
            return _refused(error)
        form = JoinForm(address=invitation.address)
        return _page("join.html", form=form, employee=employee, invitation=invitation)

    @accounts.post("/join/<token>")
    def accept_invitation(token: str) -> ResponseReturnValue:
        """Make or bind the account; the employee is active from here on."""
        form = JoinForm()
        try:
            invitation, employee = services.invitations.find(token)
            if form.validate_on_submit():
                services.accounts.accept(token, form.address.data.strip(), form.password.data)
                return _page("joined.html", employee=employee)
        except InvitationError as error:
            return _refused(error)
        except PasswordError as error:
            form.password.errors = [str(error)]
        except CredentialsError as error:
            form.address.errors = [str(error)]
        page = _page("join.html", form=form, employee=employee, invitation=invitation)
        page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return page

    def _page(template: str, **facts: object) -> Response:
        name = services.context.intranet_name
        return _private(make_response(render_template(f"accounts/{template}", name=name, **facts)))

    def _refused(error: InvitationError) -> Response:
        page = _page("refused.html", sentence=str(error))
        unknown = error.reason == "unknown"
        page.status_code = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.GONE
        return page

    return accounts


def _private(response: Response) -> Response:
    """Keep the link out of caches and out of other sites' logs."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
