"""The demo company: forty people, read as any export, with something to find in it."""

import base64
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.cel.compiler import CelCompiler
from provisioning.domain.addresses import difference
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.people import RawPerson
from provisioning.settings import load_settings

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Everyone in config/demo.ldif by the rules of config/example.toml."""
    password = tmp_path_factory.mktemp("demo") / "password"
    password.write_text("tulip")
    settings = load_settings(
        environ={
            "SMTP_URL": "smtp://relay",
            "USHER_SOURCES__CORP_LDAP__BIND_PASSWORD_FILE": str(password),
        },
        config_path=CONFIG / "example.toml",
    )
    rules = {"user_name": "uid", "display_name": "displayName", "given_name": "givenName"}
    rules |= settings.sources["corp-ldap"].mapping
    mapping = compile_mapping(rules, CelCompiler())
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return [mapping.person("demo", raw, now) for raw in entries()]


def entries():
    """Read the export without a library: no line of it is folded and no value spans lines."""
    for block in (CONFIG / "demo.ldif").read_text("ascii").split("\n\n"):
        pairs = re.findall(r"^([A-Za-z]+)(::?) (.*)$", block, re.MULTILINE)
        attributes = {}
        for name, colons, text in pairs:
            value = base64.b64decode(text).decode() if colons == "::" else text
            attributes.setdefault(name, []).append(value)
        if "dn" in attributes:
            (where,), (anchor,) = attributes.pop("dn"), attributes["entryUUID"]
            yield RawPerson(anchor=anchor, where=where, attributes=attributes)


def test_the_export_ends_as_ldapsearch_ends_one():
    """R2: the trailer is what proves that nobody is missing."""
    text = (CONFIG / "demo.ldif").read_text()
    assert text.endswith("\n# search result\n\n# numResponses: 41\n# numEntries: 40\n")


def test_there_are_forty_people_with_ids_of_their_own(people):
    assert len(people) == 40
    assert len({person.id for person in people}) == 40
    assert len({person.user_name for person in people}) == 40
    places = Counter(person.where.split(",")[1] for person in people)
    assert set(places) == {"ou=Berlin", "ou=Sofia", "ou=Leeds"}


def test_names_are_written_as_their_owners_write_them(people):
    names = {person.display_name for person in people}
    assert {"Jonas Müller", "Елена Димитрова", "Siobhán Keane"} <= names


def test_there_is_one_of_each_thing_to_find(people):
    mails = Counter(person.mail for person in people)
    assert [person.display_name for person in people if not person.active] == ["Jan Roe"]
    assert mails[None] == 1
    assert [mail for mail, count in mails.items() if count > 1] == ["martin.ellwood@corp.example"]
    reasons = {
        person.user_name: difference(
            person.mailbox, person.mail, aliases=person.aliases, old_domains=["old-corp.example"]
        )
        for person in people
        if person.mail and person.mailbox
    }
    assert reasons == {
        "jmueller": None,
        "mpetkova": "alias",
        "ohartley": "swapped",
        "kschaefer": "old_domain",
        "gwhitfield": "typo",
    }


def test_nobody_outside_the_company_could_be_written_to(people):
    addresses = {a for p in people for a in (p.mail, p.mailbox, *p.aliases) if a}
    assert {address.rpartition("@")[2] for address in addresses} == {
        "corp.example",
        "old-corp.example",
    }
