"""Photos of people: what is one, and how it is known again."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Self

LONGEST_PHOTO = 512 * 1024
"""Octets of a photo that is kept; Active Directory takes 100 KB, people take what they have."""

_BEGINNINGS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""How formats begin that every browser shows, and none runs."""


class Photo(NamedTuple):
    """A photo that can be shown."""

    hash: str
    """Of its octets: BLAKE2b, 32 hexadecimal digits. Equal photos are kept once."""

    content_type: str
    content: bytes

    @classmethod
    def of(cls, content: bytes) -> Self | None:
        r"""Return a photo by what it is, whatever a directory calls it; None if it is none.

        >>> Photo.of(b"\xff\xd8\xff and so on").content_type, Photo.of(b"<svg/>")
        ('image/jpeg', None)
        """
        if len(content) > LONGEST_PHOTO:
            return None
        for beginning, content_type in _BEGINNINGS:
            if content.startswith(beginning):
                digest = hashlib.blake2b(content, digest_size=16).hexdigest()
                return cls(digest, content_type, content)
        return None
