"""Findings that the addresses of one employee give, with and without an account (E3, E4)."""

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.domain.employees import EmployeeState
from provisioning.domain.findings import (
    REMEDIES,
    AddressFacts,
    Finding,
    FindingKind,
    Severity,
    address_findings,
    severity,
)

K, S = FindingKind, EmployeeState
INSIDE = [state for state in S if state is not S.DISMISSED]
SENT = datetime(2026, 11, 1, tzinfo=UTC)
ANN, WEBER = "ann@corp.example", "weber@corp.example"


def found(state=S.ACTIVE, **facts):
    """What there is to look at, by kind."""
    return {one.kind: one for one in address_findings(AddressFacts(state=state, **facts))}


def test_somebody_with_one_address_everywhere_is_nothing_to_look_at():
    """E3: nor is somebody of whom no address is known."""
    assert found(contact=ANN, directory=ANN, mailbox=ANN, login=ANN, sources=1) == {}
    assert found() == {}


@pytest.mark.parametrize("state", INSIDE)
def test_a_contact_that_is_not_the_directory_mail_is_looked_at(state):
    """E3: contact_differs_from_directory, with both addresses as evidence."""
    finding = found(state, contact=ANN, directory=WEBER)[K.CONTACT_DIFFERS_FROM_DIRECTORY]
    assert finding.reason == "unrelated"
    assert finding.evidence == (("contact", ANN), ("directory", WEBER))


def test_a_difference_is_explained_by_the_name_and_by_domains_of_before():
    """E4: swapped names are told apart, and an address of before the rename is no riddle."""
    one = found(
        mailbox="weberann@corp.example", directory="annweber@corp.example", name="Ann Weber"
    )
    assert one[K.MAILBOX_DIFFERS].reason == "swapped"
    old = found(mailbox="ann@old.example", directory=ANN, old_domains=("old.example",))
    assert old[K.MAILBOX_DIFFERS].reason == "old_domain"


@pytest.mark.parametrize("state", INSIDE)
def test_a_mailbox_that_is_not_the_directory_mail_is_looked_at(state):
    """E3: mailbox_differs."""
    assert set(found(state, mailbox=ANN, directory=WEBER)) == {K.MAILBOX_DIFFERS}


@pytest.mark.parametrize(
    ("contact", "directory", "kinds"),
    [
        (ANN, ANN, {K.LOGIN_DIFFERS_FROM_CONTACT, K.LOGIN_DIFFERS_FROM_DIRECTORY}),
        (ANN, None, {K.LOGIN_DIFFERS_FROM_CONTACT}),
        (None, ANN, {K.LOGIN_DIFFERS_FROM_DIRECTORY}),
        (None, None, set()),
    ],
)
def test_a_login_that_is_neither_contact_nor_directory_mail_is_looked_at(contact, directory, kinds):
    """E3, I6: the account need not have the invited address; if it differs, somebody looks."""
    assert set(found(login=WEBER, contact=contact, directory=directory)) == kinds


def test_a_login_that_is_the_mailbox_is_looked_at():
    """E3: mailbox_used_as_login, unless mailbox and directory mail are the same anyway."""
    kinds = found(login="Ann@box.example", mailbox="ann@box.example", directory=ANN, contact=ANN)
    assert K.MAILBOX_USED_AS_LOGIN in kinds
    assert kinds[K.MAILBOX_USED_AS_LOGIN].evidence == (("login", "Ann@box.example"),)
    assert K.MAILBOX_USED_AS_LOGIN in found(login=ANN, mailbox=ANN)
    assert K.MAILBOX_USED_AS_LOGIN not in found(login=ANN, mailbox=ANN, directory=ANN)
    assert K.MAILBOX_USED_AS_LOGIN not in found(login=WEBER, mailbox=ANN)
    assert K.MAILBOX_USED_AS_LOGIN not in found(login=None, mailbox=ANN)


def test_somebody_invited_at_another_address_is_looked_at():
    """E3, I5: invitation_address_outdated."""
    finding = found(S.INVITED, invited_address=ANN, directory=WEBER)[K.INVITATION_ADDRESS_OUTDATED]
    assert finding.evidence == (("invited", ANN), ("directory", WEBER))


def test_a_letter_nobody_answers_is_looked_at_when_it_is_old():
    """E3, L5: invitation_stale, not a moment too early."""
    limit = {"stale_before": SENT}
    assert found(S.INVITED, invited_at=SENT, **limit) == {}
    old = found(S.INVITED, invited_at=SENT - timedelta(seconds=1), **limit)
    assert old[K.INVITATION_STALE].evidence == (("invited_at", "2026-10-31T23:59:59+00:00"),)


