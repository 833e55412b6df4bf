"""docs/mapping.md: every example on it is run, every field and function is on it."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.cel import compiler as language
from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.people import PERSON_FIELDS, RawPerson

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
PROMISED = (
    "lower upper trim title split joinNonEmpty firstNonEmpty replace domain local "
    "stripDiacritics translit phoneE164 regexReplace"
)
_CELL = re.compile(r"(?<!\\)\|")


def tables():
    """Every table of the page: its headings, and the cells of its rows."""
    for block in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        rows = [
            [cell.strip().replace(r"\|", "|") for cell in _CELL.split(line)[1:-1]]
            for line in block.splitlines()
        ]
        yield rows[0], rows[2:]


def examples():
    """Every expression of the page that says what it gives."""
    for headings, rows in tables():
        if headings[-1] == "gives":
            column = headings.index("here" if "here" in headings else "expression")
            for row in rows:
                yield row[column].partition("` (")[0].strip("`"), row[-1].strip("`")


def column(name):
    return [row[0].strip("`") for headings, rows in tables() if headings[0] == name for row in rows]


def entry():
    """The entry all examples are about."""
    found: dict[str, list[str]] = {}
    for line in re.search(r"```ldif\n(.*?)```", PAGE, re.DOTALL)[1].splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name, []).append(value.strip())
    return found


@pytest.mark.parametrize(("expression", "gives"), list(examples()))
def test_an_example_gives_what_the_page_says(expression, gives):
    """R8: whoever copies it from the page gets what is written beside it."""
    value = CelCompiler().compile(expression).evaluate(entry())
    said = json.loads(gives) if gives.startswith("[") or gives in ("true", "false") else gives
    assert value == said


def test_every_field_and_every_function_is_on_the_page():
    """A field or a function that nobody can read about is not there."""
    assert column("field") == list(PERSON_FIELDS)
    functions = column("function")
    assert sorted(functions) == sorted(set(language.NAMES) - {"entry"})
    assert set(PROMISED.split()) <= set(functions)
    for headings, rows in tables():
        for row in rows if headings[0] == "function" else ():
            assert f"{row[0].strip('`')}(" in row[2]


def test_the_phrases_of_other_products_are_on_the_page():
    """Whoever comes from Entra or Okta finds the phrase they know."""
    entra, okta = " ".join(column("Entra")), " ".join(column("Okta"))
    names = "Append BitAnd CBool Coalesce Count IIF InStr IsNullOrEmpty IsPresent Item Join Left"
    names += " Mid NormalizeDiacritics Not PCase RemoveDuplicates Replace SingleAppRoleAssignment"
    for name in f"{names} Split StripSpaces Switch ToLower ToUpper Trim Word".split():
        assert f"{name}(" in entra, name
    names = "append join len removeSpaces replace replaceFirst startsWith stringContains"
    for name in f"{names} stringSwitch substring substringAfter substringBefore".split():
        assert f"String.{name}(" in okta, name
    for name in ("Arrays.contains", "Arrays.toCsvString", "isMemberOfGroupName", "Convert.toInt"):
        assert f"{name}(" in okta, name


def test_the_mapping_on_the_page_makes_a_person():
    """R8: the first example can be saved as it is."""
    [written] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    rules = tomllib.loads(written)["mapping"] | {"user_name": "uid"}
    del rules["title"]
    values = {name: tuple(each) for name, each in entry().items()}
    raw = RawPerson("1", values.pop("dn")[0], values)
    anna = compile_mapping(rules, CelCompiler()).person("corp", raw, datetime.now(UTC))
    assert (anna.mail, anna.department) == ("Anna.Weber@Corp.Example", "Sales, Berlin")
