"""What the database keeps of a secret that only has to be recognised."""

from __future__ import annotations

import hashlib


def digest_of(secret: str) -> bytes:
    """Return 32 bytes; the secrets are 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
