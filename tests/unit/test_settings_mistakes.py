"""Settings that can never work: one sentence for each, naming where it was said."""

import pytest

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.exit_codes import exit_code
from provisioning.settings import load_settings


@pytest.fixture
def load(tmp_path):
    """Load settings from a file's text and an environment."""

    def load(text=None, environ=None):
        path = tmp_path / "usher.toml" if text is not None else None
        if path is not None:
            path.write_text(text)
        return load_settings(environ=environ or {}, config_path=path)

    return load


@pytest.fixture
def complaint(load):
    """Return the sentence that refuses something."""

    def complaint(text=None, environ=None):
        with pytest.raises(ConfigurationError) as caught:
            load(text, environ)
        assert exit_code(caught.value) == 78
        return str(caught.value)

    return complaint


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"USHER_WEB__PROT": "1"}, "environment USHER_WEB__PROT: there is no setting web.prot"),
        ({"USHER_WEB__PROT": "1"}, "web.prot; did you mean web.port?"),
        ({"USHER_WBE__PORT": "1"}, "there is no setting wbe; did you mean web?"),
        ({"USHER_FOO": "1"}, "environment USHER_FOO: there is no such setting"),
        ({"USHER_WEB__": "1"}, "environment USHER_WEB__: there is no such setting"),
        ({"PORT": "70000"}, "environment PORT: web.port should be less than or equal to 65535"),
        ({"SEAT_LIMIT": "many"}, "environment SEAT_LIMIT: seats.limit should be a valid integer"),
        ({"TZ": "Mars"}, 'environment TZ: intranet.time_zone: "Mars" is not a time zone'),
        ({"PUBLIC_URL": "intranet"}, "web.public_url: write the whole address"),
        ({"MAIL_FROM": "me"}, "mail.sender: write an address"),
        ({"MAIL_FROM": "a@b\r\nBcc: c@d"}, "mail.sender: write an address"),
        ({"SMTP_URL": "smtp://relay"}, 'mode = "smtp" needs sender'),
        ({"SECRET_KEY": "short"}, "web.secret_key: needs 32 random characters"),
        ({"SEAT_LIMIT": "9" * 23}, "seats.limit should be less than"),
        ({"USHER_INVITATIONS__GRACE_MINUTES": "9" * 12}, "grace_minutes should be less"),
        ({"DATABASE_URL": "postgresql://u:secret@127.0.0.1:notaport/x"}, "%40 for @"),
        ({"USHER_MAIL__MODE": "smtp"}, 'mode = "smtp" needs smtp_url'),
        ({"USHER_CONFIG": "/does/not/exist"}, "/does/not/exist cannot be read: No such file"),
        ({"SECRET_KEY_FILE": "/does/not/exist"}, "environment SECRET_KEY_FILE: /does/not/exist"),
        ({"PORT": "1", "PORT_FILE": "/x"}, "PORT and PORT_FILE are both set; keep one"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_environment_is_named(complaint, environ, sentence):
    assert sentence in complaint(None, environ)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[web]\nport =\n", "usher.toml, line 2, column 7: Invalid value"),
        ("[web", "usher.toml, "),
        ("[seat]\nlimit = 2\n", "usher.toml: there is no setting seat; did you mean seats?"),
        ("[seats]\nlimt = 2\n", "there is no setting seats.limt; did you mean seats.limit?"),
        ("[seats]\nlimit = -1\n", "seats.limit should be greater than or equal to 0"),
        ("[limits]\ndismiss_percent = 500\n", "limits.dismiss_percent should be less than"),
        ("[sources.x]\nuri = 'a'\n", "sources.x.type is missing"),
        ("[sources.x]\n", "usher.toml: sources.x.type is missing"),
        ("[sources.x]\ntype = 'ldpa'\n", "sources.x.type should be 'ldap', 'ldif' or 'scim'"),
        ("[sources.x]\ntype = 'ldap'\nowns = ['titel']\n", "owns.0 should be 'display_name'"),
        ("[sources.'X Y']\ntype = 'ldap'\n", "sources are called by small letters"),
        ("[sources]\nx = 1\n", "sources.x should be a valid dictionary"),
        ("sources = 1\n", "sources should be a valid dictionary"),
        ("web = 1\n", "web should be a valid dictionary"),
        ("[sources.x]\ntype = 'ldap'\nbind_password = 'a'\nbind_password_file = 'b'\n",
         "sources.x.bind_password and bind_password_file are both set"),
        ("[sources.x]\ntype = 'ldap'\nbind_password_file = '/no'\n",
         "usher.toml: /no cannot be read"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(complaint, text, sentence):
    assert sentence in complaint(text)


def test_an_attribute_has_one_owner(complaint):
    """P6: two that own it would have no order."""
    table = "[sources.{}]\ntype = 'ldap'\nowns = ['mail', 'title']\n"
    told = complaint(table.format("x") + table.format("y"))
    assert "x and y both own mail; one of them has the say" in told


def test_all_mistakes_are_told_at_once(complaint):
    told = complaint("[seat]\nlimit = 2\n", {"PORT": "x", "TZ": "Mars"})
    assert len(told.splitlines()) == 3


def test_a_refused_secret_is_neither_in_the_sentence_nor_in_its_cause(load):
    with pytest.raises(ConfigurationError) as caught:
        load(None, {"SECRET_KEY": "tulip"})
    assert "tulip" not in f"{caught.value} {caught.value.__cause__}"


def test_a_file_that_is_not_text_is_refused(load, tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes("[intranet]\nname = 'Büro'\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"latin\.toml is not UTF-8"):
        load_settings(environ={}, config_path=path)


def test_a_webhook_has_its_secret_in_a_file_and_shows_it_to_nobody(tmp_path):
    """Safety 13: secret_file is read, and what is shown is masked."""
    (tmp_path / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    config = tmp_path / "usher.toml"
    config.write_text(
        f'[webhooks.pager]\nurl = "https://hooks.example/x"\nsecret_file = "{tmp_path}/secret"\n'
    )
    settings = load_settings(environ={}, config_path=config)
    assert settings.webhooks["pager"].secret.get_secret_value().startswith("whsec_Mf")
    shown = {name: value for name, value, _ in settings.shown()}
    assert shown["webhooks.pager.secret"] == "********"
    assert "whsec" not in repr(settings)
