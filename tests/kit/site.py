"""The pages of a whole Usher, visited without a socket."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

import app as root
from provisioning.services.container import Services
from provisioning.settings import load_settings
from provisioning.storage.models.accounts import RoleGrantRecord, RoleName
from tests.kit.services import PUBLIC_URL
from tests.kit.world import PASSWORD

ADMINISTRATOR = "admin@localhost"


def make_site(services: Services, **environ: str) -> Flask:
    """The web application over the services of a test; `environ` sets what it does not give."""
    settings = load_settings(environ={"PUBLIC_URL": PUBLIC_URL, **environ}, config_path=None)
    return root.make_app(settings, services)


@dataclass
class Visitor:
    """A browser: cookies, and forms sent with the token of the page they are on."""

    app: Flask
    base_url: str = PUBLIC_URL
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.base_url, **options)

    def send(self, path: str, page: str | None = None, **fields: Any) -> TestResponse:
        """Fill in the form of a page and send it; `page` is where the form is, if elsewhere."""
        token = self.form_token(page or path)
        return self.client.post(path, base_url=self.base_url, data={"csrf_token": token, **fields})

    def form_token(self, page: str) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page).text)
        return found.group(1) if found else ""

    def sign_in(self, address: str, password: str) -> TestResponse:
        return self.send("/admin/sign-in", address=address, password=password)


def administrator(app: Flask, services: Services, role: RoleName = RoleName.ADMIN) -> Visitor:
    """The first administrator, signed in with a password of their own."""
    one_time = services.accounts.create_administrator(ADMINISTRATOR)
    assert one_time is not None
    visitor = Visitor(app)
    visitor.sign_in(ADMINISTRATOR, one_time)
    done = visitor.send("/admin/password", password=PASSWORD, repeat=PASSWORD)
    assert place(done) == "/admin/"
    with services.context.database.write() as session:
        session.execute(update(RoleGrantRecord).values(role=role))
    return visitor


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def place(answer: TestResponse) -> str:
    """Where an answer leads, without its query string."""
    return urlsplit(answer.headers.get("Location", "")).path
