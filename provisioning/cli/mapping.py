"""usher mapping: try rules on real people, count their effect, save, list, roll back (R8)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from provisioning.cli.on_demand import rule_line, short
from provisioning.cli.output import Screen, command, pass_screen
from provisioning.cli.wiring import actor
from provisioning.domain.errors import ProvisioningError, RuleError
from provisioning.domain.rule_files import in_file, parse_rules, toml_of
from provisioning.domain.rules import expression_of
from provisioning.services.container import Services
from provisioning.services.context import Rules
from provisioning.services.mapping_effects import Effect
from provisioning.services.mapping_versions import MappingVersion
from provisioning.services.mappings import Counted, Sampled
from provisioning.text_files import read_text

SettingRow = tuple[str, str, str]
"""A setting's name, its value and where it came from."""

SAVED = click.IntRange(0, 2**31 - 1)
FILE = click.argument("file", type=click.Path(path_type=Path))
YES = click.option("--yes", is_flag=True, help="Without asking; needed where nobody can answer.")
COMMENT = click.option("--comment", default="", help="Why; stays with the version.")


@click.group()
def mapping() -> None:
    """Rules that make people of a source's entries."""


@mapping.command("test")
@FILE
@click.option("--source", help="Whose people; needed if several sources are read.")
@click.option("--sample", type=click.IntRange(1, 1000), default=5, show_default=True,
              help="How many people, the first that are read.")  # fmt: skip
@click.option("--person", "people", multiple=True, help="Whoever is called so instead; repeatable.")
@command
@pass_screen
def mapping_test(
    screen: Screen, file: Path, *, source: str | None, sample: int, people: tuple[str, ...]
) -> None:
    """Try the [mapping] of FILE on real people, field by field; nothing is written."""
    services = screen.wiring.services()
    name = source or _only_source(services)
    with _Rules(file) as rules:
        tried = services.mappings.test(name, rules, sample=sample, people=people)
    if screen.json:
        screen.document({"source": name, "people": list(tried)})
    for one in tried:
        _show_sampled(screen, one)
    if not tried:
        screen.say(f"{name} has nobody to try it on.")


@mapping.command("effect")
@click.argument("source")
@FILE
@command
@pass_screen
def mapping_effect(screen: Screen, source: str, file: Path) -> None:
    """Count what the [mapping] of FILE would change for everybody in SOURCE; nothing is saved."""
    with _Rules(file) as rules:
        counted = screen.wiring.services().mappings.effect(source, rules)
    if screen.json:
        screen.document(counted.effect)
        return
    _show_effect(screen, source, counted.effect)
    if not counted.same:
        screen.say(f"Nothing was saved.   Save it: usher mapping save {source} {file}")


@mapping.command("save")
@click.argument("source")
@FILE
@COMMENT
@YES
@command
@pass_screen
def mapping_save(screen: Screen, source: str, file: Path, *, comment: str, yes: bool) -> None:
    """Map SOURCE by the [mapping] of FILE from now on, after its effect was shown."""
    with _Rules(file) as rules:
        counted = screen.wiring.services().mappings.effect(source, rules)
    _save(screen, source, rules, counted, comment=comment, yes=yes)


@mapping.command("restore")
@click.argument("source")
@click.argument("version", type=SAVED)
@COMMENT
@YES
@command
@pass_screen
def mapping_restore(screen: Screen, source: str, version: int, *, comment: str, yes: bool) -> None:
    """Map SOURCE by VERSION again, after its effect was shown; 0 is the configuration."""
    mappings = screen.wiring.services().mappings
    rules = mappings.versions.rules_of(source, version)
    counted = mappings.effect(source, rules)
    why = comment or f"version {version} again"
    _save(screen, source, rules, counted, comment=why, yes=yes)


@mapping.command("versions")
@click.argument("source")
@command
@pass_screen
def mapping_versions(screen: Screen, source: str) -> None:
    """List every version of the mapping of SOURCE: who saved it, when, and which is in force."""
    found = screen.wiring.services().mappings.versions.listed(source)
    if screen.json:
        screen.document({"versions": list(found)})
        return
    columns = ("version", "saved (UTC)", "by", "changed", "of", "rules", "comment")
    screen.table(columns, [_version_row(each) for each in found])


