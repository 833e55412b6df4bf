"""Tokens: what identity providers prove themselves with, made, replaced and revoked."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    SelectMultipleField,
    StringField,
    SubmitField,
)
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from provisioning.domain.errors import ConfigurationError, NotFoundError
from provisioning.services.container import Services
from provisioning.services.tokens import (
    DEFAULT_SCOPES,
    LIFETIME,
    LONGEST,
    OVERLAP,
    SCOPES,
    NewToken,
)
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.runs import TokenKind, TokenRecord
from provisioning.web.confirming import PasswordForm, is_them
from provisioning.web.entrance import acting, needs

LONGEST_OVERLAP = 24 * 90
LONGEST_NAME = 60


class NewTokenForm(PasswordForm):
    """What a new token is for."""

    source = StringField(
        "Source", validators=[InputRequired("Name the source."), Length(max=LONGEST_NAME)]
    )
    scopes = SelectMultipleField(
        "Scopes",
        choices=SCOPES,
        default=DEFAULT_SCOPES,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    days = IntegerField(
        "Days it is good for",
        default=LIFETIME.days,
        validators=[InputRequired(), NumberRange(1, LONGEST.days)],
    )
    note = StringField("Note", validators=[Length(max=200)])
    client = BooleanField("An OAuth client: the provider asks for an id, a secret and a token URL")
    make = SubmitField("Make it")


class RotateForm(PasswordForm):
    """How long the old token goes on."""

    hours = IntegerField(
        "Hours the old one goes on",
        default=OVERLAP // timedelta(hours=1),
        validators=[InputRequired(), NumberRange(0, LONGEST_OVERLAP)],
    )
    rotate = SubmitField("Make a new one in its place")


class RevokeForm(PasswordForm):
    """The end of a token."""

    revoke = SubmitField("Revoke it now")


class TokenPages:
    """The list of tokens, a form for a new one, and each with its two buttons."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        both = ["GET", "POST"]
        admin.add_url_rule("/tokens", "tokens", self.tokens)
        admin.add_url_rule("/tokens/new", "new_token", self.new, methods=both)
        admin.add_url_rule("/tokens/<token_id>/rotate", "rotate_token", self.rotate, methods=both)
        admin.add_url_rule("/tokens/<token_id>/revoke", "revoke_token", self.revoke, methods=both)

    def tokens(self) -> ResponseReturnValue:
        """Show every token by source: when it was used and rejected, and when it ends."""
        by_source: dict[str, list[TokenRecord]] = {}
        for token, source in self._services.tokens.list():
            by_source.setdefault(source, []).append(token)
        return render_template(
            "admin/tokens.html", sources=sorted(by_source.items()), state=self._state
        )

    @needs(RoleName.ADMIN)
    def new(self) -> ResponseReturnValue:
        """Make a token and show it once."""
        asked = request.args
        form = NewTokenForm(source=asked.get("source"), client=asked.get("client") == "1")
        if form.validate_on_submit() and is_them(self._services, form):
            try:
                made = self._services.tokens.create(
                    form.source.data.strip(),
                    acting(),
                    scopes=form.scopes.data,
                    lifetime=timedelta(days=form.days.data),
                    note=(form.note.data or "").strip(),
                    client=form.client.data,
                )
            except ConfigurationError as error:
                form.source.errors = [str(error)]
            else:
                return self._shown(made)
        return render_template("admin/token_new.html", form=form), _status(form)

    @needs(RoleName.ADMIN)
    def rotate(self, token_id: str) -> ResponseReturnValue:
        """Make a new token in place of one, and show it once."""
        token, source = self._found(token_id)
        form = RotateForm()
        if form.validate_on_submit() and is_them(self._services, form):
            overlap = timedelta(hours=form.hours.data)
            made = self._services.tokens.rotate(token_id, acting(), overlap=overlap)
            return self._shown(made, old=self._found(token_id)[0])
        page = render_template("admin/token_rotate.html", form=form, token=token, source=source)
        return page, _status(form)

    @needs(RoleName.ADMIN)
    def revoke(self, token_id: str) -> ResponseReturnValue:
        """Make a token worthless from the next request on."""
        token, source = self._found(token_id)
        form = RevokeForm()
        if form.validate_on_submit() and is_them(self._services, form):
            self._services.tokens.revoke(token_id, acting())
            flash(f"{token_id} of {source} is revoked.", "success")
            return redirect(url_for("admin.tokens"), 303)
        page = render_template("admin/token_revoke.html", form=form, token=token, source=source)
        return page, _status(form)

    def _found(self, token_id: str) -> tuple[TokenRecord, str]:
        for token, source in self._services.tokens.list():
            if token.id == token_id:
                return token, source
        raise NotFoundError("token", token_id[:LONGEST_NAME])

    def _shown(self, made: NewToken, *, old: TokenRecord | None = None) -> ResponseReturnValue:
        public_url = self._services.context.public_url
        return render_template(
            "admin/token_made.html",
            made=made,
            old=old,
            is_client=made.kind is TokenKind.CLIENT,
            scim_url=f"{public_url}/scim/v2",
            token_url=f"{public_url}/oauth/token",
        )

    def _state(self, token: TokenRecord) -> str:
        """Return what has become of a token, in a word that has a colour."""
        if token.revoked_at is not None:
            return "revoked"
        if token.expires_at <= self._services.context.now():
            return "expired"
        return "replaced" if token.replaced_by else "active"


def _status(form: FlaskForm) -> int:
    return 422 if form.is_submitted() else 200
