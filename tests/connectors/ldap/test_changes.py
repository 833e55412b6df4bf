"""Increments from a real OpenLDAP: what changed is read whole, whatever is doubtful is refused."""

from __future__ import annotations

import json

import ldap3
import pytest

from connectors.ldap.changes import marks
from connectors.ldap.changes.content_sync import refresh
from connectors.ldap.connection import signed_in
from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import MarkError, SourceError
from tests.kit.ldap_proxy import at_page, changing, failing, hanging_up
from tests.kit.people import SUFFIX, plain_people
from tests.kit.sequences import everyone
from tests.kit.slapd import running_slapd


@pytest.fixture
def server():
    """A server of this test's own: what happens in it, and its history, are nobody else's."""
    with running_slapd(plain_people(12)) as slapd:
        yield slapd


@pytest.fixture
def make(server):
    """Return a maker of a source that reads it."""

    def making(**options):
        usual = {
            "uri": server.ldaps_uri, "bind_dn": server.reader_dn, "preset": "openldap",
            "bind_password": server.reader_password, "base_dn": server.people_dn,
            "ca_file": str(server.ca_file),
        }  # fmt: skip
        settings = LdapSettings.from_options("corp", usual | options)
        return LdapDirectory("corp", settings, ("uid", "mail", "title"))

    return making


@pytest.fixture
def corp(make):
    return make()


def seen(corp, mark):
    """Who is told of, who is gone, and the proof."""
    changes = corp.changes(mark)
    uids = {raw.attributes["uid"][0] for raw in changes}
    return uids, set(changes.proof.gone), changes.proof.mark


def test_a_day_of_changes_is_read_whole_and_once(corp, server):
    """R6: new, changed, renamed, moved out, deleted; then nothing is left to tell."""
    people, mark = everyone(corp)
    anchors = {raw.attributes["uid"][0]: anchor for anchor, raw in people.items()}
    server.add("newcomer")
    server.modify("u000001", title="Boss")
    server.rename("u000002", "renamed")
    server.move("u000003", "Contractors")
    server.delete("u000004")
    uids, gone, following = seen(corp, mark)
    assert uids == {"newcomer", "u000001", "renamed"}
    assert gone == {anchors["u000003"], anchors["u000004"]}
    assert seen(corp, following) == (set(), set(), following)


def test_who_leaves_the_filter_is_gone(make, server):
    """R6: the scope is the filter's as much as the base's."""
    corp = make(user_filter="(employeeType=employee)")
    people, mark = everyone(corp)
    server.modify("u000001", employeeType="former")
    _, gone, _ = seen(corp, mark)
    assert [people[anchor].attributes["uid"] for anchor in gone] == [("u000001",)]


def test_what_happens_while_everyone_is_read_is_told_afterwards(corp, server):
    """R6: the mark is taken before the first page."""
    snapshot = corp.read()
    people = iter(snapshot)
    next(people)
    server.modify("u000001", title="Boss")
    list(people)
    assert seen(corp, snapshot.proof.mark)[0] == {"u000001"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("rid=000,csn=20991231000000.000000Z#000000#000#000000", "newer than provider"),
        ("rid=000,csn=20010101000000.000000Z#000000#000#000000", "who is gone"),
        ("rid=000,csn=a#b#c#d", "names no moment"),
        ("garbage", "names no moment"),
        ("", "names no moment"),
    ],
)
def test_a_mark_of_another_time_or_server_is_refused(corp, other, words):
    """R6: from the future, before all history, garbage, nothing."""
    mark = json.loads(everyone(corp)[1]) | {"value": {corp.settings.base_dn[0]: other}}
    with pytest.raises(MarkError, match=words):
        seen(corp, json.dumps(mark))


