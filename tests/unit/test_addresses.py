"""Addresses: when two of them differ, and why (E4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.addresses import (
    AddressDifference,
    address_key,
    difference,
    domain_of,
    usable_mail,
)

D = AddressDifference

parts = st.text("abcÄд.+-_", min_size=1, max_size=8)
addresses = st.builds("{}@{}.example".format, parts, st.text("abc", min_size=1, max_size=4))


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("anna@corp.example", "anna@corp.example", None),
        ("Anna@Corp.Example", "anna@corp.example", D.CASE_ONLY),
        ("анна@corp.example", "АННА@corp.example", D.CASE_ONLY),
        ("a.weber@corp.example", "anna.weber@corp.example", D.ALIAS),
        ("anna.weber+news@corp.example", "anna.weber@corp.example", D.PLUS_TAG),
        ("anna+a@corp.example", "anna+b@corp.example", D.PLUS_TAG),
        ("anna.weber@old.example", "anna.weber@corp.example", D.OLD_DOMAIN),
        ("anna.weber@other.example", "anna.weber@corp.example", D.UNRELATED),
        ("weber.anna@corp.example", "anna.weber@corp.example", D.SWAPPED),
        ("weber_anna@corp.example", "anna.weber@corp.example", D.SWAPPED),
        ("weberanna@corp.example", "annaweber@corp.example", D.SWAPPED),
        ("anna.weber@gmial.example", "weber.anna@corp.example", D.UNRELATED),
        ("ana.weber@corp.example", "anna.weber@corp.example", D.TYPO),
        ("anna.veber@corp.example", "anna.weber@corp.example", D.TYPO),
        ("anan.weber@corp.example", "anna.weber@corp.example", D.TYPO),
        ("anna.weber@crop.example", "anna.weber@corp.example", D.TYPO),
        ("anna.weberrr@corp.example", "anna.weber@corp.example", D.UNRELATED),
        ("jan.roe@corp.example", "anna.weber@corp.example", D.UNRELATED),
    ],
)
def test_a_difference_has_a_reason(one, other, why):
    """E4: case only, plus-tag, alias, old domain, swapped, typo, unrelated."""
    known = {
        "aliases": ["A.Weber@corp.example"],
        "old_domains": ["old.example"],
        "name": "Anna Weber",
    }
    assert difference(one, other, **known) is why
    assert difference(other, one, **known) is why


@given(one=addresses, other=addresses, aliases=st.lists(addresses, max_size=2))
def test_it_does_not_matter_which_address_comes_first(one, other, aliases):
    """E4."""
    domains = [domain_of(one)]
    assert difference(one, other, aliases=aliases, old_domains=domains) is difference(
        other, one, aliases=aliases, old_domains=domains
    )


@given(addresses)
def test_an_address_does_not_differ_from_itself(address):
    """E4."""
    assert difference(address, address, aliases=[address]) is None
    assert difference(address, address.upper()) in (None, D.CASE_ONLY) or "ß" in address.upper()


@given(addresses, addresses)
def test_only_equal_keys_are_a_matter_of_case(one, other):
    """E4."""
    equal = address_key(one) == address_key(other)
    assert (difference(one, other) in (None, D.CASE_ONLY)) == equal


@given(address=addresses, place=st.integers(0, 30), letter=st.sampled_from("xyz"))
def test_one_letter_too_many_is_a_typo(address, place, letter):
    """E4."""
    longer = address[:place] + letter + address[place:]
    assert difference(address, longer) in (D.TYPO, D.PLUS_TAG)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    key = address_key(text)
    assert address_key(key) == key


@given(st.text(), st.text())
def test_whatever_is_usable_is_one_address_on_one_line(local, domain):
    """I1."""
    mail = usable_mail(f"{local}@{domain}.example")
    if mail is not None:
        assert mail.count("@") == 1
        assert mail == mail.strip() == usable_mail(mail)
        assert not set(mail) & set(" \r\n\t\0<>,;")


@pytest.mark.parametrize(
    "value",
    ["", "anna", "@corp.example", "anna@", "anna@corp", "a b@corp.example", "a@b@corp.example",
     ".anna@corp.example", "anna.@corp.example", "an..na@corp.example", "anna@corp..example",
     "anna@-corp.example", "anna@corp.example-", "a" * 65 + "@corp.example", "anna@corp.e",
     "a@" + "b." * 130 + "example", "Anna <anna@corp.example>", "anna@corp.example, b@corp.example",
     "x500:/o=corp@corp.example", "anna@corp.example\nBcc: b@corp.example"],
)  # fmt: skip
def test_what_cannot_be_written_to_is_no_address(value):
    """I1: no usable address, no invitation."""
    assert usable_mail(value) is None


@pytest.mark.parametrize(
    "value", ["anna.weber@corp.example", "o'neil+x@corp.example", "анна@почта.example", "a@b.co"]
)
def test_what_can_be_written_to_is_kept_as_it_is(value):
    assert usable_mail(f" {value} ") == value
