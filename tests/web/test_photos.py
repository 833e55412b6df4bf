"""The photo of a person: for those who are signed in, as what it is, and nothing that runs."""

from __future__ import annotations

from uuid import uuid4

import pytest

from provisioning.domain.photos import Photo
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.photos import LinkPhotoRecord, PhotoRecord
from tests.kit.sources import entry

PNG = Photo.of(b"\x89PNG\r\n\x1a\n Ann")


@pytest.fixture
def ann(world):
    """Somebody with a photo; the address of their page."""
    world.directory.add(entry("ann"), entry("bob"))
    world.sync()
    with world.services.context.database.write() as session:
        session.add(PhotoRecord(**PNG._asdict()))
        session.flush()
        link = session.query(LinkRecord).filter_by(anchor="id-ann").one()
        session.add(LinkPhotoRecord(source_id=link.source_id, anchor=link.anchor, hash=PNG.hash))
    return f"/admin/people/{world.services.reports.find('Ann')}"


def test_a_photo_is_sent_as_what_it_is(admin, ann, world):
    """Its own type, never guessed, and a policy under which nothing runs."""
    assert f'src="{ann}/photo"' in admin.get(ann).text
    found = admin.get(f"{ann}/photo")
    assert (found.data, found.content_type) == (PNG.content, "image/png")
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert found.headers["Cache-Control"] == "no-store", "as every page about people"
    bob = f"/admin/people/{world.services.reports.find('Bob')}"
    assert "/photo" not in admin.get(bob).text
    assert admin.get(f"{bob}/photo").status_code == 404
    assert admin.get(f"/admin/people/{uuid4()}/photo").status_code == 404


def test_a_photo_is_for_those_who_are_signed_in(site, ann):
    """A7: the same door as the page it is on."""
    assert site.test_client().get(f"{ann}/photo").status_code in (302, 303)
