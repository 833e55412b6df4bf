"""A plan: its order, its digest, and the document it is stored as (R3, R4, L4)."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from provisioning.domain.actions import (
    Action,
    ActionKind,
    Because,
    EmployeeRef,
    FieldChange,
    HoldReason,
)
from provisioning.domain.correlation import Candidate
from provisioning.domain.findings import FindingKind
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.people import DirectoryId
from provisioning.domain.plan import Plan, in_order
from tests.kit.domain import SOURCE, action, lines, person

REF = EmployeeRef(id=UUID(int=7), version=3, state="active", bound=True)
SOMETHING = action(
    "update",
    person=person("ann", aliases=("a@corp.example",), starts_at=datetime(2026, 12, 1, tzinfo=UTC)),
    employee=REF,
    changes=(FieldChange("title", "Engineer", None), FieldChange("aliases", [], ["a@b.example"])),
    finding=FindingKind.ORPHAN,
    reason="left",
    candidates=(
        Candidate(
            employee="", anchor="yan", name="Yan", state="", keys=(CorrelationKey.EMPLOYEE_NUMBER,)
        ),
    ),
    raw_hash="abc",
)

CANDIDATE = Candidate(
    employee="7", anchor="", name="Zoe", state="active", keys=(CorrelationKey.MAIL,)
)
MATTERS = {
    "kind": ActionKind.DISMISS,
    "id": DirectoryId(SOURCE, "another"),
    "who": "anna",
    "person": person("ann", title="Director"),
    "employee": replace(REF, state="invited"),
    "changes": (FieldChange("title", "Engineer", "Director"),),
    "finding": FindingKind.UNREADABLE_ENTRY,
    "reason": "disabled",
    "marks_missing": True,
    "counted": False,
    "decided": True,
    "candidates": (CANDIDATE,),
}
PASSES = {
    "because": Because("P1", "other words"),
    "raw_hash": "def",
    "employee": replace(REF, version=4),
}


@pytest.mark.parametrize("name", MATTERS)
def test_an_approval_is_of_what_is_done_to_whom(name):
    """R4: another verb, person, employee, field or reason is another plan."""
    other = replace(SOMETHING, **{name: MATTERS[name]})
    assert other.fingerprint() != SOMETHING.fingerprint()
    assert Plan((other,)).digest() != Plan((SOMETHING,)).digest()


@pytest.mark.parametrize(
    "employee", [None, replace(REF, bound=False), replace(REF, id=UUID(int=8))]
)
def test_an_approval_is_of_one_employee_as_they_were_seen(employee):
    """R4: somebody else, or the same one with and without an account, is another action."""
    assert replace(SOMETHING, employee=employee).fingerprint() != SOMETHING.fingerprint()


@pytest.mark.parametrize("name", PASSES)
def test_words_hashes_and_versions_are_not_what_was_approved(name):
    """R4: the same thing for the same person, told differently or read again."""
    other = replace(SOMETHING, **{name: PASSES[name]})
    assert other.fingerprint() == SOMETHING.fingerprint()
    assert Plan((other,)).digest() == Plan((SOMETHING,)).digest()


def test_a_held_action_is_the_same_action_in_another_plan():
    """R4: approving lets the same action happen, but a plan that holds it is another one."""
    held = replace(SOMETHING, held=HoldReason.MASS_REMOVAL)
    assert held.fingerprint() == SOMETHING.fingerprint()
    assert Plan((held,)).digest() != Plan((SOMETHING,)).digest()
    protected = replace(SOMETHING, held=HoldReason.PROTECTED)
    assert Plan((held,)).digest() != Plan((protected,)).digest()


def test_every_field_of_an_action_either_matters_or_passes():
    """R4: a new field needs a decision."""
    assert {field.name for field in fields(Action)} == {*MATTERS, *PASSES, "held"}


def test_the_digest_is_blind_to_the_order_and_to_what_was_left_alone():
    """R3, R4: 64 hex digits over the actions, however they came."""
    one, other = action("invite", "ann"), action("invite", "bob")
    digest = Plan((one, other)).digest()
    assert len(digest) == 64
    assert Plan((other, one), read=9, unchanged=7).digest() == digest
    assert Plan((one,)).digest() != digest
    assert Plan((one, one, other)).digest() != digest


def test_a_plan_survives_being_stored():
    """R4: what is read back is the plan that was shown, hash and all."""
    plan = Plan(
        (SOMETHING, action("invite", "bob", held=HoldReason.AUTHORITY)), read=5, unchanged=3
    )
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.digest() == plan.digest()
    assert again.actions[0].raw_hash == "abc"


def test_a_plan_counts_every_verb_and_shows_what_is_held():
    """R4: zeros too, so that tables have the same columns every night."""
    held = action("dismiss", "ann", held=HoldReason.PROTECTED)
    plan = Plan((held, action("invite", "bob"), action("invite", "cid")))
    assert plan.counts() == {
        "revoke": 0,
        "dismiss": 1,
        "update": 0,
        "hire_back": 0,
        "invite": 2,
        "wait": 0,
        "flag": 0,
    }
    assert plan.held == (held,)
    assert len(plan) == 3
    assert list(plan) == list(plan.actions)


def test_seats_are_freed_before_they_are_taken():
    """L4: revoke, dismiss, then hire back, then invite; the rest needs no seat."""
    wrong_way_round = [action(kind) for kind in reversed(ActionKind)]
    assert [one.kind for one in in_order(wrong_way_round)] == [
        ActionKind.REVOKE,
        ActionKind.DISMISS,
        ActionKind.UPDATE,
        ActionKind.HIRE_BACK,
        ActionKind.INVITE,
        ActionKind.WAIT,
        ActionKind.FLAG,
    ]


def test_people_of_one_kind_are_ordered_by_first_day_then_id_then_reason():
    """L3, R3: whatever order they came in."""
    soon = action(
        "invite", "zoe", person=person("zoe", starts_at=datetime(2026, 12, 1, tzinfo=UTC))
    )
    later = action(
        "invite", "ann", person=person("ann", starts_at=datetime(2027, 1, 1, tzinfo=UTC))
    )
    dateless = action("invite", "bob")
    assert lines(in_order([later, soon, dateless])) == ["invite zoe", "invite ann", "invite bob"]
    two = [action("flag", "ann", reason="b"), action("flag", "ann", reason="a")]
    assert [one.reason for one in in_order(two)] == ["a", "b"]


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_to_hold_is_a_sentence_for_people(reason):
    """S4: nobody has to look a code up."""
    assert len(reason.sentence.split()) > 3


def test_a_because_names_its_rule():
    """S4: one sentence with its rule."""
    assert str(Because("D1", "no longer in corp")) == "no longer in corp (D1)"
