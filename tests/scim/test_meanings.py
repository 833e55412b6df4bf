"""What a request means for the employee: one test for each row of the table of meanings."""

from __future__ import annotations

import pytest

from provisioning.domain.findings import FindingKind
from provisioning.domain.policy import Policy
from provisioning.storage.models.employees import EmployeeRecord
from tests.kit.nights import count
from tests.kit.scim_client import (
    ENTERPRISE,
    employee_of,
    operation,
    outcome,
    refusal,
    taken,
    user,
)
from tests.kit.sources import entry


def test_a_new_person_is_invited_at_the_corporate_address(world, idp):
    """S3, I1, L2: the same gate as a run's: a seat, a letter, an employee."""
    answer = idp("POST", "/Users", user("ann"))
    ann = taken(answer, 201)
    assert answer.headers["Location"] == ann["meta"]["location"]
    assert outcome(ann)["state"] == "invited"
    assert outcome(ann)["contactEmail"] == "ann@corp.example"
    assert "I1" in outcome(ann)["because"]
    assert world.services.reports.seats().taken == 1
    assert world.services.delivery.deliver_due() == 1


@pytest.mark.parametrize("active", [True, False])
def test_a_visible_resource_keeps_its_names(world, idp, active):
    """S3: 409 names the id to send a PATCH to, whether that one is active or not."""
    ann = idp.create("ann", active=active)
    for rival, attribute in (
        (user("ann", userName="ANN@Corp.Example", externalId=None), "userName"),
        (user("ann", userName=" ann@corp.example ", externalId=None), "userName"),
        (user("ann", userName="other@corp.example"), "externalId"),
    ):
        detail = refusal(idp("POST", "/Users", rival), 409, "uniqueness")
        assert attribute in detail
        assert ann["id"] in detail
    assert idp.list()["totalResults"] == 1
    assert count(world, EmployeeRecord) == active


def test_names_stay_unique_when_they_are_changed(idp):
    """S3: a rename meets the same wall as a newcomer, and nothing of the request is kept."""
    idp.create("ann")
    bob = idp.create("bob")
    refusal(
        idp.try_patch(
            bob["id"],
            operation("replace", "title", "Chief"),
            operation("replace", "userName", "Ann@corp.example"),
        ),
        409,
        "uniqueness",
    )
    refusal(idp("PUT", f"/Users/{bob['id']}", user("bob", externalId="x-ann")), 409, "uniqueness")
    assert idp.get(bob["id"]) == bob


def test_inactive_dismisses_and_stays_in_sight(world, idp):
    """D1, S5: the seat is free; the resource is readable, findable, countable, its name taken."""
    ann = idp.create("ann")
    world.accept("Ann")
    gone = idp.activate(ann["id"], False)
    assert (gone["active"], outcome(gone)["state"]) == (False, "dismissed")
    assert world.states() == {"Ann": "dismissed"}
    assert world.services.reports.seats().taken == 0
    assert idp.get(ann["id"]) == gone
    assert idp.find('userName eq "ANN@corp.example"') == [gone]
    assert idp.list()["totalResults"] == 1


def test_a_request_means_now(make_idp):
    """D2: nights of grace are for readings, which may be wrong; a provider says what it means."""
    patient = Policy(missing_grace_nights=3, disabled_grace_nights=3)
    world, idp = make_idp(policy=patient)
    ann, bob = idp.create("ann"), idp.create("bob")
    world.accept("Ann", "Bob")
    assert outcome(idp.activate(ann["id"], False))["state"] == "dismissed"
    idp.delete(bob["id"])
    assert world.states() == {"Ann": "dismissed", "Bob": "dismissed"}


def test_active_again_hires_back_whoever_has_an_account(world, idp):
    """S6: the same employee, active at once, with a seat."""
    ann = idp.create("ann")
    world.accept("Ann")
    employee = employee_of(world.services, ann)
    idp.activate(ann["id"], False)
    back = idp.activate(ann["id"], True)
    assert (back["active"], outcome(back)["state"]) == (True, "active")
    assert employee_of(world.services, back) == employee
    assert world.services.reports.seats().taken == 1


