"""Photos: of three real directories, read by id or when an entry was modified, kept once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from connectors.factory import make_readable
from connectors.ldap.photos import OVERLAP
from provisioning.domain.errors import NotFoundError, SourceError
from provisioning.domain.photos import LONGEST_PHOTO
from provisioning.services.photos import photo_of
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.photos import PhotoRecord
from tests.kit.sources import MemoryDirectory, entry
from tests.kit.world import make_world as new_world

JPEG, OTHER = b"\xff\xd8\xff\xe0 Ann \xff\xd9", b"\xff\xd8\xff\xe1 another \xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n Bob"
GIF = b"GIF89a"


class Album(MemoryDirectory):
    """People with photos; keeps who was asked for."""

    has_photos = True

    def __init__(self, name):
        super().__init__(name)
        self.photographed = {}
        self.modified = {}
        self.asked = []
        self.looked_for_gone = False
        self.cut = False

    def photos(self, *, of=None, since=None):
        self.asked += of or ()
        if self.cut:
            raise SourceError("the answer was cut short")
        chosen = self.photographed if of is None else of
        return [
            (anchor, self.photographed[anchor])
            for anchor in chosen
            if anchor in self.photographed and self._is_since(anchor, since)
        ]

    def without_photo(self, since):
        self.looked_for_gone = True
        gone = self.modified.keys() - self.photographed.keys()
        return [anchor for anchor in gone if self._is_since(anchor, since)]

    def _is_since(self, anchor, moment):
        return moment is None or (anchor in self.modified and self.modified[anchor] >= moment)


@pytest.fixture
def album():
    return Album("corp")


@pytest.fixture
def world(make_world, album):
    world = make_world(corp={"directory": album})
    world.directory = album
    return world


def shown(world, *names):
    """The photo everybody has, or None."""
    return [_shown(world, name) for name in names]


def _shown(world, name):
    employee = world.services.reports.find(name)
    try:
        photo = photo_of(world.services.context, employee)
    except NotFoundError:
        assert not world.services.person(employee).has_photo
        return None
    assert world.services.person(employee).has_photo
    return photo.content


def kept(world):
    with world.services.context.database.read() as session:
        return session.scalar(select(func.count()).select_from(PhotoRecord))


def test_who_was_looked_at_is_not_asked_for_again(world, album):
    """Fetched only when changed: newcomers by id, the others when their entry was modified."""
    album.add(*(entry(f"p{number:03}") for number in range(120)))
    album.photographed = {"id-p000": JPEG, "id-p001": JPEG, "id-p002": PNG, "id-p003": GIF}
    world.sync()
    assert album.asked == [], "the first time everybody who has one is read"
    assert shown(world, "P000", "P001", "P002", "P003", "P004") == [JPEG, JPEG, PNG, None, None]
    assert kept(world) == 2, "equal photos are kept once"
    album.asked.clear()
    album.add(entry("zoe"))
    album.photographed |= {"id-p000": OTHER, "id-p004": OTHER, "id-zoe": PNG, "id-stranger": JPEG}
    del album.photographed["id-p002"]
    album.modified = dict.fromkeys(("id-p000", "id-p002", "id-stranger"), world.clock.now())
    world.night()
    assert album.asked == ["id-zoe"]
    assert shown(world, "P000", "P001", "P002", "Zoe") == [OTHER, JPEG, None, PNG]
    assert shown(world, "P004") == [None], "nothing said that it was modified"
    album.photographed["id-p001"] = OTHER
    album.modified = {"id-p001": world.clock.now()}
    world.night()
    assert kept(world) == 2, "what nobody has any more is gone"


def test_a_reading_that_fails_is_made_up_for(world, album):
    """Promise 5: who comes does not wait for photos, and nobody is left out later."""
    album.add(entry("ann"))
    album.photographed = {"id-ann": JPEG}
    album.cut = True
    world.sync()
    assert world.states() == {"Ann": "invited"}
    album.cut = False
    album.asked.clear()
    world.night()
    assert shown(world, "Ann") == [JPEG]
    album.add(entry("zoe"))
    album.photographed["id-zoe"] = PNG
    album.cut = True
    world.night()
    album.cut = False
    album.asked.clear()
    world.night()
    assert (album.asked, shown(world, "Zoe")) == (["id-zoe"], [PNG])


def test_who_comes_while_everybody_is_read_is_asked_for(world, album):
    """They may have come behind the place the reading had reached."""

    class Late(dict):
        def __iter__(self):
            later = world.clock.now() + timedelta(minutes=1)
            with world.services.context.database.write() as session:
                linked = update(LinkRecord).where(LinkRecord.anchor == "id-zoe")
                session.execute(linked.values(linked_at=later))
            return iter(["id-ann"])

    album.add(entry("ann"), entry("bob"), entry("zoe"))
    album.photographed = Late({"id-ann": JPEG, "id-zoe": PNG})
    world.sync()
    assert album.asked == ["id-zoe"]
    assert shown(world, "Ann", "Bob", "Zoe") == [JPEG, None, PNG]


def test_who_has_no_photo_is_not_looked_for_where_nobody_has_one(world, album):
    """The day after a directory was filled everybody of it was modified since."""
    album.add(entry("ann"), entry("bob"))
    album.modified = dict.fromkeys(("id-ann", "id-bob"), world.clock.now())
    world.sync()
    world.night()
    assert not album.looked_for_gone
    album.photographed = {"id-bob": JPEG}
    album.modified = {"id-bob": world.clock.now()}
    world.night()
    assert shown(world, "Bob") == [JPEG]


def test_whoever_has_left_is_not_asked_for(world, album):
    """D1: the photo of the dismissed stays as it was (S5)."""
    album.add(entry("ann"), entry("bob"), entry("zoe"))
    album.photographed = {"id-ann": JPEG}
    world.sync()
    world.accept("Ann")
    album.remove("ann")
    album.asked.clear()
    world.night()
    world.night()
    assert world.states()["Ann"] == "dismissed"
    assert (album.asked, shown(world, "Ann")) == ([], [JPEG])


def test_the_authoritative_photo_is_shown(make_world, album):
    """P6: the other source's as long as it has none."""
    world = make_world(
        corp={"directory": album}, others={"hr": {"directory": Album("hr"), "authoritative": False}}
    )
    hr = world.services.sources["hr"].directory
    for source in (album, hr):
        source.add(entry("ann", employeeNumber="1"))
    hr.photographed = {"id-ann": PNG}
    world.sync("hr")
    world.sync()
    assert shown(world, "Ann") == [PNG]
    album.photographed, album.modified = {"id-ann": JPEG}, {"id-ann": world.clock.now()}
    world.sync()
    assert shown(world, "Ann") == [JPEG]


