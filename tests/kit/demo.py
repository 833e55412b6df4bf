"""The demo company as a newcomer starts it: `usher demo --serve` in an empty folder.

python -m tests.kit.demo docs/overview.png     # the picture of the README (`make picture`)
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.kit.browser import browser, sign_in
from tests.kit.postgres import free_port
from tests.kit.usher import USHER, wait_until_ready

PASSWORD = "correct horse battery"
WIDE = {"width": 1360, "height": 900}
NARROW = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Demo:
    """A demo that serves, and what it said at its start."""

    url: str
    said: str

    @property
    def one_time_password(self) -> str:
        """The first administrator's."""
        found = re.search(r"Password +(\S+)", self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def token(self) -> str:
        """The SCIM token that is shown once."""
        found = re.search(r"token (usher_\S+)", self.said)
        assert found is not None, self.said
        return found[1]


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """Load the demo into a folder and serve it until the block ends."""
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        [USHER, "demo", "--serve"],
        cwd=folder,
        env=environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    listener = threading.Thread(target=said.extend, args=(process.stderr,))
    listener.start()
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{url}/readyz", process)
        yield Demo(url, "".join(said))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        listener.join()
        process.stderr.close()


def enter(page: Page, demo: Demo) -> None:
    """Sign in as the first administrator and choose a password."""
    sign_in(page, demo.url, "admin@localhost", demo.one_time_password, PASSWORD)


def take_picture(path: str) -> None:
    """Write a picture of the demo's Overview page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder)) as demo,
        browser() as chromium,
    ):
        page = chromium.new_page(viewport=WIDE, device_scale_factor=1.5)
        enter(page, demo)
        page.goto(f"{demo.url}/admin/")
        page.screenshot(path=path)


if __name__ == "__main__":
    take_picture(sys.argv[1])
