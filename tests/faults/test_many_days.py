"""Two hundred random days of three directories: changes and complete readings agree after each."""

from __future__ import annotations

import pytest

from tests.kit.sequences import crew_of, live_through

DAYS = range(1_000, 1_067)


@pytest.mark.parametrize("number", DAYS)
def test_changes_and_a_complete_reading_agree(ldap_server, number):
    """R3, R6: whatever happened, in whatever order; on some days groups matter, too."""
    branch = ldap_server.branch()
    more = () if number % 5 else ("memberOf",)
    crew = {} if number % 7 else {"groups": crew_of(branch), "group_base_dn": branch.base}
    day = live_through(branch, number, *more, readings=6, **crew)
    assert day.known == day.there == day.truth
