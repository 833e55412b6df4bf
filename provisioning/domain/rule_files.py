"""Rules of a mapping in a TOML file, as administrators keep them, and where in it a mistake is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from provisioning.domain.errors import ConfigurationError, RuleError
from provisioning.domain.rules import expression_of

HELP = "docs/mapping.md has every field and function with an example"

_TABLE = re.compile(r"^[ \t]*\[(?P<name>[^\[\]\n]+)\]", re.MULTILINE)
_VALUE = re.compile(r"\s*(?:\{\s*expr\s*=\s*|\.\s*expr\s*=\s*)?")
_OPENING = re.compile(r"'''\n?|\"\"\"\n?|'|\"")


def parse_toml(text: str, name: str) -> Mapping[str, Any]:
    """Return the tables of a TOML file.

    Args:
        text: The whole file.
        name: What the file is called, for the sentence.

    Raises:
        ConfigurationError: It is not TOML; the text names the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        sentence, _, place = str(error).partition(" (at ")
        place = place.rstrip(")") or "at its end"
        raise ConfigurationError(f"{name}, {place}: {sentence}") from error


def parse_rules(text: str, name: str) -> Mapping[str, Any]:
    """Return the rules of the [mapping] table of a file.

    Args:
        text: The whole file.
        name: What the file is called, for the sentences.

    Raises:
        ConfigurationError: It is not TOML, or has no such table; the text names the line.
    """
    rules = parse_toml(text, name).get("mapping")
    if not isinstance(rules, Mapping):
        raise ConfigurationError(
            f"{name} has no [mapping] table. Write one, with a line for each field: "
            f"department = \"ou\", or department = {{ expr = '...' }}; {HELP}"
        )
    return rules


def toml_of(rules: Mapping[str, Any], usual: Mapping[str, Any] | None = None) -> str:
    r"""Return rules as the [mapping] table of a file.

    >>> usual = {"mail": "mail", "title": "title"}
    >>> print(toml_of({"title": {"expr": 'upper(first("title"))'}}, usual), end="")
    [mapping]
    title = { expr = 'upper(first("title"))' }
    # mail = 'mail'

    Args:
        rules: Own ones.
        usual: What counts for every other field; stands there as comments, to begin with.
    """
    lines = ["[mapping]", *(_line(field, rule) for field, rule in rules.items())]
    others = (_line(field, rule) for field, rule in (usual or {}).items() if field not in rules)
    lines += [f"# {line}" for other in others for line in other.split("\n")]
    return "\n".join([*lines, ""])


def _line(field: str, rule: Any) -> str:
    """Return the rule of a field; an expression may take several lines."""
    expression = expression_of(rule)
    written = _quoted(str(rule)) if expression is None else f"{{ expr = {_quoted(expression)} }}"
    return f"{field} = {written}"


def _quoted(text: str) -> str:
    """Return a text as TOML has it, without escapes where it can be."""
    if text.replace("\n", "").isprintable():
        if not {"'", "\n"} & set(text):
            return f"'{text}'"
        if "'''" not in text and not text.endswith("'"):
            return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def in_file(error: RuleError, rules: Mapping[str, Any], text: str, name: str) -> ConfigurationError:
    """Return the error of a rule as a sentence that names the line and the column of the file."""
    line, column = place_of(error, rules, text)
    where = f"{name}, line {line}, column {column}" if line else name
    inside = f" (line {error.line}, column {error.column} of the expression)" if error.line else ""
    sentence = f"{error.problem}{inside}"
    stop = "" if sentence.endswith("?") else "."
    return ConfigurationError(f"{where}: {error.field}: {sentence}{stop} {HELP}")


def place_of(error: RuleError, rules: Mapping[str, Any], text: str) -> tuple[int, int]:
    """Return the line and column of a mistake in a file, from 1; zeros if they cannot be told.

    An expression that is written with escapes is told by where it begins.
    """
    at = _written_at(error.field, text)
    if at is None:
        return 0, 0
    rule = rules.get(error.field)
    expression = expression_of(rule)
    if error.line and expression is not None and text.startswith(expression, at):
        before = "".join(expression.splitlines(keepends=True)[: error.line - 1])
        at += len(before) + error.column - 1
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _written_at(field: str, text: str) -> int | None:
    """Return where the value of a field begins: behind the quotation mark, if there is one."""
    for table in _TABLE.finditer(text):
        key = {"mapping": re.escape(field), f"mapping.{field}": "expr"}.get(table["name"].strip())
        if key is None:
            continue
        following = _TABLE.search(text, table.end())
        end = following.start() if following else len(text)
        written = re.compile(rf"""^[ \t]*["']?{key}["']?[ \t]*(?:=|(?=\.))""", re.MULTILINE)
        found = written.search(text, table.end(), end)
        if found is not None:
            value = _VALUE.match(text, found.end())
            at = value.end() if value else found.end()
            opening = _OPENING.match(text, at)
            return opening.end() if opening else at
    return None
