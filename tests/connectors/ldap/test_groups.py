"""Groups of three real directories: who is in scope by them, and what they are called (R2)."""

from __future__ import annotations

import ldap3
import pytest

from connectors.ldap.directory import LdapDirectory
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import ConfigurationError, SourceError
from tests.kit.ldap_proxy import at_page, changing, failing, in_parts
from tests.kit.marks import uids


@pytest.fixture
def branch(ldap_server):
    return ldap_server.branch(6)


def reading(branch, *attributes, **options):
    """A directory of a branch; groups are looked for in it alone."""
    options = branch.options(group_base_dn=branch.base, **options)
    return LdapDirectory(
        "corp", LdapSettings.from_options("corp", options), attributes or ("mail",)
    )


def test_only_who_is_in_a_group_is_read_however_deep(branch):
    """Groups within groups count, circles end, and somebody in two is read once."""
    branch.add_group("inner", "u0", "u1")
    branch.add_group("outer", "inner", "u1", "u2")
    branch.add_group("other", "u3")
    branch.set_members("inner", "u0", "u1", "outer")
    directory = reading(branch, groups=[branch.groups["outer"].upper()])
    assert uids(branch, directory.read()) == {"u0", "u1", "u2"}
    snapshot = directory.read()
    list(snapshot)
    assert "3 left out by groups" in snapshot.proof.detail
    both = [branch.groups["outer"], branch.groups["other"]]
    assert uids(branch, reading(branch, groups=both).read()) == {"u0", "u1", "u2", "u3"}


def test_who_is_in_an_excluded_group_is_left_out(branch):
    """An exclusion counts more than being in a group that is read."""
    branch.add_group("robots", "u0")
    branch.add_group("leavers", "robots", "u1")
    branch.add_group("staff", "u0", "u2", "u3")
    leavers = branch.groups["leavers"]
    assert uids(branch, reading(branch, exclude_groups=[leavers]).read()) == {
        "u2",
        "u3",
        "u4",
        "u5",
    }
    both = reading(branch, groups=[branch.groups["staff"]], exclude_groups=[leavers])
    assert uids(branch, both.read()) == {"u2", "u3"}
    snapshot = both.read()
    list(snapshot)
    assert f"1 left out by exclude_groups {leavers}" in snapshot.proof.detail
    robots = f"exclude_groups {branch.groups['robots']}"
    assert "nobody was left out" not in snapshot.proof.detail
    branch.set_members("robots")
    empty = reading(branch, exclude_groups=[branch.groups["robots"]]).read()
    list(empty)
    assert f"nobody was left out by {robots}" in empty.proof.detail, "its members may be hidden"


@pytest.mark.parametrize("setting", ["groups", "exclude_groups"])
@pytest.mark.parametrize("name", ["CN=gone,{groups}", "{people}"])
def test_a_group_that_is_none_ends_the_reading(branch, setting, name):
    """R2: an unreadable group is neither an empty scope nor an empty exclusion."""
    dn = name.format(groups=branch.unit("Groups"), people=branch.unit("People"))
    with pytest.raises(SourceError, match=r"the group|is no group"):
        list(reading(branch, **{setting: [dn]}).read())


def test_names_of_groups_are_told_when_the_mapping_asks(branch):
    """Nested ones included, sorted; who is in none has none, and nobody else is asked for."""
    branch.add_group("dept-sales", "u0")
    branch.add_group("dept-all", "dept-sales", "u1")
    branch.add_group("chess", "u0")
    directory = reading(branch, "mail", "Group_Names")
    places = {dn.lower(): uid for uid, dn in branch.people.items()}
    names = {
        places[person.where.lower()]: set(person.attributes.get("Group_Names", ()))
        for person in directory.read()
    }
    primary = names["u5"]
    assert {uid: found - primary for uid, found in names.items()} == {
        "u0": {"chess", "dept-all", "dept-sales"}, "u1": {"dept-all"},
        "u2": set(), "u3": set(), "u4": set(), "u5": set(),
    }  # fmt: skip


