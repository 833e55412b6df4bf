"""Two hundred random days of three directories: changes and complete readings agree after each."""

from __future__ import annotations

import pytest

from tests.kit.sequences import live_through

DAYS = range(1_000, 1_067)


@pytest.mark.parametrize("number", DAYS)
def test_changes_and_a_complete_reading_agree(ldap_server, number):
    """R3, R6: whatever happened, in whatever order; every fifth day by groups, too."""
    more = () if number % 5 else ("memberOf",)
    day = live_through(ldap_server.branch(), number, *more, readings=6)
    assert day.known == day.there == day.truth
