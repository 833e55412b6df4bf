"""Whose word counts for which attribute of an employee of several sources (P6)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.precedence import OWNED, Attribute, Voice, Word, has_the_say, settled
from tests.kit.domain import person

MINE, THEIRS, LEADING = "mine", "theirs", "leading"


def say(source, title, *, leads):
    return Word(Voice(source, leads), person("ann", title=title))


def title(mine, others=(), *, withdrawn=(), authoritative, owner=""):
    """What becomes of the title; "kept" when it is not touched. Sources are 0 (mine), 1, 2 ..."""
    told = [say(str(n), said, leads=leads) for n, (leads, said) in enumerate(others, start=1)]
    word = say("0", mine, leads=authoritative)
    return settled(word, withdrawn, told, {"title": owner} if owner else {}).get("title", "kept")


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


@pytest.mark.parametrize(
    ("mine", "others", "owner", "authoritative", "expected"),
    [
        (MINE, [(True, THEIRS)], "0", False, MINE),
        (MINE, [(False, THEIRS)], "1", True, THEIRS),
        (MINE, [(True, LEADING), (False, THEIRS)], "2", True, THEIRS),
        (MINE, [(False, None)], "1", True, MINE),
        (None, [(False, THEIRS)], "0", True, THEIRS),
        (MINE, [(True, LEADING)], "elsewhere", False, LEADING),
    ],
)
def test_the_owner_of_an_attribute_comes_first(mine, others, owner, authoritative, expected):
    """P6: whoever is authoritative; if it says nothing, the others are asked as ever."""
    assert title(mine, others, authoritative=authoritative, owner=owner) == expected
    assert title(mine, others, authoritative=authoritative, owner=owner, withdrawn=["title"]) == (
        expected
    )


@pytest.mark.parametrize(
    ("mine", "others", "owner", "expected"),
    [
        (False, [], "", True),
        (False, [], "elsewhere", True),
        (True, [False], "", True),
        (True, [True], "", True),
        (False, [False], "", False),
        (False, [True], "", False),
        (False, [True], "0", True),
        (True, [False], "1", False),
        (True, [False], "elsewhere", True),
    ],
)
def test_one_source_decides_where_letters_go(mine, others, owner, expected):
    """P6, I5: the owner of the mail, else the authoritative one, else who is alone."""
    voices = [Voice(str(n), leads) for n, leads in enumerate(others, start=1)]
    assert has_the_say(Voice("0", mine), voices, "mail", {"mail": owner}) == expected


def test_every_attribute_is_settled_for_itself():
    """P6: the department of one source and the title of another, on one employee."""
    day = datetime(2026, 12, 1, tzinfo=UTC)
    hr = person("ann", department="Sales", starts_at=day)
    mine = say("corp", "Engineer", leads=False)
    values = settled(mine, (), [Word(Voice("hr", authoritative=True), hr)], {})
    assert values == {
        "display_name": "Ann",
        "department": "Sales",
        "title": "Engineer",
        "starts_at": day,
    }


def test_neither_login_nor_contact_is_a_sources_to_set():
    """E2, P5: not by any precedence."""
    assert not {"login", "contact_email"} & set(Attribute)
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
