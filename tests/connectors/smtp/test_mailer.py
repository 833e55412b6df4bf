"""Letters through a relay: taken, refused for good or for now, not reached, in doubt."""

import contextlib
import socket
import struct
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import compat32

import pytest

from connectors.outbox_only.mailer import OutboxOnlyMailer
from connectors.smtp.mailer import SmtpMailer
from connectors.smtp.settings import SmtpSettings
from provisioning.domain.errors import ConfigurationError, DeliveryError, DeliveryInDoubtError
from provisioning.ports import Mailer


def mailer(port, *, host="localhost", scheme="smtp", user="", options="timeout=5") -> Mailer:
    return SmtpMailer(SmtpSettings.from_url(f"{scheme}://{user}{host}:{port}?{options}"))


def failure(sending, letter) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sending.send(letter)
    return caught.value


def test_a_letter_arrives_as_it_was_written(relay, handler, letter):
    mailer(relay(handler).port).send(letter)
    (envelope,) = handler.taken
    assert envelope.mail_from == "intranet@corp.example"
    assert envelope.rcpt_tos == ["anna.weber@corp.example"]
    read = message_from_bytes(envelope.content, policy=policy.default)
    assert read["Subject"] == "Добро пожаловать"
    assert read["Message-ID"] == "<1@usher>"
    assert read.get_content().splitlines() == letter.get_content().splitlines()


def test_a_letter_is_dated_when_it_leaves(relay, handler, letter):
    mailer(relay(handler).port).send(letter)
    read = message_from_bytes(handler.taken[0].content, policy=policy.default)
    assert abs(datetime.now(UTC) - read["Date"].datetime) < timedelta(minutes=1)


def test_a_date_that_is_there_stays(relay, handler, letter):
    letter["Date"] = "Mon, 23 Nov 2026 12:00:00 +0000"
    mailer(relay(handler).port).send(letter)
    assert message_from_bytes(handler.taken[0].content).get_all("Date") == [letter["Date"]]


@pytest.mark.parametrize(
    ("answers", "permanent"),
    [
        ({"rcpt": "550 no such mailbox"}, True),
        ({"rcpt": "450 greylisted"}, False),
        ({"data": "554 looks like spam"}, True),
        ({"data": "451 try later"}, False),
        ({"mail": "451 try later"}, False),
        ({"mail": "550 not your address"}, False),
    ],
)
def test_a_refusal_is_final_from_500_on_unless_it_is_our_sender(
    relay, make_handler, letter, answers, permanent
):
    """A wrong sender is our configuration: the letters are right, and leave when that is."""
    error = failure(mailer(relay(make_handler(**answers)).port), letter)
    assert error.permanent is permanent
    assert next(iter(answers.values())) in str(error)


def test_a_relay_that_is_not_there_is_tried_again(letter):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(mailer(port), letter)
    assert not error.permanent
    assert f"localhost:{port} cannot be reached" in str(error)


def test_a_relay_that_does_not_greet_is_tried_again(letter):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sending = mailer(silent.getsockname()[1], options="timeout=0.2")
        assert not failure(sending, letter).permanent


def test_a_relay_that_greets_with_a_refusal_is_tried_again(scripted, letter):
    port = scripted(lambda *_: None, greeting=b"554 no\r\n")
    error = failure(mailer(port), letter)
    assert not error.permanent
    assert "554 no" in str(error)


def test_an_answer_lost_after_the_data_leaves_doubt(relay, make_handler, letter):
    handler = make_handler(abort=True)
    with pytest.raises(DeliveryInDoubtError, match="took the letter and its answer was lost"):
        mailer(relay(handler).port).send(letter)
    assert len(handler.taken) == 1


def test_an_answer_that_does_not_come_leaves_doubt(relay, make_handler, letter):
    handler = make_handler(silent=True)
    with pytest.raises(DeliveryInDoubtError):
        mailer(relay(handler).port, options="timeout=0.5").send(letter)


@pytest.mark.parametrize("answer", [b"what?\r\n", b"250" + b"x" * 9000 + b"\r\n"])
def test_an_answer_nobody_understands_leaves_doubt(scripted, letter, answer):
    def script(connection, lines):
        while lines.readline() != b".\r\n":
            pass
        connection.sendall(answer)
        lines.read()

    with pytest.raises(DeliveryInDoubtError):
        mailer(scripted(script), options="timeout=0.5").send(letter)


def test_a_break_before_the_end_of_the_data_leaves_no_doubt(scripted, letter):
    """RFC 5321 4.2.5: a relay keeps nothing before it saw the end."""

    def script(connection, lines):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    letter.set_content("a long letter\n" * 3_000_000)
    error = failure(mailer(scripted(script)), letter)
    assert not error.permanent


def test_a_lost_farewell_does_not_make_a_taken_letter_fail(scripted, letter):
    def script(connection, lines):
        while lines.readline() != b".\r\n":
            pass
        connection.sendall(b"250 taken\r\n")

    mailer(scripted(script)).send(letter)


def test_encryption_is_used_where_it_is_offered(relay, handler, letter, certificate):
    path, context = certificate
    port = relay(handler, tls_context=context).port
    mailer(port, options=f"ca_file={path}&timeout=5").send(letter)
    assert handler.encrypted == [True]


def test_encryption_that_is_required_and_not_offered_keeps_the_letter_here(relay, handler, letter):
    error = failure(mailer(relay(handler).port, options="starttls=required"), letter)
    assert not error.permanent
    assert "STARTTLS" in str(error)
    assert handler.taken == []


