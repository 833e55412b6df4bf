"""Whose word counts for which attribute of an employee of several sources (P6)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.precedence import OWNED, settled
from tests.kit.domain import person

MINE, THEIRS, LEADING = "mine", "theirs", "leading"


def title(mine, others=(), *, withdrawn=(), authoritative):
    """What becomes of the title; "kept" when it is not touched."""
    told = [(leads, person("ann", title=said)) for leads, said in others]
    values = settled(person("ann", title=mine), withdrawn, told, authoritative=authoritative)
    return values.get("title", "kept")


@pytest.mark.parametrize(
    ("mine", "others", "withdrawn", "authoritative", "expected"),
    [
        (MINE, [], [], True, MINE),
        (MINE, [], [], False, MINE),
        (MINE, [(True, THEIRS)], [], True, MINE),
        (MINE, [(False, THEIRS)], [], True, MINE),
        (MINE, [(True, THEIRS)], [], False, THEIRS),
        (MINE, [(False, THEIRS)], [], False, MINE),
        (MINE, [(True, None)], [], False, MINE),
        (None, [(True, THEIRS)], [], True, THEIRS),
        (None, [(False, THEIRS), (True, LEADING)], [], True, LEADING),
        (None, [(False, THEIRS)], [], False, THEIRS),
        (None, [], ["title"], True, None),
        (None, [(True, None)], ["title"], False, None),
        (None, [], [], True, "kept"),
        (None, [(True, None)], [], False, "kept"),
    ],
)
def test_a_source_changes_only_what_it_owns(mine, others, withdrawn, authoritative, expected):
    """P6: every row of the table, for one attribute."""
    assert title(mine, others, withdrawn=withdrawn, authoritative=authoritative) == expected


def test_every_attribute_is_settled_for_itself():
    """P6: the department of one source and the title of another, on one employee."""
    day = datetime(2026, 12, 1, tzinfo=UTC)
    hr = person("ann", department="Sales", starts_at=day)
    values = settled(person("ann", title="Engineer"), (), [(True, hr)], authoritative=False)
    assert values == {
        "display_name": "Ann",
        "department": "Sales",
        "title": "Engineer",
        "starts_at": day,
    }


def test_neither_login_nor_contact_is_a_sources_to_set():
    """E2, P5: not by any precedence."""
    assert set(OWNED) == {"display_name", "department", "title", "mailbox", "starts_at"}


@given(
    mine=st.sampled_from([None, MINE]),
    others=st.lists(st.tuples(st.booleans(), st.sampled_from([None, THEIRS])), max_size=3),
    authoritative=st.booleans(),
)
def test_a_value_somebody_gives_is_never_taken_away(mine, others, authoritative):
    """P6: as long as one who vouches says something, the employee has it."""
    found = title(mine, others, withdrawn=["title"], authoritative=authoritative)
    anybody = mine or any(said for _, said in others)
    assert (found is None) == (not anybody)
