"""canaille, a real identity provider, in a virtual environment of its own.

Its pins must not meet ours: `make canaille` installs it from tests/canaille.lock.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2

from provisioning.web.guide import guides
from tests.kit.postgres import free_port
from tests.kit.usher import wait_until_ready

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / ".venv" / "canaille" / "bin" / "canaille"
PASSWORD = "a password of this test"

CONFIG = """
SECRET_KEY = "a secret of this test and no other"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"

[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.db"

[CANAILLE_OIDC]
TRUSTED_DOMAINS = ["127.0.0.1"]

[CANAILLE_SCIM]
ENABLE_CLIENT = true
"""


class Canaille:
    """A served canaille, and an administrator who works with its commands and its pages."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "canaille.log"
        self._folder = folder
        self._config = folder / "canaille.toml"
        self._config.write_text(CONFIG.format(port=port, folder=folder))
        self._pages = httpx2.Client(base_url=self.url, timeout=60, follow_redirects=True)

    def command(self, *words: str) -> Any:
        """Run a command that has to succeed; returns the document it prints, if it prints one."""
        done = subprocess.run(
            [COMMAND, *words],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    def provision_to(self, url: str, token: str) -> None:
        """Register a service provider, and the token canaille has to send, as our guide says it."""
        values = {"URI": url, "TOKEN": token}
        for words in _commands_of_the_guide():
            made = self.command(*(values.get(word, word) for word in words))
            values.setdefault("ID", made["id"])

    def sign_in(self) -> None:
        """Sign in as the administrator."""
        self.fill("/login", login="admin")
        page = self.fill("/auth/password", password=PASSWORD)
        assert "/profile/admin" in page, page

    def page(self, path: str) -> str:
        """A page that has to be there."""
        answer = self._pages.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    def fill(self, path: str, **values: str) -> str:
        """Fill in the form of a page that has these fields; returns the next page."""
        page = _Page()
        page.feed(self.page(path))
        wanted = {"csrf_token", *values} - {"action"}  # the name of the buttons
        held = next(form for form in page.forms if wanted <= form.keys())
        answer = self._pages.post(path, data={**_filled(held), **values})
        assert answer.status_code == 200, (path, answer.status_code, self.log.read_text())
        assert 'role="alert"' not in answer.text, (path, answer.text)
        return answer.text

    @contextmanager
    def serving(self) -> Iterator[None]:
        """`canaille run` until the block ends."""
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [COMMAND, "run", "--bind", self.url.removeprefix("http://")],
                cwd=self._folder,
                env=self._environ,
                stdout=log,
                stderr=log,
                text=True,
            )
            try:
                wait_until_ready(f"{self.url}/about", process)
                yield
            finally:
                self._pages.close()
                process.terminate()
                process.wait(timeout=30)

    @property
    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "CANAILLE_CONFIG": str(self._config),
        }


def _commands_of_the_guide() -> Iterator[list[str]]:
    """Yield what an administrator types, without `canaille`, and with names for their values."""
    for step in guides()["canaille"].connect:
        for text in re.findall(r"`canaille (create [^`]+)`", step):
            yield shlex.split(text)


class _Page(HTMLParser):
    """The forms of a page, each with what its fields hold; None where that is nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field, or what is chosen in one."""
        found = dict(attrs)
        name, kind = found.get("name") or "", found.get("type")
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self._select = name
            self.forms[-1][name] = None
        elif tag == "option" and "selected" in found:
            self.forms[-1][self._select] = found.get("value")
        elif tag == "input" and name and kind not in ("file", "checkbox", "radio", "submit"):
            self.forms[-1][name] = found.get("value") or ""


def _filled(form: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in form.items() if value is not None}


@contextmanager
def running_canaille(folder: Path, usher_url: str, token: str) -> Iterator[Canaille]:
    """A served canaille that provisions to an Usher, with its administrator signed in."""
    assert COMMAND.exists(), f"{COMMAND} is missing; install it with: make canaille"
    canaille = Canaille(folder, free_port())
    canaille.command("install")
    canaille.command(
        "create", "user", "--user-name", "admin", "--family-name", "Admin",
        "--formatted-name", "Admin", "--emails", "admin@corp.example", "--password", PASSWORD,
    )  # fmt: skip
    canaille.provision_to(usher_url, token)
    with canaille.serving():
        canaille.sign_in()
        yield canaille