@pytest.mark.parametrize(
    "options",
    [
        {"base_dn": SUFFIX},
        {"user_filter": "(objectClass=person)"},
        {"exclude": ["uid=u000001,ou=People," + SUFFIX]},
        {"bind_dn": "cn=admin," + SUFFIX, "bind_password": "admin-secret"},
    ],
    ids=["base", "filter", "exclusion", "account"],
)
def test_a_mark_of_another_scope_or_account_is_refused(corp, make, options):
    """R8, R6: a mark says nothing about another question."""
    mark = everyone(corp)[1]
    with pytest.raises(MarkError, match="another scope, account"):
        seen(make(**options), mark)


def test_an_answer_to_garbage_is_garbage(corp):
    """R6: the server tells everyone as changed, and gives no cookie: nobody would ever be gone."""
    with (
        signed_in(corp.settings) as connection,
        pytest.raises(MarkError, match="no cookie to go on from"),
    ):
        refresh(connection, corp.settings.base_dn[0], "(objectClass=inetOrgPerson)", "garbage")


def test_a_server_that_lost_its_history_is_not_believed(corp, server):
    """R6: after a restart it lists who is there; everyone is read with all proofs instead."""
    mark = everyone(corp)[1]
    server.delete("u000004")
    server.stop()
    server.start()
    with pytest.raises(MarkError, match=r"lost its history|does not name who is gone"):
        seen(corp, mark)


def test_a_unit_that_is_renamed_reads_everyone(corp, server):
    """R6: nobody tells of the people below it."""
    with server.administering() as admin:
        for name in ("Berlin", "Hamburg"):
            admin.add(f"ou={name},{server.people_dn}", "organizationalUnit")
    mark = everyone(corp)[1]
    with server.administering() as admin:
        admin.modify_dn(f"ou=Berlin,{server.people_dn}", "ou=Potsdam")
    with pytest.raises(MarkError, match="a unit or a group"):
        seen(corp, mark)


def test_a_jump_reads_everyone(corp, server, monkeypatch):
    """R6: so many changes at once are a restored server, or no cheaper than a complete reading."""
    monkeypatch.setattr(marks, "MOST_CANDIDATES", 2)
    mark = everyone(corp)[1]
    for uid in ("u000001", "u000002", "u000003"):
        server.modify(uid, title="Boss")
    with pytest.raises(MarkError, match="3 changes at once"):
        seen(corp, mark)


def test_a_base_that_is_gone_is_no_departure(corp, server):
    """R2: renamed, and nobody below it is gone for that."""
    mark = everyone(corp)[1]
    with server.administering() as admin:
        admin.modify_dn(server.people_dn, "ou=Staff")
    with pytest.raises(SourceError, match="the base ou=People"):
        seen(corp, mark)


def test_an_account_that_may_not_read_changes_is_told_less(make, server):
    """R6: without contextCSN there is no cookie to begin with; times of changes are left."""
    server.configure(
        olcAccess=f'{{0}}to dn.base="{SUFFIX}" attrs=contextCSN by * none',
    )
    with server.administering("cn=config", "config-secret") as admin:
        rule = f'{{1}}to * by dn.exact="{server.reader_dn}" read by * auth'
        admin.modify("olcDatabase={1}mdb,cn=config", {"olcAccess": [(ldap3.MODIFY_ADD, [rule])]})
    assert json.loads(everyone(make())[1])["way"] == "modified"
    assert everyone(make(changes="syncrepl"))[1] == ""


def test_units_that_may_not_be_read_cost_the_mark_and_not_the_reading(make, server):
    """R6, R2: everyone is read as ever; what breaks off breaks the reading, too."""
    with changing(server.port, at_page(1, failing(11))) as proxy:
        people, mark = everyone(make(uri=proxy.uri, tls="none", changes="modified"))
    assert (len(people), mark) == (12, "")
    with (
        changing(server.port, at_page(1, hanging_up)) as proxy,
        pytest.raises(SourceError, match="the connection broke"),
    ):
        everyone(make(uri=proxy.uri, tls="none"))


def test_no_changes_are_asked_for_when_that_is_switched_off(make):
    """`changes = "off"`: everyone is read at night, and that is all."""
    corp = make(changes="off")
    assert (everyone(corp)[1], corp.offers_changes) == ("", False)
