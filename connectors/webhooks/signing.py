"""Signatures of events, as the Standard Webhooks specification wants them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime


def signed_headers(secret: bytes, message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the three headers by which whoever shares the secret knows an event for ours.

    Args:
        secret: The key itself, without its prefix and out of base64.
        message_id: The same for every try; it holds no point.
        at: When this try is made: an old one that somebody plays again is refused.
        body: What is sent, byte for byte.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
