"""temporary"""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True, kw_only=True)
class InvitationLetter:
    intranet_name: str
    sender: str
    recipient: str
    display_name: str
    link: str
    expires_at: Any
    time_zone: Any
    message_id: str


def render_invitation(l: InvitationLetter) -> EmailMessage:
    m = EmailMessage()
    m["To"] = l.recipient
    m["From"] = l.sender
    m["Subject"] = "x"
    m["Message-ID"] = l.message_id
    m.set_content(l.link)
    return m
