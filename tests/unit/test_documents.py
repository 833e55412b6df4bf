"""Documents that could rot, compared with what they describe."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.kit.documents import ROOT, commands_page, error_kinds, errors_page

MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LOCKS = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-dev.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}
CODE_FOLDERS = ("provisioning", "connectors", "scheduler", "tests", "benchmarks")


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def locked(lock: str) -> dict[str, str]:
    pins = re.findall(
        r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE
    )
    return {canonicalize_name(name): version for name, version in pins}


def test_the_readme_begins_with_how_to_run_and_how_to_test():
    first = blocks(ROOT / "README.md")[0]
    commands = [line.partition("#")[0].strip() for line in first.splitlines()]
    assert commands == ["make run", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_whatever_a_page_tells_to_make_can_be_made(page):
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
    told = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), flags=re.MULTILINE))
    assert told <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_table_of_error_codes_is_the_one_in_the_code():
    assert (ROOT / "docs" / "errors.md").read_text() == errors_page(), "make docs"


def test_the_page_of_commands_is_the_commands():
    assert (ROOT / "docs" / "commands.md").read_text() == commands_page(), "make docs"


def test_no_two_errors_share_a_code():
    codes = [kind.code for kind in error_kinds()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_place_to_download_from(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_what_the_project_asks_for(lock):
    pins = locked(lock)
    wanted = [Requirement(line) for line in LOCKS[lock]]
    outdated = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert outdated == [], "make lock"


def test_both_lock_files_agree():
    runtime, everything = locked("requirements.lock"), locked("requirements-dev.lock")
    assert runtime.items() <= everything.items()


def test_no_file_of_code_outlasts_a_reader_s_patience():
    files = [ROOT / "app.py"]
    for folder in CODE_FOLDERS:
        files += [path for path in (ROOT / folder).rglob("*.py") if path.parent.name != "versions"]
    lengths = {str(path): len(path.read_text().splitlines()) for path in files}
    assert {path: length for path, length in lengths.items() if length > 300} == {}