def test_somebody_found_by_id_is_in_scope_by_the_same_groups(branch):
    """R9: the search for one person judges as the reading of everyone does."""
    branch.add_group("staff", "u0")
    directory = reading(branch, groups=[branch.groups["staff"]])
    search = directory.search(directory.preset())
    anchors = {person.where.lower(): person.anchor for person in reading(branch).read()}
    asked = [anchors[branch.people[uid].lower()] for uid in ("u0", "u1")]
    found = search.people_by_id(asked)
    assert [person.anchor for person in found] == asked[:1]


def test_members_of_posix_and_unique_groups_are_found(ds389):
    """`memberUid`, `uniqueMember` with its optional id, and the primary group by number."""
    branch = ds389.branch(4)
    with ds389.administering() as connection:
        connection.raise_exceptions = True
        groups = branch.unit("Groups")
        connection.add(f"cn=posix,{groups}", "posixGroup", {"gidNumber": 7, "memberUid": ["u0"]})
        unique = [f"{branch.people['u1']}#'01'B", branch.people["u2"].upper()]
        connection.add(f"cn=unique,{groups}", "groupOfUniqueNames", {"uniqueMember": unique})
        account = {"uidNumber": 1, "gidNumber": 7, "homeDirectory": "/"}
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in account.items()}
        changes["objectClass"] = [(ldap3.MODIFY_ADD, ["posixAccount"])]
        connection.modify(branch.people["u3"], changes)
    assert uids(branch, reading(branch, groups=[f"cn=posix,{groups}"]).read()) == {"u0", "u3"}
    assert uids(branch, reading(branch, groups=[f"cn=unique,{groups}"]).read()) == {"u1", "u2"}


def test_the_primary_group_of_active_directory_is_a_group(samba):
    """It is not among anybody's memberOf, and nobody of it among its members."""
    branch = samba.branch(3)
    users = f"CN=Domain Users,CN=Users,{samba.suffix}"
    options = branch.options(groups=[users])
    directory = LdapDirectory("corp", LdapSettings.from_options("corp", options), ("mail",))
    assert uids(branch, directory.read()) == {"u0", "u1", "u2"}
    branch.add_group("staff", "u1")
    with samba.administering() as connection:
        connection.search(
            branch.groups["staff"], "(objectClass=*)", ldap3.BASE, attributes=["objectSid"]
        )
        rid = int.from_bytes(
            connection.response[0]["raw_attributes"]["objectSid"][0][-4:], "little"
        )
    branch.set_members("staff", "u0", "u1")
    branch.modify("u0", primaryGroupID=str(rid))
    assert uids(branch, directory.read()) == {"u1", "u2", "u0"}, "it stays a member of the old one"
    assert uids(branch, reading(branch, groups=[branch.groups["staff"]]).read()) == {"u0", "u1"}


def test_a_long_list_of_members_is_read_to_its_end(samba):
    """Active Directory gives 1,500 at once; here it is two."""
    branch = samba.branch(7)
    branch.add_group("staff", *(f"u{number}" for number in range(5)))
    options = {"tls": "none", "groups": [branch.groups["staff"]]}
    with changing(samba.port, in_parts(2)) as proxy:
        found = uids(branch, reading(branch, uri=proxy.uri, **options).read())
    assert found == {f"u{number}" for number in range(5)}
    with (
        changing(samba.port, in_parts(2, break_off=True)) as proxy,
        pytest.raises(SourceError, match="broke off after 2"),
    ):
        uids(branch, reading(branch, uri=proxy.uri, **options).read())


def test_groups_are_read_to_a_proven_end_as_people_are(openldap):
    """R2: an error in the paging of groups is an error of the reading."""
    branch = openldap.branch(2)
    branch.add_group("staff", "u0")
    # Without changes there is no other paged search before the one for groups.
    options = {"tls": "none", "changes": "off", "groups": [branch.groups["staff"]]}
    with (
        changing(openldap.port, at_page(1, failing(51))) as proxy,
        pytest.raises(SourceError, match="busy"),
    ):
        uids(branch, reading(branch, uri=proxy.uri, **options).read())


def test_a_group_that_is_no_dn_is_refused_at_start(openldap):
    """A bad setting fails in one sentence."""
    with pytest.raises(ConfigurationError, match='groups: "staff" is not a DN'):
        reading(openldap.branch(), groups="staff")