@pytest.mark.parametrize("facts", [{"invited_at": SENT}, {"stale_before": SENT}])
def test_a_letter_that_did_not_leave_or_a_limit_nobody_set_makes_nothing_stale(facts):
    """E3, I9: nobody waits for an answer to a letter in its grace."""
    assert found(S.INVITED, **facts) == {}


@pytest.mark.parametrize("state", [state for state in INSIDE if state is not S.INVITED])
def test_who_is_not_invited_has_no_invitation_to_look_at(state):
    """E3: whoever accepted, waits or awaits confirmation."""
    letter = {"invited_address": WEBER, "invited_at": SENT}
    assert found(state, directory=ANN, stale_before=SENT + timedelta(days=1), **letter) == {}


@pytest.mark.parametrize("state", INSIDE)
def test_two_people_with_one_contact_are_looked_at(state):
    """E3: duplicate_contact names the others."""
    finding = found(state, contact=ANN, contact_shared_with=("Bob", "Cid"))[K.DUPLICATE_CONTACT]
    assert finding.evidence == (("contact", ANN), ("also", "Bob, Cid"))


def test_who_waits_for_an_address_of_somebody_dismissed_is_looked_at():
    """E3, E8: address_held_by_dismissed; the active have their address already."""
    held = {"directory": ANN, "directory_held_by": ("Bob",)}
    finding = found(S.WAITING, **held)[K.ADDRESS_HELD_BY_DISMISSED]
    assert finding.evidence == (("address", ANN), ("holder", "Bob"))
    assert found(S.ACTIVE, **held) == {}


def test_an_active_employee_for_whom_nobody_vouches_is_an_orphan():
    """E3: orphan; one source is enough, and who is not inside is none."""
    assert set(found(sources=0)) == {K.ORPHAN}
    assert found(sources=1) == {}
    assert found(S.INVITED, sources=0) == {}


def test_the_dismissed_are_nobody_to_look_at():
    """E5, S5: whatever was wrong with their addresses."""
    everything = AddressFacts(
        state=S.DISMISSED,
        contact=ANN,
        directory=WEBER,
        mailbox="box@corp.example",
        login="me@home.example",
        contact_shared_with=("Bob",),
        directory_held_by=("Cid",),
        sources=0,
    )
    assert list(address_findings(everything)) == []


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ("ANN@Corp.Example", None),
        ("a.weber@corp.example", None),
        ("ann+news@corp.example", "plus_tag"),
        ("anna@corp.example", "typo"),
        ("zoe@home.example", "unrelated"),
    ],
)
def test_case_and_known_aliases_are_not_looked_at_and_the_rest_has_a_reason(contact, reason):
    """E4: the reason code where one can be told."""
    kinds = found(contact=contact, directory=ANN, aliases=("A.Weber@corp.example",))
    reasons = {one.reason for one in kinds.values()}
    assert reasons == ({reason} if reason else set())


def test_the_same_trouble_is_the_same_finding_whatever_the_evidence():
    """E5: newer evidence opens no second one."""
    one = Finding(kind=K.ORPHAN, evidence=(("since", "yesterday"),))
    assert one == Finding(kind=K.ORPHAN)
    assert one != Finding(kind=K.ORPHAN, subject="ann")


@pytest.mark.parametrize("kind", K)
def test_every_finding_has_a_remedy_in_one_sentence(kind):
    """E3: nobody is left with a code."""
    assert REMEDIES[kind].endswith(".")
    assert severity(kind) in Severity


def test_what_locks_somebody_out_or_leaves_somebody_inside_is_grave():
    """E3: the rest is medium, two kinds are low."""
    by_severity = {level: {kind for kind in K if severity(kind) is level} for level in Severity}
    assert by_severity[Severity.HIGH] == {
        K.DUPLICATE_PERSON,
        K.DEPARTED_STILL_ACTIVE,
        K.OVER_SEAT_LIMIT,
        K.RETURN_HELD,
        K.REMOVALS_HELD,
        K.UNBOUND_SIGN_IN,
        K.ADDRESS_HELD_BY_DISMISSED,
    }
    assert by_severity[Severity.LOW] == {K.INVITATION_STALE, K.MAILBOX_DIFFERS}
