"""DirSync and uSNChanged of a real domain controller, and what makes them doubtful (R6)."""

from __future__ import annotations

import base64
import json
import os

import ldap3
import pytest

from connectors.ldap.connection import signed_in
from provisioning.domain.errors import MarkError
from tests.kit.marks import seen, value_of, with_value
from tests.kit.sequences import everyone, source_of


@pytest.fixture
def domain(samba):
    """A branch with something deleted in it."""
    branch = samba.branch(3)
    branch.add("deleted")
    branch.delete("deleted")
    return branch


@pytest.mark.parametrize(
    ("cookie", "words"),
    [(b"garbage", "unavailableCriticalExtension"), (b"", "no cookie")],
)
def test_a_broken_cookie_of_dirsync_is_refused(domain, cookie, words):
    """R6: it is asked for again, by reading everyone."""
    corp = source_of(domain)
    mark = with_value(everyone(corp)[1], cookie=base64.b64encode(cookie).decode())
    with pytest.raises(MarkError, match=words):
        seen(domain, corp, mark)


def test_a_cookie_that_is_no_text_of_one_is_refused(domain):
    corp = source_of(domain)
    with pytest.raises(MarkError, match="no cookie"):
        seen(domain, corp, with_value(everyone(corp)[1], cookie="ümläut"))


def test_a_cookie_of_another_controller_is_a_jump(domain, monkeypatch):
    """R6: the controller does not know it, says nothing, and tells everybody as changed."""
    corp = source_of(domain)
    mark = everyone(corp)[1]
    cookie = base64.b64decode(value_of(mark)["cookie"])
    foreign = cookie.replace(_invocation(domain), os.urandom(16))
    assert foreign != cookie
    monkeypatch.setattr("connectors.ldap.changes.marks.MOST_CANDIDATES", 2)
    with pytest.raises(MarkError, match="are a jump"):
        seen(domain, corp, with_value(mark, cookie=base64.b64encode(foreign).decode()))


@pytest.mark.parametrize("way", ["dirsync", "usn"])
@pytest.mark.parametrize("word", ["invocation", "service"])
def test_a_mark_of_another_controller_or_of_before_a_restore_is_refused(domain, way, word):
    """R6: numbers of changes are one controller's, and one database's."""
    corp = source_of(domain, changes=way)
    mark = with_value(everyone(corp)[1], **{word: "another"})
    with pytest.raises(MarkError, match="another domain controller"):
        seen(domain, corp, mark)


def test_a_number_from_the_future_or_none_is_refused(domain):
    """R6: the controller was put back to before the mark."""
    corp = source_of(domain, changes="usn")
    mark = everyone(corp)[1]
    for number in ("99999999", "-1", ""):
        with pytest.raises(MarkError, match="was restored"):
            seen(domain, corp, with_value(mark, number=number))


def test_dirsync_is_for_accounts_with_the_right_only(domain):
    """R6: a plain account might ask in another way, and would be told of no deletion."""
    for account in (domain.server.usn_dn, domain.server.plain_dn):
        assert everyone(source_of(domain, bind_dn=account, changes="dirsync"))[1] == ""
        assert json.loads(everyone(source_of(domain, bind_dn=account))[1])["way"] == "usn"


def test_deletions_are_told_by_number_if_deleted_objects_are_shown(domain):
    """R6: and where they are hidden it is said so, and nobody is taken for gone."""
    for account, told in ((domain.server.usn_dn, True), (domain.server.plain_dn, False)):
        corp = source_of(domain, bind_dn=account)
        domain.add("leaver")
        people, mark = everyone(corp)
        (leaver,) = (raw.anchor for raw in people.values() if "leaver" in raw.where)
        domain.delete("leaver")
        changes = corp.changes(mark)
        assert list(changes) == []
        assert (leaver in changes.proof.gone) is told
        assert ("deletions are hidden" in changes.proof.detail) is not told


def test_a_right_to_see_deletions_that_is_taken_away_is_noticed(domain):
    """R6: the same search would be a success, with nobody in it."""
    shown = everyone(source_of(domain, bind_dn=domain.server.usn_dn))[1]
    plain = source_of(domain, bind_dn=domain.server.plain_dn)
    mark = json.loads(everyone(plain)[1]) | {"value": value_of(shown)}
    with pytest.raises(MarkError, match="hidden from this account now"):
        seen(domain, plain, json.dumps(mark))


@pytest.mark.parametrize("way", ["dirsync", "usn"])
def test_other_domains_of_the_forest_are_no_doubt(domain, monkeypatch, way):
    """R6: the whole domain is asked, which points at every domain below it."""
    corp = source_of(domain, changes=way)
    mark = everyone(corp)[1]
    domain.modify("u0", title="Lead")
    monkeypatch.setattr("connectors.ldap.answers._ELSEWHERE", ())
    assert seen(domain, corp, mark)[0] == {"u0"}


def _invocation(branch):
    with signed_in(source_of(branch).settings) as connection:
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["dsServiceName"])
        (service,) = connection.response[0]["raw_attributes"]["dsServiceName"]
        connection.search(
            service.decode(), "(objectClass=*)", ldap3.BASE, attributes=["invocationId"]
        )
        (found,) = connection.response[0]["raw_attributes"]["invocationId"]
    return found
