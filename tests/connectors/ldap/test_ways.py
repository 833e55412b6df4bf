"""How each directory tells of changes, and what makes it doubtful (R6, the lab's traps)."""

from __future__ import annotations

import json

import ldap3
import pytest

from provisioning.domain.errors import MarkError
from provisioning.ports import CheckOutcome
from tests.kit.branches import Branch
from tests.kit.marks import seen, uids, with_value
from tests.kit.sequences import everyone, source_of

WAYS = {"Slapd": "syncrepl", "Samba": "dirsync", "Ds389": "syncrepl"}


@pytest.fixture
def branch(ldap_server) -> Branch:
    return ldap_server.branch(6)


def test_a_night_is_told_by_the_best_way_there_is(branch):
    """R6: new, changed, disabled, renamed, moved out and in, deleted, out of the filter."""
    branch.add("stranger", unit="Contractors")
    corp = source_of(branch)
    people, mark = everyone(corp)
    anchors = {uid: anchor for anchor, raw in people.items() for uid in uids(branch, [raw])}
    assert json.loads(mark)["way"] == WAYS[type(branch.server).__name__]
    branch.add("newcomer")
    branch.modify("u0", mail="other@corp.example")
    branch.disable("u1")
    branch.rename("u2", "renamed")
    branch.move("u3", "Contractors")
    branch.move("stranger", "People")
    branch.delete("u4")
    branch.modify("u5", title="Former")
    told, gone, following = seen(branch, corp, mark)
    assert told == {"newcomer", "u0", "u1", "renamed", "stranger"}
    assert gone >= {anchors["u3"], anchors["u4"], anchors["u5"]}
    assert not gone & {anchors["u0"], anchors["u1"], anchors["u2"]}
    assert seen(branch, corp, following)[:2] == (set(), set())


@pytest.mark.parametrize("change", ["rename", "move", "make", "take away"])
def test_a_unit_that_is_another_reads_everyone(branch, change):
    """R6: nobody tells of the people below it, whatever the way."""
    for name in ("Berlin", "Hamburg"):
        branch.add_unit(name, "People")
    branch.add("below", unit="Berlin,OU=People")
    mark = everyone(source_of(branch))[1]
    with branch.administering() as admin:
        berlin, hamburg = (f"OU={name},{branch.unit('People')}" for name in ("Berlin", "Hamburg"))
        if change == "rename":
            admin.modify_dn(berlin, "OU=Potsdam")
        elif change == "move":
            admin.modify_dn(berlin, "OU=Berlin", new_superior=hamburg)
        elif change == "make":
            admin.add(f"OU=Bremen,{branch.unit('People')}", "organizationalUnit")
        else:
            admin.delete(hamburg)
    with pytest.raises(MarkError, match="a unit or a group"):
        seen(branch, source_of(branch), mark)


def test_a_unit_that_is_only_described_anew_reads_nobody(branch):
    """R6: who is below it is who they were."""
    branch.add_unit("Berlin", "People")
    mark = everyone(source_of(branch))[1]
    with branch.administering() as admin:
        where = f"OU=Berlin,{branch.unit('People')}"
        admin.modify(where, {"description": [(ldap3.MODIFY_REPLACE, ["by the river"])]})
    assert seen(branch, source_of(branch), mark)[0] == set()


def test_a_group_in_scope_reads_everyone_and_another_one_nobody(branch):
    """R6: who joins a group that is read did not change; other groups are nothing to us."""
    branch.add_group("crew", "u0")
    branch.add_group("inner", "u1")
    branch.add_group("chess", "u0")
    branch.set_members("crew", "u0", "inner")
    corp = source_of(branch, groups=branch.groups["crew"], group_base_dn=branch.base)
    people, mark = everyone(corp)
    assert uids(branch, people.values()) == {"u0", "u1"}
    branch.set_members("chess", "u3", "u4")
    branch.modify("u0", mail="other@corp.example")
    told, _, mark = seen(branch, corp, mark)
    assert told >= {"u0"}
    branch.set_members("inner", "u2")
    with pytest.raises(MarkError, match="a unit or a group"):
        seen(branch, corp, mark)


@pytest.mark.parametrize("named", ["group_names", "memberOf"])
def test_a_group_that_is_read_of_people_reads_everyone(branch, named):
    """R6: neither a new member of a group changed, nor who was in one that is deleted."""
    branch.add_group("crew", "u0")
    corp = source_of(branch, named, group_base_dn=branch.base)
    mark = everyone(corp)[1]
    branch.set_members("crew", "u1")
    with pytest.raises(MarkError, match="a unit or a group"):
        seen(branch, corp, mark)
    mark = everyone(corp)[1]
    branch.delete_group("crew")
    with pytest.raises(MarkError, match="a unit or a group"):
        seen(branch, corp, mark)


@pytest.mark.parametrize("way", ["usn", "dirsync", "syncrepl"])
def test_a_way_that_is_named_and_not_offered_gives_no_mark(branch, way):
    """`changes = ...`: no other way is taken instead, and everyone is read."""
    offered = {"Samba": ("usn", "dirsync")}.get(type(branch.server).__name__, ("syncrepl",))
    mark = everyone(source_of(branch, changes=way))[1]
    assert bool(mark) == (way in offered)


def test_a_check_says_how_changes_are_told(samba):
    """Promise 6: the way an account gets, what it omits, and a setting that gives nothing."""
    branch = samba.branch(1)

    def detected(**options):
        report = source_of(branch, **options).check()
        return next(step for step in report.steps if step.name == "detect")

    assert detected().detail.endswith("changes by dirsync")
    omits = "changes by usn; deletions are hidden from this account"
    assert omits in detected(bind_dn=samba.plain_dn).detail
    assert "changes" not in detected(changes="off").detail
    nothing = detected(changes="syncrepl")
    assert nothing.outcome is CheckOutcome.WARNING
    assert "changes are not told (changes = 'syncrepl')" in nothing.detail


def test_people_known_by_another_id_are_told_by_time(openldap, ds389):
    """R6: a server's ids say nothing of people known by another; their entries do."""
    for branch in (openldap.branch(2), ds389.branch(2)):
        corp = source_of(branch, id_attribute="uid")
        mark = everyone(corp)[1]
        assert json.loads(mark)["way"] == "modified"
        branch.modify("u0", title="Lead")
        assert seen(branch, corp, mark)[0] >= {"u0"}


def test_a_mark_by_time_of_another_time_is_refused(openldap):
    """R6: the clock of this machine was put back, or the mark is garbage."""
    branch = openldap.branch(1)
    corp = source_of(branch, changes="modified")
    mark = everyone(corp)[1]
    for at, words in (("29991231000000Z", "has not come"), ("soon", "no moment")):
        with pytest.raises(MarkError, match=words):
            seen(branch, corp, with_value(mark, at=at))
