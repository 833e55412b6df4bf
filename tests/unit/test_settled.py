"""Who is in and as they were last applied is not planned for at all (R3)."""

import itertools

import pytest

from provisioning.domain.employees import EmployeeState, WaitingReason
from provisioning.domain.planning import is_settled
from provisioning.domain.policy import Policy
from tests.kit.domain import NOW, TODAY, employee, lines, person, plan_of

ANN = person("ann")
GONE = person("ann", active=False)
STATES = [state for state in EmployeeState if state is not EmployeeState.AWAITING_CONFIRMATION]
REASONS = ["", *WaitingReason]
ELSEWHERE = Policy(verified_domains=("elsewhere.example",))


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_planned_for_the_settled(state):
    """R3: whatever their reason, mark, invitation, account and the policy are."""
    said = [ANN, GONE, person("ann", mail="new@corp.example"), person("ann", title="Chief")]
    found = set()
    for who, reason, bound, since, invited, policy in itertools.product(
        said, REASONS, (True, False), (None, TODAY), (None, "old@corp.example"), (None, ELSEWHERE)
    ):
        there = employee(
            "ann",
            state,
            state_reason=reason,
            bound=bound,
            missing_since=since,
            invited_address=invited,
        )
        settled = is_settled(who, there, NOW)
        found.add(settled)
        if settled:
            assert lines(plan_of([who], [there], **({"policy": policy} if policy else {}))) == []
    assert (True in found) == (state in ("invited", "active"))


@pytest.mark.parametrize("state", ["invited", "active"])
def test_news_settles_nobody(state):
    """P1, D1: another value, or the end of the account, has to be looked at."""
    there = employee("ann", state)
    assert is_settled(ANN, there, NOW)
    for news in (GONE, person("ann", title="Chief"), person("ann", active_until=NOW)):
        assert not is_settled(news, there, NOW)


def test_who_waits_or_was_dismissed_may_be_asked_again():
    """I1, I4, S6: the same word may invite them or bring them back."""
    for state in ("waiting", "dismissed"):
        assert not is_settled(ANN, employee("ann", state), NOW)