def test_active_again_invites_whoever_never_accepted(world, idp):
    """S6: no account is bound, so a new letter leaves for the same employee."""
    ann = idp.create("ann")
    world.services.delivery.deliver_due()
    employee = employee_of(world.services, ann)
    idp.activate(ann["id"], False)
    assert world.states() == {"Ann": "dismissed"}
    back = idp.activate(ann["id"], True)
    assert outcome(back)["state"] == "invited"
    assert employee_of(world.services, back) == employee
    assert world.services.delivery.deliver_due() == 1


def test_deleting_dismisses_and_hides(world, idp):
    """D1: 204, then nothing there: for no method, in no filter, in no count."""
    ann, bob = idp.create("ann"), idp.create("bob")
    world.accept("Ann")
    idp.delete(ann["id"])
    assert world.states() == {"Ann": "dismissed", "Bob": "invited"}
    assert world.services.reports.seats().taken == 1
    path = f"/Users/{ann['id']}"
    for method, body in (("GET", None), ("PUT", user("ann")), ("DELETE", None)):
        refusal(idp(method, path, body), 404)
    refusal(idp.try_patch(ann["id"], operation("replace", "active", True)), 404)
    for found in (
        f'id eq "{ann["id"]}"',
        'userName eq "ann@corp.example"',
        'externalId eq "x-ann"',
    ):
        assert idp.find(found) == []
    assert idp.list()["Resources"] == [idp.get(bob["id"])]
    assert idp.list()["totalResults"] == 1
    assert world.states()["Ann"] == "dismissed"


def test_somebody_deleted_and_sent_again_is_the_same_employee(world, idp):
    """P2, S6: 201 with a new id hires back; nothing of the old document shows."""
    ann = idp.create("ann", title="Chief", nickName="Annie")
    world.accept("Ann")
    employee = employee_of(world.services, ann)
    idp.delete(ann["id"])
    again = idp.create("ann")
    assert again["id"] != ann["id"]
    assert outcome(again)["state"] == "active"
    assert employee_of(world.services, again) == employee
    assert count(world, EmployeeRecord) == 1
    assert not {"title", "nickName"} & again.keys()
    assert idp.list()["Resources"] == [again]


def test_somebody_deleted_thrice_is_still_one_employee(world, idp):
    """P2: every past resource is evidence for the same human, with or without an externalId."""
    for external_id in ("7", None):
        name = f"ann{external_id}"
        employees = set()
        for _ in range(3):
            ann = idp.create(name, externalId=external_id)
            world.services.delivery.deliver_due()
            employees.add(employee_of(world.services, ann))
            idp.delete(ann["id"])
        assert len(employees) == 1
    assert count(world, EmployeeRecord) == 2


@pytest.mark.parametrize(("before", "after"), [("7", None), (None, "7"), (None, None)])
def test_a_user_name_sent_again_is_the_same_employee(world, idp, before, after):
    """P2, S6: among the source's own past resources a userName is enough, in any case."""
    ann = idp.create("ann", externalId=before)
    world.accept("Ann")
    employee = employee_of(world.services, ann)
    idp.delete(ann["id"])
    again = idp.create("ann", externalId=after, userName="ANN@corp.example")
    assert employee_of(world.services, again) == employee
    assert outcome(again)["state"] == "active"
    assert count(world, EmployeeRecord) == 1


def test_a_user_name_given_to_somebody_else_is_a_question(world, idp):
    """P2, P3: another externalId speaks against it; nobody gets a former colleague's account."""
    ann = idp.create("ann", externalId="7")
    world.accept("Ann")
    idp.delete(ann["id"])
    other = idp.create("ann", externalId="8", displayName="Anna Other")
    assert outcome(other)["state"] == "none"
    assert world.states() == {"Ann": "dismissed"}
    kind = FindingKind.DUPLICATE_PERSON
    assert len(world.services.reports.mismatches(kind=kind)) == 1


def test_an_inactive_newcomer_is_nobody_yet(world, idp):
    """S3: no letter and no seat for whoever is not in; activating invites."""
    ann = idp.create("ann", active=False)
    assert outcome(ann)["state"] == "none"
    assert world.states() == {}
    assert outcome(idp.activate(ann["id"], True))["state"] == "invited"


