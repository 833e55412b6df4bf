"""From two snapshots and a policy to a plan: a test per row of the table of planning."""

import json
from datetime import timedelta

import pytest

from provisioning.domain.actions import ActionKind, FieldChange
from provisioning.domain.employees import EmployeeState, WaitingReason
from provisioning.domain.findings import FindingKind
from provisioning.domain.planning import plan_one
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats
from tests.kit.domain import (
    AT_ONCE,
    NOW,
    context,
    employee,
    lines,
    only,
    person,
    plan_of,
    staged,
    unchanged,
    unreadable,
)

ANN = person("ann")
OUR_DOMAIN = Policy(verified_domains=("corp.example",), missing_grace_nights=0)


def test_a_newcomer_is_invited_at_the_corporate_address():
    """I1, P7: nobody knows them, the directory gives an address."""
    plan = plan_of([ANN])
    assert lines(plan) == ["invite ann"]
    assert only(plan).person == ANN
    assert str(only(plan).because) == (
        "new in corp, ann@corp.example is the corporate address (I1)"
    )
    assert (plan.read, plan.unchanged) == (1, 0)


def test_a_newcomer_without_an_address_is_not_invited():
    """I1: no usable address, no invitation, a finding."""
    plan = plan_of([person("ann", mail=None)])
    assert lines(plan) == ["flag ann no_usable_address"]
    assert only(plan).reason == WaitingReason.NO_USABLE_ADDRESS


def test_a_newcomer_at_a_foreign_domain_is_not_invited():
    """I1: domains are named and this is none of them."""
    foreign = person("ann", mail="ann@elsewhere.example")
    plan = plan_of([foreign], policy=OUR_DOMAIN)
    assert lines(plan) == ["flag ann unverified_domain"]
    assert only(plan).reason == WaitingReason.UNVERIFIED_DOMAIN
    assert lines(plan_of([foreign])) == ["invite ann"]
    assert lines(plan_of([ANN], policy=OUR_DOMAIN)) == ["invite ann"]


@pytest.mark.parametrize("change", [{"active": False}, {"active_until": NOW}])
def test_a_newcomer_who_is_disabled_or_expired_is_nobody(change):
    """P7, D1: who may not work is not invited."""
    plan = plan_of([person("ann", **change)])
    assert (lines(plan), plan.read, plan.unchanged) == ([], 1, 1)


def test_somebody_whose_account_ends_later_is_invited_until_then():
    """D1: the end counts when it comes."""
    assert lines(plan_of([person("ann", active_until=NOW + timedelta(seconds=1))])) == [
        "invite ann"
    ]


@pytest.mark.parametrize("state", list(EmployeeState))
def test_somebody_who_is_as_they_were_is_left_alone(state):
    """R3: whatever their state, an entry that did not change asks for nothing."""
    plan = plan_of([unchanged("ann")], [employee("ann", state)])
    assert (lines(plan), plan.read, plan.unchanged) == ([], 1, 1)


def test_an_entry_that_was_read_again_and_says_the_same_is_nothing():
    """R3: mapped once more, no field differs."""
    plan = plan_of([ANN], [employee("ann")])
    assert (lines(plan), plan.unchanged) == ([], 1)


def test_renames_and_moves_are_updates_of_the_same_employee():
    """P1: the link by directory id decides; user name, address and place are only fields."""
    moved = person("ann", user_name="anna", mail="anna@corp.example", where="ou=Berlin")
    plan = plan_of([moved], [employee("ann")])
    assert lines(plan) == ["update anna"]
    assert only(plan).changes == (
        FieldChange("mail", "ann@corp.example", "anna@corp.example"),
        FieldChange("user_name", "ann", "anna"),
        FieldChange("where", None, "ou=Berlin"),
    )
    assert str(only(plan).because) == "corp changed mail, user_name, where (P1)"


def test_somebody_with_a_link_is_never_looked_up_by_their_keys():
    """P1: a link decides, even if a key now points at somebody else."""

    def forbidden(_):
        raise AssertionError("a linked person was looked up")

    changed = person("ann", user_name="bob")
    assert lines(plan_of([changed], [employee("ann")], hits=forbidden)) == ["update bob"]


