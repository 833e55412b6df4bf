"""What undoes a run, row by row of the table (D8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.domain.actions import Action, ActionKind, Because, EmployeeRef, FieldChange
from provisioning.domain.findings import FindingKind
from provisioning.domain.policy import Policy
from provisioning.domain.undoing import Done, LeftAlone, Standing, likeness, undo
from tests.kit.domain import NOW, employee, employee_id, line, person

ANN = person("ann")


def did(kind, before=None, *, left=NOW, gone=None, rule="D1", **fields):
    """What a run did about ann, who was in the state `before`; None: nobody knew her."""
    known = None
    if before:
        known = EmployeeRef(id=employee_id("ann"), version=1, state=before, bound=True)
    action = Action(
        kind=ActionKind(kind),
        id=ANN.id,
        who="ann",
        because=Because(rule, "so it was"),
        employee=known,
        **fields,
    )
    image = {"person": gone.to_json()} if gone else {}
    return Done(action=action, before=image, left_since=left)


def standing(state, *, since=NOW, who=ANN, **values):
    return Standing(registered=employee(who, state, **values), since=since)


def undone(done, now, policy=None):
    """What undo says, as people would: an action, or why nothing is done."""
    said = undo(done, now, run=7, policy=policy or Policy())
    return [one.why if isinstance(one, LeftAlone) else line(one) for one in said]


LATER = NOW + timedelta(hours=1)
INVITED = did("invite", person=ANN)
DISMISSED = did("dismiss", "active", gone=ANN)
REMOVED = did("revoke", "invited", gone=ANN, left=None)


@pytest.mark.parametrize(
    ("done", "now", "said"),
    [
        (INVITED, standing("invited"), "revoke ann"),
        (INVITED, standing("active", since=LATER), "dismiss ann, held: joined"),
        (INVITED, standing("waiting", since=LATER), "changed since: they are waiting"),
        (INVITED, None, "changed since: gone"),
        (did("wait", person=ANN), standing("waiting"), "revoke ann"),
        (did("hire_back", "dismissed", person=ANN), standing("active"), "dismiss ann"),
        (
            did("hire_back", "dismissed", person=ANN),
            standing("dismissed", since=LATER),
            "changed since: they are dismissed",
        ),
        (
            did("invite", "waiting", person=ANN),
            standing("invited"),
            "they were waiting before the run, and what they are now stays",
        ),
        (INVITED, standing("invited", protected=True), "revoke ann, held: protected"),
        (DISMISSED, standing("dismissed"), "hire_back ann"),
        (DISMISSED, standing("dismissed", bound=False), "invite ann"),
        (DISMISSED, standing("active", since=LATER), "changed since: they are active"),
        (
            DISMISSED,
            standing("dismissed", dismissed_by=None),
            "somebody else dismissed them since (S7)",
        ),
        (REMOVED, None, "invite ann"),
        (REMOVED, standing("invited"), "changed since: they are invited"),
        (did("dismiss", "active"), standing("dismissed"), "nothing is stored of who they were"),
        (
            did("revoke", "invited", gone=person("ann", mail=None), left=None),
            None,
            "there is no address that an invitation may go to (I1)",
        ),
        (
            did("flag", person=ANN, finding=FindingKind.NO_USABLE_ADDRESS),
            standing("waiting"),
            "revoke ann",
        ),
        (
            did("update", "active", rule="P2", person=ANN),
            standing("active"),
            "the run linked them to a person who was here; the link stays",
        ),
    ],
)
def test_an_action_is_taken_back(done, now, said):
    """D8: what the run did, and what is there now, lead to this."""
    assert undone(done, now) == [said]


def test_marks_and_questions_changed_nobody():
    """D8: there is nothing to take back."""
    mark = did("flag", "active", finding=FindingKind.MISSING_FROM_SOURCE, marks_missing=True)
    question = did("flag", left=None, person=ANN, finding=FindingKind.DUPLICATE_PERSON)
    assert undone(mark, standing("active")) == undone(question, None) == []


def test_an_address_out_of_bounds_is_not_written_to():
    """I1: an undo opens no door that the policy closed."""
    policy = Policy(verified_domains=("other.example",))
    assert undone(DISMISSED, standing("dismissed", bound=False), policy) == [
        "there is no address that an invitation may go to (I1)"
    ]


def test_a_protected_name_is_held():
    """D4: by the break-glass list, joined or not."""
    policy = Policy(protected=frozenset({"ann"}))
    assert undone(INVITED, standing("active", since=LATER), policy) == [
        "dismiss ann, held: protected"
    ]


CHANGED = did(
    "update",
    "active",
    rule="P1",
    changes=(FieldChange("title", None, "Chief"), FieldChange("department", "Sales", "Law")),
)


def test_fields_are_as_before():
    """D8: what was not there is not there again."""
    now = standing("active", who=person("ann", title="Chief", department="Law"))
    (back,) = undo(CHANGED, now, run=7, policy=Policy())
    assert isinstance(back, Action)
    assert back.person == person("ann", department="Sales")
    assert str(back.because) == "run 7 is undone (D8)"
    assert back.raw_hash == ""


def test_fields_that_changed_since_are_told():
    """D8: the others go back."""
    now = standing("active", who=person("ann", title="Chief", department="Sport"))
    assert undone(CHANGED, now) == ["changed since: department", "update ann"]
    now = standing("active", who=person("ann", title="Boss", department="Sport"))
    assert undone(CHANGED, now) == ["changed since: department, title"]


def test_fields_of_another_employee_are_not_theirs():
    """D8, P1: the directory id names somebody else by now, or nobody."""
    other = Standing(registered=employee("ann", employee_id=employee_id("bob")), since=NOW)
    told = ["nobody is linked by this directory id any more"]
    assert undone(CHANGED, other) == undone(CHANGED, None) == told


def test_a_seat_found_or_lost_meanwhile_makes_no_other_action():
    """L3, R4: whoever was to be invited and has to wait is not somebody new."""
    (invite,) = undo(REMOVED, None, run=7, policy=Policy())
    assert isinstance(invite, Action)
    wait = Action(
        kind=ActionKind.WAIT,
        id=ANN.id,
        who="ann",
        because=Because("L3", "no seat"),
        person=ANN,
        reason="no_seat",
    )
    (dismiss,) = undo(INVITED, standing("invited"), run=7, policy=Policy())
    assert isinstance(dismiss, Action)
    assert likeness(invite) == likeness(wait) != likeness(dismiss)