@mapping.command("show")
@click.argument("source")
@click.option("--version", type=SAVED, help="Instead of the one in force.")
@command
@pass_screen
def mapping_show(screen: Screen, source: str, *, version: int | None) -> None:
    """Write the rules of SOURCE as a [mapping] table, to be changed and tried; the preset's too."""
    mappings = screen.wiring.services().mappings
    chosen = mappings.versions.version(source, version)
    if screen.json:
        screen.document({"version": chosen.number, "origin": chosen.origin, "rules": chosen.rules})
        return
    preset: Rules = {}
    words = "Commented lines are the preset's: take the # off to begin with one."
    try:
        preset = mappings.rules(source, {})
    except ProvisioningError as error:
        words = "The other fields are as in the preset."
        click.echo(f"usher: which preset that is, is not known: {error}", err=True)
    click.echo(f"# {source}: {chosen.origin}. {words}")
    click.echo(toml_of(chosen.rules, preset), nl=False)


def with_saved(screen: Screen, rows: Sequence[SettingRow]) -> Sequence[SettingRow]:
    """Return settings with the rules that are in force instead of those they supersede."""
    try:
        services = screen.wiring.services()
        found = {name: services.mappings.versions.in_force(name) for name in _read(services)}
    except (ProvisioningError, OperationalError) as error:
        words = "usher: whether a saved mapping stands before these settings is not known"
        click.echo(f"{words}: {error}", err=True)
        return rows
    for source, version in found.items():
        if not version.from_configuration:
            table = f"sources.{source}.mapping."
            origin = f"{version.origin} (usher mapping versions {source})"
            rows = [row for row in rows if not row[0].startswith(table)]
            rows += [(f"{table}{name}", text, origin) for name, text in _leaves(version.rules)]
    return rows


def _leaves(rules: Rules) -> Iterator[tuple[str, str]]:
    for field, rule in rules.items():
        expression = expression_of(rule)
        yield (field, str(rule)) if expression is None else (f"{field}.expr", expression)


class _Rules:
    """The rules of a file; inside the block a mistake in them is told by its place in the file."""

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._text = read_text(path)
        self._rules = parse_rules(self._text, self._name)

    def __enter__(self) -> Rules:
        return self._rules

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RuleError):
            raise in_file(error, self._rules, self._text, self._name) from error


def _only_source(services: Services) -> str:
    names = _read(services)
    if len(names) != 1:
        raise click.UsageError(f"say --source, one of: {', '.join(names) or 'none is read'}")
    return names[0]


def _read(services: Services) -> Sequence[str]:
    """Return the sources that have a mapping."""
    configured = services.sources.configured
    return [name for name, source in configured.items() if source.make is not None]


def _save(
    screen: Screen, source: str, rules: Rules | None, counted: Counted, *, comment: str, yes: bool
) -> None:
    """Show the effect, ask, and save exactly what was shown."""
    if not screen.json:
        _show_effect(screen, source, counted.effect)
    if counted.same:
        screen.say("These rules are in force already; nothing was saved.")
        if screen.json:
            screen.document({"effect": counted.effect, "saved": None})
        return
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody can answer here, so nothing was saved; say --yes")
    if not yes and not click.confirm("Save it?", err=True):
        screen.say("Nothing was saved.")
        raise SystemExit(1)
    mappings = screen.wiring.services().mappings
    saved = mappings.save(source, rules, counted.seen, actor(), comment)
    if screen.json:
        screen.document({"effect": counted.effect, "saved": saved})
    screen.say(
        f"Version {saved.number} maps {source} from now on. The next run is only planned: "
        f"usher plan {source}"
    )


def _show_sampled(screen: Screen, one: Sampled) -> None:
    if screen.json:
        return
    screen.say(f"{one.where}   id {one.id}")
    if one.problem:
        screen.say(f"  CANNOT BE USED: {one.problem}")
    screen.say(*(f"  {rule_line(step)}" for step in one.fields), "")


def _show_effect(screen: Screen, source: str, effect: Effect) -> None:
    screen.say(f"{source}   {effect.read:,} read   {effect.changed:,} would change")
    for words, number in (
        ("would leave", effect.leave),
        ("would come back", effect.return_),
        ("could not be used any more", effect.unusable),
        ("could be used again", effect.usable),
    ):
        if number:
            screen.say(f"  ! {number:,} {words}")
    screen.say(*(f"    {one.who}: {one.new}" for one in effect.problems))
    for each in effect.fields:
        gone = f", {each.vanishes:,} of them lose it" if each.vanishes else ""
        screen.say(f"  {each.field:16}{each.people:,}{gone}")
        screen.say(
            *(f"    {one.who}: {short(one.old)} -> {short(one.new)}" for one in each.examples)
        )


def _version_row(each: MappingVersion) -> Sequence[object]:
    when = f"{each.saved_at:%Y-%m-%d %H:%M}" if each.saved_at else ""
    rules = "the configuration's" if each.from_configuration else ", ".join(each.rules)
    number = f"{each.number} in force" if each.in_force else str(each.number)
    return number, when, each.saved_by, each.changed, each.read, rules, each.comment
