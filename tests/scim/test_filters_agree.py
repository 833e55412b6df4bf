"""Filters find whom scim2-models' own evaluator finds, on both databases (RFC 7644 3.4.2.2)."""

from __future__ import annotations

import random

import pytest

from tests.kit.scim_crowd import crowded
from tests.kit.scim_questions import Questions, disagreements

SIZE = 60
SEED = 20261124


@pytest.fixture
def crowd(sqlite_url, postgresql_url):
    """The same people and groups on both databases."""
    with crowded(sqlite_url, postgresql_url, SIZE, SEED) as found:
        yield found


@pytest.mark.parametrize("part", range(4))
def test_filters_on_people_find_whom_the_reference_finds(crowd, part):
    """RFC 7644 3.4.2.2: every operator on every kind of attribute, nested and turned around."""
    known, databases = crowd
    questions = Questions(known, random.Random(SEED + part))
    assert not disagreements(questions, databases, 425), f"seed {SEED + part}"


def test_filters_on_groups_find_what_the_reference_finds(crowd):
    """The same for groups and their members."""
    known, databases = crowd
    questions = Questions(known, random.Random(SEED), of_groups=True)
    assert not disagreements(questions, databases, 300), f"seed {SEED}"
