"""What is a photo: by what it is, whatever a directory calls it."""

import pytest

from provisioning.domain.photos import LONGEST_PHOTO, Photo

JPEG, PNG = b"\xff\xd8\xff\xe0 Ann", b"\x89PNG\r\n\x1a\n Ann"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (JPEG.ljust(LONGEST_PHOTO), "image/jpeg"),
        (JPEG.ljust(LONGEST_PHOTO + 1), None),
        (b"", None),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b" " + PNG, None),
        (PNG[:7], None),
    ],
)
def test_a_photo_is_jpeg_or_png_and_not_too_long(content, content_type):
    """Promise 5: what a browser might run is none."""
    photo = Photo.of(content)
    assert (photo and photo.content_type) == content_type


def test_equal_photos_have_equal_hashes():
    assert Photo.of(JPEG) == Photo.of(JPEG)
    assert Photo.of(JPEG).hash != Photo.of(JPEG + b" ").hash
