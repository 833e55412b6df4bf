"""Mapping expressions in CEL: checked when saved, bounded when run.

`entry` maps the names of attributes to their lists of values. `first("mail")` is the first value
or "", `all("mail")` all of them; both spell names in any case. A name has to be written out.
Functions can be called as `lower(x)` or `x.lower()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cel_expr_python import cel

from connectors.cel import functions
from connectors.cel.names import attributes_read, check_loops
from provisioning.domain.errors import ExpressionError

MAX_LENGTH = 1_000
"""Characters of one expression. CEL itself bounds nesting (32) and steps of loops."""

_TEXT = cel.Type.STRING
_TEXTS = cel.Type.List(cel.Type.STRING)
_KINDS = ((_TEXT, "text"), (_TEXTS, "texts"), (cel.Type.INT, "number"))
_RESULTS = frozenset({"STRING", "BOOL", "NULL", "DYN", "LIST<STRING>", "LIST<DYN>"})
_COMPLAINT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNKNOWN = re.compile(r"undeclared reference to '(\w+)'")
_PREFIX = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")

_ENTRY: ContextVar[Mapping[str, list[str]]] = ContextVar("entry")
"""What `first` and `all` look into, by lower-case name: CEL shows functions only arguments."""


@dataclass(frozen=True, slots=True)
class CelExpression:
    """An expression that compiled, and the attributes it reads."""

    attributes: frozenset[str]
    _compiled: cel.Expression

    def evaluate(self, attributes: Mapping[str, Sequence[str]]) -> Any:
        """Return a str, bool, list of str or None for one entry's attributes.

        Raises:
            ExpressionError: This entry's values do not fit.
        """
        by_key = {name.lower(): values for name, values in attributes.items()}
        entry = {name: list(by_key.get(name.lower(), ())) for name in self.attributes}
        before = _ENTRY.set({name.lower(): values for name, values in entry.items()})
        try:
            result = self._compiled.eval(
                data={"entry": {name: values for name, values in entry.items() if values}}
            )
            kind, value = result.type().name(), result.plain_value()
        except RuntimeError as error:
            raise ExpressionError(_PREFIX.sub("", str(error))) from error
        finally:
            _ENTRY.reset(before)
        # A failed evaluation is not raised: it is a value, and its text would become a name.
        if kind == "ERROR":
            raise ExpressionError(_PREFIX.sub("", str(value)))
        return _checked(value)


class CelCompiler:
    """The language of mapping expressions, as `domain.rules.ExpressionCompiler` wants it."""

    def __init__(self) -> None:
        self._environment = cel.NewEnv(
            variables={"entry": cel.Type.Map(_TEXT, _TEXTS)}, functions=_declarations()
        )

    def compile(self, expression: str) -> CelExpression:
        """Check an expression and make it ready.

        Raises:
            ExpressionError: It does not compile; the text names the position.
        """
        if len(expression) > MAX_LENGTH:
            raise ExpressionError(f"{len(expression)} characters are too many, {MAX_LENGTH} fit")
        check_loops(expression)
        try:
            compiled = self._environment.compile(expression)
        except RuntimeError as error:
            raise _complaint(str(error)) from error
        result = compiled.return_type().name()
        if result not in _RESULTS:
            raise ExpressionError(
                f"gives {result}, and a mapping needs text, a list of texts, true or false"
            )
        return CelExpression(attributes_read(expression), compiled)


def _checked(value: Any) -> str | bool | list[str] | None:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise ExpressionError(
        f"gives {type(value).__name__}, and a mapping needs text, a list of texts, true or false"
    )


def _complaint(text: str) -> ExpressionError:
    """Return the first complaint of the compiler with its place, without the drawing."""
    match = _COMPLAINT.search(text)
    if match is None:
        return ExpressionError(_PREFIX.sub("", text))
    line, column, sentence = match.groups()
    sentence = sentence.replace(" (in container '')", "")
    if (unknown := _UNKNOWN.search(sentence)) is not None:
        near = get_close_matches(unknown[1], NAMES, n=1)
        sentence += f'; did you mean "{near[0]}"?' if near else ""
    if int(line) < 1:
        return ExpressionError(sentence)
    return ExpressionError(sentence, line=int(line), column=int(column))


def _first(name: str) -> str:
    return next(iter(_ENTRY.get()[name.lower()]), "")


def _all(name: str) -> list[str]:
    return _ENTRY.get()[name.lower()]


def _declarations() -> list[cel.FunctionDecl]:
    texts = [_overloads(name, _TEXT, call, *arity) for name, call, arity in _ON_TEXT]
    return [
        cel.FunctionDecl("first", [_overload("first", _TEXT, [_TEXT], _first)]),
        cel.FunctionDecl("all", [_overload("all", _TEXTS, [_TEXT], _all)]),
        *texts,
        _overloads("split", _TEXTS, functions.split, 2),
        cel.FunctionDecl(
            "hasBit",
            [_overload("hasBit", cel.Type.BOOL, [_TEXT, cel.Type.INT], functions.has_bit)],
        ),
        cel.FunctionDecl(
            "joinNonEmpty",
            [
                _overload("joinNonEmpty", _TEXT, [_TEXTS, _TEXT], functions.join_non_empty, member)
                for member in (False, True)
            ],
        ),
        cel.FunctionDecl("firstNonEmpty", list(_first_non_empty())),
    ]


_ON_TEXT: tuple[tuple[str, Callable[..., str], tuple[int, ...]], ...] = (
    ("lower", str.lower, (1,)),
    ("upper", str.upper, (1,)),
    ("trim", str.strip, (1,)),
    ("title", functions.title, (1,)),
    ("domain", functions.domain, (1,)),
    ("local", functions.local, (1,)),
    ("stripDiacritics", functions.strip_diacritics, (1,)),
    ("translit", functions.translit, (1,)),
    ("phoneE164", functions.phone_e164, (1, 2)),
    ("epochDays", functions.epoch_days, (1,)),
    ("replace", functions.replace, (3,)),
    ("regexReplace", functions.regex_replace, (3,)),
)
"""Name, implementation and possible numbers of arguments, all of them text."""

NAMES = (
    "entry",
    "first",
    "all",
    "split",
    "joinNonEmpty",
    "firstNonEmpty",
    "hasBit",
    *(n for n, *_ in _ON_TEXT),
)
"""What expressions of this language can name, beside what CEL has."""


def _overloads(
    name: str, returns: cel.Type, call: Callable[..., Any], *arity: int
) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name,
        [
            _overload(name, returns, [_TEXT] * count, call, member)
            for count in arity
            for member in (False, True)
        ],
    )


def _first_non_empty() -> Sequence[cel.Overload]:
    some = [[_TEXT] * count for count in (2, 3, 4)]

    def first_of(*parts: str) -> str:
        return functions.first_non_empty(parts)

    return [
        _overload("firstNonEmpty", _TEXT, [_TEXTS], functions.first_non_empty),
        _overload("firstNonEmpty", _TEXT, [_TEXTS], functions.first_non_empty, member=True),
        *(_overload("firstNonEmpty", _TEXT, parameters, first_of) for parameters in some),
    ]


def _overload(
    name: str,
    returns: cel.Type,
    parameters: Sequence[cel.Type],
    call: Callable[..., Any],
    member: bool = False,  # noqa: FBT001, FBT002 - CEL's own word: x.lower() or lower(x)
) -> cel.Overload:
    kinds = "_".join(
        next(word for kind, word in _KINDS if kind == parameter) for parameter in parameters
    )
    return cel.Overload(
        f"{name}_{'on_' if member else ''}{kinds}",
        return_type=returns,
        parameters=parameters,
        is_member=member,
        impl=call,
    )
