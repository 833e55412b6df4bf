"""DNs of settings and servers are equal when they mean the same (RFC 4514)."""

from __future__ import annotations

import pytest

from connectors.ldap.names import parse_pasted
from provisioning.domain.names import is_below, parsed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=Ann,dc=corp", "CN = ANN , DC = Corp"),
        (r"cn=M\C3\BCller\2C Ann,dc=corp", r"cn=Müller\, Ann,dc=corp"),
        (r"cn=\23 one,dc=corp", r"cn=\# one,dc=corp"),
        (r"cn=a\20,dc=corp", "cn=a,dc=corp"),
        ('cn="Weber, Ann",dc=corp', r"cn=Weber\, Ann,dc=corp"),
        ("cn=#0403416E6E,dc=corp", "cn=ann,dc=corp"),
        ("uid=ann+cn=Ann W,dc=corp", "CN=ann w+UID=Ann;dc=corp"),
        ("2.5.4.3=Ann,OID.0.9.2342.19200300.100.1.25=corp", "cn=ann,dc=corp"),
        ("dn: cn=Ann,dc=corp", "cn=ann,dc=corp"),
        ("dn:: Y249TcO8bGxlcixkYz1jb3Jw", "cn=müller,dc=corp"),
        ("cn=Ann  Weber,dc=corp", "cn=ann weber,dc=corp"),
        ("cn=Straße,dc=corp", "cn=STRASSE,dc=corp"),
        (r"cn=a\"b\\c\3Bd,dc=corp", r"cn=a\22b\5cc\;d,dc=corp"),
    ],
)
def test_names_are_equal_however_they_are_written(one, other):
    assert parse_pasted(one) == parse_pasted(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=Ann,dc=corp", "cn=Anna,dc=corp"),
        (r"cn=a\,dc=corp", "cn=a,dc=corp"),
        ("uid=ann+cn=x,dc=corp", "uid=ann,dc=corp"),
        ("cn=ann,ou=a,dc=corp", "cn=ann,ou=b,dc=corp"),
    ],
)
def test_names_of_two_entries_differ(one, other):
    assert parse_pasted(one) != parse_pasted(other)


@pytest.mark.parametrize(
    "text",
    ["Ann", "cn=a,,dc=x", "cn=a,", "cn=a\\", "cn=#04", "cn=#0405ab", 'cn="a', 'cn="a"b,dc=x', "=a",
     r"cn=\ff", "cn=a+", "dn:: %%%", "cn=#0203010203"],
)  # fmt: skip
def test_what_is_no_name_is_said(text):
    """Promise 7: in one sentence, which quotes it."""
    with pytest.raises(ValueError, match="is not a DN"):
        parse_pasted(text)
    assert parsed(text) is None


def test_below_is_by_whole_parts():
    """R2: ou=Staff is not the end of ou=Old Staff."""
    base = parse_pasted("ou=Staff,dc=corp")
    assert is_below(parse_pasted("cn=a,OU=staff,DC=corp"), base)
    assert is_below(base, base)
    assert not is_below(parse_pasted("cn=a,ou=Old Staff,dc=corp"), base)
    assert not is_below(parse_pasted("dc=corp"), base)
