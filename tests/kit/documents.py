"""The documents that are made from code; `make docs` writes them, a test compares them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click

from provisioning.cli.root import create_cli
from provisioning.cli.wiring import Wiring
from provisioning.domain import errors
from provisioning.domain.errors import ProvisioningError
from provisioning.domain.exit_codes import exit_code
from provisioning.settings_page import render_default_toml
from provisioning.web.guide import Guide, Pair, guides

ROOT = Path(__file__).parents[2]

ERRORS_HEAD = """\
# Error codes

What a command, a log line, a SCIM answer or a page names when something is refused. The code
is stable, the sentence beside it may get better. Written by `make docs`.

| code | means | a command exits with |
|---|---|---|
"""


def error_kinds() -> Iterator[type[ProvisioningError]]:
    """Yield every kind of error the domain knows."""
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, ProvisioningError):
            yield kind


def errors_page() -> str:
    """Return the table of error codes, in the order of the codes."""
    return ERRORS_HEAD + "".join(
        f"| `{kind.code}` | {inspect.cleandoc(kind.__doc__ or '').splitlines()[0]} "
        f"| {exit_code(kind.__new__(kind))} |\n"
        for kind in sorted(error_kinds(), key=lambda kind: kind.code)
    )


COMMANDS_HEAD = """\
# Commands

Every command takes `--json` (one document on stdout, words for people on stderr) and `--quiet`.
Exit codes: 0 done or nothing to do, 1 failed, 3 held for an administrator, 4 applied with
failures of single people, 5 a check found problems, 64 wrong usage, 65 the directory's answer
was incomplete and nothing was changed, 69 a directory, provider or database is unavailable,
75 try again later, 78 bad configuration. `plan --detailed-exitcode`: 0 nothing to do, 1 error,
2 changes. What each error means is in [errors.md](errors.md). Written by `make docs`.
"""


def commands_page() -> str:
    """Return every command with its arguments and options, in the order of `usher --help`."""
    usher = create_cli(cast("Wiring", None))
    return COMMANDS_HEAD + "".join(_command_section(usher, ["usher"]))


def _command_section(group: click.Group, path: list[str]) -> Iterator[str]:
    for name, command in group.commands.items():
        here = [*path, name]
        if isinstance(command, click.Group):
            yield from _command_section(command, here)
            continue
        arguments = [str(p.human_readable_name).upper() for p in command.params if _is_argument(p)]
        yield f"\n## `{' '.join([*here, *arguments])}`\n\n{inspect.cleandoc(command.help or '')}\n"
        rows = [_option_line(p) for p in command.params if isinstance(p, click.Option)]
        shown = [row for row in rows if not row.startswith(("- `--json`", "- `--quiet`"))]
        if shown:
            yield "\n" + "".join(shown)


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def _option_line(option: click.Option) -> str:
    kind: Any = option.type
    value = (
        ""
        if option.is_flag
        else " "
        + (
            "|".join(kind.choices)
            if isinstance(kind, click.Choice)
            else option.human_readable_name.upper()
        )
    )
    needed = " Needed." if option.required else ""
    return f"- `{option.opts[0]}{value}` {option.help or ''}{needed}".rstrip() + "\n"


GUIDES = ROOT / "docs" / "identity-providers"
SAME_FOR_ALL = """\
The source's page in Usher shows the same with the values filled in.
[What each request means](README.md) is the same for every provider. Written by `make docs`."""


ID_AND_SECRET = "The page Tokens, or `usher token create NAME --client`, shows id and secret once."


def guide_page(guide: Guide) -> str:
    """Return the guide for one identity provider as a document."""
    values = guide.filled("PUBLIC_URL/scim/v2", "the token")
    attributes = [f"| {one.theirs} | `{one.scim}` | {one.advice} |" for one in guide.attributes]
    references = [f"[{one.title}]({one.url})" for one in guide.references]
    return "\n\n".join(
        (
            f"# {guide.name}",
            guide.provisions,
            f"**Needs:** {guide.needs}",
            f"Labels compared in {guide.checked}. {SAME_FOR_ALL}",
            "## What to paste",
            *(_value(one.label, one.value, one.note) for one in values),
            *_oauth(guide),
            f"## Connect\n\n{_numbered(guide.connect)}",
            "## Attributes",
            "\n".join((f"| {guide.name} | SCIM | advice |", "|---|---|---|", *attributes)),
            f"## Test\n\n{_numbered(guide.test)}",
            f"**Green looks like this:** {guide.green}",
            f"## Assign people\n\n{_numbered(guide.assign)}",
            f"## How often it pushes\n\n{guide.frequency}",
            f"## Known quirks\n\n{_pairs('it', 'Usher', guide.quirks)}",
            f"## When it fails\n\n{_pairs('you see', 'look at', guide.failures)}",
            f"## Read in\n\n{'; '.join(references)}.\n",
        )
    )


def _oauth(guide: Guide) -> Iterator[str]:
    if not guide.oauth:
        return
    yield f"## Instead of a token\n\n{guide.oauth_choice} {ID_AND_SECRET}"
    for one in guide.filled_oauth("PUBLIC_URL/oauth/token", "the client id", "the client secret"):
        yield _value(one.label, one.value, one.note)


def _value(label: str, value: str, note: str) -> str:
    if "\n" in value:
        return "\n\n".join((f"**{label}:**", f"```\n{value}\n```", note)).rstrip()
    return f"**{label}:** `{value}` {note}".rstrip()


def _numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _pairs(sign: str, answer: str, pairs: Sequence[Pair]) -> str:
    rows = [f"| {one.sign} | {one.answer} |" for one in pairs]
    return "\n".join((f"| {sign} | {answer} |", "|---|---|", *rows))


if __name__ == "__main__":
    (ROOT / "docs" / "commands.md").write_text(commands_page())
    (ROOT / "docs" / "errors.md").write_text(errors_page())
    (ROOT / "config" / "default.toml").write_text(render_default_toml())
    for name, guide in guides().items():
        (GUIDES / f"{name}.md").write_text(guide_page(guide))
