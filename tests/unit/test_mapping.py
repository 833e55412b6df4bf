"""From an entry to a person: every field, every form of a date, every mistake."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cel.compiler import CelCompiler
from provisioning.domain.errors import ConfigurationError, MappingError
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.people import PERSON_FIELDS, DirectoryId, RawPerson
from provisioning.domain.rules import merge_rules
from provisioning.domain.values import MAX_TEXT

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = {
    "user_name": "uid",
    "mail": "mail",
    "display_name": "displayName",
    "given_name": "givenName",
    "family_name": "sn",
    "department": {"expr": 'joinNonEmpty([first("departmentNumber"), first("l")], ", ")'},
    "active": {"expr": 'first("locked") == ""'},
    "active_until": "expires",
    "starts_at": "starts",
    "aliases": "proxyAddresses",
    "mailbox": "mailRoutingAddress",
}


def mapped(rules=RULES, *, anchor="1", where="uid=anna,ou=Berlin", problem=None, **attributes):
    """The person an entry becomes."""
    values = {
        name: (value,) if isinstance(value, str) else tuple(value)
        for name, value in attributes.items()
    }
    raw = RawPerson(anchor=anchor, where=where, attributes=values, problem=problem)
    return compile_mapping(rules, CelCompiler()).person("corp", raw, NOW)


def test_an_entry_becomes_a_person():
    anna = mapped(
        uid=" anna ",
        mail="Anna.Weber@corp.example",
        givenName="Anna",
        sn="Weber",
        departmentNumber="Sales",
        l="Berlin",
        mailRoutingAddress="SMTP:anna@corp.example",
    )
    assert anna.id == DirectoryId("corp", "1")
    assert (anna.user_name, anna.mail) == ("anna", "Anna.Weber@corp.example")
    assert (anna.display_name, anna.department) == ("Anna Weber", "Sales, Berlin")
    assert (anna.mailbox, anna.where) == ("anna@corp.example", "uid=anna,ou=Berlin")
    assert anna.active
    assert anna.inactive_reason == ""


@pytest.mark.parametrize(
    ("rule", "attributes", "expected"),
    [
        ("ou_path", {"ou_path": ["Sales", "Berlin"]}, "Sales / Berlin"),
        ("ou_path", {"ou_path": ["Sales / EMEA", "Berlin"]}, "Sales/EMEA / Berlin"),
        ("ou_path", {}, None),
        ("departmentNumber", {"departmentNumber": ["7", "8"]}, "7"),
        ({"expr": '[first("o"), first("l"), ""]'}, {"o": "Corp", "l": "Berlin"}, "Corp / Berlin"),
        (
            {"expr": 'all("group_names").filter(g, g.startsWith("dept-"))'},
            {"group_names": ["admins", "dept-it"]},
            "dept-it",
        ),
    ],
)
def test_a_department_is_a_path_where_order_means_something(rule, attributes, expected):
    """Values of an attribute have no order: the first counts, as for every other field."""
    rules = {"user_name": "uid", "department": rule}
    assert mapped(rules, uid="anna", **attributes).department == expected


def test_names_of_attributes_are_equal_in_any_case():
    assert mapped(UID="anna", DEPARTMENTNUMBER="Sales").department == "Sales"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"displayName": "Dr. Weber", "givenName": "Anna", "cn": "aw"}, "Dr. Weber"),
        ({"givenName": "Anna", "sn": "Weber", "cn": "aw"}, "Anna Weber"),
        ({"sn": "Weber", "cn": "aw"}, "Weber"),
        ({"cn": "Anna W."}, "Anna W."),
        ({}, "anna"),
    ],
)
def test_everybody_has_a_name_to_show(attributes, name):
    assert mapped(uid="anna", **attributes).display_name == name


def test_without_a_user_name_the_mail_is_one():
    assert mapped(mail="anna@corp.example").user_name == "anna@corp.example"


def test_nobody_is_nameless():
    with pytest.raises(MappingError, match="uid: is empty, and there is no usable mail"):
        mapped(mail="not an address", uid=" ")


def test_an_unusable_mail_is_no_mail():
    """I1."""
    assert mapped(uid="anna", mail=["anna", "anna@corp.example"]).mail == "anna@corp.example"
    assert mapped(uid="anna", mail="anna").mail is None


def test_an_unreadable_entry_is_a_finding_of_its_own():
    with pytest.raises(MappingError, match="entry: not UTF-8"):
        mapped(uid="anna", problem="not UTF-8")


def test_further_addresses_are_known_once_without_their_prefix():
    """E4: known aliases are not findings."""
    anna = mapped(
        uid="anna",
        mail=["anna@corp.example", "a.w@corp.example"],
        proxyAddresses=[
            "SMTP:Anna@Corp.example",
            "smtp:z@corp.example",
            "Smtp:A.W@corp.example",
            "X500:/o=Corp",
            "sip:anna@corp.example",
        ],
    )
    assert anna.aliases == ("A.W@corp.example", "z@corp.example")


@given(st.permutations(["smtp:a@x.example", "smtp:b@x.example", "smtp:c@x.example"]))
def test_the_order_of_addresses_changes_nothing(values):
    """R3."""
    assert mapped(uid="anna", proxyAddresses=values).aliases == (
        "a@x.example", "b@x.example", "c@x.example",
    )  # fmt: skip


def test_text_is_normalised():
    anna = mapped(uid="u\u0308ser", sn=" We\x00ber\r\n  (Sales)\t")
    assert anna.user_name == "üser"
    assert anna.family_name == "We ber (Sales)"


@pytest.mark.parametrize("value", ["x" * (MAX_TEXT + 1), "\ud800"])
def test_a_value_that_cannot_be_kept_is_refused(value):
    with pytest.raises(MappingError, match="sn: "):
        mapped(uid="anna", sn=value)


def test_whoever_is_disabled_says_by_whom():
    """D1."""
    anna = mapped(uid="anna", locked="000001010000Z")
    assert not anna.active
    assert anna.inactive_reason == "disabled in corp"


@pytest.mark.parametrize(
    ("text", "active"),
    [("TRUE", True), ("yes", True), ("1", True), ("False", False), ("no", False), ("0", False),
     ("", True), ([], True)],
)  # fmt: skip
def test_a_directory_may_say_active_in_words(text, active):
    assert mapped({"user_name": "uid", "active": "enabled"}, uid="a", enabled=text).active is active


def test_active_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(MappingError, match="enabled: 'maybe' is neither true nor false"):
        mapped({"user_name": "uid", "active": "enabled"}, uid="a", enabled="maybe")


def test_a_mapping_may_give_its_own_reason():
    rules = {
        "user_name": "uid",
        "active": {"expr": 'first("kind") != "former"'},
        "inactive_reason": {"expr": '"left on " + first("left")'},
    }
    anna = mapped(rules, uid="anna", kind="former", left="1 May")
    assert anna.inactive_reason == "left on 1 May"


def test_whoever_expired_says_when():
    """D1."""
    anna = mapped(uid="anna", expires="20261101120000Z")
    assert not anna.active
    assert anna.inactive_reason == "expired on 2026-11-01 in corp"
    assert anna.active_until == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_whoever_expires_later_is_active_and_the_end_is_known():
    anna = mapped(uid="anna", expires="2026-11-24", starts="2026-11-01")
    assert anna.active
    assert anna.active_until == datetime(2026, 11, 24, 23, 59, 59, 999999, tzinfo=UTC)
    assert anna.starts_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_the_last_day_is_a_day_to_work_on():
    assert mapped(uid="anna", expires="2026-11-23").active
    assert not mapped(uid="anna", expires="2026-11-22").active
    assert not mapped(uid="anna", expires="20261123120000Z").active


def test_a_date_that_is_none_is_refused():
    with pytest.raises(MappingError, match="expires: 'soon' is not a date"):
        mapped(uid="anna", expires="soon")


def test_a_value_that_does_not_fit_names_its_field():
    rules = {"user_name": "uid", "title": {"expr": "true"}}
    with pytest.raises(MappingError, match="title: gives true, and text is needed"):
        mapped(rules, uid="anna")


def test_an_expression_that_fails_fails_for_one_person():
    rules = {"user_name": "uid", "active": {"expr": 'int(first("uac")) / 2 % 2 == 0'}}
    assert not mapped(rules, uid="anna", uac="514").active
    with pytest.raises(MappingError, match="active: cannot convert string to int"):
        mapped(rules, uid="anna", uac="many")


def test_the_place_of_an_entry_can_be_mapped():
    rules = {
        "user_name": "uid",
        "department": {"expr": 'regexReplace(first("dn"), "^.*?ou=([^,]+).*$", "\\\\1")'},
    }
    assert mapped(rules, uid="anna").department == "Berlin"


def test_a_directory_is_asked_for_what_is_read_and_nothing_else():
    mapping = compile_mapping(
        {"mail": "mail", "title": {"expr": 'first("TITLE") + all("x")[0] + first("dn")'}},
        CelCompiler(),
    )
    assert mapping.attributes == ("TITLE", "cn", "mail", "x")


def test_equal_rules_have_an_equal_version():
    """R8: another mapping is another version, in whatever order it is written."""
    one = compile_mapping(RULES, CelCompiler())
    other = compile_mapping(dict(reversed(RULES.items())), CelCompiler())
    changed = compile_mapping({**RULES, "mail": "email"}, CelCompiler())
    assert one.version == other.version == "0b4534bda172704e"
    assert one.version != changed.version


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (
            {"displayname": "cn"},
            'displayname: a person has no such field; did you mean "display_name"',
        ),
        ({"id": "x"}, "mapping.id: a person has no such field"),
        ({"mail": ""}, "mapping.mail: write the name of an attribute"),
        ({"mail": 5}, "mapping.mail: write the name of an attribute"),
        ({"mail": {"expression": "1"}}, "mapping.mail: write the name of an attribute"),
        ({"mail": {"expr": "'a'", "else": "b"}}, "mapping.mail: write the name of an attribute"),
        ({"mail": {"expr": "nope("}}, "mapping.mail: line 1, column 6: "),
        ({"title": "UserPassword"}, "mapping.title: UserPassword holds passwords or keys"),
        ({"title": {"expr": 'first("unicodePwd;x")'}}, "unicodePwd;x holds passwords or keys"),
        ({"mail": {"expr": "frist('mail')"}}, "reference to 'frist'; did you mean \"first\"?"),
    ],
)
def test_a_mistake_in_a_rule_is_named(rules, sentence):
    with pytest.raises(ConfigurationError) as caught:
        compile_mapping(rules, CelCompiler())
    assert sentence in str(caught.value)


def test_every_field_of_a_person_can_be_mapped():
    times = {"active_until": "2027-01-01", "starts_at": "2026-01-01", "active": "true"}
    mails = dict.fromkeys(("mail", "mailbox"), "m@x.example") | {"aliases": "a@x.example"}
    values = {name: times.get(name) or mails.get(name) or name for name in PERSON_FIELDS}
    person = mapped({name: f"attr-{name}" for name in PERSON_FIELDS},
                    **{f"attr-{name}": value for name, value in values.items()})  # fmt: skip
    empty = [name for name in PERSON_FIELDS if not getattr(person, name)]
    assert empty == ["inactive_reason"]


def test_own_rules_win_and_an_empty_one_takes_away():
    preset = {"mail": "mail", "title": "title", "phone": {"expr": "''"}}
    own = {"mail": {"expr": 'first("email")'}, "title": ""}
    assert merge_rules(preset, own) == {"mail": own["mail"], "phone": preset["phone"]}
