"""Places: one entry, however its DN is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.names import (
    is_below,
    parse_levels,
    parse_name,
    parsed,
    parsed_levels,
    split_first,
)
from provisioning.domain.places import LONGEST_KEY, place_key, units_above

SPECIAL = ',+"\\<>;=# '
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SPECIAL), max_size=12)
kinds = st.sampled_from(["cn", "ou", "uid", "dc", "1.2.840.7"])
levels = st.lists(st.tuples(kinds, texts), min_size=1, max_size=3, unique_by=lambda each: each[0])
places = st.lists(levels, min_size=1, max_size=4)
chances = st.randoms(use_true_random=False)


def written(place, chance):
    """A DN as somebody may write it: RFC 4514 lets them choose."""
    blank = lambda: chance.choice(["", " "])  # noqa: E731 - a name for three places
    return f"{blank()},{blank()}".join(
        f"{blank()}+{blank()}".join(
            f"{chance.choice([kind, kind.upper()])}{blank()}={blank()}{value_written(text, chance)}"
            for kind, text in chance.sample(level, len(level))
        )
        for level in place
    )


def value_written(text, chance):
    return "".join(character_written(character, text, chance) for character in text)


def character_written(character, text, chance):
    as_bytes = "".join(
        f"\\{byte:{chance.choice('xX').replace('x', '02x').replace('X', '02X')}}"
        for byte in character.encode()
    )
    if character in SPECIAL:
        return chance.choice([as_bytes, "\\" + character])
    return as_bytes if character == "\0" else chance.choice([as_bytes, character])


@given(places, chances, chances)
def test_a_place_has_one_key_however_it_is_written(place, one, other):
    """Escapes, case of types, blanks and the order within a level do not matter (RFC 4514)."""
    assert place_key(written(place, one)) == place_key(written(place, other))


@given(places, chances)
def test_what_was_written_is_read(place, chance):
    """Values come back as they were meant, with every comma, plus and backslash."""
    levels = parse_levels(written(place, chance))
    assert [sorted(level) for level in levels] == [sorted(level) for level in place]


@given(places, chances)
def test_the_first_level_and_the_others_are_the_whole(place, chance):
    """Whatever stands in a value: the parent of an entry is what is written behind it."""
    text = written(place, chance)
    first, rest = split_first(text)
    assert (*parse_name(first), *parse_name(rest)) == parse_name(text)
    assert is_below(parse_name(text), parse_name(rest))


@given(st.text(st.sampled_from('cn=a,;+"\\#0 <>\0') | st.characters(), max_size=40))
def test_any_text_is_read_or_refused(text):
    """And what is read has a normal form that reads as itself."""
    name = parsed(text)
    if name is not None:
        assert parse_name(",".join(name)) == name


@given(places, chances)
def test_a_key_is_its_own_key(place, chance):
    """The normal form is a DN, and in its normal form."""
    key = place_key(written(place, chance))
    if not key.startswith("long:"):
        assert place_key(key) == key


@given(st.text())
def test_every_text_has_a_key_that_can_be_stored_and_indexed(text):
    """What is no DN is a text in any case; no database refuses it."""
    key = place_key(text)
    assert len(key) <= LONGEST_KEY
    assert "\0" not in key
    key.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"cn=Weber\, Anna,ou=P", r"CN = weber\2c anna , OU=p"),
        (r"cn=Weber\, Anna,ou=P", r"cn=weber\,  Anna,ou=P"),
        (r"cn=J\C3\BCrgen,ou=P", "cn=Jürgen,ou=P"),
        ("cn=Ann+uid=7,ou=P", "uid=7 + cn=ann,ou=P"),
        ("2.5.4.3=Ann,0.9.2342.19200300.100.1.25=corp", "cn=Ann,dc=corp"),
        (r"cn=\#7", r"cn=\237"),
        ("cn=STRASSE", "cn=straße"),
        (r"cn=Ann\0ADEL:7", r"cn=Ann DEL:7"),
        ("cn=ann\\ ,ou=P", "cn=ann,ou=P"),
        ("2819C223-7F76-453A-919D-413861904646", "2819c223-7f76-453a-919d-413861904646"),
        ("cn=Ann,", "CN=ann,"),
        ("cn=#0403414E4E", "cn=#0403414e4e"),
        ("cn=#0403414E4E,ou=P", "commonName=ann;OID.2.5.4.11=p"),
        ('cn="Weber, \\"A;\\"" , ou=P', r"cn=weber\, \22a\;\22,ou=p"),
        ('cn=" Ann ",ou=P', "cn=Ann,ou=P"),
        ("cn=#0203010203,ou=P", "CN=#0203010203,OU=P"),
    ],
)
def test_two_spellings_of_one_place(one, other):
    assert place_key(one) == place_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"cn=a\,b", "cn=a,b=c"),
        ("cn=a,ou=b", "cn=a,ou=b,dc=c"),
        ("cn=ab", "cn=a b"),
        (r"cn=a\+b", "cn=a+b=c"),
        ("cn=" + "a" * LONGEST_KEY, "cn=" + "a" * LONGEST_KEY + "b"),
    ],
)
def test_two_places(one, other):
    assert place_key(one) != place_key(other)


@pytest.mark.parametrize(
    "text",
    ["ann", "cn", "cn=a,", "cn=a;b", r"cn=\zz", r"cn=\C3", "=a", "cn=a\\", "cn=#", "cn=#04",
     "cn=#0405ab", "cn=#040", 'cn="a', 'cn="a"b', 'cn=a"b', "cn=a\0", "cn=#0402C328"],
)  # fmt: skip
def test_what_is_no_name(text):
    """Nothing is guessed: a text that cannot be read to its end has no levels."""
    with pytest.raises(ValueError, match="is not a DN"):
        parse_levels(text)
    assert (parsed(text), parsed_levels(text)) == (None, ())


@pytest.mark.parametrize(
    ("place", "units"),
    [
        ("uid=ann,ou=Berlin,ou=Sales,OU=people,dc=Corp", ("Sales", "Berlin")),
        ("uid=ann,ou=People,dc=corp", ()),
        ("uid=ann,ou=Interns,ou=External,ou=People,dc=corp", ("Interns",)),
        (r"cn=Weber\, Anna,ou=R\, D,cn=Users,ou=People,dc=corp", ("R, D",)),
        ("uid=ann,ou=Sales,o=Elsewhere", ("Sales",)),
        ("uid=ann", ()),
        ("uid=ann,nonsense", ()),
        ("uid=ann,ou= ,ou=People,dc=corp", ()),
    ],
)
def test_the_units_above_an_entry(place, units):
    """Outermost first, below the longest base that fits; all of them below none."""
    above = units_above(["ou=People, dc=corp", "ou=External,ou=People,dc=corp"])
    assert above(place) == units


def test_nothing_is_the_root():
    """RFC 4514: a DN of no levels; everything is below it."""
    assert parse_name("") == parse_name("  ") == ()
    assert is_below(parse_name("cn=a"), ())
    assert place_key("") == ""
