"""What new facts do to people who have not joined: invited, lapsed, in the line (I1, I4, I5)."""

import pytest

from provisioning.domain.deciding import must_invite_anew
from provisioning.domain.employees import WaitingReason
from provisioning.domain.policy import Policy
from tests.kit.domain import employee, lines, only, person, plan_of, unchanged

ANN = person("ann")
OUR_DOMAIN = Policy(missing_grace_nights=0, verified_domains=("corp.example",))


def test_an_invited_person_who_moves_to_a_foreign_domain_is_not_written_to_there():
    """I5, I1: the old invitation is over, and nobody may be written to at the new address."""
    invited = employee("ann", "invited")
    foreign = person("ann", mail="ann@elsewhere.example")
    plan = plan_of([foreign], [invited], policy=OUR_DOMAIN)
    assert lines(plan) == ["flag ann unverified_domain"]
    assert [change.name for change in only(plan).changes] == ["mail"]
    assert lines(plan_of([foreign], [invited])) == ["update ann"]


def test_a_mail_that_is_taken_away_leaves_the_invitation_as_it_is():
    """I5: the old address may still be read; an attribute hidden from everyone revokes nothing."""
    plan = plan_of([person("ann", mail=None)], [employee("ann", "invited")])
    assert lines(plan) == ["update ann"]


def test_an_adoption_invites_nobody_anew():
    """P5: linking writes no contact e-mail and no letter, whatever address the entry has."""
    known = must_invite_anew(
        person("ann", mail="x@corp.example"), (), "invited", "ann@corp.example"
    )
    assert not known


@pytest.mark.parametrize(
    ("reason", "bound", "expected"),
    [
        ("no_seat", False, ["flag ann no_usable_address"]),
        ("hired_back", False, ["flag ann no_usable_address"]),
        ("hired_back", True, ["update ann"]),
    ],
)
def test_who_loses_the_address_in_the_line_waits_for_an_address(reason, bound, expected):
    """I1, L3: a free seat could not serve them, unless they have an account already."""
    waiting = employee("ann", "waiting", state_reason=reason, bound=bound)
    assert lines(plan_of([person("ann", mail=None)], [waiting])) == expected


def lapsed(name="ann"):
    """Somebody whose invitation expired."""
    return employee(name, "waiting", state_reason=WaitingReason.LAPSED.value)


def test_a_new_fact_brings_somebody_who_lapsed_back():
    """I4: the source says something new, so there is a reason to write again."""
    plan = plan_of([person("ann", department="Sales")], [lapsed()])
    assert lines(plan) == ["invite ann"]
    assert only(plan).employee is not None


def test_without_a_new_fact_somebody_who_lapsed_is_not_invited_again():
    """I4: a run must not loop."""
    assert lines(plan_of([ANN], [lapsed()])) == []
    assert lines(plan_of([unchanged("ann")], [lapsed()])) == []


def test_a_new_fact_that_takes_the_address_away_is_a_finding():
    """I4, I1: they would be invited, but there is nowhere to write to."""
    plan = plan_of([person("ann", mail=None)], [lapsed()])
    assert lines(plan) == ["flag ann no_usable_address"]


@pytest.mark.parametrize("reason", [WaitingReason.NO_SEAT, WaitingReason.HIRED_BACK])
def test_news_about_somebody_in_the_line_keeps_their_place(reason):
    """L3: a free seat serves them, not a changed department."""
    waiting = employee("ann", "waiting", state_reason=reason.value)
    assert lines(plan_of([person("ann", department="Sales")], [waiting])) == ["update ann"]


def test_who_was_taken_out_of_the_line_is_not_brought_back_by_news():
    """L3: an administrator said so; what the source says of them is written all the same."""
    out = employee("ann", "waiting", state_reason=WaitingReason.TAKEN_OUT.value)
    assert lines(plan_of([person("ann", department="Sales")], [out])) == ["update ann"]
    assert lines(plan_of([person("ann", mail=None)], [out])) == ["update ann"]
    assert lines(plan_of([ANN], [out])) == []


def test_an_address_at_last_is_an_invitation():
    """I1: who waited for an address is invited as soon as there is one."""
    without = person("ann", mail=None)
    waiting = employee(without, "waiting", state_reason="no_usable_address")
    assert lines(plan_of([ANN], [waiting])) == ["invite ann"]


def test_a_domain_that_is_verified_at_last_is_an_invitation():
    """I1: the policy changed, the entry did not."""
    waiting = employee("ann", "waiting", state_reason="unverified_domain")
    assert lines(plan_of([ANN], [waiting], policy=OUR_DOMAIN)) == ["invite ann"]


def test_somebody_who_still_has_no_address_is_not_reported_twice():
    """I1, R3: the finding is open already; other news is an update."""
    without = person("ann", mail=None)
    waiting = employee(without, "waiting", state_reason="no_usable_address")
    assert lines(plan_of([without], [waiting])) == []
    newer = person("ann", mail=None, department="Sales")
    assert lines(plan_of([newer], [waiting])) == ["update ann"]


def test_the_reason_for_waiting_follows_the_facts():
    """I1: an address came, but outside the verified domains."""
    waiting = employee(person("ann", mail=None), "waiting", state_reason="no_usable_address")
    foreign = person("ann", mail="ann@elsewhere.example")
    plan = plan_of([foreign], [waiting], policy=OUR_DOMAIN)
    assert lines(plan) == ["flag ann unverified_domain"]
