"""Coming back: hired back by the authority that dismissed, held for everybody else (S6, S7)."""

import pytest

from provisioning.domain.actions import ActionKind, HoldReason
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats
from tests.kit.domain import employee, employee_id, lines, person, plan_of, unchanged

ANN = person("ann")
CHANGED = person("ann", department="Sales")
OUR_DOMAIN = Policy(verified_domains=("corp.example",))


def test_who_is_vouched_for_again_is_hired_back():
    """S6: the same employee, by the source that dismissed them."""
    (action,) = plan_of([ANN], [employee("ann", "dismissed")])
    assert (action.kind, action.held) == (ActionKind.HIRE_BACK, None)
    assert action.employee.id == employee_id("ann")
    assert str(action.because) == "active again in corp (S6)"


def test_who_comes_back_changed_is_hired_back_in_one_step():
    """S6, P1: the news comes with the return, not as an action of its own."""
    (action,) = plan_of([CHANGED], [employee("ann", "dismissed")])
    assert action.kind is ActionKind.HIRE_BACK
    assert [change.name for change in action.changes] == ["department"]


@pytest.mark.parametrize("authority", ["hr", None])
def test_whom_somebody_else_dismissed_is_not_hired_back_by_this_source(authority):
    """S7: another source or an administrator dismissed them; the return is held."""
    dismissed = employee("ann", "dismissed", dismissed_by=authority)
    (action,) = plan_of([ANN], [dismissed])
    assert action.kind is ActionKind.HIRE_BACK
    assert action.held is HoldReason.AUTHORITY
    assert action.because.text == f"corp vouches, but {authority or 'an administrator'} dismissed"


def test_news_about_somebody_who_stays_dismissed_is_written_all_the_same():
    """S7, P1: only the return is held."""
    dismissed = employee("ann", "dismissed", dismissed_by="hr")
    plan = plan_of([CHANGED], [dismissed])
    assert lines(plan) == ["update ann", "hire_back ann, held: authority"]


def test_a_held_return_is_the_same_action_after_the_news_was_written():
    """R4, S7: what was shown can still be approved, and the next reading sees it again."""
    dismissed = employee("ann", "dismissed", dismissed_by="hr")
    update, back = plan_of([CHANGED], [dismissed])
    assert update.raw_hash == ""
    written = employee(CHANGED, "dismissed", dismissed_by="hr", version=2)
    (again,) = plan_of([CHANGED], [written])
    assert again.fingerprint() == back.fingerprint()


def test_other_news_is_remembered_with_the_entry_it_came_from():
    """R3: the next reading need not look at the entry again."""
    (update,) = plan_of([CHANGED], [employee("ann")])
    assert update.raw_hash


def test_who_has_no_account_and_no_address_cannot_come_back_yet():
    """S6, I1: they would have to be invited, and there is nowhere to write to."""
    gone = employee("ann", "dismissed", bound=False)
    assert lines(plan_of([person("ann", mail=None)], [gone])) == ["flag ann no_usable_address"]
    foreign = person("ann", mail="ann@elsewhere.example")
    assert lines(plan_of([foreign], [gone], policy=OUR_DOMAIN)) == ["flag ann unverified_domain"]


def test_who_has_no_account_but_an_address_is_hired_back_by_invitation():
    """S6: invited again, by whoever applies it."""
    assert lines(plan_of([ANN], [employee("ann", "dismissed", bound=False)])) == ["hire_back ann"]


def test_who_has_an_account_needs_no_address_to_come_back():
    """S6: they sign in as before."""
    back = plan_of([person("ann", mail=None)], [employee("ann", "dismissed")])
    assert lines(back) == ["hire_back ann"]


def test_who_comes_back_without_a_free_seat_waits():
    """S6, L3: the same seat gate as an invitation."""
    (action,) = plan_of([ANN], [employee("ann", "dismissed")], seats=Seats(taken=2, limit=2))
    assert (action.kind, action.reason) == (ActionKind.WAIT, "hired_back")
    assert str(action.because) == "no seat is left of 2; active again in corp (L3)"


def test_a_held_return_takes_no_seat_from_a_newcomer():
    """S7, L2: what does not happen needs nothing."""
    dismissed = employee("ann", "dismissed", dismissed_by="hr")
    plan = plan_of([ANN, person("bob")], [dismissed], seats=Seats(taken=0, limit=1))
    assert lines(plan) == ["hire_back ann, held: authority", "invite bob"]


def test_who_is_dismissed_and_unchanged_stays_dismissed():
    """S7, R3: silence is no word for anybody's return."""
    assert lines(plan_of([unchanged("ann")], [employee("ann", "dismissed")])) == []


def test_who_is_dismissed_and_disabled_stays_dismissed():
    """D1: nobody leaves twice."""
    disabled = person("ann", active=False)
    assert lines(plan_of([disabled], [employee("ann", "dismissed")])) == []
    assert lines(plan_of([], [employee("ann", "dismissed")])) == []
