"""The matching queue in planning: what was asked, and what was decided (P2-P5, R3)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.actions import ActionKind, EmployeeRef
from provisioning.domain.correlation import Disputed, Hit, correlate, keys_of
from provisioning.domain.findings import FindingKind
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.matching import Chosen, Decision, Queued, evidence_of
from provisioning.domain.policy import Policy
from provisioning.domain.seats import Seats
from tests.kit.domain import employee, employee_id, hit_of, lines, only, person, plan_of

K = CorrelationKey
ANN = person("ann", employee_number="7")
ZOE = hit_of(employee("zoe"), key=K.MAIL)
YAN = Hit(key=K.EMPLOYEE_NUMBER, name="Yan", employee_id=None, anchor="yan")


def asked(*hits):
    """The queue after these hits were disputed."""
    disputed = correlate(hits, Policy())
    assert isinstance(disputed, Disputed)
    return {"ann": Queued(evidence=evidence_of(disputed.candidates))}


def decided(decision, chosen=None, **facts):
    """The queue after anna decided."""
    return {"ann": Queued(decision=decision, by="anna", chosen=chosen, **facts)}


def chosen(state="active", **facts):
    """Zoe, whom anna named."""
    ref = EmployeeRef(id=employee_id("zoe"), version=1, state=state, bound=facts.pop("bound", True))
    return Chosen(employee=ref, name="Zoe", **facts)


def test_a_question_carries_who_it_may_be_and_why():
    """P3: one candidate a head, all its keys, the strongest first."""
    hits = [ZOE, YAN, replace(ZOE, key=K.USER_NAME)]
    action = only(plan_of([ANN], hits=lambda _: hits))
    assert (action.kind, action.finding) == (ActionKind.FLAG, FindingKind.DUPLICATE_PERSON)
    assert [(one.name, one.keys, one.state) for one in action.candidates] == [
        ("Yan", (K.EMPLOYEE_NUMBER,), ""),
        ("Zoe", (K.USER_NAME, K.MAIL), "active"),
    ]
    assert [(one.employee, one.anchor) for one in action.candidates] == [
        ("", "yan"),
        (str(employee_id("zoe")), ""),
    ]


def test_a_question_is_asked_again_only_when_the_evidence_is_another():
    """R3, P3: another candidate, another key, or a candidate who is taken now."""
    assert lines(plan_of([ANN], hits=lambda _: [ZOE], queue=asked(ZOE))) == []
    for other in ([ZOE, YAN], [replace(ZOE, key=K.USER_NAME)], [replace(ZOE, linked_here=True)]):
        plan = plan_of([ANN], hits=lambda _, other=other: other, queue=asked(ZOE))
        assert lines(plan) == ["flag ann duplicate_person"]


@pytest.mark.parametrize("fact", [{"name": "Zoë"}, {"version": 9}, {"state": "dismissed"}])
def test_a_candidate_who_changes_is_the_same_question(fact):
    """R3: name and state are shown as they are, and nobody is asked twice for them."""
    other = replace(ZOE, **fact) if "state" not in fact else hit_of(employee("zoe", "dismissed"))
    other = replace(other, key=K.MAIL)
    assert lines(plan_of([ANN], hits=lambda _: [other], queue=asked(ZOE))) == []


def test_who_is_ignored_is_left_alone():
    """P5: nothing, whatever they share with whom, and no finding."""
    for hits in ([], [ZOE], [YAN], [hit_of(employee("zoe"))]):
        queue = decided(Decision.IGNORE)
        assert lines(plan_of([ANN], hits=lambda _, hits=hits: hits, queue=queue)) == []


def test_who_was_said_to_be_new_is_invited_whatever_they_share():
    """P5, I1: through the seat gate like every newcomer, and the sentence says who decided."""
    queue = decided(Decision.NEW_PERSON)
    action = only(plan_of([ANN], hits=lambda _: [ZOE], queue=queue))
    assert (action.kind, action.employee, action.decided) == (ActionKind.INVITE, None, True)
    assert str(action.because) == (
        "new in corp, ann@corp.example is the corporate address; "
        "anna decided: nobody here is the same person (P5)"
    )
    full = only(plan_of([ANN], hits=lambda _: [ZOE], queue=queue, seats=Seats(taken=1, limit=1)))
    assert (full.kind, full.decided) == (ActionKind.WAIT, True)
    nowhere = replace(ANN, mail=None)
    assert lines(plan_of([nowhere], queue=queue)) == ["flag ann no_usable_address"]


def test_who_was_said_to_be_an_employee_is_linked_whatever_they_share():
    """P5: no key is asked for, and the evidence is the decision."""
    queue = decided(Decision.SAME_PERSON, chosen())
    action = only(plan_of([ANN], hits=lambda _: [YAN], queue=queue))
    assert (action.kind, action.changes, action.decided) == (ActionKind.UPDATE, (), True)
    assert action.employee.id == employee_id("zoe")
    assert str(action.because) == "is Zoe: anna decided (P5)"


@pytest.mark.parametrize(
    ("who_dismissed", "expected"),
    [
        ("corp", ["hire_back ann"]),
        ("hr", ["update ann", "hire_back ann, held: authority"]),
        (None, ["update ann", "hire_back ann, held: authority"]),
    ],
)
def test_who_they_are_is_one_question_and_whether_they_return_another(who_dismissed, expected):
    """P5, S7: the return of somebody another authority dismissed stays held."""
    queue = decided(Decision.SAME_PERSON, chosen("dismissed", dismissed_by=who_dismissed))
    plan = plan_of([ANN], queue=queue)
    assert lines(plan) == expected
    assert plan.actions[0].because.rule == "P5"


def test_nobody_leaves_for_the_old_entry_of_somebody_who_was_decided_to_be_the_same():
    """P5, D1: the new entry of the same human is in the same reading."""
    queue = decided(Decision.SAME_PERSON, chosen())
    plan = plan_of([ANN], [employee("zoe"), employee("yan")], queue=queue)
    assert lines(plan) == ["dismiss yan", "update ann"]


def test_a_decision_about_somebody_who_is_disabled_does_nothing():
    """P5: what is honoured is honoured for those who are vouched for."""
    for decision, named in ((Decision.NEW_PERSON, None), (Decision.SAME_PERSON, chosen())):
        queue = decided(decision, named)
        assert lines(plan_of([replace(ANN, active=False)], queue=queue)) == []


def test_the_policy_says_which_keys_count():
    """P2: in its order, folded, and only addresses in a verified domain."""
    assert keys_of(ANN, Policy()) == {
        K.EMPLOYEE_NUMBER: "7",
        K.USER_NAME: "ann",
        K.MAIL: "ann@corp.example",
    }
    mail_first = Policy(correlation_keys=(K.MAIL, K.EMPLOYEE_NUMBER))
    assert list(keys_of(replace(ANN, mail="Ann@Corp.Example"), mail_first).items()) == [
        (K.MAIL, "ann@corp.example"),
        (K.EMPLOYEE_NUMBER, "7"),
    ]
    elsewhere = Policy(verified_domains=("corp.example",))
    assert K.MAIL not in keys_of(replace(ANN, mail="ann@else.example"), elsewhere)
    assert keys_of(person("ann", employee_number=" ", mail=None), Policy()) == {K.USER_NAME: "ann"}
    with pytest.raises(ValueError, match="named once"):
        Policy(correlation_keys=(K.MAIL, K.MAIL))


def hit(name, key, *, rival):
    """Another newcomer, or an employee; xia is linked to somebody who is there."""
    if rival:
        return Hit(key=key, name=name, employee_id=None, anchor=name)
    return hit_of(employee(name), key=key, linked_here=name == "xia")


HITS = st.lists(
    st.builds(hit, st.sampled_from(["zoe", "yan", "xia"]), st.sampled_from(K), rival=st.booleans()),
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(hits=HITS, weak=st.booleans(), order=st.randoms(use_true_random=False))
def test_the_order_of_hits_decides_nothing_and_what_was_asked_is_not_asked_again(hits, weak, order):
    """P2, P3, R3: the same hits in any order, the same question; and never a write without one."""
    policy = Policy(link_weak_keys=weak)
    shuffled = list(hits)
    order.shuffle(shuffled)
    one = plan_of([ANN], hits=lambda _: hits, policy=policy)
    other = plan_of([ANN], hits=lambda _: shuffled, policy=policy)
    assert one.digest() == other.digest()
    action = only(one)
    heads = {hit.employee_id or hit.anchor for hit in hits}
    if len(heads) > 1 or any(hit.employee_id is None for hit in hits):
        assert action.finding is FindingKind.DUPLICATE_PERSON
    if action.finding is FindingKind.DUPLICATE_PERSON:
        queue = {"ann": Queued(evidence=evidence_of(action.candidates))}
        assert lines(plan_of([ANN], hits=lambda _: shuffled, policy=policy, queue=queue)) == []