def test_encryption_can_begin_with_the_first_byte(relay, handler, letter, certificate):
    path, context = certificate
    port = relay(handler, implicit_tls=context).port
    mailer(port, scheme="smtps", options=f"ca_file={path}&timeout=5").send(letter)
    assert handler.encrypted == [True]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_nobody_vouches_for_is_refused(relay, handler, letter, certificate, scheme):
    offers = (
        {"tls_context": certificate[1]} if scheme == "smtp" else {"implicit_tls": certificate[1]}
    )
    error = failure(mailer(relay(handler, **offers).port, scheme=scheme), letter)
    assert "certificate verify failed" in str(error)
    assert not error.permanent
    assert handler.taken == []


def test_a_certificate_for_another_name_is_refused(relay, handler, letter, certificate):
    path, context = certificate
    port = relay(handler, tls_context=context).port
    error = failure(mailer(port, host="127.0.0.1", options=f"ca_file={path}"), letter)
    assert "certificate verify failed" in str(error)


def test_a_user_signs_in_over_an_encrypted_connection(
    relay, handler, letter, certificate, only_anna
):
    path, context = certificate
    port = relay(handler, tls_context=context, authenticator=only_anna, auth_required=True).port
    options = f"ca_file={path}&timeout=5"
    mailer(port, user="anna:tu%3Al%2Fip%40@", options=options).send(letter)
    assert len(handler.taken) == 1
    error = failure(mailer(port, user="anna:rose@", options=options), letter)
    assert "refuses to sign anna in: 535" in str(error)
    assert not error.permanent
    assert "rose" not in str(error)


def test_a_password_is_not_sent_in_the_clear(relay, handler, letter, only_anna):
    port = relay(handler, authenticator=only_anna, auth_require_tls=False).port
    user = "anna:tu%3Al%2Fip%40@"
    assert "offers no encryption" in str(failure(mailer(port, user=user), letter))
    mailer(port, user=user, options="starttls=off&timeout=5").send(letter)
    assert len(handler.taken) == 1


def test_an_international_address_needs_a_relay_that_takes_it(relay, scripted, handler, letter):
    letter.replace_header("To", "анна@corp.example")
    mailer(relay(handler).port).send(letter)
    assert handler.taken[0].rcpt_tos == ["анна@corp.example"]
    error = failure(mailer(scripted(lambda *_: None)), letter)
    assert error.permanent
    assert "SMTPUTF8" in str(error)


@pytest.mark.parametrize("to", [None, "a@corp.example, b@corp.example"])
def test_a_letter_goes_to_one_address(relay, handler, letter, to):
    del letter["To"]
    if to:
        letter["To"] = to
    assert failure(mailer(relay(handler).port), letter).permanent
    assert handler.taken == []


@pytest.mark.parametrize("header", ["Cc", "Bcc"])
def test_nobody_else_gets_a_copy(relay, handler, letter, header):
    letter[header] = "eve@evil.example"
    assert failure(mailer(relay(handler).port), letter).permanent
    assert handler.taken == []


@pytest.mark.parametrize("value", ["x\r\nBcc: eve@evil.example", "x\nRCPT TO:<eve@evil.example>"])
def test_no_value_becomes_a_header_or_a_command(relay, handler, value):
    with pytest.raises(ValueError, match="linefeed"):
        EmailMessage()["Subject"] = value
    careless = EmailMessage(policy=compat32)
    careless["From"] = "intranet@corp.example"
    careless["To"] = "anna@corp.example"
    careless["Subject"] = value
    with contextlib.suppress(DeliveryError):
        mailer(relay(handler).port).send(careless)
    assert [envelope.rcpt_tos for envelope in handler.taken] in ([], [["anna@corp.example"]])


def test_a_letter_that_cannot_be_written_down_is_given_up(relay, handler):
    careless = EmailMessage(policy=compat32)
    careless["From"] = "intranet@corp.example"
    careless["To"] = "anna@corp.example"
    careless["Subject"] = "x\r\nBcc: eve@evil.example"
    assert failure(mailer(relay(handler).port), careless).permanent
    assert handler.taken == []


def test_a_check_connects_and_signs_in_and_sends_nothing(relay, handler, certificate, only_anna):
    path, context = certificate
    port = relay(handler, tls_context=context, authenticator=only_anna).port
    sending = mailer(port, user="anna:tu%3Al%2Fip%40@", options=f"ca_file={path}&timeout=5")
    report = sending.check()
    assert [(step.name, step.outcome) for step in report.steps] == [
        ("connect", "ok"),
        ("sign in", "ok"),
    ]
    assert "TLSv1.3" in report.steps[0].detail
    wrong = mailer(port, user="anna:rose@", options=f"ca_file={path}&timeout=5").check()
    assert [(step.name, step.outcome) for step in wrong.steps][-1] == ("sign in", "failed")
    assert wrong.failed
    assert handler.taken == []


def test_a_check_of_a_relay_that_is_not_there_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (step,) = mailer(port).check().steps
    assert (step.name, step.outcome) == ("connect", "failed")


def test_a_check_without_a_user_only_connects(relay):
    (step,) = mailer(relay().port).check().steps
    assert "not encrypted" in step.detail


def test_authorities_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        mailer(25, options=f"ca_file={tmp_path / 'none.pem'}")


def test_letters_that_are_kept_are_sent_to_nobody(letter):
    keeper: Mailer = OutboxOnlyMailer()
    assert keeper.keeps_letters
    keeper.send(letter)
    assert not keeper.check().failed
    del letter["To"]
    assert failure(keeper, letter).permanent
