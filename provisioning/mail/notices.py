"""Letters to administrators: what stands still, or ends soon, until one of them acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from provisioning.mail.letters import address_of, compose


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLetter:
    """What happened, what did not, and where to decide."""

    intranet_name: str
    sender: str
    recipient: str
    title: str
    """One line: the subject."""

    sentences: Sequence[str]
    """A paragraph each; plain text."""

    link: str
    """The page where something can be done."""

    action: str
    """What the link is called, as a button."""

    message_id: str
    """The same for every try."""


def render_notice(letter: NoticeLetter) -> EmailMessage:
    """Return the letter."""
    return compose(
        "notice",
        letter.title,
        sender=letter.sender,
        recipient=address_of("", letter.recipient),
        message_id=letter.message_id,
        facts={"letter": letter},
    )
