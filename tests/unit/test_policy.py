"""What an administrator decides once: limits, domains, and who is protected (D4, D5)."""

import pytest

from provisioning.domain.policy import Policy
from tests.kit.domain import person


@pytest.mark.parametrize("name", ["dismiss_percent", "rolling_percent"])
@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan")])
def test_a_percentage_that_is_none_is_refused(name, percent):
    """D5: from 0 to 100, both included."""
    with pytest.raises(ValueError, match="a percentage lies between 0 and 100"):
        Policy(**{name: percent})
    assert Policy(**{name: 0}) != Policy(**{name: 100})


@pytest.mark.parametrize("name", ["disabled_grace_nights", "missing_grace_nights", "dismiss_count"])
def test_a_number_of_nights_or_people_below_zero_is_refused(name):
    """D2, D5: nobody leaves before they are gone."""
    with pytest.raises(ValueError, match="cannot be negative"):
        Policy(**{name: -1})
    assert Policy(**{name: 0})


@pytest.mark.parametrize(
    ("seated", "percent", "count", "limit"),
    [
        (0, 5, None, 3),
        (79, 5, None, 3),
        (80, 5, None, 4),
        (1_240, 5, None, 62),
        (1_240, 5, 20, 20),
        (1_240, 5, 900, 62),
        (1_240, 5, 0, 3),
        (1_240, 0, None, 3),
        (1_240, 100, None, 1_240),
        (2_750, 2.8, None, 77),
    ],
)
def test_how_many_may_leave_in_one_night(seated, percent, count, limit):
    """D5: max(3, min(count, percent of the seated)), exactly."""
    assert Policy(dismiss_percent=percent, dismiss_count=count).removal_limit(seated) == limit


@pytest.mark.parametrize(
    ("seated", "percent", "limit"), [(0, 10, 3), (39, 10, 3), (40, 10, 4), (2_750, 2.8, 77)]
)
def test_how_many_may_leave_within_a_week(seated, percent, limit):
    """D5: the rolling share, never below three."""
    assert Policy(rolling_percent=percent).rolling_limit(seated) == limit


def test_the_defaults_are_those_of_the_rules():
    """D2, D5: 5 %, no count, 10 % in a week; 0 nights for disabled, 1 for missing."""
    policy = Policy()
    assert (policy.dismiss_percent, policy.dismiss_count, policy.rolling_percent) == (5, None, 10)
    assert (policy.disabled_grace_nights, policy.missing_grace_nights) == (0, 1)
    assert not policy.link_weak_keys


def test_letters_go_to_verified_domains_only_once_one_is_named():
    """I1: in any case of letters, and a subdomain is another domain."""
    assert Policy().may_write_to("ann@anywhere.example")
    named = Policy(verified_domains=("corp.example", "corp.test"))
    assert named.may_write_to("ann@Corp.Example")
    assert named.may_write_to("ann@corp.test")
    assert not named.may_write_to("ann@mail.corp.example")
    assert not named.may_write_to("ann@corp.example.org")


def test_the_break_glass_list_knows_people_however_their_name_is_written():
    """D4: capitals, and letters composed or not: providers write ü in both ways."""
    listed = Policy(protected=frozenset({"jürgen"}))
    assert listed.protects(person("j", user_name="JÜRGEN"))
    assert listed.protects(person("j", user_name="ju\N{COMBINING DIAERESIS}rgen"))
    assert not listed.protects(person("j", user_name="jurgen"))


def test_an_address_nobody_gave_protects_nobody():
    """D4: an empty line in the list is no name."""
    assert not Policy(protected=frozenset({""})).protects(person("ann", mail=None))


def test_an_attribute_has_one_owner_or_none():
    """P6: of the others nobody has the say alone."""
    policy = Policy(owners={"title": "hr"})
    assert (policy.owner_of("title"), policy.owner_of("manager")) == ("hr", "")
