"""An export is read whole, or it is not believed (R2)."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest

from connectors.factory import make_readable
from connectors.ldif.directory import LdifDirectory
from connectors.ldif.settings import LdifSettings
from provisioning.domain.errors import ConfigurationError, SourceError, SourceUnavailableError
from provisioning.ports import CheckOutcome

DEMO = Path(__file__).parents[3] / "config" / "demo.ldif"
ATTRIBUTES = ("uid", "cn", "mail")


def person(number: int, **more: str) -> str:
    lines = [
        f"dn: uid=p{number},ou=People,dc=corp,dc=example",
        "objectClass: inetOrgPerson",
        f"uid: p{number}",
        f"cn: Person {number}",
        f"mail: p{number}@corp.example",
        f"entryUUID: 00000000-0000-0000-0000-{number:012}",
        *(f"{name}: {value}" for name, value in more.items()),
    ]
    return "\n".join(lines) + "\n\n"


def trailer(number: int) -> str:
    return f"# search result\nsearch: 2\nresult: 0 Success\n\n# numEntries: {number}\n"


@pytest.fixture
def export(tmp_path):
    """Write a file and open it as a directory."""

    def make(content: str | bytes, name: str = "people.ldif", **options: object) -> LdifDirectory:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        attributes = options.pop("attributes", ATTRIBUTES)
        settings = LdifSettings.from_options("export", {"path": str(path), **options})
        return LdifDirectory("export", settings, attributes, names=("uid", "mail"))

    return make


def read(directory):
    snapshot = directory.read()
    return list(snapshot), snapshot.proof


def test_a_trailer_proves_the_end(export):
    people, proof = read(export(person(1) + person(2) + trailer(2)))
    assert [p.attributes["uid"] for p in people] == [("p1",), ("p2",)]
    assert (proof.entries, proof.removals_proven) == (2, True)


def test_without_a_trailer_nobody_may_be_missed(export):
    """R2: additions go on, removals are held."""
    _, proof = read(export(person(1) + person(2)))
    assert not proof.removals_proven


def test_a_trailer_that_counts_otherwise_is_an_error(export):
    with pytest.raises(SourceError, match="the end says 3 entries, but there are 2"):
        read(export(person(1) + person(2) + trailer(3)))


def test_a_file_cut_at_any_byte_never_proves_that_somebody_left(export):
    """R2: either an error, or everyone, or removals that are not proven."""
    whole = (person(1) + person(2) + trailer(2)).encode()
    for end in range(len(whole)):
        try:
            people, proof = read(export(whole[:end]))
        except SourceError:
            continue
        assert len(people) == 2 or not proof.removals_proven, whole[:end]


def test_folded_encoded_and_windows_lines_are_read(export):
    """RFC 2849: a blank continues a line, two colons are base64, CRLF ends one."""
    encoded = base64.b64encode("Ольга Иванова".encode()).decode()
    text = person(1).replace("cn: Person 1", f"cn:: {encoded[:10]}\n {encoded[10:]}")
    people, _ = read(export(("version: 1\n\n# people\n" + text).replace("\n", "\r\n")))
    assert people[0].attributes["cn"] == ("Ольга Иванова",)


def test_a_packed_file_is_unpacked_and_a_cut_one_refused(export):
    packed = gzip.compress((person(1) + trailer(1)).encode())
    assert len(read(export(packed, name="people.ldif.gz"))[0]) == 1
    with pytest.raises(SourceError, match="cannot be read to its end"):
        read(export(packed[:-12], name="people.ldif.gz"))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("dn: uid=a\nobjectClass\n\n", "line 2: there is no attribute name"),
        ("dn: uid=a\ncn:: %%%\n\n", "line 2: the base64 is broken"),
        ("dn: uid=a\njpegPhoto:< file:///etc/passwd\n\n", "line 2: values from elsewhere"),
        ("dn: uid=a\nchangetype: delete\n\n", "line 2: this is a list of changes"),
        ("uid: a\n\n", 'line 1: a record begins with "uid"'),
        (" a continuation\n", "line 1: a continuation of nothing"),
        ("dn:: /w==\ncn: a\n\n", "line 1: the DN is not UTF-8"),
        ("dn: uid=a\ncn: cut of", "line 2: the last line is cut"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_concluded(export, broken, sentence):
    with pytest.raises(SourceError, match=sentence) as caught:
        read(export(broken))
    assert "nothing was concluded" in str(caught.value)


def test_entries_that_are_no_people_are_passed_over(export):
    unit = "dn: ou=People,dc=corp,dc=example\nobjectClass: organizationalUnit\nou: People\n\n"
    people, proof = read(export(unit + person(1) + trailer(2)))
    assert (len(people), proof.entries, proof.removals_proven) == (1, 1, True)


def test_somebody_is_found_by_a_name_and_not_by_any_value(export):
    """R9: user name and mail in any case; who is no person by class is found and not in scope."""
    sales = person(2).replace("inetOrgPerson", "groupOfNames")
    directory = export(person(1, title="P2") + sales + trailer(2))
    [one] = directory.find("P1@CORP.example")
    assert (one.raw.attributes["uid"], one.in_scope) == (("p1",), True)
    [other] = directory.find("p2")
    assert not other.in_scope
    assert "of none of the classes that are people: inetOrgPerson, person" in other.scope
    assert directory.find("Person 1") == []


def test_a_person_without_an_id_or_with_bytes_for_a_name_is_a_problem_of_theirs(export):
    """Promise 7: the others are read."""
    without_id = person(1).replace("entryUUID", "otherUUID")
    bytes_for_a_name = person(2).replace("cn: Person 2", "cn:: /w==")
    people, _ = read(export(without_id + bytes_for_a_name + person(3)))
    assert [p.problem for p in people] == [
        "there is no entryUUID",
        "cn is not UTF-8 text",
        None,
    ]


def test_attribute_names_are_blind_to_case(export):
    people, _ = read(
        export(person(1).replace("mail:", "MAIL:").replace("objectClass", "objectclass"))
    )
    assert people[0].attributes["mail"] == ("p1@corp.example",)


def test_the_demo_company_is_whole():
    settings = LdifSettings.from_options("demo", {"path": str(DEMO)})
    people, proof = read(LdifDirectory("demo", settings, ATTRIBUTES))
    assert (len(people), proof.removals_proven) == (40, True)


def test_a_check_reads_the_file_and_says_what_it_lacks(export):
    assert export(person(1) + trailer(1)).check().steps[0].outcome is CheckOutcome.OK
    assert export(person(1)).check().steps[0].outcome is CheckOutcome.WARNING
    assert export("uid: a\n\n").check().failed


def test_who_has_no_id_may_be_anybody_who_seems_to_be_missing(export):
    """R2: such a reading invites, and removes nobody."""
    nameless = person(2).replace("entryUUID", "description")
    snapshot = export(person(1) + nameless + trailer(2)).read()
    assert [bool(each.problem) for each in snapshot] == [False, True]
    assert not snapshot.proof.removals_proven
    assert "1 without entryUUID" in snapshot.proof.detail


def test_an_export_that_is_away_is_unavailable_and_nothing_else_is(export, tmp_path):
    """R2: whoever starts Usher meanwhile gets everything but this source."""
    directory = export(person(1) + trailer(1))
    next(tmp_path.glob("*.ldif")).unlink()
    with pytest.raises(SourceUnavailableError, match="there is no file"):
        list(directory.read())
    assert directory.check().failed


@pytest.mark.parametrize("options", [{}, {"path": str(DEMO), "pathh": "x"}])
def test_a_setting_that_can_never_work_fails_at_start(options):
    with pytest.raises(ConfigurationError, match=r"sources\.export\.path"):
        LdifSettings.from_options("export", options)


@pytest.mark.parametrize(
    ("base", "units"),
    [("", ("People", "Sales")), ("OU=people, dc=corp,dc=example", ("Sales",))],
)
def test_units_above_a_person_are_told_when_the_mapping_asks(export, base, units):
    """`ou_path` is computed from the DN; without a base every unit counts."""
    inside = person(1).replace("ou=People", "ou=Sales,ou=People")
    people, _ = read(export(inside, attributes=("uid", "OU_Path"), base_dn=base))
    assert people[0].attributes == {"uid": ("p1",), "OU_Path": units}


def test_an_export_does_not_tell_names_of_groups(tmp_path):
    """A setting that can never work fails at start."""
    rules = {"department": {"expr": 'all("group_names")'}}
    with pytest.raises(ConfigurationError, match="does not tell group_names"):
        make_readable("export", "ldif", {"path": str(tmp_path / "x.ldif")}, rules)


def test_a_nul_is_nothing_a_database_refuses(export):
    """Promise 7: neither in a place nor in an id."""
    place, id_ = (base64.b64encode(text).decode() for text in (b"uid=a\0b,dc=corp", b"1\x002"))
    text = f"dn:: {place}\nobjectClass: person\nuid: a\nentryUUID:: {id_}\n\n"
    (found,), _ = read(export(text))
    assert (found.where, found.anchor) == (r"uid=a\00b,dc=corp", "1\ufffd2")