def test_real_directories(ldap_server, sqlite_url):
    """Promise 5: the reading of people does not carry photos; they come by id, and as modified."""
    branch = ldap_server.branch(4)
    attribute = "thumbnailPhoto" if branch.server.kind.person_class == "user" else "jpegPhoto"
    branch.modify("u0", **{attribute: [JPEG]})
    branch.modify("u1", **{attribute: [PNG]})
    branch.modify("u2", **{attribute: [b"<svg onload='alert(1)'/>"]})
    readable = make_readable("corp", "ldap", branch.options(changes="off", page_size=2), {})
    directory = readable.directory
    assert attribute not in directory.search(directory.preset()).wanted
    world = new_world(sqlite_url, corp={"directory": directory, "mapping": readable.mapping})
    try:
        world.sync()
        assert shown(world, "Tim U0", "Tim U1", "Tim U2", "Tim U3") == [JPEG, PNG, None, None]
        branch.modify("u0", **{attribute: []})
        branch.modify("u3", **{attribute: [OTHER]})
        world.night()
        assert shown(world, "Tim U0", "Tim U1", "Tim U2", "Tim U3") == [None, PNG, None, OTHER]
        now = datetime.now(UTC)
        assert len(list(directory.photos())) == len(list(directory.photos(since=now))) == 3
        assert len(list(directory.without_photo(now))) == 1
        later = now + OVERLAP + timedelta(hours=1)
        assert [*directory.photos(since=later), *directory.without_photo(later)] == []
        nobody = "00000000-0000-0000-0000-000000000000"
        assert list(directory.photos(of=["no id", nobody])) == []
        off = make_readable("corp", "ldap", branch.options(photos="off"), {}).directory
        assert (directory.has_photos, off.has_photos) == (True, False)
    finally:
        world.services.context.database.close()


def test_a_photo_that_is_too_long_is_none(world, album):
    """Half a megabyte is more than any page shows."""
    album.add(entry("ann"), entry("bob"))
    album.photographed = {
        "id-ann": JPEG.ljust(LONGEST_PHOTO + 1),
        "id-bob": JPEG.ljust(LONGEST_PHOTO),
    }
    world.sync()
    assert [photo is None for photo in shown(world, "Ann", "Bob")] == [True, False]
