"""How commands speak: tables for people, one JSON document for machines, exit codes for both."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy.exc import OperationalError

from provisioning.cli.wiring import Wiring
from provisioning.domain.errors import ProvisioningError
from provisioning.domain.exit_codes import exit_code
from provisioning.services.files import plain

CHANGES, HELD, UNAVAILABLE = 2, 3, 69
WIDE = 200
"""Columns a table may use where nobody watches."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Whatever a directory says of a name or a place, a terminal must not obey it."""


@dataclasses.dataclass(frozen=True)
class Screen:
    """How this command may speak, and what it is wired to."""

    wiring: Wiring
    json: bool = False
    quiet: bool = False

    def say(self, *lines: str) -> None:
        """Print words for people: on stderr when stdout is for a machine."""
        if not self.quiet:
            for line in lines:
                click.echo(_CONTROLS.sub("?", line), err=self.json)

    def document(self, value: Any) -> None:
        """Print the one JSON document."""
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))

    def line(self, value: Any) -> None:
        """Print one document of a stream, on a line of its own."""
        click.echo(json.dumps(plain(value), ensure_ascii=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows under headings; colours and width follow the terminal."""
        if self.quiet:
            return
        console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
        console.print(table)

    def progress(self, words: str) -> Callable[[int, int], None] | None:
        """Return a callback that moves a bar, on a terminal only."""
        if self.quiet or self.json or not sys.stderr.isatty():
            return None
        bar = Progress(
            TextColumn(words), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)
        )
        task = bar.add_task(words)
        bar.start()

        def move(done: int, everyone: int) -> None:
            bar.update(task, completed=done, total=everyone)
            if done == everyone:
                bar.stop()

        return move


def escape(text: str) -> str:
    """Return text as rich prints it letter by letter, without control characters."""
    return printable(text).replace("[", "\\[")


def printable(text: str) -> str:
    """Return text without control characters: a terminal would obey them."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--json` and `--quiet`, and turn our errors into sentences and codes."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @click.option("--quiet", is_flag=True, help="No words, only the exit code.")
    @click.pass_context
    @wraps(function)
    def wrapped(
        context: click.Context, /, *args: Any, as_json: bool, quiet: bool, **kwargs: Any
    ) -> None:
        context.obj = dataclasses.replace(context.obj, json=as_json, quiet=quiet)
        try:
            context.invoke(function, *args, **kwargs)
        except ProvisioningError as error:
            fail(context.obj, error.code, str(error), exit_code(error))
        except OperationalError as error:
            sentence = f"the database does not answer: {error.orig}"
            fail(context.obj, "database_unavailable", sentence, UNAVAILABLE)
        except BrokenPipeError:
            # Whoever read us has seen enough: `usher people | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except OSError as error:
            sentence = f"{error.filename or 'the system'}: {error.strerror}. Nothing more was done"
            fail(context.obj, "system", sentence, 1)

    return wrapped


def fail(screen: Screen, code: str, sentence: str, status: int) -> NoReturn:
    """Say what went wrong, to whom it matters, and end."""
    if screen.json:
        screen.document({"error": {"code": code, "message": sentence}})
    click.echo(_CONTROLS.sub("?", f"usher: {sentence}"), err=True)
    raise SystemExit(status)


pass_screen = click.make_pass_decorator(Screen)
