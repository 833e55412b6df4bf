"""Outbox: what waits, what left, what failed for good, and every letter as it is read."""

from __future__ import annotations

from email.message import EmailMessage

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from provisioning.services.container import Services
from provisioning.storage.models.effects import OutboxState
from provisioning.web.listing import NUMBER, PAGE, asked_choice, asked_number

LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A letter shows, and does nothing: no script, no picture from elsewhere, no form. Its link opens
beside the page, as in a mail program."""

_BESIDE = '<base target="_blank">'


class OutboxPages:
    """The list of messages and each letter."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        admin.add_url_rule("/outbox", "outbox", self.outbox)
        admin.add_url_rule(f"/outbox/<{NUMBER}:message>", "letter", self.letter)
        admin.add_url_rule(
            f"/outbox/<{NUMBER}:message>/letter.html", "letter_html", self.letter_html
        )

    def outbox(self) -> ResponseReturnValue:
        """Show a page of messages, newest first."""
        state = asked_choice("state", OutboxState)
        before = asked_number("before") or None
        rows = self._services.outbox.messages(state=state, before=before, limit=PAGE + 1)
        following = None
        if len(rows) > PAGE:
            following = url_for("admin.outbox", state=state, before=rows[PAGE - 1].id)
        return render_template(
            "admin/outbox.html",
            rows=rows[:PAGE],
            state=state,
            counts=self._services.outbox.counts(),
            keeps_letters=self._services.mailer.keeps_letters,
            following=following,
        )

    def letter(self, message: int) -> ResponseReturnValue:
        """Show a letter: whom it goes to, and what it says."""
        letter = self._letter(message)
        return render_template(
            "admin/letter.html", id=message, letter=letter, text=_part(letter, "plain")
        )

    def letter_html(self, message: int) -> Response:
        """Show the HTML of a letter alone, for the frame of the page."""
        html = _part(self._letter(message), "html").replace("<head>", f"<head>{_BESIDE}", 1)
        response = Response(html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = LETTER_POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def _letter(self, message: int) -> EmailMessage:
        letter = self._services.delivery.letter(message)
        if letter is None:
            abort(404, "There is no such letter, or its invitation is over and it never leaves.")
        return letter


def _part(letter: EmailMessage, kind: str) -> str:
    body = letter.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""
