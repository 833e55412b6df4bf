"""What administrators, and programs beside them, are told of."""

from __future__ import annotations

from datetime import time
from pathlib import Path

from pydantic import Field, SecretStr

from provisioning.settings_model import Table
from provisioning.settings_types import People


class AlarmSettings(Table):
    """What administrators are told of by letter: what is held, fails, is silent or runs out."""

    seats_free_below: People = 5
    """They are told when fewer seats are free than this; 0: when none is."""

    digest_at: time = time(7, 0)
    """Local time of the daily letter, which is only written if there is something to say."""


class WebhookSettings(Table):
    """A program that is told what administrators are told, one table for each: [webhooks.NAME]."""

    url: str = Field(repr=False, examples=["https://alerts.corp.example/usher"])
    """Where events are posted. No redirect is followed; only https:// leaves this machine."""

    secret: SecretStr = Field(examples=["whsec_..."])
    """Signs them (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64. Or secret_file,
    the path of a file that holds it."""

    ca_file: Path | None = Field(default=None, examples=["/etc/ssl/corp.pem"])
    """Who signs its certificate, instead of the system's authorities."""
