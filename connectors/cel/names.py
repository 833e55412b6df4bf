"""Which attributes an expression reads, from its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from provisioning.domain.errors import ExpressionError

_TOKEN = re.compile(
    r"""
      (?: \s+ | //[^\n]* )
    | (?P<string> [bB]?[rR]("|')[^\n]*?\2
                | [bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
                        | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*') )
    | (?P<name> [A-Za-z_]\w* )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(["'])([A-Za-z0-9][A-Za-z0-9;._-]*)\1""")
_MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_MAX_MACROS = 4


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


def attributes_read(expression: str) -> frozenset[str]:
    """Return the attribute names of an expression that compiles, as they are written in it.

    Names have to be written out, because a directory is asked for exactly these attributes.

    Raises:
        ExpressionError: A name is computed, or `entry` is used as a whole.
    """
    return frozenset(_names(expression, tuple(_tokens(expression))))


def check_loops(expression: str) -> None:
    """Refuse more loops than a mapping needs: each may multiply what the one before made."""
    tokens = tuple(_tokens(expression))
    loops = sum(before.text == "." and token.text in _MACROS for before, token in pairwise(tokens))
    if loops > _MAX_MACROS:
        raise ExpressionError(f"{loops} loops are too many, at most {_MAX_MACROS} are allowed")


def _tokens(expression: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(expression):
        if match.lastgroup is not None:
            yield _Token(match.lastgroup, match.group(match.lastgroup), match.start())


def _names(expression: str, tokens: tuple[_Token, ...]) -> Iterator[str]:
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        if token.kind != "name" or before == ".":
            continue
        if token.text in ("first", "all"):
            yield _written_name(expression, token, tokens[index + 1 : index + 4], "()")
        elif token.text == "entry":
            yield _entry_name(expression, tokens, index)


def _entry_name(expression: str, tokens: tuple[_Token, ...], index: int) -> str:
    """Read entry["mail"], entry.mail or "mail" in entry."""
    after = tokens[index + 1 : index + 4]
    signs = [token.text for token in after]
    if signs[:1] == ["."] and after[1].kind == "name" and signs[2:] != ["("]:
        return signs[1]
    if index > 1 and tokens[index - 1].text == "in" and signs[:1] not in (["["], ["."]):
        name = _ATTRIBUTE.fullmatch(tokens[index - 2].text)
        if name:
            return name[2]
    return _written_name(expression, tokens[index], after, "[]")


def _written_name(expression: str, token: _Token, after: tuple[_Token, ...], brackets: str) -> str:
    texts = [part.text for part in after]
    name = _ATTRIBUTE.fullmatch(texts[1]) if len(texts) > 2 else None  # noqa: PLR2004 - ( name )
    if name is None or texts[0] + texts[2] != brackets:
        line, column = _position(expression, token.offset)
        raise ExpressionError(
            f"{token.text} needs the name of one attribute, written out: "
            f'{token.text}{brackets[0]}"mail"{brackets[1]}',
            line=line,
            column=column,
        )
    return name[2]


def _position(expression: str, offset: int) -> tuple[int, int]:
    before = expression[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")
