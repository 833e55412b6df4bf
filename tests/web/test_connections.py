"""Connections: every source, a provider added with its token shown once, and its first request."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import get_template_attribute

from provisioning.domain.errors import ConfigurationError
from provisioning.storage.models.accounts import RoleName
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.runs import TokenRecord
from provisioning.web.guide import VENDORS, guides
from tests.kit.nights import ME, count
from tests.kit.scim_client import CORE, ENTERPRISE, connect, user
from tests.kit.services import PUBLIC_URL
from tests.kit.site import administrator, make_site, place, words
from tests.kit.sources import entry
from tests.kit.world import PASSWORD

PAGE = "/admin/connections"
SECRET = re.compile(r"usher_[0-9a-f]{8}_[\w-]{43}")


def added(admin, name="okta", vendor="okta", password=PASSWORD):
    """The page that follows when a provider is added."""
    return admin.send(PAGE, name=name, vendor=vendor, password=password)


def row(page, source):
    """The words of a source's line in the list."""
    line = next(part for part in page.text.split("<tr>") if f"{PAGE}/{source}" in part)
    return words(line)


def test_every_source_is_listed_with_its_last_sign_of_life(admin, world):
    """Silence is an alarm: what was read, what asked, what was refused, and how long a token."""
    world.directory.add(entry("ann"))
    run = world.sync().run
    asked, ended = (world.services.tokens.create(name, ME) for name in ("okta", "old"))
    world.services.tokens.check(asked.secret, "192.0.2.7")
    world.services.tokens.revoke(ended.id, ME)
    world.services.tokens.check(ended.secret, "192.0.2.8")
    world.services.tokens.create("quiet", ME)
    page = admin.get(PAGE)
    assert f"corp ldap yes run {run} , 1 people" in row(page, "corp")
    assert "request 23 Nov 2026 12:00 – 1 , until 23 Nov 2027" in row(page, "okta")
    assert "no: its first letters wait" in row(page, "okta")
    assert "waiting for the first request 23 Nov 2026 12:00: revoked none" in row(page, "old")
    assert "waiting for the first request – 1 , until" in row(page, "quiet")


def test_what_a_client_fetches_is_no_token_of_its_own(admin, world):
    """An access token ends within the hour: that is no date to be warned of, and none to count."""
    client = world.services.tokens.create("idp", ME, client=True)
    caller = world.services.access_tokens.client(client.id, client.secret, "192.0.2.7")
    access = world.services.access_tokens.issue(caller, ["users:read"])
    world.clock.advance(timedelta(minutes=2))
    assert world.services.tokens.check(access.secret, "192.0.2.8")
    assert "request 23 Nov 2026 12:02 – 1 , until 23 Nov 2027" in row(admin.get(PAGE), "idp")
    page = admin.get(f"{PAGE}/idp").text
    assert "23 Nov 2026 12:02 from 192.0.2.8" in page
    assert 'href="/admin/tokens#source-idp">1</a>, expires 23 Nov 2027' in page


def test_the_token_of_a_new_provider_is_shown_once_and_never_again(admin, world):
    """Safety, tokens: shown once, kept as a digest, in no cookie and on no later page."""
    answer = added(admin)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    secret = SECRET.search(answer.text)[0]
    assert world.services.tokens.check(secret, "127.0.0.1").source == "okta"
    with admin.client.session_transaction(base_url=PUBLIC_URL) as cookie:
        assert secret not in str(dict(cookie))
    for path in (PAGE, f"{PAGE}/okta", f"{PAGE}/okta/status.json", "/admin/"):
        assert not SECRET.search(admin.get(path).text), path
    with world.services.context.database.read() as session:
        events = session.query(EventRecord).all()
        digest = session.query(TokenRecord.hash).scalar()
    assert {event.kind for event in events} >= {"token_created", "vendor_chosen"}
    assert secret not in "".join(event.because for event in events)
    assert secret.encode() not in digest


def test_the_form_sent_twice_makes_no_second_token(admin, world):
    """A reload of the page with the token sends the form again: it is refused, and says why."""
    added(admin)
    again = added(admin)
    assert again.status_code == 422
    assert "There is a source &#34;okta&#34; already" in again.text
    assert "usher token create okta" in again.text
    assert count(world, TokenRecord) == 1


@pytest.mark.parametrize("name", ["corp", "Okta", "o k", "", "x" * 64, "<script>alert(1)</script>"])
def test_a_name_that_cannot_be_one_makes_nothing(admin, world, name):
    """No token for a directory, none for a name that sources cannot have; input stays text."""
    answer = added(admin, name=name)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert count(world, TokenRecord) == 0
    assert [source.name for source in world.services.connections()] == ["corp"]


