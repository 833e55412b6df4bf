"""How many of a company's people a night, or a week, may take out (D5, D6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from provisioning.domain.employees import EmployeeState
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import ME, kinds
from tests.kit.scim_client import ENTERPRISE, connect
from tests.kit.sources import entry

NAMES = [f"p{number:04}" for number in range(1_000)]
ONE_NIGHT = 50
"""5 % of a thousand."""


@pytest.fixture
def company(world, request):
    """A thousand people who are in, or as many as a test asks for."""
    people = NAMES[: getattr(request, "param", None)]
    world.directory.add(*(entry(name, employeeNumber=name) for name in people))
    world.sync()
    with world.services.context.database.write() as session:
        session.execute(
            update(EmployeeRecord).values(
                state=EmployeeState.ACTIVE, accepted_at=world.clock.now()
            ),
            execution_options={"synchronize_session": False},
        )
    return world


def dismissed(world):
    return list(world.states().values()).count("dismissed")


def test_so_many_of_a_thousand_and_not_one_more(company):
    """D5: fifty leave as they are told, fifty-one stay, all of them; and so does everybody."""
    everyone = dict(company.directory.people)
    for gone in (0, 1, 3, 4, 49, 50, 51, 52, 100, 500, 999):
        company.directory.people = dict(everyone)
        company.directory.remove(*NAMES[:gone])
        plan = company.services.run_reports.plan(company.services.runs.plan("corp", ME))
        assert kinds(plan) == ({"dismiss": gone} if gone else {})
        assert plan.held == (gone if gone > ONE_NIGHT else 0), gone
    company.directory.people = dict(everyone)
    company.directory.remove(*NAMES[: ONE_NIGHT + 1])
    assert (company.night().state, dismissed(company)) == ("held", 0)
    company.directory.add(entry(NAMES[0], employeeNumber=NAMES[0]))
    assert (company.night().state, dismissed(company)) == ("applied", ONE_NIGHT)


@pytest.mark.parametrize("company", [200], indirect=True)
def test_a_leak_below_the_limit_of_a_night_is_stopped_in_the_third(company):
    """D5, D6: 4 % every night, the second time by SCIM: 10 % of a week are not exceeded."""
    idp = connect(company.services)
    pushed = [
        idp.create(name, **{ENTERPRISE: {"employeeNumber": name}})["id"] for name in NAMES[:200]
    ]
    company.directory.remove(*NAMES[:8])
    assert (company.night().state, dismissed(company)) == ("applied", 8)
    company.clock.advance(timedelta(hours=25))
    for id_ in pushed[8:16]:
        idp.activate(id_, False)
    assert dismissed(company) == 16
    for night in range(2, 30):
        company.directory.remove(*NAMES[8 * night : min(200, 8 * (night + 1))])
        report = company.night()
        held = {action.held for action in report.actions if action.action == "dismiss"}
        assert held == {"rolling_share" if night == 2 else "mass_removal"}, night
        assert dismissed(company) == 16
