"""The password typed again: whoever opens or closes a door shows that it is still them."""

from __future__ import annotations

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from provisioning.domain.errors import CredentialsError
from provisioning.services.container import Services
from provisioning.services.credentials import MAX_PASSWORD


class PasswordForm(FlaskForm):
    """A form that makes or ends a token."""

    password = PasswordField(
        "Your password",
        validators=[InputRequired("Type your own password again."), Length(max=MAX_PASSWORD)],
        render_kw={"autocomplete": "current-password"},
    )


def is_them(services: Services, form: PasswordForm) -> bool:
    """Whether the password is that of whoever is signed in; the form says so if not."""
    try:
        services.sessions.confirm(current_user.who, form.password.data)
    except CredentialsError:
        form.password.errors = ["This is not your password. After five wrong ones wait."]
        return False
    return True
