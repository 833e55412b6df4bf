"""Letters to administrators about removals that are held."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from provisioning.mail.letters import address_of, compose


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLetter:
    """Whose removals are held, and where to decide (D6)."""

    intranet_name: str
    sender: str
    recipient: str
    source: str
    link: str
    message_id: str


def render_breaker(letter: BreakerLetter) -> EmailMessage:
    """Return the letter that asks administrators to decide about held removals (D6)."""
    return compose(
        "breaker",
        f"Dismissals from {letter.source} are held and need you",
        sender=letter.sender,
        recipient=address_of("", letter.recipient),
        message_id=letter.message_id,
        facts={"letter": letter},
    )
