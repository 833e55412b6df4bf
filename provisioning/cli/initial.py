"""init: from what an administrator has at hand to configuration."""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import click

from provisioning.cli.output import Screen, command, pass_screen
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.people import SOURCE_NAME
from provisioning.ports import ProposedSource

_WORDS = "Paste the ldapsearch line that finds your people; an empty line ends it:"
_ENVIRONMENT = {
    "uri": "LDAP_URI",
    "bind_dn": "LDAP_BIND_DN",
    "base_dn": "LDAP_BASE_DN",
    "user_filter": "LDAP_USER_FILTER",
    "ca_file": "LDAP_CA_FILE",
    "bind_password_file": "LDAP_BIND_PASSWORD_FILE",
}
_CONTINUED = re.compile(r"\\\s*$")


@click.group()
def init() -> None:
    """Begin with what is at hand."""


@init.command(
    "ldap", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.option("--name", default="ldap", help="What the source is called; ldap without it.")
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Add it to this TOML file."
)
@command
@click.argument("line", nargs=-1, type=click.UNPROCESSED)
@pass_screen
def init_ldap(screen: Screen, line: tuple[str, ...], name: str, write: Path | None) -> None:
    """Turn LINE, an ldapsearch line, into a source; without it the line is read from stdin.

    The options of init ldap stand before LINE. A password on the line is not taken over.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise ConfigurationError(
            f'a source cannot be called "{name}": small letters, digits, hyphens. Nothing was made'
        )
    given = line[0] if len(line) == 1 else list(line) or _pasted(screen)
    source = screen.wiring.proposed_source(name, given)
    section = _section(source)
    if write is not None:
        _add(write, source, section)
    if screen.json:
        screen.document(
            {
                "source": source.name,
                "type": source.kind,
                "options": source.options,
                "environment": _environment(source),
                "notes": source.notes,
            }
        )
        return
    _tell(screen, source, section, write)


def _pasted(screen: Screen) -> str:
    """Read a line, over several if they end in a backslash, from whoever is there."""
    if sys.stdin.isatty():
        screen.say(_WORDS)
    lines: list[str] = []
    for each in sys.stdin:
        if each.strip():
            lines.append(each)
        if lines and not _CONTINUED.search(each) and (sys.stdin.isatty() or not each.strip()):
            break
    return "".join(lines)


def _section(source: ProposedSource) -> str:
    lines = [f"[sources.{source.name}]", f'type = "{source.kind}"']
    # A string of JSON is one of TOML, and so are its numbers and truths.
    lines += [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in source.options.items()
    ]
    return "\n".join(lines) + "\n"


def _environment(source: ProposedSource) -> dict[str, str]:
    """Return what says the same without a file; only a source called ldap has such names."""
    if source.name != "ldap":
        return {}
    found = {name: str(source.options[key]) for key, name in _ENVIRONMENT.items()
             if key in source.options}  # fmt: skip
    others = {
        f"USHER_SOURCES__LDAP__{key.upper()}": json.dumps(value)
        for key, value in source.options.items()
        if key not in _ENVIRONMENT
    }
    return found | others


def _add(path: Path, source: ProposedSource, section: str) -> None:
    """Add the section at the end of a file, which keeps whatever else stands in it."""
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        known = tomllib.loads(before).get("sources", {})
    except ValueError as error:
        raise ConfigurationError(f"{path} is not TOML ({error}). Nothing was written") from None
    if isinstance(known, dict) and source.name in known:
        raise ConfigurationError(
            f"{path} has a source {source.name} already. Nothing was written: choose another name "
            "with --name, or remove that one"
        )
    added = f"{before and chr(10)}{section}"
    try:
        tomllib.loads(before + added)
        written = added.encode()
    except ValueError as error:
        # sources = {...} in one line, or a letter that TOML does not have: no start would survive.
        raise ConfigurationError(
            f"with this source {path} would not be TOML any more ({error}). Nothing was written: "
            "add the table by hand, it is printed without --write"
        ) from None
    with path.open("ab") as file:
        file.write(written)


def _tell(screen: Screen, source: ProposedSource, section: str, path: Path | None) -> None:
    if path is None:
        screen.say("# In the file that USHER_CONFIG names:", section)
    else:
        screen.say(f"The source {source.name} was added to {path}.")
    if environment := _environment(source):
        screen.say("# Or in the environment:")
        screen.say(*(f"export {name}={shlex.quote(value)}" for name, value in environment.items()))
        screen.say("")
    screen.say(*(f"# Note: {note}." for note in source.notes))
    screen.say(
        f"# The password belongs into {source.password_file}, which only Usher may read; nothing "
        "else has it.",
        f"# Then try it: usher check {source.name}",
    )
