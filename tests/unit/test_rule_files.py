"""Rules in a file: what is wrong is told by the line and the column where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cel.compiler import CelCompiler
from provisioning.domain.errors import ConfigurationError, RuleError
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.rule_files import in_file, parse_rules, toml_of

TRICKY = "ab'\"\\\n\t"
THREE_LINES = """\
[mapping]
department = { expr = '''
joinNonEmpty([first("ou"),
    frist("l")], ", ")
''' }
"""


def complaint(text):
    """What is said of a file whose rules do not compile."""
    rules = parse_rules(text, "rules.toml")
    with pytest.raises(RuleError) as caught:
        compile_mapping(rules, CelCompiler())
    return str(in_file(caught.value, rules, text, "rules.toml"))


@pytest.mark.parametrize(
    ("text", "place", "inside"),
    [
        ("[mapping]\nmail = { expr = 'frist(\"mail\")' }\n", (2, 23), (1, 6)),
        ("# ours\n\n[mapping]\nmail.expr = 'frist(\"mail\")'\n", (4, 19), (1, 6)),
        ("[mapping]\ntitle = 'x'\n[mapping.mail]\nexpr = 'frist(\"mail\")'\n", (4, 14), (1, 6)),
        ("[mapping.mail]\nexpr = 'frist(\"mail\")'\n", (2, 14), (1, 6)),
        ("[mapping]\n\"mail\"   =   {expr='frist(\"mail\")'}", (2, 26), (1, 6)),
        ("[other]\nmail = 1\n[mapping]\nmail = { expr = 'first(' }\n[more]", (4, 24), (1, 7)),
        (THREE_LINES, (4, 10), (2, 10)),
        # Written with escapes: the place in the file is where the expression begins.
        ('[mapping]\nmail = { expr = "frist(\\"mail\\")" }\n', (2, 18), (1, 6)),
    ],
)  # fmt: skip
def test_a_mistake_in_an_expression_is_told_by_its_place(text, place, inside):
    """Promise 7: where in the file, where in the expression, and what helps."""
    said = complaint(text)
    assert said.startswith(f"rules.toml, line {place[0]}, column {place[1]}: ")
    assert f"(line {inside[0]}, column {inside[1]} of the expression)" in said
    assert said.endswith("docs/mapping.md has every field and function with an example")


def test_a_mistake_that_is_no_expression_s_is_told_by_its_place_too():
    """Promise 7: a field that nobody has, a rule that is none."""
    assert complaint('[mapping]\ntitle = "title"\nmial = "mail"\n') == (
        'rules.toml, line 3, column 9: mial: a person has no such field; did you mean "mail"? '
        "docs/mapping.md has every field and function with an example"
    )
    assert complaint("[mapping]\nmail = 5\n").startswith("rules.toml, line 2, column 8: mail: ")
    inline = "mapping = { mail = 5 }"
    assert complaint(inline).startswith("rules.toml: mail: write the name of an attribute")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[mapping]\nmail = \n", "rules.toml, line 2, column 8: Invalid value"),
        ("mail = 'mail'", "rules.toml has no [mapping] table. Write one"),
        ("mapping = 5", "rules.toml has no [mapping] table"),
    ],
)
def test_a_file_without_rules_is_told_as_such(text, sentence):
    """Exit code 78: what is wrong, where, and what to write."""
    with pytest.raises(ConfigurationError) as caught:
        parse_rules(text, "rules.toml")
    assert sentence in str(caught.value)


@given(st.text(), st.text(alphabet=TRICKY))
def test_rules_are_written_as_they_are_read(attribute, expression):
    """R8: what is shown can be changed and saved; nothing is lost on the way."""
    rules = {"mail": attribute, "title": {"expr": expression}}
    assert parse_rules(toml_of(rules), "rules.toml") == rules


def test_the_preset_s_rules_are_comments_on_every_line():
    """R8: they change nothing until somebody takes the # off."""
    preset = {"mail": "mail", "title": {"expr": "first('title')\n"}, "phone": "mobile"}
    written = toml_of({"mail": "email"}, preset)
    assert parse_rules(written, "rules.toml") == {"mail": "email"}
    opened = written.replace("\n# ", "\n")
    assert parse_rules(opened, "rules.toml") == {**preset, "mail": "email"}
