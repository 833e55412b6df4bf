"""Which employee an unlinked person is: one, none, or nobody can tell (P)."""

import pytest

from provisioning.domain.actions import ActionKind
from provisioning.domain.correlation import (
    Disputed,
    Hit,
    Linked,
    Newcomer,
    correlate,
)
from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import FindingKind
from provisioning.domain.keys import STRONG_KEYS, CorrelationKey
from provisioning.domain.matching import Queued, evidence_of
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats
from tests.kit.domain import employee, employee_id, hit_of, lines, person, plan_of

K = CorrelationKey
ANN = person("ann")
STRICT, TRUSTING = Policy(), Policy(link_weak_keys=True)
WEAK_KEYS = [key for key in K if key not in STRONG_KEYS]


def hit(name="zoe", key=K.EMPLOYEE_NUMBER, **values):
    """An employee with the same key."""
    return hit_of(employee(name), key=key, **values)


RIVAL = Hit(key=K.EMPLOYEE_NUMBER, name="Yan", employee_id=None, anchor="yan")


@pytest.mark.parametrize("policy", [STRICT, TRUSTING])
def test_whom_nobody_resembles_is_a_newcomer(policy):
    """P7: no hit."""
    assert correlate([], policy) == Newcomer()


@pytest.mark.parametrize("key", sorted(STRONG_KEYS))
def test_one_employee_with_a_strong_key_is_the_same_human(key):
    """P2: own past resource or employee number, whatever the policy says of weak keys."""
    assert correlate([hit(key=key)], STRICT) == Linked(hit(key=key), (key,))
    protected = hit(key=key, protected=True)
    assert correlate([protected], STRICT) == Linked(protected, (key,))


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_one_employee_with_a_weak_key_is_the_same_human_if_the_policy_says_so(key):
    """P2: user name or mail."""
    assert correlate([hit(key=key)], TRUSTING) == Linked(hit(key=key), (key,))


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_a_weak_key_alone_goes_to_the_matching_queue(key):
    """P2: by default a name that was given before proves nothing."""
    disputed = correlate([hit(key=key)], STRICT)
    assert isinstance(disputed, Disputed)
    assert disputed.sentence == f"Zoe has the same {key.replace('_', ' ')}"


@pytest.mark.parametrize("key", WEAK_KEYS)
@pytest.mark.parametrize("fact", ["protected", "linked_here", "known_here"])
def test_a_weak_key_takes_over_nobody_who_is_protected_or_linked(key, fact):
    """P2, D4: even if the policy trusts weak keys."""
    assert isinstance(correlate([hit(key=key, **{fact: True})], TRUSTING), Disputed)


@pytest.mark.parametrize("key", sorted(STRONG_KEYS))
def test_a_strong_key_survives_the_old_entry(key):
    """P2: a directory that was rebuilt gives everybody another id."""
    assert isinstance(correlate([hit(key=key, known_here=True)], STRICT), Linked)


@pytest.mark.parametrize("key", K)
def test_nobody_is_taken_over_from_another_present_person(key):
    """P3: two people of one source would be one employee."""
    assert isinstance(correlate([hit(key=key, linked_here=True)], TRUSTING), Disputed)


@pytest.mark.parametrize("keys", [(K.EMPLOYEE_NUMBER, K.EMPLOYEE_NUMBER), (K.USER_NAME, K.MAIL)])
def test_two_employees_by_the_same_or_by_different_keys_are_disputed(keys):
    """P3: nothing is written, and the sentence names both."""
    hits = [hit("zoe", key=keys[0]), hit("yan", key=keys[1])]
    disputed = correlate(hits, TRUSTING)
    assert isinstance(disputed, Disputed)
    assert disputed.hits == tuple(hits)
    assert "Zoe has the same" in disputed.sentence
    assert "Yan has the same" in disputed.sentence


def test_another_newcomer_with_the_same_number_is_a_dispute():
    """P3: which of the two the number belongs to, only the directory knows."""
    assert isinstance(correlate([RIVAL], TRUSTING), Disputed)
    assert isinstance(correlate([RIVAL, hit()], TRUSTING), Disputed)


def test_one_employee_by_several_keys_is_one_employee_and_all_keys_are_evidence():
    """P2, P5: the strongest first; a strong one among weak ones is enough."""
    hits = [hit(key=K.MAIL), hit(key=K.EMPLOYEE_NUMBER), hit(key=K.MAIL)]
    assert correlate(hits, STRICT) == Linked(hits[0], (K.EMPLOYEE_NUMBER, K.MAIL))


