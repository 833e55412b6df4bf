"""Connecting an identity provider, as its administrator does: a page, a copy, a first request."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.kit.browser import browser
from tests.kit.demo import NARROW, PASSWORD, WIDE, enter, running_demo

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
VENDORS = ("Microsoft Entra ID", "OneLogin", "Keycloak")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, served from an empty folder."""
    with running_demo(tmp_path_factory.mktemp("provider")) as demo:
        yield demo


@pytest.fixture(scope="module")
def chromium():
    """A browser."""
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def page(demo, chromium):
    """The administrator's page; the clipboard is theirs to read."""
    context = chromium.new_context(viewport=WIDE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.complaints = []
    enter(page, demo)
    page.on("console", lambda said: page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def add(page, demo, vendor, name):
    """Add a provider; the page with the token is open afterwards."""
    page.goto(f"{demo.url}/admin/connections")
    page.get_by_label("Identity provider", exact=True).select_option(label=vendor)
    page.get_by_label("Name of the source").fill(name)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Add it and make a token").click()
    page.get_by_text("Waiting for the first request").wait_for()


def test_the_page_says_by_itself_that_the_first_request_came(page, demo):
    """The token of the page, sent as a provider sends it, changes the page that is open."""
    add(page, demo, "Okta", "okta")
    token = page.get_by_label("New token").input_value()
    answer = httpx2.get(f"{demo.url}/scim/v2/Users", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    heard = page.get_by_text("First request received")
    heard.wait_for()
    assert re.search(r"received at \d\d:\d\d:\d\d from 127\.0\.0\.1", heard.inner_text())
    assert not page.get_by_text("Waiting for the first request").is_visible()
    page.get_by_role("link", name="What comes next").click()
    page.get_by_role("button", name="Release okta").wait_for()
    assert token not in page.content()
    assert page.complaints == []


def test_a_value_is_copied_by_its_button(page, demo):
    add(page, demo, "JumpCloud", "jumpcloud")
    page.locator("#value-2 ~ button").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"{demo.url}/scim/v2"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_guide_fits_and_nothing_complains(page, demo, vendor, size):
    """No sideways scrolling, no script or style refused."""
    page.set_viewport_size(size)
    page.complaints.clear()
    add(page, demo, vendor, f"{vendor.split()[0].lower()}-{size['width']}")
    assert page.evaluate(OVERFLOW) <= 0
    assert page.complaints == []


def test_without_javascript_the_page_is_looked_at_again(demo, page, chromium):
    """Everything but the copying and the waiting works: the link shows what came meanwhile."""
    page.set_viewport_size(WIDE)
    context = chromium.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    add(plain, demo, "authentik", "authentik")
    token = plain.get_by_label("New token").get_attribute("value")
    assert plain.get_by_role("button", name="Copy").count() == 0
    httpx2.get(f"{demo.url}/scim/v2/Users", headers={"Authorization": f"Bearer {token}"})
    plain.get_by_role("link", name="Look again").click()
    plain.get_by_role("button", name="Release authentik").wait_for()
