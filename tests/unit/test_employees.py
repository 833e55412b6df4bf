"""The one table that says how an employee's state may change (S1, S2)."""

import pytest

from provisioning.domain.employees import (
    SERVED_BY_ITSELF,
    TRANSITIONS,
    Change,
    EmployeeState,
    WaitingReason,
    state_after,
)
from provisioning.domain.errors import TransitionError

C, S = Change, EmployeeState

HAPPENS = {
    (None, C.INVITE): S.INVITED,
    (S.WAITING, C.INVITE): S.INVITED,
    (None, C.WAIT): S.WAITING,
    (S.INVITED, C.ACCEPT): S.ACTIVE,
    (S.INVITED, C.EXPIRE): S.WAITING,
    (S.INVITED, C.LOSE_ADDRESS): S.WAITING,
    (S.WAITING, C.REMOVE): None,
    (S.INVITED, C.REMOVE): None,
    (S.WAITING, C.DISMISS): S.DISMISSED,
    (S.INVITED, C.DISMISS): S.DISMISSED,
    (S.ACTIVE, C.DISMISS): S.DISMISSED,
    (S.AWAITING_CONFIRMATION, C.ACCEPT): S.ACTIVE,
    (S.AWAITING_CONFIRMATION, C.DISMISS): S.DISMISSED,
    (S.DISMISSED, C.RETURN): S.ACTIVE,
    (S.DISMISSED, C.INVITE): S.INVITED,
    (S.DISMISSED, C.WAIT): S.WAITING,
    (S.WAITING, C.RETURN): S.ACTIVE,
}
"""The table of the module's docstring, written down a second time."""

NEVER = [(state, change) for state in (None, *S) for change in C if (state, change) not in HAPPENS]


@pytest.mark.parametrize(("state", "change"), HAPPENS, ids=str)
def test_what_may_happen_to_somebody_leads_where_the_table_says(state, change):
    """S1: every row."""
    assert state_after(state, change) is HAPPENS[state, change]


@pytest.mark.parametrize(("state", "change"), NEVER, ids=str)
def test_what_is_not_in_the_table_happens_to_nobody(state, change):
    """S1: every other pair is refused, in words."""
    with pytest.raises(TransitionError) as caught:
        state_after(state, change)
    words = change.value.replace("_", " ")
    assert str(caught.value) == f"an employee who is {state or 'unknown'} cannot {words}"
    assert (caught.value.state, caught.value.change) == (state or "unknown", change)


def test_the_two_tables_cover_everything_between_them():
    """S1: 6 beginnings, 8 changes."""
    assert len(HAPPENS) + len(NEVER) == 6 * 8
    assert dict(TRANSITIONS) == HAPPENS


@pytest.mark.parametrize("state", [S.ACTIVE, S.DISMISSED, S.AWAITING_CONFIRMATION])
def test_who_was_ever_active_is_never_deleted(state):
    """S2: only somebody waiting or invited can be removed."""
    with pytest.raises(TransitionError):
        state_after(state, C.REMOVE)


def test_whoever_is_inside_can_be_dismissed_and_whoever_is_dismissed_can_come_back():
    """D1, S6: a departure never fails, and there is always a way back."""
    assert {state for state in S if (state, C.DISMISS) in TRANSITIONS} == set(S) - {S.DISMISSED}
    assert {C.RETURN, C.INVITE, C.WAIT} == {c for s, c in TRANSITIONS if s is S.DISMISSED}


def test_a_free_seat_serves_only_those_who_wait_for_a_seat():
    """L3, I4: who lapsed or has no address waits for something else."""
    assert {WaitingReason.NO_SEAT, WaitingReason.HIRED_BACK} == SERVED_BY_ITSELF
