"""A real browser: Debian's Chromium, steered by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

INSTALL = "apt-get install --no-install-recommends chromium"

_FLAGS = (
    "--no-sandbox",  # The suite may run as root.
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Chromium phones home otherwise, and waits for answers that never come.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a window; everything of it is gone afterwards."""
    path = shutil.which("chromium")
    assert path is not None, f"Chromium is not installed: {INSTALL}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield chromium
        finally:
            chromium.close()


def sign_in(page: Page, url: str, address: str, one_time: str, password: str) -> None:
    """Sign in for the first time and choose a password, as an administrator does."""
    page.goto(f"{url}/admin")
    page.get_by_label("Address").fill(address)
    page.get_by_label("Password").fill(one_time)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password)
    page.get_by_role("button", name="Use it from now on").click()
    page.get_by_role("heading", name="Seats").wait_for()
