"""The rules of a mapping: where each field of a person comes from."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from provisioning.domain.errors import ExpressionError, MappingError, RuleError
from provisioning.domain.people import PERSON_FIELDS

COMPUTED = "_"
"""What stands in the names of attributes a connector computes: LDAP has none of them."""


_SECRETS = frozenset(
    {
        "userpassword", "unicodepwd", "dbcspwd", "ntpwdhistory", "lmpwdhistory",
        "supplementalcredentials", "ms-mcs-admpwd", "mslaps-password", "mslaps-encryptedpassword",
        "sambantpassword", "sambalmpassword", "sambapasswordhistory", "pwdhistory",
        "passwordhistory", "krbprincipalkey", "userpkcs12", "2.5.4.35",
    }
)  # fmt: skip
"""Attributes that hold passwords or keys, in whatever way; a mapping has no business with them."""


def expression_of(rule: Any) -> str | None:
    """Return the text of an expression as it is written in a rule; None: it is no expression.

    >>> expression_of({"expr": 'first("cn")'}), expression_of("cn")
    ('first("cn")', None)
    """
    written = rule.get("expr") if isinstance(rule, Mapping) else None
    return written if isinstance(written, str) else None


class CompiledExpression(Protocol):
    """An expression that was checked when it was saved."""

    @property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes it reads, as it spells them."""
        ...

    def evaluate(self, attributes: Mapping[str, Sequence[str]]) -> Any:
        """Return a str, bool, list of str or None for one entry's attributes.

        Raises:
            ExpressionError: This entry's values do not fit.
        """
        ...


class ExpressionCompiler(Protocol):
    """The language of mapping expressions."""

    def compile(self, expression: str) -> CompiledExpression:
        """Check an expression and make it ready.

        Raises:
            ExpressionError: It does not compile; the text names the position.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one field comes from: an attribute, or an expression."""

    label: str
    """What a complaint names: the attribute, or the field if it has an expression."""

    written: str
    """The name of the attribute, or the text of the expression."""

    expression: CompiledExpression | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether the order of its values means something: those of an attribute have none."""
        return self.expression is not None or COMPUTED in self.written

    @property
    def attributes(self) -> frozenset[str]:
        """What it reads of an entry."""
        return self.expression.attributes if self.expression else frozenset({self.written})

    def read(self, entry: Mapping[str, Sequence[str]]) -> Sequence[str] | bool:
        """Return the values, or the truth if that is what the expression gives."""
        if self.expression is None:
            return entry.get(self.written.lower(), ())
        try:
            value = self.expression.evaluate(entry)
        except ExpressionError as error:
            raise MappingError(self.label, str(error)) from error
        if isinstance(value, str):
            return (value,)
        return () if value is None else value


def merge_rules(preset: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preset's rules with an administrator's own instead; "" takes a rule away.

    >>> merge_rules({"mail": "mail", "title": "title"}, {"mail": "email", "title": ""})
    {'mail': 'email'}
    """
    return {field: rule for field, rule in {**preset, **own}.items() if rule != ""}


def compile_rule(field: str, rule: Any, compiler: ExpressionCompiler) -> Rule:
    """Check the rule of a field and make it ready.

    Raises:
        RuleError: A person has no such field, the rule is none or does not compile, or it reads
            passwords or keys.
    """
    compiled = _compiled(field, rule, compiler)
    for name in sorted(compiled.attributes):
        if holds_secrets(name):
            # Whoever may try a mapping would see those of everybody.
            raise RuleError(field, f"{name} holds passwords or keys, and nobody may be shown them")
    return compiled


def holds_secrets(attribute: str) -> bool:
    """Whether an attribute, in any case and with any option, holds passwords or keys.

    >>> holds_secrets("UserPassword;x-old"), holds_secrets("mail")
    (True, False)
    """
    return attribute.partition(";")[0].strip().lower() in _SECRETS


def _compiled(field: str, rule: Any, compiler: ExpressionCompiler) -> Rule:
    if field not in PERSON_FIELDS:
        near = difflib.get_close_matches(field, PERSON_FIELDS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise RuleError(field, f"a person has no such field{hint}")
    match rule:
        case str() if rule.strip():
            return Rule(rule.strip(), rule.strip())
        case {"expr": str(expression), **others} if not others:
            try:
                return Rule(field, expression, compiler.compile(expression))
            except ExpressionError as error:
                place = {"line": error.line, "column": error.column}
                raise RuleError(field, error.problem, **place) from error
    raise RuleError(field, "write the name of an attribute, or { expr = '...' }")
