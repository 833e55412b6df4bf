"""The big promises of planning, for companies nobody thought of (R3, R4, L1, L4, D3-D5, S7)."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.actions import SEAT_TAKERS, ActionKind
from provisioning.domain.employees import EmployeeState
from provisioning.domain.people import Person
from provisioning.domain.plan import Plan, in_order
from provisioning.domain.policy import Policy
from tests.kit.domain import (
    NOW,
    SOURCE,
    TODAY,
    employee,
    hit_of,
    lines,
    person,
    plan_of,
    staged,
    unreadable,
)
from tests.kit.registry_model import Registry

S = EmployeeState
NAMES = [f"p{n:02}" for n in range(16)]
STRANGERS = ["100", "101"]
MAILS = st.sampled_from(
    [None, "x@corp.example", "y@corp.example", "z@else.example", "z@else.example"]
)
NUMBERS = st.sampled_from([None, None, None, "1", "2", *STRANGERS])
EARLIER = st.sampled_from([None, None, TODAY, *(TODAY - timedelta(days=n) for n in (1, 2, 30))])
AUTHORITIES = st.sampled_from([SOURCE, "hr", None])
REASONS = st.sampled_from(["no_seat", "hired_back", "lapsed", "no_usable_address"])
some_examples = settings(max_examples=100, deadline=None)


@dataclass
class Company:
    """A directory, a registry, a policy."""

    people: list[Person]
    registry: Registry
    policy: Policy

    def plan(self) -> Plan:
        return self.registry.plan(self.people, policy=self.policy)


@st.composite
def descriptions(draw, name):
    """Somebody, as a directory may describe them on some day."""
    return person(
        name,
        mail=draw(MAILS),
        department=draw(st.sampled_from([None, "Sales"])),
        employee_number=draw(NUMBERS),
        active=draw(st.sampled_from([True, True, True, False])),
        active_until=draw(st.sampled_from([None, None, None, NOW, NOW + timedelta(days=9)])),
        starts_at=draw(st.sampled_from([None, NOW, NOW - timedelta(days=3)])),
    )


@st.composite
def employees(draw, name):
    """Somebody, as the registry may know them."""
    state = draw(st.sampled_from([S.ACTIVE, S.ACTIVE, *S]))
    facts: dict[str, Any] = {
        "protected": draw(st.booleans()),
        "missing_since": draw(EARLIER),
        "other_missing_since": draw(EARLIER),
        "authoritative": draw(st.booleans()),
        "other_sources": draw(st.integers(0, 1)),
    }
    facts["missing_counted"] = facts["missing_since"] is not None and draw(st.booleans())
    if state is S.DISMISSED:
        facts |= {"dismissed_by": draw(AUTHORITIES), "bound": draw(st.booleans())}
    if state is S.WAITING:
        facts["state_reason"] = draw(REASONS)
    return employee(person(name), state, **facts)


@st.composite
def strangers(draw, number):
    """Somebody of another source, whom only an employee number can connect with this one."""
    state = draw(st.sampled_from([S.ACTIVE, S.DISMISSED]))
    return hit_of(employee(f"stranger {number}", state, dismissed_by=draw(AUTHORITIES)))


@st.composite
def companies(draw):
    """Up to a dozen people on either side, most of them on both.

    An employee number stays with its owner, and nobody who waits has one: a number that wanders
    overnight is disputed for a night, and who is recognised while waiting is invited a night later.
    Nor has anybody one who is only invited and leaves: both are removed at once.
    """
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=10))
    sides = {
        name: draw(st.sampled_from(["both", "both", "here", "here", "there"])) for name in names
    }
    people = {name: draw(descriptions(name)) for name in names if sides[name] != "there"}
    rows = {name: draw(employees(name)) for name in names if sides[name] != "here"}
    others = {number: draw(strangers(number)) for number in STRANGERS}
    inside = [
        name
        for name, row in rows.items()
        if row.state != S.WAITING
        and (row.state != S.INVITED or (name in people and people[name].is_active_at(NOW)))
    ]
    owners = dict(zip(inside, ("1", "2"), strict=False))
    for name, row in rows.items():
        number = owners.get(name)
        rows[name] = row._replace(applied=with_number(row.applied, number))
        if name in people:
            people[name] = replace(people[name], employee_number=number)
    policy = Policy(
        missing_grace_nights=draw(st.integers(0, 1)),
        disabled_grace_nights=draw(st.integers(0, 1)),
        verified_domains=draw(st.sampled_from([(), ("corp.example",)])),
        protected=draw(st.sampled_from([frozenset(), frozenset(NAMES[:3])])),
    )
    registry = Registry(rows, others, removed_recently=draw(st.integers(0, 3)))
    if draw(st.booleans()):
        registry.limit = max(0, registry.seats.taken + draw(st.integers(-2, 2)))
    return Company(list(people.values()), registry, policy)


def with_number(applied, number):
    """The document of somebody who has this employee number."""
    return json.dumps({**json.loads(applied), "employee_number": number}) if number else applied


def free(plan):
    """What no guard holds."""
    return [one for one in plan if not one.held]


@settings(max_examples=250, deadline=None)
@given(companies())
def test_planning_right_after_applying_leaves_only_what_is_held(company):
    """R3, S1, L1, L4: no step breaks the table of states or the licence, and then all is done."""
    first = company.plan()
    company.registry.apply(first, company.people)
    again = company.plan()
    assert lines(free(again)) == []
    assert again.digest() == Plan(first.held).digest()


@some_examples
@given(companies(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(company, random):
    """R3: whatever order a server answers in, the plan is the same one."""
    plan = company.plan()
    random.shuffle(company.people)
    rows = list(company.registry.rows.items())
    random.shuffle(rows)
    company.registry.rows = dict(rows)
    assert company.plan() == plan
    shuffled = list(plan)
    random.shuffle(shuffled)
    assert in_order(shuffled) == plan.actions
    assert Plan(tuple(shuffled)).digest() == plan.digest()


@some_examples
@given(companies())
def test_a_plan_that_was_stored_is_the_plan_that_was_made(company):
    """R4: equal, with an equal digest."""
    plan = company.plan()
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.digest() == plan.digest()


@some_examples
@given(
    leaving=st.integers(0, 12),
    staying=st.integers(0, 60),
    recently=st.integers(0, 9),
    policy=st.builds(
        Policy,
        dismiss_percent=st.integers(0, 30),
        dismiss_count=st.none() | st.integers(0, 9),
        rolling_percent=st.integers(0, 60),
        missing_grace_nights=st.integers(0, 1),
    ),
)
def test_a_plan_never_exceeds_its_policy(leaving, staying, recently, policy):
    """D5, D2: as many as the night and the week allow leave, or are marked; one more, and none."""
    stay = [person(f"stay{n}") for n in range(staying)]
    staff = [employee(one) for one in stay] + [employee(f"gone{n}") for n in range(leaving)]
    plan = plan_of([*stay, person("new")], staff, policy=policy, removed_recently=recently)
    seated = leaving + staying
    allowed = leaving <= policy.removal_limit(seated) and (
        leaving == 0 or recently + leaving <= policy.rolling_limit(seated + recently)
    )
    removals = [one for one in plan if one.is_removal]
    assert len(removals) == leaving
    assert [bool(one.held) for one in removals] == [not allowed] * leaving
    assert "invite new" in lines(plan)


@some_examples
@given(companies())
def test_nobody_protected_is_dismissed_unheld(company):
    """D4: neither by the registry's word nor by the break-glass list."""
    rows = company.registry.rows
    for one in free(company.plan()):
        if one.kind in (ActionKind.DISMISS, ActionKind.REVOKE):
            assert not rows[one.id.value].protected
            assert one.id.value not in company.policy.protected


