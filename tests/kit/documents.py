"""The documents that are made from code; `make docs` writes them, a test compares them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from provisioning.domain import errors
from provisioning.domain.errors import ProvisioningError, exit_code
from provisioning.settings_page import render_default_toml

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


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(errors_page())
    (ROOT / "config" / "default.toml").write_text(render_default_toml())
