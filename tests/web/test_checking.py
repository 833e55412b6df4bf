"""A source that is read is tested on its page."""

from __future__ import annotations

import pytest

from provisioning.ports import CheckOutcome, CheckReport, CheckStep
from provisioning.storage.models.accounts import RoleName
from tests.kit.services import PUBLIC_URL
from tests.kit.site import administrator, make_site
from tests.kit.sources import entry

PAGE = "/admin/connections"


def test_a_directory_is_tested_on_its_page(admin, world):
    """Pages and commands: each step with its time, five entries as they are, nothing changed."""
    world.directory.add(*(entry(f"p{n}", title="<b>boss</b>") for n in range(6)))
    before = admin.get(f"{PAGE}/corp").text
    assert "Test the connection" in before
    assert "Found" not in before
    page = admin.send(f"{PAGE}/corp/test", page=f"{PAGE}/corp").text
    for words in ("search", "usable", "disabled", "compare", "6 have mail", "Test again"):
        assert words in page, words
    assert page.count("<summary") == 5
    assert "&lt;b&gt;boss" in page
    assert world.states() == {}
    assert admin.client.post(f"{PAGE}/corp/test", base_url=PUBLIC_URL).status_code in (400, 422)


def test_a_test_that_fails_says_at_which_step(admin, world, monkeypatch):
    """An error says what happened; the page stays a page."""
    step = CheckStep(name="bind", outcome=CheckOutcome.FAILED, detail="invalidCredentials")
    monkeypatch.setattr(world.directory, "check", lambda _see: CheckReport(steps=[step]))
    page = admin.send(f"{PAGE}/corp/test", page=f"{PAGE}/corp").text
    assert "invalidCredentials" in page
    assert "failed" in page
    assert "compare" not in page


@pytest.mark.parametrize("role", [RoleName.VIEWER, RoleName.OPERATOR])
def test_a_test_is_an_operator_s(world, role):
    """A7: it signs in to the directory and reads everyone."""
    visitor = administrator(make_site(world.services), world.services, role)
    may = role is RoleName.OPERATOR
    answer = visitor.send(f"{PAGE}/corp/test", page=f"{PAGE}/corp")
    assert answer.status_code == (200 if may else 403)
    assert ("Test the connection" in visitor.get(f"{PAGE}/corp").text) is may