@pytest.mark.parametrize("was", [True, False])
def test_no_word_about_active_changes_nothing(world, idp, was):
    """D1: null, "" and silence are no departure, and no return either."""
    ann = idp.create("ann")
    world.accept("Ann")
    idp.activate(ann["id"], was)
    state = "active" if was else "dismissed"
    quiet = user("ann")
    del quiet["active"]
    for body in (quiet, quiet | {"active": None}, quiet | {"active": ""}, quiet | {"ACTIVE": ""}):
        assert idp.put(ann["id"], body)["active"] is was
    for said in (
        operation("replace", "active", None),
        operation("replace", "active", ""),
        operation("add", "active", None),
        operation("replace", None, {"active": None}),
        operation("replace", None, {"active": ""}),
    ):
        assert idp.patch(ann["id"], said)["active"] is was
    assert world.states() == {"Ann": state}


@pytest.mark.parametrize("silence", [{"active": None}, {"active": ""}, {}])
def test_a_newcomer_of_whom_nothing_is_said_is_in(world, idp, silence):
    """D1: absent means active, as everywhere in SCIM."""
    body = user("ann")
    del body["active"]
    assert taken(idp("POST", "/Users", body | silence), 201)["active"] is True
    assert world.states() == {"Ann": "invited"}


def test_a_new_address_before_acceptance_gets_the_letter(world, idp):
    """I5: the old invitation opens nothing any more."""
    ann = idp.create("ann")
    changed = idp.patch(
        ann["id"], operation("replace", 'emails[type eq "work"].value', "a@b.example")
    )
    assert outcome(changed)["contactEmail"] == "a@b.example"
    assert world.services.delivery.deliver_due() == 1
    assert [letter.to for letter in world.services.outbox.messages() if letter.delivered_at] == [
        "a@b.example"
    ]


def test_a_new_address_after_acceptance_is_not_forced_on_anybody(world, idp):
    """E2: the contact e-mail and the login stay; the difference is a finding."""
    ann = idp.create("ann")
    world.accept("Ann")
    changed = idp.patch(
        ann["id"], operation("replace", 'emails[type eq "work"].value', "a@b.example")
    )
    assert outcome(changed)["contactEmail"] == "ann@corp.example"
    kind = FindingKind.CONTACT_DIFFERS_FROM_DIRECTORY
    assert [found.person for found in world.services.reports.mismatches(kind=kind)] == ["Ann"]


def test_without_a_usable_address_nobody_is_invited(world, idp):
    """I1: the request is answered, the person waits, and a better address invites them."""
    ann = idp.create("ann", userName="ann", emails=[{"value": "ann at home", "type": "work"}])
    assert ann["emails"][0]["value"] == "ann at home"
    assert (outcome(ann)["state"], outcome(ann)["reason"]) == ("waiting", "no_usable_address")
    kind = FindingKind.NO_USABLE_ADDRESS
    assert len(world.services.reports.mismatches(kind=kind)) == 1
    cured = idp.patch(
        ann["id"], operation("replace", 'emails[type eq "work"].value', "a@corp.local")
    )
    assert outcome(cured)["state"] == "invited"
    assert world.services.reports.mismatches(kind=kind) == []


def test_somebody_another_source_knows_is_not_invited_twice(world, idp):
    """P2, P3: a mail address alone links nobody; the matching queue decides."""
    world.directory.add(entry("ann"))
    world.sync()
    ann = idp.create("ann")
    assert outcome(ann)["state"] == "none"
    assert world.states() == {"Ann": "invited"}
    kind = FindingKind.DUPLICATE_PERSON
    assert len(world.services.reports.mismatches(kind=kind)) == 1


@pytest.mark.parametrize("accepted", [False, True])
def test_an_employee_number_links_two_sources(world, idp, accepted):
    """P2, P5: a strong key adopts; no second invitation, and the contact e-mail stays."""
    world.directory.add(entry("ann", employeeNumber="7", mail="ann@hq.example"))
    world.sync()
    if accepted:
        world.accept("Ann")
    ann = idp.create("ann", **{ENTERPRISE: {"employeeNumber": "7"}})
    assert outcome(ann)["state"] == ("active" if accepted else "invited")
    assert outcome(ann)["contactEmail"] == "ann@hq.example"
    assert world.services.reports.seats().taken == 1
    world.services.delivery.deliver_due()
    letters = world.services.outbox.messages()
    assert [letter.to for letter in letters] == ["ann@hq.example"]
