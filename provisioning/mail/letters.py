"""Letters: facts in, a message with text and HTML out; nothing is sent here."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLetter:
    """What administrators are told when removals of a source are held (D6)."""

    intranet_name: str
    sender: str
    recipient: str
    source: str
    link: str
    message_id: str


def render_invitation(letter: InvitationLetter) -> EmailMessage:
    """Return the letter that invites somebody (I1)."""
    return _render("invitation", f"You are invited to {letter.intranet_name}", letter)


def render_reminder(letter: InvitationLetter) -> EmailMessage:
    """Return the letter that reminds somebody of an invitation, with the same link (I4)."""
    return _render("reminder", f"Your invitation to {letter.intranet_name} is waiting", letter)


def render_breaker(letter: BreakerLetter) -> EmailMessage:
    """Return the letter that asks administrators to decide about held removals (D6)."""
    subject = f"Dismissals from {letter.source} are held and need you"
    return _written("breaker", subject, letter, name="", facts={"letter": letter})


def _render(template: str, subject: str, letter: InvitationLetter) -> EmailMessage:
    facts = {"letter": letter, "until": _until(letter), "name": _one_line(letter.display_name)}
    return _written(template, subject, letter, name=letter.display_name, facts=facts)


def _written(
    template: str,
    subject: str,
    letter: InvitationLetter | BreakerLetter,
    *,
    name: str,
    facts: dict[str, object],
) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = _one_line(subject)
    message["From"] = _address(*parseaddr(letter.sender))
    message["To"] = _address(name, letter.recipient)
    message["Message-ID"] = _one_line(letter.message_id)
    # RFC 3834 section 5, and what Exchange heeds: nobody's absence note answers this letter.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    html, text = (_TEMPLATES.get_template(f"{template}.{kind}") for kind in ("html", "txt"))
    message.set_content(text.render(facts))
    message.add_alternative(html.render(facts), subtype="html")
    return message


def _address(name: str, address: str) -> Address:
    local, _, domain = _one_line(address).rpartition("@")
    return Address(_one_line(name), username=local, domain=domain)


def _one_line(text: str) -> str:
    """Return a text that fits into a header, whatever a directory put into it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _until(letter: InvitationLetter) -> str:
    """Return the end of an invitation as people read it.

    Rounded down to the minute: better too early than too late.
    """
    local = letter.expires_at.astimezone(letter.time_zone)
    return f"{local.day} {local:%B %Y, %H:%M} ({letter.time_zone})"
