"""Departures: who leaves, when the grace is over, and who is out of reach (D1-D4)."""

from datetime import timedelta

import pytest

from provisioning.domain.actions import ActionKind, HoldReason
from provisioning.domain.employees import EmployeeState
from provisioning.domain.policy import Policy
from tests.kit.domain import (
    NOW,
    TODAY,
    YESTERDAY,
    context,
    employee,
    lines,
    only,
    person,
    plan_of,
)

DISABLED = person("ann", active=False, inactive_reason="locked in corp")
ONE_NIGHT = Policy(missing_grace_nights=1, disabled_grace_nights=1)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (EmployeeState.ACTIVE, "dismiss"),
        (EmployeeState.AWAITING_CONFIRMATION, "dismiss"),
        (EmployeeState.INVITED, "revoke"),
        (EmployeeState.WAITING, "revoke"),
    ],
)
@pytest.mark.parametrize("entry", [(), (DISABLED,)], ids=["gone", "disabled"])
def test_who_left_or_is_disabled_is_dismissed_or_loses_the_invitation(entry, state, kind):
    """D1: gone from a complete snapshot, or disabled; a departure never fails."""
    plan = plan_of(entry, [employee("ann", state)])
    assert lines(plan) == [f"{kind} ann"]
    assert only(plan).reason == ("disabled" if entry else "left")
    assert only(plan).counted


def test_a_departure_says_what_the_directory_said():
    """S4, D1: the reason of the entry, else the fact itself."""
    assert str(only(plan_of([], [employee("ann")])).because) == "no longer in corp (D1)"
    assert str(only(plan_of([DISABLED], [employee("ann")])).because) == "locked in corp (D1)"
    silent = person("ann", active=False)
    assert str(only(plan_of([silent], [employee("ann")])).because) == "disabled in corp (D1)"


def test_whose_account_has_expired_leaves_although_the_entry_says_active():
    """D1: time alone ends an account."""
    expired = person("ann", active_until=NOW)
    assert lines(plan_of([expired], [employee("ann")])) == ["dismiss ann"]
    not_yet = person("ann", active_until=NOW + timedelta(seconds=1))
    assert lines(plan_of([not_yet], [employee(not_yet)])) == []


def test_the_disabled_entry_is_remembered_and_the_missing_one_has_none():
    """D1: what the removal rests on."""
    assert only(plan_of([DISABLED], [employee("ann")])).person == DISABLED
    assert only(plan_of([DISABLED], [employee("ann")])).raw_hash
    assert only(plan_of([], [employee("ann")])).person is None


def test_somebody_of_whom_nothing_was_applied_leaves_by_the_name_they_show():
    """D1: the name people recognise is all there is."""
    nameless = employee("ann", applied="", display_name="Ann Weber")
    assert lines(plan_of([], [nameless])) == ["dismiss Ann Weber"]
    assert lines(plan_of([], [nameless], policy=ONE_NIGHT)) == [
        "flag Ann Weber missing_from_source"
    ]


@pytest.mark.parametrize("entry", [(), (DISABLED,)], ids=["gone", "disabled"])
def test_the_first_night_of_grace_only_marks_who_is_missing(entry):
    """D2: missing is not gone; the mark counts tonight."""
    plan = plan_of(entry, [employee("ann")], policy=ONE_NIGHT)
    assert lines(plan) == ["flag ann missing_from_source"]
    mark = only(plan)
    assert (mark.marks_missing, mark.counted, mark.is_removal) == (True, True, True)
    assert mark.because.rule == "D2"
    assert mark.because.text.endswith("leaves in 1 night(s) unless back")


def test_the_same_night_does_not_end_the_grace():
    """D2, R3: planning again on the day of the mark is nothing."""
    marked = employee("ann", missing_since=TODAY)
    assert lines(plan_of([], [marked], policy=ONE_NIGHT)) == []


@pytest.mark.parametrize("nights", [1, 2, 14])
def test_after_the_nights_of_grace_they_leave_and_do_not_count_again(nights):
    """D2, D5: they counted on the night they went missing."""
    policy = Policy(missing_grace_nights=nights)
    early = employee("ann", missing_since=TODAY - timedelta(days=nights - 1))
    assert lines(plan_of([], [early], policy=policy)) == []
    due = employee("ann", missing_since=TODAY - timedelta(days=nights), missing_counted=True)
    plan = plan_of([], [due], policy=policy)
    assert lines(plan) == ["dismiss ann"]
    assert not only(plan).counted


def test_back_in_time_nothing_happened():
    """D2: the mark is all there was."""
    marked = employee("ann", missing_since=YESTERDAY)
    assert lines(plan_of([person("ann")], [marked], policy=ONE_NIGHT)) == []


def test_missing_and_disabled_have_a_grace_each():
    """D2: the default is 0 nights for disabled, 1 night for missing."""
    default = Policy()
    assert lines(plan_of([DISABLED], [employee("ann")], policy=default)) == ["dismiss ann"]
    assert lines(plan_of([], [employee("ann")], policy=default)) == ["flag ann missing_from_source"]
    patient = Policy(missing_grace_nights=0, disabled_grace_nights=1)
    assert lines(plan_of([], [employee("ann")], policy=patient)) == ["dismiss ann"]
    assert lines(plan_of([DISABLED], [employee("ann")], policy=patient)) == [
        "flag ann missing_from_source"
    ]


