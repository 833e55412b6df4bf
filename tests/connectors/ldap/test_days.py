"""Random days of all three directories: changes, complete readings and the directory agree."""

from __future__ import annotations

import pytest

from tests.kit.sequences import crew_of, live_through

SEQUENCES = 7


@pytest.mark.parametrize("number", range(SEQUENCES))
def test_changes_and_complete_readings_agree_after_any_day(ldap_server, number):
    """R3, R6: joined, changed, moved, renamed, disabled, deleted, returned, units renamed."""
    day = live_through(ldap_server.branch(), number)
    assert day.known == day.there == day.truth
    assert day.told


def test_changes_of_groups_are_changes_where_they_matter(ldap_server):
    """R3, R6: no server tells of people whose groups changed; everyone is read."""
    days = [live_through(ldap_server.branch(), number, "memberOf") for number in (100, 101)]
    for day in days:
        assert day.known == day.there == day.truth
    assert sum(day.doubts for day in days)


def test_who_is_in_a_group_agrees_where_only_they_are_read(ldap_server):
    """R3, R6: joined the group, left it, renamed while in it."""
    branch = ldap_server.branch()
    day = live_through(branch, 150, groups=crew_of(branch), group_base_dn=branch.base)
    assert day.known == day.there == day.truth


@pytest.mark.parametrize("number", [200, 201])
def test_changes_by_number_agree_as_well(samba, number):
    """R3, R6: for an account that may see deleted objects, and not synchronise."""
    day = live_through(samba.branch(), number, changes="usn", bind_dn=samba.usn_dn)
    assert day.known == day.there == day.truth
    assert day.told


@pytest.mark.parametrize("number", [300, 301])
def test_changes_by_time_miss_nobody_who_is_there(ldap_server, number):
    """Promise 4: who is deleted or moved out is left to the complete reading, and nothing else."""
    day = live_through(ldap_server.branch(), number, changes="modified")
    assert {anchor: day.known.get(anchor) for anchor in day.there} == day.there == day.truth
    assert day.told


def test_changes_by_number_without_deletions_miss_nobody_who_is_there(samba):
    """Promise 4: the same, for an account with no rights but everybody's."""
    day = live_through(samba.branch(), 400, bind_dn=samba.plain_dn)
    assert {anchor: day.known.get(anchor) for anchor in day.there} == day.there == day.truth
    assert day.told
