"""Two checkers others have written, against a served Usher on both kinds of database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from scim2_tester import Status, check_server

SANITY = str(Path(sys.executable).parent / "scim-sanity")
CONSENT = ("--i-accept-side-effects", "--json-output")

NOT_OF_RFC_7643 = {
    "Agent CRUD Lifecycle",
    "AgenticApplication CRUD Lifecycle",
    "Agent Rapid Lifecycle",
}
"""Resource types of a draft, which Usher has not."""


def test_scim2_tester_finds_nothing(served_usher):
    """RFC 7643, RFC 7644: every check succeeds, and none is skipped."""
    with served_usher.scim() as client:
        results = check_server(client)
    others = [result for result in results if result.status is not Status.SUCCESS]
    assert not others, [str(result) for result in others]
    assert len(results) > 100


def test_scim_sanity_finds_nothing(served_usher):
    """RFC 7644: no failure, no error, no warning."""
    said = subprocess.run(
        [SANITY, "probe", served_usher.url, "--token", served_usher.token, *CONSENT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    results = json.loads(said.stdout)["results"]
    passed = [result for result in results if result["status"] == "pass"]
    others = {result["name"] for result in results} - {result["name"] for result in passed}
    assert others == NOT_OF_RFC_7643
    assert len(passed) > 25
