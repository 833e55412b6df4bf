"""Guards: what stops a plan that follows every rule and is still wrong (D5, R2)."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioning.domain.actions import FieldChange, HoldReason
from provisioning.domain.errors import SourceError
from provisioning.domain.guards import (
    counted_removals,
    guard_attributes,
    guard_removals,
    hold_mass_removal,
    hold_rolling_share,
    hold_unproven_removals,
    require_people,
    suspicious_attributes,
)
from provisioning.domain.policy import Policy
from tests.kit.domain import action, dismissals, employee, lines, person, plan_of

H = HoldReason
percents = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


def reasons(actions):
    """Why the actions are held, each reason once."""
    return {one.held for one in actions}


def guarded(actions, *, policy=Policy(), seated=0, recently=0, proven=True):  # noqa: B008 - a value
    """What the guards make of what the rules decided."""
    return guard_removals(
        actions, policy=policy, seated=lambda: seated, removed_recently=recently, proven=proven
    )


def test_half_a_purge_is_still_a_purge():
    """D5: one more than the limit, and every removal is held."""
    assert reasons(hold_mass_removal(dismissals(3), limit=3)) == {None}
    assert reasons(hold_mass_removal(dismissals(4), limit=3)) == {H.MASS_REMOVAL}


def test_too_many_within_a_week_are_held():
    """D5: this week's and tonight's together."""
    assert reasons(hold_rolling_share(dismissals(2), removed_recently=3, limit=5)) == {None}
    week = hold_rolling_share(dismissals(3), removed_recently=3, limit=5)
    assert reasons(week) == {H.ROLLING_SHARE}


def test_a_night_without_new_removals_is_not_held_for_a_bad_week():
    """D5, D2: who was counted when marked leaves, even if the week is full."""
    marked = dismissals(2, counted=False)
    assert reasons(hold_rolling_share(marked, removed_recently=50, limit=5)) == {None}


def test_nobody_is_missed_because_of_an_export_without_an_end():
    """R2: who is in it is there, but nobody left because of it."""
    assert reasons(hold_unproven_removals(dismissals(1), proven=True)) == {None}
    assert reasons(hold_unproven_removals(dismissals(1), proven=False)) == {H.UNPROVEN}


def test_zero_people_is_never_all_of_them_left():
    """R2: the run stops, and the sentence says what the last one saw."""
    require_people(1, "corp", 1240)
    with pytest.raises(SourceError, match=r"corp returned 0 people\. The last good run saw 1,240"):
        require_people(0, "corp", 1240)
    with pytest.raises(SourceError, match=r"corp returned 0 people\. This run stopped"):
        require_people(0, "corp", None)


def test_who_is_protected_stays_held_for_that_reason():
    """D4, D5: the first reason that holds an action stays with it."""
    actions = [*dismissals(4), action("dismiss", "root", held=H.PROTECTED)]
    assert [one.held for one in guarded(actions)] == [*[H.MASS_REMOVAL] * 4, H.PROTECTED]
    assert reasons(guarded(dismissals(9), recently=9, proven=False)) == {H.UNPROVEN}
    assert reasons(guarded(dismissals(9), recently=9)) == {H.MASS_REMOVAL}
    assert reasons(guarded(dismissals(3), recently=1)) == {H.ROLLING_SHARE}


def test_marks_and_revocations_are_removals_and_the_rest_is_not():
    """D5, D2: newly missing people count on the night they go missing."""
    removals = [
        action("dismiss", "a"),
        action("revoke", "b"),
        action("flag", "c", marks_missing=True),
    ]
    others = [action(kind, kind) for kind in ("update", "hire_back", "invite", "wait", "flag")]
    assert counted_removals([*removals, *others]) == 3
    held = hold_mass_removal([*removals, *others], limit=2)
    assert [one.held is not None for one in held] == [True] * 3 + [False] * 5


def test_who_counted_when_marked_is_held_with_the_others():
    """D5, D2: not counted again, but a removal all the same."""
    marked = action("dismiss", "marked", counted=False)
    assert counted_removals([marked, *dismissals(3)]) == 3
    assert reasons(guarded([marked, *dismissals(3)])) == {None}
    assert reasons(guarded([marked, *dismissals(4)])) == {H.MASS_REMOVAL}


def test_four_of_four_are_held_and_the_newcomer_is_invited():
    """D5: a limit of 3 in a small company; additions go on."""
    plan = plan_of([person("zoe")], [employee(name) for name in ("ann", "bob", "cid", "dan")])
    assert lines(plan) == [
        *(f"dismiss {name}, held: mass_removal" for name in ("ann", "bob", "cid", "dan")),
        "invite zoe",
    ]


def test_three_are_never_a_mass_removal():
    """D5: at any company size."""
    plan = plan_of([], [employee(name) for name in ("ann", "bob", "cid")])
    assert lines(plan) == ["dismiss ann", "dismiss bob", "dismiss cid"]


def test_who_is_protected_uses_up_nobody_elses_limit():
    """D4, D5: they are held by themselves, and leave only when somebody decides."""
    staff = [employee(f"a{n}", protected=True) for n in range(5)] + [employee("bob")]
    plan = plan_of([], staff)
    assert lines(plan)[-1] == "dismiss bob"
    assert {one.held for one in plan} == {H.PROTECTED, None}


def test_a_bad_week_holds_tonight():
    """D5: two tonight, two in the days before, and three are allowed."""
    plan = plan_of([], [employee("ann"), employee("bob")], removed_recently=2)
    assert {one.held for one in plan} == {H.ROLLING_SHARE}


def test_an_unproven_reading_still_invites():
    """R2, D5: additions go on."""
    plan = plan_of([person("zoe")], [employee("ann")], removals_proven=False)
    assert lines(plan) == ["dismiss ann, held: unproven", "invite zoe"]


def test_only_people_with_a_seat_make_the_company_larger():
    """D5: the percentage is of the source's seated people."""
    half = Policy(dismiss_percent=50, rolling_percent=100, missing_grace_nights=0)
    gone = [employee(f"gone{n}") for n in range(4)]
    stay = [employee(f"stay{n}") for n in range(4)]
    former = [employee(f"former{n}", "dismissed") for n in range(4)]
    people = [person(f"stay{n}") for n in range(4)]
    assert not plan_of(people, gone + stay, policy=half).held
    fewer = plan_of(people[1:], gone + stay[1:] + former, policy=half)
    assert len(fewer.held) == 4


