"""How each field of a person came about: rule, raw values, value, and what was refused (R9)."""

from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import FieldTrace, compile_mapping
from provisioning.domain.people import RawPerson
from tests.unit.test_mapping import NOW, RULES


def explained(rules=RULES, *, problem=None, **attributes):
    """How each field of an entry came about, by name."""
    values = {
        name: (value,) if isinstance(value, str) else tuple(value)
        for name, value in attributes.items()
    }
    raw = RawPerson(anchor="1", where="uid=anna,ou=Berlin", attributes=values, problem=problem)
    traces = compile_mapping(rules, CelCompiler()).explain("corp", raw, NOW)
    return {trace.field: trace for trace in traces}


def test_every_field_says_how_it_came_about():
    """R9: rule, raw values and value; what has no rule of its own is made of the others."""
    traces = explained(
        uid=" anna ", mail="anna@corp.example", givenName="Anna", departmentNumber="Sales",
        l="Berlin", expires="2027-01-01",
    )  # fmt: skip
    assert traces["user_name"] == FieldTrace(
        field="user_name", rule="uid", raw={"uid": (" anna ",)}, value="anna"
    )
    assert traces["department"] == FieldTrace(
        field="department",
        rule=RULES["department"]["expr"],
        is_expression=True,
        raw={"departmentNumber": ("Sales",), "l": ("Berlin",)},
        value="Sales, Berlin",
    )
    assert (traces["active"].value, traces["mailbox"].value) == (True, None)
    assert traces["active_until"].value.startswith("2027-01-01T23:59:59")
    assert traces["where"] == FieldTrace(field="where", raw={}, value="uid=anna,ou=Berlin")
    assert traces["display_name"].value == "Anna"
    assert "title" not in traces


def test_a_field_that_is_refused_says_why_and_the_others_are_told():
    """R9: one mistake hides nothing of the rest."""
    traces = explained(
        uid="anna", mail=["nobody", "anna@corp.example"], expires="soon", starts="2026-12-01",
        proxyAddresses=["smtp:aw@corp.example", "X500:/o=corp"], mailRoutingAddress="x",
        departmentNumber="Sales", locked="yes",
    )  # fmt: skip
    assert "soon" in traces["active_until"].refused
    assert traces["active_until"].value is None
    assert traces["mail"].value == "anna@corp.example"
    assert traces["mail"].refused == "no usable address: nobody"
    assert traces["aliases"].value == ["aw@corp.example"]
    assert traces["aliases"].refused == "no usable address: X500:/o=corp"
    assert traces["mailbox"].value is None
    assert traces["department"].value == "Sales"
    assert traces["starts_at"].value.startswith("2026-12-01")
    assert traces["active"].value is False
    assert "where" not in traces


def test_an_unreadable_entry_is_explained_as_far_as_it_goes():
    """R9: whoever cannot be a person has fields all the same."""
    assert explained(problem="mail is not UTF-8 text", uid="anna")["user_name"].value == "anna"


def test_a_mapping_knows_the_attributes_of_some_fields():
    mapping = compile_mapping(RULES, CelCompiler())
    assert mapping.attributes_of("user_name", "department", "phone") == {
        "uid", "departmentNumber", "l",
    }  # fmt: skip
    assert mapping.rules == RULES
