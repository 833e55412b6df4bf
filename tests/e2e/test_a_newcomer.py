"""What a newcomer sees: `make run` and a real browser, at the width of a desk and of a hand."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.kit.browser import browser
from tests.kit.demo import NARROW, WIDE, enter, running_demo

PAGES = (
    *("", "people", "people?attention=1", "waitlist", "mismatches", "runs", "runs/1", "outbox"),
    *("connections", "connections/demo", "connections/identity-provider"),
    "inbound",
)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, served from an empty folder."""
    with running_demo(tmp_path_factory.mktemp("newcomer")) as demo:
        yield demo


@pytest.fixture(scope="module")
def page(demo):
    """The first administrator's browser; whatever it complains of fails the test that asks."""
    with browser() as chromium:
        page = chromium.new_page(viewport=WIDE)
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        enter(page, demo)
        yield page


def test_the_first_start_says_what_a_newcomer_needs(demo):
    """Where to sign in, the password, SCIM with a token, the data, the letters, the way back."""
    assert re.search(rf"Sign in +{demo.url}/admin +as admin@localhost", demo.said)
    assert len(demo.one_time_password) >= 16
    assert f"{demo.url}/scim/v2" in demo.said
    assert "sqlite:///data/usher.db" in demo.said
    assert "nobody is written to" in demo.said
    assert "usher demo --clear" in demo.said


def test_the_token_that_was_shown_opens_the_door_for_a_provider(demo):
    """SCIM works from the first minute."""
    found = httpx2.get(
        f"{demo.url}/scim/v2/Users", headers={"Authorization": f"Bearer {demo.token}"}
    )
    assert (found.status_code, found.json()["totalResults"]) == (200, 0)


def test_the_overview_tells_seats_and_the_night_at_a_glance(page, demo):
    """L3: thirty seats, forty people; every count leads to its list."""
    page.goto(f"{demo.url}/admin/")
    assert "30 of 30 taken" in page.inner_text("main")
    page.get_by_role("link", name="30", exact=True).first.click()
    assert "state=invited" in page.url
    assert len(page.query_selector_all("tbody tr")) == 30


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_nothing_complains(page, demo, path, size):
    """No sideways scrolling, no script or style refused, nothing missing."""
    page.set_viewport_size(size)
    page.complaints.clear()
    answer = page.goto(f"{demo.url}/admin/{path}")
    assert answer.status == 200
    assert page.evaluate(OVERFLOW) <= 0
    assert page.complaints == []
    assert page.query_selector("main h1, main h2") is not None


def test_a_letter_is_read_in_the_outbox_and_its_link_is_followed_to_the_end(page, demo):
    """I3, I6: GET shows, POST accepts; the employee is active, the seat is kept."""
    page.set_viewport_size(WIDE)
    page.goto(f"{demo.url}/admin/outbox")
    page.get_by_role("link", name=re.compile("Invitation|letter", re.IGNORECASE)).first.click()
    link = re.search(rf"{demo.url}/join/\S+", page.inner_text("main"))
    assert link is not None
    page.goto(link[0])
    assert page.get_by_label("Address you sign in with").input_value().count("@") == 1
    page.get_by_label("Password, 12 characters or more").fill("correct horse battery")
    page.get_by_label("The same password again").fill("correct horse battery")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("heading").first.wait_for()
    page.goto(f"{demo.url}/admin/people?state=active")
    assert len(page.query_selector_all("tbody tr")) == 1
    page.get_by_role("link").filter(has_text=re.compile(r"\w+ \w+")).last.click()
    assert "accepted the invitation" in page.inner_text("main")
