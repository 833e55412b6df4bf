"""The guides for identity providers: all of one shape, and none promises what it does not name."""

from __future__ import annotations

import pytest

from provisioning.web.guide import (
    CLIENT_ID,
    CLIENT_SECRET,
    SCIM_URL,
    TOKEN,
    TOKEN_URL,
    VENDORS,
    guides,
)
from tests.kit.documents import GUIDES, guide_page

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ATTRIBUTES = [
    "userName",
    'emails[type eq "work"].value',
    "externalId",
    f"{ENTERPRISE}:employeeNumber",
    "active",
]
HEADINGS = [
    "What to paste",
    "Connect",
    "Attributes",
    "Test",
    "Assign people",
    "How often it pushes",
    "Known quirks",
    "When it fails",
    "Read in",
]

each_guide = pytest.mark.parametrize("guide", guides().values(), ids=VENDORS)


@each_guide
def test_a_guide_names_where_the_address_and_the_token_go(guide):
    values = [value.value for value in guide.values]
    assert values.count(SCIM_URL) == 1
    assert values.count(TOKEN) == 1


@each_guide
def test_a_guide_that_offers_oauth_names_all_that_it_needs(guide):
    """RFC 6749 4.4: where to fetch access, and who fetches it; none says half of it."""
    places = [value.value for value in guide.oauth]
    assert [places.count(place) for place in (TOKEN_URL, CLIENT_ID, CLIENT_SECRET)] in (
        [[1, 1, 1]] if guide.oauth_choice else [[0, 0, 0]]
    )
    assert bool(guide.oauth) is bool(guide.oauth_choice)
    filled = [value.value for value in guide.filled_oauth("U", "I", "S")]
    assert {"U", "I", "S"} <= set(filled) or filled == []
    assert "{" not in "".join(filled)


@each_guide
def test_a_guide_advises_on_what_people_are_found_by(guide):
    """P2: the keys of correlation, the address of I1, and what says who left (D1)."""
    assert [attribute.scim for attribute in guide.attributes] == ATTRIBUTES


@each_guide
def test_a_guide_s_marks_are_closed(guide):
    """Labels and values are set apart in pairs, on the page as in the document."""
    for line in guide_page(guide).splitlines():
        assert line.count("**") % 2 == 0, line
        assert line.count("`") % 2 == 0 or line == "```", line
        assert line.startswith("|") or "|" not in line, line


@each_guide
def test_every_document_has_the_same_sections(guide):
    lines = guide_page(guide).splitlines()
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings == [*HEADINGS[:1], *["Instead of a token"] * bool(guide.oauth), *HEADINGS[1:]]
    assert f"Labels compared in {guide.checked}" in guide_page(guide)


@each_guide
def test_every_document_is_the_guide(guide):
    assert (GUIDES / f"{guide.vendor}.md").read_text() == guide_page(guide), "make docs"


def test_the_index_leads_to_every_guide_and_no_guide_is_left_over():
    index = (GUIDES / "README.md").read_text()
    assert [vendor for vendor in VENDORS if f"({vendor}.md)" not in index] == []
    assert {path.stem for path in GUIDES.glob("*.md")} == {"README", *VENDORS}