def test_a_name_is_no_key():
    """P4: names never link."""
    assert set(K) == {"past_resource", "employee_number", "user_name", "mail"}


def test_who_is_recognised_becomes_the_same_employee():
    """P2, P5: a link with its evidence, no invitation, no address written."""
    (action,) = plan_of([ANN], hits=lambda _: [hit()])
    assert (action.kind, action.held, action.changes) == (ActionKind.UPDATE, None, ())
    assert action.employee.id == employee_id("zoe")
    assert str(action.because) == "is Zoe by employee number (P2)"


def test_who_is_recognised_and_was_dismissed_here_is_hired_back():
    """P2, S6: the reborn entry of somebody who left."""
    gone = hit(state=EmployeeState.DISMISSED, dismissed_by="corp")
    (action,) = plan_of([ANN], hits=lambda _: [gone])
    assert (action.kind, action.held) == (ActionKind.HIRE_BACK, None)
    assert str(action.because) == "is Zoe by employee number; active again in corp (P2)"


def test_who_is_recognised_and_was_dismissed_elsewhere_is_linked_but_stays_out():
    """P2, S7: the link is made, the return is held, and the next reading sees it again."""
    gone = hit(state=EmployeeState.DISMISSED, dismissed_by="hr")
    plan = plan_of([ANN], hits=lambda _: [gone])
    assert lines(plan) == ["update ann", "hire_back ann, held: authority"]
    assert plan.actions[0].because.rule == "P2"
    assert plan.actions[0].raw_hash == ""


def test_who_is_recognised_and_has_neither_account_nor_address_is_a_finding():
    """P2, S6, I1: linked, but there is nowhere to write to."""
    gone = hit(state=EmployeeState.DISMISSED, dismissed_by="corp", bound=False)
    (action,) = plan_of([person("ann", mail=None)], hits=lambda _: [gone])
    assert (action.finding, action.because.rule) == (FindingKind.NO_USABLE_ADDRESS, "P2")


def test_who_is_recognised_while_waiting_is_looked_at_again_by_the_next_reading():
    """P2, I1: the new entry may have the address they waited for."""
    for state, remembered in ((EmployeeState.WAITING, False), (EmployeeState.INVITED, True)):
        (action,) = plan_of([ANN], hits=lambda _, state=state: [hit(state=state)])
        assert action.kind is ActionKind.UPDATE
        assert bool(action.raw_hash) is remembered


def test_nobody_leaves_for_the_old_entry_of_somebody_who_was_just_recognised():
    """P2, D1: a directory that was rebuilt dismisses nobody."""
    taken_over = [hit_of(employee("old"))]
    plan = plan_of([ANN], [employee("old"), employee("yan")], hits=lambda _: taken_over)
    assert lines(plan) == ["dismiss yan", "update ann"]


def test_nobody_leaves_for_the_old_entry_of_somebody_who_waits_for_a_seat():
    """P2, L3: recognised, dismissed before, and there is no seat for the way back."""
    gone = hit_of(employee("old", "dismissed"))
    plan = plan_of([ANN], hits=lambda _: [gone], seats=Seats(taken=1, limit=1))
    assert lines(plan) == ["wait ann hired_back"]
    assert plan.actions[0].employee.id == employee_id("old")


def test_a_dispute_is_a_finding_and_nobody_is_invited():
    """P3: the matching queue."""
    (action,) = plan_of([ANN], hits=lambda _: [RIVAL])
    assert (action.kind, action.finding) == (ActionKind.FLAG, FindingKind.DUPLICATE_PERSON)
    assert action.employee is None
    assert action.because.text == "Yan has the same employee number; nobody was invited"


def test_a_dispute_is_reported_once():
    """P3, R3: what was said is not said again."""
    asked = correlate([RIVAL], STRICT)
    assert isinstance(asked, Disputed)
    queue = {"ann": Queued(evidence=evidence_of(asked.candidates))}
    assert lines(plan_of([ANN], hits=lambda _: [RIVAL], queue=queue)) == []
    assert lines(plan_of([ANN], hits=lambda _: [], queue=queue)) == ["invite ann"]


def test_who_is_disabled_is_not_even_looked_up():
    """P7: nobody is linked to an entry that vouches for nobody."""
    disabled = person("ann", active=False)
    assert lines(plan_of([disabled], hits=lambda _: [hit()])) == []


def test_only_an_employee_can_be_recognised():
    """P2: an answer that names an employee without a state is a mistake of ours."""
    with pytest.raises(ValueError, match="only an employee can be linked"):
        plan_of([ANN], hits=lambda _: [hit(state=None)])
