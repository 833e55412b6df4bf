"""People as a source describes them: what a person is, and what is refused."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.domain.people import PERSON_FIELDS, SOURCE_NAME, DirectoryId, Person, RawPerson
from tests.kit.domain import NOW, person

texts = st.text(max_size=6)
some = st.none() | st.text(min_size=1, max_size=6)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
values = st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=3)
everybody = st.builds(
    Person,
    id=st.builds(DirectoryId, st.just("corp"), st.text(min_size=1)),
    user_name=st.text(min_size=1).map(str.strip).filter(bool),
    mail=some,
    display_name=st.text(min_size=1, max_size=9),
    active=st.booleans(),
    inactive_reason=texts,
    active_until=moments,
    starts_at=moments,
    aliases=st.lists(st.text(min_size=1, max_size=6), max_size=2).map(tuple),
    where=texts,
    **dict.fromkeys(
        ("given_name", "family_name", "employee_number", "external_id", "department", "title",
         "phone", "manager", "language", "mailbox"), some
    ),
)  # fmt: skip


@pytest.mark.parametrize("id_", [DirectoryId("", "1"), DirectoryId("corp", "")])
def test_somebody_without_a_source_or_an_id_is_refused(id_):
    """P1: they could not be told apart from another."""
    with pytest.raises(ValueError, match="a person needs a source and an id"):
        Person(id=id_, user_name="ann", mail=None, display_name="Ann")


@pytest.mark.parametrize("name", ["", " ann", "ann\n"])
def test_somebody_without_a_proper_user_name_is_refused(name):
    """P2: blanks around a key make two people of one."""
    with pytest.raises(ValueError, match="is empty or not normalised"):
        person("ann", user_name=name)


@pytest.mark.parametrize("field", ["active_until", "starts_at"])
def test_a_day_without_a_time_zone_is_refused(field):
    """D1: nobody knows when it ends."""
    with pytest.raises(ValueError, match="need a time zone"):
        person("ann", **{field: datetime(2026, 11, 23)})  # noqa: DTZ001 - the point


@pytest.mark.parametrize(
    ("facts", "vouched_for"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"active_until": NOW}, False),
        ({"active_until": NOW + timedelta(seconds=1)}, True),
        ({"active_until": NOW + timedelta(days=1), "active": False}, False),
    ],
)
def test_a_source_vouches_until_it_disables_or_the_account_ends(facts, vouched_for):
    """D1: disabled or expired."""
    assert person("ann", **facts).is_active_at(NOW) is vouched_for


@settings(max_examples=60)
@given(everybody)
def test_a_person_survives_being_stored(one):
    """R3: what is compared tomorrow is what was applied today."""
    document = json.loads(json.dumps(one.to_json()))
    assert Person.from_json(one.id, document) == one
    assert Person.from_json(one.id, one.to_json()) == one


def test_what_is_empty_is_not_stored():
    """R3: nothing and an empty text are the same to a directory."""
    assert person("ann", mail=None, where="").to_json() == {
        "user_name": "ann",
        "display_name": "Ann",
        "active": True,
    }


def test_a_stored_field_nobody_knows_is_an_error():
    """R3: a document of another version is not half understood."""
    with pytest.raises(TypeError):
        Person.from_json(DirectoryId("corp", "1"), {**person("ann").to_json(), "shoe_size": 42})


def test_a_mapping_may_fill_every_field_but_the_id():
    """P1: the id is the directory's."""
    assert set(PERSON_FIELDS) == {field.name for field in fields(Person)} - {"id"}


@settings(max_examples=60)
@given(attributes=values, where=texts, problem=some)
def test_the_order_in_which_a_server_answers_does_not_matter(attributes, where, problem):
    """R3: attributes and values in any order are the same entry."""
    turned = {name: attributes[name][::-1] for name in reversed(attributes)}
    one = RawPerson("1", where, attributes, problem)
    assert one.raw_hash() == RawPerson("1", where, turned, problem).raw_hash()


@pytest.mark.parametrize(
    "other",
    [
        RawPerson("1", "ou=Bonn", {"cn": ("Ann",)}),
        RawPerson("1", "ou=Berlin", {"cn": ("Anna",)}),
        RawPerson("1", "ou=Berlin", {"sn": ("Ann",)}),
        RawPerson("1", "ou=Berlin", {"cn": ("Ann", "Ann")}),
        RawPerson("1", "ou=Berlin", {}),
        RawPerson("1", "ou=Berlin", {"cn": ("Ann",)}, "no id"),
    ],
)
def test_whatever_an_entry_says_differently_makes_it_another(other):
    """R3: a change is never overlooked."""
    assert other.raw_hash() != RawPerson("1", "ou=Berlin", {"cn": ("Ann",)}).raw_hash()


def test_bytes_nobody_can_read_still_have_a_hash():
    """E3: half a character in the directory fails no run."""
    broken = RawPerson("1", "", {"cn": ("\udcff",)})
    assert len(broken.raw_hash()) == 32


@pytest.mark.parametrize("name", ["corp", "corp-ad", "2nd_source", "a" * 63])
def test_a_source_has_a_name_that_fits_everywhere(name):
    assert SOURCE_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "Corp", "-corp", "corp ad", "corp/ad", "a" * 64, "кадры"])
def test_a_source_has_no_name_that_needs_quoting(name):
    assert SOURCE_NAME.fullmatch(name) is None
