"""The address of a relay: what it may say, and what it may not."""

import pytest

from connectors.smtp.settings import Encryption, SmtpSettings
from provisioning.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("smtp://relay", SmtpSettings(host="relay", port=25)),
        ("smtp://a@relay", SmtpSettings(host="relay", port=587, user="a")),
        ("smtps://relay", SmtpSettings(host="relay", port=465, encryption=Encryption.TLS)),
        ("smtp://[::1]:2525/", SmtpSettings(host="::1", port=2525)),
        (
            "smtp://a%40b:p%2F%3A@relay:26?starttls=required&timeout=3",
            SmtpSettings(
                host="relay", port=26, user="a@b", password="p/:",
                encryption=Encryption.REQUIRED, timeout_seconds=3,
            ),
        ),
    ],
)  # fmt: skip
def test_a_relay_is_named_by_an_address(url, settings):
    assert SmtpSettings.from_url(url) == settings


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("relay", "write smtp://HOST:PORT"),
        ("http://relay", "write smtp://HOST:PORT"),
        ("smtp://:25", "write smtp://HOST:PORT"),
        ("smtp://relay/path", "write smtp://HOST:PORT"),
        ("smtp://relay:port", "mail.smtp_url: Port could not be cast"),
        ("smtp://relay?startls=off", "there is no option startls; did you mean starttls?"),
        ("smtp://relay?starttls=yes", "starttls is required, auto or off, not 'yes'"),
        ("smtp://relay?starttls=tls", "starttls is required, auto or off, not 'tls'"),
        ("smtps://relay?starttls=off", "smtps:// needs no starttls"),
        ("smtp://relay?timeout=long", "could not convert string to float"),
        ("smtp://relay?timeout=0", "timeout is more than 0 seconds"),
    ],
)
def test_an_address_that_names_no_relay_is_refused(url, sentence):
    with pytest.raises(ConfigurationError) as caught:
        SmtpSettings.from_url(url)
    assert sentence in str(caught.value)


def test_the_password_of_the_relay_is_not_in_its_settings_text():
    assert "tulip" not in repr(SmtpSettings.from_url("smtp://anna:tulip@relay"))