@some_examples
@given(companies())
def test_nobody_of_another_source_is_touched(company):
    """D3, P2: a stranger can be recognised, and nothing else happens to them unheld."""
    registry = company.registry
    ours = {row.employee_id for row in registry.rows.values()}
    theirs = {hit.employee_id for hit in registry.strangers.values()}
    for one in company.plan():
        if one.employee is None:
            continue
        assert one.employee.id in ours | theirs
        if one.employee.id in theirs:
            assert not one.is_removal
            assert one.held or one.because.rule in ("P2", "L3")
    dismissed_elsewhere = {
        row.anchor for row in registry.rows.values() if row.other_sources and not row.authoritative
    }
    for one in free(company.plan()):
        if one.kind in (ActionKind.DISMISS, ActionKind.REVOKE):
            assert one.id.value not in dismissed_elsewhere


@some_examples
@given(companies())
def test_nobody_comes_back_against_the_word_of_somebody_else(company):
    """S7: only the authority that dismissed hires back."""
    registry = company.registry
    authority = {row.employee_id: row.dismissed_by for row in registry.rows.values()} | {
        hit.employee_id: hit.dismissed_by for hit in registry.strangers.values()
    }
    for one in free(company.plan()):
        if one.employee and one.employee.state == S.DISMISSED and one.kind is not ActionKind.UPDATE:
            assert authority[one.employee.id] == SOURCE


@some_examples
@given(companies())
def test_nobody_is_written_to_without_an_address_we_may_write_to(company):
    """I1: whoever is invited has a usable address in a verified domain."""
    for one in free(company.plan()):
        if one.kind is ActionKind.INVITE:
            assert one.person.mail is not None
            assert company.policy.may_write_to(one.person.mail)


@some_examples
@given(companies())
def test_more_seats_never_mean_fewer_invitations(company):
    """L3, L8: nobody waits with a seat left, and nobody loses one because there are more."""
    registry = company.registry
    few = company.plan()
    registry.limit = None
    many = company.plan()
    seated = [one for one in free(few) if one.kind in SEAT_TAKERS]
    waiting = [one for one in few if one.kind is ActionKind.WAIT]
    assert len([one for one in free(many) if one.kind in SEAT_TAKERS]) == len(seated) + len(waiting)
    assert not [one for one in many if one.kind is ActionKind.WAIT]


@some_examples
@given(companies(), st.sets(st.sampled_from(NAMES)))
def test_an_unreadable_entry_never_removes_anybody(company, broken):
    """E3, D1: it says nothing, so nobody leaves, comes or changes because of it."""
    entries = [staged(one) for one in company.people if one.id.value not in broken]
    entries += [unreadable(name) for name in broken]
    plan = plan_of(entries, company.registry.rows.values(), policy=company.policy)
    touched = {one.id.value for one in plan if one.finding != "unreadable_entry"}
    assert not touched & broken


def test_the_model_of_applying_is_not_blind():
    """R3: what was not applied is still there to do, and a step beyond the licence is noticed."""
    company = Company([person("ann"), person("bob")], Registry(limit=2), Policy())
    plan = company.plan()
    assert lines(company.plan()) == lines(plan) == ["invite ann", "invite bob"]
    company.registry.apply(plan, company.people)
    assert lines(company.plan()) == []
    with pytest.raises(AssertionError, match="invite bob"):
        Registry(limit=1).apply(plan, company.people)