def test_whom_another_source_vouches_for_is_only_marked():
    """D3: with several sources, all of them have to let go."""
    shared = employee("ann", authoritative=False, other_sources=1)
    plan = plan_of([], [shared])
    assert lines(plan) == ["flag ann missing_from_source"]
    assert not only(plan).counted
    assert str(only(plan).because) == "no longer in corp; another source still vouches (D3)"


@pytest.mark.parametrize("nights", [0, 1])
def test_the_mark_of_somebody_vouched_for_elsewhere_never_ends_in_a_dismissal(nights):
    """D3: however long it has been."""
    long_ago = employee(
        "ann", authoritative=False, other_sources=1, missing_since=TODAY - timedelta(days=99)
    )
    assert lines(plan_of([], [long_ago], policy=Policy(missing_grace_nights=nights))) == []


@pytest.mark.parametrize(
    "link", [{"authoritative": True, "other_sources": 1}, {"authoritative": False}]
)
def test_the_authoritative_or_last_source_has_the_say(link):
    """D3: the authoritative source says so, or all of them do."""
    assert lines(plan_of([], [employee("ann", **link)])) == ["dismiss ann"]


def test_who_was_marked_while_somebody_else_vouched_counts_on_leaving():
    """D3, D5: that mark counted in no night, so the departure does; forty at once are held."""
    marked = [employee(f"p{n}", missing_since=YESTERDAY) for n in range(40)]
    assert {one.held for one in plan_of([], marked)} == {HoldReason.MASS_REMOVAL}


def test_the_nights_of_grace_begin_with_the_last_source_that_let_go():
    """D2, D3: marked here for long, and elsewhere only tonight."""
    facts = {"authoritative": False, "missing_since": TODAY - timedelta(days=99)}
    tonight = employee("ann", **facts, other_missing_since=TODAY)
    assert lines(plan_of([], [tonight], policy=ONE_NIGHT)) == []
    yesterday = employee("ann", **facts, other_missing_since=YESTERDAY)
    assert lines(plan_of([], [yesterday], policy=ONE_NIGHT)) == ["dismiss ann"]


@pytest.mark.parametrize("state", ["active", "invited", "waiting"])
def test_a_protected_employee_is_never_dismissed_by_a_run(state):
    """D4: administrators and the owner of the integration: held."""
    plan = plan_of([], [employee("ann", state, protected=True)])
    assert only(plan).held is HoldReason.PROTECTED


@pytest.mark.parametrize("name", ["ann", "ann@corp.example", "id-of-ann"])
def test_the_break_glass_list_knows_people_by_name_address_or_id(name):
    """D4: the list is the policy's, not the registry's."""
    ann = person("id-of-ann", user_name="ann", mail="ann@corp.example")
    listed = Policy(missing_grace_nights=0, protected=frozenset({name}))
    assert lines(plan_of([], [employee(ann)], policy=listed)) == ["dismiss ann, held: protected"]


@pytest.mark.parametrize("name", ["ann", "ann@corp.example", "zz-left", "zz@corp.example"])
def test_a_new_name_on_the_last_day_does_not_take_protection_away(name):
    """D4: whoever renames and disables an entry at once renames somebody who is protected."""
    renamed = person("ann", user_name="zz-left", mail="zz@corp.example", active=False)
    listed = Policy(protected=frozenset({name}))
    plan = plan_of([renamed], [employee("ann")], policy=listed)
    assert lines(plan) == ["dismiss zz-left, held: protected"]


def test_somebody_protected_may_be_missed_but_not_dismissed():
    """D2, D4: the mark is no dismissal."""
    plan = plan_of([], [employee("ann", protected=True)], policy=ONE_NIGHT)
    assert lines(plan) == ["flag ann missing_from_source"]
    due = employee("ann", protected=True, missing_since=YESTERDAY)
    assert lines(plan_of([], [due], policy=ONE_NIGHT)) == ["dismiss ann, held: protected"]


def test_nobody_else_is_protected():
    """D4: a list that names others stops no departure."""
    listed = Policy(missing_grace_nights=0, protected=frozenset({"bob"}))
    assert lines(plan_of([], [employee("ann")], policy=listed)) == ["dismiss ann"]
    assert only(plan_of([], [employee("ann", applied="")])).kind is ActionKind.DISMISS


def test_a_grace_is_counted_in_local_dates():
    """D2: the context says what day it is in the intranet."""
    marked = employee("ann", missing_since=context().today)
    tomorrow = context().today + timedelta(days=1)
    assert lines(plan_of([], [marked], policy=ONE_NIGHT, today=tomorrow)) == ["dismiss ann"]


def test_changes_alone_mark_and_never_remove_who_is_gone():
    """D1, D2, R6: only a complete reading says that somebody left, whatever the grace."""
    gone = employee("ann")
    (mark,) = plan_of([], [gone], complete=False)
    assert (mark.kind, mark.marks_missing) == (ActionKind.FLAG, True)
    assert str(mark.because) == (
        "no longer in corp; leaves with the next complete reading unless back (D2)"
    )
    marked = employee("ann", missing_since=YESTERDAY)
    assert lines(plan_of([], [marked], complete=False)) == []
    assert lines(plan_of([], [marked])) == ["dismiss ann"]


def test_changes_dismiss_whom_the_directory_disabled():
    """D1: an entry that says so is word enough."""
    disabled = person("ann", active=False)
    assert lines(plan_of([disabled], [employee("ann")], complete=False)) == ["dismiss ann"]
