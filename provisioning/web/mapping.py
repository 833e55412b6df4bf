"""Mapping: the rules of a source, tried on real people, counted, saved and rolled back (R8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField, SubmitField
from wtforms.validators import Length

from provisioning.domain.errors import DigestMismatchError, ProvisioningError, RuleError
from provisioning.domain.people import PERSON_FIELDS
from provisioning.services.container import Services
from provisioning.services.context import Rules
from provisioning.services.mappings import Counted, Sampled, Seen
from provisioning.storage.models.accounts import RoleName
from provisioning.web.entrance import acting, needs
from provisioning.web.listing import asked_number

PEOPLE = 5
_SEEN = "mapping_seen"
"""What the signed cookie calls what was shown last, and of which source."""

KINDS = {
    "preset": "as the preset",
    "attribute": "attribute",
    "expression": "expression",
    "nothing": "nothing",
}


class MappingForm(FlaskForm):
    """A comment and two buttons; the rules stand in fields of their own."""

    comment = StringField("Why (stays with the version)", validators=[Length(max=500)])
    look = SubmitField("Look at the effect")
    save = SubmitField("Save this mapping")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of a person as the form has it."""

    field: str
    kind: str
    text: str
    preset: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found out about the rules in the form."""

    people: Sequence[Sampled]
    counted: Counted


class MappingPages:
    """The mapping of one source, and its versions."""

    def __init__(self, services: Services) -> None:
        """Keep the services at hand."""
        self._services = services

    def add_to(self, admin: Blueprint) -> None:
        """Add the routes."""
        page = "/connections/<source>/mapping"
        admin.add_url_rule(page, "mapping", self.show)
        admin.add_url_rule(page, "change_mapping", self.change, methods=["POST"])

    @needs(RoleName.ADMIN)
    def show(self, source: str) -> ResponseReturnValue:
        """Show the rules in force, or those of a version, to be changed."""
        number = asked_number("version", -1)
        version = self._services.mappings.versions.version(source, None if number < 0 else number)
        comment = "" if number < 0 else f"version {number} again"
        return self._page(source, version.rules, MappingForm(formdata=None, comment=comment))

    @needs(RoleName.ADMIN)
    def change(self, source: str) -> ResponseReturnValue:
        """Show what the rules in the form would change, or save what was shown."""
        form, given = MappingForm(), _given(request.form)
        valid = form.validate_on_submit()
        rules = {field: rule for field, (rule, _) in given.items() if rule is not None}
        errors = {field: error for field, (_, error) in given.items() if error}
        if errors or not valid:
            return self._page(source, rules, form, errors=errors), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            if form.save.data and (seen := _seen(source)):
                saved = self._services.mappings.save(
                    source, rules, seen, acting(), form.comment.data or ""
                )
                words = f"Version {saved.number} maps {source} from now on"
                flash(f"{words}. The next run is only planned.", "success")
                return redirect(url_for("admin.mapping", source=source), HTTPStatus.SEE_OTHER)
            return self._page(source, rules, form, look=self._look(source, rules))
        except RuleError as error:
            place = f"line {error.line}, column {error.column}: " if error.line else ""
            errors = {error.field: f"{place}{error.problem}"}
            return self._page(source, rules, form, errors=errors), HTTPStatus.UNPROCESSABLE_ENTITY
        except DigestMismatchError:
            flash("These rules are others than those that were counted: this is theirs.", "info")
            return self._page(source, rules, form, look=self._look(source, rules))
        except ProvisioningError as error:
            return self._page(
                source, rules, form, failed=str(error)
            ), HTTPStatus.UNPROCESSABLE_ENTITY

    def _look(self, source: str, rules: Rules) -> Look:
        mappings = self._services.mappings
        return Look(
            people=mappings.test(source, rules, sample=PEOPLE),
            counted=mappings.effect(source, rules),
        )

    def _page(
        self,
        source: str,
        rules: Rules,
        form: MappingForm,
        *,
        errors: Mapping[str, str] | None = None,
        look: Look | None = None,
        failed: str = "",
    ) -> str:
        mappings = self._services.mappings
        versions = mappings.versions.listed(source)
        preset: Rules = {}
        try:
            preset = mappings.rules(source, {})
        except ProvisioningError as error:
            failed = failed or str(error)
        if look is not None:
            session[_SEEN] = {"source": source, **asdict(look.counted.seen)}
        return render_template(
            "admin/mapping.html",
            source=source,
            rows=list(_rows(rules, preset, errors or {})),
            kinds=KINDS,
            versions=versions,
            in_force=next(each for each in versions if each.in_force),
            form=form,
            look=look,
            failed=failed,
        )


def _given(fields: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """Return the rule that was filled in for each field, or what is wrong with it."""
    return {
        field: _rule(fields.get(f"kind-{field}", "preset"), fields.get(f"rule-{field}", ""))
        for field in PERSON_FIELDS
    }


def _rule(kind: str, text: str) -> tuple[Any, str]:
    text = text.replace("\r\n", "\n").strip()
    if kind in ("attribute", "expression") and not text:
        return None, f"write the {kind}, or choose another kind"
    if kind == "attribute":
        return text, ""
    if kind == "expression":
        return {"expr": text}, ""
    if text:
        return {"expr": text}, "choose what this is: an attribute or an expression"
    return "" if kind == "nothing" else None, ""


def _rows(rules: Rules, preset: Rules, errors: Mapping[str, str]) -> Iterator[FieldRow]:
    for field in PERSON_FIELDS:
        kind, text = "preset", ""
        if field in rules:
            kind, text = _written(rules[field])
        usual, words = _written(preset.get(field, ""))
        yield FieldRow(
            field=field,
            kind=kind,
            text=text,
            preset=words if usual != "nothing" else "",
            error=errors.get(field, ""),
        )


def _written(rule: Any) -> tuple[str, str]:
    """Return the kind of a rule and its text."""
    if isinstance(rule, Mapping):
        return "expression", str(rule.get("expr", ""))
    return ("attribute", str(rule)) if rule else ("nothing", "")


def _seen(source: str) -> Seen | None:
    """Return what was shown last to whoever this is, if it was of this source."""
    facts = dict(session.get(_SEEN) or {})
    return Seen(**facts) if facts.pop("source", None) == source else None
