"""The administrators' entrance: signing in and out, a forced new password, who may do what."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SubmitField
from wtforms.validators import EqualTo, InputRequired, Length

from provisioning.domain.errors import CredentialsError, PasswordError
from provisioning.services.container import Services
from provisioning.services.context import Actor
from provisioning.services.credentials import MAX_PASSWORD, MIN_PASSWORD
from provisioning.services.sessions import SignedIn
from provisioning.storage.models.accounts import RoleName

LONGEST_ADDRESS = 254
"""RFC 5321 4.5.3.1.3."""

_LEAST_FIRST = tuple(RoleName)
_OPEN = frozenset({"admin.sign_in", "admin.static"})
_WHILE_ONE_TIME = frozenset({"admin.new_password", "admin.sign_out"})


class SignInForm(FlaskForm):
    """An address and its password."""

    address = EmailField(
        "Address",
        validators=[InputRequired(), Length(max=LONGEST_ADDRESS)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "Password",
        validators=[InputRequired(), Length(max=MAX_PASSWORD)],
        render_kw={"autocomplete": "current-password"},
    )
    enter = SubmitField("Sign in")


class NewPasswordForm(FlaskForm):
    """A new password, typed twice."""

    password = PasswordField(
        f"New password, {MIN_PASSWORD} characters or more",
        validators=[InputRequired(), Length(max=MAX_PASSWORD)],
        render_kw={"autocomplete": "new-password"},
    )
    repeat = PasswordField(
        "The same again",
        validators=[InputRequired(), EqualTo("password", "The two passwords differ.")],
        render_kw={"autocomplete": "new-password"},
    )
    save = SubmitField("Use it from now on")


class Visitor(UserMixin):
    """Somebody signed in, as Flask-Login knows them: the cookie carries the session's secret."""

    def __init__(self, secret: str, who: SignedIn) -> None:
        """Keep who it is, as the database said for this request."""
        self.secret = secret
        self.who = who

    def get_id(self) -> str:
        """Return what the signed cookie carries."""
        return self.secret

    def may(self, role: RoleName) -> bool:
        """Whether they have this role in this intranet, or a greater one (A7)."""
        mine = self.who.role
        return mine is not None and _LEAST_FIRST.index(mine) >= _LEAST_FIRST.index(role)


def acting() -> Actor:
    """Return how whoever is signed in appears on the timeline."""
    actor: Actor = current_user.who.actor
    return actor


def needs(role: RoleName) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only those act who have a role (A7)."""

    def guarded(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not current_user.may(role):
                abort(403, f"This needs the role {role.value}. Nothing was changed.")
            return view(*args, **kwargs)

        return checked

    return guarded


class Entrance:
    """The pages one passes before any other."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Guard a blueprint: whatever it serves needs a session and a role."""
        admin.record_once(self._manage_sessions)
        admin.before_request(self._guard)
        both = ["GET", "POST"]
        admin.add_url_rule("/sign-in", "sign_in", self.sign_in, methods=both)
        admin.add_url_rule("/sign-out", "sign_out", self.sign_out, methods=["POST"])
        admin.add_url_rule("/password", "new_password", self.new_password, methods=both)

    def sign_in(self) -> ResponseReturnValue:
        """Ask for address and password; go where the visitor wanted to."""
        form = SignInForm()
        if form.validate_on_submit():
            try:
                secret = self._services.sessions.sign_in(
                    form.address.data.strip(), form.password.data
                )
            except CredentialsError as error:
                form.password.errors = [str(error)]
            else:
                login_user(self._load(secret))
                return redirect(_wanted() or url_for("admin.overview"))
        status = 422 if form.is_submitted() else 200
        return render_template("admin/sign_in.html", form=form), status

    def sign_out(self) -> ResponseReturnValue:
        """End the session here and on the server."""
        self._services.sessions.sign_out(current_user.secret)
        logout_user()
        return redirect(url_for("admin.sign_in"))

    def new_password(self) -> ResponseReturnValue:
        """Replace a password; a one-time one has to be replaced before anything else."""
        form = NewPasswordForm()
        if form.validate_on_submit():
            try:
                who = current_user.who
                self._services.accounts.change_password(
                    who.account_id, form.password.data, session_id=who.session_id
                )
            except PasswordError as error:
                form.password.errors = [str(error)]
            else:
                flash("Your new password is in use.", "success")
                return redirect(url_for("admin.overview"))
        status = 422 if form.is_submitted() else 200
        return render_template("admin/new_password.html", form=form), status

    def _guard(self) -> ResponseReturnValue | None:
        if request.endpoint in _OPEN:
            return None
        if not current_user.is_authenticated:
            wanted = request.full_path if request.method == "GET" else None
            return redirect(url_for("admin.sign_in", next=wanted))
        if current_user.who.must_change_password and request.endpoint not in _WHILE_ONE_TIME:
            return redirect(url_for("admin.new_password"))
        if not current_user.may(RoleName.VIEWER):
            logout_user()
            abort(403, "These pages are for administrators; your account has no role here.")
        return None

    def _manage_sessions(self, state: BlueprintSetupState) -> None:
        manager = LoginManager()
        manager.user_loader(self._load)
        manager.init_app(state.app)

    def _load(self, secret: str) -> Visitor | None:
        who = self._services.sessions.signed_in(secret)
        return Visitor(secret, who) if who else None


def _wanted() -> str | None:
    """Return the page asked for before signing in, if it is one of ours."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted)
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/admin")
    return wanted if ours and wanted.isprintable() and "\\" not in wanted else None
