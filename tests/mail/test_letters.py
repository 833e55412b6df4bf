"""Letters: what they say, in text and HTML, and what no name can do to them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.addresses import usable_mail
from provisioning.mail.letters import InvitationLetter, render_invitation, render_reminder
from provisioning.mail.notices import NoticeLetter, render_notice

LINK = "https://intranet.corp.example/join/Zm9vYmFy"


def letter(**changes):
    facts = {
        "intranet_name": "Corp Intranet",
        "sender": "Corp Intranet <intranet@corp.example>",
        "recipient": "anna.weber@corp.example",
        "display_name": "Anna Weber",
        "link": LINK,
        "expires_at": datetime(2026, 12, 7, 14, 59, 30, tzinfo=UTC),
        "message_id": "<0b8e9a0e@usher>",
    }
    return InvitationLetter(**{**facts, **changes})


def texts(message):
    """The text and the HTML as a reader gets them."""
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read.get_content_type() == "multipart/alternative"
    return [part.get_content() for part in read.iter_parts()]


@pytest.mark.parametrize("render", [render_invitation, render_reminder])
def test_a_letter_says_who_what_and_until_when(render):
    """I1, I3: the link is single use and expires."""
    message = render(letter(invited_by="Mia Kraus", time_zone=ZoneInfo("Europe/Berlin")))
    for text in texts(message):
        assert "Hello Anna Weber," in text
        assert "Mia Kraus invite" in text
        assert "Corp Intranet" in text
        assert LINK in text
        assert "works once" in text
        assert "7 December 2026, 15:59 (Europe/Berlin)" in text
        assert "You did not expect this letter?" in text


@pytest.mark.parametrize("render", [render_invitation, render_reminder])
def test_without_a_name_the_company_invites(render):
    for text in texts(render(letter())):
        assert "Your company invite" in text
        assert "7 December 2026, 14:59 (UTC)" in text


def test_the_link_can_be_clicked_and_read():
    _, html = texts(render_invitation(letter()))
    assert f'href="{LINK}"' in html
    assert f">{LINK}<" in html


def test_a_reminder_is_told_from_an_invitation():
    """I4."""
    invitation, reminder = render_invitation(letter()), render_reminder(letter())
    assert invitation["Subject"] == "You are invited to Corp Intranet"
    assert reminder["Subject"] == "Your invitation to Corp Intranet is waiting"
    assert "not remind you again" in texts(reminder)[0]


def test_a_letter_is_addressed_from_and_to_the_right_people():
    message = render_invitation(letter())
    assert message["To"] == "Anna Weber <anna.weber@corp.example>"
    assert message["From"] == "Corp Intranet <intranet@corp.example>"
    assert message["Message-ID"] == "<0b8e9a0e@usher>"


def test_no_absence_note_answers_a_letter():
    message = render_invitation(letter())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"


def test_no_name_becomes_markup():
    message = render_invitation(
        letter(display_name="<b>Anna</b>", intranet_name="A & B", invited_by="<script>x</script>")
    )
    text, html = texts(message)
    assert "Hello <b>Anna</b>," in text
    assert "Hello &lt;b&gt;Anna&lt;/b&gt;," in html
    assert "A &amp; B" in html
    assert "<script>" not in html


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_name_becomes_a_header(name, intranet):
    message = render_invitation(
        letter(display_name=f"{name}\r\nBcc: eve@evil.example", intranet_name=f"{intranet}\nX: y")
    )
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read.keys() == render_invitation(letter()).keys()
    assert [a.addr_spec for a in read["To"].addresses] == ["anna.weber@corp.example"]


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32), min_size=1, max_size=20))
def test_every_usable_address_is_written_as_it_is(local):
    """I1."""
    address = usable_mail(f"{local}@corp.example")
    if address is not None:
        message = render_invitation(letter(recipient=address))
        read = message_from_bytes(message.as_bytes(), policy=policy.default)
        assert [a.addr_spec for a in read["To"].addresses] == [address]


def test_an_end_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        letter(expires_at=datetime(2026, 12, 7))  # noqa: DTZ001 - what is refused


def test_a_notice_says_what_happened_and_where_to_decide():
    """R7: text and HTML say the same; what a directory calls something breaks no header."""
    message = render_notice(
        NoticeLetter(
            intranet_name="Corp Intranet",
            sender="Corp Intranet <intranet@corp.example>",
            recipient="mia.kraus@corp.example",
            title="What entra\nBcc: eve@evil.example asked for is held",
            sentences=("3 changes of <entra> are held.", "Nothing of them was changed."),
            link="https://intranet.corp.example/admin/held",
            action="See who, and decide",
            message_id="<letter.effects_held.1@usher>",
        )
    )
    assert message["To"] == "mia.kraus@corp.example"
    assert message["Bcc"] is None
    assert "entra" in message["Subject"]
    text, html = texts(message)
    assert "3 changes of <entra> are held." in text
    assert "3 changes of &lt;entra&gt; are held." in html
    for part in (text, html):
        assert "Nothing of them was changed." in part
        assert "See who, and decide" in part
        assert "https://intranet.corp.example/admin/held" in part