def test_a_vendor_that_nobody_knows_is_refused(admin, world):
    assert added(admin, vendor="nobody").status_code == 422
    assert count(world, TokenRecord) == 0


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_guide_is_filled_in_with_the_real_values(admin, vendor):
    """The vendor's own labels beside what is pasted; no place is left open."""
    text = html.unescape(added(admin, name="idp", vendor=vendor).text)
    guide = guides()[vendor]
    for value in guide.filled(f"{PUBLIC_URL}/scim/v2", SECRET.search(text)[0]):
        assert f">{value.label}</label>" in text
        assert value.value in text
    assert "{scim_url}" not in text
    assert "{token}" not in text
    assert ("Instead of a token: OAuth 2" in text) is bool(guide.oauth)
    assert 'href="/admin/tokens/new?source=idp&client=1"' in text or not guide.oauth
    assert (f"{PUBLIC_URL}/oauth/token" in text) is bool(guide.oauth)
    known = [value for value in guide.filled_oauth("x") if value.value]
    assert text.count("data-copy=") == len(guide.values) + len(known) + 1
    for heading in ("Connect", "Test", "Assign people", "Known quirks", "When it fails"):
        assert heading in text


@pytest.mark.parametrize("password", ["", "wrong horse battery"])
def test_without_the_password_no_door_is_opened(admin, world, password):
    """Whoever finds an administrator's screen open makes no token with it, here or elsewhere."""
    answer = added(admin, password=password)
    assert answer.status_code == 422
    assert not SECRET.search(answer.text)
    assert count(world, TokenRecord) == 0
    assert [source.name for source in world.services.connections()] == ["corp"]
    for _ in range(5):
        added(admin, password="wrong horse battery")
    assert added(admin).status_code == 422, "guesses are counted"


def test_the_way_to_an_oauth_client_is_short(admin, world):
    """The form knows for whom and what; the guide had the token URL already."""
    added(admin, name="idp", vendor="entra")
    page = admin.get("/admin/tokens/new?source=idp&client=1").text
    assert re.search(r'name="source"[^>]*value="idp"', page)
    assert re.search(r'<input[^>]*checked[^>]*name="client"|name="client"[^>]*checked', page)
    assert not re.search(r'name="client"[^>]*checked', admin.get("/admin/tokens/new").text)


def test_what_a_provider_sends_for_nothing_is_listed_with_what_to_do(admin, world):
    """What has no place here is told, with how often and when; each count leads to its list."""
    idp = connect(world.services, "idp")
    assert "Sent and ignored" not in admin.get(f"{PAGE}/idp").text
    for name in ("ann", "bob"):
        extra = {"shoe&size": "43", "urn:corp:2.0:User": {"badge": "7"}}
        idp("POST", "/Users", user(name, **extra))
    idp("POST", "/Users", user("cid", **{ENTERPRISE: {"desk": "4"}}))
    kept = {"schemas": [CORE, "urn:corp:2.0:User"], "urn:corp:2.0:User": {"badge": "8"}}
    idp("POST", "/Users", user("dan", **kept))
    assert world.services.inbound.flush()
    page = html.unescape(admin.get(f"{PAGE}/idp").text)
    lines = {
        name.split(":")[-1]: (words, link)
        for name, words, link in re.findall(
            r'<td class="text-break"><code>(.+?)</code>.*?What to do">(.+?)</td>.*?href="(.+?)">',
            page,
            re.DOTALL,
        )
    }
    assert lines.keys() == {"shoe&size", "badge", "desk"}
    assert "name its schema" in lines["badge"][0]
    for name in ("shoe&size", "desk"):
        assert lines[name][0].startswith("Correct its name")
    for name, expected in (("shoe&size", 2), ("badge", 2), ("desk", 1)):
        listed = admin.get(lines[name][1].replace("shoe&size", "shoe%26size"))
        assert listed.text.count("<code>POST /Users</code>") == expected, name
    assert "Sent and ignored" not in admin.get(f"{PAGE}/corp").text


def test_a_source_that_was_made_elsewhere_is_told_its_vendor(admin, world):
    """The choice is remembered; the token stays unknown, and the page says how to make another."""
    world.services.tokens.create("idp", ME)
    assert "Choose the identity provider" in admin.get(f"{PAGE}/idp").text
    answer = admin.send(f"{PAGE}/idp/vendor", page=f"{PAGE}/idp", vendor="entra")
    assert (answer.status_code, place(answer)) == (303, f"{PAGE}/idp")
    page = admin.get(f"{PAGE}/idp").text
    assert "Secret Token" in page
    assert "usher token create idp" in page
    assert "scim, Microsoft Entra ID" in row(admin.get(PAGE), "idp")


