"""The breaker: removals that arrive one at a time have the budget of a run (D6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.actions import HoldReason
from provisioning.domain.breaker import Budget, hold_at_breaker, people_needed
from provisioning.domain.policy import Policy
from tests.kit.domain import action

percents = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)
policies = st.builds(
    Policy,
    dismiss_percent=percents,
    rolling_percent=percents,
    dismiss_count=st.none() | st.integers(0, 50),
)


def budget(seated, day, week):
    return Budget(seated=seated, removed_in_a_day=day, removed_in_seven_days=week)


def goes_through(one, seated, day, week, policy=Policy()):  # noqa: B008 - a value
    held = hold_at_breaker(one, policy=policy, budget=budget(seated, day, week)).held
    assert held in (None, HoldReason.BREAKER)
    return held is None


@pytest.mark.parametrize(
    ("seated", "day", "week", "through"),
    [
        (0, 0, 0, True),
        (10, 2, 2, True),
        (10, 3, 3, False),
        (1_179, 61, 61, True),
        (1_178, 62, 62, False),
        (1_117, 10, 123, True),
        (1_116, 10, 124, False),
    ],
)
def test_each_row_of_the_table(seated, day, week, through):
    """D6: as many as a run may remove in a night, and as many as in seven days."""
    for kind in ("dismiss", "revoke"):
        assert goes_through(action(kind), seated, day, week) is through
    assert goes_through(action("flag", marks_missing=True), seated, day, week) is through


def test_a_count_limits_a_large_company():
    """D5, D6: the smaller of count and share, never less than three."""
    few = Policy(dismiss_count=20)
    assert goes_through(action("dismiss"), 2_000, 19, 19, few)
    assert not goes_through(action("dismiss"), 2_000, 20, 20, few)
    assert goes_through(action("dismiss"), 2_000, 2, 2, Policy(dismiss_count=0))


def test_only_removals_that_count_are_measured():
    """D6, D4, I9: additions, who leaves no trace, and who is held anyway."""
    spent = budget(10, 9, 9)
    for one in (
        action("invite"),
        action("hire_back", held=HoldReason.AUTHORITY),
        action("dismiss", counted=False),
        action("dismiss", held=HoldReason.PROTECTED),
    ):
        assert hold_at_breaker(one, policy=Policy(), budget=spent) is one


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (5, -1, 0), (5, 2, 1)])
def test_a_budget_that_cannot_be_is_refused(numbers):
    with pytest.raises(ValueError, match="cannot be"):
        budget(*numbers)


@given(policy=policies, seated=st.integers(0, 400), gaps=st.lists(st.integers(0, 30), max_size=80))
def test_no_day_and_no_week_removes_more_than_its_limit(policy, seated, gaps):
    """D6: people leave one by one, hours apart; the first three always go."""
    hour, gone = 0, []
    for tried, gap in enumerate(gaps[:seated]):
        hour += gap
        day = [at for at in gone if at > hour - 24]
        week = [at for at in gone if at > hour - 168]
        staff = seated - len(gone)
        through = goes_through(action("dismiss"), staff, len(day), len(week), policy)
        assert through or tried >= 3
        if through:
            gone.append(hour)
            assert len(day) + 1 <= policy.removal_limit(staff + len(day))
            assert len(week) + 1 <= policy.rolling_limit(staff + len(week))


@given(
    policy=policies, seated=st.integers(0, 3_000), day=st.integers(0, 99), more=st.integers(0, 99)
)
def test_whatever_was_removed_before_never_makes_room(policy, seated, day, more):
    """D6: with one more removed, what was held stays held."""
    held = not goes_through(action("dismiss"), seated + 1, day, day + more, policy)
    if held:
        assert not goes_through(action("dismiss"), seated, day + 1, day + more + 1, policy)


@given(policies, st.integers(0, 3_000), st.integers(0, 300), st.integers(0, 300))
def test_nobody_has_to_count_further_than_the_limits_need(policy, seated, day, earlier):
    """D6: as many people as are needed decide as all of them would."""
    week = day + earlier
    needed = people_needed(policy, in_a_day=day, in_seven_days=week)
    counted = 0 if needed is None else min(seated, needed)
    assert budget(counted, day, week).has_room(policy) == budget(seated, day, week).has_room(policy)
