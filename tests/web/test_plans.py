"""Plans on the page: seeing what is held, and deciding about it (R4, D5, I10)."""

from __future__ import annotations

import pytest

from provisioning.domain.policy import Policy
from tests.kit.nights import ME
from tests.kit.site import administrator, make_site, place
from tests.kit.sources import entry
from tests.kit.world import make_world

PEOPLE = [f"p{number:02}" for number in range(20)]


@pytest.fixture
def held(world):
    """A plan that would dismiss ten of twenty people."""
    world.services.seats.set_limit(None, ME)
    world.directory.add(*map(entry, PEOPLE))
    world.sync()
    world.directory.remove(*PEOPLE[:10])
    return world.night().run


def test_a_held_plan_is_on_the_first_page(held, admin):
    page = admin.get("/admin/").text
    assert f"Plan {held} needs you" in page
    assert f'href="/admin/runs/{held}"' in page


def test_a_held_plan_says_what_how_many_and_why(held, admin):
    """D5: the sentence on the page names the number and the limit."""
    page = admin.get(f"/admin/runs/{held}?held=1").text
    assert "It would remove 10 people" in page
    assert "Held: too many people" in page
    assert page.count("revoke</td>") == 10


def test_approving_needs_the_number_and_the_reason(held, admin, world):
    """R4: nobody approves removals without having seen how many."""
    digest = world.services.run_reports.plan(held).digest
    for fields in (
        {"comment": "office closed"},
        {"comment": "office closed", "number": "9"},
        {"number": "10"},
    ):
        answer = admin.send(
            f"/admin/runs/{held}/decide",
            page=f"/admin/runs/{held}",
            digest=digest,
            approve="1",
            **fields,
        )
        assert answer.status_code == 422
    assert world.services.run_reports.plan(held).state == "held"
    assert world.services.reports.seats().invited == 20


def test_an_approved_plan_is_applied(held, admin, world):
    """R4: what was shown is done, and the run remembers who said so."""
    digest = world.services.run_reports.plan(held).digest
    answer = admin.send(
        f"/admin/runs/{held}/decide",
        page=f"/admin/runs/{held}",
        digest=digest,
        approve="1",
        number="10",
        comment="office closed",
    )
    assert place(answer) == f"/admin/runs/{held}"
    plan = world.services.run_reports.plan(held)
    assert (plan.state, plan.approved_by, plan.comment) == (
        "applied",
        "admin@localhost",
        "office closed",
    )
    assert world.services.reports.seats().invited == 10


def test_an_approval_of_another_plan_changes_nothing(held, admin, world):
    """R4: the digest on the page is the plan that is approved."""
    answer = admin.send(
        f"/admin/runs/{held}/decide",
        page=f"/admin/runs/{held}",
        digest="0" * 64,
        approve="1",
        number="10",
        comment="office closed",
    )
    assert place(answer) == f"/admin/runs/{held}"
    assert "nothing was approved" in admin.get(f"/admin/runs/{held}").text
    assert world.services.reports.seats().invited == 20


def test_a_rejected_plan_removes_nobody(held, admin, world):
    answer = admin.send(
        f"/admin/runs/{held}/decide",
        page=f"/admin/runs/{held}",
        digest="x",
        reject="1",
        comment="wrong branch",
    )
    assert place(answer) == f"/admin/runs/{held}"
    assert world.services.run_reports.plan(held).state == "rejected"
    assert world.services.reports.seats().invited == 20
    again = admin.send(
        f"/admin/runs/{held}/decide", page="/admin/", digest="x", reject="1", comment="x"
    )
    assert place(again) == f"/admin/runs/{held}"
    assert "is rejected and cannot be rejected" in admin.get(f"/admin/runs/{held}").text


def test_a_first_plan_is_released_and_then_applied(sqlite_url):
    """I10: nobody is written to before an administrator released the source."""
    world = make_world(sqlite_url, first_run="plan", policy=Policy())
    try:
        admin = administrator(make_site(world.services), world.services)
        world.directory.add(entry("ann"))
        run = world.sync().run
        assert "waits for you" in admin.get("/admin/").text
        page = f"/admin/runs/{run}"
        assert "Release corp" in admin.get(page).text
        admin.send(f"{page}/apply", page=page)
        assert world.states() == {}
        admin.send(f"{page}/release", page=page)
        assert world.states() == {}
        assert "Apply" in admin.get(page).text
        admin.send(f"{page}/apply", page=page)
        assert world.states() == {"Ann": "invited"}
    finally:
        world.services.context.database.close()


def test_a_plan_longer_than_a_page_comes_in_parts(admin, world):
    world.services.seats.set_limit(None, ME)
    world.directory.add(*(entry(f"q{number:03}") for number in range(60)))
    run = world.sync().run
    first = admin.get(f"/admin/runs/{run}?kind=invite").text
    assert first.count("invite</td>") == 50
    following = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = admin.get(following.replace("&amp;", "&")).text
    assert second.count("invite</td>") == 10


def test_a_run_that_failed_says_why(admin, world):
    world.directory.add(entry("ann"), entry("bob"))
    world.directory.cut_after = 1
    with pytest.raises(Exception, match="sizeLimitExceeded"):
        world.sync()
    run = world.services.run_reports.runs()[0]
    assert run.state == "incomplete"
    page = admin.get(f"/admin/runs/{run.run}").text
    assert "sizeLimitExceeded" in page
    assert "incomplete" in admin.get("/admin/").text


def test_a_run_is_undone_by_its_button(admin, world):
    """D8, R4: the counter-plan is shown first, and says whom it leaves alone and why."""
    world.services.seats.set_limit(None, ME)
    world.directory.add(entry("zoe"), entry("yan"), entry("xia"))
    world.sync()
    world.services.delivery.deliver_due()
    world.directory.remove("zoe", "yan")
    run = world.sync().run
    world.directory.add(entry("yan"))
    world.sync()
    page = f"/admin/runs/{run}"
    assert "Undo this run" in admin.get(page).text
    answer = admin.send(f"{page}/undo", page=page)
    undo = answer.headers["Location"]
    shown = admin.get(undo).text
    assert f"run {run}</a> back" in shown
    assert "Not done, because it changed meanwhile: 1" in shown
    assert "changed since: they are invited" in shown
    assert world.states()["Zoe"] == "dismissed"
    admin.send(f"{undo}/apply", page=undo)
    assert world.states()["Zoe"] == "invited"
    following = world.sync().run
    assert f"Run {run} was undone" in admin.get(f"/admin/runs/{following}").text


def test_an_undo_that_may_not_be_is_told(admin, world):
    """D8: a run that changed nobody has no button, and is refused with the reason."""
    world.directory.add(entry("zoe"))
    run = world.services.runs.plan("corp", ME)
    page = f"/admin/runs/{run}"
    assert "Undo this run" not in admin.get(page).text
    admin.send(f"{page}/undo", page=page)
    assert "changed nobody" in admin.get(page).text