def test_why_somebody_was_inactive_is_no_difference():
    """P1: words about the past ask for nothing."""
    before = json.dumps({**ANN.to_json(), "inactive_reason": "disabled in corp"})
    assert lines(plan_of([ANN], [employee("ann", applied=before)])) == []


def test_somebody_of_whom_nothing_was_applied_yet_is_updated():
    """P1: everything the source says is new."""
    (action,) = plan_of([ANN], [employee("ann", applied="")])
    assert action.kind is ActionKind.UPDATE
    assert {change.old for change in action.changes} == {None}


def test_a_new_address_before_acceptance_is_invited_anew():
    """I5: the because says so, and whoever applies it asks the same question."""
    moved = person("ann", mail="weber@corp.example")
    plan = plan_of([moved], [employee("ann", "invited")])
    assert lines(plan) == ["update ann"]
    assert only(plan).because.rule == "I5"


@pytest.mark.parametrize(
    ("state", "invited_at", "mail"),
    [
        ("active", "ann@corp.example", "weber@corp.example"),
        ("invited", None, "weber@corp.example"),
        ("invited", "ann@corp.example", "Ann@Corp.example"),
        ("invited", "ann@corp.example", None),
    ],
)
def test_other_news_about_the_address_sends_no_second_letter(state, invited_at, mail):
    """I5: accepted, never written to, the same address in other letters, no address at all."""
    known = employee("ann", state, invited_address=invited_at)
    (action,) = plan_of([person("ann", mail=mail)], [known])
    assert (action.kind, action.because.rule) == (ActionKind.UPDATE, "P1")


def test_an_entry_nobody_can_read_is_a_finding_and_no_departure():
    """E3: the others are served, this one is looked at, and nobody leaves for it."""
    known = plan_of([unreadable("ann")], [employee("ann")])
    assert lines(known) == ["flag Ann unreadable_entry"]
    assert only(known).employee is not None
    assert not only(known).is_removal
    unknown = plan_of([unreadable("ann")])
    assert lines(unknown) == ["flag ann unreadable_entry"]
    assert str(only(unknown).because) == "cn: is not valid text (E3)"


def test_an_unreadable_entry_is_reported_once():
    """E3, R3: what was said is not said again."""
    flagged = frozenset({(FindingKind.UNREADABLE_ENTRY.value, "ann")})
    assert lines(plan_of([unreadable("ann")], [employee("ann")], flagged=flagged)) == []


def test_an_unlinked_entry_that_did_not_change_is_nothing():
    """R3: it was looked at, and nothing came of it."""
    assert lines(plan_of([unchanged("ann")])) == []


def test_people_of_both_snapshots_are_matched_by_their_ids():
    """R1, P1: newcomers, known people and leavers, before, between and after each other."""
    people = [person(name) for name in ("ada", "bob", "dan", "zoe")]
    staff = [employee(name) for name in ("ann", "bob", "cid", "dan", "yan")]
    plan = plan_of(people, staff)
    assert lines(plan) == ["dismiss ann", "dismiss cid", "dismiss yan", "invite ada", "invite zoe"]
    assert (plan.read, plan.unchanged) == (4, 2)


def test_planning_twice_is_planning_once():
    """R1, R3: a pure function of what it was given."""
    given = ([ANN, person("bob", department="Sales")], [employee("bob"), employee("cid")])
    assert plan_of(*given) == plan_of(*given)
    assert plan_of(*given).digest() == plan_of(*given).digest()


def test_one_person_alone_gets_what_a_run_would_give_them():
    """S3: a request and a run go by the same rules."""
    for here, there in [(ANN, None), (None, employee("ann")), (ANN, employee("ann", "dismissed"))]:
        people = [here] if here else []
        staff = [there] if there else []
        alone = plan_one(staged(here) if here else None, there, context())
        assert alone == plan_of(people, staff)


def test_one_person_alone_waits_like_anybody_when_there_is_no_seat():
    """S3, L2, L3: a request has no door of its own past the licence."""
    full = context(seats=Seats(taken=1, limit=1))
    assert lines(plan_one(staged(ANN), None, full)) == ["wait ann no_seat"]


def test_nobody_at_all_is_an_empty_plan():
    """S3: a request about somebody unknown who is gone asks for nothing."""
    plan = plan_one(None, None, context(policy=AT_ONCE))
    assert (len(plan), plan.read, plan.unchanged) == (0, 0, 1)
