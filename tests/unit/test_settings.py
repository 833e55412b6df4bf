"""Settings: the order of layers, where values come from, what is never shown."""

from datetime import time
from pathlib import Path

import pytest

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.policy import ContactPolicy, Policy, WhenFull
from provisioning.settings import Settings, load_settings, own_rules
from provisioning.settings_layers import COMMON_NAMES
from provisioning.settings_page import render_default_toml

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def load(tmp_path):
    """Load settings from a file's text, an environment and a command line."""

    def load(text=None, environ=None, **overrides):
        path = tmp_path / "usher.toml" if text is not None else None
        if path is not None:
            path.write_text(text)
        dotted = {name.replace("__", "."): value for name, value in overrides.items()}
        return load_settings(environ=environ or {}, config_path=path, overrides=dotted)

    return load


def test_the_default_file_is_the_one_in_the_code():
    assert (ROOT / "config" / "default.toml").read_text() == render_default_toml(), "make docs"


def test_the_default_file_changes_nothing():
    in_file = load_settings(environ={}, config_path=ROOT / "config" / "default.toml")
    assert in_file.model_dump() == Settings().model_dump()


def test_every_setting_has_its_meaning_in_the_default_file():
    settings = Settings()
    for table in type(settings).model_fields:
        if table not in ("sources", "webhooks"):
            for name, field in type(getattr(settings, table)).model_fields.items():
                assert field.description, f"{table}.{name}"