def test_a_page_that_waits_learns_of_the_first_request(admin, world):
    """Where from and when, in local time; a refused token is told as well."""
    idp = connect(world.services, "idp", first_run="plan")
    waiting = admin.get(f"{PAGE}/idp").text
    assert "Waiting for the first request" in waiting
    assert f'data-status="{PAGE}/idp/status.json"' in waiting
    nothing = dict.fromkeys(
        ("last_request_at", "last_request_from", "last_rejected_at", "last_rejected")
    )
    assert admin.get(f"{PAGE}/idp/status.json").json == nothing
    idp("GET", "/Users", None)
    assert admin.get(f"{PAGE}/idp/status.json").json == nothing | {
        "last_request_at": "12:00:00",
        "last_request_from": "127.0.0.1",
    }
    page = admin.get(f"{PAGE}/idp").text
    assert "23 Nov 2026 12:00 from 127.0.0.1" in page
    assert "Waiting for the first request" not in page


def test_a_revoked_token_is_told_to_who_waits(admin, world):
    token = world.services.tokens.create("idp", ME)
    world.services.tokens.revoke(token.id, ME)
    world.services.tokens.check(token.secret, "127.0.0.1")
    status = admin.get(f"{PAGE}/idp/status.json").json
    assert (status["last_rejected_at"], status["last_rejected"]) == ("12:00:00", "revoked")
    page = " ".join(re.sub(r"<[^>]+>", "", admin.get(f"{PAGE}/idp").text).split())
    assert "A request was rejected at 12:00:00: token revoked." in page


def test_a_source_is_released_where_its_first_requests_were_seen(admin, world):
    """I10: letters wait until an administrator looked, and leave then."""
    idp = connect(world.services, "idp", first_run="plan")
    idp("POST", "/Users", user("ann"))
    assert "Release idp" in admin.get(f"{PAGE}/idp").text
    assert world.services.delivery.deliver_due() == 0
    answer = admin.send(f"{PAGE}/idp/release", page=f"{PAGE}/idp")
    assert (answer.status_code, place(answer)) == (303, f"{PAGE}/idp")
    assert world.services.delivery.deliver_due() == 1
    assert "Release idp" not in admin.get(f"{PAGE}/idp").text


def test_a_directory_shows_its_last_reading_and_no_guide(admin, world):
    world.directory.add(entry("ann"), entry("bob"))
    run = world.sync().run
    page = admin.get(f"{PAGE}/corp").text
    assert "23 Nov 2026 12:00, 2 people" in page
    assert f'href="/admin/runs/{run}"' in page
    assert "What to paste" not in page
    assert "Choose the identity provider" not in page


def test_nobody_pushes_into_a_source_that_is_read(world):
    with pytest.raises(ConfigurationError, match="Nothing was changed"):
        world.services.choose_vendor("corp", "okta", ME)
    assert world.services.connection("corp").vendor is None


@pytest.mark.parametrize("path", ["nobody", "nobody/status.json", "<script>alert(1)</script>"])
def test_a_source_that_is_not_there_is_not_found(admin, path):
    answer = admin.get(f"{PAGE}/{path}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (RoleName.VIEWER, set()),
        (RoleName.OPERATOR, {"vendor"}),
        (RoleName.APPROVER, {"vendor", "release"}),
        (RoleName.ADMIN, {"vendor", "release", "add"}),
    ],
)
def test_each_role_does_what_it_may_and_everybody_looks(world, role, may):
    """A7: a token speaks for a whole source, so only administrators make one."""
    idp = connect(world.services, "idp", first_run="plan")
    idp("GET", "/Users", None)
    visitor = administrator(make_site(world.services), world.services, role)
    page = visitor.get(f"{PAGE}/idp").text
    assert visitor.get(PAGE).status_code == visitor.get(f"{PAGE}/idp/status.json").status_code
    assert ("Show its guide" in page) is ("vendor" in may)
    assert ("Release idp" in page) is ("release" in may)
    assert ("make a token" in visitor.get(PAGE).text) is ("add" in may)
    done = {
        "vendor": visitor.send(f"{PAGE}/idp/vendor", page=f"{PAGE}/idp", vendor="okta"),
        "release": visitor.send(f"{PAGE}/idp/release", page=f"{PAGE}/idp"),
        "add": added(visitor, name="more"),
    }
    refused = {name for name, answer in done.items() if answer.status_code == 403}
    assert refused == set(done) - may
    assert world.services.connection("idp").released is ("release" in may)
    assert count(world, TokenRecord) == (2 if "add" in may else 1)


def test_a_guide_s_text_is_escaped_and_its_labels_are_set_apart(site):
    """Safety 17."""
    with site.test_request_context(base_url=PUBLIC_URL):
        inline = get_template_attribute("admin/guide.html", "inline")
        assert inline("**<b>** and `<i>`") == (
            "<strong>&lt;b&gt;</strong> and <code>&lt;i&gt;</code>"
        )
