"""An OAuth client of a whole Usher, without a socket."""

from __future__ import annotations

from base64 import b64encode

from tests.kit.nights import ME
from tests.kit.scim_client import ScimClient
from tests.kit.services import PUBLIC_URL
from tests.kit.site import make_site


class Endpoint:
    """The token endpoint of a world, with one client."""

    def __init__(self, world, **choices):
        self.services = world.services
        self.app = make_site(world.services)
        self.client = self.services.tokens.create("idp", ME, client=True, **choices)
        self.http = self.app.test_client()

    def __call__(self, *, basic=None, **form):
        """Send a form, the client's id and secret in the header unless told otherwise."""
        id_, secret = basic or (self.client.id, self.client.secret)
        header = b64encode(f"{id_}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {header}"} if basic != () else {}
        form.setdefault("grant_type", "client_credentials")
        return self.send(form, headers)

    def send(self, form, headers=None):
        return self.http.post("/oauth/token", base_url=PUBLIC_URL, data=form, headers=headers)

    def scim(self, answer):
        """A SCIM client with the access token of an answer."""
        assert answer.status_code == 200, answer.text
        return ScimClient(self.app, self.services, answer.json["access_token"])