def test_the_example_is_valid(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("tulip\n")
    text = (ROOT / "config" / "example.toml").read_text()
    path = tmp_path / "example.toml"
    path.write_text(text.replace("/run/secrets/ldap-password", str(secret)))
    settings = load_settings(environ={"SMTP_URL": "smtp://relay"}, config_path=path)
    assert settings.seats.limit == 200
    assert settings.mail.mode == "smtp"
    assert {name: source.type for name, source in settings.sources.items()} == {
        "corp-ldap": "ldap",
        "contractors": "scim",
    }
    assert settings.sources["corp-ldap"].options["bind_password"] == "tulip"
    assert settings.sources["corp-ldap"].mapping["mailbox"] == "mailRoutingAddress"


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(load):
    file = "[web]\nport = 1\nhost = '0.0.0.0'\n"
    assert load().web.port == 8080
    assert load(file).web.port == 1
    assert load(file, {"PORT": "2"}).web.port == 2
    assert load(file, {"PORT": "2"}, web__port=3).web.port == 3
    assert load(file, {"PORT": "2"}, web__port=None).web.port == 2
    assert load(file, {"PORT": "2"}).web.host == "0.0.0.0"


def test_every_value_knows_where_it_came_from(load, tmp_path):
    settings = load(
        "[web]\nhost = '0.0.0.0'\n", {"PORT": "2", "TZ": "Asia/Tokyo"}, log__level="debug"
    )
    origins = settings.origins
    assert origins["web.host"] == f"file {tmp_path / 'usher.toml'}"
    assert origins["web.port"] == origins["web.public_url"] == "environment PORT"
    assert origins["intranet.time_zone"] == "environment TZ"
    assert origins["log.level"] == "command line"
    assert origins["web.workers"] == "default"
    assert list(origins) == [key for key, _, _ in settings.shown()]


def test_the_file_is_named_by_the_environment_unless_by_the_command_line(load, tmp_path):
    named = tmp_path / "named.toml"
    named.write_text("[web]\nport = 7\n")
    assert load(None, {"USHER_CONFIG": str(named)}).web.port == 7
    assert load("[web]\nport = 8\n", {"USHER_CONFIG": str(named)}).web.port == 8


def test_common_names_reach_their_settings(load):
    settings = load(
        None,
        {
            "DATABASE_URL": "postgresql://u:p@h/n",
            "SECRET_KEY": KEY,
            "PUBLIC_URL": "https://intranet.example/",
            "WEB_CONCURRENCY": "4",
            "LOG_LEVEL": "debug",
            "LOG_FORMAT": "json",
            "MAIL_FROM": "Intranet <a@b.example>",
            "SEAT_LIMIT": "250",
        },
    )
    assert settings.database.url == "postgresql://u:p@h/n"
    assert settings.web.secret_key.get_secret_value() == KEY
    assert settings.web.public_url == "https://intranet.example"
    assert (settings.web.workers, settings.seats.limit) == (4, 250)
    assert (settings.log.level, settings.log.format) == ("DEBUG", "json")
    assert settings.mail.sender == "Intranet <a@b.example>"


@pytest.mark.parametrize("name", COMMON_NAMES)
def test_each_common_name_can_be_kept_in_a_file(name, load, tmp_path):
    values = {"PORT": "8081", "WEB_CONCURRENCY": "2", "SEAT_LIMIT": "3", "LOG_LEVEL": "ERROR",
              "LOG_FORMAT": "json", "SECRET_KEY": KEY, "PUBLIC_URL": "http://x.example",
              "MAIL_FROM": "a@b.example", "DATABASE_URL": "sqlite:///kept.db"}  # fmt: skip
    (tmp_path / "secret").write_text(values.get(name, "kept") + "\n")
    common = {"MAIL_FROM": "a@b.example"} if name == "SMTP_URL" else {}
    settings = load(None, {f"{name}_FILE": str(tmp_path / "secret"), **common})
    key = ".".join(COMMON_NAMES[name])
    assert settings.origins[key] == f"environment {name}_FILE"


def test_a_secret_from_a_file_has_no_line_end(load, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = load(None, {"SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.web.secret_key.get_secret_value() == KEY


def test_an_ldap_directory_needs_no_file(load):
    settings = load(
        None,
        {
            "LDAP_URI": "ldaps://dc1.corp.example",
            "LDAP_BIND_DN": "cn=usher",
            "LDAP_BIND_PASSWORD": "007",
            "LDAP_BASE_DN": "dc=corp",
            "LDAP_USER_FILTER": "(mail=*)",
            "LDAP_CA_FILE": "/ca.pem",
        },
    )
    source = settings.sources["ldap"]
    assert (source.name, source.type, source.first_run) == ("ldap", "ldap", "plan")
    assert source.options == {
        "uri": "ldaps://dc1.corp.example",
        "bind_dn": "cn=usher",
        "bind_password": "007",
        "base_dn": "dc=corp",
        "user_filter": "(mail=*)",
        "ca_file": "/ca.pem",
    }


def test_the_environment_overrides_single_keys_of_a_source(load):
    file = "[sources.corp-ad]\ntype = 'ldap'\nuri = 'ldap://a'\nmapping = {mail = {expr = '1'}}\n"
    source = load(
        file,
        {
            "USHER_SOURCES__CORP_AD__URI": "ldap://b",
            "USHER_SOURCES__CORP_AD__MAPPING__MAIL": "email",
            "USHER_SOURCES__CORP_AD__PAGE_SIZE": "500",
            "USHER_SOURCES__CORP_AD__BIND_PASSWORD": "12345",
        },
    ).sources["corp-ad"]
    assert source.mapping == {"mail": "email"}
    assert source.options == {"uri": "ldap://b", "page_size": 500, "bind_password": "12345"}


def test_a_rule_that_is_replaced_leaves_no_origin_behind(load):
    file = "[sources.x]\ntype = 'ldap'\nmapping = {mail = 'email', title = {expr = '1'}}\n"
    settings = load(
        file,
        {
            "USHER_SOURCES__X__MAPPING__MAIL__EXPR": "first('m')",
            "USHER_SOURCES__X__MAPPING__TITLE": "title",
        },
    )
    assert settings.sources["x"].mapping == {"mail": {"expr": "first('m')"}, "title": "title"}
    rules = {key: origin for key, origin in settings.origins.items() if ".mapping." in key}
    assert rules == {
        "sources.x.mapping.mail.expr": "environment USHER_SOURCES__X__MAPPING__MAIL__EXPR",
        "sources.x.mapping.title": "environment USHER_SOURCES__X__MAPPING__TITLE",
    }


def test_everything_else_is_reached_by_section_and_key(load):
    settings = load(
        None,
        {
            "USHER_PEOPLE__VERIFIED_DOMAINS": '["Corp.Example"]',
            "USHER_PEOPLE__LINK_WEAK_KEYS": "true",
            "USHER_LIMITS__DISMISS_PERCENT": "2.5",
            "USHER_INTRANET__NAME": "1_984",
            "USHER_SCHEDULE__NIGHTLY_AT": "03:30",
        },
    )
    assert settings.people.verified_domains == ("corp.example",)
    assert settings.people.link_weak_keys is True
    assert settings.limits.dismiss_percent == 2.5
    assert settings.intranet.name == "1_984"
    assert settings.schedule.nightly_at == time(3, 30)


def test_an_empty_variable_says_nothing(load):
    assert load(None, {"PORT": "", "SEAT_LIMIT": "", "USHER_WEB__HOST": "", "TZ": ""}) == Settings()


def test_what_kubernetes_says_about_a_service_called_usher_is_nobodys_setting(load):
    injected = {
        "USHER_SERVICE_HOST": "10.0.0.1",
        "USHER_SERVICE_PORT": "80",
        "USHER_SERVICE_PORT_HTTP": "80",
        "USHER_PORT": "tcp://10.0.0.1:80",
        "USHER_PORT_80_TCP": "tcp://10.0.0.1:80",
        "USHER_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert load(None, injected) == Settings()


def test_the_time_zone_of_the_file_wins_over_tz(load):
    file = "[intranet]\ntime_zone = 'Europe/Sofia'\n"
    assert load(file, {"TZ": "Asia/Tokyo"}).intranet.time_zone == "Europe/Sofia"
    assert load(None, {"TZ": ":Asia/Tokyo"}).intranet.time_zone == "Asia/Tokyo"


def test_a_relay_is_used_unless_letters_are_to_be_kept(load):
    relay = {"SMTP_URL": "smtp://relay", "MAIL_FROM": "a@b.example"}
    assert load(None, relay).mail.mode == "smtp"
    assert load("[mail]\nmode = 'outbox'\n", relay).mail.mode == "outbox"


def test_links_lead_to_the_port_that_is_served(load):
    assert load(None, {"PORT": "9000"}).web.public_url == "http://127.0.0.1:9000"
    named = {"PORT": "9000", "PUBLIC_URL": "https://intranet.example"}
    assert load(None, named).web.public_url == "https://intranet.example"


def test_no_secret_is_ever_shown(load, tmp_path):
    (tmp_path / "password").write_text("hidden-in-file")
    file = (
        "[sources.a]\ntype = 'ldap'\nbind_password = 'hidden-in-option'\n"
        f"[sources.b]\ntype = 'ldap'\nbind_password_file = '{tmp_path / 'password'}'\n"
    )
    settings = load(
        file,
        {
            "SECRET_KEY": f"hidden-{KEY}",
            "SMTP_URL": "smtp://a:hidden-in-url@relay",
            "MAIL_FROM": "a@b.example",
            "DATABASE_URL": "postgresql://usher:hidden%2F%40in%3Adb@host/name?password=hidden-too",
        },
    )
    assert settings.sources["b"].options == {"bind_password": "hidden-in-file"}
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings.shown())
    shown = {key: value for key, value, _ in settings.shown()}
    assert shown["database.url"] == "postgresql://usher:********@host/name?password=********"
    assert shown["sources.a.bind_password"] == "********"


def test_the_planner_gets_what_was_set(load):
    assert load().policy() == Policy()
    policy = load(
        "[limits]\ndismiss_count = 4\n[seats]\nwhen_full = 'reject'\n[departures]\n"
        "missing_grace_nights = 3\n[people]\ncontact_email = 'follow_directory'\n"
        "protected = ['It-Duty@Corp.Example']\n[sources.hr]\ntype = 'ldap'\nowns = ['title']\n"
    ).policy()
    assert (policy.dismiss_count, policy.missing_grace_nights) == (4, 3)
    assert policy.when_full is WhenFull.REJECT
    assert policy.contact_email is ContactPolicy.FOLLOW_DIRECTORY
    assert policy.protected == {"it-duty@corp.example"}
    assert policy.owners == {"title": "hr"}


def test_settings_cannot_be_changed_afterwards(load):
    with pytest.raises(ValueError, match="frozen"):
        load().web.port = 1


def test_a_mapping_can_have_a_file_of_its_own(tmp_path, load):
    path = tmp_path / "mapping.toml"
    path.write_text("[mapping]\nmail = 'email'\ntitle = 'role'\n")
    names = {"TYPE": "ldif", "PATH": "x.ldif", "MAPPING_FILE": str(path), "MAPPING__TITLE": "job"}
    corp = load(environ={f"USHER_SOURCES__CORP__{name}": text for name, text in names.items()})
    assert own_rules(corp.sources["corp"]) == {"mail": "email", "title": "job"}
    path.write_text("mail = 'email'\n")
    with pytest.raises(ConfigurationError, match=r"has no \[mapping\] table"):
        own_rules(corp.sources["corp"])


def test_the_default_file_names_every_common_variable():
    text = render_default_toml()
    assert [n for n in COMMON_NAMES if not n.startswith("LDAP_") and f"({n})" not in text] == []
