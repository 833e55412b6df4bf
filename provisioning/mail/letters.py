"""Letters: facts in, a message with text and HTML out; nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLetter:
    """What an invitation says, to whom, and until when it opens the door (I3)."""

    intranet_name: str
    sender: str
    recipient: str
    display_name: str
    link: str
    expires_at: datetime
    message_id: str
    """The same for every try, so that mail systems recognise a repetition."""

    invited_by: str = ""
    """Who invites, in words; empty means the company."""

    time_zone: tzinfo = UTC
    """Whose clock the recipient reads."""

    def __post_init__(self) -> None:
        """Refuse a moment that means another one elsewhere."""
        if self.expires_at.tzinfo is None:
            raise ValueError("the end of an invitation needs a time zone")


def render_invitation(letter: InvitationLetter) -> EmailMessage:
    """Return the letter that invites somebody (I1)."""
    return _invitation("invitation", f"You are invited to {letter.intranet_name}", letter)


def render_reminder(letter: InvitationLetter) -> EmailMessage:
    """Return the letter that reminds somebody of an invitation, with the same link (I4)."""
    return _invitation("reminder", f"Your invitation to {letter.intranet_name} is waiting", letter)


def _invitation(name: str, subject: str, letter: InvitationLetter) -> EmailMessage:
    return compose(
        name,
        subject,
        sender=letter.sender,
        recipient=address_of(letter.display_name, letter.recipient),
        message_id=letter.message_id,
        facts={
            "letter": letter,
            "until": moment_in(letter.expires_at, letter.time_zone),
            "name": _one_line(letter.display_name),
        },
    )


def compose(
    template: str,
    subject: str,
    *,
    sender: str,
    recipient: Address,
    message_id: str,
    facts: Mapping[str, object],
) -> EmailMessage:
    """Return a message with the text and the HTML of a template.

    Args:
        template: Its name, without .txt and .html.
        subject: One line.
        sender: An address, with or without a name.
        recipient: Whom it is for.
        message_id: The same for every try.
        facts: What the template speaks of.
    """
    message = EmailMessage()
    message["Subject"] = _one_line(subject)
    message["From"] = address_of(*parseaddr(sender))
    message["To"] = recipient
    message["Message-ID"] = _one_line(message_id)
    # RFC 3834 section 5, and what Exchange heeds: nobody's absence note answers this letter.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_TEMPLATES.get_template(f"{template}.txt").render(facts))
    html = _TEMPLATES.get_template(f"{template}.html").render(facts)
    message.add_alternative(html, subtype="html")
    return message


def address_of(name: str, address: str) -> Address:
    """Return a recipient; whatever a directory put into name and address fits into a header."""
    local, _, domain = _one_line(address).rpartition("@")
    return Address(_one_line(name), username=local, domain=domain)


def _one_line(text: str) -> str:
    """Return a text that fits into a header, whatever a directory put into it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def moment_in(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as people read it.

    Rounded down to the minute: better too early than too late.
    """
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M} ({zone})"
