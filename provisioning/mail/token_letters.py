"""Letters to administrators about tokens that end soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.message import EmailMessage

from provisioning.mail.letters import address_of, compose, moment_in


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLetter:
    """What is about to stop working, when, and what to do."""

    intranet_name: str
    sender: str
    recipient: str
    source: str
    token_id: str
    kind: str
    """token or client."""

    note: str
    expires_at: datetime
    days: int
    """How many were left when it was written; 0: it is over."""

    page: str
    """Where an administrator replaces it."""

    message_id: str
    time_zone: tzinfo = UTC


def render_token_letter(letter: TokenLetter) -> EmailMessage:
    """Return the letter that says that a token ends, or has ended."""
    until = moment_in(letter.expires_at, letter.time_zone)
    ends = f"expires on {until}" if letter.days else "has expired"
    return compose(
        "token",
        f"The SCIM {letter.kind} of {letter.source} {ends}",
        sender=letter.sender,
        recipient=address_of("", letter.recipient),
        message_id=letter.message_id,
        facts={"letter": letter, "until": until},
    )