@given(seated=st.integers(0, 3_000), percent=percents, count=st.none() | st.integers(0, 200))
@example(seated=2_750, percent=2.8, count=None)
@example(seated=60, percent=5.0, count=None)
@example(seated=79, percent=5.0, count=None)
@example(seated=80, percent=5.0, count=None)
def test_the_limit_is_exact_at_any_company_size(seated, percent, count):
    """D5: max(3, min(count, percent of the seated)); as many are let go, one more is held."""
    exact = int(Fraction(str(percent)) * seated / 100)
    limit = max(3, exact if count is None else min(count, exact))
    policy = Policy(dismiss_percent=percent, dismiss_count=count, rolling_percent=100)
    assert policy.removal_limit(seated) == limit
    leaving = dismissals(limit + 1, counted=True)
    assert reasons(guarded(leaving[1:], policy=policy, seated=seated)) == {None}
    assert reasons(guarded(leaving, policy=policy, seated=seated)) == {H.MASS_REMOVAL}


@given(seated=st.integers(0, 3_000), percent=percents, recently=st.integers(0, 100))
@example(seated=2_700, percent=2.8, recently=50)
def test_the_weekly_share_is_exact_at_any_company_size(seated, percent, recently):
    """D5: of everybody who was seated when the week began."""
    limit = max(3, int(Fraction(str(percent)) * (seated + recently) / 100))
    policy = Policy(dismiss_percent=100, rolling_percent=percent)
    assert policy.rolling_limit(seated + recently) == limit
    leaving = dismissals(max(0, min(limit - recently, seated)) + 1)

    def week(tonight):
        return reasons(guarded(tonight, policy=policy, seated=seated, recently=recently))

    assert week(leaving[1:]) <= {None}
    if recently + len(leaving) > limit and len(leaving) <= max(3, seated):
        assert week(leaving) == {H.ROLLING_SHARE}


def updates(number, name="mail", old="before", new="after"):
    """So many people of whom one attribute became another."""
    change = FieldChange(name, old, new)
    return [action("update", f"p{n:04}", changes=(change,)) for n in range(number)]


@pytest.mark.parametrize(
    ("changed", "people", "held"),
    [
        (updates(3, new=None), 9, False),
        (updates(4, new=None), 9, True),
        (updates(50, new=None), 1_000, False),
        (updates(51, new=None), 1_000, True),
        (updates(10), 12, False),
        (updates(11), 12, True),
        (updates(50), 1_000, False),
        (updates(51), 1_000, True),
        (updates(900, old=None), 1_000, False),
        (updates(900, name="where"), 1_000, False),
        (updates(900, name="manager"), 1_000, False),
        (updates(900, name="manager", new=None), 1_000, True),
        (updates(30) + updates(30, name="title"), 1_000, False),
    ],
)
def test_an_attribute_that_is_another_for_too_many_at_once_holds_the_run(changed, people, held):
    """R1, promise 8: mail hidden by a right, a broken export; new values and places are none."""
    newcomer = action("invite", "new")
    guarded = guard_attributes([*changed, newcomer], people=people)
    assert reasons(guarded) == {H.ATTRIBUTES if held else None}


def test_what_was_held_for_another_reason_keeps_it():
    """The first reason that holds an action stays with it."""
    protected = action("dismiss", "ann", held=H.PROTECTED)
    guarded = guard_attributes([*updates(20, new=None), protected], people=20)
    assert guarded[-1].held is H.PROTECTED


def test_the_attributes_that_are_too_many_are_named():
    """An administrator reads which, and of how many people."""
    mixed = [*updates(12, "mail", new=None), *updates(11, "title"), *updates(2, "phone")]
    changes = [change for action in mixed for change in action.changes]
    assert suspicious_attributes(changes, people=100) == {"mail": 12, "title": 11}


def test_a_plan_without_the_mail_of_many_is_held_as_a_whole():
    """R1: nothing of such a run is done, its newcomers included."""
    known = [employee(name, "active") for name in ("ann", "bob", "cid", "dan")]
    hidden = [person(name, mail=None) for name in ("ann", "bob", "cid", "dan")]
    assert lines(plan_of([*hidden, person("eve")], known)) == [
        *(f"update {name}, held: attributes" for name in ("ann", "bob", "cid", "dan")),
        "invite eve, held: attributes",
    ]
